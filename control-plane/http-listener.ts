// Plain HTTP on the loopback interface: `/metrics` for Prometheus and `/healthz` for whoever restarts us. A boundary
// file: it listens.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpListener {
  readonly port: number;
  stop(): Promise<void>;
}

export interface HttpListenerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly isHealthy: () => Promise<boolean>;
}

export async function listenHttp(options: HttpListenerOptions): Promise<HttpListener> {
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string): void =>
      void response.writeHead(status, { 'content-type': type }).end(body);
    const routes: { readonly [path: string]: () => Promise<void> } = {
      '/metrics': async () => {
        const { contentType, body } = await options.metrics();
        answer(200, contentType, body);
      },
      '/healthz': async () =>
        (await options.isHealthy())
          ? answer(200, 'text/plain', 'ok\n')
          : answer(503, 'text/plain', 'the database does not answer\n'),
    };
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined || request.method !== 'GET') return answer(404, 'text/plain', 'not found\n');
    route().catch(() => answer(500, 'text/plain', 'failed\n'));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options.port, '127.0.0.1', resolve));
  return {
    port: portOf(server.address()),
    stop: () => new Promise((resolve) => void server.close(() => resolve()).closeAllConnections()),
  };
}

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === 'string') throw new Error('the listener has no port');
  return address.port;
}
