// The filter as Envoy calls it, with Envoy's stand-in: what leaves does not depend on how the bytes came, only what
// edits change is written back, and nothing of an exchange stays behind.
import { beforeAll, describe, expect, test } from 'vitest';
import type { HeaderPair } from '../../filters/host/header-pairs.ts';
import { Worker } from './envoy-host.ts';
import { CONFIGURATION, chat, filterWasmOf, headersFor } from './filter-under-test.ts';

const CARD = '4111 1111 1111 1111';
const MODEL =
  'model m "m" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }';
const REPLY: readonly HeaderPair[] = [
  [':status', '200'],
  ['content-type', 'application/json'],
];

let wasm: Uint8Array;

beforeAll(async () => {
  wasm = await filterWasmOf(`${MODEL}
rule mask on prompt redact payment_card as placeholder
rule no_ids on prompt where text contains any of (us_ssn) deny "No"
rule leaked on completion redact payment_card as mask
`);
});

const splits = (body: Buffer): readonly (readonly Buffer[])[] => [
  [body],
  [body.subarray(0, 1), body.subarray(1)],
  Array.from({ length: body.length }, (_, at) => body.subarray(at, at + 1)),
  [body.subarray(0, 30), Buffer.alloc(0), body.subarray(30), Buffer.alloc(0)],
];

describe.each([false, true])('with trailers: %s', (trailers) => {
  test('a request leaves the same in every chunking, with its length and its route', () => {
    const body = chat(`My card is ${CARD}, said I. ${'And more. '.repeat(20)}`);
    const left = splits(body).map((chunks) => {
      const worker = new Worker(wasm, { configuration: CONFIGURATION });
      const stream = worker.request(headersFor(body), chunks, { trailers });
      expect(stream.continued).toEqual([0]);
      const { request, requestHeaders } = stream;
      worker.end(stream);
      return { request: request.toString(), headers: new Map(requestHeaders) };
    });
    for (const { request, headers } of left) {
      expect(request).toBe(left[0]?.request);
      expect(request).toContain('My card is [PAYMENT_CARD_1_');
      expect(request).not.toContain('4111');
      expect(headers.get('content-length')).toBe(String(Buffer.byteLength(request)));
      expect(headers.get('x-writ-route')).toBe('model/m');
      expect(headers.has('x-secret-note')).toBe(false);
      expect(JSON.parse(request).messages).toHaveLength(1);
    }
  });

  test('a denial says its reason, and nothing goes on', () => {
    const body = chat('SSN 078-05-1120');
    for (const chunks of splits(body)) {
      const worker = new Worker(wasm, { configuration: CONFIGURATION });
      const stream = worker.request(headersFor(body), chunks, { trailers });
      expect([stream.continued, stream.local?.status]).toEqual([[], 403]);
      worker.end(stream);
      const [exchange, ...records] = stream.properties.get('decision')?.split('\n') ?? [];
      expect(JSON.parse(exchange ?? '')).toEqual({ revision: 'a'.repeat(64), end: 'answered', spentMicros: null });
      // Each line ends.
      expect(records.pop()).toBe('');
      expect(records.map((record) => JSON.parse(record))).toMatchObject([{ outcome: 'deny' }]);
      expect(stream.properties.get('decision')).not.toContain('078');
    }
  });

  test('a reply that is held whole is the same in every chunking', () => {
    const body = chat(`My card is ${CARD}.`);
    const replies = splits(body).map((_, at) => {
      const worker = new Worker(wasm, { configuration: CONFIGURATION });
      const stream = worker.request(headersFor(body), [body]);
      const placeholder = /\[PAYMENT_CARD_1_[a-z2-7]+\]/.exec(stream.request.toString())?.[0] ?? '';
      const content = `You said ${placeholder}; mine is 5500 0000 0000 0004.`;
      const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
      const reply = Buffer.from(
        JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices }),
      );
      const got = worker.reply(stream, REPLY, splits(reply)[at] ?? [], { trailers }).toString();
      const length = new Map(stream.replyHeaders).get('content-length');
      worker.end(stream);
      expect(length).toBe(String(Buffer.byteLength(got)));
      return got;
    });
    expect(new Set(replies).size).toBe(1);
    expect(replies[0]).toContain(`You said ${CARD}`);
    expect(replies[0]).not.toContain('5500');
  });
});

test('a stream is the same in every chunking', () => {
  const frame = (delta: object, finish: string | null = null): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const events = Buffer.from(
    [
      ...['Mine is 5500 ', '0000 0000', ' 0004, ', 'or so.'].map((content) => frame({ content })),
      frame({}, 'stop'),
      'data: [DONE]\n\n',
    ].join(''),
  );
  const body = chat('A card?', { stream: true });
  const streams = splits(events).map((chunks) => {
    const worker = new Worker(wasm, { configuration: CONFIGURATION });
    const stream = worker.request(headersFor(body), [body]);
    const headers: readonly HeaderPair[] = [
      [':status', '200'],
      ['content-type', 'text/event-stream'],
      ['content-length', String(events.length)],
    ];
    const got = worker.reply(stream, headers, chunks).toString();
    expect(new Map(stream.replyHeaders).has('content-length')).toBe(false);
    worker.end(stream);
    return got;
  });
  expect(new Set(streams).size).toBe(1);
  expect(streams[0]).not.toContain('5500');
  expect(streams[0]?.endsWith('data: [DONE]\n\n')).toBe(true);
});

test('nothing of an exchange stays behind, and more exchanges than a worker may have open are refused', () => {
  const worker = new Worker(wasm, { configuration: CONFIGURATION });
  const body = chat(`My card is ${CARD}.`);
  const run = (): void => worker.end(worker.request(headersFor(body), [body]));
  run();
  const before = worker.bytesInUse;
  for (let count = 0; count < 1_000; count++) run();
  expect(worker.bytesInUse).toBe(before);
  const open = Array.from({ length: 10 }, () => worker.request(headersFor(body), [body]));
  expect(open.every(({ local }) => local === undefined)).toBe(true);
  expect(worker.request(headersFor(body), [body]).local?.status).toBe(503);
});

test.each([
  ['an unknown line', `${CONFIGURATION}colour blue\n`],
  ['no limits', 'replies\n'],
  ['a limit that is no number', CONFIGURATION.replace('exchanges 10', 'exchanges many')],
  ['nothing', ''],
  ['65 stores', `${CONFIGURATION}${'store store/x 127.0.0.1:9\n'.repeat(64)}`],
])('a configuration with %s is refused', (_, configuration) => {
  expect(() => new Worker(wasm, { configuration })).toThrow('the configuration is refused');
});
