/**
 * Reads header blocks (RFC 7541). The dynamic table is the peer's to fill, up to the size that HTTP/2 allows at first;
 * we never offer another.
 */
import { COMPRESSION_ERROR, ConnectionError } from './frame.ts';
import { decodeHuffman } from './huffman.ts';

export type HeaderField = readonly [name: string, value: string];

export const TABLE_BYTES_MAX = 4_096;
/** Of all fields of one block, as they are counted in section 4.1. */
export const FIELDS_BYTES_MAX = 65_536;
const ENTRY_OVERHEAD_BYTES = 32;
/** An integer's bytes after its first: 28 bits are more than anything here may need. */
const INTEGER_BYTES_MAX = 4;

// prettier-ignore
const STATIC_FIELDS: readonly HeaderField[] = [
  [':authority', ''], [':method', 'GET'], [':method', 'POST'], [':path', '/'], [':path', '/index.html'],
  [':scheme', 'http'], [':scheme', 'https'], [':status', '200'], [':status', '204'], [':status', '206'],
  [':status', '304'], [':status', '400'], [':status', '404'], [':status', '500'], ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'], ['accept-language', ''], ['accept-ranges', ''], ['accept', ''],
  ['access-control-allow-origin', ''], ['age', ''], ['allow', ''], ['authorization', ''], ['cache-control', ''],
  ['content-disposition', ''], ['content-encoding', ''], ['content-language', ''], ['content-length', ''],
  ['content-location', ''], ['content-range', ''], ['content-type', ''], ['cookie', ''], ['date', ''], ['etag', ''],
  ['expect', ''], ['expires', ''], ['from', ''], ['host', ''], ['if-match', ''], ['if-modified-since', ''],
  ['if-none-match', ''], ['if-range', ''], ['if-unmodified-since', ''], ['last-modified', ''], ['link', ''],
  ['location', ''], ['max-forwards', ''], ['proxy-authenticate', ''], ['proxy-authorization', ''], ['range', ''],
  ['referer', ''], ['refresh', ''], ['retry-after', ''], ['server', ''], ['set-cookie', ''],
  ['strict-transport-security', ''], ['transfer-encoding', ''], ['user-agent', ''], ['vary', ''], ['via', ''],
  ['www-authenticate', ''],
];

export class HpackDecoder {
  /** The newest entry is the first. */
  readonly #table: HeaderField[] = [];
  #tableBytes = 0;
  #tableBytesMax = TABLE_BYTES_MAX;
  #block: Uint8Array = new Uint8Array();
  #at = 0;

  /** One whole block. Throws ConnectionError: a decoder that lost its place cannot go on. */
  read(block: Uint8Array): HeaderField[] {
    this.#block = block;
    this.#at = 0;
    const fields: HeaderField[] = [];
    let bytes = 0;
    while (this.#at < block.length) {
      const first = block[this.#at] ?? 0;
      if ((first & 0xe0) === 0x20) {
        if (fields.length > 0) throw new ConnectionError(COMPRESSION_ERROR, 'a table size after a field');
        this.#resize(this.#integer(5));
        continue;
      }
      const field = first >= 0x80 ? this.#entry(this.#integer(7)) : this.#literal(first);
      bytes += sizeOf(field);
      if (bytes > FIELDS_BYTES_MAX) throw new ConnectionError(COMPRESSION_ERROR, 'more header fields than are read');
      fields.push(field);
    }
    return fields;
  }

  #literal(first: number): HeaderField {
    const isIndexed = first >= 0x40;
    const index = this.#integer(isIndexed ? 6 : 4);
    const name = index === 0 ? this.#string() : this.#entry(index)[0];
    const field: HeaderField = [name, this.#string()];
    if (isIndexed) this.#add(field);
    return field;
  }

  #entry(index: number): HeaderField {
    const field =
      index <= STATIC_FIELDS.length ? STATIC_FIELDS[index - 1] : this.#table[index - 1 - STATIC_FIELDS.length];
    if (field === undefined) throw new ConnectionError(COMPRESSION_ERROR, 'an index without an entry');
    return field;
  }

  #add(field: HeaderField): void {
    const bytes = sizeOf(field);
    this.#evict(this.#tableBytesMax - bytes);
    // A field larger than the table leaves it empty, and is no error.
    if (bytes > this.#tableBytesMax) return;
    this.#table.unshift(field);
    this.#tableBytes += bytes;
  }

  #resize(bytes: number): void {
    if (bytes > TABLE_BYTES_MAX) throw new ConnectionError(COMPRESSION_ERROR, 'a table larger than was offered');
    this.#tableBytesMax = bytes;
    this.#evict(bytes);
  }

  #evict(bytesMax: number): void {
    while (this.#tableBytes > bytesMax) {
      const oldest = this.#table.pop();
      if (oldest === undefined) return;
      this.#tableBytes -= sizeOf(oldest);
    }
  }

  #string(): string {
    const isHuffman = (this.#block[this.#at] ?? 0) >= 0x80;
    const length = this.#integer(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#block.length) throw new ConnectionError(COMPRESSION_ERROR, 'a string that is cut off');
    this.#at = end;
    if (isHuffman) return decodeHuffman(this.#block, start, end);
    return Buffer.from(this.#block.buffer, this.#block.byteOffset + start, length).toString('latin1');
  }

  /** With a prefix of so many bits (section 5.1). */
  #integer(bits: number): number {
    const mask = (1 << bits) - 1;
    const first = this.#next() & mask;
    if (first < mask) return first;
    let value = mask;
    for (let count = 0; count < INTEGER_BYTES_MAX; count++) {
      const byte = this.#next();
      value += (byte & 0x7f) * 2 ** (7 * count);
      if (byte < 0x80) return value;
    }
    throw new ConnectionError(COMPRESSION_ERROR, 'an integer that does not end');
  }

  #next(): number {
    const byte = this.#block[this.#at++];
    if (byte === undefined) throw new ConnectionError(COMPRESSION_ERROR, 'a header block that is cut off');
    return byte;
  }
}

function sizeOf([name, value]: HeaderField): number {
  return name.length + value.length + ENTRY_OVERHEAD_BYTES;
}
