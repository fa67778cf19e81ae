// Nothing is dropped: a policy that uses a form which nothing enforces yet denies where the form would have decided,
// even where all else is allowed.
import { describe, expect, test } from 'vitest';
import { lower } from '../../compiler/lower/lower.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { checkProgram } from '../../dsl/check.ts';
import { sourceFile } from '../../dsl/source.ts';
import { CATALOG, POLICY } from '../diagnostics/check-case.ts';
import { UNENFORCED_CASES } from '../../dsl/explain/unenforced.ts';

function planOf(source: string): Plan {
  // Where all is allowed, a rule that allows has no meaning.
  const allowing = POLICY.replaceAll(/default (\w+): deny/g, 'default $1: allow').replaceAll(
    /^ +allow chunk .*\n/gm,
    '',
  );
  const { program, diagnostics } = checkProgram(
    [sourceFile('policy.writ', allowing), sourceFile('case.writ', source)],
    CATALOG,
  );
  expect(diagnostics.filter((each) => each.severity === 'error')).toEqual([]);
  return lower(program!, { sourceHash: '0'.repeat(64), compilerVersion: 'test' });
}

describe.each(UNENFORCED_CASES)('$code', ({ code, source }) => {
  const denying = planOf(source).events.map((event) =>
    event.rules.filter(
      (rule) => rule.unenforced !== undefined && rule.effects.some((effect) => effect.kind === 'deny'),
    ),
  );

  test('denies', () => expect(denying.flat().length).toBeGreaterThan(0));
});

test('a route whose preference cannot be decided denies', () => {
  const plan = planOf(
    `detector vendor matches list vendors
route r
  for requested any
  prefer big where text contains vendor
  prefer own
`,
  );
  const prompt = plan.events.find((event) => event.kind === 'prompt');
  expect(prompt?.rules.map((rule) => [rule.name, rule.unenforced])).toContainEqual(['r', 'listDetector']);
});
