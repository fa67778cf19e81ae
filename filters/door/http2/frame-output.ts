/**
 * Frames on their way out: gathered in one buffer and written to the socket once, when what came in has been worked
 * off. A write of each frame by itself would cost more than all else that is done for it.
 */
import type { Socket } from 'node:net';
import { FRAME_HEAD_BYTES } from './frame.ts';

/** A large body is written in few pieces. */
const BUFFER_BYTES = 256 * 1024;
/** Buffers that are kept for when the system does not take one at once. */
const SPARE_MAX = 16;

export class FrameOutput {
  readonly #socket: Socket;
  #buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #length = 0;
  /** Ours again once nothing waits. */
  readonly #late: Buffer[] = [];
  readonly #spare: Buffer[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes that the peer has not taken yet. */
  get waiting(): number {
    return this.#socket.writableLength;
  }

  /** Begins a frame, with room for all of it: at most HTTP/2's usual 16 KiB. Its payload follows by `bytes`. */
  head(payloadBytes: number, type: number, flags: number, stream: number): void {
    if (this.#length + FRAME_HEAD_BYTES + payloadBytes > BUFFER_BYTES) this.flush();
    const buffer = this.#buffer;
    const at = this.#length;
    buffer[at] = payloadBytes >> 16;
    buffer[at + 1] = payloadBytes >> 8;
    buffer[at + 2] = payloadBytes;
    buffer[at + 3] = type;
    buffer[at + 4] = flags;
    buffer[at + 5] = stream >>> 24;
    buffer[at + 6] = stream >> 16;
    buffer[at + 7] = stream >> 8;
    buffer[at + 8] = stream;
    this.#length = at + FRAME_HEAD_BYTES;
  }

  bytes(payload: Uint8Array): void {
    this.#buffer.set(payload, this.#length);
    this.#length += payload.length;
  }

  u32(value: number): void {
    this.#length = this.#buffer.writeUInt32BE(value >>> 0, this.#length);
  }

  flush(): void {
    if (this.#length === 0) return;
    const full = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    if (this.#socket.destroyed) return;
    if (this.#late.length > 0 && this.#socket.writableLength === 0)
      this.#spare.push(...this.#late.splice(0, SPARE_MAX));
    this.#socket.write(full);
    // Nothing waits: the system has taken all of it, so the buffer is ours again.
    if (this.#socket.writableLength === 0) return;
    if (this.#late.length + this.#spare.length < SPARE_MAX) this.#late.push(this.#buffer);
    this.#buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }
}
