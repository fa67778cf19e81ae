/** ASCII literals of the code as bytes. A literal is static data; nothing is allocated. */
import { Bytes } from '../bytes';

export function put(out: Bytes, text: string): void {
  const n = <u32>text.length;
  if (!out.reserve(n)) return;
  const from = changetype<usize>(text);
  const to = out.ptr + out.len;
  for (let i: u32 = 0; i < n; i += 1) store<u8>(to + i, <u8>load<u16>(from + (i << 1)));
  out.len += n;
}

/** Whether [p, p + length) is the literal. */
export function is(p: usize, length: u32, text: string): bool {
  return length == <u32>text.length && startsWith(p, length, text);
}

export function startsWith(p: usize, length: u32, text: string): bool {
  const n = <u32>text.length;
  if (length < n) return false;
  const from = changetype<usize>(text);
  for (let i: u32 = 0; i < n; i += 1) {
    if (<u16>load<u8>(p + i) != load<u16>(from + (i << 1))) return false;
  }
  return true;
}

/** As `startsWith`, where the bytes may be in upper case; the literal is in lower case. */
export function startsWithFolded(p: usize, length: u32, text: string): bool {
  const n = <u32>text.length;
  if (length < n) return false;
  const from = changetype<usize>(text);
  for (let i: u32 = 0; i < n; i += 1) {
    let c = <u32>load<u8>(p + i);
    if (c - 0x41 <= 25) c |= 0x20;
    if (c != <u32>load<u16>(from + (i << 1))) return false;
  }
  return true;
}
