/**
 * Classes of bytes, and what touches a match: the boundary kinds that the text before or behind an address satisfies.
 * Bytes above 127 are of no class: no script but ASCII's joins words here.
 */
import {
  BOUNDARY_ADDRESS,
  BOUNDARY_DIGIT,
  BOUNDARY_LIST,
  BOUNDARY_NONE,
  BOUNDARY_NUMBER,
  BOUNDARY_SERIAL,
  BOUNDARY_WORD,
  LIST_GAP_MAX,
} from './layout';

export const NONE: u32 = 1 << BOUNDARY_NONE;
export const DIGIT: u32 = 1 << BOUNDARY_DIGIT;
const WORD: u32 = 1 << BOUNDARY_WORD;
const NUMBER: u32 = 1 << BOUNDARY_NUMBER;
const SERIAL: u32 = 1 << BOUNDARY_SERIAL;
const ADDRESS: u32 = 1 << BOUNDARY_ADDRESS;
const LIST: u32 = 1 << BOUNDARY_LIST;
export const ALL: u32 = NONE | DIGIT | WORD | NUMBER | SERIAL | ADDRESS | LIST;
/** In the second byte of `boundaryAfter`: kinds that only more text can settle. */
export const UNSETTLED: u32 = 8;

export function isDigit(c: u32): bool {
  return c - 0x30 <= 9;
}

export function isLetter(c: u32): bool {
  return (c | 0x20) - 0x61 <= 25;
}

export function isHex(c: u32): bool {
  return c - 0x30 <= 9 || (c | 0x20) - 0x61 <= 5;
}

export function isAlphanumeric(c: u32): bool {
  return isDigit(c) || isLetter(c);
}

/** All ones in each byte that is a letter or a digit: what a number is never found behind. `_` may be emphasis. */
export function alphanumericBytes(bytes: v128): v128 {
  const letters = i8x16.lt_u(i8x16.sub(v128.or(bytes, i8x16.splat(0x20)), i8x16.splat(0x61)), i8x16.splat(26));
  const digits = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(0x30)), i8x16.splat(10));
  return v128.or(letters, digits);
}

/** Kinds of boundary that hold before `p`; `first` is where the text begins. */
export function boundaryBefore(p: usize, first: usize): u32 {
  if (p == first) return ALL;
  const c = <u32>load<u8>(p - 1);
  if (isDigit(c)) return NONE;
  if (isLetter(c)) return NONE | DIGIT;
  if (p - 1 == first) return ALL;
  const d = <u32>load<u8>(p - 2);
  // As a part of a name, not as the emphasis of Markdown.
  if (c == 0x5f) return isDigit(d) || isLetter(d) ? NONE | DIGIT : ALL;
  if (isGap(c)) return followsNumber(p, first) ? ALL & ~LIST : ALL;
  if (c == 0x2e) return isDigit(d) ? ALL & ~(NUMBER | SERIAL | ADDRESS) : ALL;
  if (c == 0x2d) return isDigit(d) ? ALL & ~SERIAL : ALL;
  if (c == 0x3a) return isDigit(d) || d == 0x3a ? ALL & ~ADDRESS : ALL;
  return ALL;
}

/**
 * Kinds that hold at `p`, the first byte behind a match; shifted by UNSETTLED those that more text must settle, unless
 * `final`.
 */
export function boundaryAfter(p: usize, end: usize, final: bool): u32 {
  if (p == end) return final ? ALL : NONE | ((ALL & ~NONE) << UNSETTLED);
  const c = <u32>load<u8>(p);
  if (isDigit(c)) return NONE;
  if (isLetter(c)) return NONE | DIGIT;
  if (c == 0x5f) {
    if (p + 1 == end) return final ? ALL : NONE | DIGIT | ((ALL & ~(NONE | DIGIT)) << UNSETTLED);
    return isDigit(load<u8>(p + 1)) || isLetter(load<u8>(p + 1)) ? NONE | DIGIT : ALL;
  }
  if (isGap(c)) return beforeNumber(p, end, final);
  const joins = c == 0x2e ? NUMBER | SERIAL | ADDRESS : c == 0x2d ? SERIAL : c == 0x3a ? ADDRESS : 0;
  if (joins == 0) return ALL;
  if (p + 1 == end) return final ? ALL : (ALL & ~joins) | (joins << UNSETTLED);
  const d = <u32>load<u8>(p + 1);
  const joined = c == 0x3a ? isHex(d) || d == 0x3a : isDigit(d);
  return joined ? ALL & ~joins : ALL;
}

function isGap(c: u32): bool {
  return c == 0x20 || isListGap(c);
}

/** What parts the numbers of a list, or the columns of a table: a tab, a line's end. */
function isListGap(c: u32): bool {
  return c == 0x09 || c == 0x0a || c == 0x0d;
}

/** Whether a digit stands before the gap that ends at `p`, and that is one of a list. */
function followsNumber(p: usize, first: usize): bool {
  let isList = false;
  for (let i: usize = 1; i <= <usize>LIST_GAP_MAX + 1 && p - i >= first; i += 1) {
    const c = <u32>load<u8>(p - i);
    if (!isGap(c)) return isList && isDigit(c);
    if (isListGap(c)) isList = true;
  }
  return false;
}

/** The kinds that hold at `p`, where a gap begins, as `boundaryAfter` answers. */
function beforeNumber(p: usize, end: usize, final: bool): u32 {
  let isList = false;
  for (let i: usize = 0; i <= <usize>LIST_GAP_MAX; i += 1) {
    if (p + i == end) return final ? ALL : (ALL & ~LIST) | (LIST << UNSETTLED);
    const c = <u32>load<u8>(p + i);
    if (!isGap(c)) return isList && isDigit(c) ? ALL & ~LIST : ALL;
    if (isListGap(c)) isList = true;
  }
  return ALL;
}
