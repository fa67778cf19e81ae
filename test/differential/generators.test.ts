// What the differential test compares on: the generated policies hold every kind of node, and the inputs reach every
// outcome.
import { expect, test } from 'vitest';
import { expectedOf, generateCases } from './backend.ts';
import { countKinds, KINDS_EXPECTED } from './coverage.ts';
import { levelsIgnored, sharesOf } from './outcomes.ts';
import { randomFrom, seedOfRun } from './random.ts';

const POLICIES = 1_000;
const NODES_LEAST = 20;
const SHARE_LEAST = 0.05;
const LEVELS_LEAST = 100;

const seed = seedOfRun();
const cases = generateCases(randomFrom(seed), POLICIES);

test('every kind of node', () => {
  const counts = new Map<string, number>();
  for (const { plan } of cases) countKinds(plan, counts);
  expect(
    KINDS_EXPECTED.filter((kind) => (counts.get(kind) ?? 0) < NODES_LEAST),
    `seed ${seed}`,
  ).toEqual([]);
});

test('every outcome in at least 5% of the cases', () => {
  const shares = sharesOf(cases.flatMap(expectedOf));
  expect(
    Object.entries(shares).filter(([, share]) => share < SHARE_LEAST),
    `seed ${seed}`,
  ).toEqual([]);
});

test('levels that are not known, of budgets that apply and of budgets that do not', () => {
  const decided = cases.flatMap((given) =>
    expectedOf(given).map((decision, at) => ({ plan: given.plan, input: given.inputs[at], decision })),
  );
  const ignored = decided.filter(({ plan, input, decision }) => levelsIgnored(input, decision, plan));
  const denied = decided.filter(({ decision }) =>
    decision.reasons.some(
      (reason) => reason.kind === 'failed' && reason.facts.some((path) => path.startsWith('budget.')),
    ),
  );
  const counts = {
    ignored: ignored.length,
    passed: ignored.filter(({ decision }) => decision.outcome !== 'deny').length,
    denied: denied.length,
  };
  expect(
    Object.entries(counts).filter(([, count]) => count < LEVELS_LEAST),
    `seed ${seed}, ${JSON.stringify(counts)}`,
  ).toEqual([]);
});

test('the same seed makes the same cases', () => {
  expect(JSON.stringify(generateCases(randomFrom(seed), 3))).toBe(JSON.stringify(cases.slice(0, 3)));
});
