// The JSON walker alone: what it takes, what it refuses, and which places it reports.
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { KNOWN_KEYS_MAX, protocolTable } from '../../compiler/tables/protocols.ts';
import { T_PROTOCOLS } from '../../filters/kernel/abi.ts';
import * as P from '../../filters/kernel/protocol/places.ts';
import type { Place } from '../../filters/protocols/protocol.ts';
import { compileModule } from '../../filters/kernel/build.ts';

interface Walked {
  readonly code: number;
  readonly place: string;
  /** kind, the value's bytes as text, a, b */
  readonly records: readonly (readonly [number, string, number, number])[];
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  writ_alloc(size: number): number;
  writ_free(p: number): void;
  in_use(): number;
  walk_document(p: number, length: number, node: number): number;
  records(): number;
  records_length(): number;
  place(): number;
}

let binary: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  binary = new Uint8Array(
    await compileModule(fileURLToPath(new URL('./walk-entry.ts', import.meta.url)), ['--initialMemory', '64']),
  );
});

function walker(place: Place): (body: string | Uint8Array) => Walked {
  const table = protocolTable([
    {
      name: 't',
      title: 't',
      form: 'openai',
      endpoints: [{ name: 't', method: 'POST', path: '/', event: 'prompt', request: place }],
    },
  ]);
  const module = new WebAssembly.Module(binary);
  const tablesAt = 65536;
  const instance = new WebAssembly.Instance(module, {
    policy: {
      heapStart: () => tablesAt + 4096 + table.length,
      tables: () => tablesAt,
      factsBytes: () => 0,
      resultBytes: () => 0,
      decide: () => undefined,
    },
  });
  const exports = instance.exports as unknown as Exports;
  const view = (): DataView => new DataView(exports.memory.buffer);
  const bytes = (): Uint8Array => new Uint8Array(exports.memory.buffer);
  view().setUint32(tablesAt + T_PROTOCOLS * 4, tablesAt + 64, true);
  bytes().set(table, tablesAt + 64);
  const node = new DataView(table.buffer).getUint32(P.ENDPOINTS + P.ENDPOINT_REQUEST, true);
  return (body) => {
    const data = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    const p = exports.writ_alloc(data.length || 1);
    bytes().set(data, p);
    const code = exports.walk_document(p, data.length, node);
    const records: (readonly [number, string, number, number])[] = [];
    const at = exports.records();
    for (let r = at; r < at + exports.records_length(); r += 32) {
      const start = view().getUint32(r + 4, true);
      const end = view().getUint32(r + 8, true);
      records.push([
        view().getUint8(r),
        new TextDecoder().decode(data.subarray(start, end)),
        view().getUint32(r + 16, true),
        view().getUint32(r + 20, true),
      ]);
    }
    const name = exports.place();
    const placeText =
      name === 0 ? '' : new TextDecoder().decode(bytes().slice(name + 4, name + 4 + view().getUint32(name, true)));
    exports.writ_free(p);
    return { code, place: placeText, records };
  };
}

const OK = 0;
const SYNTAX = 1;
const UTF8 = 2;
const DEPTH = 3;
const DUPLICATE = 4;
const REFUSED = 5;
const UNKNOWN_KEY = 6;
const TOO_LARGE = 7;

const any: Place = { any: 'text' };

test('what ends or breaks a string does so wherever it stands in a block of sixteen bytes', () => {
  const walk = walker(any);
  const utf8 = (text: string): readonly number[] => [...new TextEncoder().encode(text)];
  const cases: readonly (readonly [readonly number[], number])[] = [
    [[], OK],
    ...['\\n', '\\\\', '\\"', '\\u00e9', '\\ud83d\\ude00', 'é', '€', '\ud7ff', '\ue000', '😀', 'ࠀ'].map(
      (text) => [utf8(text), OK] as const,
    ),
    ...['\\x', '\\u00g0', '\\ud83d', '\\ude00', '\n', '\0', '\u001f'].map((text) => [utf8(text), SYNTAX] as const),
    // Overlong, a surrogate, above U+10FFFF, no beginning, no end.
    ...[
      'c0af',
      'c1bf',
      'e08080',
      'e09fbf',
      'eda080',
      'f08080af',
      'f4908080',
      'f5808080',
      '80',
      'bf',
      'c3',
      'e282',
      'ff',
    ].map((hex) => [[...Buffer.from(hex, 'hex')], UTF8] as const),
  ];
  for (const [bytes, code] of cases) {
    for (let before = 0; before < 35; before += 1) {
      for (const after of [0, 1, 3, 15, 16]) {
        const body = [0x22, ...Array<number>(before).fill(0x61), ...bytes, ...Array<number>(after).fill(0x62), 0x22];
        expect(walk(Uint8Array.from(body)).code, `${before} before ${Buffer.from(bytes).toString('hex')}`).toBe(code);
      }
    }
  }
});

test('a document that JSON.parse reads is read, and one that it refuses is refused', () => {
  const walk = walker(any);
  const good = [
    '{}',
    '[]',
    '""',
    '0',
    '-0',
    '1.5e3',
    'true',
    'false',
    'null',
    ' [1 , 2,{"a":[]} ] ',
    '"\\u00e9\\n\\ud83d\\ude00"',
    '"é😀\u2028"',
    '{"a":{"b":{"c":1}}}',
    '[[[[]]]]',
    '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"',
    '[1e-300]',
  ];
  const bad = [
    '',
    ' ',
    '{',
    '[',
    '"',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '[1,]',
    '[,1]',
    '{a:1}',
    "{'a':1}",
    '01',
    '+1',
    '.5',
    '1.',
    '1e',
    'NaN',
    'Infinity',
    '-',
    'tru',
    'nul',
    'truex',
    '[1]x',
    '1 2',
    '"\t"',
    '"\n"',
    '"\\x"',
    '"\\u12"',
    '"\\u12g4"',
    '\ufeff{}',
    '{"a":1 "b":2}',
    '[1 2]',
    '{"a":1',
    '"abc',
    '/*c*/1',
    '[1]\0',
    '{,}',
    '"a" "b"',
    '-01',
    '1e+',
    '{"a":tru',
  ];
  for (const body of good) {
    JSON.parse(body);
    expect([body, walk(body).code]).toEqual([body, OK]);
  }
  for (const body of bad) {
    expect(() => JSON.parse(body)).toThrow();
    expect([body, walk(body).code]).toEqual([body, SYNTAX]);
  }
});

test('what parsers read differently is refused', () => {
  const walk = walker(any);
  expect(walk('"\\ud83d"').code).toBe(SYNTAX);
  expect(walk('"\\ude00\\ud83d"').code).toBe(SYNTAX);
  expect(walk('"\\ud83dx"').code).toBe(SYNTAX);
  expect(walk('1e999').code).toBe(SYNTAX);
  expect(walk('1e301').code).toBe(SYNTAX);
  expect(walk(`1${'0'.repeat(300)}`).code).toBe(SYNTAX);
  expect(walk('{"a":1,"a":2}').code).toBe(DUPLICATE);
  expect(walk('{"a":1,"\\u0061":2}').code).toBe(DUPLICATE);
  expect(walk('[{"a":1},{"a":2}]').code).toBe(OK);
  expect(walk('{"a":{"a":1}}').code).toBe(OK);
});

test('UTF-8 that is not well formed is refused, wherever it stands', () => {
  const walk = walker(any);
  for (const bytes of [
    [0x80],
    [0xc0, 0x80],
    [0xc1, 0xbf],
    [0xe0, 0x80, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x80, 0x80, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0xff],
    [0xe2, 0x82],
    [0xc3],
  ]) {
    for (const pad of [0, 7, 8, 9]) {
      const body = Uint8Array.from([0x22, ...new Array<number>(pad).fill(0x61), ...bytes, 0x22]);
      expect([bytes, walk(body).code]).toEqual([bytes, UTF8]);
    }
  }
});

test('64 levels are walked, 65 are not', () => {
  const walk = walker(any);
  expect(walk('['.repeat(64) + ']'.repeat(64)).code).toBe(OK);
  expect(walk('['.repeat(65) + ']'.repeat(65)).code).toBe(DEPTH);
  expect(walk('{"a":'.repeat(64) + '1' + '}'.repeat(64)).code).toBe(OK);
  expect(walk('{"a":'.repeat(65) + '1' + '}'.repeat(65)).code).toBe(DEPTH);
  expect(walk('['.repeat(100000)).code).toBe(DEPTH);
});

test('an object with free keys has at most 256, of at most 512 bytes', () => {
  const walk = walker(any);
  const object = (n: number): string => `{${Array.from({ length: n }, (_, i) => `"k${i}":1`).join()}}`;
  expect(walk(object(256)).code).toBe(OK);
  expect(walk(object(257)).code).toBe(TOO_LARGE);
  expect(walk(`{"${'k'.repeat(512)}":1}`).code).toBe(OK);
  expect(walk(`{"${'k'.repeat(513)}":1}`).code).toBe(UNKNOWN_KEY);
});

const shape: Place = {
  object: {
    fields: {
      model: { string: 'model' },
      messages: {
        array: {
          of: {
            object: {
              as: 'message',
              fields: {
                content: {
                  string: 'part',
                  array: { of: { object: { fields: { text: { string: 'part' }, image_url: {} } } } },
                },
                key: { number: 'plain' },
              },
            },
          },
        },
      },
    },
  },
};

test('records say what was found, where, and inside what', () => {
  const { code, records } = walker(shape)(
    '{"messages":[{"content":"a"},{"content":[{"text":"b"},{"text":"c"}]}],"model":"m"}',
  );
  expect(code).toBe(OK);
  expect(records).toEqual([
    [P.PLACE_MESSAGE, '{"content":"a"}', 0, 0],
    [P.PLACE_PART, '"a"', 0, 0],
    [P.PLACE_MESSAGE, '{"content":[{"text":"b"},{"text":"c"}]}', 1, 0],
    [P.PLACE_PART, '"b"', 0, 1],
    [P.PLACE_PART, '"c"', 1, 1],
    [P.PLACE_MODEL, '"m"', 0, 0],
  ]);
});

test('an unknown key, a refused place and a wrong type are named by their place, never by what the client wrote', () => {
  const walk = walker(shape);
  expect(walk('{"secret-4111111111111111":1}')).toMatchObject({ code: UNKNOWN_KEY, place: '' });
  expect(walk('{"messages":[{"content":"a","x":null}]}')).toMatchObject({ code: UNKNOWN_KEY, place: 'messages[]' });
  expect(walk('{"messages":[{"content":[{"image_url":{"url":"http://x"}}]}]}')).toMatchObject({
    code: REFUSED,
    place: 'messages[].content[].image_url',
  });
  expect(walk('{"messages":[{"content":5}]}')).toMatchObject({ code: REFUSED, place: 'messages[].content' });
  expect(walk('[]')).toMatchObject({ code: REFUSED, place: '' });
});

test('twins and doubles of known keys are refused', () => {
  const walk = walker(shape);
  for (const body of [
    '{"model":"a","model":"b"}',
    '{"model":"a","Model":"b"}',
    '{"MODEL":"b"}',
    '{"\\u006dodel":"a","model":"b"}',
    '{"me\u017f\u017fages":[]}',
    '{"messages":[{"\u212aey":1}]}',
    '{"mode\\u004c":"x"}',
  ]) {
    expect([body, walk(body).code]).toEqual([body, DUPLICATE]);
  }
  expect(walk('{"\\u006dodel":"a"}').code).toBe(OK);
});

test('a plain number of more than ten digits is a record of its own', () => {
  const walk = walker(shape);
  expect(walk('{"messages":[{"key":1234567890}]}').records).toHaveLength(1);
  expect(walk('{"messages":[{"key":12345678901}]}').records[1]).toEqual([P.PLACE_NUMBER, '12345678901', 0, 0]);
});

test('a place has at most 128 fields, and each is told from the others', () => {
  const fields = (n: number): Place => ({
    object: { fields: Object.fromEntries(Array.from({ length: n }, (_, i) => [`f${i}`, { string: 'text' as const }])) },
  });
  const walk = walker(fields(KNOWN_KEYS_MAX));
  const object = `{${Array.from({ length: KNOWN_KEYS_MAX }, (_, i) => `"f${i}":"v${i}"`).join()}}`;
  expect(walk(object).records).toHaveLength(KNOWN_KEYS_MAX);
  for (const i of [0, 63, 64, 127]) expect(walk(object.replace('}', `,"f${i}":""}`)).code).toBe(DUPLICATE);
  expect(() => walker(fields(KNOWN_KEYS_MAX + 1))).toThrow(RangeError);
});
