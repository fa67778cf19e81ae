// Every policy of the cookbook checks without a warning, builds, passes its tests through its compiled wasm, and is shown
// on its page as it stands in its file. `WRIT_UPDATE=1` writes the pages' rules anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { bundleOf, compile } from '../../cli/compile.ts';
import { runTest } from '../../cli/policy-test/run-test.ts';
import { COOKBOOK, readCookbook, withList, withRules } from '../../examples/book/cookbook.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';

const RECIPES = readCookbook();

/** TypeScript's printer takes longer than all the rest; the goldens hold what it prints. */
const WANTED = new Set<string>(Object.values(BUNDLE_PATHS).filter((path) => path !== BUNDLE_PATHS.types));
/** Before any waiver of the cookbook ends. */
const TODAY = Date.parse('2026-01-15T12:00:00Z');

/** Rules that no `test` can make fire, with what it cannot give. */
const NOT_TESTED: { readonly [rule: string]: string } = {
  'tenants/few_at_once': 'how many results a query asks for',
  'whole-answers/no_half_answers': 'why an answer ended',
};

test('the cookbook has at least 25 policies, each with a title of its own', () => {
  expect(RECIPES.length).toBeGreaterThanOrEqual(25);
  expect(new Set(RECIPES.map(({ title }) => title)).size).toBe(RECIPES.length);
});

test('no two policies say the same with other names', () => {
  const shapes = RECIPES.map(({ policy }) =>
    [...policy.matchAll(/^rule .*\n(?: {2}.*\n)*/gm)].map(([rule]) => rule.replace(/^rule .*$|"[^"]*"/gm, '')).join(),
  );
  expect(new Set(shapes).size).toBe(RECIPES.length);
});

describe.each(RECIPES)('$name', ({ name, folder, page, policy }) => {
  test('checks, builds and passes its tests', async () => {
    const { diagnostics, compiled } = await compile({
      path: folder,
      cwd: folder,
      allowUnenforced: false,
      deployment: null,
      today: TODAY,
      wanted: WANTED,
    });
    expect(diagnostics.map((each) => `${each.code} ${each.message}`)).toEqual([]);
    expect(bundleOf(compiled!, null).length).toBeGreaterThan(0);

    const { program, plan, files } = compiled!;
    const filter = loadFilter(files.get(BUNDLE_PATHS.filterWasm)!);
    const results = program.tests.map((each) => runTest(each, { program, plan, filter }));
    const failures = results.flatMap((each) => each.failures.map((failure) => `${each.title}: ${failure.message}`));
    expect(failures).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(3);

    const fired = new Set(results.flatMap((each) => each.fired));
    const never = program.rules.map((rule) => rule.name).filter((rule) => !fired.has(rule));
    expect(never.map((rule) => `${name}/${rule}`)).toEqual(
      Object.keys(NOT_TESTED).filter((rule) => rule.startsWith(`${name}/`)),
    );
  });

  test('its page says what it is for, shows its rules, what it cites and what it does not do', () => {
    const path = join(folder, 'README.md');
    if (process.env['WRIT_UPDATE'] === '1') writeFileSync(path, withRules(page, policy));
    const shown = readFileSync(path, 'utf8');
    expect(shown).toBe(withRules(page, policy));
    expect([...shown.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual([
      'The rules',
      'What it cites',
      'What it does not do',
    ]);
    expect(shown).toContain('```writ\n');
    // What it is for stands between the title and the rules.
    expect(/^# .*\n\n[^]+?\n\n## The rules/.exec(shown)?.[0].length ?? 0).toBeGreaterThan(120);
  });

  test('its page names what its rules cite, and every rule says in words what it is for', () => {
    const cited = page.slice(page.indexOf('## What it cites'), page.indexOf('## What it does not do'));
    // By the last number of the place: `GDPR Art. 32`, `ISO/IEC 27001:2022 A.8.12`.
    for (const [, place] of policy.matchAll(/^ {2}cites "(.*)"$/gm)) {
      const number = /(\d+(?:\.\d+)*)\D*$/.exec(place!)?.[1] ?? place!;
      expect(cited.match(/\d+(?:\.\d+)*/g), place).toContain(number);
    }
    for (const [, title] of policy.matchAll(/^rule \w+ ?(.*)$/gm)) expect(title).toMatch(/^".+"$/);
  });
});

test('the cookbook’s own page lists every policy', () => {
  const path = join(COOKBOOK, 'README.md');
  const text = readFileSync(path, 'utf8');
  if (process.env['WRIT_UPDATE'] === '1') writeFileSync(path, withList(text, RECIPES));
  expect(readFileSync(path, 'utf8')).toBe(withList(text, RECIPES));
});
