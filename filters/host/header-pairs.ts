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

/** Headers to set: u32 bytes of name, u32 bytes of value, name, value; again and again. */
export function readHeadersToSet(run: Uint8Array): HeaderPair[] {
  const bytes = Buffer.from(run.buffer, run.byteOffset, run.byteLength);
  const headers: HeaderPair[] = [];
  for (let at = 0; at < bytes.length;) {
    const name = at + 8;
    const value = name + bytes.readUInt32LE(at);
    const end = value + bytes.readUInt32LE(at + 4);
    headers.push([bytes.toString(LATIN1, name, value), bytes.toString(LATIN1, value, end)]);
    at = end;
  }
  return headers;
}

/** Names: u32 bytes of name, name; again and again. */
export function readHeadersToRemove(run: Uint8Array): string[] {
  const bytes = Buffer.from(run.buffer, run.byteOffset, run.byteLength);
  const names: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32LE(at);
    names.push(bytes.toString(LATIN1, at + 4, end));
    at = end;
  }
  return names;
}
