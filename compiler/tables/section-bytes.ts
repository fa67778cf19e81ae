/**
 * The bytes of one section of the tables, with offsets of their own: zeroed, aligned to 4, growing. What the offsets
 * mean is the section's writer's to say.
 */
export class SectionBytes {
  #bytes = new Uint8Array(4_096);
  #length = 0;

  /** Room for so many zeroed bytes; its offset. */
  reserve(bytes: number): number {
    const at = (this.#length + 3) & ~3;
    this.#length = at + bytes;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(this.#length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    return at;
  }

  u8(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  u32(at: number, value: number): void {
    new DataView(this.#bytes.buffer).setUint32(at, value, true);
  }

  put(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, (this.#length + 3) & ~3);
  }
}
