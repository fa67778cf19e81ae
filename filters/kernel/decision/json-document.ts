/**
 * Reading one whole JSON document (RFC 8259, strict; at most `DEPTH_MAX` levels) from memory, forwards: a cursor, and
 * what stands there. Facts documents, claims and chunk metadata are read with it; bodies are not, they stream. A syntax
 * error, invalid UTF-8 or exhausted memory sets `broken`, and everything after is void. One document at a time.
 */

const DEPTH_MAX: u32 = 64;
/** The largest magnitude of a fact: 2^53 − 1. */
const INTEGER_MAX: u64 = 9007199254740991;

let at: usize = 0;
let end: usize = 0;
/** The document is not JSON. */
export let broken: bool = false;
/** The last text read: where it stands, and whether it is free of lone surrogates. */
export let textAt: usize = 0;
export let textBytes: u32 = 0;
export let textIsWell: bool = false;
/** The last number read, scaled. */
export let numberValue: i64 = 0;

export function openDocument(text: usize, length: u32): void {
  at = text;
  end = text + length;
  broken = false;
}

/** The cursor, for `rewind`. */
export function position(): usize {
  return at;
}

export function rewind(to: usize): void {
  at = to;
}

/** The next byte that is no space; 0 at the end. */
export function peek(): u32 {
  while (at < end) {
    const byte = <u32>load<u8>(at);
    if (byte > 0x20) return byte;
    if (byte != 0x20 && byte != 0x0a && byte != 0x0d && byte != 0x09) return breakDocument();
    at++;
  }
  return 0;
}

/** Takes the next byte if it is this one. */
export function takes(byte: u32): bool {
  if (broken || peek() != byte) return false;
  at++;
  return true;
}

/** Takes the next byte, which must be this one. */
export function expect(byte: u32): bool {
  if (takes(byte)) return true;
  breakDocument();
  return false;
}

/** Nothing but space is left. */
export function atEnd(): bool {
  return !broken && peek() == 0 && at >= end;
}

function breakDocument(): u32 {
  broken = true;
  at = end;
  return 0;
}

/**
 * Reads the text at the cursor. Without escapes `textAt` points into the document, else into memory of the arena. False
 * (and `broken`) where no text stands.
 */
export function readText<A>(arena: A): bool {
  return scanText() && unescapeText<A>(arena);
}

/** Steps over any value. False if it is not well formed. */
export function skipValue(depth: u32): bool {
  if (depth > DEPTH_MAX) {
    breakDocument();
    return false;
  }
  const byte = peek();
  if (byte == 0x22) return scanText();
  if (byte == 0x7b) {
    at++;
    if (takes(0x7d)) return true;
    do {
      if (peek() != 0x22) break;
      if (!scanText() || !expect(0x3a) || !skipValue(depth + 1)) return false;
    } while (takes(0x2c));
    return expect(0x7d);
  }
  if (byte == 0x5b) {
    at++;
    if (takes(0x5d)) return true;
    do {
      if (!skipValue(depth + 1)) return false;
    } while (takes(0x2c));
    return expect(0x5d);
  }
  if (byte == 0x74) return takeWord(0x65757274, 4);
  if (byte == 0x6e) return takeWord(0x6c6c756e, 4);
  if (byte == 0x66) return at + 5 <= end && load<u8>(at, 4) == 0x65 ? takeWord(0x736c6166, 5) : breakDocument() != 0;
  readNumber(0);
  return !broken;
}

/** Elements of the array at the cursor, which stays; -1 where no array stands or it is not well formed. */
export function countElements(depth: u32): i32 {
  if (peek() != 0x5b) return -1;
  const start = at;
  at++;
  let count = 0;
  if (!takes(0x5d)) {
    do {
      if (!skipValue(depth + 1)) return -1;
      count++;
    } while (takes(0x2c));
    if (!expect(0x5d)) return -1;
  }
  at = start;
  return count;
}

function takeWord(word: u32, length: u32): bool {
  if (at + length > end || load<u32>(at) != word) {
    breakDocument();
    return false;
  }
  at += length;
  return true;
}

// ----------------------------------------------------------------------------------------------------------------
// numbers

/**
 * Reads the number at the cursor into `numberValue` as the integer `x · 10^scale`. False where it is no number, not
 * exact at the scale, or above 2^53−1 in magnitude; `broken` only if it is not well formed. Digits are summed as text,
 * so that nothing is rounded.
 */
export function readNumber(scale: i32): bool {
  const negative = takes(0x2d);
  if (broken || at >= end) return breakDocument() != 0;
  let sum: u64 = 0;
  /** Zeros seen since the last other digit: they count only if another digit follows. */
  let zeros: i32 = 0;
  let tooLarge = false;
  let exponent: i32 = scale;
  const first = <u32>load<u8>(at);
  if (first - 0x30 > 9) return breakDocument() != 0;
  let fraction = false;
  const start = at;
  for (; at < end; at++) {
    const byte = <u32>load<u8>(at);
    const digit = byte - 0x30;
    if (digit <= 9) {
      if (!fraction && at == start + 1 && first == 0x30) return breakDocument() != 0;
      if (fraction) exponent--;
      if (digit == 0) {
        zeros++;
        continue;
      }
      for (; zeros > 0 && sum != 0 && sum <= INTEGER_MAX; zeros--) sum *= 10;
      zeros = 0;
      if (sum > INTEGER_MAX) tooLarge = true;
      else sum = sum * 10 + digit;
      continue;
    }
    if (byte != 0x2e || fraction) break;
    fraction = true;
    if (at + 1 >= end || <u32>load<u8>(at, 1) - 0x30 > 9) return breakDocument() != 0;
  }
  if (at < end && (load<u8>(at) | 0x20) == 0x65) {
    at++;
    let down = false;
    if (at < end && (load<u8>(at) == 0x2b || load<u8>(at) == 0x2d)) {
      down = load<u8>(at) == 0x2d;
      at++;
    }
    if (at >= end || <u32>load<u8>(at) - 0x30 > 9) return breakDocument() != 0;
    let power: i32 = 0;
    for (; at < end && <u32>load<u8>(at) - 0x30 <= 9; at++)
      if (power < 100_000_000) power = power * 10 + (load<u8>(at) - 0x30);
    exponent += down ? -power : power;
  }
  numberValue = 0;
  if (sum == 0) return true;
  exponent += zeros;
  if (tooLarge || exponent < 0 || exponent > 16) return false;
  for (; exponent > 0; exponent--) {
    if (sum > INTEGER_MAX) return false;
    sum *= 10;
  }
  if (sum > INTEGER_MAX) return false;
  numberValue = negative ? -(<i64>sum) : <i64>sum;
  return true;
}

// ------------------------------------------------------------------------------------------------------------------
// texts

/** Where the text that `scanText` stepped over holds a backslash. */
let escaped: bool = false;

/** Steps over the text at the cursor and leaves its raw bytes in `textAt` and `textBytes`. */
function scanText(): bool {
  if (peek() != 0x22) {
    breakDocument();
    return false;
  }
  at++;
  textAt = at;
  escaped = false;
  while (at < end) {
    while (at + 8 <= end && isPlain(load<u64>(at))) at += 8;
    if (at >= end) break;
    const byte = <u32>load<u8>(at);
    if (byte == 0x22) {
      textBytes = <u32>(at - textAt);
      at++;
      return true;
    }
    if (byte < 0x20) break;
    if (byte == 0x5c) {
      const size = escapeBytes();
      if (size == 0) break;
      escaped = true;
      at += size;
    } else if (byte < 0x80) at++;
    else {
      const size = sequenceBytes();
      if (size == 0) break;
      at += size;
    }
  }
  breakDocument();
  return false;
}

/** None of eight bytes is a quote, a backslash, a control or part of a longer sequence. */
function isPlain(word: u64): bool {
  const quote = word ^ 0x2222222222222222;
  const slash = word ^ 0x5c5c5c5c5c5c5c5c;
  const low: u64 = 0x0101010101010101;
  return (((quote - low) | (slash - low) | (word - 0x2020202020202020) | word) & 0x8080808080808080) == 0;
}

/**
 * Bytes of the well-formed UTF-8 sequence of two to four bytes at the cursor (Unicode 15, table 3-7); 0 if there is
 * none.
 */
function sequenceBytes(): u32 {
  const left = <u32>(end - at);
  const lead = <u32>load<u8>(at);
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size: u32 = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (left < size) return 0;
  const second = <u32>load<u8>(at, 1);
  const from: u32 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const to: u32 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (second < from || second > to) return 0;
  if (size > 2 && (load<u8>(at, 2) & 0xc0) != 0x80) return 0;
  if (size > 3 && (load<u8>(at, 3) & 0xc0) != 0x80) return 0;
  return size;
}

/** Bytes of the escape at the cursor; 0 if it is none. */
function escapeBytes(): u32 {
  if (at + 1 >= end) return 0;
  const letter = <u32>load<u8>(at, 1);
  if (letter == 0x75) return at + 6 <= end && hexAt(at + 2) >= 0 ? 6 : 0;
  return unescapeLetter(letter) != 0 ? 2 : 0;
}

function unescapeLetter(letter: u32): u32 {
  if (letter == 0x22 || letter == 0x5c || letter == 0x2f) return letter;
  if (letter == 0x6e) return 0x0a;
  if (letter == 0x74) return 0x09;
  if (letter == 0x72) return 0x0d;
  if (letter == 0x62) return 0x08;
  if (letter == 0x66) return 0x0c;
  return 0;
}

/** The UTF-16 unit of four hexadecimal digits, -1 if they are not. */
function hexAt(place: usize): i32 {
  let unit: i32 = 0;
  for (let digit: usize = 0; digit < 4; digit++) {
    const byte = <u32>load<u8>(place + digit);
    const value = byte - 0x30 <= 9 ? byte - 0x30 : (byte | 0x20) - 0x61 <= 5 ? (byte | 0x20) - 0x61 + 10 : 16;
    if (value == 16) return -1;
    unit = (unit << 4) | value;
  }
  return unit;
}

function unescapeText<A>(arena: A): bool {
  textIsWell = true;
  if (!escaped) return true;
  const to = arena.take(textBytes);
  if (to == 0) {
    breakDocument();
    return false;
  }
  let from = textAt;
  const last = textAt + textBytes;
  let next = to;
  while (from < last) {
    const byte = <u32>load<u8>(from);
    if (byte != 0x5c) {
      store<u8>(next++, byte);
      from++;
      continue;
    }
    const letter = <u32>load<u8>(from, 1);
    if (letter != 0x75) {
      store<u8>(next++, unescapeLetter(letter));
      from += 2;
      continue;
    }
    let point = <u32>hexAt(from + 2);
    from += 6;
    if ((point & 0xfc00) == 0xd800 && from + 6 <= last && load<u16>(from) == 0x755c) {
      const low = <u32>hexAt(from + 2);
      if ((low & 0xfc00) == 0xdc00) {
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        from += 6;
      }
    }
    if ((point & 0xfffff800) == 0xd800) textIsWell = false;
    next = putPoint(next, point);
  }
  textAt = to;
  textBytes = <u32>(next - to);
  return true;
}

/** Writes a code point in UTF-8, which is never longer than its escape. */
function putPoint(next: usize, point: u32): usize {
  if (point < 0x80) {
    store<u8>(next, point);
    return next + 1;
  }
  if (point < 0x800) {
    store<u8>(next, 0xc0 | (point >>> 6));
    store<u8>(next, 0x80 | (point & 0x3f), 1);
    return next + 2;
  }
  if (point < 0x10000) {
    store<u8>(next, 0xe0 | (point >>> 12));
    store<u8>(next, 0x80 | ((point >>> 6) & 0x3f), 1);
    store<u8>(next, 0x80 | (point & 0x3f), 2);
    return next + 3;
  }
  store<u8>(next, 0xf0 | (point >>> 18));
  store<u8>(next, 0x80 | ((point >>> 12) & 0x3f), 1);
  store<u8>(next, 0x80 | ((point >>> 6) & 0x3f), 2);
  store<u8>(next, 0x80 | (point & 0x3f), 3);
  return next + 4;
}
