/**
 * Writes Protocol Buffers' wire format from its end to its beginning: the length of a message stands before it, and is
 * known once it is written. Fields are therefore written last to first.
 */
import { BYTES, VARINT } from './wire-reader.ts';

const FIRST_BYTES = 4_096;
/** A message larger than this is rare: its room is given back. */
export const KEPT_BYTES_MAX = 256 * 1024;

export class WireWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  /** The first byte that is written. */
  #at = FIRST_BYTES;

  /** Of bytes that stand behind what is written, and are not copied here. */
  #tailBytes = 0;

  /** What was written since `clear`, until anything is written again. */
  get written(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  /** Begins anew. */
  clear(): void {
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.#at = this.#bytes.length;
    this.#tailBytes = 0;
  }

  /** Where a message ends that is about to be written, for `message`. */
  get mark(): number {
    return this.#bytes.length - this.#at + this.#tailBytes;
  }

  /** A field of bytes that the caller sends behind what is written: the first to be written, and so the last one. */
  tail(field: number, length: number): void {
    this.#tailBytes = length;
    this.#head(field, length);
  }

  /** What was written since `mark` is a message in this field. */
  message(field: number, mark: number): void {
    this.#varint(this.mark - mark);
    this.#varint(field * 8 + BYTES);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#room(value.length);
    this.#at -= value.length;
    this.#bytes.set(value, this.#at);
    this.#head(field, value.length);
  }

  /** One byte for each character, which must be below 256. */
  latin1(field: number, value: string): void {
    this.#room(value.length);
    this.#at -= value.length;
    this.#bytes.write(value, this.#at, value.length, 'latin1');
    this.#head(field, value.length);
  }

  text(field: number, value: string): void {
    const length = Buffer.byteLength(value, 'utf8');
    this.#room(length);
    this.#at -= length;
    this.#bytes.write(value, this.#at, length, 'utf8');
    this.#head(field, length);
  }

  /** A whole number from 0 to 2^31 - 1, a boolean, or a number of an enum. */
  number(field: number, value: number): void {
    this.#varint(value);
    this.#varint(field * 8 + VARINT);
  }

  /** gRPC's prefix: not compressed, and the length of all that was written. */
  prefix(): void {
    const length = this.mark;
    this.#room(5);
    this.#at -= 5;
    this.#bytes[this.#at] = 0;
    this.#bytes.writeUInt32BE(length, this.#at + 1);
  }

  #head(field: number, length: number): void {
    this.#varint(length);
    this.#varint(field * 8 + BYTES);
  }

  #varint(value: number): void {
    let bytes = 1;
    for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes++;
    this.#room(bytes);
    this.#at -= bytes;
    let rest = value;
    for (let at = this.#at; ; at++) {
      if (rest < 0x80) {
        this.#bytes[at] = rest;
        return;
      }
      this.#bytes[at] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
  }

  #room(bytes: number): void {
    if (bytes <= this.#at) return;
    const written = this.#bytes.length - this.#at;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, written + bytes));
    this.#bytes.copy(larger, larger.length - written, this.#at);
    this.#bytes = larger;
    this.#at = larger.length - written;
  }
}
