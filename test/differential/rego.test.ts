// The second law for the emitted Rego: on the real OPA it says what the interpreter says. And faults planted in the
// Rego itself are caught.
import { expect, test } from 'vitest';
import { emitRego } from '../../compiler/rego/emit-rego.ts';
import { type Case, expectedOf, generateCases, isSeen } from './backend.ts';
import { checkBackend } from './check-backend.ts';
import { randomFrom, seedOfRun } from './random.ts';
import { decideRego, regoBackend } from './rego-backend.ts';
import { REGO_MUTATIONS, type RegoMutation } from './rego-mutations.ts';

checkBackend(regoBackend(80));

/** Cases that a planted fault is shown at a time, and how many times. All faults that are left share an OPA. */
const CASES_STEP = 3;
const ROUNDS = 8;

const seed = seedOfRun();
const pool = generateCases(randomFrom(seed), 400);

test('Rego that is emitted wrong is caught', { timeout: 600_000 }, async () => {
  let left = REGO_MUTATIONS.map((mutation) => ({ mutation, apt: casesFor(mutation) }));
  expect(left.filter(({ apt }) => apt.length === 0).map(({ mutation }) => mutation.name)).toEqual([]);
  for (let round = 0; round < ROUNDS && left.length > 0; round++) {
    const shown = left.map(({ mutation, apt }) => ({
      mutation,
      cases: apt.slice(round * CASES_STEP, (round + 1) * CASES_STEP),
    }));
    const decisions = await decideShown(shown);
    const seen = shown.map(({ cases }, at) => isSeen(cases, decisions[at]!));
    left = left.filter((_, at) => !seen[at]);
  }
  expect(
    left.map(({ mutation }) => mutation.name),
    `seed ${seed}`,
  ).toEqual([]);
});

interface Shown {
  readonly mutation: RegoMutation;
  readonly cases: readonly Case[];
}

/** The decisions of each, case by case. What OPA refuses to decide has none; it must not cost the others theirs. */
async function decideShown(shown: readonly Shown[]): Promise<readonly (readonly (readonly unknown[])[])[]> {
  const regoOf = ({ mutation, cases }: Shown) =>
    cases.map(({ plan, inputs }) => ({ files: mutation.edit(emitRego(plan)), inputs }));
  try {
    const decisions = await decideRego(shown.flatMap(regoOf));
    let taken = 0;
    return shown.map(({ cases }) => decisions.slice(taken, (taken += cases.length)));
  } catch {
    // Who is refused every time is never seen, and fails the test by name.
    return shown.length > 1 ? [...(await halfOf(0)), ...(await halfOf(1))] : shown.map(() => []);
  }

  function halfOf(which: 0 | 1): ReturnType<typeof decideShown> {
    const middle = shown.length >> 1;
    return decideShown(which === 0 ? shown.slice(0, middle) : shown.slice(middle));
  }
}

/** Policies whose Rego the fault changes, and that have an input which may show it. */
function casesFor({ edit, shows }: RegoMutation): readonly Case[] {
  const most = CASES_STEP * ROUNDS;
  const found: Case[] = [];
  for (const given of pool) {
    if (found.length === most) break;
    const { plan, inputs } = given;
    const files = emitRego(plan);
    if (JSON.stringify(edit(files)) === JSON.stringify(files)) continue;
    const expected = expectedOf(given);
    if (shows === undefined || inputs.some((input, at) => shows(input, expected[at]!, plan))) found.push(given);
  }
  return found;
}
