// The processor's own HTTP/2 and gRPC, with Node's HTTP/2 client as the other side, and with frames that no client may
// send.
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ExtProcHost } from '../../filters/door/ext-proc-service.ts';
import { PROCESS_PATH } from '../../filters/door/ext-proc-service.ts';
import * as F from '../../filters/door/http2/frame.ts';
import { HEADER_BLOCK_BYTES_MAX, STREAM_WINDOW_BYTES } from '../../filters/door/http2/http2-connection.ts';
import type { ProcessorServer } from '../../filters/door/processor-server.ts';
import { startProcessorServer } from '../../filters/door/processor-server.ts';
import { NO_EDITS } from '../../filters/door/session-port.ts';
import type { SessionPort, Step } from '../../filters/door/session-port.ts';
import { ProcessingRequestSchema } from '../../proto/gen/envoy/service/ext_proc/v3/external_processor_pb.ts';
import { randomFrom, seedOfRun } from '../differential/random.ts';
import { settles } from '../e2e/settles.ts';
import type { Frame } from './frames.ts';
import { frame, split } from './frames.ts';

const MESSAGE_BYTES_MAX = 8_000_000;
const seed = seedOfRun();

let folder: string;
let socketPath: string;
let server: ProcessorServer;
let ended: string[];
let errors: string[];
/** What a session answers to a body. */
let onBody: (bytes: Uint8Array) => Step;
let bodies: number;
let reserved: Promise<{ short: undefined }>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-h2-'));
  socketPath = join(folder, 's.sock');
  ended = [];
  errors = [];
  bodies = 0;
  onBody = () => pass(undefined);
  reserved = Promise.resolve({ short: undefined });
  server = await startProcessorServer(host(), { socketPath, messageBytesMax: MESSAGE_BYTES_MAX });
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function pass(body: Uint8Array | undefined, reserve: Extract<Step, { kind: 'continue' }>['reserve'] = []): Step {
  return { kind: 'continue', headers: NO_EDITS, body: body && Uint8Array.from(body), route: undefined, reserve };
}

function host(): ExtProcHost {
  return {
    error: (error) => errors.push(error instanceof Error ? error.message : 'unknown'),
    beginExchange: () => ({
      replyBytesMax: 1e9,
      levels: async () => [],
      reserve: () => reserved,
      review: async () => ({ state: 'unreachable', ticket: '', seconds: 0 }),
      record: () => false,
      call: async () => undefined,
      end: (how) => ended.push(how),
      openSession,
    }),
  };
}

function openSession(): SessionPort {
  const nothing = new Uint8Array();
  return {
    requestHeaders: () => ({ kind: 'hold' }),
    requestBody: (bytes) => (bodies++, onBody(bytes)),
    requestTrailers: () => pass(nothing),
    responseHeaders: () => pass(nothing),
    responseBody: (bytes) => (bodies++, onBody(bytes)),
    responseTrailers: () => pass(nothing),
    levels: () => pass(nothing),
    refuseSpend: () => pass(nothing),
    review: () => pass(nothing),
    recorded: () => pass(nothing),
    callResponse: () => pass(nothing),
    outcome: () => ({ records: [], spentMicros: undefined, charged: [] }),
    free: () => undefined,
  };
}

const HEADERS = message({ case: 'requestHeaders', value: { headers: { headers: [] } } });
const REPLY_HEADERS = message({ case: 'responseHeaders', value: { headers: { headers: [] } } });
const requestBody = (body: Uint8Array<ArrayBuffer>): Buffer =>
  message({ case: 'requestBody', value: { body, endOfStream: true } });
const replyBody = (body: Uint8Array<ArrayBuffer>): Buffer =>
  message({ case: 'responseBody', value: { body, endOfStream: false } });

function message(
  request: NonNullable<Parameters<typeof create<typeof ProcessingRequestSchema>>[1]>['request'],
): Buffer {
  return framed(
    toBinary(ProcessingRequestSchema, create(ProcessingRequestSchema, request === undefined ? {} : { request })),
  );
}

function framed(bytes: Uint8Array, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

interface Call {
  readonly stream: http2.ClientHttp2Stream;
  readonly received: () => number;
  /** The bytes that came, and gRPC's status. */
  readonly over: Promise<{ readonly body: Buffer; readonly status: string; readonly message: string | undefined }>;
}

function open(session: http2.ClientHttp2Session, path = PROCESS_PATH, headers: http2.OutgoingHttpHeaders = {}): Call {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const parts: Buffer[] = [];
  let status = 'none';
  let text: string | undefined;
  const take = (fields: http2.IncomingHttpHeaders): void => {
    if (fields['grpc-status'] !== undefined) status = String(fields['grpc-status']);
    if (fields['grpc-message'] !== undefined) text = String(fields['grpc-message']);
  };
  stream.on('response', take);
  stream.on('trailers', take);
  stream.on('data', (part: Buffer) => parts.push(part));
  return {
    stream,
    received: () => parts.reduce((sum, part) => sum + part.length, 0),
    over: new Promise((resolve) => {
      stream.on('error', () => undefined);
      stream.on('close', () => resolve({ body: Buffer.concat(parts), status, message: text }));
    }),
  };
}

async function connected<T>(
  use: (session: http2.ClientHttp2Session) => Promise<T>,
  options: http2.SecureClientSessionOptions = {},
): Promise<T> {
  const session = http2.connect('http://writ', { ...options, createConnection: () => connect(socketPath) });
  session.on('error', () => undefined);
  try {
    return await use(session);
  } finally {
    session.destroy();
  }
}

describe('a call', () => {
  test('gets an answer to each message, and a status after its end', async () => {
    await connected(async (session) => {
      const { stream, over } = open(session);
      stream.write(HEADERS);
      stream.write(requestBody(Buffer.from('{}')));
      stream.end();
      const { body, status } = await over;
      // An unchanged head, and an unchanged body with a new route.
      expect([body.toString('hex'), status]).toEqual([
        `${framed(Buffer.from('0a020a00', 'hex')).toString('hex')}${framed(Buffer.from('1a040a022801', 'hex')).toString('hex')}`,
        '0',
      ]);
    });
    expect([ended, errors]).toEqual([['complete'], []]);
  });

  test('is one of many on a connection', async () => {
    const count = 1_500;
    await connected(async (session) => {
      const calls = Array.from({ length: count }, (_, i) => {
        const call = open(session, PROCESS_PATH, { 'x-request': `${i} ${'v'.repeat(i % 300)}` });
        call.stream.write(HEADERS);
        call.stream.end(requestBody(Buffer.from(`${i}`)));
        return call;
      });
      const replies = await Promise.all(calls.map(({ over }) => over));
      expect(replies.filter(({ status, body }) => status === '0' && body.length === 20)).toHaveLength(count);
    });
    expect(ended).toEqual(Array(count).fill('complete'));
  });

  test('has messages larger than all windows, both ways', async () => {
    const body = Buffer.alloc(MESSAGE_BYTES_MAX - 100, 'x');
    onBody = (bytes) => pass(Buffer.concat([Buffer.from('y'), bytes]));
    await connected(async (session) => {
      const { stream, over } = open(session);
      stream.write(HEADERS);
      stream.end(requestBody(body));
      const reply = await over;
      expect([reply.status, reply.body.includes(`y${'x'.repeat(1_000)}`), reply.body.length > body.length]).toEqual([
        '0',
        true,
        true,
      ]);
    });
  });

  test('is answered in order when something outside was asked', async () => {
    let go: (value: { short: undefined }) => void = () => undefined;
    reserved = new Promise((resolve) => (go = resolve));
    onBody = (bytes) => pass(bytes, bytes.length === 2 ? [{ budget: 'b', amount: 1 }] : []);
    await connected(async (session) => {
      const { stream, over, received } = open(session);
      stream.write(HEADERS);
      stream.write(requestBody(Buffer.from('{}')));
      stream.write(REPLY_HEADERS);
      stream.end(replyBody(Buffer.from('abc')));
      await settles(() => bodies === 1 && received() === 9);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect([bodies, received(), ended]).toEqual([1, 9, []]);
      go({ short: undefined });
      const { body, status } = await over;
      expect([bodies, status, body.toString('latin1').includes('abc')]).toEqual([2, '0', true]);
    });
    expect(ended).toEqual(['complete']);
  });

  test('whose client reads slowly is read slowly, and loses nothing', async () => {
    const chunk = Buffer.alloc(60_000, 'z');
    const count = 400;
    await connected(
      async (session) => {
        const { stream, received } = open(session);
        stream.pause();
        stream.write(HEADERS);
        stream.write(requestBody(Buffer.from('{}')));
        stream.write(REPLY_HEADERS);
        for (let i = 0; i < count; i++) stream.write(replyBody(chunk));
        stream.end();
        let before = -1;
        await settles(() => {
          const isStill = before === bodies && bodies > 1;
          before = bodies;
          return isStill;
        });
        // What the client's window takes, one answer that waits, and no more.
        expect(bodies * chunk.length).toBeLessThan(STREAM_WINDOW_BYTES);
        stream.resume();
        await new Promise((resolve) => stream.on('close', resolve));
        expect(received()).toBeGreaterThan(count * chunk.length);
      },
      { maxSessionMemory: 100 },
    );
    expect([bodies, ended]).toEqual([count + 1, ['complete']]);
  });
});

describe('a call is refused', () => {
  const refused = async (
    bytes: readonly Buffer[],
    path = PROCESS_PATH,
    headers: http2.OutgoingHttpHeaders = {},
  ): Promise<unknown> =>
    connected(async (session) => {
      const { stream, over } = open(session, path, headers);
      for (const each of bytes) stream.write(each);
      stream.end();
      const { status, message: text } = await over;
      return [status, text, ended];
    });

  test('to another method', async () => {
    expect(await refused([HEADERS], '/envoy.service.ext_proc.v3.ExternalProcessor/Other')).toEqual([
      '12',
      'no such method',
      [],
    ]);
  });

  test('that is no gRPC', async () => {
    expect(await refused([HEADERS], PROCESS_PATH, { 'content-type': 'application/json' })).toEqual([
      '13',
      'not a gRPC call',
      [],
    ]);
  });

  test('with compressed messages', async () => {
    const text = 'compressed messages are not read';
    expect(await refused([framed(Buffer.from('x'), 1)])).toEqual(['12', text, ['aborted']]);
    expect(await refused([HEADERS], PROCESS_PATH, { 'grpc-encoding': 'gzip' })).toEqual(['12', text, ['aborted']]);
  });

  test('with a message above the limit, and none at it', async () => {
    const [at, above] = [0, 1].map((more) => {
      const overhead = requestBody(Buffer.alloc(MESSAGE_BYTES_MAX - 100)).length - 5 - (MESSAGE_BYTES_MAX - 100);
      return requestBody(Buffer.alloc(MESSAGE_BYTES_MAX - overhead + more));
    });
    expect(await refused([HEADERS, at ?? HEADERS])).toEqual(['0', undefined, ['complete']]);
    expect(await refused([HEADERS, above ?? HEADERS])).toEqual([
      '8',
      'the message is too large',
      ['complete', 'aborted'],
    ]);
  });

  test('with a message that is cut off', async () => {
    expect(await refused([HEADERS.subarray(0, 3)])).toEqual(['13', 'the last message is cut off', ['aborted']]);
    expect(await refused([requestBody(Buffer.from('{}')).subarray(0, 7)])).toEqual([
      '13',
      'the last message is cut off',
      ['aborted', 'aborted'],
    ]);
  });

  test('with a message that cannot be read, which the status does not quote', async () => {
    expect(await refused([framed(Buffer.from('4111111111111111'))])).toEqual(['13', 'protocol', ['failed']]);
    expect(errors.join()).not.toContain('4111');
  });
});

describe('an exchange ends once', () => {
  test('when its client resets the stream', async () => {
    const end = frame(F.HEADERS, OPEN | F.FLAG_END_STREAM, 3, [0x83, 0x86, 0xbf, 0xbe]);
    await talk([START, call(1), frame(F.DATA, 0, 1, HEADERS), frame(F.RST_STREAM, 0, 1, u32(8)), end], 1);
    expect(ended).toEqual(['aborted', 'complete']);
  });

  test('when the connection is gone', async () => {
    await connected(async (session) => {
      const calls = [open(session), open(session), open(session)];
      for (const { stream } of calls) stream.write(HEADERS);
      await settles(() => calls.every(({ received }) => received() > 0));
    });
    await settles(() => ended.length === 3);
    expect(ended).toEqual(Array(3).fill('aborted'));
  });

  test('when the server stops', async () => {
    await connected(async (session) => {
      const { stream, received, over } = open(session);
      stream.write(HEADERS);
      await settles(() => received() > 0);
      await server.stop();
      expect((await over).status).toBe('none');
    });
    expect(ended).toEqual(['aborted']);
  });
});

// Frames by hand: what no client library sends.

const u32 = (value: number): Buffer => Buffer.from([value >>> 24, value >> 16, value >> 8, value]);
const literal = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0x40, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
const CALL_HEADERS = Buffer.concat([
  Buffer.from([0x83, 0x86]),
  literal(':path', PROCESS_PATH),
  literal('content-type', 'application/grpc'),
]);
const OPEN = F.FLAG_END_HEADERS;
const START = Buffer.concat([F.PREFACE, frame(F.SETTINGS, 0, 0)]);
const call = (id: number, flags = OPEN): Buffer => frame(F.HEADERS, flags, id, CALL_HEADERS);

/** The frames that come back, until the server closes or has ended so many streams. */
async function talk(bytes: readonly Uint8Array[], ends = Infinity): Promise<Frame[]> {
  const socket: Socket = connect(socketPath);
  let received: Buffer = Buffer.alloc(0);
  const frames = (): Frame[] => split(received);
  const isOver = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.on('error', () => resolve());
    socket.on('data', (part) => {
      received = Buffer.concat([received, part]);
      if (frames().filter(({ flags, type }) => type === F.HEADERS && (flags & F.FLAG_END_STREAM) !== 0).length >= ends)
        resolve();
    });
  });
  for (const part of bytes) {
    socket.write(part);
    if (bytes.length > 5) await new Promise((resolve) => setImmediate(resolve));
  }
  await isOver;
  socket.destroy();
  return frames();
}

describe('a connection ends by GOAWAY', () => {
  test.each<[string, number, readonly Uint8Array[]]>([
    ['without a preface', F.PROTOCOL_ERROR, [Buffer.from('GET / HTTP/1.1\r\nhost: writ\r\n\r\n')]],
    ['without SETTINGS', F.PROTOCOL_ERROR, [F.PREFACE, call(1)]],
    ['by SETTINGS on a stream', F.PROTOCOL_ERROR, [START, frame(F.SETTINGS, 0, 1)]],
    ['by SETTINGS that are cut off', F.FRAME_SIZE_ERROR, [START, frame(F.SETTINGS, 0, 0, [0, 4, 0, 0, 0])]],
    [
      'by an acknowledgement that says more',
      F.FRAME_SIZE_ERROR,
      [START, frame(F.SETTINGS, F.FLAG_ACK, 0, [0, 4, 0, 0, 0, 1])],
    ],
    ['by a window above the limit', F.FLOW_CONTROL_ERROR, [START, frame(F.SETTINGS, 0, 0, [0, 4, 0x80, 0, 0, 0])]],
    ['by a PING that is short', F.FRAME_SIZE_ERROR, [START, frame(F.PING, 0, 0, [1])]],
    ['by a PING on a stream', F.PROTOCOL_ERROR, [START, frame(F.PING, 0, 1, [1, 2, 3, 4, 5, 6, 7, 8])]],
    ['by a push', F.PROTOCOL_ERROR, [START, frame(F.PUSH_PROMISE, OPEN, 1, [0, 0, 0, 2])]],
    ['by data without a stream', F.PROTOCOL_ERROR, [START, frame(F.DATA, 0, 0, [1])]],
    ['by data of a stream not open', F.PROTOCOL_ERROR, [START, frame(F.DATA, 0, 1, [1])]],
    [
      'by data after the end',
      F.STREAM_CLOSED,
      [
        START,
        call(1),
        frame(F.DATA, F.FLAG_END_STREAM, 1, Buffer.concat([HEADERS, requestBody(Buffer.from('{}'))])),
        frame(F.DATA, 0, 1, HEADERS),
      ],
    ],
    ['by a stream of the server', F.PROTOCOL_ERROR, [START, call(2)]],
    ['by headers in the middle', F.PROTOCOL_ERROR, [START, call(1), call(1)]],
    ['by more padding than payload', F.PROTOCOL_ERROR, [START, call(1), frame(F.DATA, F.FLAG_PADDED, 1, [5, 1, 2])]],
    [
      'by headers without the priority they announce',
      F.FRAME_SIZE_ERROR,
      [START, frame(F.HEADERS, OPEN | F.FLAG_PRIORITY, 1, [0, 0])],
    ],
    ['by a continuation of nothing', F.PROTOCOL_ERROR, [START, frame(F.CONTINUATION, OPEN, 1, CALL_HEADERS)]],
    ['by a header block that is not continued', F.PROTOCOL_ERROR, [START, call(1, 0), frame(F.DATA, 0, 1, HEADERS)]],
    ['by a continuation of another stream', F.PROTOCOL_ERROR, [START, call(1, 0), frame(F.CONTINUATION, OPEN, 3)]],
    ['by an index without an entry', F.COMPRESSION_ERROR, [START, frame(F.HEADERS, OPEN, 1, [0xff, 0x7f])]],
    ['by a string that is cut off', F.COMPRESSION_ERROR, [START, frame(F.HEADERS, OPEN, 1, [0x40, 0x05, 0x61])]],
    ['by a reset of a stream not open', F.PROTOCOL_ERROR, [START, frame(F.RST_STREAM, 0, 1, u32(8))]],
    ['by a reset that is short', F.FRAME_SIZE_ERROR, [START, call(1), frame(F.RST_STREAM, 0, 1, [8])]],
    ['by a window that grows by nothing', F.PROTOCOL_ERROR, [START, frame(F.WINDOW_UPDATE, 0, 0, u32(0))]],
    ['by a window that grows too large', F.FLOW_CONTROL_ERROR, [START, frame(F.WINDOW_UPDATE, 0, 0, u32(0x7fff_ffff))]],
    ['by a frame above the limit', F.FRAME_SIZE_ERROR, [START, Buffer.from([0xff, 0xff, 0xff, F.DATA, 0, 0, 0, 0, 1])]],
    [
      'by a header block above the limit',
      F.ENHANCE_YOUR_CALM,
      [START, call(1, 0), frame(F.CONTINUATION, OPEN, 1, Buffer.alloc(HEADER_BLOCK_BYTES_MAX))],
    ],
    [
      'by more data than the window allows',
      F.FLOW_CONTROL_ERROR,
      [
        START,
        call(1),
        frame(F.DATA, 0, 1, Buffer.concat([HEADERS, requestBody(Buffer.from('{}'))])),
        frame(F.DATA, 0, 1, Buffer.alloc(STREAM_WINDOW_BYTES / 2)),
        frame(F.DATA, 0, 1, Buffer.alloc(STREAM_WINDOW_BYTES / 2)),
      ],
    ],
  ])('%s', async (name, code, bytes) => {
    if (name === 'by data after the end' || name === 'by more data than the window allows') {
      // The exchange waits: nothing is consumed, and the stream is not forgotten, as it would be once answered.
      reserved = new Promise(() => undefined);
      onBody = (body) => pass(body, [{ budget: 'b', amount: 1 }]);
    }
    const frames = await talk(bytes);
    const last = frames.at(-1);
    expect([last?.type, last?.payload.readUInt32BE(4)]).toEqual([F.GOAWAY, code]);
    expect(ended.every((how) => how === 'aborted' || how === 'complete')).toBe(true);
    expect(errors).toHaveLength(1);
  });
});

test('frames that say nothing to us are no reason to end', async () => {
  const frames = await talk(
    [
      START,
      frame(F.SETTINGS, F.FLAG_ACK, 0),
      frame(F.PING, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]),
      frame(F.PRIORITY, 0, 1, [0, 0, 0, 0, 1]),
      frame(0xbe, 0xff, 0, [1, 2, 3]),
      call(1),
      frame(F.DATA, F.FLAG_PADDED, 1, Buffer.concat([Buffer.from([3]), HEADERS, Buffer.alloc(3)])),
      // The rest of a reset stream.
      frame(F.RST_STREAM, 0, 1, u32(8)),
      frame(F.DATA, 0, 1, HEADERS),
      frame(F.WINDOW_UPDATE, 0, 1, u32(1)),
      frame(F.HEADERS, OPEN | F.FLAG_END_STREAM, 3, [0x83, 0x86, 0xbf, 0xbe]),
    ],
    1,
  );
  expect(frames.filter(({ type }) => type === F.PING)).toMatchObject([
    { flags: F.FLAG_ACK, payload: Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]) },
  ]);
  expect(frames.at(-1)).toMatchObject({ type: F.HEADERS, id: 3 });
  expect(ended).toEqual(['aborted', 'complete']);
});

test('however a connection’s bytes are cut, the answers are the same', async () => {
  const random = randomFrom(seed);
  const bytes = Buffer.concat([
    START,
    call(1, 0),
    frame(F.CONTINUATION, OPEN, 1),
    frame(F.DATA, 0, 1, HEADERS.subarray(0, 3)),
    frame(F.DATA, 0, 1, HEADERS.subarray(3)),
    frame(
      F.DATA,
      F.FLAG_PADDED,
      1,
      Buffer.concat([Buffer.from([2]), requestBody(Buffer.from('{"a":1}')), Buffer.alloc(2)]),
    ),
    frame(F.DATA, F.FLAG_END_STREAM, 1),
    frame(
      F.HEADERS,
      OPEN | F.FLAG_PRIORITY,
      3,
      Buffer.concat([Buffer.alloc(5), Buffer.from([0x83, 0x86, 0xbf, 0xbe])]),
    ),
    frame(
      F.DATA,
      F.FLAG_END_STREAM,
      3,
      Buffer.concat([HEADERS, requestBody(Buffer.alloc(20_000, 'q')), REPLY_HEADERS, replyBody(Buffer.from('r'))]),
    ),
  ]);
  const answers = async (parts: readonly Uint8Array[]): Promise<string[]> =>
    (await talk(parts, 2))
      .filter(({ id }) => id > 0)
      .map(({ type, flags, id, payload }) => `${id} ${type} ${flags} ${payload.toString('hex')}`);
  const whole = await answers([bytes]);
  expect(whole.length).toBeGreaterThan(7);
  const cutAt = (cuts: readonly number[]): Buffer[] =>
    [0, ...cuts].map((start, i) => bytes.subarray(start, cuts[i] ?? bytes.length));
  for (let count = 0; count < 40; count++) {
    const head = bytes.length - 20_000;
    const cuts = Array.from({ length: random.int(1, 60) }, () =>
      random.chance(0.7) ? random.int(1, 400) : random.int(1, head),
    ).sort((a, b) => a - b);
    expect(await answers(cutAt(cuts)), `cuts ${cuts.join()} of seed ${seed}`).toEqual(whole);
  }
  expect(await answers(cutAt(Array.from({ length: 500 }, (_, i) => i + 1)))).toEqual(whole);
}, 30_000);
