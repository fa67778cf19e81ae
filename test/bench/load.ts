/**
 * A load generator over keep-alive connections: as many requests in flight as asked for, until a count is reached. It
 * speaks HTTP/1.1 on sockets of its own, because node:http's client would be the slowest part of what is measured. It
 * understands what Envoy answers (content-length or chunked), and nothing else.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly body: Uint8Array;
  readonly headers?: { readonly [name: string]: string };
  readonly concurrency: number;
  /** Requests in all. */
  readonly count: number;
  /** A reply counts as failed unless it has this status. */
  readonly status?: number;
  /** Must stand in the reply's body, if given. */
  readonly contains?: string;
}

export interface LoadResult {
  readonly count: number;
  readonly failed: number;
  /** The first failures, for people. */
  readonly failures: readonly string[];
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

const FAILURES_SHOWN_MAX = 5;
const REPLY_MS_MAX = 30_000;

export async function load(options: LoadOptions): Promise<LoadResult> {
  const request = Buffer.concat([Buffer.from(head(options), 'latin1'), options.body]);
  const latencies: number[] = [];
  const failures: string[] = [];
  let failed = 0;
  let next = 0;
  const fail = (reason: string): void => {
    failed++;
    if (failures.length < FAILURES_SHOWN_MAX) failures.push(reason);
  };
  const began = performance.now();
  await Promise.all(
    Array.from({ length: options.concurrency }, async () => {
      let connection: Connection | undefined;
      while (next < options.count) {
        next++;
        const start = performance.now();
        try {
          connection ??= await Connection.open(options.port);
          const reply = await connection.exchange(request);
          latencies.push(performance.now() - start);
          const body = reply.body.toString('utf8');
          if (reply.status !== (options.status ?? 200)) fail(`status ${reply.status}: ${body.slice(0, 200)}`);
          else if (options.contains !== undefined && !body.includes(options.contains))
            fail(`body: ${body.slice(0, 200)}`);
          if (reply.close) {
            connection.end();
            connection = undefined;
          }
        } catch (error) {
          fail(error instanceof Error ? error.message : String(error));
          connection?.end();
          connection = undefined;
        }
      }
      connection?.end();
    }),
  );
  const ms = performance.now() - began;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? NaN;
  return { count: next, failed, failures, perSecond: (next / ms) * 1000, p50: at(0.5), p99: at(0.99), most: at(1) };
}

function head({ path, body, headers }: LoadOptions): string {
  const more = Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n${more.join('')}\r\n`;
}

interface Reply {
  readonly status: number;
  readonly body: Buffer;
  readonly close: boolean;
}

class Connection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void; timer: NodeJS.Timeout } | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#data(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Connection(socket));
      });
    });
  }

  exchange(request: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(new Error('no reply in time')), REPLY_MS_MAX);
      this.#waiting = { resolve, reject, timer };
      this.#socket.write(request);
    });
  }

  end(): void {
    this.#socket.destroy();
  }

  #data(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const parsed = parseReply(this.#received);
    if (parsed === undefined || this.#waiting === undefined) return;
    const { resolve, timer } = this.#waiting;
    this.#waiting = undefined;
    clearTimeout(timer);
    this.#received = this.#received.subarray(parsed.end);
    resolve(parsed);
  }

  #fail(error: Error): void {
    if (this.#waiting === undefined) return;
    const { reject, timer } = this.#waiting;
    this.#waiting = undefined;
    clearTimeout(timer);
    reject(error);
  }
}

function parseReply(bytes: Buffer): (Reply & { readonly end: number }) | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const lines = bytes.toString('latin1', 0, headEnd).toLowerCase().split('\r\n');
  const status = Number(lines[0]?.split(' ')[1]);
  const header = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const close = header('connection') === 'close';
  const start = headEnd + 4;
  if (header('transfer-encoding') !== 'chunked') {
    const end = start + Number(header('content-length') ?? 0);
    return bytes.length < end ? undefined : { status, body: bytes.subarray(start, end), close, end };
  }
  const chunks: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (bytes.length < end) return undefined;
    if (size === 0) return { status, body: Buffer.concat(chunks), close, end };
    chunks.push(bytes.subarray(lineEnd + 2, end - 2));
    at = end;
  }
}
