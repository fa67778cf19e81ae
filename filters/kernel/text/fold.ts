/**
 * Folding: what detectors read in place of the text. Digits of every script, full-width letters and signs, dashes and
 * spaces become their ASCII twins; what nobody sees (zero-width, soft hyphen, direction marks, variation selectors) is
 * dropped. The ranges are in the tables. A fold never lengthens text.
 */
import { FOLD_BYTES, FOLD_DROP, FOLD_SAME, H_FOLD_BLOCKS_AT, H_FOLD_LEADS, H_FOLDS, H_FOLDS_AT } from './layout';

/** Answers of `foldOf`. */
export const FOLD_KEEP: u32 = 0xffff;
export const FOLD_AWAY: u32 = 0xfffe;

/** Bytes of the last character that `characterAt` read. */
export let characterBytes: u32 = 0;

/** The first byte above 127 from `p` on, or `end`. */
export function skipAscii(p: usize, end: usize): usize {
  while (p + 64 <= end) {
    const first = v128.or(v128.load(p), v128.load(p, 16));
    if (i8x16.bitmask(v128.or(first, v128.or(v128.load(p, 32), v128.load(p, 48)))) != 0) break;
    p += 64;
  }
  while (p + 16 <= end) {
    if (i8x16.bitmask(v128.load(p)) != 0) break;
    p += 16;
  }
  while (p < end && load<u8>(p) < 0x80) p += 1;
  return p;
}

/**
 * The first character from `p` on that may fold, as far as its first byte tells, or one that is ASCII, cut off at the
 * end, or no UTF-8.
 */
export function skipUnfolded(section: usize, p: usize, end: usize): usize {
  const leads = load<u32>(section + H_FOLD_LEADS);
  while (p + 4 <= end) {
    const w = load<u32>(p);
    if ((w & 0xc0c0f0) == 0x8080e0) {
      if (((leads >> (w & 15)) & 1) != 0) return p;
      p += 3;
    } else if ((w & 0xc0e0) == 0x80c0 && (w & 0xff) - 0xc3 <= 8) {
      // U+00C0 to U+02FF.
      p += 2;
    } else {
      return p;
    }
  }
  return p;
}

/**
 * The code point at `p`, a byte above 127, and `characterBytes`; 0 bytes when the text ends inside it. What is not
 * UTF-8 is one byte, code point 0.
 */
export function characterAt(p: usize, end: usize): u32 {
  const c = <u32>load<u8>(p);
  const length: u32 = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
  characterBytes = 1;
  if (c < 0xc2 || c > 0xf4) return 0;
  let code = c & (0xff >> (length + 1));
  for (let i: u32 = 1; i < length; i += 1) {
    if (p + i == end) {
      characterBytes = 0;
      return 0;
    }
    const d = <u32>load<u8>(p + i);
    if ((d & 0xc0) != 0x80) return 0;
    code = (code << 6) | (d & 0x3f);
  }
  characterBytes = length;
  return code;
}

/** What the code point becomes: an ASCII character, FOLD_AWAY or FOLD_KEEP. */
export function foldOf(section: usize, code: u32): u32 {
  if (code - 0xc0 < 0x240) return FOLD_KEEP;
  const block = code >> 8;
  if (
    (((<u32>load<u8>(section + <usize>load<u32>(section + H_FOLD_BLOCKS_AT) + (block >> 3))) >> (block & 7)) & 1) ==
    0
  )
    return FOLD_KEEP;
  const folds = section + <usize>load<u32>(section + H_FOLDS_AT);
  let low: u32 = 0;
  let high = load<u32>(section + H_FOLDS);
  while (low < high) {
    const middle = (low + high) >> 1;
    const fold = folds + <usize>(middle * FOLD_BYTES);
    if (code < load<u32>(fold)) {
      high = middle;
    } else if (code > (load<u32>(fold + 4) & 0xffffff)) {
      low = middle + 1;
    } else {
      const kind = load<u32>(fold + 4) >> 24;
      if (kind == FOLD_DROP) return FOLD_AWAY;
      return load<u32>(fold + 8) + (kind == FOLD_SAME ? 0 : code - load<u32>(fold));
    }
  }
  return FOLD_KEEP;
}
