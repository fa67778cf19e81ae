// Envoy's access log to the sidecar's socket: from a gRPC client entry by entry, and from the real Envoy, where a filter
// leaves a decision as the filter state that the logger is told to send.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import type { Message } from '@bufbuild/protobuf';
import { anyPack, BytesValueSchema, DoubleValueSchema, StringValueSchema } from '@bufbuild/protobuf/wkt';
import type { Any } from '@bufbuild/protobuf/wkt';
import grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { start as startEnvoy } from '../../examples/parts/envoy.ts';
import { createGrpcServer, listen } from '../../filters/door/grpc-server.ts';
import { DECISION_BYTES_MAX, RECORDS_MAX, readAccessLogMessage } from '../../filters/sidecar/access-log-entry.ts';
import { STREAMS_MAX, addAccessLogService } from '../../filters/sidecar/access-log-service.ts';
import { DecisionLog } from '../../filters/sidecar/decision-log.ts';
import { createMetrics } from '../../filters/sidecar/metrics.ts';
import { HTTPAccessLogEntrySchema } from '../../proto/gen/envoy/data/accesslog/v3/accesslog_pb.ts';
import { AccessLogService, StreamAccessLogsMessageSchema } from '../../proto/gen/envoy/service/accesslog/v3/als_pb.ts';
import type {
  StreamAccessLogsMessage,
  StreamAccessLogsResponse,
} from '../../proto/gen/envoy/service/accesslog/v3/als_pb.ts';
import { grpcMethod } from '../../proto/grpc-call.ts';
import { DECISION_STATE } from '../../proto/route-key.ts';
import { liveBytes } from '../bench/live-bytes.ts';
import { settles } from './settles.ts';

const REVISION = 'ab'.repeat(32);
const RECORD = { event: 'prompt', outcome: 'deny', fired: ['no_cards'], redact: [{ detector: 'payment_card' }] };
/** What a client may choose and no log may hold. */
const SECRET = 'ada-4111111111111111';

const decision = (changes: object = {}, records: readonly unknown[] = [RECORD]): string =>
  [{ revision: REVISION, end: 'forwarded', spentMicros: 12, ...changes }, ...records]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
const asBytes = (text: string): Any =>
  anyPack(BytesValueSchema, create(BytesValueSchema, { value: Buffer.from(text) }));
const asString = (value: string): Any => anyPack(StringValueSchema, create(StringValueSchema, { value }));
const entryOf = (state: Any | undefined) =>
  create(HTTPAccessLogEntrySchema, {
    commonProperties: {
      streamId: SECRET,
      routeName: SECRET,
      filterStateObjects: {
        ...(state === undefined ? {} : { [DECISION_STATE]: state }),
        'wasm.other': asString(SECRET),
      },
    },
    request: { path: `/v1?q=${SECRET}`, requestId: SECRET, userAgent: SECRET, requestHeaders: { cookie: SECRET } },
  });

const messageOf = (...states: (Any | undefined)[]): Uint8Array =>
  toBinary(
    StreamAccessLogsMessageSchema,
    create(StreamAccessLogsMessageSchema, {
      logEntries: { case: 'httpLogs', value: { logEntry: states.map(entryOf) } },
    }),
  );

let folder: string;
let socketPath: string;
let server: grpc.Server;
let log: DecisionLog;
let metrics: ReturnType<typeof createMetrics>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-access-log-'));
  socketPath = join(folder, 'sidecar.sock');
});

beforeEach(async () => {
  server?.forceShutdown();
  await log?.close();
  rmSync(join(folder, 'decisions.log'), { force: true });
  log = new DecisionLog({
    path: join(folder, 'decisions.log'),
    node: 'node-1',
    policy: 'acme',
    now: () => new Date(0),
    alarm: () => undefined,
  });
  metrics = createMetrics({
    exchanges: () => 0,
    pseudonyms: () => ({ hasKey: false, masked: 0 }),
    filterBytes: () => 0,
    sequence: () => ({ verified: 0, enforcing: 0 }),
    alarms: () => 0,
    budgets: undefined,
    logDropped: () => log.dropped,
    samples: { waiting: 0, sent: 0, dropped: 0 },
    records: { waiting: 0, waitingBytes: 0, sent: 0, failed: 0 },
    grants: () => new Map(),
    connected: () => ({ envoy: 0, controlPlane: 0 }),
  });
  server = createGrpcServer({ messageBytesMax: 16 * 1024 * 1024 });
  addAccessLogService(server, { log, metrics });
  await listen(server, socketPath);
});

afterAll(async () => {
  server?.forceShutdown();
  await log?.close();
  rmSync(folder, { recursive: true, force: true });
});

const lines = (): string[] => {
  try {
    return readFileSync(join(folder, 'decisions.log'), 'utf8').split('\n').filter(Boolean);
  } catch {
    // Nothing was written yet.
    return [];
  }
};

/** Opens a stream; `ended` is its status. */
function openStream(client: grpc.Client) {
  const { path, requestSerialize, responseDeserialize } = grpcMethod(AccessLogService.method.streamAccessLogs);
  let done: (status: grpc.status) => void = () => undefined;
  const ended = new Promise<grpc.status>((resolve) => (done = resolve));
  const call: grpc.ClientWritableStream<Message> = client.makeClientStreamRequest<Message, StreamAccessLogsResponse>(
    path,
    (message) => requestSerialize(message as StreamAccessLogsMessage),
    responseDeserialize,
    (error) => done(error === null ? grpc.status.OK : error.code),
  );
  return { call, ended };
}

async function send(...states: (Any | undefined)[]): Promise<grpc.status> {
  const client = new grpc.Client(`unix:${socketPath}`, grpc.credentials.createInsecure());
  const { call, ended } = openStream(client);
  call.write(
    create(StreamAccessLogsMessageSchema, {
      logEntries: { case: 'httpLogs', value: { logEntry: states.map(entryOf) } },
    }),
  );
  call.end();
  const status = await ended;
  client.close();
  return status;
}

const counted = async (result: string): Promise<number> =>
  Number(
    new RegExp(`writ_access_log_entries_total\\{result="${result}"\\} (\\d+)`).exec(
      await metrics.registry.metrics(),
    )?.[1] ?? 0,
  );

describe('an entry', () => {
  test.each([
    ['bytes, as a wasm filter sets it', asBytes],
    ['a string', asString],
  ])(
    'with a decision in %s becomes a line of the decision log, and is counted like one of the other door',
    async (_, pack) => {
      expect(await send(pack(decision({}, [RECORD, { ...RECORD, event: 'completion' }])))).toBe(grpc.status.OK);
      await settles(() => lines().length === 2);
      expect(lines().map((line) => JSON.parse(line))).toMatchObject([
        {
          labels: { id: 'node-1', app: 'writ' },
          bundles: { acme: { revision: REVISION } },
          path: 'writ/decision',
          result: RECORD,
        },
        { result: { event: 'completion' } },
      ]);
      const [first, second] = lines().map((line) => JSON.parse(line));
      expect(first.trace_id).toBe(second.trace_id);
      const text = await metrics.registry.metrics();
      expect(text).toContain('writ_exchanges_total{end="complete"} 1');
      expect(text).toContain('writ_decisions_total{event="prompt",outcome="deny"} 1');
      expect(text).toContain('writ_redactions_total{detector="payment_card"} 2');
      expect(text).toContain('writ_spent_micros_total 12');
      expect(await counted('taken')).toBe(1);
    },
  );

  test('gives the log nothing that a client has chosen', async () => {
    await send(asBytes(decision()), asBytes('{'), undefined);
    await settles(() => lines().length === 1);
    expect(`${lines().join('\n')}${await metrics.registry.metrics()}`).not.toContain(SECRET);
  });

  test('of a request that the filter did not decide is counted', async () => {
    await send(undefined, asBytes(decision()));
    expect([await counted('no_decision'), await counted('taken')]).toEqual([1, 1]);
  });

  test.each([
    ['no JSON', asBytes('{"revision":\n')],
    ['nothing in it', asBytes('')],
    ['no UTF-8', anyPack(BytesValueSchema, create(BytesValueSchema, { value: Uint8Array.of(0xff) }))],
    ['another type', anyPack(DoubleValueSchema, create(DoubleValueSchema, { value: 1 }))],
    ['no object', asBytes('null\n')],
    ['a revision that is none', asBytes(decision({ revision: '../etc' }))],
    ['an end that is none', asBytes(decision({ end: 'perhaps' }))],
    ['an amount that is none', asBytes(decision({ spentMicros: -1 }))],
    ['records that are none', asBytes(decision({}, [1]))],
    ['a record that is no JSON', asBytes(`${decision()}{\n`)],
    ['a record that is cut off', asBytes(`${decision()}{}`)],
    [
      'too many records',
      asBytes(
        decision(
          {},
          Array.from({ length: RECORDS_MAX + 1 }, () => ({})),
        ),
      ),
    ],
    ['too many bytes', asBytes(decision({ more: 'x'.repeat(DECISION_BYTES_MAX) }))],
  ])('with %s is counted as malformed, and those after it are taken', async (_, state) => {
    expect(await send(state, asBytes(decision()))).toBe(grpc.status.OK);
    expect([await counted('malformed'), await counted('taken')]).toEqual([1, 1]);
    await settles(() => lines().length === 1);
  });

  test('may have as many records as the limit says', () => {
    const records = Array.from({ length: RECORDS_MAX }, () => ({}));
    expect(readAccessLogMessage(messageOf(asBytes(decision({}, records))))).toMatchObject([
      { kind: 'exchange', exchange: { records: { length: RECORDS_MAX } } },
    ]);
  });

  test('whose usage is not known counts no spend', async () => {
    await send(asBytes(decision({ spentMicros: null, end: 'aborted' })));
    const text = await metrics.registry.metrics();
    expect(text).toContain('writ_exchanges_total{end="aborted"} 1');
    expect(text).toContain('writ_spent_micros_total 0');
  });
});

describe('what is kept of entries', () => {
  const MEGABYTE = 1 << 20;
  const told = async (from: number, to: number): Promise<void> => {
    for (let at = from; at < to; at += 50)
      await send(
        ...Array.from({ length: 50 }, (_, i) =>
          asBytes(decision({ spentMicros: at + i }, [{ ...RECORD, at: at + i }])),
        ),
      );
    // The lines that wait for the disk, and the counts that wait for a reader.
    await settles(() => log.written + log.dropped === to);
    await metrics.registry.metrics();
  };

  test('does not grow with their number', { timeout: 60_000 }, async () => {
    // Both of the caches are as full as they get.
    await told(0, 2_000);
    const before = await liveBytes();
    await told(2_000, 20_000);
    expect((await liveBytes()) - before).toBeLessThan(2 * MEGABYTE);
  });

  test('does not hold the messages that they came in', async () => {
    const before = await liveBytes();
    const long = { ...RECORD, fired: ['x'.repeat(MEGABYTE / 2)] };
    for (let at = 0; at < 100; at++) {
      const read = readAccessLogMessage(messageOf(asBytes(decision({ spentMicros: at }, [{ ...RECORD, at }, long]))));
      for (const entry of read)
        if (entry.kind === 'exchange')
          metrics.exchangeEnded('complete', { records: entry.exchange.records, spentMicros: at });
    }
    expect((await liveBytes()) - before).toBeLessThan(8 * MEGABYTE);
  });
});

test(`at most ${STREAMS_MAX} streams are open, and one that ends makes room`, async () => {
  const client = new grpc.Client(`unix:${socketPath}`, grpc.credentials.createInsecure());
  const message = create(StreamAccessLogsMessageSchema, {
    logEntries: { case: 'httpLogs', value: { logEntry: [entryOf(asBytes(decision()))] } },
  });
  const streams = Array.from({ length: STREAMS_MAX }, () => openStream(client));
  for (const { call } of streams) call.write(message);
  await settles(async () => (await counted('taken')) === STREAMS_MAX);
  const refused = openStream(client);
  refused.call.write(message);
  expect(await refused.ended).toBe(grpc.status.RESOURCE_EXHAUSTED);
  streams[0]?.call.end();
  expect(await streams[0]?.ended).toBe(grpc.status.OK);
  const taken = openStream(client);
  taken.call.end();
  expect(await taken.ended).toBe(grpc.status.OK);
  for (const { call } of streams) call.cancel();
  await Promise.all(streams.map(({ ended }) => ended));
  client.close();
}, 60_000);

describe('the real Envoy', () => {
  test('sends what a filter left, and nothing of the request comes through', async () => {
    const envoy = await startEnvoy({ config: bootstrap(), concurrency: 2 });
    try {
      const port = (await envoy.listenerPorts()).get('writ');
      const answers = await Promise.all(
        Array.from({ length: 20 }, () =>
          fetch(`http://127.0.0.1:${port}/v1/chat?q=${SECRET}`, {
            method: 'POST',
            headers: { cookie: SECRET, 'user-agent': SECRET, 'x-request-id': SECRET },
            body: SECRET,
          }),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
      await settles(() => lines().length === 20);
      expect(lines().map((line) => JSON.parse(line).result)).toEqual(Array.from({ length: 20 }, () => RECORD));
      expect(await counted('taken')).toBe(20);
      expect(lines().join('\n')).not.toContain(SECRET);
    } finally {
      await envoy.stop();
    }
  }, 60_000);
});

/** One listener that answers 200, whose filter sets the decision as the filter inside Envoy does. */
function bootstrap(): object {
  const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;
  const connectionManager = {
    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'writ',
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }] },
      ],
    },
    access_log: [
      {
        name: 'writ',
        typed_config: {
          '@type': type('access_loggers.grpc.v3.HttpGrpcAccessLogConfig'),
          common_config: {
            log_name: 'writ',
            transport_api_version: 'V3',
            buffer_flush_interval: '0.1s',
            grpc_service: { envoy_grpc: { cluster_name: 'sidecar' } },
            filter_state_objects_to_log: [DECISION_STATE],
          },
        },
      },
    ],
    http_filters: [
      {
        name: 'decides',
        typed_config: {
          '@type': type('filters.http.set_filter_state.v3.Config'),
          on_request_headers: [
            {
              object_key: DECISION_STATE,
              factory_key: 'envoy.string',
              format_string: { text_format_source: { inline_string: decision().replaceAll('%', '%%') } },
            },
          ],
        },
      },
      { name: 'router', typed_config: { '@type': type('filters.http.router.v3.Router') } },
    ],
  };
  return {
    node: { id: 'node-1', cluster: 'acme' },
    static_resources: {
      listeners: [
        {
          name: 'writ',
          address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
          filter_chains: [
            { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: connectionManager }] },
          ],
        },
      ],
      clusters: [
        {
          name: 'sidecar',
          type: 'STATIC',
          load_assignment: {
            cluster_name: 'sidecar',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: socketPath } } } }] }],
          },
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': type('upstreams.http.v3.HttpProtocolOptions'),
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
        },
      ],
    },
  };
}
