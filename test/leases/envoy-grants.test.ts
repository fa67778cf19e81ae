// Grants for Envoy, step by step, with a control plane and a disk that the test plays.
import { describe, expect, test } from 'vitest';
import type { BookRecord } from '../../filters/sidecar/budgets/account-book.ts';
import { freeOf } from '../../filters/sidecar/budgets/account-book.ts';
import { BudgetAccounts } from '../../filters/sidecar/budgets/budget-accounts.ts';
import { JournalError } from '../../filters/sidecar/budgets/budget-journal.ts';
import {
  ENVOYS_MAX,
  ENVOY_SILENT_MS,
  EnvoyGrants,
  OPEN_GRANTS_MAX,
  SUPERSEDED_MS,
} from '../../filters/sidecar/budgets/envoy-grants.ts';
import type { GrantLine } from '../../filters/sidecar/budgets/envoy-grants.ts';
import type { LeaseAnswer, LeaseCall } from '../../filters/sidecar/budgets/lease-caller.ts';
import { resumeBook } from '../../filters/sidecar/budgets/resume-book.ts';
import { VirtualTime } from './virtual-time.ts';

const HOUR = 3_600_000;
/** A share in advance is 100, a hundredth part of it never more than half of what the lease has. */
const LIMIT = 6_400;

/** A sidecar with one lease of 1,000 on a budget `team`, which the test may kill and start again. */
async function bench({ windowEnd = HOUR } = {}) {
  const time = new VirtualTime();
  const journal: BookRecord[] = [];
  const calls: LeaseCall[] = [];
  const alarms: string[] = [];
  const moves: [string, string, number][] = [];
  const disk = { isFull: false };
  const plane = { lease: 1, granted: 1_000, unleased: 5_400, windowEnd, status: 'active', isAway: false };
  const answer = (budget: string): LeaseAnswer => ({
    budget,
    status: budget === 'team' ? (plane.status as LeaseAnswer['status']) : 'unknown_budget',
    lease: budget === 'team' ? plane.lease : 0,
    granted: plane.granted,
    ttlMs: 60_000,
    windowLeftMs: plane.windowEnd - time.now,
    window: 'hour/x',
    limit: LIMIT,
    unleased: plane.unleased,
  });
  const write = (action: () => void): void => {
    if (disk.isFull) throw new JournalError('the budget journal cannot be written');
    action();
  };
  let life = 0;
  const start = () => {
    const own = ++life;
    const book = resumeBook(
      { records: journal, damaged: false },
      { policy: 'acme', bootId: 'b', incarnation: '0'.repeat(32) },
    );
    const later = (action: () => void, ms: number) => time.later(() => (own === life ? action() : undefined), ms);
    const accounts = new BudgetAccounts({
      book,
      journal: {
        append: (record) => write(() => journal.push(structuredClone(record))),
        rewrite: (record) => write(() => journal.splice(0, journal.length, structuredClone(record))),
        isLong: () => false,
        close: () => undefined,
      },
      caller: {
        call: async (_, call) => {
          calls.push(call);
          await time.sleep(5);
          if (plane.isAway) return await new Promise<never>(() => undefined);
          if (call.method === 'take') return call.needs.map((need) => answer(need.budget));
          const status = call.method === 'return' ? 'returned' : 'active';
          return call.spent.map(({ lease }) => ({ ...answer('team'), lease, status }));
        },
      },
      now: () => time.now,
      later,
      newIncarnation: () => '1'.repeat(32),
      alarm: (message) => alarms.push(message),
    });
    const grants = new EnvoyGrants({
      accounts,
      now: () => time.now,
      later,
      alarm: (message) => alarms.push(message),
      onMove: (...move) => moves.push(move),
    });
    accounts.track(['team']);
    return { accounts, grants, book };
  };
  let running = start();
  journal.splice(0, journal.length, structuredClone(running.book.snapshot()));
  await time.run(20);
  return {
    time,
    journal,
    calls,
    alarms,
    moves,
    disk,
    plane,
    lease: (id = 1) => running.book.leases.get(id),
    free: (id = 1) => {
      const lease = running.book.leases.get(id);
      return lease === undefined ? undefined : freeOf(lease);
    },
    grants: () => running.grants,
    accounts: () => running.accounts,
    /** As by `kill -9`. */
    kill: async () => {
      running = start();
      await time.run(time.now + 20);
    },
    /** One call, and the states that it was answered with. */
    sync: async (lines: readonly Partial<GrantLine>[], envoy = 'e1') => {
      const states = running.grants.sync(
        envoy,
        lines.map((line) => ({ budget: 'team', number: 1, held: 0, spent: 0, wanted: 0, close: false, ...line })),
      );
      await time.run(time.now + 50);
      return await states;
    },
    pass: (ms: number) => time.run(time.now + ms),
  };
}

describe('a grant', () => {
  test('is what is needed and a share, set aside of the lease, on disk before it is told', async () => {
    const { sync, free, journal, moves } = await bench();
    expect(await sync([{ wanted: 200 }])).toEqual([
      {
        budget: 'team',
        number: 1,
        over: false,
        granted: 300,
        leftMs: expect.any(Number),
        known: true,
        limit: LIMIT,
        beyond: 700 + 5_400,
        spent: 0,
      },
    ]);
    expect(free()).toBe(700);
    expect(journal.at(-1)).toMatchObject({ kind: 'grant', envoy: 'e1', budget: 'team', number: 1, micros: 300 });
    expect(moves).toEqual([['team', 'granted', 300]]);
  });

  test('grows to a total: the same call again brings nothing more', async () => {
    const { sync, free } = await bench();
    for (let count = 0; count < 3; count++) expect(await sync([{ wanted: 200 }])).toMatchObject([{ granted: 300 }]);
    expect(free()).toBe(700);
    expect(await sync([{ held: 300, wanted: 301 }])).toMatchObject([{ granted: 401 }]);
  });

  test('that two calls want at once is granted once', async () => {
    const { sync, free } = await bench();
    await Promise.all([sync([{ wanted: 900 }]), sync([{ wanted: 900 }])]);
    expect(free()).toBeLessThanOrEqual(100);
    expect(await sync([{ held: 900 }])).toMatchObject([{ over: false, granted: 950 }]);
  });

  test('asks the control plane where the lease has too little', async () => {
    const { sync, plane, calls } = await bench();
    plane.granted = 3_000;
    plane.unleased = 3_400;
    expect(await sync([{ wanted: 2_000 }])).toMatchObject([{ granted: 2_100, beyond: 900 + 3_400 }]);
    expect(calls.at(-1)).toMatchObject({ method: 'take', needs: [{ budget: 'team', micros: 1_000 }] });
  });

  test('is what there is where the need is more than that, and what is left beyond is said', async () => {
    const { sync, plane, free } = await bench();
    plane.unleased = 0;
    await sync([{ wanted: 700 }]);
    expect(await sync([{ held: 800, wanted: 2_000 }])).toMatchObject([{ granted: 1_000, beyond: 0, known: true }]);
    expect(free()).toBe(0);
    expect(await sync([{ held: 1_000, wanted: 1_001 }])).toMatchObject([{ granted: 1_000, beyond: 0 }]);
  });

  test('shrinks to half of what the lease has where that is little', async () => {
    const { sync, plane } = await bench();
    plane.unleased = 0;
    expect(await sync([{ wanted: 980 }])).toMatchObject([{ granted: 990 }]);
  });

  test('of a budget that the policy does not have is not known', async () => {
    const { sync } = await bench();
    expect(await sync([{ budget: 'other' }])).toMatchObject([{ known: false, over: false, granted: 0, beyond: 0 }]);
  });

  test('of which nothing is held and nothing new is known is not known, rather than used up', async () => {
    const { sync, pass, lease, accounts } = await bench();
    expect(await sync([{}])).toMatchObject([{ known: true, limit: LIMIT }]);
    // The lease was not used and has been returned; what the others had left then is old.
    await pass(75_000);
    expect([lease(), accounts().levels(['team'])]).toMatchObject([undefined, [{ failed: false, headroom: 0 }]]);
    expect(await sync([{}])).toMatchObject([{ known: false, limit: 0, beyond: 0 }]);
  });

  test('is not given while the disk is full', async () => {
    const { sync, disk, free } = await bench();
    disk.isFull = true;
    expect(await sync([{ wanted: 200 }])).toMatchObject([{ granted: 0 }]);
    disk.isFull = false;
    await sync([]);
    expect(free()).toBe(1_000);
  });

  test('that was closed while it waited for a lease is not given', async () => {
    const { sync, plane, grants, pass } = await bench();
    plane.isAway = true;
    const waiting = grants().sync('e1', [
      { budget: 'team', number: 1, held: 0, spent: 0, wanted: 1_500, close: false },
    ]);
    await pass(50);
    await sync([{ close: true }]);
    await pass(3_000);
    expect(await waiting).toMatchObject([{ over: true, granted: 0 }]);
  });
});

describe('a settlement', () => {
  test('is a total: repeated and late ones change nothing', async () => {
    const { sync, lease, moves } = await bench();
    await sync([{ wanted: 200 }]);
    for (const spent of [120, 120, 40, 0]) await sync([{ held: 300, spent }]);
    expect(lease()).toMatchObject({ spent: 120, reserved: 180 });
    expect(moves.filter(([, move]) => move === 'settled')).toEqual([['team', 'settled', 120]]);
  });

  test('is told to the control plane', async () => {
    const { sync, calls, pass } = await bench();
    await sync([{ wanted: 200 }]);
    await sync([{ held: 300, spent: 120 }]);
    await pass(6_000);
    expect(calls.at(-1)).toMatchObject({ method: 'settle', spent: [{ lease: 1, total: 120 }] });
  });

  test('above the grant is charged, and alarms', async () => {
    const { sync, lease, alarms, grants } = await bench();
    await sync([{ wanted: 200 }]);
    await sync([{ held: 300, spent: 450 }]);
    expect(lease()).toMatchObject({ spent: 450, reserved: 0 });
    await sync([{ held: 300, spent: 450 }]);
    expect(alarms).toEqual([expect.stringContaining('450')]);
    expect(grants().overruns).toBe(1);
  });

  test('that closes gives the rest back, and the number is over', async () => {
    const { sync, lease, moves } = await bench();
    await sync([{ wanted: 200 }]);
    expect(await sync([{ held: 300, spent: 120, close: true }])).toMatchObject([{ over: true, granted: 0 }]);
    expect(lease()).toMatchObject({ spent: 120, reserved: 0 });
    expect(moves.slice(1)).toEqual([
      ['team', 'settled', 120],
      ['team', 'returned', 180],
    ]);
    // Messages that come after it.
    expect(await sync([{ wanted: 200 }])).toMatchObject([{ over: true }]);
    expect(await sync([{ held: 300, spent: 200 }])).toMatchObject([{ over: true }]);
    expect(lease()).toMatchObject({ spent: 120, reserved: 0 });
    expect(await sync([{ number: 2, wanted: 100 }])).toMatchObject([{ number: 2, over: false, granted: 200 }]);
  });

  test('and the next number go in one call', async () => {
    const { sync, lease } = await bench();
    await sync([{ wanted: 200 }]);
    const states = await sync([
      { held: 300, spent: 10, close: true },
      { number: 2, wanted: 990 },
    ]);
    expect(states).toMatchObject([{ over: true }, { number: 2, granted: 990 }]);
    expect(lease()).toMatchObject({ spent: 10, reserved: 990 });
  });
});

describe('the end of a window', () => {
  test('ends its grants: the next number is of the next window', async () => {
    const { sync, plane, pass, lease, time } = await bench({ windowEnd: 50_000 });
    await sync([{ wanted: 200 }]);
    await pass(40_000);
    const [before] = await sync([{ held: 300, spent: 50 }]);
    expect(time.now + (before?.leftMs ?? 0)).toBeLessThanOrEqual(50_050);
    plane.lease = 2;
    plane.windowEnd = HOUR;
    await pass(10_000);
    expect(await sync([{ held: 300, spent: 80, wanted: 500 }])).toMatchObject([{ over: false, leftMs: 0 }]);
    const states = await sync([
      { held: 300, spent: 90, close: true },
      { number: 2, wanted: 100 },
    ]);
    expect(states).toMatchObject([{ over: true }, { number: 2, granted: 200, leftMs: expect.any(Number) }]);
    expect(states[1]?.leftMs).toBeGreaterThan(0);
    expect(lease(1)).toMatchObject({ spent: 90, reserved: 0 });
    expect(lease(2)).toMatchObject({ spent: 0, reserved: 200 });
  });
});

describe('a policy that changes within a window', () => {
  test('with a lower limit leaves what is granted, and grants less', async () => {
    const { sync, plane } = await bench();
    await sync([{ wanted: 200 }]);
    plane.unleased = 0;
    expect(await sync([{ held: 300, wanted: 1_100 }])).toMatchObject([{ granted: 1_000, beyond: 0 }]);
  });

  test('and drops the budget ends its grants; what was spent still counts', async () => {
    const { sync, plane, lease, accounts } = await bench();
    await sync([{ wanted: 200 }]);
    plane.status = 'unknown_budget';
    accounts().track([]);
    await sync([{ held: 300, wanted: 2_000 }]);
    expect(await sync([{ held: 300, spent: 70, wanted: 301 }])).toMatchObject([{ known: false, leftMs: 0 }]);
    expect(lease()?.spent ?? 70).toBe(70);
  });
});

describe('an Envoy', () => {
  test('that is silent is given up: what its grants hold is charged', async () => {
    const { sync, pass, lease, moves } = await bench();
    await sync([{ wanted: 200 }]);
    await sync([{ held: 300, spent: 50 }]);
    await pass(ENVOY_SILENT_MS - 3_000);
    expect(lease()).toMatchObject({ spent: 50, reserved: 250 });
    await pass(6_000);
    expect(lease()).toMatchObject({ spent: 300, reserved: 0 });
    expect(moves.at(-1)).toEqual(['team', 'forfeited', 250]);
    expect(await sync([{ held: 300, spent: 60 }])).toMatchObject([{ over: true }]);
    expect(lease()).toMatchObject({ spent: 300, reserved: 0 });
  });

  test('that calls, even without a line, is not', async () => {
    const { sync, pass, lease } = await bench();
    await sync([{ wanted: 200 }]);
    for (let count = 0; count < 6; count++) {
      await pass(15_000);
      await sync([]);
    }
    expect(lease()).toMatchObject({ spent: 0, reserved: 300 });
  });

  test('that starts again has grants of its own, and those of its last life are charged', async () => {
    const { sync, pass, lease } = await bench();
    await sync([{ wanted: 200 }], 'e1');
    expect(await sync([{ wanted: 100 }], 'e2')).toMatchObject([{ over: false, granted: 200 }]);
    for (let count = 0; count < 5; count++) {
      await pass(15_000);
      await sync([{ held: 200, spent: 30 }], 'e2');
    }
    expect(lease()).toMatchObject({ spent: 330, reserved: 170 });
  });

  test(`is one of at most ${ENVOYS_MAX}: one more, and the longest silent is given up`, async () => {
    const { sync, grants, pass } = await bench();
    for (let count = 0; count < ENVOYS_MAX; count++) {
      await sync([{ wanted: 1 }], `e${count}`);
      await pass(10);
    }
    await sync([], 'e0');
    const before = grants().outstanding().get('team')?.grants;
    await sync([], 'one-more');
    expect([before, grants().outstanding().get('team')?.grants]).toEqual([ENVOYS_MAX, ENVOYS_MAX - 1]);
    expect(await sync([{ held: 2 }], 'e1')).toMatchObject([{ over: true }]);
    expect(await sync([{}], 'e0')).toMatchObject([{ over: false }]);
  });

  test('that names a higher number has some seconds for the last word on the lower one', async () => {
    const { sync, pass, lease } = await bench();
    await sync([{ wanted: 200 }]);
    await sync([{ number: 2, wanted: 100 }]);
    await pass(SUPERSEDED_MS / 2);
    await sync([{ held: 300, spent: 40 }, { number: 2 }]);
    expect(lease()).toMatchObject({ spent: 40 });
    await pass(SUPERSEDED_MS);
    expect(await sync([{ held: 300, spent: 50, close: true }])).toMatchObject([{ over: true }]);
    expect(lease()).toMatchObject({ spent: 300, reserved: 200 });
  });

  test(`has at most ${OPEN_GRANTS_MAX} open numbers of a budget`, async () => {
    const { sync, grants, lease } = await bench();
    for (let number = 1; number <= OPEN_GRANTS_MAX + 1; number++) await sync([{ number, wanted: 1 }]);
    expect(grants().outstanding().get('team')?.grants).toBe(OPEN_GRANTS_MAX);
    expect(lease()?.spent).toBe(101);
  });

  test('that believes to hold more than was granted is not believed', async () => {
    const { sync, lease, alarms } = await bench();
    await sync([{ wanted: 200 }]);
    expect(await sync([{ held: 301 }])).toMatchObject([{ over: true }]);
    expect(lease()).toMatchObject({ spent: 300, reserved: 0 });
    expect(alarms).toHaveLength(1);
  });
});

describe('a sidecar that stops', () => {
  test('grants nothing more, has what is held closed, and all that was not spent is free', async () => {
    const { sync, grants, accounts, lease, calls, pass } = await bench();
    await sync([{ wanted: 200 }]);
    grants().retire();
    expect(await sync([{ held: 300, spent: 70, wanted: 900 }])).toMatchObject([
      { over: false, granted: 300, leftMs: 0, known: false, spent: 70 },
    ]);
    expect(
      await sync([
        { held: 300, spent: 90, close: true },
        { number: 2, wanted: 1 },
      ]),
    ).toMatchObject([{ over: true }, { number: 2, over: false, granted: 0, known: false }]);
    expect(grants().outstanding().size).toBe(0);
    expect(lease()).toMatchObject({ spent: 90, reserved: 0 });
    void accounts().stop(1_000);
    await pass(100);
    expect(calls.at(-1)).toMatchObject({ method: 'return', spent: [{ lease: 1, total: 90 }] });
  });
});

describe('a sidecar that is killed', () => {
  test('finds its grants again, and what Envoy spent meanwhile', async () => {
    const { sync, kill, lease, moves } = await bench();
    await sync([{ wanted: 200 }]);
    await kill();
    expect(lease()).toMatchObject({ spent: 0, reserved: 300 });
    expect(await sync([{ held: 300, spent: 250, wanted: 400 }])).toMatchObject([{ over: false, granted: 500 }]);
    expect(lease()).toMatchObject({ spent: 250, reserved: 250 });
    expect(moves.filter(([, move]) => move === 'forfeited')).toEqual([]);
  });

  test('finds them in a journal that was written anew', async () => {
    const { sync, kill, lease, accounts } = await bench();
    await sync([{ wanted: 200 }]);
    await sync([{ held: 300, spent: 20, close: true }]);
    await sync([{ number: 2, wanted: 100 }]);
    accounts().journaled.mend();
    await kill();
    expect(await sync([{ held: 0, wanted: 100 }, { number: 2 }])).toMatchObject([
      { over: true },
      { over: false, granted: 200 },
    ]);
    expect(lease()).toMatchObject({ spent: 20, reserved: 200 });
  });

  test('and has lost its journal makes the filter begin anew', async () => {
    const { sync, kill, journal } = await bench();
    await sync([{ wanted: 200 }]);
    journal.length = 0;
    await kill();
    expect(await sync([{ held: 300, spent: 100, wanted: 500 }])).toMatchObject([{ over: true, granted: 0 }]);
    expect(await sync([{ number: 2, wanted: 100 }])).toMatchObject([{ over: false, granted: 200 }]);
  });

  test('gives up an Envoy that never comes back', async () => {
    const { sync, kill, pass, lease } = await bench();
    await sync([{ wanted: 200 }]);
    await kill();
    await pass(ENVOY_SILENT_MS + 3_000);
    expect(lease()).toMatchObject({ spent: 300, reserved: 0 });
  });
});
