// Both ends of a connection as bytes, with Envoy between them: an upstream that keeps every byte that reaches it, and a
// client that writes what it is given. One policy masks card numbers in both directions.
import { createHash, randomBytes } from 'node:crypto';
import http2 from 'node:http2';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { loadFilter } from '../../filters/host/load-filter.ts';
import type { Door } from '../../proto/door.ts';
import { startMesh } from './mesh.ts';
import { policyWasm } from './policy-wasm.ts';

export const CARD = '4111111111111111';
const KEY = `sk-${randomBytes(16).toString('hex')}`;
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

type Bytes = string | Uint8Array;

export interface RawWire {
  /** All that reached the upstream since the last `clear`, a character a byte. */
  received(): string;
  /** Every request is answered as usual again, and nothing has been received. */
  clear(): void;
  /** Each part is written on its own. */
  answerWith(answer: () => readonly Bytes[]): void;
  /** Writes each part on its own; what comes back within a time, or until `replies` replies are whole. */
  exchange(parts: readonly Bytes[], replies?: number): Promise<string>;
  /** Over HTTP/2, a frame a part, with trailers. */
  exchangeHttp2(
    headers: http2.OutgoingHttpHeaders,
    parts: readonly Bytes[],
    trailers: http2.OutgoingHttpHeaders,
  ): Promise<{ readonly status: number; readonly text: string }>;
  stop(): Promise<void>;
}

/** Longer than an answer takes on a busy machine: what is shorter would hide a reply that comes late. */
const ANSWER_MS_MAX = 5_000;
const SAID =
  '{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}';

export async function startRawWire(door: Door): Promise<RawWire> {
  let received = '';
  const usual = (): readonly Bytes[] => [reply(SAID)];
  let answer = usual;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let pending = '';
    let written = Promise.resolve();
    socket.on('data', (part) => {
      received += part.toString('latin1');
      pending += part.toString('latin1');
      for (let end = endOf(pending); end > 0; end = endOf(pending)) {
        pending = pending.slice(end);
        written = written.then(() => writeParts(socket, answer()));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const deployment = {
    models: { far: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } },
    identity: { apiKeys: [{ sha256: createHash('sha256').update(KEY).digest('hex'), claims: { sub: 'u1' } }] },
  };
  const { plan, wasm } = await policyWasm(POLICY, deployment);
  const mesh = await startMesh({ plan, deployment, wasm, loadFilter, door });
  return {
    received: () => received,
    clear: () => {
      received = '';
      answer = usual;
    },
    answerWith: (given) => {
      answer = given;
    },
    exchange: (parts, replies = 1) => exchange(mesh.port, parts, replies),
    exchangeHttp2: (headers, parts, trailers) => exchangeHttp2(mesh.url, headers, parts, trailers),
    stop: async () => {
      await mesh.stop();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const LINE = 'POST /v1/chat/completions HTTP/1.1';

export const chat = (content: unknown, more: object = {}): string =>
  JSON.stringify({ model: 'far-1', max_tokens: 5, messages: [{ role: 'user', content }], ...more });
export const head = (line: string, fields: string): string =>
  `${line}\r\nhost: writ.example\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\n${fields}\r\n`;
export const whole = (body: Bytes, line = LINE, fields = ''): Buffer =>
  Buffer.concat([
    Buffer.from(head(line, `content-length: ${Buffer.byteLength(body)}\r\n${fields}`)),
    Buffer.from(body),
  ]);
/** A body in one chunk and its end. */
export const chunked = (body: string, extension = '', trailers = ''): string =>
  `${Buffer.byteLength(body).toString(16)}${extension}\r\n${body}\r\n0\r\n${trailers}\r\n`;
export const reply = (body: Bytes, line = 'HTTP/1.1 200 OK', fields = ''): Buffer =>
  Buffer.concat([
    Buffer.from(
      `${line}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${fields}\r\n`,
    ),
    Buffer.from(body),
  ]);
/** The usual reply, with another content. */
export const saying = (content: string): string => SAID.replace('"hi"', JSON.stringify(content));

export const statuses = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => Number(code));

/** Bytes of the first request, 0 while it is not complete. */
function endOf(bytes: string): number {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return 0;
  const fields = bytes.slice(0, headEnd).toLowerCase();
  if (fields.includes('transfer-encoding: chunked')) {
    const end = bytes.indexOf('\r\n0\r\n\r\n', headEnd);
    return end < 0 ? 0 : end + 7;
  }
  const end = headEnd + 4 + Number(/content-length: (\d+)/.exec(fields)?.[1] ?? 0);
  return bytes.length < end ? 0 : end;
}

/** Parts leave one by one: a turn of the loop between them, and no waiting for more to send. */
async function writeParts(socket: Socket, parts: readonly Bytes[]): Promise<void> {
  for (const part of parts) {
    if (socket.destroyed) return;
    socket.write(part);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function exchange(port: number, parts: readonly Bytes[], replies: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => void writeParts(socket, parts));
    let text = '';
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    const timer = setTimeout(finish, ANSWER_MS_MAX);
    socket.on('data', (part) => {
      text += part.toString('latin1');
      const ends = /\r\ntransfer-encoding: chunked\r\n/i.test(text) ? /\r\n0\r\n\r\n$/ : /(\}|\r\n\r\n)$/;
      if (statuses(text).filter((status) => status >= 200).length >= replies && ends.test(text)) finish();
    });
    socket.on('close', finish);
    socket.on('error', reject);
  });
}

function exchangeHttp2(
  url: string,
  headers: http2.OutgoingHttpHeaders,
  parts: readonly Bytes[],
  trailers: http2.OutgoingHttpHeaders,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(url);
    session.once('error', reject);
    const stream = session.request(
      {
        ':method': 'POST',
        ':path': '/v1/chat/completions',
        authorization: `Bearer ${KEY}`,
        'content-type': 'application/json',
        ...headers,
      },
      { waitForTrailers: true },
    );
    let status = 0;
    let text = '';
    stream.on('response', (received) => (status = received[':status'] ?? 0));
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.on('data', (part: Buffer) => (text += part.toString('latin1')));
    stream.on('error', reject);
    stream.on('close', () => {
      session.close();
      resolve({ status, text });
    });
    for (const part of parts) stream.write(part);
    stream.end();
  });
}
