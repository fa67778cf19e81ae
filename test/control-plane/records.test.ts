// Records of exchanges in the control plane, on a clock that the test sets: entered once, completed by their end, read by
// admins of whom that is kept, and deleted when their time is over.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  enterRecord,
  forgetOldRecords,
  readRecord,
  readRecords,
  READS_KEPT_MS,
  recordReads,
  RECORDS_MAX,
} from '../../control-plane/records/records.ts';
import type { Database } from '../../control-plane/store/database.ts';
import { openPglite } from '../../control-plane/store/open-pglite.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import { KeepSchema, type KeptExchange, KeptExchangeSchema } from '../../proto/gen/writ/v1/filter_keeps_pb.ts';
import { RecordDesk, Records } from '../../proto/gen/writ/v1/records_pb.ts';
import { unaryCall } from '../../proto/grpc-call.ts';
import { admin, node, startTestControlPlane, testBundle, testRelease } from './fixtures.ts';

const DAY = 86_400_000;
const PROMPT = '[{"role":"user","content":"sign it"}]';
const REPLY = '[{"role":"assistant","content":"signed"}]';

interface Told {
  readonly id?: Uint8Array;
  readonly callerId?: string;
  readonly keeps?: readonly { readonly rule: string; readonly milliseconds: bigint }[];
  readonly prompt?: string;
  readonly reply?: string;
  readonly ended?: boolean;
  readonly atMs?: bigint;
}

describe('a record', () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-records-'));
  let database: Database;
  let time = 1_800_000_000_000;
  const context = {
    now: () => time,
    get database() {
      return database;
    },
  };
  let policies = 0;
  let policy = '';

  beforeAll(async () => {
    database = await openPglite(folder);
  });
  afterAll(async () => {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    policy = `recorded-${policies++}`;
  });

  function kept({ keeps = [{ rule: 'r', milliseconds: BigInt(DAY) }], ...more }: Told = {}): KeptExchange {
    return create(KeptExchangeSchema, {
      id: Uint8Array.from(randomBytes(16)),
      callerId: 'u1',
      model: 'm',
      prompt: PROMPT,
      ended: true,
      atMs: BigInt(time),
      ...more,
      keeps: keeps.map((keep) => create(KeepSchema, keep)),
    });
  }
  const enter = (told: KeptExchange): Promise<void> => enterRecord(context, { policy, node: 'n1', kept: told });
  const read = async (more: { readonly caller?: string; readonly after?: number } = {}) =>
    readRecords(context, 'ada', { verb: 'export', policy, caller: '', after: 0, ...more });

  test('begins with its prompt, and is completed by its end, once', async () => {
    const id = Uint8Array.from(randomBytes(16));
    await enter(kept({ id, ended: false }));
    expect((await read()).records).toMatchObject([{ prompt: PROMPT, reply: '', ended: false }]);
    await enter(kept({ id, reply: REPLY }));
    await enter(kept({ id, reply: '[]' }));
    await enter(kept({ id, ended: false }));
    expect((await read()).records).toMatchObject([{ reply: REPLY, ended: true, callerId: 'u1', node: 'n1' }]);
  });

  test('is kept for as long as its rules say, the longest of them, from when the request came, and then deleted', async () => {
    await enter(
      kept({
        atMs: BigInt(time - DAY),
        keeps: [
          { rule: 'short', milliseconds: BigInt(DAY) },
          { rule: 'long', milliseconds: BigInt(3 * DAY) },
        ],
      }),
    );
    time += 2 * DAY - 1;
    await forgetOldRecords(context);
    expect((await read()).records).toHaveLength(1);
    const { id } = (await read()).records[0]!;
    time += 1;
    // Over is over, whether somebody has come to delete it or not.
    expect((await read()).records).toEqual([]);
    await expect(readRecord(context, 'ada', id)).rejects.toMatchObject({ code: 'not_found' });
    await forgetOldRecords(context);
    expect(await database.query('select * from records where policy = $1', [policy])).toEqual([]);
  });

  test('a completion’s rule lengthens the time of its prompt’s, and nothing shortens it', async () => {
    const id = Uint8Array.from(randomBytes(16));
    await enter(kept({ id, ended: false, keeps: [{ rule: 'long', milliseconds: BigInt(5 * DAY) }] }));
    await enter(kept({ id, keeps: [{ rule: 'short', milliseconds: BigInt(DAY) }] }));
    expect((await read()).records).toMatchObject([{ deleteAt: time + 5 * DAY }]);
  });

  test('a clock that is ahead makes no record younger than it is', async () => {
    await enter(kept({ atMs: BigInt(time + 10 * DAY) }));
    expect((await read()).records).toMatchObject([{ at: time, deleteAt: time + DAY }]);
  });

  test('who has read, and what, is kept', async () => {
    await enter(kept());
    const { id } = (await readRecords(context, 'ada', { verb: 'list', policy, caller: '', after: 0 })).records[0]!;
    time += 1;
    await readRecord(context, 'bob', id);
    time += 1;
    await read({ caller: 'somebody else' });
    expect(await recordReads(context, policy)).toMatchObject([
      { reader: 'ada', verb: 'export', record: 0, count: 0, at: time },
      { reader: 'bob', verb: 'show', record: id, count: 1, at: time - 1 },
      { reader: 'ada', verb: 'list', record: 0, count: 1, at: time - 2 },
    ]);
    time += READS_KEPT_MS;
    await forgetOldRecords(context);
    expect(await recordReads(context, policy)).toEqual([]);
  });

  test('records are read page by page, of one caller or of all', async () => {
    for (let i = 0; i <= RECORDS_MAX; i++) await enter(kept({ callerId: i === 0 ? 'u2' : 'u1' }));
    const first = await read();
    const second = await read({ after: first.next });
    expect([first.records.length, second.records.length, second.next]).toEqual([RECORDS_MAX, 1, 0]);
    expect((await read({ caller: 'u2' })).records).toHaveLength(1);
  });

  test.each([
    ['an id that is none', { id: Uint8Array.of(1) }],
    ['no rule', { keeps: [] }],
    ['no time', { keeps: [{ rule: 'r', milliseconds: 0n }] }],
    ['a time without end', { keeps: [{ rule: 'r', milliseconds: 36_501n * 86_400_000n }] }],
    ['no prompt', { prompt: '' }],
    ['a reply without end', { reply: 'x'.repeat(65_537) }],
  ] as const)('%s is refused', async (_, more) => {
    await expect(enter(kept(more))).rejects.toMatchObject({ code: 'malformed' });
  });
});

test('nodes enter records, admins read them, and nobody does what is the others’', async () => {
  const call = { timeoutMs: 10_000 };
  const control = await startTestControlPlane();
  try {
    await unaryCall(control.client(admin), Admin.method.push, testRelease(testBundle('records'), 1), call);
    const told = {
      policy: 'acme',
      kept: {
        id: Uint8Array.from(randomBytes(16)),
        callerId: 'u1',
        model: 'm',
        prompt: PROMPT,
        ended: true,
        atMs: BigInt(Date.now()),
        keeps: [{ rule: 'r', milliseconds: BigInt(DAY) }],
      },
    };
    await unaryCall(control.client(node('n1')), Records.method.enter, told, call);
    await expect(unaryCall(control.client(admin), Records.method.enter, told, call)).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    });
    await expect(unaryCall(control.client(node('n1')), RecordDesk.method.read, {}, call)).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    });
    const client = control.client(admin);
    const { records } = await unaryCall(client, RecordDesk.method.read, { policy: 'acme' }, call);
    expect(records).toMatchObject([{ callerId: 'u1', prompt: '', rules: ['r'] }]);
    expect(await unaryCall(client, RecordDesk.method.show, { id: records[0]!.id }, call)).toMatchObject({
      prompt: PROMPT,
    });
    const { reads } = await unaryCall(client, RecordDesk.method.reads, { policy: 'acme' }, call);
    expect(reads.map(({ verb, reader }) => [verb, reader])).toEqual([
      ['show', 'alice'],
      ['list', 'alice'],
    ]);
    expect(control.logged.join('\n')).not.toContain('sign it');
  } finally {
    await control.stop();
  }
});
