/** The tables in the reference are the checker's own. `WRIT_UPDATE=1` writes them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { REFERENCE_TABLES } from '../../dsl/reference-tables.ts';

const README = new URL('../../dsl/README.md', import.meta.url);

function withTables(text: string): string {
  return text.replace(
    /<!-- table (\w+) -->\n[^]*?<!-- end -->/g,
    (_, name: string) => `<!-- table ${name} -->\n${REFERENCE_TABLES[name]?.() ?? 'no such table'}\n<!-- end -->`,
  );
}

test('README.md shows the tables as they are', () => {
  const text = readFileSync(README, 'utf8');
  if (process.env['WRIT_UPDATE'] === '1') writeFileSync(README, withTables(text));
  expect(readFileSync(README, 'utf8')).toBe(withTables(text));
});

test('README.md shows every table', () => {
  const shown = [...readFileSync(README, 'utf8').matchAll(/<!-- table (\w+) -->/g)].map((match) => match[1]);
  expect(shown.sort()).toEqual(Object.keys(REFERENCE_TABLES).sort());
});
