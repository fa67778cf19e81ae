// Ways to bring a card number past a policy that masks card numbers, on the real Envoy, through both doors. What counts
// is what the other side receives: the upstream's bytes for a request, the client's for a reply. An oracle of its own,
// which knows nothing of the kernel, reads them as a person or a lenient program would; it must find the number in what
// was sent, so that no row passes by being none. Forms that are declared as not seen (README, "What it enforces") are
// rows too: they pass as they came.
import { readFileSync } from 'node:fs';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DOORS } from '../../proto/door.ts';
import { CARD, chat, head, LINE, type RawWire, reply, startRawWire, statuses, whole } from './raw-wire.ts';
import { readsAsCard } from './reads-as-card.ts';

/** A status: refused, and nothing goes on. */
type Outcome = 'masked' | 400 | 403 | 'declared as not seen';
type Row = readonly [name: string, body: string, outcome: Outcome];

const SPACED = '4111 1111 1111 1111';
/** Each digit of the number, made anew. */
const each = (make: (digit: number) => string): string => [...CARD].map((digit) => make(Number(digit))).join('');
const between = (mark: string): string => [...CARD].join(mark);
const from = (zero: number) => (digit: number) => String.fromCodePoint(zero + digit);
const unicodeEscape = (text: string): string =>
  [...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
const toolCall = (args: string): string =>
  chat('hi', {
    messages: [
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'pay', arguments: args } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'done' },
    ],
  });
const parts = (...texts: readonly string[]): string => chat(texts.map((text) => ({ type: 'text', text })));

/** Bodies; each goes whole, cut at every character into chunks, and by HTTP/2. */
const bodies: readonly Row[] = [
  ['plain, so that the table is known to see', chat(CARD), 'masked'],
  // Look-alike digits.
  ['full-width digits', chat(each(from(0xff10))), 'masked'],
  ['Arabic-Indic digits', chat(each(from(0x660))), 'masked'],
  ['Persian digits', chat(each(from(0x6f0))), 'masked'],
  ['Devanagari digits', chat(each(from(0x966))), 'masked'],
  ['mathematical bold digits', chat(each(from(0x1d7ce))), 'masked'],
  ['mathematical monospace digits', chat(each(from(0x1d7f6))), 'masked'],
  ['segmented digits', chat(each(from(0x1fbf0))), 'masked'],
  ['digits in circles', chat(each((digit) => from(0x2460)(digit - 1))), 'masked'],
  ['raised digits', chat(each((digit) => (digit === 1 ? '\u00b9' : '\u2074'))), 'declared as not seen'],
  ['lowered digits', chat(each(from(0x2080))), 'declared as not seen'],
  ['digits of two scripts', chat(each((digit) => from(digit === 4 ? 0xff10 : 0x660)(digit))), 'masked'],
  // What nobody sees between the digits.
  ['zero-width spaces', chat(between('\u200b')), 'masked'],
  ['zero-width joiners', chat(between('\u200d')), 'masked'],
  ['zero-width non-joiners', chat(between('\u200c')), 'masked'],
  ['word joiners', chat(between('\u2060')), 'masked'],
  ['byte order marks in the text', chat(between('\ufeff')), 'masked'],
  ['soft hyphens', chat(between('\u00ad')), 'masked'],
  ['marks of direction', chat(`\u202d${between('\u200e')}\u202c`), 'masked'],
  ['variation selectors', chat(between('\ufe0f')), 'masked'],
  ['combining grapheme joiners', chat(between('\u034f')), 'masked'],
  ['invisible separators', chat(between('\u2063')), 'masked'],
  ['a zero-width space and full-width digits', chat([...each(from(0xff10))].join('\u200b')), 'masked'],
  // What stands between groups.
  ['thin spaces', chat(SPACED.replaceAll(' ', '\u2009')), 'masked'],
  ['no-break spaces', chat(SPACED.replaceAll(' ', '\u00a0')), 'masked'],
  ['ideographic spaces', chat(SPACED.replaceAll(' ', '\u3000')), 'masked'],
  ['lines', chat(SPACED.replaceAll(' ', '\n')), 'masked'],
  ['en dashes', chat(SPACED.replaceAll(' ', '\u2013')), 'masked'],
  ['minus signs', chat(SPACED.replaceAll(' ', '\u2212')), 'masked'],
  ['dots', chat(SPACED.replaceAll(' ', '.')), 'masked'],
  // Where it is cut.
  ['two parts of a message', parts('4111 1111 ', '1111 1111'), 'masked'],
  ['a part a digit', parts(...CARD), 'masked'],
  ['parts with a zero-width space at the cut', parts('41111111\u200b', '\u200b11111111'), 'masked'],
  ['parts in look-alike digits', parts(each(from(0xff10)).slice(0, 7), each(from(0xff10)).slice(7)), 'masked'],
  // How JSON writes it.
  ['escapes', chat('@').replace('@', unicodeEscape(CARD)), 'masked'],
  [
    'escapes in capitals',
    chat('@')
      .replace('@', unicodeEscape('\uff14\uff11\uff11\uff11').replaceAll('ff', 'FF'))
      .replace('"}]', `${'\\uFF11'.repeat(12)}"}]`),
    'masked',
  ],
  [
    'escaped surrogates',
    chat('@').replace(
      '@',
      [...each(from(0x1d7ce))]
        .map((char) => `\\u${char.charCodeAt(0).toString(16)}\\u${char.charCodeAt(1).toString(16)}`)
        .join(''),
    ),
    'masked',
  ],
  ['escapes of the field', chat(CARD).replace('"content"', '"c\\u006fntent"'), 'masked'],
  ['nested JSON', toolCall(JSON.stringify({ card: CARD })), 'masked'],
  ['nested JSON, escaped twice', toolCall(`{"card":"${unicodeEscape(CARD)}"}`), 'masked'],
  ['nested JSON, deeper', toolCall(JSON.stringify({ a: [{ b: { c: [SPACED] } }] })), 'masked'],
  ['nested JSON, a number, which has no room for a mask', toolCall(`{"card":${CARD}}`), 403],
  ['nested JSON, a key', toolCall(`{"${CARD}":true}`), 'masked'],
  ['JSON in a text', chat(JSON.stringify({ card: SPACED })), 'masked'],
  ['another field of text', chat('hi', { user: CARD }), 'masked'],
  ['a value of the metadata', chat('hi', { metadata: { note: CARD } }), 'masked'],
  // What two parsers would read differently.
  ['a field twice', chat('hi').replace('"role"', `"content":"${CARD}","role"`), 400],
  ['a field twice, once escaped', chat('hi').replace('"role"', `"\\u0063ontent":"${CARD}","role"`), 400],
  ['a field in another case', chat('hi').replace('"role"', `"Content":"${CARD}","role"`), 400],
  ['a field in letters that fold to it', chat('hi').replace('"role"', `"me\u017f\u017fages":"${CARD}","role"`), 400],
  [
    'a key of the metadata twice',
    chat('hi', { metadata: { a: '1' } }).replace('"a":"1"', `"a":"1","\\u0061":"${CARD}"`),
    400,
  ],
  ['nested JSON with a key twice', toolCall(`{"card":"x","card":"${CARD}"}`), 'masked'],
  ['a field that nobody knows', chat('hi', { note: CARD }), 400],
  ['bytes behind the document', `${chat('hi')}${chat(CARD)}`, 400],
  ['a byte order mark before it', `\ufeff${chat(CARD)}`, 400],
  // What text is not.
  ['base64', chat(Buffer.from(CARD).toString('base64')), 'declared as not seen'],
  [
    'two messages',
    chat('', { messages: ['4111 1111 ', '1111 1111'].map((content) => ({ role: 'user', content })) }),
    'declared as not seen',
  ],
  ['words', chat('four one one one, and twelve times one more'), 'declared as not seen'],
];

const inChunks = (body: string): string[] => [
  head(LINE, 'transfer-encoding: chunked\r\n'),
  ...[...body].map((char) => `${Buffer.byteLength(char).toString(16)}\r\n${char}\r\n`),
  '0\r\n\r\n',
];

describe.each(DOORS)('through the door %s', (door) => {
  let wire: RawWire;
  beforeAll(async () => {
    wire = await startRawWire(door);
  });
  afterAll(() => wire?.stop());
  beforeEach(() => wire.clear());

  /** What the upstream has received, as text. */
  const sent = (): string => Buffer.from(wire.received(), 'latin1').toString();

  function expectOutcome(body: string, outcome: Outcome, status: number): void {
    if (typeof outcome === 'number') {
      expect(status).toBe(outcome);
      expect(sent()).toBe('');
      return;
    }
    expect(status).toBe(200);
    if (outcome === 'masked') {
      expect(sent()).toContain('[PAYMENT_CARD]');
      expect(readsAsCard(sent().slice(sent().indexOf('\r\n\r\n')))).toBe(false);
    } else expect(sent()).toContain(body);
  }

  describe('a request with', () => {
    test.each(bodies)('%s', async (_, body, outcome) => {
      if (outcome !== 'declared as not seen') expect(readsAsCard(body)).toBe(true);
      expectOutcome(body, outcome, statuses(await wire.exchange([whole(body)]))[0] ?? 0);
      wire.clear();
      const overHttp2 = await wire.exchangeHttp2({}, [...body], { 'x-card': CARD });
      expectOutcome(body, outcome, overHttp2.status);
      expect(sent()).not.toContain('x-card');
    });

    test.each(bodies.filter(([name]) => /plain|parts|escapes|bold|a field twice/.test(name)))(
      '%s, a chunk a character',
      async (_, body, outcome) => {
        const got = await wire.exchange(inChunks(body));
        expect(statuses(got)[0]).toBe(typeof outcome === 'number' ? outcome : 200);
        expect(readsAsCard(unchunked(sent()))).toBe(false);
      },
    );

    test.each([
      ['gzip', gzipSync],
      ['deflate', deflateSync],
      ['br', brotliCompressSync],
    ] as const)('%s, said and unsaid', async (coding, compress) => {
      const said = await wire.exchange([whole(compress(chat(CARD)), LINE, `content-encoding: ${coding}\r\n`)]);
      const unsaid = await wire.exchange([whole(compress(chat(CARD)))]);
      expect([...statuses(said), ...statuses(unsaid)]).toEqual([415, 400]);
      expect(wire.received()).toBe('');
    });

    test('the half of the number in a chunk extension, a trailer or the next request', async () => {
      const half = chat('4111 1111');
      const size = half.length.toString(16);
      const chunks = head(LINE, 'transfer-encoding: chunked\r\n');
      const extension = `${chunks}${size};rest="1111 1111"\r\n${half}\r\n0\r\n`;
      const got = await wire.exchange([`${extension}x-rest: 1111 1111\r\n\r\n`, whole(chat(CARD)), whole(half)], 3);
      expect(statuses(got)).toEqual([200, 200, 200]);
      expect(sent()).not.toContain('rest');
      expect(sent().match(/\[PAYMENT_CARD\]/g)).toHaveLength(1);
      expect(sent()).not.toContain(CARD);
    });
  });

  describe('a reply', () => {
    const frame = (choice: object): string =>
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, finish_reason: null, ...choice }] })}\n\n`;
    const says = (content: string, index = 0): string => frame({ index, delta: { content } });
    const calls = (args: string, index = 0): string =>
      frame({
        delta: {
          tool_calls: [
            {
              index,
              ...(args === '' ? { id: 'c1', type: 'function' } : {}),
              function: { ...(args === '' ? { name: 'pay' } : {}), arguments: args },
            },
          ],
        },
      });
    const ends = [frame({ delta: {}, finish_reason: 'stop' }), 'data: [DONE]\n\n'];
    const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
    const chunk = (bytes: Uint8Array): Buffer =>
      Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
    /** The frames, cut at each multiple of `cut` bytes, wherever that is. */
    const stream = (frames: readonly string[], cut: number): Buffer[] => {
      const bytes = Buffer.from(frames.join(''));
      const pieces = Array.from({ length: Math.ceil(bytes.length / cut) }, (_, at) =>
        chunk(bytes.subarray(at * cut, (at + 1) * cut)),
      );
      return [Buffer.from(HEAD), ...pieces, Buffer.from('0\r\nx-card: 4111 1111 1111 1111\r\n\r\n')];
    };

    const streams: readonly (readonly [name: string, frames: readonly string[], shows?: 'denied'])[] = [
      ['in one frame', [says(CARD)]],
      ['over frames, a digit each', [...CARD].map((digit) => says(digit))],
      ['over frames, in look-alike digits', [...each(from(0x1d7ce))].map((digit) => says(digit))],
      ['over frames with soft hyphens between', [...between('\u00ad')].map((char) => says(char))],
      ['over frames of another choice between', [...CARD].flatMap((digit) => [says(digit), says(digit, 1)])],
      ['in escapes', [says('@').replace('@', unicodeEscape(CARD))]],
      ['over tool-argument deltas', [calls(''), ...[...JSON.stringify({ card: CARD })].map((char) => calls(char))]],
      [
        'over tool-argument deltas, escaped twice',
        [calls(''), ...[...`{"card":"${unicodeEscape(CARD)}"}`].map((char) => calls(char))],
      ],
      [
        'over tool-argument deltas, as a number, which has no room for a mask',
        [calls(''), ...[...`{"card":${CARD}}`].map((char) => calls(char))],
        'denied',
      ],
      ['over tool-argument deltas, as a key', [calls(''), ...[...`{"${CARD}":1}`].map((char) => calls(char))]],
    ];
    const cuts = [1_000_000, 61, 7];
    test.each(streams.flatMap(([name, frames, shows]) => cuts.map((cut) => [name, cut, frames, shows] as const)))(
      '%s, %i bytes a chunk',
      async (_, cut, frames, shows) => {
        expect(readsAsCard(frames.join(''))).toBe(true);
        wire.answerWith(() => stream([...frames, ...ends], cut));
        const got = await wire.exchange([whole(chat('hi', { stream: true }))]);
        expect(statuses(got)).toEqual([200]);
        const text = Buffer.from(unchunked(got.slice(got.indexOf('\r\n\r\n') + 4)), 'latin1').toString();
        expect(text).toContain(shows === 'denied' ? '"content_filter"' : 'PAYMENT_CARD');
        expect(text).toContain('data: [DONE]\n\n');
        expect(readsAsCard(text)).toBe(false);
        expect(got).not.toContain('x-card');
      },
    );

    const texts = bodies.flatMap(([name, body, outcome]): (readonly [string, string])[] => {
      if (outcome !== 'masked') return [];
      const content: unknown = JSON.parse(body).messages[0].content;
      return typeof content === 'string' && readsAsCard(content) ? [[name, content]] : [];
    });
    test('says as many texts', () => expect(texts.length).toBeGreaterThan(25));
    test.each(texts)('that says %s', async (_, content) => {
      wire.answerWith(() => [
        reply(
          JSON.stringify({
            id: 'c',
            object: 'chat.completion',
            created: 1,
            model: 'm',
            choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
            usage: { prompt_tokens: 1, completion_tokens: 1 },
          }),
        ),
      ]);
      const got = Buffer.from(await wire.exchange([whole(chat('hi'))]), 'latin1').toString();
      expect(statuses(got)).toEqual([200]);
      expect(got).toContain('[PAYMENT_CARD]');
      expect(readsAsCard(got.slice(got.indexOf('\r\n\r\n')))).toBe(false);
    });
  });
});

test('what is not seen is declared', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const said = /They do not find [^.]*\./.exec(readme)?.[0].replaceAll('\n', ' ') ?? '';
  for (const form of [
    'encoded (base64)',
    'raised or lowered digits',
    'split between two messages',
    'spelled out in words',
  ])
    expect(said).toContain(form);
});

/** A body without the frames of its chunks. */
function unchunked(body: string): string {
  return body.replaceAll(/\r\n[0-9a-f]+\r\n|^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, '');
}
