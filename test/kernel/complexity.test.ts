/** `prompt.complexity` on 100 labelled prompts, which were written before the formula and are not fitted to. */
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, run } from './test-filter.ts';

const SET = JSON.parse(readFileSync(new URL('./complexity-set.json', import.meta.url), 'utf8')) as readonly { readonly label: 'simple' | 'hard'; readonly prompt: string }[];
const THRESHOLD = 400;
/** Of the whole set. The figure is printed in the documentation; this is what may not get worse. */
const ACCURACY_LEAST = 0.8;

const POLICY = `policy c {
  owner "o@x.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
caller { id : text from claim "sub" }
models { }
model small "small" { provider: vllm input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 100 tokens }
model large "large" { provider: vllm input_price: 2 usd per 1M tokens output_price: 2 usd per 1M tokens context: 100_000 tokens max_output: 100 tokens }
route auto for requested "auto" prefer small where prompt.complexity is below ${THRESHOLD} prefer large
`;

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY);
});

const isHard = (prompt: string): boolean => run(filter, { body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: prompt }] }) }).route === 'model/large';

test('tells simple prompts from hard ones', () => {
  expect(SET).toHaveLength(100);
  const wrong = SET.filter(({ label, prompt }) => isHard(prompt) !== (label === 'hard'));
  const accuracy = 1 - wrong.length / SET.length;
  expect(accuracy, wrong.map(({ label, prompt }) => `${label}: ${prompt}`).join('\n')).toBeGreaterThanOrEqual(ACCURACY_LEAST);
  console.log(`complexity at ${THRESHOLD}: ${(accuracy * 100).toFixed(0)}% of ${SET.length} prompts`);
});

test('only the last message of the user counts, however it is written', () => {
  const hard = SET.find(({ label, prompt }) => label === 'hard' && isHard(prompt))?.prompt ?? '';
  const ask = (messages: readonly object[]): string | undefined => run(filter, { body: JSON.stringify({ model: 'auto', messages }) }).route;
  expect(ask([{ role: 'user', content: hard }, { role: 'assistant', content: 'ok' }, { role: 'user', content: 'thanks' }])).toBe('model/small');
  expect(ask([{ role: 'system', content: hard }, { content: 'thanks', role: 'user' }])).toBe('model/small');
  expect(ask([{ content: [{ type: 'text', text: hard }], role: 'user' }])).toBe('model/large');
});
