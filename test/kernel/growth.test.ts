/**
 * Work grows as its input does: eight times the bytes take about eight times the time, whatever they hold. What is
 * quadratic takes sixty-four times as long, so that a generous bound between the two tells them apart on any machine.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { POLICY } from '../protocols/policy.ts';
import { filterOf, KEYS, placeholder, run, type Exchange, type Seen } from './test-filter.ts';

const TIMES = 8;
/** Eight is as it should be; memory that no longer fits a cache, and a busy machine, make it more. */
const GROWTH_MAX = 28;

const EMP = placeholder('EMPLOYEE_ID', 1);

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY.replace('context: 128_000 tokens', 'context: 100_000_000 tokens'), KEYS);
});

const chat = (content: string, more = ''): string =>
  `{"model":"gpt-4o","max_tokens":5,"messages":[{"role":"user","content":"${content}"}]${more}}`;
const said = (content: string): string =>
  `{"choices":[{"index":0,"message":{"role":"assistant","content":"${content}"}}]}`;
const delta = (content: string): string => `data: {"choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`;
const times = (count: number, item: (i: number) => string, between = ''): string =>
  Array.from({ length: count }, (_, i) => item(i)).join(between);
const pieces =
  (size: number) =>
  (bytes: Uint8Array): readonly Uint8Array[] =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));

/** Milliseconds, the least of three. */
function timeOf(exchange: Exchange, holds: (seen: Seen) => boolean): number {
  let least = Infinity;
  for (let i = 0; i < 3; i += 1) {
    const start = performance.now();
    const seen = run(filter, exchange);
    least = Math.min(least, performance.now() - start);
    expect(holds(seen)).toBe(true);
  }
  return least;
}

interface Case {
  readonly name: string;
  /** Of the smaller input. */
  readonly count: number;
  /** That the work was done, and not refused. */
  readonly holds: (seen: Seen) => boolean;
  readonly of: (count: number) => Exchange;
}

const mail = (i: number): string => `u${i}@b.example`;
const cases: readonly Case[] = [
  {
    name: 'hits in a text with escapes',
    count: 3_000,
    holds: ({ sent }) => sent !== null && !sent.includes('@'),
    of: (count) => ({ body: chat(`\\n${times(count, mail, ' ')}`) }),
  },
  {
    name: 'one value, again and again',
    count: 8_000,
    holds: ({ sent }) => sent !== null && !sent.includes('@'),
    of: (count) => ({ body: chat(times(count, () => 'a@b.example', ' ')) }),
  },
  {
    name: 'hits in tool arguments',
    count: 3_000,
    holds: ({ sent }) => sent !== null && !sent.includes('@'),
    of: (count) => ({
      body: `{"model":"gpt-4o","max_tokens":5,"messages":[{"role":"assistant","tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\\"k\\":\\"${times(count, mail, ' ')}\\"}"}}]}]}`,
    }),
  },
  {
    name: 'placeholders among hits in a reply',
    count: 2_000,
    holds: ({ got }) => got.includes('EMP-123456') && !got.includes('@'),
    of: (count) => ({ body: chat('EMP-123456'), upstream: { body: said(times(count, (i) => `${EMP} ${mail(i)} `)) } }),
  },
  {
    name: 'a reply of one address in every spelling',
    count: 5_000,
    holds: ({ got }) => got.includes('[EMAIL]') && !got.includes('@'),
    of: (count) => ({
      body: chat('EMP-123456'),
      upstream: {
        body: said(
          times(
            count,
            (i) =>
              `${[...'abcdefghijklmnopq'].map((c, bit) => ((i >> bit) & 1 ? c.toUpperCase() : c)).join('')}@b.example`,
            ' ',
          ),
        ),
      },
    }),
  },
  {
    name: 'messages',
    count: 12_500,
    holds: ({ sent }) => sent !== null,
    of: (count) => ({
      body: `{"model":"gpt-4o","max_tokens":5,"messages":[${times(count, () => '{"role":"user","content":"hi"}', ',')}]}`,
    }),
  },
  {
    name: 'parts of one message',
    count: 12_500,
    holds: ({ sent }) => sent !== null,
    of: (count) => ({
      body: chat('').replace(
        '"content":""',
        `"content":[${times(count, () => '{"type":"text","text":"4111 "}', ',')}]`,
      ),
    }),
  },
  {
    name: 'small values',
    count: 125_000,
    holds: ({ sent }) => sent !== null,
    of: (count) => ({
      body: chat(
        'x',
        `,"tools":[{"type":"function","function":{"name":"f","parameters":[${times(count, () => '1', ',')}]}}]`,
      ),
    }),
  },
  {
    name: 'events of a stream',
    count: 2_000,
    holds: ({ got }) => got.includes('[EMAIL]') && !got.includes('@'),
    of: (count) => ({
      body: chat('EMP-123456', ',"stream":true'),
      upstream: { type: 'text/event-stream', body: times(count, (i) => delta(`word ${mail(i)} `)) },
      cut: pieces(4_096),
    }),
  },
  {
    name: 'a stream that is one event without an end',
    count: 100_000,
    holds: ({ status, got }) => status === 200 && !got.includes('xxx'),
    of: (count) => ({
      body: chat('x', ',"stream":true'),
      upstream: { type: 'text/event-stream', body: `data: ${'x'.repeat(count * 8)}` },
      cut: pieces(1_024),
    }),
  },
  {
    name: 'hits and placeholders in one event of a stream',
    count: 2_000,
    holds: ({ got }) => got.includes('EMP-123456') && !got.includes('@'),
    of: (count) => ({
      body: chat('EMP-123456', ',"stream":true'),
      upstream: {
        type: 'text/event-stream',
        body: `${delta(`\\n${times(count, (i) => `${EMP} ${mail(i)} `)}`)}data: [DONE]\n\n`,
      },
    }),
  },
  {
    name: 'a match that stays open over the events of a stream',
    count: 500,
    holds: ({ got }) => got.includes('4'),
    of: (count) => ({
      body: chat('x', ',"stream":true'),
      upstream: { type: 'text/event-stream', body: times(count, () => delta('4')) },
    }),
  },
];

describe('eight times as much takes about eight times as long', () => {
  test.each(cases)('$name', { timeout: 120_000 }, ({ count, holds, of }) => {
    let growth = Infinity;
    // What is quadratic is so every time; what a busy machine disturbed is not.
    for (let attempt = 0; attempt < 4 && growth >= GROWTH_MAX; attempt += 1) {
      const small = timeOf(of(count), holds);
      growth = timeOf(of(count * TIMES), holds) / small;
    }
    expect(growth).toBeLessThan(GROWTH_MAX);
  });
});
