// The whole way: the sidecar's accounts, their journal, gRPC over mTLS, the control plane, its database; and restarts
// of both sides in between.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { grpcLeaseCaller } from '../../filters/sidecar/budgets/grpc-lease-caller.ts';
import { openBudgetAccounts } from '../../filters/sidecar/budgets/open-budget-accounts.ts';
import type { BudgetAccounts } from '../../filters/sidecar/budgets/budget-accounts.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import { unaryCall } from '../../proto/grpc-call.ts';
import { admin, node, startTestControlPlane, testBundle, testRelease } from '../control-plane/fixtures.ts';
import type { TestControlPlane } from '../control-plane/fixtures.ts';

const LIMIT = 1_000_000;
const folder = mkdtempSync(join(tmpdir(), 'writ-accounts-'));
let control: TestControlPlane;
beforeAll(async () => {
  control = await startTestControlPlane();
  await unaryCall(
    control.client(admin),
    Admin.method.push,
    testRelease(
      testBundle('budgets', [
        { name: 'team', limit: LIMIT },
        { name: 'small', limit: 10 },
      ]),
      1,
    ),
    { timeoutMs: 10_000 },
  );
});
afterAll(async () => {
  await control.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Accounts that know their budgets: a busy machine may take longer than a request waits. */
async function openAccounts(name: string): Promise<BudgetAccounts> {
  const accounts = openBudgetAccounts({
    folder: join(folder, name),
    policy: 'acme',
    caller: grpcLeaseCaller(control.client(node(name)), 'acme'),
    alarm: () => undefined,
  });
  accounts.track(['team', 'small']);
  await expect
    .poll(() => accounts.levels(['team', 'small']).some((level) => level.failed), { timeout: 20_000 })
    .toBe(false);
  return accounts;
}

async function booked(budget = 'team'): Promise<{ charged: number; outstanding: number }> {
  const status = await unaryCall(control.client(admin), Admin.method.status, { policy: 'acme' }, { timeoutMs: 10_000 });
  const info = status.budgets.find((each) => each.budget === budget);
  return { charged: Number(info?.chargedMicros), outstanding: Number(info?.outstandingMicros) };
}

describe('a budget', () => {
  test('is spent, over a restart of the control plane, and booked to the micro-unit', async () => {
    const accounts = await openAccounts('n1');
    expect(accounts.reserve('first', [{ budget: 'team', amount: 1_000 }])).toEqual({ kind: 'reserved' });
    accounts.settle('first', [{ budget: 'team', actual: 123 }]);
    await accounts.stop(5_000);
    expect(await booked()).toEqual({ charged: 123, outstanding: 0 });
    await control.restart();
    expect(await booked()).toEqual({ charged: 123, outstanding: 0 });
  });

  test('is used by sixteen at once to nine tenths and not beyond, through two sidecars', async () => {
    const sidecars = [await openAccounts('n2'), await openAccounts('n3')];
    const end = Date.now() + 30_000;
    let spent = 0;
    let denied = 0;
    const client = async (index: number): Promise<void> => {
      const accounts = sidecars[index % 2];
      for (let turn = 0; accounts !== undefined && Date.now() < end; turn++) {
        const exchange = `${index}/${turn}`;
        const result = await accounts.obtain(exchange, [{ budget: 'team', amount: 1_500 }]);
        if (result.kind !== 'reserved') {
          denied++;
          // A little may stay in a lease of the other; more than a tenth must not.
          if (spent >= 0.9 * LIMIT) return;
          await new Promise((resolve) => setTimeout(resolve, 20));
          continue;
        }
        const actual = 700 + ((index * 31 + turn * 17) % 800);
        spent += actual;
        await new Promise((resolve) => setTimeout(resolve, 1));
        accounts.settle(exchange, [{ budget: 'team', actual }]);
      }
    };
    await Promise.all(Array.from({ length: 16 }, (_, index) => client(index)));
    await Promise.all(sidecars.map((accounts) => accounts.stop(5_000)));
    expect(denied).toBeGreaterThan(0);
    expect(spent).toBeLessThanOrEqual(LIMIT - 123);
    expect(spent).toBeGreaterThanOrEqual(0.9 * LIMIT);
    expect(await booked()).toEqual({ charged: 123 + spent, outstanding: 0 });
  });

  test('that is nearly used up says that something is left', async () => {
    const accounts = await openAccounts('n4');
    expect(await accounts.obtain('small', [{ budget: 'small', amount: 11 }])).toEqual({
      kind: 'short',
      budget: 'small',
      left: 10,
      isPart: false,
    });
    await expect
      .poll(() => accounts.reserve('fits', [{ budget: 'small', amount: 10 }]).kind, { timeout: 20_000 })
      .toBe('reserved');
    expect(accounts.levels(['small'])).toMatchObject([{ failed: false, headroom: 0, spent: 10, isPart: false }]);
    await accounts.stop(5_000);
    // What was in flight at the end is charged in full.
    expect(await booked('small')).toEqual({ charged: 10, outstanding: 0 });
  });
});

describe('without a control plane', () => {
  test('nothing is spent', async () => {
    const caller = grpcLeaseCaller(control.clientWith(undefined), 'acme');
    const accounts = openBudgetAccounts({
      folder: join(folder, 'alone'),
      policy: 'acme',
      caller,
      alarm: () => undefined,
    });
    expect(await accounts.obtain('x', [{ budget: 'team', amount: 1 }])).toEqual({ kind: 'failed', budget: 'team' });
    expect(accounts.levels(['team'])).toEqual([{ failed: true }]);
    await accounts.stop(10);
  });
});
