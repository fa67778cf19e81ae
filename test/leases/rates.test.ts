// Rates: never more than the limit in a minute of the clock, over all sidecars, whatever goes wrong; never more than
// twice that in any minute; used to nine tenths where nothing does. And what is over is deleted, what is money is not.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type BudgetTerms, PlanError, readBudgetTerms, windowOf } from '../../control-plane/budgets/budget-terms.ts';
import { leaseCall } from '../../control-plane/budgets/lease-calls.ts';
import type { WindowName } from '../../control-plane/budgets/ledger-store.ts';
import { openPglite } from '../../control-plane/store/open-pglite.ts';
import { forgetRates, readAccount, sqlLedger } from '../../control-plane/store/sql-ledger.ts';
import { BudgetAccounts } from '../../filters/sidecar/budgets/budget-accounts.ts';
import { JournalError } from '../../filters/sidecar/budgets/budget-journal.ts';
import { LeaseCallError } from '../../filters/sidecar/budgets/lease-caller.ts';
import { resumeBook } from '../../filters/sidecar/budgets/resume-book.ts';
import { noFaults, simulate } from './simulation.ts';
import type { Faults, SimulationOptions } from './simulation.ts';

const MINUTE = 60_000;
const parts = { leaseCall, BudgetAccounts, JournalError, LeaseCallError, resumeBook };
/** Everything but a control plane whose clock is wrong: its clock is what a minute is. */
const faults: Faults = {
  ...noFaults,
  lostCall: 0.05,
  lostAnswer: 0.1,
  repeatedCall: 0.1,
  killedTransaction: 0.05,
  killedSidecar: 0.01,
  rebootedSidecar: 0.003,
  stoppedSidecar: 0.003,
  partition: 0.002,
  fullDisk: 0.003,
};
const fleet: Omit<SimulationOptions, 'seed'> = {
  isRate: true,
  sidecars: 3,
  limit: 60,
  worstCase: 1,
  everyMs: 250,
  durationMs: 400_000,
  // A request that was let go counts, whatever becomes of it.
  forfeited: 1,
  faults,
};

const perMinute = (instants: readonly number[]): number[] => {
  const counts = new Map<number, number>();
  for (const at of instants) counts.set(Math.floor(at / MINUTE), (counts.get(Math.floor(at / MINUTE)) ?? 0) + 1);
  return [...counts.values()];
};
const inAnyMinute = (instants: readonly number[]): number =>
  Math.max(0, ...instants.map((from) => instants.filter((at) => at >= from && at < from + MINUTE).length));

describe('a rate', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'lets no more go in a minute than it says, whatever goes wrong, seed %i',
    async (seed) => {
      const { broken, allowed, allowedAt, denied } = await simulate(parts, {
        ...fleet,
        seed,
        callers: seed % 2 === 0 ? 6 : 0,
      });
      expect(broken).toBe('');
      expect(allowed).toBeGreaterThan(100);
      expect(denied).toBeGreaterThan(0);
      expect(Math.max(...perMinute(allowedAt))).toBeLessThanOrEqual(60);
      expect(inAnyMinute(allowedAt)).toBeLessThanOrEqual(2 * 60);
    },
  );

  test('is used to nine tenths in every whole minute', async () => {
    const { broken, allowedAt } = await simulate(parts, { ...fleet, seed: 7, faults: noFaults });
    expect(broken).toBe('');
    const whole = perMinute(allowedAt).slice(1, -1);
    expect(whole.length).toBeGreaterThan(3);
    for (const count of whole) expect(count).toBeGreaterThanOrEqual(54);
  });
});

describe('its window', () => {
  const terms = (period: BudgetTerms['period']): BudgetTerms => ({
    name: 'pace',
    limit: 60,
    period,
    timeZone: 'UTC',
    each: false,
    counts: 'requests',
  });

  test.each([
    ['minute', '2026-03-29T00:59:00.000Z', '2026-03-29T01:00:00.000Z'],
    ['hour', '2026-03-29T00:00:00.000Z', '2026-03-29T01:00:00.000Z'],
    ['day', '2026-03-29T00:00:00.000Z', '2026-03-30T00:00:00.000Z'],
  ] as const)('is the %s of the clock', (period, start, end) => {
    const last = Date.parse('2026-03-29T00:59:59.999Z');
    expect(windowOf(terms(period), last)).toEqual({
      key: `rate/${period}/${start}`,
      start: Date.parse(start),
      end: Date.parse(end),
    });
  });

  test('is read with what it counts from a plan, and nothing else is counted', () => {
    const plan = (counts: string) =>
      new TextEncoder().encode(
        JSON.stringify({
          events: [{ budgets: [{ name: 'pace', limit: 60, period: 'minute', timeZone: 'UTC', counts }] }],
        }),
      );
    expect(readBudgetTerms(plan('requests')).get('pace')).toEqual(terms('minute'));
    expect(() => readBudgetTerms(plan('bytes'))).toThrow(PlanError);
  });
});

describe('the ledger', () => {
  const root = mkdtempSync(join(tmpdir(), 'writ-rates-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test('forgets rates that are long over, and neither those of now nor money', async () => {
    const database = await openPglite(root);
    const store = sqlLedger(database);
    const now = Date.parse('2026-05-05T12:00:30Z');
    const at = (budget: string, window: string): WindowName => ({ policy: 'acme', budget, window });
    const old = at('pace#00', 'rate/minute/2026-05-03T10:59:00.000Z');
    const recent = at('pace#00', 'rate/minute/2026-05-03T11:00:30.000Z');
    const current = at('pace#00', 'rate/minute/2026-05-05T12:00:00.000Z');
    const money = at('team', 'day/2020-05-03T00:00:00.000Z');
    await store.transaction(async (tx) => {
      for (const window of [old, recent, current, money]) {
        await tx.account(window);
        await tx.saveAccount(window, { charged: 5, outstanding: 0 });
      }
    });
    await forgetRates(database, now);
    const charged = [];
    for (const window of [old, recent, current, money]) charged.push((await readAccount(database, window)).charged);
    expect(charged).toEqual([0, 5, 5, 5]);
    await database.close();
  });
});
