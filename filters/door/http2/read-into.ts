/**
 * Reads a server's socket into one buffer again and again. Node would take 64 KiB of new memory for each read, and large
 * bodies would have the collector stop the process for tens of milliseconds, many times a second. `net` offers this for
 * sockets that connect (`onread`), and for those that a server has accepted only by the handle, which has no public
 * name: without one, reads are as Node has them, and slower.
 */
import { Socket } from 'node:net';
import type { OnReadOpts, SocketConstructorOpts } from 'node:net';

/**
 * What to use in the place of `accepted`, which a server with `pauseOnConnect` has given. `onBytes` has what was read
 * until it returns, and no longer: `buffer` may be one for all sockets.
 */
export function readInto(accepted: Socket, buffer: Uint8Array, onBytes: (bytes: Buffer) => void): Socket {
  const own = accepted as Socket & { _handle?: object | null };
  const handle = own._handle;
  if (handle === undefined || handle === null) {
    accepted.on('data', onBytes);
    accepted.resume();
    return accepted;
  }
  const onread: OnReadOpts = {
    buffer,
    callback: (length, bytes) => {
      onBytes(Buffer.from(bytes.buffer, bytes.byteOffset, length));
      return true;
    },
  };
  const options: Omit<SocketConstructorOpts, 'handle'> & { readonly handle: object } = {
    handle,
    onread,
    readable: true,
    writable: true,
  };
  const socket = new Socket(options as SocketConstructorOpts);
  // The server counts the socket that it has accepted.
  own._handle = null;
  socket.once('close', () => accepted.destroy());
  return socket;
}
