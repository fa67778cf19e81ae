// Budgets that have an account for each caller: which names are accounts, how many a sidecar knows at once, what makes
// room, and how many lines a call has.
import { describe, expect, test } from 'vitest';
import { termsOfAccount } from '../../control-plane/budgets/budget-terms.ts';
import { accountOf, budgetOf, isOneOfMany } from '../../proto/account-name.ts';
import type { BookRecord } from '../../filters/sidecar/budgets/account-book.ts';
import { ACCOUNTS_MAX, BUDGETS_MAX, BudgetAccounts } from '../../filters/sidecar/budgets/budget-accounts.ts';
import { LINES_MAX } from '../../filters/sidecar/budgets/call-lines.ts';
import type { LeaseAnswer, LeaseCall } from '../../filters/sidecar/budgets/lease-caller.ts';
import { resumeBook } from '../../filters/sidecar/budgets/resume-book.ts';
import { VirtualTime } from './virtual-time.ts';

const accountAt = (caller: number): string => accountOf('person', caller.toString(16).padStart(32, '0'));

describe('the name of an account', () => {
  test('holds that of its budget', () => {
    expect(budgetOf(accountAt(7))).toBe('person');
    expect(isOneOfMany(accountAt(7))).toBe(true);
    expect([budgetOf('team'), isOneOfMany('team')]).toEqual(['team', false]);
  });

  test.each(['person#', 'person#xyz', `person#${'0'.repeat(31)}`, `person#${'0'.repeat(33)}`, `#${'0'.repeat(32)}`])(
    '%s is none',
    (name) => expect(isOneOfMany(name)).toBe(false),
  );

  test('must be of the kind that the policy says', () => {
    const budget = { limit: 1, period: 'day', timeZone: 'UTC' } as const;
    const terms = new Map([
      ['person', { ...budget, name: 'person', each: true }],
      ['team', { ...budget, name: 'team', each: false }],
    ]);
    expect(termsOfAccount(terms, accountAt(1))?.name).toBe('person');
    expect(termsOfAccount(terms, 'team')?.name).toBe('team');
    for (const name of ['person', 'person#1', `team#${'0'.repeat(32)}`, `other#${'0'.repeat(32)}`])
      expect(termsOfAccount(terms, name), name).toBeUndefined();
  });
});

/** Accounts with a control plane that grants 10 of whatever it is asked for. */
function bench() {
  const time = new VirtualTime();
  const calls: LeaseCall[] = [];
  const names = new Map<number, string>();
  const records: BookRecord[] = [];
  const answer = (budget: string, lease: number, status: LeaseAnswer['status']): LeaseAnswer => ({
    budget,
    status,
    lease,
    granted: 10,
    ttlMs: 60_000,
    windowLeftMs: 3_600_000,
    window: 'day/x',
    limit: 100,
    unleased: 90,
  });
  const leaseOf = (budget: string): number => {
    const known = [...names].find(([, name]) => name === budget);
    if (known !== undefined) return known[0];
    names.set(names.size + 1, budget);
    return names.size;
  };
  const book = resumeBook(
    { records: [], damaged: false },
    { policy: 'acme', bootId: 'b', incarnation: '0'.repeat(32) },
  );
  const accounts = new BudgetAccounts({
    book,
    journal: {
      append: (record) => void records.push(structuredClone(record)),
      rewrite: () => undefined,
      isLong: () => false,
      close: () => undefined,
    },
    caller: {
      call: async (_, call) => {
        calls.push(call);
        await time.sleep(1);
        const spent = call.spent.map(({ lease }) => {
          const budget = names.get(lease) ?? '';
          if (call.method !== 'return') return answer(budget, lease, 'active');
          names.delete(lease);
          return answer(budget, lease, 'returned');
        });
        const taken =
          call.method === 'take' ? call.needs.map(({ budget }) => answer(budget, leaseOf(budget), 'active')) : [];
        return [...spent, ...taken];
      },
    },
    now: () => time.now,
    later: (action, ms) => time.later(action, ms),
    newIncarnation: () => '1'.repeat(32),
    alarm: () => undefined,
  });
  return { time, calls, accounts, book, records };
}

const linesOf = (call: LeaseCall): number => call.spent.length + (call.method === 'take' ? call.needs.length : 0);

describe('a sidecar', () => {
  test('knows so many accounts and not one more, and has room again once some are idle', async () => {
    const { time, accounts, calls, book } = bench();
    const most = ACCOUNTS_MAX + BUDGETS_MAX;
    for (let caller = 0; caller < most; caller++) void accounts.ready([accountAt(caller)]);
    await time.run(5_000);
    expect(accounts.crowd).toBe(most);
    expect(Math.max(...calls.map(linesOf))).toBeLessThanOrEqual(LINES_MAX);

    expect(accounts.ready([accountAt(most)])).toBeUndefined();
    expect(accounts.levels([accountAt(most)])).toEqual([{ failed: true }]);
    expect(accounts.counters.crowded).toBeGreaterThan(0);
    // Who has an account is served.
    expect(accounts.reserve('x', [{ budget: accountAt(0), amount: 10 }]).kind).toBe('reserved');

    // All but the one that is in use were idle for half a minute.
    await time.run(120_000);
    expect(accounts.crowd).toBe(1);
    expect(book.leases.size).toBe(1);
    expect(Math.max(...calls.map(linesOf))).toBeLessThanOrEqual(LINES_MAX);
    void accounts.ready([accountAt(most)]);
    await time.run(121_000);
    expect(accounts.levels([accountAt(most)])).toMatchObject([{ failed: false }]);
  });

  test('keeps every lease alive that is in use, however many there are', async () => {
    const { time, accounts, book } = bench();
    const callers = 2_000;
    for (let caller = 0; caller < callers; caller++) void accounts.ready([accountAt(caller)]);
    await time.run(2_000);
    for (let caller = 0; caller < callers; caller++)
      expect(accounts.reserve(`${caller}`, [{ budget: accountAt(caller), amount: 1 }]).kind).toBe('reserved');
    for (let minute = 1; minute <= 5; minute++) {
      await time.run(minute * 60_000);
      const ended = [...book.leases.values()].filter(({ endsAt }) => endsAt <= time.now);
      expect(ended).toEqual([]);
    }
    expect(book.leases.size).toBe(callers);
  });

  test('finds in its journal what it knew', async () => {
    const { time, accounts, book, records } = bench();
    void accounts.ready([accountAt(1), accountAt(2)]);
    await time.run(100_000);
    expect(accounts.crowd).toBe(0);
    const again = resumeBook(
      { records: [openOf(book), ...records], damaged: false },
      { policy: 'acme', bootId: 'b', incarnation: '' },
    );
    expect(again.snapshot()).toEqual(book.snapshot());
  });

  test('sets nothing aside of one budget where another is full', async () => {
    const { time, accounts, book } = bench();
    accounts.track(['team']);
    void accounts.ready([accountAt(1)]);
    await time.run(1_000);
    const needs = [
      { budget: 'team', amount: 4 },
      { budget: accountAt(1), amount: 11 },
    ];
    expect(accounts.reserve('x', needs)).toMatchObject({ kind: 'short', budget: accountAt(1) });
    expect([...book.leases.values()].map(({ reserved }) => reserved)).toEqual([0, 0]);
  });
});

function openOf({ policy, incarnation, bootId }: { policy: string; incarnation: string; bootId: string }): BookRecord {
  return { kind: 'open', policy, incarnation, bootId };
}
