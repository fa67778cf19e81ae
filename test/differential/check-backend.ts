/**
 * The tests of one backend: it decides as the interpreter does, and would be caught if it did not. One file a backend,
 * so that they run side by side.
 */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Backend, type Case, firstDifference, generateCases, isSeen } from './backend.ts';
import { generateInput } from './generate-input.ts';
import { asFixture, minimised } from './minimise.ts';
import { type Mutant, mutantsOf } from './mutants.ts';
import { MUTATIONS } from './mutations.ts';
import { randomFrom, seedOfRun } from './random.ts';
import { planOfFolder } from './source-plan.ts';

/** The pool from which mutants are taken. */
const MUTANT_POLICIES = 1_000;
const ACME_INPUTS = 400;
const MUTANTS_LEAST = 20;
const TIMEOUT_MS = 600_000;

export function checkBackend(backend: Backend): void {
  const seed = seedOfRun();

  describe(`${backend.name}, seed ${seed}`, () => {
    test(`decides as the interpreter does, on ${backend.policies} policies`, { timeout: TIMEOUT_MS }, async () => {
      const cases = generateCases(randomFrom(seed), backend.policies);
      const difference = firstDifference(cases, await backend.decideAll(cases));
      if (difference === undefined) return;
      expect.fail(asFixture(seed, backend.name, await minimised(backend, difference)));
    });

    test('decides examples/acme as the interpreter does', { timeout: TIMEOUT_MS }, async () => {
      const random = randomFrom(seed);
      const plan = planOfFolder(fileURLToPath(new URL('../../examples/acme', import.meta.url)));
      const cases = [{ plan, inputs: Array.from({ length: ACME_INPUTS }, () => generateInput(plan, random)) }];
      const difference = firstDifference(cases, await backend.decideAll(cases));
      if (difference !== undefined) expect.fail(asFixture(seed, backend.name, difference));
    });

    test('is caught with every fault planted in its plan', { timeout: TIMEOUT_MS }, async () => {
      const pool = generateCases(randomFrom(seed + 1), MUTANT_POLICIES);
      const mutants = MUTATIONS.flatMap((mutation) => mutantsOf(mutation, pool, 1));
      expect(mutants.length).toBeGreaterThanOrEqual(MUTANTS_LEAST);
      const told = new Set(mutants.map((mutant) => mutant.name));
      expect(
        MUTATIONS.map((mutation) => mutation.name).filter((name) => !told.has(name)),
        `faults that no generated input tells, seed ${seed}`,
      ).toEqual([]);
      expect(await survivors(backend, mutants), `faults that went unseen, seed ${seed}`).toEqual([]);
    });
  });
}

/** The names of the mutants with which the backend still says what the originals say. Each of them must be built. */
async function survivors(backend: Backend, planted: readonly Mutant[]): Promise<readonly string[]> {
  const decisions = await backend.decideAll(
    planted.map(({ plan, original }): Case => ({ plan, inputs: original.inputs })),
  );
  return planted.filter(({ original }, at) => !isSeen([original], [decisions[at]!])).map(({ name }) => name);
}
