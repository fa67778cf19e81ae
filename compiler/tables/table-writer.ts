/**
 * The image of a policy's tables in the kernel's memory: bytes at a known base, written bottom-up, with absolute
 * addresses. Texts are interned. Addresses are final when they are given out, so that code can hold them as constants.
 */
const ENCODER = new TextEncoder();
/** Of a policy's tables and constants; beyond, the policy is refused. */
export const TABLE_BYTES_MAX = 16 << 20;

export interface TextPlace {
  readonly address: number;
  readonly bytes: number;
}

export class TableWriter {
  readonly base: number;
  #bytes = new Uint8Array(4_096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #texts = new Map<string, TextPlace>();
  readonly #blocks = new Map<string, number>();

  /** `base` is a multiple of 16. */
  constructor(base: number) {
    this.base = base;
  }

  /** First address behind everything written, a multiple of 16. */
  get end(): number {
    return this.base + ((this.#length + 15) & ~15);
  }

  get image(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Room for a record of zeros at a multiple of 8; its address. */
  reserve(bytes: number): number {
    const at = (this.#length + 7) & ~7;
    this.#grow(at + bytes);
    this.#length = at + bytes;
    return this.base + at;
  }

  u8(address: number, value: number): void {
    this.#view.setUint8(address - this.base, value);
  }

  u16(address: number, value: number): void {
    this.#view.setUint16(address - this.base, value, true);
  }

  u32(address: number, value: number): void {
    this.#view.setUint32(address - this.base, value, true);
  }

  u64(address: number, value: bigint): void {
    this.#view.setBigUint64(address - this.base, BigInt.asUintN(64, value), true);
  }

  /** Two words: address and count. */
  list(address: number, first: number, count: number): void {
    this.u32(address, first);
    this.u32(address + 4, count);
  }

  /** Two words: address and bytes of an interned text. */
  text(address: number, text: string): void {
    const place = this.intern(text);
    this.list(address, place.address, place.bytes);
  }

  /** UTF-8 bytes of a text; equal texts share one place. */
  intern(text: string): TextPlace {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const bytes = ENCODER.encode(text);
    const place = { address: this.#append(bytes), bytes: bytes.length };
    this.#texts.set(text, place);
    return place;
  }

  /** An array of (address, bytes), one for each text; equal arrays share one place. */
  texts(texts: readonly string[]): number {
    const key = JSON.stringify(texts);
    const known = this.#blocks.get(key);
    if (known !== undefined) return known;
    const places = texts.map((text) => this.intern(text));
    const first = this.reserve(texts.length * 8);
    places.forEach((place, at) => this.list(first + at * 8, place.address, place.bytes));
    this.#blocks.set(key, first);
    return first;
  }

  /** An array of 64-bit integers; equal arrays share one place. */
  longs(values: readonly number[]): number {
    const key = values.join();
    const known = this.#blocks.get(key);
    if (known !== undefined) return known;
    const first = this.reserve(values.length * 8);
    values.forEach((value, at) => this.u64(first + at * 8, BigInt(value)));
    this.#blocks.set(key, first);
    return first;
  }

  /** Bytes that another writer made, at a multiple of 16. */
  block(bytes: Uint8Array): number {
    this.#length = (this.#length + 15) & ~15;
    return this.#append(bytes);
  }

  #append(bytes: Uint8Array): number {
    const at = this.#length;
    this.#grow(at + bytes.length);
    this.#bytes.set(bytes, at);
    this.#length += bytes.length;
    return this.base + at;
  }

  #grow(need: number): void {
    if (need > TABLE_BYTES_MAX) throw new RangeError(`the policy's tables need more than ${TABLE_BYTES_MAX} bytes`);
    if (need <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(need, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
