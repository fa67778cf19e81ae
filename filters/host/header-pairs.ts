/** Header pairs in proxy-wasm's serialisation, and the runs of headers that a session answers with. */
export type HeaderPair = readonly [name: string, value: string];

// Header values are bytes; Latin-1 keeps each as it is.
const LATIN1 = 'latin1';

/** u32 count, u32 lengths of each name and value, then name NUL value NUL each. */
export function writeHeaderPairs(headers: readonly HeaderPair[]): Uint8Array {
  let size = 4;
  for (const [name, value] of headers) size += 8 + name.length + value.length + 2;
  const out = Buffer.allocUnsafe(size);
  let at = out.writeUInt32LE(headers.length, 0);
  for (const [name, value] of headers) at = out.writeUInt32LE(value.length, out.writeUInt32LE(name.length, at));
  for (const [name, value] of headers) {
    at += out.write(name, at, LATIN1);
    out[at++] = 0;
    at += out.write(value, at, LATIN1);
    out[at++] = 0;
  }
  return out;
}

/** Headers to set, from `at` to `end`: u32 bytes of name, u32 bytes of value, name, value; again and again. */
export function readHeadersToSet(bytes: Buffer, at: number, end: number): HeaderPair[] {
  const headers: HeaderPair[] = [];
  while (at < end) {
    const name = at + 8;
    const value = name + bytes.readUInt32LE(at);
    const next = value + bytes.readUInt32LE(at + 4);
    headers.push([bytes.toString(LATIN1, name, value), bytes.toString(LATIN1, value, next)]);
    at = next;
  }
  return headers;
}

/** Names, from `at` to `end`: u32 bytes of name, name; again and again. */
export function readHeadersToRemove(bytes: Buffer, at: number, end: number): string[] {
  const names: string[] = [];
  while (at < end) {
    const next = at + 4 + bytes.readUInt32LE(at);
    names.push(bytes.toString(LATIN1, at + 4, next));
    at = next;
  }
  return names;
}
