/** Mutations of bodies: bytes, pieces of JSON and of event streams, parts of the same and of other bodies. */

export type Random = () => number;

const PIECES = [
  ...[
    '"',
    '\\',
    '\\u',
    '\\u0034',
    '\\ud83d',
    '\\ude00',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    'null',
    'true',
    'false',
    '-',
    '0',
  ],
  ...['1e9', '1e999', '-0', '1.5', '00', '9007199254740993', '4111111111111111', '"":', '{}', '[]', '""', ' ', '\t'],
  ...['\n', '\r', '\r\n', '\n\n', '\r\r', '\r\n\r\n', 'data: ', 'data:', 'event: ', 'id: ', ': ', 'retry: 1', '[DONE]'],
  ...['4111 1111 1111 1111', '4111-1111-1111-1111', '4111', '1111', '"4111 1111 1111 1111"', 'a@b.example', '@'],
  ...['DE89 3704 0044 0532 0130 00', '[EMAIL_1_', '[PAYMENT_CARD]', ']'],
  ...['\u0000', '\u007f', '\u00ad', '\u200b', '\u2028', '\ufeff', '\uff14', '\u0664', '\ud83d\ude00', 'é'],
  ...['"model"', '"messages"', '"content"', '"role"', '"user"', '"text"', '"type"', '"choices"', '"delta"', '"index"'],
  ...[
    '"usage"',
    '"stream"',
    '"n"',
    '"max_tokens"',
    '"tool_calls"',
    '"function"',
    '"arguments"',
    '"metadatas"',
    '"ids"',
  ],
  ...['"documents"', '"where"', '"include"', '"system"', '"input"', '"Content"', '"CONTENT"', '"con\\u0074ent"'],
].map((each) => Buffer.from(each));
const BROKEN = [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff], [0x80], [0xe2, 0x80]].map((each) =>
  Buffer.from(each),
);

export const BODY_BYTES_MAX = 3_072;

/** `others` are bodies to take parts from. */
export function mutate(body: Uint8Array, others: readonly Uint8Array[], next: Random): Uint8Array {
  let bytes: Uint8Array = body;
  for (let count = 1 + Math.floor(next() ** 3 * 8); count > 0; count -= 1) bytes = mutateOnce(bytes, others, next);
  return bytes.subarray(0, BODY_BYTES_MAX);
}

function mutateOnce(body: Uint8Array, others: readonly Uint8Array[], next: Random): Uint8Array {
  const at = Math.floor(next() * (body.length + 1));
  const span = 1 + Math.floor(next() ** 2 * 40);
  switch (Math.floor(next() * 10)) {
    case 0:
      return splice(body, at, span, EMPTY);
    case 1:
    case 2:
      return splice(body, at, 0, one(PIECES, next));
    case 3:
      return splice(body, at, span, one(PIECES, next));
    case 4:
      return splice(body, at, 1, Uint8Array.of(Math.floor(next() * 256)));
    case 5:
      return splice(body, at, 0, part(body, next));
    case 6:
      return splice(body, at, span, part(one(others, next), next));
    case 7:
      return swap(body, next);
    case 8:
      return next() < 0.3 ? splice(body, at, 0, one(BROKEN, next)) : escaped(body, at);
    default:
      return next() < 0.2 ? body.subarray(0, at) : repeated(body, at, span, next);
  }
}

const EMPTY = new Uint8Array();

function splice(body: Uint8Array, at: number, drop: number, put: Uint8Array): Uint8Array {
  return Buffer.concat([body.subarray(0, at), put, body.subarray(Math.min(body.length, at + drop))]);
}

function part(body: Uint8Array, next: Random): Uint8Array {
  const from = Math.floor(next() * body.length);
  return body.subarray(from, from + 1 + Math.floor(next() ** 2 * 120));
}

/** One value or member in another's place: parts between commas, so that what comes out is often JSON. */
function swap(body: Uint8Array, next: Random): Uint8Array {
  const text = Buffer.from(body).toString('latin1');
  const cuts = [...text.matchAll(/[,:{}[\]\n]/g)].map(({ index }) => index);
  if (cuts.length < 4) return body;
  const a = Math.floor(next() * (cuts.length - 1));
  const b = Math.floor(next() * (cuts.length - 1));
  const from = Buffer.from(text.slice((cuts[b] ?? 0) + 1, cuts[b + 1]), 'latin1');
  const start = (cuts[a] ?? 0) + 1;
  return splice(body, start, (cuts[a + 1] ?? 0) - start, from);
}

/** A character as JSON's escape. */
function escaped(body: Uint8Array, at: number): Uint8Array {
  const byte = body[at];
  if (byte === undefined || byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return body;
  return splice(body, at, 1, Buffer.from(`\\u00${byte.toString(16)}`));
}

function repeated(body: Uint8Array, at: number, span: number, next: Random): Uint8Array {
  const piece = body.subarray(at, at + span);
  return splice(body, at, 0, Buffer.concat(Array.from({ length: 1 + Math.floor(next() ** 4 * 80) }, () => piece)));
}

function one<T>(all: readonly T[], next: Random): T {
  const found = all[Math.floor(next() * all.length)];
  if (found === undefined) throw new Error('there is one at least');
  return found;
}
