// The second law for the emitted Rego: on the real OPA it says what the interpreter says. And faults planted in the
// Rego itself are caught.
import { expect, test } from 'vitest';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { emitRego, type RegoFiles } from '../../compiler/rego/emit-rego.ts';
import { generateCases } from './backend.ts';
import { checkBackend, isCaught } from './check-backend.ts';
import { randomFrom, seedOfRun } from './random.ts';
import { regoBackend } from './rego-backend.ts';
import { REGO_MUTATIONS, type RegoMutation } from './rego-mutations.ts';

checkBackend(regoBackend(80));

/** Cases at a time, and at most, that a planted fault is shown. */
const CASES_STEP = 4;
const CASES_MOST = 24;

const seed = seedOfRun();
const pool = generateCases(randomFrom(seed), 400);

test('Rego that is emitted wrong is caught', { timeout: 600_000 }, async () => {
  const survived: string[] = [];
  for (const mutation of REGO_MUTATIONS) if (!(await isCaughtInRego(mutation))) survived.push(mutation.name);
  expect(survived, `seed ${seed}`).toEqual([]);
});

async function isCaughtInRego({ edit, shows }: RegoMutation): Promise<boolean> {
  const emitWrong = (plan: Plan): RegoFiles => edit(emitRego(plan));
  const backend = regoBackend(CASES_MOST, emitWrong);
  const apt = pool.filter(
    ({ plan, inputs }) =>
      inputs.some((input) => shows?.(input, decide(plan, input), plan) ?? true) &&
      JSON.stringify(emitWrong(plan)) !== JSON.stringify(emitRego(plan)),
  );
  for (let start = 0; start < Math.min(apt.length, CASES_MOST); start += CASES_STEP) {
    const some = apt.slice(start, start + CASES_STEP);
    if (await isCaught(backend, some, some)) return true;
  }
  return false;
}
