// What clients and upstreams that mean harm have tried, and what must come of it.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, run, type Upstream } from '../kernel/test-filter.ts';
import { POLICY } from './policy.ts';

const CARD = '4111 1111 1111 1111';
let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY);
});

const chat = (more = '', content = '"hi"'): string => `{"model":"gpt-4o","messages":[{"role":"user","content":${content}}],"max_tokens":100${more}}`;
const blocks = (block: string, more = ''): { readonly path: string; readonly body: string } => ({
  path: '/v1/messages',
  body: `{"model":"gpt-4o","max_tokens":100,"messages":[{"role":"user","content":[${block}]}]${more}}`,
});
const stream = (body: string): Upstream => ({ type: 'text/event-stream', body });
const event = (data: string): string => `data: ${data}\n\n`;
const delta = (content: string): string => event(`{"choices":[{"index":0,"delta":{"content":"${content}"}}]}`);

describe('a value cannot leave in a place that nobody reads', () => {
  test('the signature of a thought', () => {
    expect(run(filter, blocks(`{"type":"thinking","thinking":"x","signature":"${CARD}"}`)).sent).not.toContain('4111');
  });
});

describe('a reply that is not waited for', () => {
  const begin = event('{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"model":"x","stop_reason":null,"usage":{"input_tokens":10,"output_tokens":1}}}');
  const words = `${event('{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}')}${event('{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a long answer"}}')}`;
  const last = event('{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":90}}');
  const ask = (upstream: string, hangUpAfter?: number): ReturnType<typeof run> =>
    run(filter, {
      ...blocks('{"type":"text","text":"x"}', ',"stream":true'),
      upstream: stream(upstream),
      cut: (bytes) => (bytes.length < begin.length ? [bytes] : [bytes.subarray(0, begin.length), bytes.subarray(begin.length)]),
      ...(hangUpAfter === undefined ? {} : { hangUpAfter }),
    });

  test('costs what was set aside, not what was counted at its beginning', () => {
    expect(ask(begin + words, 1).spentMicros).toBeUndefined();
    expect(ask(begin + words).spentMicros).toBeUndefined();
    expect(ask(begin + words + last).spentMicros).toBe(Math.ceil((10 * 2_500_000 + 90 * 10_000_000) / 1e6));
  });

  test('costs that, too, where a server counts in every event', () => {
    const counted = (content: string, more: string): string => event(`{"choices":[{"index":0,"delta":{"content":"${content}"}${more}}],"usage":{"prompt_tokens":5,"completion_tokens":1}}`);
    const spent = (body: string): number | undefined => run(filter, { body: chat(',"stream":true'), upstream: stream(body) }).spentMicros;
    expect(spent(counted('a', '') + delta('b'))).toBeUndefined();
    expect(spent(counted('a', ',"finish_reason":"stop"'))).toBe(23);
    expect(spent(`${counted('a', '')}${event('[DONE]')}`)).toBe(23);
  });

  test('costs that, too, where a server ran out of time', () => {
    const spent = (status: number): number | undefined => run(filter, { body: chat(), upstream: { status, body: '{"error":{"message":"x"}}' } }).spentMicros;
    expect([400, 408, 429, 503, 504].map(spent)).toEqual([0, undefined, 0, 0, undefined]);
  });

  test('is not free of its output because the server told of its input alone', () => {
    expect(run(filter, { body: chat(), upstream: { body: '{"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5}}' } }).spentMicros).toBeUndefined();
  });
});

describe('what is set aside covers', () => {
  const reserved = (exchange: Parameters<typeof run>[1]): number => run(filter, exchange).reserve[0]?.micros ?? 0;
  const call = (input: string): ReturnType<typeof blocks> => blocks(`{"type":"tool_use","id":"a","name":"b","input":{"x":[${input}]}}`);

  test('free JSON that has no text', () => {
    for (const value of ['1', '""', '[]', '{}', 'null']) {
      expect(reserved(call(Array(1_000).fill(value).join(','))) - reserved(call(value)), value).toBeGreaterThanOrEqual(999 * 2.5);
    }
  });

  test('calls and parts that have no text', () => {
    const calls = (count: number): string =>
      `{"model":"gpt-4o","max_tokens":1,"messages":[{"role":"assistant","tool_calls":[${Array(count).fill('{"id":"","type":"function","function":{"name":"","arguments":""}}').join(',')}]}]}`;
    expect(reserved({ body: calls(101) }) - reserved({ body: calls(1) })).toBeGreaterThan(100 * 30 * 2.5);
    const uses = (count: number): ReturnType<typeof blocks> => blocks(Array(count).fill('{"type":"tool_use","id":"","name":"","input":{}}').join(','));
    expect(reserved(uses(101)) - reserved(uses(1))).toBeGreaterThan(100 * 30 * 2.5);
  });

  test('an answer without end: a limit of zero is refused', () => {
    expect(run(filter, { body: chat().replace('100', '0') })).toMatchObject({ sent: null, status: 400 });
    expect(run(filter, { body: chat().replace('100', '1') }).sent).not.toBeNull();
  });
});
