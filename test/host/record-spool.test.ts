// Records on the sidecar's disk: there before it is said that they are, after a start as before, and no more than may.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../../examples/parts/free-port.ts';
import { recordKeeper } from '../../filters/sidecar/keeps/record-keeper.ts';
import { RecordSpool } from '../../filters/sidecar/keeps/record-spool.ts';
import { KeepSchema, type KeptExchange, KeptExchangeSchema } from '../../proto/gen/writ/v1/filter_keeps_pb.ts';
import {
  type EnterRecordReply,
  EnterRecordReplySchema,
  type EnterRecordRequest,
  Records,
} from '../../proto/gen/writ/v1/records_pb.ts';
import { grpcService } from '../../proto/grpc-call.ts';
import { settles } from '../e2e/settles.ts';

let folder: string;
const cleanups: (() => Promise<void> | void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-spool-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  rmSync(folder, { recursive: true, force: true });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const said = (spool: RecordSpool): string[] => {
  const all: string[] = [];
  for (let first = spool.first(); first !== undefined; first = spool.first()) {
    all.push(Buffer.from(first.bytes).toString());
    spool.remove(first.number);
  }
  return all;
};

test('records are there after a start, in their order; half of one is not', () => {
  const spool = new RecordSpool({ folder });
  for (const text of ['1', '2', '3']) expect(spool.add(bytes(text))).toBe(true);
  writeFileSync(join(folder, '0000000000000009.record.new'), 'half');
  const again = new RecordSpool({ folder });
  expect(again).toMatchObject({ files: 3, bytes: 3 });
  expect(again.add(bytes('4'))).toBe(true);
  expect(said(again)).toEqual(['1', '2', '3', '4']);
  expect(readdirSync(folder)).toEqual([]);
  expect(again).toMatchObject({ files: 0, bytes: 0 });
});

test('no more files, and no more bytes, than may', () => {
  const few = new RecordSpool({ folder, filesMax: 2 });
  expect([few.add(bytes('1')), few.add(bytes('2')), few.add(bytes('3'))]).toEqual([true, true, false]);
  few.remove(few.first()!.number);
  expect(few.add(bytes('3'))).toBe(true);
  const small = new RecordSpool({ folder: join(folder, 'small'), bytesMax: 4 });
  expect([small.add(bytes('123')), small.add(bytes('45')), small.add(bytes('4'))]).toEqual([true, false, true]);
});

test('a disk that does not take it says so', () => {
  const spool = new RecordSpool({ folder });
  rmSync(folder, { recursive: true });
  expect(spool.add(bytes('1'))).toBe(false);
  expect(spool.files).toBe(0);
});

const kept = (prompt: string): KeptExchange =>
  create(KeptExchangeSchema, {
    id: new Uint8Array(16),
    prompt,
    keeps: [create(KeepSchema, { rule: 'r', milliseconds: 1n })],
  });

async function startPlane(port: number, refuses = false): Promise<string[]> {
  const told: string[] = [];
  const server = new grpc.Server();
  server.addService(grpcService(Records), {
    enter: (
      { request }: grpc.ServerUnaryCall<EnterRecordRequest, EnterRecordReply>,
      callback: grpc.sendUnaryData<EnterRecordReply>,
    ) => {
      told.push(request.kept?.prompt ?? '');
      if (refuses) callback({ code: grpc.status.INVALID_ARGUMENT, details: 'no' });
      else callback(null, create(EnterRecordReplySchema));
    },
  });
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
  cleanups.push(() => server.forceShutdown());
  return told;
}

function keeper(port: number, spool = new RecordSpool({ folder }), alarms: string[] = []) {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 100,
  });
  cleanups.push(() => client.close());
  const records = recordKeeper(client, 'acme', spool, (message) => alarms.push(message));
  cleanups.push(() => records.stop(0));
  return records;
}

test('while the control plane is gone records are kept, also over a start, and told when it is back', async () => {
  const port = await freePort();
  const before = keeper(port);
  expect([before.keep(kept('1')), before.keep(kept('2'))]).toEqual([true, true]);
  await before.stop(0);
  const after = keeper(port);
  expect(after.keep(kept('3'))).toBe(true);
  expect(after.waiting).toBe(3);
  const told = await startPlane(port);
  await settles(() => after.sent === 3, 40_000);
  expect(told).toEqual(['1', '2', '3']);
  expect(after).toMatchObject({ waiting: 0, waitingBytes: 0, failed: 0 });
});

test('where they cannot be kept that is said, once for each run of failures', async () => {
  const alarms: string[] = [];
  const records = keeper(await freePort(), new RecordSpool({ folder, filesMax: 1 }), alarms);
  expect([records.keep(kept('1')), records.keep(kept('2')), records.keep(kept('3'))]).toEqual([true, false, false]);
  expect(records.failed).toBe(2);
  expect(alarms).toHaveLength(1);
});

test('what the control plane refuses is not told again', async () => {
  const port = await freePort();
  const alarms: string[] = [];
  const told = await startPlane(port, true);
  const records = keeper(port, new RecordSpool({ folder }), alarms);
  records.keep(kept('1'));
  await settles(() => records.failed === 1);
  expect(told).toEqual(['1']);
  expect([records.waiting, alarms.length]).toEqual([0, 1]);
});

test('without a control plane nothing can be kept', () => {
  const records = recordKeeper(undefined, 'acme', new RecordSpool({ folder }), () => undefined);
  expect(records.keep(kept('1'))).toBe(false);
});
