// Thresholds of budgets that tell somebody: with the money that crosses them, once for each window and threshold, however
// the calls come, and for each budget by itself.
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { type BudgetTerms, PlanError, readBudgetTerms } from '../../control-plane/budgets/budget-terms.ts';
import { expireLeases, leaseCall } from '../../control-plane/budgets/lease-calls.ts';
import { LEASE_GRACE_MS, LEASE_TTL_MS } from '../../control-plane/budgets/ledger.ts';
import { SettleRequestSchema, TakeRequestSchema } from '../../proto/gen/writ/v1/leases_pb.ts';
import { MemoryLedger } from './memory-ledger.ts';

const NOON = Date.parse('2026-03-15T12:00:00Z');
const HOUR = 3_600_000;
const DESK = { recipient: 'desk', webhook: 'desk-hook' };
const BOARD = { recipient: 'board', webhook: 'board-hook' };
const budget = (name: string, notify: BudgetTerms['notify'], each = false): BudgetTerms => ({
  name,
  limit: 1_000,
  period: 'hour',
  timeZone: 'UTC',
  each,
  ...(notify === undefined ? {} : { notify }),
});

function bench(budgets: readonly BudgetTerms[]) {
  const ledger = new MemoryLedger();
  let now = NOON;
  let seq = 0n;
  const terms = new Map(budgets.map((each) => [each.name, each]));
  const context = {
    store: ledger,
    termsOf: () => terms,
    now: () => now,
    onOverrun: () => undefined,
    onExpired: () => undefined,
  };
  const caller = (incarnation: string) => ({ policy: 'acme', incarnation, seq: ++seq });
  return {
    ledger,
    terms,
    wait: (ms: number) => void (now += ms),
    take: async (name: string, incarnation = '0'.repeat(32)) => {
      const request = create(TakeRequestSchema, {
        caller: caller(incarnation),
        needs: [{ budget: name, micros: 1_000n }],
      });
      return (await leaseCall(context, 'n1', { kind: 'take', request })).leases[0]!.lease;
    },
    settle: (totals: ReadonlyMap<bigint, number>, incarnation = '0'.repeat(32)) =>
      leaseCall(context, 'n1', {
        kind: 'settle',
        request: create(SettleRequestSchema, {
          caller: caller(incarnation),
          spent: [...totals].map(([lease, total]) => ({ lease, totalMicros: BigInt(total) })),
        }),
      }),
    expire: () =>
      expireLeases(
        context,
        [...ledger.leases.values()].map(({ window }) => window),
      ),
    told: () =>
      ledger.notices.map(({ notice: { name, percent, recipient, webhook, from, to }, at }) => [
        name,
        percent,
        `${recipient} by ${webhook}`,
        from,
        to,
        at,
      ]),
  };
}

describe('a threshold', () => {
  test('tells when what is spent reaches it, and not what is only held', async () => {
    const { take, settle, told, wait } = bench([budget('all', [{ ...DESK, percent: 80 }])]);
    const lease = await take('all');
    await settle(new Map([[lease, 799]]));
    expect(told()).toEqual([]);
    wait(1_000);
    await settle(new Map([[lease, 800]]));
    await settle(new Map([[lease, 900]]));
    expect(told()).toEqual([['all', 80, 'desk by desk-hook', NOON, NOON + HOUR, NOON + 1_000]]);
  });

  test('tells anew in the next window', async () => {
    const { take, settle, told, wait } = bench([budget('all', [{ ...DESK, percent: 50 }])]);
    await settle(new Map([[await take('all'), 600]]));
    wait(HOUR);
    await settle(new Map([[await take('all'), 600]]));
    expect(told().map(([, , , from]) => from)).toEqual([NOON, NOON + HOUR]);
  });

  test('tells of two that are crossed at once, each its own recipient', async () => {
    const { take, settle, told } = bench([
      budget('all', [
        { ...DESK, percent: 50 },
        { ...DESK, percent: 90 },
        { ...BOARD, percent: 90 },
      ]),
    ]);
    await settle(new Map([[await take('all'), 950]]));
    expect(told().map(([name, percent, to]) => [name, percent, to])).toEqual([
      ['all', 50, 'desk by desk-hook'],
      ['all', 90, 'desk by desk-hook'],
      ['all', 90, 'board by board-hook'],
    ]);
  });

  test('of one budget that is full says nothing of another', async () => {
    const { take, settle, told } = bench([
      budget('one', [{ ...DESK, percent: 100 }]),
      budget('other', [{ ...DESK, percent: 100 }]),
    ]);
    const [one, other] = [await take('one'), await take('other')];
    await settle(
      new Map([
        [one, 1_000],
        [other, 999],
      ]),
    );
    expect(told().map(([name]) => name)).toEqual(['one']);
  });

  test('tells of money that nobody accounted for', async () => {
    const { take, told, wait, expire } = bench([budget('all', [{ ...DESK, percent: 10 }])]);
    await take('all');
    wait(LEASE_TTL_MS + LEASE_GRACE_MS);
    await expire();
    expect(told()).toHaveLength(1);
  });

  test('tells of the first account that reaches it, by the name of the budget', async () => {
    const { take, settle, told } = bench([budget('person', [{ ...DESK, percent: 50 }], true)]);
    const accounts = ['1', '2'].map((digit) => `person#${digit.repeat(32)}`);
    const leases = [await take(accounts[0]!), await take(accounts[1]!)];
    await settle(new Map(leases.map((lease) => [lease, 700])));
    expect(told().map(([name, percent]) => [name, percent])).toEqual([['person', 50]]);
  });

  test('that a lower limit puts behind it tells at the next call, and a higher one takes nothing back', async () => {
    const { take, settle, told, terms } = bench([budget('all', [{ ...DESK, percent: 80 }])]);
    const lease = await take('all');
    await settle(new Map([[lease, 500]]));
    expect(told()).toEqual([]);
    terms.set('all', { ...terms.get('all')!, limit: 600 });
    await settle(new Map([[lease, 500]]));
    terms.set('all', { ...terms.get('all')!, limit: 10_000 });
    await settle(new Map([[lease, 501]]));
    expect(told()).toHaveLength(1);
  });

  test('is not told where the transaction that crosses it is not kept', async () => {
    const { ledger, take, settle, told } = bench([budget('all', [{ ...DESK, percent: 50 }])]);
    const lease = await take('all');
    ledger.failsCommit = () => true;
    await expect(settle(new Map([[lease, 600]]))).rejects.toThrow('killed');
    expect(told()).toEqual([]);
    ledger.failsCommit = () => false;
    await settle(new Map([[lease, 600]]));
    expect(told()).toHaveLength(1);
  });
});

test('thresholds are read from a plan, and a malformed one is refused', () => {
  const plan = (percent: unknown) =>
    Buffer.from(
      JSON.stringify({
        events: [
          { budgets: [{ name: 'all', limit: 1_000, period: 'hour', timeZone: 'UTC', notify: [{ ...DESK, percent }] }] },
        ],
      }),
    );
  expect(readBudgetTerms(plan(80)).get('all')).toEqual(budget('all', [{ ...DESK, percent: 80 }]));
  for (const percent of [0, 101, 1.5, '80']) expect(() => readBudgetTerms(plan(percent))).toThrow(PlanError);
});
