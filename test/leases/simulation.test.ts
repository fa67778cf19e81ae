// The law "a cap is never overshot", on a simulated fleet; and that the simulation finds the bugs that would break it.
import { describe, expect, test } from 'vitest';
import { leaseCall } from '../../control-plane/budgets/lease-calls.ts';
import { BudgetAccounts } from '../../filters/sidecar/budgets/budget-accounts.ts';
import { JournalError } from '../../filters/sidecar/budgets/budget-journal.ts';
import { LeaseCallError } from '../../filters/sidecar/budgets/lease-caller.ts';
import { resumeBook } from '../../filters/sidecar/budgets/resume-book.ts';
import { makeMutant } from '../mutants/mutant.ts';
import { mutations } from './mutations.ts';
import { noFaults, simulate } from './simulation.ts';
import type { Faults, Parts, SimulationOptions } from './simulation.ts';

const parts: Parts = { leaseCall, BudgetAccounts, JournalError, LeaseCallError, resumeBook };

/** How many runs a mistake may hide in. */
const SEEDS_PER_MUTANT = 30;

const everything: Faults = {
  lostCall: 0.1,
  lostAnswer: 0.1,
  repeatedCall: 0.1,
  killedTransaction: 0.05,
  killedSidecar: 0.01,
  rebootedSidecar: 0.003,
  stoppedSidecar: 0.003,
  partition: 0.002,
  clockStep: 0.01,
  fullDisk: 0.003,
};

const fleet: Omit<SimulationOptions, 'seed'> = {
  sidecars: 3,
  limit: 100_000,
  worstCase: 900,
  everyMs: 100,
  durationMs: 200_000,
  forfeited: 0.05,
  faults: everything,
};

describe('a cap', () => {
  test.each(Array.from({ length: 12 }, (_, index) => 1_000 + index))(
    'is not overshot when everything goes wrong, seed %i',
    async (seed) => {
      const result = await simulate(parts, { ...fleet, seed, callers: seed % 2 === 0 ? 6 : 0 });
      expect(result.broken).toBe('');
      expect(result.allowed).toBeGreaterThan(50);
    },
  );

  test.each([1, 2, 3])('is used to nine tenths by one sidecar, seed %i', async (seed) => {
    const result = await simulate(parts, {
      ...fleet,
      seed,
      sidecars: 1,
      faults: noFaults,
      limit: 20_000,
      durationMs: 300_000,
    });
    expect(result.broken).toBe('');
    expect(result.denied).toBeGreaterThan(0);
    expect(result.spentMost).toBeGreaterThanOrEqual(18_000);
  });

  test.each([1, 2, 3])('is used to nine tenths by five sidecars, seed %i', async (seed) => {
    const result = await simulate(parts, {
      ...fleet,
      seed,
      sidecars: 5,
      faults: noFaults,
      limit: 40_000,
      durationMs: 300_000,
    });
    expect(result.broken).toBe('');
    expect(result.denied).toBeGreaterThan(0);
    expect(result.spentMost).toBeGreaterThanOrEqual(36_000);
  });

  test('that is ample denies nothing, and what is charged is what was spent, to the micro-unit', async () => {
    const result = await simulate(parts, {
      ...fleet,
      callers: 6,
      seed: 7,
      forfeited: 0,
      faults: { ...noFaults, lostAnswer: 0.05, repeatedCall: 0.1 },
      limit: 10_000_000,
    });
    expect(result.broken).toBe('');
    expect(result.denied).toBe(0);
    expect(result.charged).toBe(result.spent);
  });
});

describe('the simulation finds', () => {
  test.each(mutations.map((mutation, index) => ({ ...mutation, index })))('$name', async ({ index, ...mutation }) => {
    const urlOf = makeMutant(
      `leases-${index}`,
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
    const journal: typeof import('../../filters/sidecar/budgets/budget-journal.ts') = await import(
      /* @vite-ignore */ urlOf('filters/sidecar/budgets/budget-journal.ts')
    );
    const caller: typeof import('../../filters/sidecar/budgets/lease-caller.ts') = await import(
      /* @vite-ignore */ urlOf('filters/sidecar/budgets/lease-caller.ts')
    );
    const resume: typeof import('../../filters/sidecar/budgets/resume-book.ts') = await import(
      /* @vite-ignore */ urlOf('filters/sidecar/budgets/resume-book.ts')
    );
    const mutated: Parts = { ...calls, ...accounts, ...journal, ...caller, ...resume };
    const found: string[] = [];
    for (let seed = 0; seed < SEEDS_PER_MUTANT && found.length === 0; seed++) {
      const { broken } = await simulate(mutated, { ...fleet, seed, limit: 30_000 + 20_000 * (seed % 4) });
      if (broken !== '') found.push(broken);
    }
    expect(found).toHaveLength(1);
  });
});
