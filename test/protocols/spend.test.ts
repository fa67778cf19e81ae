// What a request may cost and what it did, whatever a client asks for and an upstream tells: the cap is what was set
// aside, and only a count that can be read lowers it.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, run, type Upstream } from '../kernel/test-filter.ts';
import { POLICY } from './policy.ts';

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY);
});

const ask = (more = ''): string => `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]${more}}`;
/** Micro-dollars a token: the model's prices. */
const INPUT = 2.5;
const OUTPUT = 10;
const OUTPUT_MAX = 4_000;

describe('what is set aside', () => {
  const reserved = (more: string): number => run(filter, { body: ask(more) }).reserve[0]?.amount ?? -1;

  test.each([
    ['', 1, OUTPUT_MAX],
    [',"max_tokens":9', 1, 9],
    [',"max_completion_tokens":9', 1, 9],
    [',"max_tokens":9,"max_completion_tokens":5', 1, 9],
    [',"max_tokens":5,"max_completion_tokens":9', 1, 9],
    [',"max_tokens":null,"max_completion_tokens":9', 1, 9],
    [',"max_tokens":9,"max_completion_tokens":null', 1, 9],
    [',"max_tokens":null', 1, OUTPUT_MAX],
    [',"max_completion_tokens":null', 1, OUTPUT_MAX],
    [',"max_tokens":null,"max_completion_tokens":null', 1, OUTPUT_MAX],
    [',"max_tokens":9,"n":3', 3, 9],
    [',"n":128', 128, OUTPUT_MAX],
  ])('covers %s', (more, choices, output) => {
    const seen = run(filter, { body: ask(more) });
    expect(reserved(more) - reserved(',"max_tokens":1')).toBe((choices * output - 1) * OUTPUT);
    const sent: { max_tokens?: number; max_completion_tokens?: number } = JSON.parse(seen.sent ?? '{}');
    const limits = [sent.max_tokens, sent.max_completion_tokens].filter((limit) => typeof limit === 'number');
    expect(Math.max(...limits)).toBe(output);
  });

  test.each([
    ',"max_tokens":100000000',
    ',"max_completion_tokens":999999999999999',
    ',"max_tokens":9,"max_completion_tokens":100000000',
  ])('is nothing for %s: no model has the room', (more) => {
    expect(run(filter, { body: ask(more) })).toMatchObject({ sent: null, status: 403, reserve: [] });
  });

  test.each(['0', '-1', '-0', '1.5', '1e3', '1E9', '1000000000000000', '"9"', 'true', '[]', '{}'])(
    'is not guessed from a limit of %s',
    (limit) => {
      for (const key of ['max_tokens', 'max_completion_tokens']) {
        expect(run(filter, { body: ask(`,"${key}":${limit}`) }), key).toMatchObject({ sent: null, status: 400 });
        const other = key === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
        expect(run(filter, { body: ask(`,"${other}":5,"${key}":${limit}`) }).sent, key).toBeNull();
      }
    },
  );
});

describe('what it cost', () => {
  const spent = (usage: string): number | undefined =>
    run(filter, {
      body: ask(),
      upstream: {
        body: `{"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":${usage}}`,
      },
    }).spentMicros;

  test.each([
    ['{"prompt_tokens":5,"completion_tokens":-1}'],
    ['{"prompt_tokens":-5,"completion_tokens":1}'],
    ['{"prompt_tokens":5.5,"completion_tokens":1}'],
    ['{"prompt_tokens":5,"completion_tokens":1e1}'],
    ['{"prompt_tokens":5,"completion_tokens":1.0}'],
    ['{"prompt_tokens":"5","completion_tokens":"1"}'],
    ['{"prompt_tokens":5,"completion_tokens":null}'],
    ['{"prompt_tokens":5}'],
    ['{"completion_tokens":5}'],
    ['{"prompt_tokens":5,"completion_tokens":1000000000000000}'],
    ['{"prompt_tokens":5,"completion_tokens":99999999999999999999}'],
    // A cost that no integer holds.
    ['{"prompt_tokens":999999999999999,"completion_tokens":999999999999999}'],
    ['{"prompt_tokens":5,"completion_tokens":1,"completion_tokens":0}'],
    ['{"prompt_tokens":5,"completion_tokens":1,"Completion_tokens":0}'],
    ['{}'],
    ['null'],
    ['[]'],
    ['7'],
  ])('is what was set aside where the upstream tells %s', (usage) => expect(spent(usage)).toBeUndefined());

  test('is what the upstream tells where that can be read', () => {
    expect(spent('{"prompt_tokens":5,"completion_tokens":7}')).toBe(Math.ceil(5 * INPUT + 7 * OUTPUT));
    expect(spent('{"prompt_tokens":0,"completion_tokens":0}')).toBe(0);
    // More than was set aside: the budget is told the truth.
    expect(spent('{"prompt_tokens":5,"completion_tokens":900000}')).toBe(Math.ceil(5 * INPUT + 900_000 * OUTPUT));
  });

  test('is the most that a stream tells, however often it does', () => {
    const event = (data: string): string => `data: ${data}\n\n`;
    const end = event('{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}');
    const tells = (input: number, output: number | string): string =>
      event(`{"choices":[],"usage":{"prompt_tokens":${input},"completion_tokens":${output}}}`);
    const streamed = (...events: readonly string[]): number | undefined => {
      const upstream: Upstream = { type: 'text/event-stream', body: `${events.join('')}${event('[DONE]')}` };
      return run(filter, { body: ask(',"stream":true'), upstream }).spentMicros;
    };
    const cost = (input: number, output: number): number => Math.ceil(input * INPUT + output * OUTPUT);
    expect(streamed(end, tells(5, 7))).toBe(cost(5, 7));
    expect(streamed(end, tells(5, 7), tells(5, 7))).toBe(cost(5, 7));
    expect(streamed(end, tells(5, 7), tells(5, 2))).toBe(cost(5, 7));
    expect(streamed(tells(5, 9), end, tells(4, 2))).toBe(cost(5, 9));
    expect(streamed(end, tells(5, -7))).toBeUndefined();
    expect(streamed(end, tells(5, '"7"'))).toBeUndefined();
    expect(streamed(end)).toBeUndefined();
  });

  test('is told once, and all of it where a client goes', () => {
    const data = '{"choices":[{"index":0,"delta":{"content":"word "}}]}';
    const last = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}';
    const counts = '{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}}';
    const body = [data, data, last, counts, '[DONE]'].map((each) => `data: ${each}\n\n`).join('');
    const known = new Set<number | undefined>();
    for (let gone = 0; gone < body.length; gone += 1) {
      const { spentMicros } = run(filter, {
        body: ask(',"stream":true'),
        upstream: { type: 'text/event-stream', body },
        cut: (bytes) => (bytes.length < 100 ? [bytes] : [bytes.subarray(0, gone), bytes.subarray(gone)]),
        hangUpAfter: gone === 0 ? 0 : 1,
      });
      known.add(spentMicros);
    }
    // Before the counts what was set aside, after them what they say; never less.
    expect([...known]).toEqual([undefined, Math.ceil(5 * INPUT + 7 * OUTPUT)]);
  });
});
