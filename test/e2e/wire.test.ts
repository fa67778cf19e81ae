// What HTTP itself lets a client or an upstream say beside a body, on the real Envoy, byte for byte: a card number that
// stands in a corner of the protocol reaches neither side.
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DOORS } from '../../proto/door.ts';
import {
  CARD,
  chat,
  chunked,
  head,
  LINE,
  type RawWire,
  reply,
  saying,
  startRawWire,
  statuses,
  whole,
} from './raw-wire.ts';

describe.each(DOORS)('through the door %s', (door) => {
  let wire: RawWire;

  beforeAll(async () => {
    wire = await startRawWire(door);
  });
  afterAll(() => wire?.stop());
  beforeEach(() => wire.clear());

  describe('a request', () => {
    test.each([
      ['plain', whole(chat(CARD))],
      ['in chunks', head(LINE, 'transfer-encoding: chunked\r\n') + chunked(chat(CARD))],
      ['with chunk extensions', head(LINE, 'transfer-encoding: chunked\r\n') + chunked(chat('hi'), `;card=${CARD}`)],
      ['with trailers', head(LINE, 'transfer-encoding: chunked\r\n') + chunked(chat('hi'), '', `x-card: ${CARD}\r\n`)],
      ['that expects to be told to go on', whole(chat(CARD), LINE, 'expect: 100-continue\r\n')],
      ['in absolute form', whole(chat(CARD), `POST http://${CARD}.example/v1/chat/completions HTTP/1.1`)],
      ['to a host of that name', whole(chat('hi')).toString().replace('writ.example', CARD)],
      ['with an address of that name', whole(chat('hi'), LINE, `x-forwarded-for: ${CARD}\r\n`)],
      ['with an id of that name', whole(chat('hi'), LINE, `x-request-id: ${CARD}\r\n`)],
      ['with a cookie', whole(chat('hi'), LINE, `cookie: card=${CARD}\r\n`)],
      ['with another method in a header', whole(chat(CARD), LINE, 'x-http-method-override: GET\r\n')],
      [
        'with a header that says the path',
        whole(chat(CARD), LINE, 'x-original-url: /v1/models\r\nx-rewrite-url: /\r\n'),
      ],
      ['with a header of the hop', whole(chat('hi'), LINE, `connection: x-card\r\nx-card: ${CARD}\r\n`)],
      ['with a forwarding proxy', whole(chat('hi'), LINE, `forwarded: for=${CARD}\r\nvia: 1.1 ${CARD}\r\n`)],
    ])('%s', async (_, bytes) => {
      const got = await wire.exchange([bytes]);
      expect(statuses(got).at(-1)).toBe(200);
      expect(wire.received()).toContain('"messages"');
      expect(wire.received()).not.toContain('4111');
    });

    test.each([
      ['two lengths', head(LINE, `content-length: 5\r\ncontent-length: ${chat(CARD).length}\r\n`) + chat(CARD)],
      ['two lengths in one field', head(LINE, `content-length: 5, ${chat(CARD).length}\r\n`) + chat(CARD)],
      ['a length and chunks', head(LINE, 'content-length: 3\r\ntransfer-encoding: chunked\r\n') + chunked(chat(CARD))],
      [
        'chunks that are not the last coding',
        head(LINE, 'transfer-encoding: chunked, identity\r\n') + chunked(chat(CARD)),
      ],
      [
        'chunks twice',
        head(LINE, 'transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n') + chunked(chat(CARD)),
      ],
      ['a coding that nobody knows', head(LINE, 'transfer-encoding: xchunked\r\n') + chunked(chat(CARD))],
      ['a coding behind a tab', head(LINE, 'transfer-encoding:\tx chunked\r\n') + chunked(chat(CARD))],
      ['a blank before the colon', head(LINE, `content-length : ${chat(CARD).length}\r\n`) + chat(CARD)],
      ['a folded field', head(LINE, `x-a: b\r\n c\r\ncontent-length: ${chat(CARD).length}\r\n`) + chat(CARD)],
      ['a negative length', head(LINE, 'content-length: -1\r\n') + chat(CARD)],
      ['an endless chunk', `${head(LINE, 'transfer-encoding: chunked\r\n')}fffffffffffffffff\r\n${chat(CARD)}`],
    ])('with %s takes no card along', async (_, bytes) => {
      const got = await wire.exchange([bytes]);
      expect(statuses(got).every((status) => status >= 400 || status === 200)).toBe(true);
      expect(wire.received()).not.toContain('4111');
    });

    test.each([
      '//v1/chat/completions',
      '/v1//chat/completions',
      '/v1/chat/completions/',
      '/v1/./chat/completions',
      '/x/../v1/chat/completions',
      '/v1/%2e%2e/v1/chat/completions',
      '/v1/chat%2Fcompletions',
      '/v1/chat%2fcompletions',
      '/v1/chat/completions;x=1',
      '/v1/chat/completions?x=1',
      `/v1/chat/completions?card=${CARD}`,
      `/v1/chat/completions#${CARD}`,
      '/V1/chat/completions',
      '/v1/chat/completion%73',
      '/v1\\chat\\completions',
      '/v1/chat/completions%00',
      '/v1/models',
      `/${CARD}`,
      `/v1/files/${CARD}`,
    ])('to %s is governed, or goes nowhere', async (path) => {
      const got = await wire.exchange([whole(chat(CARD), `POST ${path} HTTP/1.1`)]);
      expect(statuses(got)).toHaveLength(1);
      expect(wire.received()).not.toContain('4111');
    });

    test('that follows another without waiting is governed as well', async () => {
      const got = await wire.exchange(
        [Buffer.concat([whole(chat('hi')), whole(chat(CARD)), whole(chat(`b ${CARD}`))])],
        3,
      );
      expect(statuses(got)).toEqual([200, 200, 200]);
      expect(wire.received().match(/\[PAYMENT_CARD\]/g)).toHaveLength(2);
      expect(wire.received()).not.toContain('4111');
    });

    test('over HTTP/2, with what HTTP/1.1 has not', async () => {
      const { status } = await wire.exchangeHttp2(
        {
          ':authority': `${CARD}.example`,
          cookie: [`a=${CARD}`, 'b=2'],
          te: 'trailers',
          'x-note': CARD,
          priority: 'u=1',
        },
        [...chat(CARD)],
        { 'x-card': CARD },
      );
      expect(status).toBe(200);
      expect(wire.received()).toContain('[PAYMENT_CARD]');
      expect(wire.received()).not.toContain('4111');
    });

    test.each([
      ['gzip', gzipSync],
      ['deflate', deflateSync],
      ['br', brotliCompressSync],
      ['GZIP', gzipSync],
      ['identity, gzip', gzipSync],
    ] as const)('in %s is refused', async (coding, compress) => {
      const got = await wire.exchange([whole(compress(chat(CARD)), LINE, `content-encoding: ${coding}\r\n`)]);
      expect(statuses(got)).toEqual([415]);
      expect(wire.received()).toBe('');
    });
  });

  describe('a reply', () => {
    const saysCard = saying(CARD);
    const SAID = saying('hi');
    test.each([
      ['plain', () => reply(saysCard)],
      ['with a reason', () => reply(SAID, `HTTP/1.1 200 ${CARD}`)],
      ['with early hints', () => `HTTP/1.1 103 Early Hints\r\nlink: <${CARD}>\r\n\r\n${reply(SAID).toString()}`],
      ['with a note of progress', () => `HTTP/1.1 102 Processing\r\nx: ${CARD}\r\n\r\n${reply(SAID).toString()}`],
      ['with a header', () => reply(SAID, 'HTTP/1.1 200 OK', `x-card: ${CARD}\r\nserver: ${CARD}\r\n`)],
      ['with a header of that name', () => reply(SAID, 'HTTP/1.1 200 OK', `x-${CARD}-y: z\r\n`)],
      ['with a cookie', () => reply(SAID, 'HTTP/1.1 200 OK', `set-cookie: a=${CARD}\r\nset-cookie: b=1\r\n`)],
      [
        'in chunks with extensions and trailers',
        () =>
          `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunked(SAID, `;a=${CARD}`, `x-card: ${CARD}\r\n`)}`,
      ],
    ])('%s', async (_, bytes) => {
      wire.answerWith(() => [bytes()]);
      const got = await wire.exchange([whole(chat('x'))]);
      expect(statuses(got)).toEqual([200]);
      expect(got).not.toContain('4111');
    });

    test.each([
      ['gzip', gzipSync],
      ['deflate', deflateSync],
      ['br', brotliCompressSync],
    ] as const)('in %s is refused', async (coding, compress) => {
      wire.answerWith(() => [reply(compress(saysCard), 'HTTP/1.1 200 OK', `content-encoding: ${coding}\r\n`)]);
      expect(statuses(await wire.exchange([whole(chat('x'))]))).toEqual([502]);
    });

    test.each([
      ['two lengths', `HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: ${saysCard.length}\r\n\r\n${saysCard}`],
      ['bytes behind its end', `${reply(SAID).toString()}HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n${CARD}`],
      ['no head', `${CARD}\r\n\r\n${saysCard}`],
    ])('with %s says no card', async (_, bytes) => {
      wire.answerWith(() => [bytes]);
      const got = `${await wire.exchange([whole(chat('x'))])}${await wire.exchange([whole(chat('y'))])}`;
      expect(got).not.toContain('4111');
    });
  });
});
