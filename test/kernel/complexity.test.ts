/**
 * `prompt.complexity` on 100 labelled prompts, which were written before the formula and are not fitted to, and the
 * page that says so. `WRIT_UPDATE=1` writes its figures.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, run } from './test-filter.ts';

const SET = JSON.parse(readFileSync(new URL('./complexity-set.json', import.meta.url), 'utf8')) as readonly {
  readonly label: 'simple' | 'hard';
  readonly prompt: string;
}[];
const THRESHOLD = 400;
const THRESHOLDS = [200, 300, THRESHOLD, 500, 600];
const PAGE = new URL('../../filters/kernel/prompt/complexity.md', import.meta.url);
const KERNEL = new URL('../../filters/kernel/prompt/complexity.ts', import.meta.url);
/** Of the whole set, at THRESHOLD. The page prints the figure; this is what may not get worse. */
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
${THRESHOLDS.map((each) => `route at_${each} for requested "at-${each}" prefer small where prompt.complexity is below ${each} prefer large`).join('\n')}
`;

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY);
});

const ask = (messages: readonly object[], threshold = THRESHOLD): string | undefined =>
  run(filter, { body: JSON.stringify({ model: `at-${threshold}`, messages }) }).route;
const isHard = (prompt: string, threshold = THRESHOLD): boolean =>
  ask([{ role: 'user', content: prompt }], threshold) === 'model/large';

function measured(threshold: number) {
  const taken = SET.map(({ label, prompt }) => ({
    label,
    prompt,
    isRight: isHard(prompt, threshold) === (label === 'hard'),
  }));
  const wrong = taken.filter(({ isRight }) => !isRight);
  return {
    wrong,
    right: SET.length - wrong.length,
    hardMissed: wrong.filter(({ label }) => label === 'hard').length,
    simpleTaken: wrong.filter(({ label }) => label === 'simple').length,
  };
}

test('tells simple prompts from hard ones', () => {
  expect(SET).toHaveLength(100);
  const { right, wrong } = measured(THRESHOLD);
  expect(right / SET.length, wrong.map(({ label, prompt }) => `${label}: ${prompt}`).join('\n')).toBeGreaterThanOrEqual(
    ACCURACY_LEAST,
  );
});

test('the page says the figures that are measured, and the stems that the kernel has', () => {
  const accuracy = [
    '| threshold | right | hard taken for simple | simple taken for hard |',
    '|---|---|---|---|',
    ...THRESHOLDS.map((threshold) => {
      const { right, hardMissed, simpleTaken } = measured(threshold);
      return `| ${threshold} | ${right} of ${SET.length} | ${hardMissed} | ${simpleTaken} |`;
    }),
  ].join('\n');
  const stems = /const STEMS: string =\s*'([^']+)'/.exec(readFileSync(KERNEL, 'utf8'))?.[1] ?? '';
  expect(stems).toContain('prove');
  const parts: { readonly [name: string]: string } = {
    accuracy,
    stems: stems
      .split(' ')
      .map((stem) => `\`${stem}\``)
      .join(', '),
  };
  const withParts = (text: string): string =>
    text.replace(
      /<!-- (accuracy|stems) -->\n[^]*?<!-- end -->/g,
      (_, name: string) => `<!-- ${name} -->\n${parts[name]}\n<!-- end -->`,
    );
  if (process.env['WRIT_UPDATE'] === '1') writeFileSync(PAGE, withParts(readFileSync(PAGE, 'utf8')));
  const page = readFileSync(PAGE, 'utf8');
  expect(page).toBe(withParts(page));
  expect(page).toContain(`below ${THRESHOLD}`);
  expect(page.match(/<!-- (accuracy|stems) -->/g)).toHaveLength(2);
});

test('what the page says each part gives at most is what the kernel gives', () => {
  const page = readFileSync(PAGE, 'utf8');
  const rows = [...page.matchAll(/^\| [^|]+ \| (\d+) \| (\d+) \|$/gm)].map(
    ([, each, most]) => `atMost(${most}, ${each}, `,
  );
  const kernel = [...readFileSync(KERNEL, 'utf8').matchAll(/atMost\(\d+, \d+, /g)].map(([call]) => call);
  expect(rows.sort()).toEqual(kernel.sort());
});

test('only the last message of the user counts, however it is written', () => {
  const hard = SET.find(({ label, prompt }) => label === 'hard' && isHard(prompt))?.prompt ?? '';
  expect(
    ask([
      { role: 'user', content: hard },
      { role: 'assistant', content: 'ok' },
      { role: 'user', content: 'thanks' },
    ]),
  ).toBe('model/small');
  expect(
    ask([
      { role: 'system', content: hard },
      { content: 'thanks', role: 'user' },
    ]),
  ).toBe('model/small');
  expect(ask([{ content: [{ type: 'text', text: hard }], role: 'user' }])).toBe('model/large');
});
