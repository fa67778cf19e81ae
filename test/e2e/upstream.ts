// Upstreams for tests, over HTTP/1.1 and HTTP/2 with prior knowledge. They keep what they received, and answer as the
// test's handler says.
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo, Server } from 'node:net';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  readonly trailers: { readonly [name: string]: string | readonly string[] | undefined };
  readonly body: Buffer;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: { readonly [name: string]: string };
  /** Each is written on its own; a number waits so many milliseconds. */
  readonly body: readonly (string | Uint8Array | number)[];
  readonly trailers?: { readonly [name: string]: string };
  /** The connection is cut where the body ends. */
  readonly cut?: boolean;
}

export interface Upstream {
  readonly port: number;
  readonly received: Received[];
  /** Exchanges that the other side gave up before they had been answered. */
  readonly abandoned: () => number;
  stop(): Promise<void>;
}

export type Handler = (request: Received) => Answer;

export async function startUpstream(handler: Handler, version: 'http1' | 'http2' = 'http1'): Promise<Upstream> {
  const received: Received[] = [];
  let abandoned = 0;
  const serve = (
    request: http.IncomingMessage | http2.Http2ServerRequest,
    response: http.ServerResponse | http2.Http2ServerResponse,
  ): void => {
    const parts: Buffer[] = [];
    request.on('error', () => undefined);
    response.on('close', () => {
      if (!response.writableFinished) abandoned++;
    });
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const got = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: { ...request.headers },
        trailers: { ...request.trailers },
        body: Buffer.concat(parts),
      };
      received.push(got);
      void answer(response, handler(got));
    });
  };
  const server: Server =
    version === 'http1' ? http.createServer({ keepAliveTimeout: 60_000 }, serve) : http2.createServer(serve);
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    abandoned: () => abandoned,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function answer(
  response: http.ServerResponse | http2.Http2ServerResponse,
  { status = 200, headers = { 'content-type': 'application/json' }, body, trailers, cut = false }: Answer,
): Promise<void> {
  // One union of two classes with the same methods: what is used of both is named once.
  const out: Pick<http.ServerResponse, 'setHeader' | 'statusCode' | 'addTrailers' | 'destroyed'> & {
    write(part: string | Uint8Array): boolean;
    end(): unknown;
    destroy(): unknown;
  } = response as http.ServerResponse;
  out.statusCode = status;
  for (const [name, value] of Object.entries(headers)) out.setHeader(name, value);
  for (const part of body) {
    if (typeof part === 'number') await new Promise((resolve) => setTimeout(resolve, part));
    else if (!out.destroyed) out.write(part);
  }
  if (cut) {
    out.destroy();
    return;
  }
  if (trailers !== undefined) out.addTrailers(trailers);
  out.end();
}
