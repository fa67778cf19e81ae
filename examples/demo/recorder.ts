/**
 * A reverse proxy in front of an upstream that keeps what passes: the demo's evidence is the bytes that the upstream
 * received, not what somebody says about them. It changes nothing and decides nothing.
 */
import http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Recorded {
  readonly number: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly request: Buffer;
  /** 0 until the upstream has answered. */
  readonly status: number;
  /** What the upstream has sent so far. */
  readonly reply: Buffer;
}

export interface Recorder {
  readonly url: string;
  /** Marks this moment for `since`. */
  mark(): number;
  /** The exchanges whose request arrived whole after the mark, in order. */
  since(mark: number): readonly Recorded[];
  stop(): Promise<void>;
}

/** The oldest are forgotten. */
export const EXCHANGES_MAX = 2_000;
/** Of one body; what is beyond it passes and is not kept. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Longer than Envoy keeps an idle connection, so that it never meets one that was just closed. */
const KEEP_ALIVE_MS = 15_000;

/** Listens at once; requests wait until the upstream's URL is known. */
export async function startRecorder(upstream: Promise<string>): Promise<Recorder> {
  const exchanges: Exchange[] = [];
  const agent = new http.Agent({ keepAlive: true, timeout: 4_000 });
  let count = 0;
  const server = http.createServer((request, response) => {
    void Promise.all([readBody(request), upstream]).then(
      ([body, url]) => {
        const exchange = new Exchange(++count, request, body);
        exchanges.push(exchange);
        if (exchanges.length > EXCHANGES_MAX) exchanges.shift();
        forward({ upstream: url, agent, request, body, response, exchange });
      },
      () => response.destroy(),
    );
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    mark: () => count,
    since: (mark) => exchanges.filter((exchange) => exchange.number > mark),
    stop: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

class Exchange implements Recorded {
  readonly number: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly #request: Buffer;
  readonly #reply: Buffer[] = [];
  #replyBytes = 0;
  status = 0;

  constructor(number: number, { method = '', url = '', headers }: IncomingMessage, request: Buffer) {
    this.number = number;
    this.method = method;
    this.path = url;
    this.headers = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    this.#request = request;
  }

  get request(): Buffer {
    return this.#request.subarray(0, BODY_BYTES_MAX);
  }

  get reply(): Buffer {
    return Buffer.concat(this.#reply);
  }

  add(chunk: Buffer): void {
    if (this.#replyBytes + chunk.length > BODY_BYTES_MAX) return;
    this.#replyBytes += chunk.length;
    this.#reply.push(chunk);
  }
}

interface Passage {
  readonly upstream: string;
  readonly agent: http.Agent;
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly response: ServerResponse;
  readonly exchange: Exchange;
}

function forward({ upstream, agent, request, body, response, exchange }: Passage): void {
  // The body is sent on whole, so its length is known, whatever framing it came in.
  const { 'transfer-encoding': _framing, connection: _hop, ...headers } = request.headers;
  const onward = http.request(new URL(request.url ?? '/', upstream), {
    method: request.method ?? 'GET',
    agent,
    headers: { ...headers, 'content-length': String(body.length) },
  });
  onward.on('response', (reply) => {
    exchange.status = reply.statusCode ?? 0;
    response.writeHead(exchange.status, reply.headers);
    reply.on('data', (chunk: Buffer) => exchange.add(chunk));
    reply.on('error', () => response.destroy());
    reply.pipe(response);
  });
  onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  // Whoever hangs up in front hangs up behind as well: a model does not go on writing for nobody.
  response.on('close', () => onward.destroy());
  onward.end(body);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function listen(server: http.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : 0);
    });
  });
}
