/**
 * From a JSON string's bytes to its text, and from an offset in the text back to the bytes. The input is always a
 * string that `scanString` has accepted.
 */
import { Bytes } from '../bytes';
import { readHex4 } from './scan';

const BLOCK: u32 = 16;

/** Appends the text of the string whose content (without quotes) is [p, end). */
export function appendUnescaped(out: Bytes, p: usize, end: usize): void {
  // Text is never longer than its string; blocks are written whole.
  if (!out.reserve(<u32>end - <u32>p + BLOCK)) return;
  let to = out.ptr + out.len;
  while (p < end) {
    if (p + BLOCK <= end) {
      const bytes = v128.load(p);
      v128.store(to, bytes);
      const slashes = <u32>i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0x5c)));
      if (slashes == 0) {
        p += BLOCK;
        to += BLOCK;
        continue;
      }
      p += <usize>ctz(slashes);
      to += <usize>ctz(slashes);
    } else if (load<u8>(p) != 0x5c) {
      store<u8>(to, load<u8>(p));
      p += 1;
      to += 1;
      continue;
    }
    // Escapes seldom come alone.
    do {
      const c = <u32>load<u8>(p, 1);
      if (c != 0x75) {
        store<u8>(to, <u8>plainEscape(c));
        p += 2;
        to += 1;
      } else {
        to = writeCodePoint(to, escapeCodePoint(p));
        p += escapeBytes(p);
      }
    } while (p < end && load<u8>(p) == 0x5c);
  }
  out.len = <u32>(to - out.ptr);
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
  if (!out.reserve(4)) return;
  const from = out.ptr + out.len;
  out.len += <u32>writeCodePoint(from, c) - <u32>from;
}

/** Writes a character as UTF-8; answers the address behind it. */
function writeCodePoint(to: usize, c: u32): usize {
  if (c < 0x80) {
    store<u8>(to, <u8>c);
    return to + 1;
  }
  if (c < 0x800) {
    store<u8>(to, <u8>(0xc0 | (c >> 6)));
    store<u8>(to, <u8>(0x80 | (c & 0x3f)), 1);
    return to + 2;
  }
  if (c < 0x10000) {
    store<u8>(to, <u8>(0xe0 | (c >> 12)));
    store<u8>(to, <u8>(0x80 | ((c >> 6) & 0x3f)), 1);
    store<u8>(to, <u8>(0x80 | (c & 0x3f)), 2);
    return to + 3;
  }
  store<u8>(to, <u8>(0xf0 | (c >> 18)));
  store<u8>(to, <u8>(0x80 | ((c >> 12) & 0x3f)), 1);
  store<u8>(to, <u8>(0x80 | ((c >> 6) & 0x3f)), 2);
  store<u8>(to, <u8>(0x80 | (c & 0x3f)), 3);
  return to + 4;
}
