// The door's own reader and writer of Envoy's messages, beside generated code: on seeded messages, on every truncation of
// them, and on bytes changed at random.
import type { JsonObject, JsonValue, MessageInitShape } from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { DoorError } from '../../filters/door/door-error.ts';
import { evidenceOf } from '../../filters/door/evidence.ts';
import type { Message } from '../../filters/door/read-message.ts';
import { readMessage } from '../../filters/door/read-message.ts';
import {
  CHUNK_BYTES_MAX,
  sendBufferedBody,
  sendHeaders,
  sendImmediate,
  sendStreamedBody,
  sendTrailers,
} from '../../filters/door/responses.ts';
import type { Send } from '../../filters/door/responses.ts';
import type { Header, HeaderEdits } from '../../filters/door/session-port.ts';
import { DEPTH_MAX } from '../../filters/door/wire/read-struct.ts';
import { KEPT_BYTES_MAX } from '../../filters/door/wire/wire-writer.ts';
import type { HeaderMap } from '../../proto/gen/envoy/config/core/v3/base_pb.ts';
import type { ProcessingRequest } from '../../proto/gen/envoy/service/ext_proc/v3/external_processor_pb.ts';
import {
  ProcessingRequestSchema,
  ProcessingResponseSchema,
} from '../../proto/gen/envoy/service/ext_proc/v3/external_processor_pb.ts';
import type { StatusCode } from '../../proto/gen/envoy/type/v3/http_status_pb.ts';
import type { Random } from '../differential/random.ts';
import { randomFrom, seedOfRun } from '../differential/random.ts';

type Init = MessageInitShape<typeof ProcessingRequestSchema>;

const MESSAGES = 2_000;
const FLIPS = 20_000;
const JWT = 'envoy.filters.http.jwt_authn';
const KINDS = [
  'requestHeaders',
  'responseHeaders',
  'requestBody',
  'responseBody',
  'requestTrailers',
  'responseTrailers',
] as const;
/** Fields that no schema of ours has, one of each type. */
const UNKNOWN_FIELDS = [
  [0x98, 0x06, 0xff, 0x01],
  [0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8],
  [0x9a, 0x06, 2, 0xff, 0xff],
  [0x9d, 0x06, 1, 2, 3, 4],
];
const seed = seedOfRun();

describe('requests', () => {
  test('are read as generated code reads them', () => {
    const random = randomFrom(seed);
    const seen = new Map<string, number>();
    for (let count = 0; count < MESSAGES; count++) {
      const bytes = withUnknownFields(
        random,
        toBinary(ProcessingRequestSchema, create(ProcessingRequestSchema, anyRequest(random))),
      );
      const message = readMessage(bytes);
      expect(plain(message), `message ${count} of seed ${seed}`).toEqual(plain(expected(bytes)));
      seen.set(message.kind, (seen.get(message.kind) ?? 0) + 1);
      if (message.kind === 'request_headers' && message.evidence.jwt !== undefined)
        seen.set('jwt', (seen.get('jwt') ?? 0) + 1);
      if (message.kind === 'request_headers' && message.evidence.san !== undefined)
        seen.set('san', (seen.get('san') ?? 0) + 1);
    }
    expect(seen.size).toBe(KINDS.length + 2);
    expect(Math.min(...seen.values())).toBeGreaterThan(MESSAGES / 50);
  });

  test('that are cut off anywhere are refused, or are what is left of them', () => {
    const random = randomFrom(seed + 1);
    for (let count = 0; count < 60; count++) {
      const bytes = toBinary(ProcessingRequestSchema, create(ProcessingRequestSchema, anyRequest(random)));
      for (let end = 0; end < bytes.length; end++)
        agrees(bytes.subarray(0, end), `message ${count} of seed ${seed}, cut at ${end}`);
    }
  });

  test('with bytes changed at random are refused, or mean the same to generated code', () => {
    const random = randomFrom(seed + 2);
    const counts = { read: 0, refused: 0, 'stepped over': 0 };
    for (let count = 0; count < FLIPS; count++) {
      const bytes = toBinary(ProcessingRequestSchema, create(ProcessingRequestSchema, anyRequest(random, 3)));
      for (let flips = random.int(1, 3); flips > 0; flips--)
        bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
      counts[agrees(bytes, `change ${count} of seed ${seed}: ${Buffer.from(bytes).toString('hex')}`)]++;
    }
    expect(Math.min(counts.refused, counts.read)).toBeGreaterThan(FLIPS / 10);
    expect(counts['stepped over']).toBeLessThan(FLIPS / 100);
  });

  test.each([
    ['nothing', []],
    ['no kind', [0x50, 0x01]],
    ['two kinds', [0x22, 0x00, 0x2a, 0x00]],
    ['the same kind twice', [0x22, 0x00, 0x22, 0x00]],
    ['a field without a number', [0x22, 0x00, 0x00, 0x00]],
    ['a field of another type', [0x20, 0x01]],
    ['a group', [0x22, 0x00, 0x9b, 0x06, 0x9c, 0x06]],
    ['a number that does not end', [0x22, 0x00, 0x98, 0x06, ...Array<number>(10).fill(0xff), 0x01]],
    ['a length beyond its end', [0x22, 0x05, 0x0a, 0x00]],
    ['an inner length beyond the outer end', [0x22, 0x02, 0x0a, 0x05, 0x22, 0x00, 0x00, 0x00]],
    ['a name that is not UTF-8', [0x12, 0x07, 0x0a, 0x05, 0x0a, 0x03, 0x0a, 0x01, 0xff]],
  ])('of %s are refused', (_, bytes) => {
    expect(() => readMessage(Uint8Array.from(bytes))).toThrow(DoorError);
  });

  test('have claims as deep as the limit, and no deeper', () => {
    // The namespace's own is one of them.
    expect(readMessage(nested(DEPTH_MAX - 1))).toMatchObject({ kind: 'request_headers' });
    expect(() => readMessage(nested(DEPTH_MAX))).toThrow(DoorError);
  });

  test('do not change what an object is', () => {
    const payload = JSON.parse('{"__proto__":{"dept":"hr"}}') as JsonObject;
    const message = readMessage(
      toBinary(
        ProcessingRequestSchema,
        create(ProcessingRequestSchema, {
          request: { case: 'requestHeaders', value: {} },
          metadataContext: { filterMetadata: { [JWT]: { payload } } },
        }),
      ),
    );
    const jwt = message.kind === 'request_headers' ? message.evidence.jwt : undefined;
    expect(jwt?.['dept']).toBeUndefined();
    expect(JSON.stringify(jwt)).toBe('{"__proto__":{"dept":"hr"}}');
  });
});

describe('answers are what generated code reads', () => {
  const random = randomFrom(seed + 3);
  const cases = Array.from({ length: 300 }, () => ({
    edits: anyEdits(random),
    body: anyBytes(random, 3_000),
    reroute: random.chance(0.5),
    end: random.chance(0.5),
  }));

  test('to headers', () => {
    for (const { edits, reroute } of cases) {
      for (const direction of ['request', 'response'] as const) {
        const value = { response: { ...mutation('headerMutation', edits), clearRouteCache: reroute } };
        reads(
          sent((send) => sendHeaders(send, direction, edits, reroute)),
          [direction === 'request' ? { case: 'requestHeaders', value } : { case: 'responseHeaders', value }],
        );
      }
    }
  });

  test('to a whole body', () => {
    for (const { edits, body, reroute } of cases) {
      for (const changed of [undefined, body, new Uint8Array()]) {
        reads(
          sent((send) => sendBufferedBody(send, edits, changed, reroute)),
          [
            {
              case: 'requestBody',
              value: {
                response: {
                  ...mutation('headerMutation', edits),
                  clearRouteCache: reroute,
                  ...(changed === undefined ? {} : { bodyMutation: { mutation: { case: 'body', value: changed } } }),
                },
              },
            },
          ],
        );
      }
    }
  });

  test('to headers that are larger than what is kept', () => {
    const value = 'v'.repeat(KEPT_BYTES_MAX);
    const large: HeaderEdits = { set: [['x-large', value]], remove: [] };
    for (const edits of [large, { set: [], remove: ['a'] }, large])
      reads(
        sent((send) => sendHeaders(send, 'request', edits)),
        [{ case: 'requestHeaders', value: { response: mutation('headerMutation', edits) } }],
      );
  });

  test.each([0, 1, CHUNK_BYTES_MAX - 1, CHUNK_BYTES_MAX, CHUNK_BYTES_MAX + 1, 3 * CHUNK_BYTES_MAX])(
    'to a chunk of %i bytes',
    (length) => {
      const body = Uint8Array.from({ length }, (_, i) => i % 251);
      for (const end of [true, false]) {
        const count = Math.max(Math.ceil(length / CHUNK_BYTES_MAX), end ? 1 : 0);
        reads(
          sent((send) => sendStreamedBody(send, body, end)),
          Array.from({ length: count }, (_, i) => ({
            case: 'responseBody',
            value: {
              response: {
                bodyMutation: {
                  mutation: {
                    case: 'streamedResponse',
                    value: {
                      body: body.slice(i * CHUNK_BYTES_MAX, (i + 1) * CHUNK_BYTES_MAX),
                      endOfStream: end && i === count - 1,
                    },
                  },
                },
              },
            },
          })),
        );
      }
    },
  );

  test('to trailers, and in the place of a reply', () => {
    for (const { edits, body } of cases) {
      reads(
        sent((send) => sendTrailers(send, 'request', edits)),
        [{ case: 'requestTrailers', value: mutation('headerMutation', edits) }],
      );
      reads(
        sent((send) => sendTrailers(send, 'response', edits)),
        [{ case: 'responseTrailers', value: mutation('headerMutation', edits) }],
      );
      reads(
        sent((send) => sendImmediate(send, { status: 403, headers: edits.set, body })),
        [
          {
            case: 'immediateResponse',
            value: {
              status: { code: 403 as StatusCode },
              ...mutation('headers', { set: edits.set, remove: [] }),
              body,
              details: 'writ',
            },
          },
        ],
      );
    }
  });
});

/**
 * What is read, is read as generated code reads it. It may be refused, by DoorError alone; and what generated code refuses
 * may stand in a field that we step over.
 */
function agrees(bytes: Uint8Array, what: string): 'read' | 'refused' | 'stepped over' {
  let message: Message;
  try {
    message = readMessage(bytes);
  } catch (error) {
    expect(error, what).toBeInstanceOf(DoorError);
    return 'refused';
  }
  let generated: object | undefined;
  try {
    generated = expected(bytes);
  } catch {
    return 'stepped over';
  }
  expect(plain(message), what).toEqual(plain(generated));
  return 'read';
}

/** A buffer and an array of bytes are the same thing here. */
function plain(message: object | undefined): object | undefined {
  return message !== undefined && 'body' in message && message.body instanceof Uint8Array
    ? { ...message, body: Uint8Array.from(message.body) }
    : message;
}

function expected(bytes: Uint8Array): object | undefined {
  const { request, metadataContext, attributes } = fromBinary(ProcessingRequestSchema, bytes);
  switch (request.case) {
    case 'requestHeaders':
      return {
        kind: 'request_headers',
        headers: headersOf(request.value.headers),
        end: request.value.endOfStream,
        evidence: evidenceOf(metadataContext?.filterMetadata[JWT], Object.values(attributes)),
      };
    case 'responseHeaders':
      return { kind: 'response_headers', headers: headersOf(request.value.headers), end: request.value.endOfStream };
    case 'requestBody':
    case 'responseBody':
      return {
        kind: request.case === 'requestBody' ? 'request_body' : 'response_body',
        body: Buffer.from(request.value.body),
        end: request.value.endOfStream,
      };
    case 'requestTrailers':
    case 'responseTrailers':
      return {
        kind: request.case === 'requestTrailers' ? 'request_trailers' : 'response_trailers',
        trailers: headersOf(request.value.trailers),
      };
    case undefined:
      return undefined;
  }
}

function headersOf(map: HeaderMap | undefined): Header[] {
  return (map?.headers ?? []).map(({ key, value, rawValue }) => [
    key,
    rawValue.length > 0 ? Buffer.from(rawValue).toString('latin1') : value,
  ]);
}

/** What is sent, each message in one piece: the bytes are the sender's again at once. */
function sent(by: (send: Send) => void): Uint8Array[] {
  const answers: Uint8Array[] = [];
  by((head, body) => answers.push(Buffer.concat([head, body ?? new Uint8Array()])));
  return answers;
}

function reads(
  answers: readonly Uint8Array[],
  responses: readonly MessageInitShape<typeof ProcessingResponseSchema>['response'][],
): void {
  expect(answers.map((framed) => Buffer.from(framed).readUInt32BE(1) === framed.length - 5 && framed[0] === 0)).toEqual(
    answers.map(() => true),
  );
  expect(answers.map((framed) => fromBinary(ProcessingResponseSchema, Uint8Array.from(framed.subarray(5))))).toEqual(
    responses.map((response) => create(ProcessingResponseSchema, response === undefined ? {} : { response })),
  );
}

function mutation<K extends string>(name: K, { set, remove }: HeaderEdits): object {
  if (set.length === 0 && remove.length === 0) return {};
  return {
    [name]: {
      setHeaders: set.map(([key, value]) => ({
        header: { key, rawValue: Uint8Array.from(Buffer.from(value, 'latin1')) },
        appendAction: 2,
      })),
      removeHeaders: [...remove],
    },
  };
}

function anyRequest(random: Random, size = 12): Init {
  const kind = random.pick(KINDS);
  const map = { headers: Array.from({ length: random.int(0, size) }, () => anyHeader(random)) };
  const endOfStream = random.chance(0.5);
  const request = (
    kind === 'requestHeaders' || kind === 'responseHeaders'
      ? { case: kind, value: { ...(random.chance(0.9) ? { headers: map } : {}), endOfStream } }
      : kind === 'requestBody' || kind === 'responseBody'
        ? { case: kind, value: { body: anyBytes(random, size * 200), endOfStream } }
        : { case: kind, value: { trailers: map } }
  ) satisfies Init['request'];
  if (kind !== 'requestHeaders') return { request };
  return {
    request,
    ...(random.chance(0.5)
      ? {
          metadataContext: {
            filterMetadata: {
              ...(random.chance(0.5) ? { 'envoy.other': { a: anyJson(random, 2) } } : {}),
              ...(random.chance(0.8)
                ? { [JWT]: { payload: random.chance(0.9) ? anyObject(random, 3) : anyJson(random, 1) } }
                : {}),
            },
          },
        }
      : {}),
    attributes: random.chance(0.5)
      ? {
          'envoy.filters.http.ext_proc': {
            'connection.uri_san_peer_certificate': random.chance(0.6) ? 'spiffe://acme/ü' : '',
            'connection.dns_san_peer_certificate': random.chance(0.6) ? 'robot.acme' : anyJson(random, 1),
          },
        }
      : {},
  };
}

function anyHeader(random: Random): { key: string; value?: string; rawValue?: Uint8Array<ArrayBuffer> } {
  const key = random.pick([':path', 'content-type', 'x-ü', '', `x-${random.int(0, 1e6)}`]);
  return random.chance(0.2)
    ? { key, value: random.pick(['', 'text', 'tëxt']) }
    : { key, rawValue: anyBytes(random, 40) };
}

function anyEdits(random: Random): HeaderEdits {
  const name = (): string => random.pick(['x-writ-route', 'content-length', `x-${random.int(0, 1e6)}`, 'x-ü']);
  const value = (): string => Buffer.from(anyBytes(random, 300)).toString('latin1');
  return {
    set: Array.from({ length: random.int(0, 3) }, () => [name(), value()] as const),
    remove: Array.from({ length: random.int(0, 3) }, name),
  };
}

function anyObject(random: Random, depth: number): JsonObject {
  return Object.fromEntries(
    Array.from({ length: random.int(0, 4) }, (_, i) => [
      random.pick(['sub', 'dept', 'ü', `k${i}`]),
      anyJson(random, depth - 1),
    ]),
  );
}

function anyJson(random: Random, depth: number): JsonValue {
  if (depth > 0 && random.chance(0.3))
    return random.chance(0.5)
      ? anyObject(random, depth)
      : Array.from({ length: random.int(0, 3) }, () => anyJson(random, depth - 1));
  return random.pick<JsonValue>([null, true, false, 0, -1.5, 1e300, '', 'support', 'ü\u{1f600}', random.int(0, 1e9)]);
}

function anyBytes(random: Random, most: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: random.int(0, most) }, () => random.int(0, 255));
}

function withUnknownFields(random: Random, bytes: Uint8Array): Uint8Array {
  const some = random.some(UNKNOWN_FIELDS, 0.3).flat();
  return random.chance(0.5) ? Buffer.concat([Buffer.from(some), bytes]) : Buffer.concat([bytes, Buffer.from(some)]);
}

function nested(depth: number): Uint8Array {
  let value: JsonValue = 'deep';
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return toBinary(
    ProcessingRequestSchema,
    create(ProcessingRequestSchema, {
      request: { case: 'requestHeaders', value: {} },
      metadataContext: { filterMetadata: { [JWT]: { payload: value } } },
    }),
  );
}
