/**
 * The lexical part of strict JSON (RFC 8259, RFC 7493): one string or one number at a time, over bytes. Nothing here
 * knows a protocol. A string is refused for bytes below 0x20, unknown escapes, lone surrogates and invalid UTF-8; a
 * number for every other grammar than JSON's and for exponents on which parsers differ.
 */

/** Whether the last string read has an escape. */
export let stringEscaped: bool = false;
/** Whether the last string was refused for its UTF-8. */
export let stringBadUtf8: bool = false;
/** Digits of the last number read. */
export let numberDigits: u32 = 0;

/** Exponents above are infinity to some parsers and an error to others. */
const EXPONENT_MAX: u32 = 300;
/** A number's literal is refused above, so that digits alone cannot pass the magnitude check. */
const NUMBER_BYTES_MAX: usize = 256;

export function isSpace(c: u32): bool {
  return c == 0x20 || c == 0x0a || c == 0x0d || c == 0x09;
}

export function skipSpace(p: usize, end: usize): usize {
  while (p < end && isSpace(load<u8>(p))) p += 1;
  return p;
}

/** From the opening quote at `p`: the address behind the closing quote, or 0. */
export function scanString(p: usize, end: usize): usize {
  stringEscaped = false;
  stringBadUtf8 = false;
  p += 1;
  while (p < end) {
    while (p + 16 <= end) {
      const special = specialBytes(p);
      p += special == 0 ? 16 : <usize>ctz(special);
      if (special != 0) break;
    }
    if (p >= end) return 0;
    const c = <u32>load<u8>(p);
    if (c == 0x22) return p + 1;
    if (c == 0x5c) {
      stringEscaped = true;
      p = scanEscape(p, end);
      if (p == 0) return 0;
    } else if (c < 0x20) {
      return 0;
    } else if (c < 0x80) {
      p += 1;
    } else {
      p = skipCharacters(p, end);
      if (p == 0) {
        stringBadUtf8 = true;
        return 0;
      }
    }
  }
  return 0;
}

/** Which of the sixteen bytes at `p` are a quote, a backslash, below 0x20 or above 0x7f: a bit each. */
function specialBytes(p: usize): u32 {
  const bytes = v128.load(p);
  // Signed: what is above 0x7f is below 0x20, too.
  const others = i8x16.lt_s(bytes, i8x16.splat(0x20));
  const quotes = i8x16.eq(bytes, i8x16.splat(0x22));
  const slashes = i8x16.eq(bytes, i8x16.splat(0x5c));
  return <u32>i8x16.bitmask(v128.or(others, v128.or(quotes, slashes)));
}

/** The address behind the characters above 0x7f at `p`, or 0 where one is not well-formed. */
function skipCharacters(p: usize, end: usize): usize {
  // Two and three bytes, whose first byte leaves nothing to be said of the second.
  while (p + 4 <= end) {
    const w = load<u32>(p);
    const c = w & 0xff;
    if ((w & 0xc0c0f0) == 0x8080e0 && c != 0xe0 && c != 0xed) p += 3;
    else if ((w & 0xc0e0) == 0x80c0 && c >= 0xc2) p += 2;
    else if (c < 0x80) return p;
    else break;
  }
  while (p < end && load<u8>(p) >= 0x80) {
    const n = utf8Length(p, end);
    if (n == 0) return 0;
    p += n;
    if (p + 4 <= end) return p;
  }
  return p;
}

/** Bytes of the well-formed UTF-8 character at `p` (Unicode table 3-7), or 0. */
export function utf8Length(p: usize, end: usize): u32 {
  const c = <u32>load<u8>(p);
  if (c < 0x80) return 1;
  if (c < 0xc2) return 0;
  if (c < 0xe0) return p + 2 <= end && isTail(p + 1) ? 2 : 0;
  if (c < 0xf0) {
    if (p + 3 > end || !isTail(p + 1) || !isTail(p + 2)) return 0;
    const d = <u32>load<u8>(p + 1);
    if (c == 0xe0 && d < 0xa0) return 0;
    if (c == 0xed && d > 0x9f) return 0;
    return 3;
  }
  if (c > 0xf4 || p + 4 > end || !isTail(p + 1) || !isTail(p + 2) || !isTail(p + 3)) return 0;
  const d = <u32>load<u8>(p + 1);
  if (c == 0xf0 && d < 0x90) return 0;
  if (c == 0xf4 && d > 0x8f) return 0;
  return 4;
}

/** From the first character of a number at `p`: the address behind it, or 0. */
export function scanNumber(p: usize, end: usize): usize {
  const start = p;
  numberDigits = 0;
  if (load<u8>(p) == 0x2d) p += 1;
  if (p >= end) return 0;
  const first = <u32>load<u8>(p);
  if (first == 0x30) {
    p += 1;
    numberDigits = 1;
  } else {
    const q = skipDigits(p, end);
    if (q == p) return 0;
    numberDigits = <u32>(q - p);
    p = q;
  }
  const whole = numberDigits;
  if (p < end && load<u8>(p) == 0x2e) {
    const q = skipDigits(p + 1, end);
    if (q == p + 1) return 0;
    numberDigits += <u32>(q - p - 1);
    p = q;
  }
  let exponent: u32 = 0;
  let negative = false;
  if (p < end && (load<u8>(p) | 0x20) == 0x65) {
    p += 1;
    if (p < end && (load<u8>(p) == 0x2b || load<u8>(p) == 0x2d)) {
      negative = load<u8>(p) == 0x2d;
      p += 1;
    }
    const q = skipDigits(p, end);
    if (q == p || q - p > 4) return 0;
    for (; p < q; p += 1) exponent = exponent * 10 + <u32>load<u8>(p) - 0x30;
  }
  if (p - start > NUMBER_BYTES_MAX || exponent > EXPONENT_MAX) return 0;
  if (!negative && whole + exponent > EXPONENT_MAX) return 0;
  return p;
}

/**
 * The integer that the literal [p, end) is, or -1 where it is negative, has a fraction or an exponent, or more than 15
 * digits.
 */
export function readInteger(p: usize, end: usize): i64 {
  if (p >= end || end - p > 15) return -1;
  let n: i64 = 0;
  for (; p < end; p += 1) {
    const d = <u32>load<u8>(p) - 0x30;
    if (d > 9) return -1;
    n = n * 10 + d;
  }
  return n;
}

/** The value of four hexadecimal digits at `p`, or -1. */
export function readHex4(p: usize): i32 {
  let n: i32 = 0;
  for (let i: usize = 0; i < 4; i += 1) {
    const c = <u32>load<u8>(p + i);
    const d = c - 0x30 <= 9 ? c - 0x30 : (c | 0x20) - 0x61 <= 5 ? (c | 0x20) - 0x57 : 16;
    if (d == 16) return -1;
    n = (n << 4) | d;
  }
  return n;
}

function scanEscape(p: usize, end: usize): usize {
  if (p + 2 > end) return 0;
  const c = <u32>load<u8>(p + 1);
  if (c == 0x22 || c == 0x5c || c == 0x2f || c == 0x62 || c == 0x66 || c == 0x6e || c == 0x72 || c == 0x74)
    return p + 2;
  if (c != 0x75 || p + 6 > end) return 0;
  const unit = readHex4(p + 2);
  if (unit < 0) return 0;
  if (unit >= 0xd800 && unit <= 0xdbff) {
    if (p + 12 > end || load<u8>(p + 6) != 0x5c || load<u8>(p + 7) != 0x75) return 0;
    const low = readHex4(p + 8);
    return low >= 0xdc00 && low <= 0xdfff ? p + 12 : 0;
  }
  return unit >= 0xdc00 && unit <= 0xdfff ? 0 : p + 6;
}

function skipDigits(p: usize, end: usize): usize {
  while (p < end && <u32>load<u8>(p) - 0x30 <= 9) p += 1;
  return p;
}

function isTail(p: usize): bool {
  return (load<u8>(p) & 0xc0) == 0x80;
}

/** Address behind the value at `p`, of which only the outline is checked; 0 where it does not end. */
export function skipValue(p: usize, end: usize): usize {
  let depth: u32 = 0;
  while (p < end) {
    const c = <u32>load<u8>(p);
    if (c == 0x22) {
      p = scanString(p, end);
      if (p == 0 || depth == 0) return p;
      continue;
    }
    if (c == 0x7b || c == 0x5b) depth += 1;
    else if (c == 0x7d || c == 0x5d) {
      if (depth == 0) return p;
      depth -= 1;
      if (depth == 0) return p + 1;
    } else if (depth == 0 && (c == 0x2c || c <= 0x20)) return p;
    p += 1;
  }
  return 0;
}
