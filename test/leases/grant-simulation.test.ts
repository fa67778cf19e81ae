// The law "a cap is never overshot" where requests are governed inside Envoy; and that the simulation finds the bugs
// that would break it.
import { describe, expect, test } from 'vitest';
import { leaseCall } from '../../control-plane/budgets/lease-calls.ts';
import { BudgetAccounts } from '../../filters/sidecar/budgets/budget-accounts.ts';
import { JournalError } from '../../filters/sidecar/budgets/budget-journal.ts';
import { EnvoyGrants } from '../../filters/sidecar/budgets/envoy-grants.ts';
import { LeaseCallError } from '../../filters/sidecar/budgets/lease-caller.ts';
import { resumeBook } from '../../filters/sidecar/budgets/resume-book.ts';
import { grantMutations } from './grant-mutations.ts';
import { noEnvoyFaults, simulateGrants } from './grant-simulation.ts';
import type { EnvoyFaults, GrantParts, GrantSimulationOptions } from './grant-simulation.ts';
import { makeMutant } from '../mutants/mutant.ts';
import { noFaults } from './simulation.ts';
import type { Faults } from './simulation.ts';

const parts: GrantParts = { leaseCall, BudgetAccounts, EnvoyGrants, JournalError, LeaseCallError, resumeBook };

/** How many runs a mistake may hide in. */
const SEEDS_PER_MUTANT = 40;
/** The window ends early in each run, while there is something left of it. */
const STARTS_AT = Date.parse('2026-11-03T10:59:45Z');
const NEXT_WINDOW = Date.parse('2026-11-03T11:00:10Z');

const faults: Faults = {
  ...noFaults,
  lostCall: 0.05,
  lostAnswer: 0.05,
  repeatedCall: 0.05,
  killedTransaction: 0.02,
  killedSidecar: 0.01,
  rebootedSidecar: 0.003,
  stoppedSidecar: 0.002,
  partition: 0.002,
  fullDisk: 0.003,
};

const envoyFaults: EnvoyFaults = {
  killed: 0.005,
  frozen: 0.003,
  lostCall: 0.05,
  lostAnswer: 0.05,
  repeatedCall: 0.1,
  lateAnswer: 0.05,
};

const fleet: Omit<GrantSimulationOptions, 'seed'> = {
  sidecars: 3,
  limit: 100_000,
  worstCase: 900,
  everyMs: 100,
  durationMs: 90_000,
  forfeited: 0.05,
  faults,
  envoyFaults,
  startsAt: STARTS_AT,
};

describe('a cap that is kept inside Envoy', () => {
  test.each(Array.from({ length: 8 }, (_, index) => 2_000 + index))(
    'is not overshot when everything goes wrong, seed %i',
    async (seed) => {
      const result = await simulateGrants(parts, { ...fleet, seed, callers: seed % 2 === 0 ? 6 : 0 });
      expect(result.broken).toBe('');
      expect(result.allowed).toBeGreaterThan(50);
    },
  );

  test.each([1, 2, 3])('is used to nine tenths by one Envoy, seed %i', async (seed) => {
    const result = await simulateGrants(parts, {
      ...fleet,
      seed,
      sidecars: 1,
      faults: noFaults,
      envoyFaults: noEnvoyFaults,
      limit: 20_000,
    });
    expect(result.broken).toBe('');
    expect(result.denied).toBeGreaterThan(0);
    expect(result.spentMost).toBeGreaterThanOrEqual(18_000);
  });

  test.each([1, 2])('is used to nine tenths by five Envoys, seed %i', async (seed) => {
    const result = await simulateGrants(parts, {
      ...fleet,
      seed,
      sidecars: 5,
      faults: noFaults,
      envoyFaults: noEnvoyFaults,
      limit: 40_000,
      startsAt: NEXT_WINDOW,
      durationMs: 200_000,
    });
    expect(result.broken).toBe('');
    expect(result.denied).toBeGreaterThan(0);
    expect(result.spentMost).toBeGreaterThanOrEqual(36_000);
  });

  test('that is ample denies nothing, and what is charged is what was spent, to the micro-unit', async () => {
    const result = await simulateGrants(parts, {
      ...fleet,
      callers: 6,
      seed: 7,
      forfeited: 0,
      // A request waits for 200 ms: nothing is lost on the way to the control plane.
      faults: { ...noFaults, repeatedCall: 0.1 },
      envoyFaults: { ...noEnvoyFaults, repeatedCall: 0.2 },
      limit: 10_000_000,
      // No window ends while requests are in flight: they would be charged in full.
      startsAt: NEXT_WINDOW,
    });
    expect(result.broken).toBe('');
    expect(result.denied).toBe(0);
    expect(result.charged).toBe(result.spent);
  });
});

describe('the simulation finds', () => {
  test.each(grantMutations.map((mutation, index) => ({ ...mutation, index })))(
    '$name',
    async ({ index, ...mutation }) => {
      const urlOf = makeMutant(
        `grants-${index}`,
        mutation,
        ['control-plane/budgets', 'filters/sidecar/budgets'],
        ['compiler/bundle', 'proto', 'dsl'],
      );
      const calls: typeof import('../../control-plane/budgets/lease-calls.ts') = await import(
        /* @vite-ignore */ urlOf('control-plane/budgets/lease-calls.ts')
      );
      const accounts: typeof import('../../filters/sidecar/budgets/budget-accounts.ts') = await import(
        /* @vite-ignore */ urlOf('filters/sidecar/budgets/budget-accounts.ts')
      );
      const grants: typeof import('../../filters/sidecar/budgets/envoy-grants.ts') = await import(
        /* @vite-ignore */ urlOf('filters/sidecar/budgets/envoy-grants.ts')
      );
      const journal: typeof import('../../filters/sidecar/budgets/budget-journal.ts') = await import(
        /* @vite-ignore */ urlOf('filters/sidecar/budgets/budget-journal.ts')
      );
      const caller: typeof import('../../filters/sidecar/budgets/lease-caller.ts') = await import(
        /* @vite-ignore */ urlOf('filters/sidecar/budgets/lease-caller.ts')
      );
      const resume: typeof import('../../filters/sidecar/budgets/resume-book.ts') = await import(
        /* @vite-ignore */ urlOf('filters/sidecar/budgets/resume-book.ts')
      );
      const mutated: GrantParts = { ...calls, ...accounts, ...grants, ...journal, ...caller, ...resume };
      const found: string[] = [];
      for (let seed = 0; seed < SEEDS_PER_MUTANT && found.length === 0; seed++) {
        const { broken } = await simulateGrants(mutated, { ...fleet, seed, limit: 50_000 + 50_000 * (seed % 3) });
        if (broken !== '') found.push(broken);
      }
      expect(found).toHaveLength(1);
    },
  );
});
