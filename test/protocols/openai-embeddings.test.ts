// OpenAI embeddings through a session: texts are redacted, token ids refused, usage settled.
import { beforeAll, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, placeholder, run, type Exchange } from '../kernel/test-filter.ts';
import { cuts } from './chunking.ts';
import { POLICY } from './policy.ts';

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY);
});

const ask = (exchange: Exchange): ReturnType<typeof run> => run(filter, { path: '/v1/embeddings', ...exchange });
const EMP = placeholder('EMPLOYEE_ID', 1);
const REPLY =
  '{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.0023064255714416504,-4111111111111111]}],"model":"gpt-4o","usage":{"prompt_tokens":8,"total_tokens":8}}';

test('a text and a list of texts are scanned; each of a list is its own lane', () => {
  expect(ask({ body: '{"model":"gpt-4o","input":"EMP-123456"}' }).sent).toBe(`{"model":"gpt-4o","input":"${EMP}"}`);
  expect(ask({ body: '{"model":"gpt-4o","input":["x EMP-123456","4111 1111","1111 1111"]}' }).sent).toBe(
    `{"model":"gpt-4o","input":["x ${EMP}","4111 1111","1111 1111"]}`,
  );
});

test('token ids are refused', () => {
  for (const input of ['[1,2,3]', '[[1,2],[3]]', '7', '["x",5]', '{"text":"x"}', 'null'])
    expect([input, ask({ body: `{"model":"gpt-4o","input":${input}}` })]).toMatchObject([
      input,
      { sent: null, status: 400 },
    ]);
});

test('no output is limited or reserved, and the usage is settled', () => {
  const seen = ask({ body: '{"model":"gpt-4o","input":"x"}', upstream: { body: REPLY } });
  expect(seen.reserve).toEqual([{ budget: 'support_day', amount: Math.ceil((17 * 2_500_000) / 1e6) }]);
  expect(seen.got).toBe(REPLY);
  expect(seen.spentMicros).toBe(20);
});

test('in any chunking', () => {
  const exchange: Exchange = {
    body: '{"model":"gpt-4o","input":["é EMP-123456","\\ud83d\\ude00"]}',
    upstream: { body: REPLY },
  };
  const expected = ask(exchange);
  for (const [how, cut] of cuts(REPLY.length, 20)) expect([how, ask({ ...exchange, cut })]).toEqual([how, expected]);
});
