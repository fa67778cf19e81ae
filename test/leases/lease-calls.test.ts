// The control plane's side of leases, call by call.
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { readBudgetTerms } from '../../control-plane/budgets/budget-terms.ts';
import { LINES_MAX, LeaseRefusal, expireLeases, leaseCall } from '../../control-plane/budgets/lease-calls.ts';
import type { LeaseCallContext } from '../../control-plane/budgets/lease-calls.ts';
import {
  LEASE_GRACE_MS,
  LEASE_TTL_MS,
  expire,
  giveBack,
  grant,
  grantSize,
  settle,
} from '../../control-plane/budgets/ledger.ts';
import type { Entry } from '../../control-plane/budgets/ledger.ts';
import {
  LeaseState_Status,
  ReturnRequestSchema,
  SettleRequestSchema,
  TakeRequestSchema,
} from '../../proto/gen/writ/v1/leases_pb.ts';
import { MemoryLedger } from './memory-ledger.ts';

const INCARNATION = '0'.repeat(32);
const { ACTIVE, EXPIRED, RETURNED, UNKNOWN_BUDGET, UNKNOWN_LEASE } = LeaseState_Status;

function bench(limit = 1_000) {
  const ledger = new MemoryLedger();
  let now = Date.parse('2026-01-15T12:00:00Z');
  let terms = new Map([['team', { name: 'team', limit, period: 'day' as const, timeZone: 'UTC', each: false }]]);
  const overruns: number[] = [];
  const expired: number[] = [];
  const context: LeaseCallContext = {
    store: ledger,
    termsOf: (policy) => (policy === 'acme' ? terms : undefined),
    now: () => now,
    onOverrun: (_, micros) => overruns.push(micros),
    onExpired: (_, micros) => expired.push(micros),
  };
  const caller = (seq: number, incarnation = INCARNATION, policy = 'acme') => ({
    policy,
    incarnation,
    seq: BigInt(seq),
  });
  const lines = (spent: Readonly<Record<string, number>>) =>
    Object.entries(spent).map(([lease, total]) => ({ lease: BigInt(lease), totalMicros: BigInt(total) }));
  return {
    ledger,
    overruns,
    expired,
    context,
    wait: (ms: number) => void (now += ms),
    setLimit: (value: number) =>
      void (terms = new Map([['team', { name: 'team', limit: value, period: 'day', timeZone: 'UTC', each: false }]])),
    take: (
      seq: number,
      micros: number,
      node = 'n1',
      budget = 'team',
      spent: Readonly<Record<string, number>> = {},
      policy = 'acme',
    ) =>
      leaseCall(context, node, {
        kind: 'take',
        request: create(TakeRequestSchema, {
          caller: caller(seq, INCARNATION, policy),
          needs: [{ budget, micros: BigInt(micros) }],
          spent: lines(spent),
        }),
      }),
    settle: (seq: number, spent: Readonly<Record<string, number>>, node = 'n1', incarnation = INCARNATION) =>
      leaseCall(context, node, {
        kind: 'settle',
        request: create(SettleRequestSchema, { caller: caller(seq, incarnation), spent: lines(spent) }),
      }),
    giveBack: (seq: number, spent: Readonly<Record<string, number>>, node = 'n1') =>
      leaseCall(context, node, {
        kind: 'return',
        request: create(ReturnRequestSchema, { caller: caller(seq), spent: lines(spent) }),
      }),
    account: () => [...ledger.accounts.values()][0],
  };
}

const code = (error: unknown): string => (error instanceof LeaseRefusal ? error.code : '');

describe('Take', () => {
  test('grants what is needed or half of what is left, and never more than is left', async () => {
    const { take, account } = bench();
    expect((await take(1, 0)).leases).toMatchObject([
      {
        status: ACTIVE,
        lease: 1n,
        grantedTotalMicros: 500n,
        unleasedMicros: 500n,
        limitMicros: 1_000n,
        window: 'day/2026-01-15T00:00:00.000Z',
      },
    ]);
    expect((await take(2, 450)).leases).toMatchObject([{ lease: 1n, grantedTotalMicros: 950n, unleasedMicros: 50n }]);
    expect((await take(3, 450)).leases).toMatchObject([{ lease: 1n, grantedTotalMicros: 1_000n, unleasedMicros: 0n }]);
    expect((await take(1, 1, 'n2')).leases).toMatchObject([{ status: ACTIVE, lease: 0n, unleasedMicros: 0n }]);
    expect(account()).toEqual({ charged: 0, outstanding: 1_000 });
  });

  test('says how long the lease and the window last', async () => {
    expect((await bench().take(1, 1)).leases).toMatchObject([
      { ttlMs: BigInt(LEASE_TTL_MS), windowLeftMs: 43_200_000n },
    ]);
  });

  test('repeated is answered and not done again; an older one is refused', async () => {
    const { take, account } = bench();
    const first = await take(1, 100);
    expect(await take(1, 100)).toEqual(first);
    await take(2, 100);
    expect(account()?.outstanding).toBeLessThan(1_000);
    const before = account();
    await expect(take(1, 100).catch(code)).resolves.toBe('stale_seq');
    expect(account()).toEqual(before);
  });

  test("of another node with the same incarnation is another holder's", async () => {
    const { take } = bench();
    await take(1, 1, 'n1');
    expect((await take(1, 1, 'n2')).leases[0]?.lease).toBe(2n);
  });

  test('on an unknown budget or policy set is answered so', async () => {
    const { take } = bench();
    expect((await take(1, 1, 'n1', "nobody's")).leases).toMatchObject([{ status: UNKNOWN_BUDGET, budget: "nobody's" }]);
    expect((await take(1, 1, 'n1', 'team', {}, 'other')).leases).toMatchObject([{ status: UNKNOWN_BUDGET }]);
  });

  test('settles first, in the same step', async () => {
    const { take, account } = bench();
    await take(1, 0);
    expect((await take(2, 0, 'n1', 'team', { '1': 200 })).leases.map((line) => line.lease)).toEqual([1n, 1n]);
    expect(account()?.charged).toBe(200);
  });

  test('after midnight is another lease, of another window', async () => {
    const { take, wait, ledger } = bench();
    await take(1, 0);
    wait(13 * 3_600_000);
    expect((await take(2, 0)).leases).toMatchObject([
      { lease: 2n, grantedTotalMicros: 500n, window: 'day/2026-01-16T00:00:00.000Z' },
    ]);
    expect(ledger.accounts.size).toBe(2);
  });

  test('of a limit that was lowered grants nothing until less is spent; one that was raised grants more', async () => {
    const { take, setLimit } = bench();
    await take(1, 800);
    setLimit(500);
    expect((await take(2, 1)).leases).toMatchObject([
      { grantedTotalMicros: 800n, unleasedMicros: 0n, limitMicros: 500n },
    ]);
    setLimit(2_000);
    expect((await take(3, 1_000)).leases).toMatchObject([{ grantedTotalMicros: 1_800n, unleasedMicros: 200n }]);
  });
});

describe('Settle', () => {
  test('charges totals: repeated, reordered and lower ones change nothing', async () => {
    const { take, settle: report, account } = bench();
    await take(1, 500);
    await report(2, { '1': 300 });
    expect(account()).toEqual({ charged: 300, outstanding: 200 });
    await report(3, { '1': 100 });
    await report(4, { '1': 300 });
    expect(account()).toEqual({ charged: 300, outstanding: 200 });
  });

  test('keeps a lease alive', async () => {
    const { take, settle: report, wait } = bench();
    await take(1, 500);
    for (let seq = 2; seq < 10; seq++) {
      wait(LEASE_TTL_MS - 1);
      expect((await report(seq, { '1': seq })).leases).toMatchObject([{ status: ACTIVE }]);
    }
  });

  test('beyond the lease is charged in full, and alarms', async () => {
    const { take, settle: report, account, overruns } = bench();
    await take(1, 500);
    await report(2, { '1': 700 });
    expect(account()).toEqual({ charged: 700, outstanding: 0 });
    expect(overruns).toEqual([200]);
  });

  test('of a lease of somebody else is not known', async () => {
    const { take, settle: report, account } = bench();
    await take(1, 500);
    expect((await report(1, { '1': 500 }, 'n2')).leases).toMatchObject([{ status: UNKNOWN_LEASE }]);
    expect((await report(1, { '1': 500 }, 'n1', '1'.repeat(32))).leases).toMatchObject([{ status: UNKNOWN_LEASE }]);
    expect((await report(2, { '7': 500 })).leases).toMatchObject([{ status: UNKNOWN_LEASE }]);
    expect(account()?.charged).toBe(0);
  });
});

describe('Return', () => {
  test('frees what was not spent, once', async () => {
    const { take, giveBack: give, account } = bench();
    await take(1, 500);
    expect((await give(2, { '1': 100 })).leases).toMatchObject([{ status: RETURNED, unleasedMicros: 900n }]);
    await give(3, { '1': 100 });
    expect(account()).toEqual({ charged: 100, outstanding: 0 });
    expect((await take(4, 1)).leases[0]?.lease).toBe(2n);
  });
});

describe('expiry', () => {
  test('charges all of the lease, whether the next to come is the holder, another, or the sweep', async () => {
    for (const next of ['holder', 'other', 'sweep', 'late return']) {
      const { take, settle: report, giveBack: give, wait, account, context, expired } = bench();
      await take(1, 400);
      await report(2, { '1': 100 });
      wait(LEASE_TTL_MS + LEASE_GRACE_MS);
      if (next === 'holder') expect((await report(3, { '1': 150 })).leases).toMatchObject([{ status: EXPIRED }]);
      if (next === 'other') expect((await take(1, 0, 'n2')).leases).toMatchObject([{ unleasedMicros: 250n }]);
      if (next === 'sweep')
        await expireLeases(context, [{ policy: 'acme', budget: 'team', window: 'day/2026-01-15T00:00:00.000Z' }]);
      if (next === 'late return') expect((await give(3, { '1': 150 })).leases).toMatchObject([{ status: EXPIRED }]);
      expect(account()?.charged, next).toBe(500);
      expect(expired).toEqual([400]);
    }
  });

  test("is not before the holder's own clock can have run out", async () => {
    const { take, giveBack: give, wait } = bench();
    await take(1, 400);
    wait(LEASE_TTL_MS + LEASE_GRACE_MS - 1);
    expect((await give(2, { '1': 0 })).leases).toMatchObject([{ status: RETURNED }]);
  });
});

describe('a malformed call', () => {
  test('is refused', async () => {
    const { context } = bench();
    const send = (fields: object) =>
      leaseCall(context, 'n1', { kind: 'take', request: create(TakeRequestSchema, fields) }).catch(code);
    const caller = { policy: 'acme', incarnation: INCARNATION, seq: 1n };
    expect(await send({})).toBe('malformed');
    expect(await send({ caller: { ...caller, seq: 0n } })).toBe('malformed');
    expect(await send({ caller: { ...caller, incarnation: 'x' } })).toBe('malformed');
    expect(await send({ caller: { ...caller, policy: '' } })).toBe('malformed');
    expect(await send({ caller, needs: [{ budget: 'team', micros: -1n }] })).toBe('malformed');
    expect(await send({ caller, needs: [{ budget: 'team', micros: 2n ** 53n }] })).toBe('malformed');
    const many = (count: number) => Array.from({ length: count }, () => ({ budget: 'x', micros: 0n }));
    expect(await send({ caller, needs: many(LINES_MAX + 1) })).toBe('malformed');
    expect(await send({ caller, needs: many(LINES_MAX) })).not.toBe('malformed');
  });
});

describe('the arithmetic', () => {
  const entry: Entry = {
    account: { charged: 0, outstanding: 0 },
    lease: { id: 1, granted: 0, charged: 0, state: 'active', expiresAt: 0 },
  };

  test('leaves the range of exact integers with an error, never silently', () => {
    const full = grant(entry, Number.MAX_SAFE_INTEGER, 0);
    expect(() => grant(full, 1, 0)).toThrow(RangeError);
    expect(() => settle(entry, 0.5, 0)).toThrow(RangeError);
    expect(() => giveBack(entry, -1)).toThrow(RangeError);
  });

  test('grants the last micro-unit, and of nothing nothing', () => {
    expect(grantSize({ charged: 999, outstanding: 0 }, 1_000, 0, 5)).toBe(1);
    expect(grantSize({ charged: 1_000, outstanding: 0 }, 1_000, 7, 1)).toBe(0);
    expect(grantSize({ charged: 2_000, outstanding: 0 }, 1_000, 7, 1)).toBe(0);
    expect(grantSize({ charged: 0, outstanding: 0 }, 0, 7, 1)).toBe(0);
  });

  test('does not expire twice', () => {
    const once = expire(grant(entry, 10, 0));
    expect(expire(once)).toEqual(once);
    expect(once.account).toEqual({ charged: 10, outstanding: 0 });
  });
});

describe('the budgets of a plan', () => {
  const read = (plan: unknown) => readBudgetTerms(Buffer.from(JSON.stringify(plan)));
  const budget = { name: 'b', limit: 1, period: 'day', timeZone: 'UTC' };

  test('are those of its events', () => {
    expect([
      ...read({ events: [{ kind: 'ingest' }, { kind: 'prompt', budgets: [{ ...budget, more: 1 }] }] }).values(),
    ]).toEqual([{ ...budget, each: false }]);
  });

  test('have an account for each value of a fact, where they name one', () =>
    expect(read({ events: [{ kind: 'prompt', budgets: [{ ...budget, each: 3 }] }] }).get('b')?.each).toBe(true));

  test.each([
    1,
    {},
    { events: 1 },
    { events: [{ budgets: 1 }] },
    ...[
      { name: 1 },
      { limit: 1.5 },
      { limit: -1 },
      { period: 'decade' },
      { period: 'constructor' },
      { timeZone: 'Mars' },
      { each: 'caller.id' },
    ].map((change) => ({ events: [{ budgets: [{ ...budget, ...change }] }] })),
  ])('%j is refused', (plan) => {
    expect(() => read(plan)).toThrow(expect.objectContaining({ code: 'bad_plan' }));
  });
});
