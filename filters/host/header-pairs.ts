/** Header pairs in proxy-wasm's serialisation, and the runs of headers that a session answers with. */
export type HeaderPair = readonly [name: string, value: string];

// Header values are bytes; Latin-1 keeps each as it is.
const LATIN1 = 'latin1';

/** u32 count, u32 lengths of each name and value, then name NUL value NUL each. */
export function writeHeaderPairs(headers: readonly HeaderPair[]): Uint8Array {
  const parts = headers.map(([name, value]) => [Buffer.from(name, LATIN1), Buffer.from(value, LATIN1)] as const);
  const size = parts.reduce((sum, [name, value]) => sum + 8 + name.length + value.length + 2, 4);
  const out = Buffer.alloc(size);
  out.writeUInt32LE(parts.length, 0);
  let at = 4;
  for (const [name, value] of parts) {
    out.writeUInt32LE(name.length, at);
    out.writeUInt32LE(value.length, at + 4);
    at += 8;
  }
  for (const [name, value] of parts) {
    name.copy(out, at);
    at += name.length + 1;
    value.copy(out, at);
    at += value.length + 1;
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
