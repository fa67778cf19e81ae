// The sidecar's accounts, step by step, with a control plane that the test plays.
import { describe, expect, test } from 'vitest';
import { AccountBook } from '../../filters/sidecar/budgets/account-book.ts';
import {
  BUDGETS_MAX,
  BudgetAccounts,
  EXCHANGES_MAX,
  HEARTBEAT_MS,
  IDLE_MS,
  LEASE_WAIT_MS,
  WAITERS_MAX,
} from '../../filters/sidecar/budgets/budget-accounts.ts';
import { JournalError } from '../../filters/sidecar/budgets/budget-journal.ts';
import { LeaseCallError } from '../../filters/sidecar/budgets/lease-caller.ts';
import type { LeaseAnswer, LeaseCall } from '../../filters/sidecar/budgets/lease-caller.ts';
import { VirtualTime } from './virtual-time.ts';

type Reply = readonly Partial<LeaseAnswer>[] | LeaseCallError | 'never';

/** Accounts whose lease calls are answered one after the other by `replies`; after the last, by silence. */
function bench(...replies: Reply[]) {
  const time = new VirtualTime();
  const calls: LeaseCall[] = [];
  const alarms: string[] = [];
  const disk = { isFull: false, records: 0 };
  const book = new AccountBook();
  book.apply({ kind: 'open', policy: 'acme', incarnation: '0'.repeat(32), bootId: 'b' });
  const write = (): void => {
    if (disk.isFull) throw new JournalError('the budget journal cannot be written');
    disk.records++;
  };
  const accounts = new BudgetAccounts({
    book,
    journal: { append: write, rewrite: write, isLong: () => false, close: () => undefined },
    caller: {
      call: async (_, call) => {
        calls.push(call);
        const reply = replies.shift() ?? 'never';
        if (reply === 'never') return await new Promise<never>(() => undefined);
        await time.sleep(5);
        if (reply instanceof LeaseCallError) throw reply;
        return reply.map((line) => ({
          budget: 'team',
          status: 'active',
          lease: 1,
          granted: 100,
          ttlMs: 60_000,
          windowLeftMs: 3_600_000,
          window: 'day/x',
          limit: 1_000,
          unleased: 900,
          ...line,
        }));
      },
    },
    now: () => time.now,
    later: (action, ms) => time.later(action, ms),
    newIncarnation: () => '1'.repeat(32),
    alarm: (message) => alarms.push(message),
  });
  /** Resolves with the result of a promise that needs time to pass. */
  const within = async <T>(ms: number, given: T | Promise<T>): Promise<T | 'waiting'> => {
    let result: T | 'waiting' = 'waiting';
    void Promise.resolve(given).then((value) => (result = value));
    await time.run(time.now + ms);
    return result;
  };
  return { accounts, book, calls, alarms, disk, time, within };
}

const team = (amount: number) => [{ budget: 'team', amount }];
const unavailable = new LeaseCallError('unavailable', 'gone');

describe('the first use', () => {
  test('waits for a lease, and asks for what it needs', async () => {
    const { accounts, calls, within } = bench([{ granted: 100 }], [{ granted: 150 }]);
    expect(await within(50, accounts.obtain('x', team(120)))).toEqual({ kind: 'reserved' });
    expect(calls).toMatchObject([
      { method: 'take', seq: 1, needs: [{ budget: 'team', micros: 0 }] },
      { method: 'take', seq: 2, needs: [{ budget: 'team', micros: 20 }] },
    ]);
  });

  test('waits no longer than 200 ms, and then denies', async () => {
    const { accounts, within, time } = bench();
    expect(await within(LEASE_WAIT_MS + 1, accounts.obtain('x', team(1)))).toEqual({ kind: 'failed', budget: 'team' });
    expect(accounts.levels(['team'])).toEqual([{ failed: true }]);
    expect(time.now).toBe(LEASE_WAIT_MS + 1);
  });

  test('is served from a lease that was fetched before', async () => {
    const { accounts, time } = bench([{ granted: 100 }]);
    accounts.track(['team']);
    await time.run(50);
    expect(accounts.reserve('x', team(100))).toEqual({ kind: 'reserved' });
  });

  test('after a restart fetches anew what an earlier process had returned', async () => {
    const { accounts, book, calls, time } = bench([{ granted: 100 }]);
    book.budgets.set('team', {
      known: true,
      lease: 0,
      limit: 1_000,
      unleased: 900,
      window: 'day/x',
      at: 0,
      endsAt: 60_000,
      windowEndsAt: 60_000,
      chunk: 0,
    });
    accounts.track(['team']);
    await time.run(50);
    expect(calls).toMatchObject([{ method: 'take', needs: [{ budget: 'team' }] }]);
    expect(accounts.reserve('x', team(100))).toEqual({ kind: 'reserved' });
  });

  test('of a budget that the control plane does not know is denied', async () => {
    const { accounts, within } = bench([{ status: 'unknown_budget', lease: 0, granted: 0, unleased: 0 }]);
    expect(await within(LEASE_WAIT_MS + 100, accounts.obtain('x', team(1)))).toEqual({
      kind: 'failed',
      budget: 'team',
    });
  });
});

describe('levels', () => {
  test('are of the whole budget: what is held and what nobody holds', async () => {
    const { accounts, time } = bench([{ granted: 100, unleased: 700 }]);
    accounts.track(['team']);
    await time.run(50);
    expect(accounts.levels(['team', 'other'])).toMatchObject([
      { failed: false, headroom: 800, spent: 200 },
      { failed: true },
    ]);
    accounts.reserve('x', team(60));
    expect(accounts.levels(['team'])).toMatchObject([{ failed: false, headroom: 740, spent: 260 }]);
    accounts.settle('x', [{ budget: 'team', actual: 10 }]);
    expect(accounts.levels(['team'])).toMatchObject([{ failed: false, headroom: 790, spent: 210 }]);
  });

  test('without the control plane are of what is held, until the lease ends', async () => {
    const { accounts, time } = bench(
      [{ granted: 100, unleased: 700, ttlMs: 20_000 }],
      unavailable,
      unavailable,
      unavailable,
      unavailable,
      unavailable,
      unavailable,
      unavailable,
      unavailable,
      unavailable,
      unavailable,
      unavailable,
      unavailable,
    );
    accounts.track(['team']);
    await time.run(HEARTBEAT_MS + 100);
    expect(accounts.levels(['team'])).toMatchObject([{ failed: false, headroom: 100, spent: 200, isPart: true }]);
    // There may be more, where nobody can be asked: nothing says that the budget is used up.
    expect(accounts.reserve('w', team(101))).toEqual({ kind: 'short', budget: 'team', left: 100, isPart: true });
    expect(accounts.reserve('x', team(40))).toEqual({ kind: 'reserved' });
    await time.run(20_001);
    expect(accounts.levels(['team'])).toEqual([{ failed: true }]);
    expect(accounts.reserve('y', team(1))).toEqual({ kind: 'failed', budget: 'team' });
  });

  test('end with the window', async () => {
    const { accounts, time } = bench([{ windowLeftMs: 1_000 }]);
    accounts.track(['team']);
    await time.run(50);
    const [level] = accounts.levels(['team']);
    expect(level).toMatchObject({ failed: false, isPart: false });
    const left = level?.failed === false ? level.windowLeftMs : 0;
    expect(left).toBeGreaterThan(900);
    expect(left).toBeLessThanOrEqual(950);
    await time.run(1_001);
    expect(accounts.levels(['team'])).toEqual([{ failed: true }]);
  });
});

describe('a reservation', () => {
  test('is of all budgets or of none', async () => {
    const { accounts, book, time } = bench([
      { granted: 100 },
      { budget: 'company', lease: 2, granted: 50, unleased: 0 },
    ]);
    accounts.track(['team', 'company']);
    await time.run(50);
    expect(accounts.reserve('x', [...team(60), { budget: 'company', amount: 60 }])).toEqual({
      kind: 'short',
      budget: 'company',
      left: 50,
      isPart: false,
    });
    expect(book.exchanges.size).toBe(0);
    expect(accounts.reserve('y', [...team(60), { budget: 'company', amount: 50 }])).toEqual({ kind: 'reserved' });
  });

  test('that is too large says what is left', async () => {
    const { accounts, within } = bench([{ granted: 100, unleased: 30 }], [{ granted: 130, unleased: 0 }]);
    expect(await within(50, accounts.obtain('x', team(131)))).toEqual({
      kind: 'short',
      budget: 'team',
      left: 130,
      isPart: false,
    });
  });

  test('is answered at once when nothing is left anywhere', async () => {
    const { accounts, calls, within } = bench([{ lease: 0, granted: 0, unleased: 0 }]);
    expect(await within(50, accounts.obtain('x', team(1)))).toEqual({
      kind: 'short',
      budget: 'team',
      left: 0,
      isPart: false,
    });
    expect(calls).toHaveLength(1);
  });

  test('waits its turn: what others free goes to those who wait', async () => {
    const { accounts, within, time } = bench([{ granted: 100, unleased: 1 }], 'never');
    accounts.track(['team']);
    await time.run(20);
    accounts.reserve('x', team(90));
    const waiting = accounts.obtain('y', team(50));
    expect(await within(100, waiting)).toBe('waiting');
    accounts.settle('x', [{ budget: 'team', actual: 5 }]);
    expect(await within(1, waiting)).toEqual({ kind: 'reserved' });
  });

  test('of an exchange that has ended meanwhile does not come about', async () => {
    const { accounts, book, within } = bench([{ granted: 0, lease: 0, unleased: 500 }], [{ granted: 500 }]);
    const waiting = accounts.obtain('x', team(50));
    expect(await within(6, waiting)).toBe('waiting');
    accounts.forfeit('x');
    expect(await within(100, waiting)).toEqual({ kind: 'failed', budget: 'team' });
    expect(book.exchanges.size).toBe(0);
  });

  test('is made once, of whole numbers', async () => {
    const { accounts, time } = bench([{ granted: 100 }]);
    accounts.track(['team']);
    await time.run(50);
    accounts.reserve('x', team(1));
    expect(() => accounts.reserve('x', team(1))).toThrow();
    for (const amount of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => accounts.reserve('y', team(amount))).toThrow();
  });

  test('beyond the number of exchanges is denied', async () => {
    const { accounts, book, time } = bench([{ granted: 100 }]);
    accounts.track(['team']);
    await time.run(50);
    for (let index = 0; index < EXCHANGES_MAX; index++) book.exchanges.set(`${index}`, []);
    expect(accounts.reserve('one more', team(1))).toEqual({ kind: 'failed', budget: 'team' });
    book.exchanges.delete('0');
    expect(accounts.reserve('one more', team(1))).toEqual({ kind: 'reserved' });
  });

  test('beyond the number of those who wait is answered at once', async () => {
    const { accounts, within, time } = bench([{ granted: 10, unleased: 900 }], 'never');
    accounts.track(['team']);
    await time.run(20);
    const waiting = Array.from({ length: WAITERS_MAX }, (_, index) => accounts.obtain(`${index}`, team(50)));
    expect(await within(1, accounts.obtain('one more', team(50)))).toEqual({
      kind: 'short',
      budget: 'team',
      left: 910,
      isPart: false,
    });
    expect(await within(LEASE_WAIT_MS, Promise.all(waiting))).toHaveLength(WAITERS_MAX);
  });
});

describe('a settlement', () => {
  test('above the reservation is charged in full, and alarms', async () => {
    const { accounts, alarms, book, time } = bench([{ granted: 100 }]);
    accounts.track(['team']);
    await time.run(50);
    accounts.reserve('x', team(10));
    accounts.settle('x', [{ budget: 'team', actual: 25 }]);
    expect(book.leases.get(1)).toMatchObject({ spent: 25, reserved: 0 });
    expect([accounts.counters.overruns, alarms.length]).toEqual([1, 1]);
  });

  test('comes once; what is not known is charged in full', async () => {
    const { accounts, book, time } = bench([{ granted: 100 }]);
    accounts.track(['team']);
    await time.run(50);
    accounts.reserve('x', team(10));
    accounts.forfeit('x');
    accounts.settle('x', [{ budget: 'team', actual: 1 }]);
    accounts.settle('never reserved', [{ budget: 'team', actual: 99 }]);
    expect(book.leases.get(1)).toMatchObject({ spent: 10, reserved: 0 });
  });
});

describe('calls', () => {
  test('refill at half, without being asked', async () => {
    const { accounts, calls, time } = bench([{ granted: 100 }], [{ granted: 200 }]);
    accounts.track(['team']);
    await time.run(50);
    accounts.reserve('x', team(50));
    await time.run(100);
    expect(calls).toHaveLength(1);
    accounts.reserve('y', team(1));
    await time.run(150);
    expect(calls[1]).toMatchObject({ method: 'take', needs: [{ micros: 0 }] });
  });

  test('are repeated unchanged until they are answered, ever less often', async () => {
    const { accounts, calls, time } = bench(unavailable, unavailable, unavailable, [{ granted: 100 }]);
    accounts.track(['team']);
    await time.run(10_000);
    expect(calls.slice(0, 4).map((call) => call.seq)).toEqual([1, 1, 1, 1]);
    expect(calls.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => calls[0]));
    expect(accounts.counters.failedCalls).toBe(3);
  });

  test('report what was spent, and return what lies idle', async () => {
    const { accounts, calls, time } = bench(
      [{ granted: 100 }],
      ...Array.from({ length: 6 }, () => [{ granted: 100 }]),
      [{ status: 'returned' }],
    );
    accounts.track(['team']);
    await time.run(50);
    accounts.reserve('x', team(30));
    accounts.settle('x', [{ budget: 'team', actual: 7 }]);
    await time.run(IDLE_MS + 2 * HEARTBEAT_MS);
    expect(calls[1]).toMatchObject({ method: 'settle', spent: [{ lease: 1, total: 7 }] });
    expect(calls.at(-1)).toMatchObject({ method: 'return', spent: [{ lease: 1, total: 7 }] });
    expect(accounts.levels(['team'])).toMatchObject([{ failed: false }]);
  });

  test('are asked anew by the first request after a quiet time', async () => {
    const { accounts, calls, time, within } = bench(
      [{ granted: 100 }],
      ...Array.from({ length: 6 }, () => [{ granted: 100 }]),
      [{ status: 'returned' }],
      [{ granted: 50, lease: 2 }],
    );
    accounts.track(['team']);
    await time.run(50);
    accounts.reserve('x', team(30));
    accounts.settle('x', [{ budget: 'team', actual: 7 }]);
    await time.run(IDLE_MS + 2 * HEARTBEAT_MS);
    expect(calls.at(-1)).toMatchObject({ method: 'return' });
    await time.run(time.now + 20_000);
    // What was left a while ago no longer counts, and nothing is held.
    expect(accounts.levels(['team'])).toMatchObject([{ failed: false, headroom: 0 }]);
    expect(await within(50, accounts.ready(['team']))).not.toBe('waiting');
    expect(calls.at(-1)).toMatchObject({ method: 'take', needs: [{ budget: 'team', micros: 0 }] });
    expect(accounts.levels(['team'])).toMatchObject([{ failed: false, headroom: 950 }]);
  });

  test('that the control plane refuses for good end this life of the accounts', async () => {
    const { accounts, book, calls, alarms, within } = bench(
      [{ granted: 100 }],
      new LeaseCallError('refused', 'later calls are known'),
      [{ granted: 60, lease: 9 }],
    );
    expect(await within(50, accounts.obtain('x', team(60)))).toEqual({ kind: 'reserved' });
    expect(await within(500, accounts.obtain('y', team(60)))).not.toEqual({ kind: 'failed', budget: '' });
    expect(book.incarnation).toBe('1'.repeat(32));
    expect(accounts.counters.forfeits).toBe(1);
    expect(alarms).toHaveLength(1);
    expect(calls[2]?.seq).toBe(1);
  });
});

describe('a full disk', () => {
  test('denies, says so once, and heals by itself', async () => {
    const { accounts, alarms, disk, time } = bench(
      [{ granted: 100 }],
      ...Array.from({ length: 9 }, () => [{ granted: 100 }]),
    );
    accounts.track(['team']);
    await time.run(50);
    disk.isFull = true;
    expect(accounts.reserve('x', team(1))).toEqual({ kind: 'failed', budget: 'team' });
    expect(accounts.reserve('y', team(1))).toEqual({ kind: 'failed', budget: 'team' });
    expect(accounts.levels(['team'])).toEqual([{ failed: true }]);
    expect(alarms).toHaveLength(1);
    disk.isFull = false;
    await time.run(HEARTBEAT_MS * 2);
    expect(accounts.reserve('z', team(1))).toEqual({ kind: 'reserved' });
  });

  test('does not lose a settlement', async () => {
    const { accounts, book, disk, time } = bench([{ granted: 100 }]);
    accounts.track(['team']);
    await time.run(50);
    accounts.reserve('x', team(50));
    disk.isFull = true;
    accounts.settle('x', [{ budget: 'team', actual: 20 }]);
    expect(book.leases.get(1)).toMatchObject({ spent: 20, reserved: 0 });
  });
});

test('more budgets than one process keeps are refused', () => {
  const { accounts } = bench();
  const names = Array.from({ length: BUDGETS_MAX }, (_, index) => `${index}`);
  expect(() => accounts.track(names)).not.toThrow();
  expect(() => accounts.track([...names, 'one more'])).toThrow();
});

describe('the end', () => {
  test('returns what is left and charges what is in flight', async () => {
    const { accounts, calls, within, time } = bench([{ granted: 100 }], [{ status: 'returned' }]);
    accounts.track(['team']);
    await time.run(50);
    accounts.reserve('x', team(30));
    expect(await within(100, accounts.stop(1_000))).toBeUndefined();
    expect(calls.at(-1)).toMatchObject({ method: 'return', spent: [{ lease: 1, total: 30 }] });
    expect(accounts.reserve('y', team(1))).toEqual({ kind: 'failed', budget: 'team' });
  });

  test('does not wait for a control plane that is gone', async () => {
    const { accounts, within, time } = bench([{ granted: 100 }], 'never');
    accounts.track(['team']);
    await time.run(50);
    expect(await within(501, accounts.stop(500))).toBeUndefined();
  });
});
