/**
 * Protocol Buffers' wire format, read strictly (protobuf.dev/programming-guides/encoding): whatever no proto3 serialiser
 * writes is refused, and the exchange with it. Fields that are not asked for are stepped over.
 */
import { DoorError } from '../door-error.ts';

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

const UTF8 = new TextDecoder('utf-8', { fatal: true });
/** The largest field number, and so the largest tag, fit into 32 bits. */
const VARINT_BYTES_MAX = 10;

export class WireReader {
  readonly #bytes: Buffer;
  #at: number;
  #end: number;
  /** Of the field that `next` has found. */
  field = 0;
  type = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.#end = bytes.byteLength;
  }

  /** Whether there is another field in the message at hand. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.type = tag % 8;
    if (this.field === 0 || tag > 0xffff_ffff) throw malformed('a field without a number');
    return true;
  }

  /**
   * Goes into the message that the field at hand is; returns what `leave` needs to go on behind it. Not `using`: this is
   * called for every header.
   */
  enter(): number {
    const end = this.#range();
    const outer = this.#end;
    this.#end = end;
    return outer;
  }

  leave(outer: number): void {
    this.#at = this.#end;
    this.#end = outer;
  }

  bytes(): Uint8Array {
    const end = this.#range();
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** Each byte as it is. */
  latin1(): string {
    const end = this.#range();
    const text = this.#bytes.toString('latin1', this.#at, end);
    this.#at = end;
    return text;
  }

  text(): string {
    const end = this.#range();
    const start = this.#at;
    this.#at = end;
    let at = start;
    while (at < end && (this.#bytes[at] ?? 0) < 0x80) at++;
    // Nearly always: ASCII is Latin-1 and UTF-8 alike.
    if (at === end) return this.#bytes.toString('latin1', start, end);
    try {
      return UTF8.decode(this.#bytes.subarray(start, end));
    } catch (cause) {
      throw malformed('a text that is not UTF-8', { cause });
    }
  }

  boolean(): boolean {
    this.#expect(VARINT);
    return this.#varint() !== 0;
  }

  double(): number {
    this.#expect(FIXED64);
    const at = this.#step(8);
    return this.#bytes.readDoubleLE(at);
  }

  skip(): void {
    switch (this.type) {
      case VARINT:
        this.#varint();
        return;
      case FIXED64:
        this.#step(8);
        return;
      case BYTES:
        this.#at = this.#range();
        return;
      case FIXED32:
        this.#step(4);
        return;
      default:
        // Groups are proto2's, and long deprecated there.
        throw malformed('a field of a type that is not known');
    }
  }

  /** Where the bytes of the field at hand end; the reader stands at their beginning. */
  #range(): number {
    this.#expect(BYTES);
    const length = this.#varint();
    const end = this.#at + length;
    if (end > this.#end) throw malformed('a field that is cut off');
    return end;
  }

  #step(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#end) throw malformed('a field that is cut off');
    this.#at = at + bytes;
    return at;
  }

  /** As a number: what is larger than 2^53 is no length and no tag of ours, and loses only its lowest bits. */
  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      const byte = this.#at < this.#end ? this.#bytes[this.#at++] : undefined;
      if (byte === undefined) throw malformed('a number that is cut off');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw malformed('a number that does not end');
  }

  #expect(type: number): void {
    if (this.type !== type) throw malformed('a field of another type than it has');
  }
}

export function malformed(what: string, options?: ErrorOptions): DoorError {
  return new DoorError('protocol', `envoy sent a message that cannot be read: ${what}`, options);
}
