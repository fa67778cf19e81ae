/**
 * The external processor's own server on a Unix socket: HTTP/2 and gRPC by hand, because that is most of what an
 * exchange costs (ARCHITECTURE.md has the figures). All other services of the sidecar are on grpc-js, where a call costs
 * nothing that anybody would notice. A boundary file: it listens.
 */
import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { DoorError } from './door-error.ts';
import type { ExtProcHost } from './ext-proc-service.ts';
import { PROCESS_PATH, serveExchange } from './ext-proc-service.ts';
import { GrpcCall, refusalOf } from './grpc-call.ts';
import { prepareSocket } from './grpc-server.ts';
import { ConnectionError } from './http2/frame.ts';
import { Http2Connection } from './http2/http2-connection.ts';
import { readInto } from './http2/read-into.ts';
import { MessageBuffers } from './message-buffers.ts';

export interface ProcessorServerOptions {
  readonly socketPath: string;
  /** The largest message that is read. */
  readonly messageBytesMax: number;
}

export interface ProcessorServer {
  /** Closes every connection; exchanges that are open on them are aborted. */
  stop(): Promise<void>;
}

/** One for each of Envoy's workers, and one while it reconnects. */
export const CONNECTIONS_MAX = 1_024;
/** What is read of a socket at a time: more than a Unix socket of Linux holds unless it is told to. */
const READ_BYTES = 256 * 1024;

/** Binds; the socket is readable and writable by this user alone. Throws DoorError. */
export async function startProcessorServer(
  host: ExtProcHost,
  { socketPath, messageBytesMax }: ProcessorServerOptions,
): Promise<ProcessorServer> {
  prepareSocket(socketPath);
  const connections = new Set<Http2Connection>();
  const buffers = new MessageBuffers();
  // One for all connections: what is read is worked off before anything else is.
  const input = Buffer.allocUnsafeSlow(READ_BYTES);
  const server = createServer({ pauseOnConnect: true }, (accepted) => {
    const socket = readInto(accepted, input, (bytes) => connection.receive(bytes));
    const connection: Http2Connection = new Http2Connection(socket, {
      open: (stream, head) => {
        const call = new GrpcCall(stream, { messageBytesMax, buffers });
        const refusal = refusalOf(head, PROCESS_PATH);
        if (refusal !== undefined) call.finish(refusal.code, refusal.message);
        else call.handler = serveExchange(call, host);
        return call;
      },
      onClose: () => connections.delete(connection),
      onError: (error) =>
        host.error(error instanceof ConnectionError ? new DoorError('protocol', error.message) : error),
    });
    connections.add(connection);
  });
  server.maxConnections = CONNECTIONS_MAX;
  await bind(server, socketPath);
  chmodSync(socketPath, 0o600);
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of connections) connection.close();
      }),
  };
}

function bind(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new DoorError('socket_bind', 'the socket cannot be bound', { cause })));
    server.listen(socketPath, resolve);
  });
}
