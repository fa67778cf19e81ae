// What HTTP itself lets a client or an upstream say beside a body, on the real Envoy, byte for byte: a card number that
// stands in a corner of the protocol reaches neither side.
import { createHash, randomBytes } from 'node:crypto';
import http2 from 'node:http2';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { startMesh, type Mesh } from './mesh.ts';
import { policyWasm } from './policy-wasm.ts';

const CARD = '4111111111111111';
const KEY = `sk-${randomBytes(16).toString('hex')}`;
const SAID =
  '{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}';
const POLICY = `policy wire {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
zone = onprem | external
caller { id : text from claim "sub" }
models { zone: zone }
model far "far-1" { provider: openai zone: external input_price: 2 usd per 1M tokens output_price: 2 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
rule cards on prompt redact payment_card as mask
rule leaked on completion redact payment_card as mask
`;

/** All that reached the upstream, as bytes; and how it answers a request that is complete. */
let received = '';
let answer: (request: string) => string | Buffer;
let server: Server;
const sockets = new Set<Socket>();
let mesh: Mesh;

beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let pending = '';
    socket.on('data', (part) => {
      received += part.toString('latin1');
      pending += part.toString('latin1');
      for (let end = endOf(pending); end > 0; end = endOf(pending)) {
        socket.write(answer(pending.slice(0, end)));
        pending = pending.slice(end);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const deployment = {
    models: { far: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } },
    identity: { apiKeys: [{ sha256: createHash('sha256').update(KEY).digest('hex'), claims: { sub: 'u1' } }] },
  };
  const { plan, wasm } = await policyWasm(POLICY, deployment);
  mesh = await startMesh({ plan, deployment, wasm, loadFilter });
});

afterAll(async () => {
  await mesh?.stop();
  for (const socket of sockets) socket.destroy();
  server?.close();
});

beforeEach(() => {
  received = '';
  answer = () => reply(SAID);
});

/** Bytes of the first request, 0 while it is not complete. */
function endOf(bytes: string): number {
  const head = bytes.indexOf('\r\n\r\n');
  if (head < 0) return 0;
  const fields = bytes.slice(0, head).toLowerCase();
  if (fields.includes('transfer-encoding: chunked')) {
    const end = bytes.indexOf('\r\n0\r\n\r\n', head);
    return end < 0 ? 0 : end + 7;
  }
  const end = head + 4 + Number(/content-length: (\d+)/.exec(fields)?.[1] ?? 0);
  return bytes.length < end ? 0 : end;
}

const reply = (body: string | Buffer, line = 'HTTP/1.1 200 OK', fields = ''): Buffer =>
  Buffer.concat([
    Buffer.from(`${line}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n${fields}\r\n`),
    Buffer.from(body),
  ]);
const chat = (content: string): string =>
  JSON.stringify({ model: 'far-1', max_tokens: 5, messages: [{ role: 'user', content }] });
const head = (line: string, fields: string): string =>
  `${line}\r\nhost: writ.example\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\n${fields}\r\n`;
const LINE = 'POST /v1/chat/completions HTTP/1.1';
const chunked = (body: string, extension = '', trailers = ''): string =>
  `${body.length.toString(16)}${extension}\r\n${body}\r\n0\r\n${trailers}\r\n`;
const whole = (body: string, line = LINE, fields = ''): string =>
  head(line, `content-length: ${body.length}\r\n${fields}`) + body;

/** Sends bytes; what comes back within a time, or until `replies` replies are whole. */
function exchange(bytes: string | Buffer, replies = 1): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(mesh.port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    const timer = setTimeout(finish, 3_000);
    socket.on('data', (part) => {
      text += part.toString('latin1');
      if ((text.match(/HTTP\/1\.1 [2-5]\d\d/g) ?? []).length >= replies && /(\}|\r\n\r\n)$/.test(text)) finish();
    });
    socket.on('close', finish);
    socket.on('error', reject);
  });
}

const statuses = (text: string): number[] => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => Number(code));

describe('a request', () => {
  test.each([
    ['plain', whole(chat(CARD))],
    ['in chunks', head(LINE, 'transfer-encoding: chunked\r\n') + chunked(chat(CARD))],
    ['with chunk extensions', head(LINE, 'transfer-encoding: chunked\r\n') + chunked(chat('hi'), `;card=${CARD}`)],
    ['with trailers', head(LINE, 'transfer-encoding: chunked\r\n') + chunked(chat('hi'), '', `x-card: ${CARD}\r\n`)],
    ['that expects to be told to go on', whole(chat(CARD), LINE, 'expect: 100-continue\r\n')],
    ['in absolute form', whole(chat(CARD), `POST http://${CARD}.example/v1/chat/completions HTTP/1.1`)],
    ['to a host of that name', whole(chat('hi')).replace('writ.example', CARD)],
    ['with an address of that name', whole(chat('hi'), LINE, `x-forwarded-for: ${CARD}\r\n`)],
    ['with an id of that name', whole(chat('hi'), LINE, `x-request-id: ${CARD}\r\n`)],
    ['with a cookie', whole(chat('hi'), LINE, `cookie: card=${CARD}\r\n`)],
    ['with another method in a header', whole(chat(CARD), LINE, 'x-http-method-override: GET\r\n')],
    ['with a header that says the path', whole(chat(CARD), LINE, 'x-original-url: /v1/models\r\nx-rewrite-url: /\r\n')],
    ['with a header of the hop', whole(chat('hi'), LINE, `connection: x-card\r\nx-card: ${CARD}\r\n`)],
    ['with a forwarding proxy', whole(chat('hi'), LINE, `forwarded: for=${CARD}\r\nvia: 1.1 ${CARD}\r\n`)],
  ])('%s', async (_, bytes) => {
    const got = await exchange(bytes);
    expect(statuses(got).at(-1)).toBe(200);
    expect(received).toContain('"messages"');
    expect(received).not.toContain('4111');
  });

  test.each([
    ['two lengths', head(LINE, `content-length: 5\r\ncontent-length: ${chat(CARD).length}\r\n`) + chat(CARD)],
    ['two lengths in one field', head(LINE, `content-length: 5, ${chat(CARD).length}\r\n`) + chat(CARD)],
    ['a length and chunks', head(LINE, 'content-length: 3\r\ntransfer-encoding: chunked\r\n') + chunked(chat(CARD))],
    [
      'chunks that are not the last coding',
      head(LINE, 'transfer-encoding: chunked, identity\r\n') + chunked(chat(CARD)),
    ],
    ['chunks twice', head(LINE, 'transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n') + chunked(chat(CARD))],
    ['a coding that nobody knows', head(LINE, 'transfer-encoding: xchunked\r\n') + chunked(chat(CARD))],
    ['a coding behind a tab', head(LINE, 'transfer-encoding:\tx chunked\r\n') + chunked(chat(CARD))],
    ['a blank before the colon', head(LINE, `content-length : ${chat(CARD).length}\r\n`) + chat(CARD)],
    ['a folded field', head(LINE, `x-a: b\r\n c\r\ncontent-length: ${chat(CARD).length}\r\n`) + chat(CARD)],
    ['a negative length', head(LINE, 'content-length: -1\r\n') + chat(CARD)],
    ['an endless chunk', `${head(LINE, 'transfer-encoding: chunked\r\n')}fffffffffffffffff\r\n${chat(CARD)}`],
  ])('with %s takes no card along', async (_, bytes) => {
    const got = await exchange(bytes);
    expect(statuses(got).every((status) => status >= 400 || status === 200)).toBe(true);
    expect(received).not.toContain('4111');
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
    const got = await exchange(whole(chat(CARD), `POST ${path} HTTP/1.1`));
    expect(statuses(got)).toHaveLength(1);
    expect(received).not.toContain('4111');
  });

  test('that follows another without waiting is governed as well', async () => {
    const got = await exchange(whole(chat('hi')) + whole(chat(CARD)) + whole(chat(`b ${CARD}`)), 3);
    expect(statuses(got)).toEqual([200, 200, 200]);
    expect(received.match(/\[PAYMENT_CARD\]/g)).toHaveLength(2);
    expect(received).not.toContain('4111');
  });

  test('over HTTP/2, with what HTTP/1.1 has not', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const session = http2.connect(mesh.url);
      session.once('error', reject);
      const stream = session.request(
        {
          ':method': 'POST',
          ':path': '/v1/chat/completions',
          ':authority': `${CARD}.example`,
          authorization: `Bearer ${KEY}`,
          'content-type': 'application/json',
          cookie: [`a=${CARD}`, 'b=2'],
          te: 'trailers',
          'x-note': CARD,
          priority: 'u=1',
        },
        { waitForTrailers: true },
      );
      let code = 0;
      stream.on('response', (headers) => (code = headers[':status'] ?? 0));
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-card': CARD }));
      stream.on('error', reject);
      stream.on('close', () => {
        session.close();
        resolve(code);
      });
      stream.resume();
      for (const part of chat(CARD)) stream.write(part);
      stream.end();
    });
    expect(status).toBe(200);
    expect(received).toContain('[PAYMENT_CARD]');
    expect(received).not.toContain('4111');
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['GZIP', gzipSync],
    ['identity, gzip', gzipSync],
  ] as const)('in %s is refused', async (coding, compress) => {
    const body = compress(chat(CARD));
    const got = await exchange(
      Buffer.concat([
        Buffer.from(head(LINE, `content-encoding: ${coding}\r\ncontent-length: ${body.length}\r\n`)),
        body,
      ]),
    );
    expect(statuses(got)).toEqual([415]);
    expect(received).toBe('');
  });
});

describe('a reply', () => {
  const saysCard = SAID.replace('"hi"', `"${CARD}"`);
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
    answer = bytes;
    const got = await exchange(whole(chat('x')));
    expect(statuses(got)).toEqual([200]);
    expect(got).not.toContain('4111');
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('in %s is refused', async (coding, compress) => {
    answer = () => reply(compress(saysCard), 'HTTP/1.1 200 OK', `content-encoding: ${coding}\r\n`);
    expect(statuses(await exchange(whole(chat('x'))))).toEqual([502]);
  });

  test.each([
    ['two lengths', `HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: ${saysCard.length}\r\n\r\n${saysCard}`],
    ['bytes behind its end', `${reply(SAID).toString()}HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n${CARD}`],
    ['no head', `${CARD}\r\n\r\n${saysCard}`],
  ])('with %s says no card', async (_, bytes) => {
    answer = () => bytes;
    const got = `${await exchange(whole(chat('x')))}${await exchange(whole(chat('y')))}`;
    expect(got).not.toContain('4111');
  });
});
