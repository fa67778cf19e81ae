/**
 * The gRPC server on a Unix socket, and the one place that knows how to make grpc-js fast enough: it has no option for
 * HTTP/2's receive windows (64 KB by default), with which large bodies reach half of their pace. So
 * `http2.createServer` is wrapped while the server binds, and put back.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import { dirname } from 'node:path';
import grpc from '@grpc/grpc-js';
import { DoorError } from './door-error.ts';

const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
/** Linux keeps 108 bytes for a Unix socket's path, the last a zero. */
const SOCKET_PATH_BYTES_MAX = 107;

export interface GrpcServerOptions {
  readonly socketPath: string;
  /** The largest message either way. */
  readonly messageBytesMax: number;
}

export function createGrpcServer({ messageBytesMax }: Pick<GrpcServerOptions, 'messageBytesMax'>): grpc.Server {
  return new grpc.Server({
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_send_message_length': messageBytesMax,
    // Envoy's own keepalive is off; a dead peer on a Unix socket is seen at once.
    'grpc-node.max_session_memory': Number.MAX_SAFE_INTEGER,
  });
}

/** Binds; the socket is readable and writable by this user alone. Throws DoorError. */
export async function listen(server: grpc.Server, socketPath: string): Promise<void> {
  prepareSocket(socketPath);
  const restore = widenWindows();
  try {
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${socketPath}`, grpc.ServerCredentials.createInsecure(), (cause) => {
        if (cause === null) resolve();
        else reject(new DoorError('socket_bind', 'the socket cannot be bound', { cause }));
      });
    });
  } finally {
    restore();
  }
  chmodSync(socketPath, 0o600);
}

/** Its folder is for this user alone, and the path is free. Throws DoorError. */
export function prepareSocket(socketPath: string): void {
  if (Buffer.byteLength(socketPath) > SOCKET_PATH_BYTES_MAX) {
    throw new DoorError(
      'socket_path',
      `the socket's path is longer than ${SOCKET_PATH_BYTES_MAX} bytes: choose a shorter state folder`,
    );
  }
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
  chmodSync(dirname(socketPath), 0o700);
  // One that a killed sidecar left behind.
  rmSync(socketPath, { force: true });
}

/** Returns what undoes it. */
function widenWindows(): () => void {
  const original = http2.createServer;
  const wide = ((options: http2.ServerOptions, ...rest: []) => {
    const server = original(
      { ...options, settings: { ...options.settings, initialWindowSize: STREAM_WINDOW_BYTES } },
      ...rest,
    );
    server.on('session', (session) => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    return server;
  }) as typeof http2.createServer;
  http2.createServer = wide;
  return () => {
    http2.createServer = original;
  };
}
