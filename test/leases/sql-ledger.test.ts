// The ledger on PGlite: the same law as in memory, durable when the process is killed, and closed to a second process.
import { create } from '@bufbuild/protobuf';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { leaseCall } from '../../control-plane/budgets/lease-calls.ts';
import type { LeaseRequest } from '../../control-plane/budgets/lease-calls.ts';
import type { LedgerStore } from '../../control-plane/budgets/ledger-store.ts';
import { openPglite } from '../../control-plane/store/open-pglite.ts';
import { dueWindows, readAccount, sqlLedger } from '../../control-plane/store/sql-ledger.ts';
import { ReturnRequestSchema, SettleRequestSchema, TakeRequestSchema } from '../../proto/gen/writ/v1/leases_pb.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { random } from './random.ts';

const root = mkdtempSync(join(tmpdir(), 'writ-ledger-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const LIMIT = 1_000_000;
const YEAR = { policy: 'acme', budget: 'team', window: 'year/2026-01-01T00:00:00.000Z' };

function contextOn(store: LedgerStore, now: () => number) {
  return {
    store,
    now,
    termsOf: () =>
      new Map([['team', { name: 'team', limit: LIMIT, period: 'year' as const, timeZone: 'UTC', each: false }]]),
    onOverrun: () => undefined,
    onExpired: () => undefined,
  };
}

test('answers every call as the ledger in memory does, over many random calls', async () => {
  const database = await openPglite(join(root, 'random'));
  const dice = random(11);
  const clock = { now: Date.parse('2026-05-05T00:00:00Z') };
  const [sql, memory] = [
    contextOn(sqlLedger(database), () => clock.now),
    contextOn(new MemoryLedger(), () => clock.now),
  ];
  const seqs = new Map<string, number>();
  for (let step = 0; step < 100; step++) {
    clock.now += dice.below(30_000);
    const node = dice.pick(['n1', 'n2', 'n3']);
    const seq = Math.max(1, (seqs.get(node) ?? 0) + dice.pick([1, 1, 1, 1, 0, -1]));
    seqs.set(node, Math.max(seq, seqs.get(node) ?? 0));
    const caller = { policy: 'acme', incarnation: '0'.repeat(32), seq: BigInt(seq) };
    const spent = [{ lease: BigInt(1 + dice.below(6)), totalMicros: BigInt(dice.below(100_000)) }];
    const call: LeaseRequest = dice.pick<() => LeaseRequest>([
      () => ({
        kind: 'take',
        request: create(TakeRequestSchema, {
          caller,
          spent,
          needs: [{ budget: 'team', micros: BigInt(dice.below(200_000)) }],
        }),
      }),
      () => ({ kind: 'settle', request: create(SettleRequestSchema, { caller, spent }) }),
      () => ({ kind: 'return', request: create(ReturnRequestSchema, { caller, spent }) }),
    ])();
    const answer = (context: typeof sql) => leaseCall(context, node, call).catch((error: unknown) => String(error));
    expect(await answer(sql), `step ${step}`).toEqual(await answer(memory));
  }
  const { charged } = await readAccount(database, YEAR);
  expect(charged).toBeGreaterThan(0);
  // In a fresh window, so that there is something to take.
  clock.now = Date.parse('2027-05-05T00:00:00Z');
  const next = { ...YEAR, window: 'year/2027-01-01T00:00:00.000Z' };
  const caller = { policy: 'acme', incarnation: '0'.repeat(32), seq: 1n };
  await leaseCall(sql, 'n4', {
    kind: 'take',
    request: create(TakeRequestSchema, { caller, needs: [{ budget: 'team', micros: 1n }] }),
  });
  expect(await dueWindows(database, clock.now, 10)).not.toContainEqual(next);
  clock.now += 200_000;
  expect(await dueWindows(database, clock.now, 10)).toContainEqual(next);
  await database.close();
});

describe('a folder', () => {
  test('that is open is not opened twice; one that a dead process left is', async () => {
    const folder = join(root, 'lock');
    const database = await openPglite(folder);
    await expect(openPglite(folder)).rejects.toMatchObject({ code: 'locked' });
    await database.close();
    writeFileSync(join(folder, 'lock'), JSON.stringify({ pid: 999_999_999, startTime: '1' }));
    await (await openPglite(folder)).close();
    // Of this process's number, but of an earlier one, as in a container that was started again.
    writeFileSync(join(folder, 'lock'), JSON.stringify({ pid: process.pid, startTime: '1' }));
    await (await openPglite(folder)).close();
    writeFileSync(join(folder, 'lock'), JSON.stringify({ pid: process.ppid, startTime: null }));
    await expect(openPglite(folder)).rejects.toThrow(`another control plane (process ${process.ppid}) has the folder`);
  });

  test('that is none is an error', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(openPglite(join(root, 'file'))).rejects.toThrow();
  });
});

describe('a control plane that is killed', () => {
  test('in the middle of a transaction has all that it answered, and nothing by half', async () => {
    const folder = join(root, 'killed');
    const printed: string[] = [];
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, [fileURLToPath(new URL('killed-ledger.ts', import.meta.url)), folder], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let text = '';
      child.stdout.on('data', (data: Buffer) => {
        text += data.toString();
        if (text.split('\n').length > 20 + 7 * round) child.kill('SIGKILL');
      });
      await new Promise((resolve) => child.once('close', resolve));
      const last = text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1) ?? '';
      printed.push(last);
      const answered: { seq: number; spent: number; granted: number } = JSON.parse(last);
      const database = await openPglite(folder);
      const [lease] = await database.query('select * from leases where id = 1');
      const [call] = await database.query('select seq from lease_calls');
      const account = await readAccount(database, {
        ...YEAR,
        window: `year/${new Date().getUTCFullYear()}-01-01T00:00:00.000Z`,
      });
      // The call after the last that was printed may have been committed.
      expect(Number(call?.['seq'])).toBeGreaterThanOrEqual(answered.seq);
      expect(Number(call?.['seq'])).toBeLessThanOrEqual(answered.seq + 1);
      expect(Number(lease?.['charged'])).toBeGreaterThanOrEqual(answered.spent);
      expect(Number(lease?.['granted'])).toBeGreaterThanOrEqual(answered.granted);
      expect(account.charged + account.outstanding).toBe(Number(lease?.['granted']));
      expect(account.charged).toBe(Number(lease?.['charged']));
      // The next round begins anew, with call 1.
      await database.query('delete from lease_calls');
      await database.query('delete from leases');
      await database.query('delete from accounts');
      await database.query('alter table leases alter column id restart with 1');
      await database.close();
    }
    expect(printed).toHaveLength(3);
  });
});
