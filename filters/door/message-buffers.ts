/**
 * Room for messages that come in parts, used again and again: room of its own for each would have the collector stop the
 * process for tens of milliseconds, many times a second.
 */
const BYTES_MIN = 4_096;
/** What is kept for messages to come, of all sizes. */
export const KEPT_BYTES_MAX = 32 * 1024 * 1024;

export class MessageBuffers {
  /** By size: powers of two. */
  readonly #free = new Map<number, Buffer[]>();
  #kept = 0;

  get keptBytes(): number {
    return this.#kept;
  }

  /** Room for so many bytes or more. What it holds is of no meaning. */
  take(bytes: number): Buffer {
    const size = sizeFor(bytes);
    const buffer = this.#free.get(size)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(size);
    this.#kept -= size;
    return buffer;
  }

  /** Gives back what `take` gave: nobody has a view of it any more. */
  give(buffer: Buffer): void {
    const size = buffer.length;
    if (this.#kept + size > KEPT_BYTES_MAX) return;
    this.#kept += size;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [buffer]);
    else free.push(buffer);
  }
}

function sizeFor(bytes: number): number {
  let size = BYTES_MIN;
  while (size < bytes) size *= 2;
  return size;
}
