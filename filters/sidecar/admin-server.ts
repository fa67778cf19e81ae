/**
 * The sidecar's own HTTP pages, on loopback and on a socket of this user alone: /metrics, /healthz, /status. They
 * change nothing and hold no traffic. A boundary file: it listens.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { SidecarError } from './sidecar-error.ts';

export interface AdminPages {
  readonly metrics: () => Promise<string>;
  readonly isHealthy: () => boolean;
  readonly status: () => object;
}

export interface AdminServer {
  /** Of loopback. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Port 0: one that the system chooses. Throws SidecarError `options`. */
export async function startAdminServer(
  pages: AdminPages,
  { port, socketPath }: { readonly port: number; readonly socketPath: string },
): Promise<AdminServer> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    void respond(pages, request.method === 'GET' ? (request.url ?? '') : '', response);
  };
  const loopback = createServer(answer);
  const local = createServer(answer);
  await listening(loopback, () => loopback.listen(port, '127.0.0.1'));
  rmSync(socketPath, { force: true });
  await listening(local, () => local.listen(socketPath));
  chmodSync(socketPath, 0o600);
  const address = loopback.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    stop: async () => {
      await Promise.all([loopback, local].map((server) => close(server)));
    },
  };
}

async function respond(pages: AdminPages, url: string, response: ServerResponse): Promise<void> {
  const send = (status: number, type: string, body: string): void => {
    response.writeHead(status, { 'content-type': type }).end(body);
  };
  switch (url) {
    case '/metrics':
      return send(200, 'text/plain; version=0.0.4; charset=utf-8', await pages.metrics());
    case '/healthz':
      return pages.isHealthy() ? send(200, 'text/plain', 'ok\n') : send(503, 'text/plain', 'no policy is in force\n');
    case '/status':
      return send(200, 'application/json', `${JSON.stringify(pages.status(), null, 2)}\n`);
    default:
      return send(404, 'text/plain', 'the pages here are /metrics, /healthz and /status\n');
  }
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new SidecarError('options', 'the admin server cannot listen', { cause })));
    server.once('listening', resolve);
    listen();
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
