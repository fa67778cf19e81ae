/**
 * From a JSON string's bytes to its text, and from an offset in the text back to the bytes. The input is always a
 * string that `scanString` has accepted.
 */
import { Bytes } from '../bytes';
import { readHex4 } from './scan';

/** Appends the text of the string whose content (without quotes) is [p, end). */
export function appendUnescaped(out: Bytes, p: usize, end: usize): void {
  while (p < end) {
    let q = p;
    while (q < end && load<u8>(q) != 0x5c) q += 1;
    out.append(p, <u32>(q - p));
    if (q >= end) return;
    const taken = escapeBytes(q);
    appendCodePoint(out, escapeCodePoint(q));
    p = q + taken;
  }
}

/** Bytes that the character or byte at `p` takes in the string: 1, or those of its escape. */
export function rawStep(p: usize): u32 {
  return load<u8>(p) == 0x5c ? escapeBytes(p) : 1;
}

/** Bytes of text that what stands at `p` becomes. */
export function textStep(p: usize): u32 {
  return load<u8>(p) == 0x5c ? codePointBytes(escapeCodePoint(p)) : 1;
}

/** Bytes of the escape at `p`: 2, 6, or 12 for a surrogate pair. */
export function escapeBytes(p: usize): u32 {
  if (load<u8>(p + 1) != 0x75) return 2;
  const unit = readHex4(p + 2);
  return unit >= 0xd800 && unit <= 0xdbff ? 12 : 6;
}

export function escapeCodePoint(p: usize): u32 {
  const c = <u32>load<u8>(p + 1);
  if (c == 0x75) {
    const unit = readHex4(p + 2);
    if (unit >= 0xd800 && unit <= 0xdbff) return 0x10000 + (((unit & 0x3ff) << 10) | (readHex4(p + 8) & 0x3ff));
    return unit;
  }
  return plainEscape(c);
}

/** What `\c` stands for, for every c but `u`. */
export function plainEscape(c: u32): u32 {
  if (c == 0x6e) return 0x0a;
  if (c == 0x74) return 0x09;
  if (c == 0x72) return 0x0d;
  if (c == 0x62) return 0x08;
  if (c == 0x66) return 0x0c;
  return c;
}

export function codePointBytes(c: u32): u32 {
  return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

export function appendCodePoint(out: Bytes, c: u32): void {
  if (c < 0x80) {
    out.push(c);
  } else if (c < 0x800) {
    out.push(0xc0 | (c >> 6));
    out.push(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out.push(0xe0 | (c >> 12));
    out.push(0x80 | ((c >> 6) & 0x3f));
    out.push(0x80 | (c & 0x3f));
  } else {
    out.push(0xf0 | (c >> 18));
    out.push(0x80 | ((c >> 12) & 0x3f));
    out.push(0x80 | ((c >> 6) & 0x3f));
    out.push(0x80 | (c & 0x3f));
  }
}
