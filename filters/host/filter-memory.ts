/**
 * Reading and writing a filter's memory. Views are made anew where memory may have grown; what is read out is copied.
 */
import { FilterError } from './filter-error.ts';
import type { KernelExports } from './kernel-exports.ts';

const ENCODER = new TextEncoder();

export class FilterMemory {
  readonly #exports: KernelExports;
  #view: DataView;
  #bytes: Buffer;

  constructor(exports: KernelExports) {
    this.#exports = exports;
    this.#view = new DataView(exports.memory.buffer);
    this.#bytes = Buffer.from(exports.memory.buffer);
  }

  get byteLength(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  /** All of it, as it is until the filter is called again. */
  get bytes(): Buffer {
    this.#current();
    return this.#bytes;
  }

  u32(address: number): number {
    return this.#current().getUint32(address, true);
  }

  i64(address: number): bigint {
    return this.#current().getBigInt64(address, true);
  }

  /** The run whose address and length stand at `place`, as it is until the filter is called again. */
  view(place: number): Uint8Array {
    const at = this.u32(place);
    return this.#bytes.subarray(at, at + this.u32(place + 4));
  }

  /** A copy of the run whose address and length stand at `place`. */
  run(place: number): Uint8Array<ArrayBuffer> {
    const at = this.u32(place);
    return Uint8Array.prototype.slice.call(this.#bytes, at, at + this.u32(place + 4)) as Uint8Array<ArrayBuffer>;
  }

  text(place: number): string {
    const at = this.u32(place);
    return this.#bytes.toString('utf8', at, at + this.u32(place + 4));
  }

  /** So many bytes at an address, in lower-case hex. */
  hex(address: number, length: number): string {
    return this.bytes.toString('hex', address, address + length);
  }

  /** Hands bytes to `use` at an address of the filter's, for the time of the call. */
  lend<T>(bytes: Uint8Array, use: (address: number, length: number) => T): T {
    const address = this.#exports.writ_alloc(Math.max(1, bytes.length));
    if (address === 0) throw new FilterError('exhausted', 'the filter has no memory left');
    this.#current();
    this.#bytes.set(bytes, address);
    const answer = use(address, bytes.length);
    this.#exports.writ_free(address);
    return answer;
  }

  /** The view of memory as it is now: growing detaches the buffer before. */
  #current(): DataView {
    if (this.#view.buffer !== this.#exports.memory.buffer) {
      this.#view = new DataView(this.#exports.memory.buffer);
      this.#bytes = Buffer.from(this.#exports.memory.buffer);
    }
    return this.#view;
  }
}

export function encodeText(text: string): Uint8Array {
  return ENCODER.encode(text);
}
