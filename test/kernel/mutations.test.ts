/** 100,000 mutated bodies, seeded: no trap, no memory kept, and what is let through is JSON. */
import { beforeAll, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { random } from '../protocols/chunking.ts';
import { POLICY } from '../protocols/policy.ts';
import { filterOf, placeholder, run, type Exchange } from './test-filter.ts';

const BODIES = 100_000;
const EMP = placeholder('EMPLOYEE_ID', 1);

const request =
  '{"model":"gpt-4o","max_tokens":5,"stream":true,"messages":[{"role":"system","content":"a@b.example \\u0045MP-123456"},{"role":"user","content":[{"type":"text","text":"4111 1111"},{"type":"text","text":" 1111 1111 \\ud83d\\ude00é"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\\"k\\":\\"EMP-\\\\u0031\\"}"}}]}],"tools":[{"type":"function","function":{"name":"f","parameters":{"a":[1,2.5e3,{"b":null}]}}}],"metadata":{"k":"v"}}';
const reply = `{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"${EMP} EMP-999999 \\ud83d\\ude00","tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\\"x\\":\\"a@b.example\\"}"}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4},"timings":{"x":[1,"y"]}}`;
const stream = [
  `{"choices":[{"index":0,"delta":{"content":"a ${EMP.slice(0, 7)}"}}]}`,
  `{"choices":[{"index":1,"delta":{"content":"EMP-9"}},{"index":0,"delta":{"content":"${EMP.slice(7)}"}}]}`,
  '{"choices":[{"index":1,"delta":{"content":"99999"}}]}',
  '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\\"e\\":\\"EM\\\\u00"}}]}}]}',
  '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"50-999999\\"}"}}]},"finish_reason":"stop"}]}',
  '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}',
  '[DONE]',
]
  .map((each) => `data: ${each}\n\n`)
  .join('');
const anthropic =
  '{"model":"gpt-4o","max_tokens":9,"system":"EMP-123456","messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"x"},{"type":"text","text":"4111111111111111"}]}]}';

const PIECES = [
  '"',
  '\\',
  '\\u',
  '\\ud83d',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  'null',
  'true',
  '1e9',
  '-',
  '0',
  '\u0000',
  '\n\n',
  '\r',
  'data: ',
  'EMP-123456',
  '4111 1111 1111 1111',
  'a@b.example',
  '"model"',
  '[DONE]',
  EMP,
  '[',
  '\ud83d\ude00',
].map((each) => Buffer.from(each));

function mutate(text: string, next: () => number): Buffer {
  let bytes = Buffer.from(text);
  const count = 1 + Math.floor(next() * 4);
  for (let i = 0; i < count; i += 1) {
    const at = Math.floor(next() * (bytes.length + 1));
    const kind = Math.floor(next() * 6);
    if (kind === 0) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + Math.floor(next() * 9))]);
    else if (kind === 1)
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        PIECES[Math.floor(next() * PIECES.length)] ?? Buffer.alloc(0),
        bytes.subarray(at),
      ]);
    else if (kind === 2 && bytes.length > 0) bytes[at % bytes.length] = Math.floor(next() * 256);
    else if (kind === 3) bytes = bytes.subarray(0, at);
    else if (kind === 4) {
      const from = Math.floor(next() * bytes.length);
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        bytes.subarray(from, from + Math.floor(next() * 40)),
        bytes.subarray(at),
      ]);
    } else
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        PIECES[Math.floor(next() * PIECES.length)] ?? Buffer.alloc(0),
        bytes.subarray(Math.min(bytes.length, at + 3)),
      ]);
  }
  return bytes;
}

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY);
});

test('no body traps the kernel or leaves memory behind', { timeout: 300_000 }, () => {
  const outcomes = new Map<number, number>();
  const start = filter.bytesInUse();
  for (let seed = 1; seed <= BODIES; seed += 1) {
    const next = random(seed);
    const split = 1 + Math.floor(next() * 200);
    const cut = (bytes: Uint8Array): readonly Uint8Array[] =>
      bytes.length > split ? [bytes.subarray(0, split), bytes.subarray(split)] : [bytes];
    const kind = seed % 4;
    const exchange: Exchange =
      kind === 0
        ? { body: mutate(request, next), cut }
        : kind === 1
          ? { body: request.replace('"stream":true,', ''), upstream: { body: mutate(reply, next) }, cut }
          : kind === 2
            ? { body: request, upstream: { type: 'text/event-stream', body: mutate(stream, next) }, cut }
            : { path: '/v1/messages', body: mutate(anthropic, next), cut };
    try {
      const seen = run(filter, exchange);
      if (seen.sent !== null && kind !== 1 && kind !== 2) JSON.parse(seen.sent);
      if (kind === 1 && seen.got !== '') JSON.parse(seen.got);
      outcomes.set(seen.status, (outcomes.get(seen.status) ?? 0) + 1);
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    }
  }
  expect(filter.bytesInUse() - start).toBeLessThan(1 << 20);
  // The mutations neither all pass nor all fail.
  for (const status of [0, 200, 400, 502])
    expect([status, (outcomes.get(status) ?? 0) > BODIES / 200]).toEqual([status, true]);
});
