// Streams together: changes are gathered, silence ends a stream, refusals are kept, and each limit holds.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addQuarantine, listQuarantine } from '../../control-plane/store/node-store.ts';
import { openPglite } from '../../control-plane/store/open-pglite.ts';
import {
  ACK_MS_MAX,
  AdsHub,
  DEBOUNCE_MS,
  DEBOUNCE_MS_MAX,
  QUARANTINE_MAX,
  SERVED_AT_ONCE,
  STREAMS_MAX,
} from '../../control-plane/xds/ads-hub.ts';
import { encodeDeltaResponse, responseEncoder } from '../../control-plane/xds/encode-response.ts';
import type { DeltaRequest, DeltaResponse } from '../../control-plane/xds/delta-session.ts';
import type { Snapshot } from '../../control-plane/xds/snapshot.ts';
import { VirtualTime } from '../leases/virtual-time.ts';

const T = 'type.googleapis.com/test.Thing';

function snapshot(version: string): Snapshot {
  return new Map([[T, new Map([['a', { name: 'a', version, encoded: new Uint8Array() }]])]]);
}

function request(changes: Partial<DeltaRequest> = {}): DeltaRequest {
  return { typeUrl: T, subscribe: [], unsubscribe: [], initialVersions: new Map(), nonce: '', ...changes };
}

function bench() {
  const time = new VirtualTime();
  const nacks: string[] = [];
  const hub = new AdsHub({
    snapshot: snapshot('1'),
    later: (action, ms) => time.later(action, ms),
    onAck: () => undefined,
    onNack: (node) => nacks.push(node),
  });
  const connect = (node: string) => {
    const sent: DeltaResponse[] = [];
    const closed: string[] = [];
    const stream = hub.open({ node, send: (response) => sent.push(response), close: (reason) => closed.push(reason) });
    return {
      sent,
      closed,
      stream,
      versions: () => sent.map(({ resources }) => resources[0]?.version),
      acknowledge: (error?: string) =>
        stream?.receive(request({ nonce: sent.at(-1)?.nonce ?? '', ...(error === undefined ? {} : { error }) })),
    };
  };
  return { time, hub, nacks, connect };
}

describe('changes', () => {
  test('that come together go out as one, and never wait too long', async () => {
    const { time, hub, connect } = bench();
    const client = connect('n1');
    client.stream?.receive(request());
    client.acknowledge();
    const sentAt: number[] = [];
    for (let version = 2; version < 100; version++) {
      hub.publish(snapshot(`${version}`));
      await time.run(time.now + DEBOUNCE_MS - 1);
      if (client.sent.length > 1) sentAt.push(time.now);
    }
    expect(sentAt[0]).toBeLessThanOrEqual(DEBOUNCE_MS_MAX + DEBOUNCE_MS);
    client.acknowledge();
    await time.run(time.now + DEBOUNCE_MS_MAX);
    client.acknowledge();
    expect(client.versions().at(-1)).toBe('99');
    expect(client.sent.length).toBeLessThan(6);
  });

  test('are written to so many streams in a turn, and a newer one takes over in between', async () => {
    const { time, hub, connect } = bench();
    const clients = Array.from({ length: 2 * SERVED_AT_ONCE + 1 }, (_, index) => connect(`n${index}`));
    for (const client of clients) {
      client.stream?.receive(request());
      client.acknowledge();
    }
    const served = (version: string): number => clients.filter((client) => client.versions().at(-1) === version).length;
    hub.publish(snapshot('2'));
    time.later(() => expect(served('2')).toBe(SERVED_AT_ONCE), DEBOUNCE_MS);
    time.later(() => hub.publish(snapshot('3')), DEBOUNCE_MS);
    await time.run(DEBOUNCE_MS);
    expect(served('2')).toBe(clients.length);
    for (const client of clients) client.acknowledge();
    await time.run(2 * DEBOUNCE_MS);
    expect(served('3')).toBe(clients.length);
  });

  test('reach every stream that asked', async () => {
    const { time, hub, connect } = bench();
    const clients = ['n1', 'n2', 'n3'].map(connect);
    for (const client of clients.slice(0, 2)) {
      client.stream?.receive(request());
      client.acknowledge();
    }
    hub.publish(snapshot('2'));
    await time.run(DEBOUNCE_MS);
    expect(clients.map((client) => client.versions())).toEqual([['1', '2'], ['1', '2'], []]);
  });
});

describe('a stream', () => {
  test('whose client says nothing is ended; one that answers is not', async () => {
    const { time, connect } = bench();
    const [silent, alive] = [connect('n1'), connect('n2')];
    for (const { stream } of [silent, alive]) stream?.receive(request());
    alive.acknowledge();
    await time.run(ACK_MS_MAX - 1);
    expect(silent.closed).toEqual([]);
    await time.run(ACK_MS_MAX);
    expect([silent.closed.length, alive.closed.length]).toEqual([1, 0]);
  });

  test('that has ended gets nothing more and holds no place', async () => {
    const { time, hub, connect } = bench();
    const client = connect('n1');
    client.stream?.receive(request());
    expect([hub.streams, hub.isConnected('n1')]).toEqual([1, true]);
    client.stream?.end();
    hub.publish(snapshot('2'));
    await time.run(2 * ACK_MS_MAX);
    expect([hub.streams, hub.isConnected('n1'), client.sent.length, client.closed.length]).toEqual([0, false, 1, 0]);
  });

  test('too many is refused', () => {
    const { hub, connect } = bench();
    for (let index = 0; index < STREAMS_MAX; index++) connect(`n${index}`);
    expect(connect('one more').stream).toBeUndefined();
    hub.close();
    expect(connect('now').stream).toBeDefined();
  });
});

describe('an encoder', () => {
  const response = (version: string, nonce: string, removed: readonly string[] = []): DeltaResponse => ({
    typeUrl: T,
    nonce,
    removed,
    resources: [...(snapshots.get(version)?.get(T)?.values() ?? [])],
  });
  const snapshots = new Map(['1', '2'].map((version) => [version, snapshot(version)]));

  test('gives the same bytes to streams of one age, and its own to any other', () => {
    const encode = responseEncoder();
    const first = encode(response('1', '7'));
    expect(encode(response('1', '7'))).toBe(first);
    for (const other of [
      response('1', '8'),
      response('2', '7'),
      response('1', '7', ['x']),
      { ...response('1', '7'), typeUrl: 'u' },
    ]) {
      expect(encode(other)).not.toBe(first);
      expect(encode(other)).toEqual(encodeDeltaResponse(other));
    }
  });
});

describe('a refusal', () => {
  test('holds for that node on every stream, and for no other node', () => {
    const { nacks, connect } = bench();
    const first = connect('n1');
    first.stream?.receive(request());
    first.acknowledge('no');
    expect(nacks).toEqual(['n1']);
    const [again, other] = [connect('n1'), connect('n2')];
    again.stream?.receive(request({ subscribe: ['a'] }));
    other.stream?.receive(request({ subscribe: ['a'] }));
    expect([again.versions(), other.versions()]).toEqual([[], ['1']]);
  });

  test('is kept until a thousand others of the node have come', () => {
    const { hub, connect } = bench();
    const isSent = (): boolean => {
      const client = connect('n1');
      client.stream?.receive(request({ subscribe: ['a'] }));
      return client.versions().includes('1');
    };
    hub.quarantine('n1', T, 'a', '1');
    for (let index = 1; index < QUARANTINE_MAX; index++) hub.quarantine('n1', T, 'b', `${index}`);
    expect(isSent()).toBe(false);
    hub.quarantine('n1', T, 'b', 'one more');
    expect(isSent()).toBe(true);
  });

  test('is stored once, and as many as are kept', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'writ-nodes-'));
    const database = await openPglite(folder);
    const row = (at: number) => ({ node: 'n1', typeUrl: T, resource: 'a', version: `${at}`, message: 'no', at });
    await database.transaction(async (tx) => {
      for (let at = 0; at < QUARANTINE_MAX; at++)
        await tx.query("insert into quarantine values ('n1', $1, 'a', $2, 'no', $3)", [T, `${at}`, at]);
    });
    await addQuarantine(database, row(5));
    expect(await listQuarantine(database)).toHaveLength(QUARANTINE_MAX);
    await addQuarantine(database, row(QUARANTINE_MAX));
    const kept = await listQuarantine(database);
    expect([kept.length, kept[0]?.version]).toEqual([QUARANTINE_MAX, '1']);
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });
});
