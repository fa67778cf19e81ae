// compiler/schema/README.md: its tables are the schemas of the example policy, its decisions are what policy.wasm and
// the interpreter answer. `WRIT_UPDATE=1` writes both.
import { loadPolicy } from '@open-policy-agent/opa-wasm';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compile } from '../../cli/compile.ts';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { decide } from '../../compiler/interpret/decide.ts';
import type { JsonSchema } from '../../compiler/schema/json-schema.ts';
import { inputTable, reasonsTable, resultTable } from './schema-tables.ts';
import { validates } from './validates.ts';

const README = new URL('../../compiler/schema/README.md', import.meta.url);
const { compiled } = await compile({
  path: new URL('../../examples/acme', import.meta.url).pathname,
  cwd: '/',
  allowUnenforced: false,
  deployment: null,
});
const { plan, files } = compiled!;

// As they are in the bundle.
const schemaAt = (path: string): JsonSchema => JSON.parse(new TextDecoder().decode(files.get(path)));
const input = schemaAt('/writ/schema/input.schema.json');
const result = schemaAt('/writ/schema/decision.schema.json');
const tables: { readonly [name: string]: string } = {
  input: inputTable(input),
  result: resultTable(result),
  reasons: reasonsTable(result),
};

const examples = [...readFileSync(README, 'utf8').matchAll(/<!-- input (\w+) -->\n```json\n([^]*?)```/g)].map(
  ([, name = '', text = '']) => ({ name, input: JSON.parse(text) as object }),
);

function withAnswers(text: string): string {
  return text
    .replace(
      /<!-- table (\w+) -->\n[^]*?<!-- end -->/g,
      (_, name: string) => `<!-- table ${name} -->\n${tables[name] ?? 'no such table'}\n<!-- end -->`,
    )
    .replace(/<!-- decision (\w+) -->\n[^]*?<!-- end -->/g, (_, name: string) => {
      const example = examples.find((each) => each.name === name);
      return `<!-- decision ${name} -->\n\`\`\`json\n${example === undefined ? 'no such input' : printed(decide(plan, example.input))}\n\`\`\`\n<!-- end -->`;
    });
}

test('the page shows the tables and the decisions as they are', () => {
  if (process.env['WRIT_UPDATE'] === '1') writeFileSync(README, withAnswers(readFileSync(README, 'utf8')));
  const text = readFileSync(README, 'utf8');
  expect(text).toBe(withAnswers(text));
  expect([...text.matchAll(/<!-- table (\w+) -->/g)].map((match) => match[1]).sort()).toEqual(
    Object.keys(tables).sort(),
  );
  expect([...text.matchAll(/<!-- decision (\w+) -->/g)].map((match) => match[1])).toEqual(
    examples.map(({ name }) => name),
  );
});

test.each(examples)(
  'the example of a $name is as the schemas say, and policy.wasm answers it so',
  async ({ name, input: facts }) => {
    expect(validates(input, facts)).toBe(true);
    const policy = await loadPolicy(Buffer.from(files.get(BUNDLE_PATHS.policyWasm)!));
    const data = files.get(BUNDLE_PATHS.data);
    if (data !== undefined) policy.setData(JSON.parse(new TextDecoder().decode(data)));
    const answer: unknown = policy.evaluate(facts)[0]?.result;
    expect(validates(result, answer)).toBe(true);
    const shown =
      new RegExp(`<!-- decision ${name} -->\\n\`\`\`json\\n([^]*?)\`\`\``).exec(readFileSync(README, 'utf8'))?.[1] ??
      'null';
    expect(answer).toEqual(JSON.parse(shown));
  },
);

/** A key a line, and a line for each member of a list of objects. */
function printed(decision: object): string {
  const value = (each: unknown): string =>
    Array.isArray(each) && each.some((member) => typeof member === 'object')
      ? `[\n${each.map((member) => `    ${JSON.stringify(member)}`).join(',\n')}\n  ]`
      : JSON.stringify(each);
  return `{\n${Object.entries(decision)
    .map(([key, each]) => `  "${key}": ${value(each)}`)
    .join(',\n')}\n}`;
}
