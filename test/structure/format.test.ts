// One style in every source: prettier's, with the options in package.json. `npm run format` mends what this finds.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import { root, sources } from './sources.ts';

test('every source is formatted', { timeout: 300_000 }, async () => {
  const options = await resolveConfig(join(root, 'package.json'));
  expect(options).toMatchObject({ printWidth: 120 });
  const unformatted: string[] = [];
  for (const { path } of sources()) {
    const filepath = join(root, path);
    if (!(await check(readFileSync(filepath, 'utf8'), { ...options, filepath }))) unformatted.push(path);
  }
  expect(unformatted).toEqual([]);
});

test('a source that is not formatted is seen', async () => {
  expect(await check("export const x = 'y'", { parser: 'typescript', singleQuote: true })).toBe(false);
});
