/**
 * The values that detectors found in one exchange, each once: so that a value gets the same placeholder everywhere, and
 * that a reply's values can be told from those that the prompt had. They live here only, and end with the session.
 */
import { Bytes } from '../bytes';
import { allocZeroed, free } from '../memory';

/** Different values of one exchange; a body with more fails as too large. */
export const VALUES_MAX: u32 = 65_536;
const BUCKETS: u32 = 4_096;
const DETECTORS: u32 = 128;

export const ORIGIN_PROMPT: u32 = 0;
export const ORIGIN_REPLY: u32 = 1;

const ENTRY_BYTES: u32 = 32;
const ENTRY_TEXT: usize = 0;
const ENTRY_LENGTH: usize = 4;
const ENTRY_DETECTOR: usize = 8;
const ENTRY_ORIGIN: usize = 10;
const ENTRY_NUMBER: usize = 12;
const ENTRY_NEXT_EXACT: usize = 16;
const ENTRY_NEXT_NORMAL: usize = 20;
const ENTRY_NEXT_NUMBER: usize = 24;
/** Place + 1 of its pseudonym; 0: it has none. */
const ENTRY_PSEUDONYM: usize = 28;

export const NO_VALUE: u32 = 0xffffffff;

@unmanaged
export class Values {
  entries: usize = 0;
  text: usize = 0;
  /** Pseudonyms, each u32 mode and its characters: hashing is the dearest thing done to a value, and it may stand often. */
  pseudonyms: usize = 0;
  /**
   * Three tables of heads (index + 1): by exact bytes, by normal form, by placeholder number; then one counter a
   * detector.
   */
  tables: usize = 0;
  failed: bool = false;
  /** Pseudonyms that were made: each a hash. */
  hashes: u32 = 0;
  /** Nobody outside knows it: no one can choose values that share a bucket. */
  seed: u32 = 0;

  /** Frees the content; the object itself is part of its session. */
  drop(): void {
    if (this.entries != 0) changetype<Bytes>(this.entries).destroy();
    if (this.text != 0) changetype<Bytes>(this.text).destroy();
    if (this.pseudonyms != 0) changetype<Bytes>(this.pseudonyms).destroy();
    free(this.tables);
    this.pseudonyms = 0;
    this.entries = 0;
    this.text = 0;
    this.tables = 0;
  }

  /** The value's position, or NO_VALUE: then `failed`. */
  intern(detector: u32, p: usize, length: u32, origin: u32): u32 {
    if (!this.ready()) return NO_VALUE;
    const entries = changetype<Bytes>(this.entries);
    const text = changetype<Bytes>(this.text);
    const exact = this.tables + ((hashExact(this.seed ^ detector, p, length) & (BUCKETS - 1)) << 2);
    for (let i = load<u32>(exact); i != 0; i = load<u32>(this.entry(i - 1), ENTRY_NEXT_EXACT)) {
      const e = this.entry(i - 1);
      if (
        load<u16>(e, ENTRY_DETECTOR) == <u16>detector &&
        load<u32>(e, ENTRY_LENGTH) == length &&
        memory.compare(text.ptr + load<u32>(e), p, length) == 0
      )
        return i - 1;
    }
    const index = entries.len / ENTRY_BYTES;
    if (index >= VALUES_MAX || !entries.reserve(ENTRY_BYTES)) return this.fail();
    const at = text.len;
    text.append(p, length);
    if (text.failed) return this.fail();
    const e = entries.ptr + entries.len;
    memory.fill(e, 0, ENTRY_BYTES);
    store<u32>(e, at, ENTRY_TEXT);
    store<u32>(e, length, ENTRY_LENGTH);
    store<u16>(e, <u16>detector, ENTRY_DETECTOR);
    store<u8>(e, <u8>origin, ENTRY_ORIGIN);
    store<u32>(e, load<u32>(exact), ENTRY_NEXT_EXACT);
    store<u32>(exact, index + 1);
    // Only the prompt's values are asked for by their normal form. A reply's would make that list as long as it likes.
    if (origin == ORIGIN_PROMPT) {
      const normal = this.tables + BUCKETS * 4 + ((hashNormal(this.seed ^ detector, p, length) & (BUCKETS - 1)) << 2);
      store<u32>(e, load<u32>(normal), ENTRY_NEXT_NORMAL);
      store<u32>(normal, index + 1);
    }
    entries.len += ENTRY_BYTES;
    return index;
  }

  /**
   * Whether the prompt had this value, in whatever grouping: spaces, dashes and brackets do not count, nor does case.
   */
  inPrompt(detector: u32, p: usize, length: u32): bool {
    if (this.tables == 0) return false;
    const text = changetype<Bytes>(this.text);
    const normal = this.tables + BUCKETS * 4 + ((hashNormal(this.seed ^ detector, p, length) & (BUCKETS - 1)) << 2);
    for (let i = load<u32>(normal); i != 0; i = load<u32>(this.entry(i - 1), ENTRY_NEXT_NORMAL)) {
      const e = this.entry(i - 1);
      if (load<u16>(e, ENTRY_DETECTOR) != <u16>detector) continue;
      if (sameNormal(text.ptr + load<u32>(e), load<u32>(e, ENTRY_LENGTH), p, length)) return true;
    }
    return false;
  }

  /** The number in the value's placeholder, given now if it has none: 1, 2, … for each detector. */
  numberOf(index: u32): u32 {
    const e = this.entry(index);
    let number = load<u32>(e, ENTRY_NUMBER);
    if (number != 0) return number;
    const detector = <u32>load<u16>(e, ENTRY_DETECTOR);
    const counter = this.tables + BUCKETS * 12 + (detector << 2);
    number = load<u32>(counter) + 1;
    store<u32>(counter, number);
    store<u32>(e, number, ENTRY_NUMBER);
    const head = this.tables + BUCKETS * 8 + (numberBucket(detector, number) << 2);
    store<u32>(e, load<u32>(head), ENTRY_NEXT_NUMBER);
    store<u32>(head, index + 1);
    return number;
  }

  /** The prompt's value that has this placeholder, or NO_VALUE. */
  byNumber(detector: u32, number: u32): u32 {
    if (this.tables == 0) return NO_VALUE;
    const head = this.tables + BUCKETS * 8 + (numberBucket(detector, number) << 2);
    for (let i = load<u32>(head); i != 0; i = load<u32>(this.entry(i - 1), ENTRY_NEXT_NUMBER)) {
      const e = this.entry(i - 1);
      if (
        load<u16>(e, ENTRY_DETECTOR) == <u16>detector &&
        load<u32>(e, ENTRY_NUMBER) == number &&
        load<u8>(e, ENTRY_ORIGIN) == <u8>ORIGIN_PROMPT
      )
        return i - 1;
    }
    return NO_VALUE;
  }

  textOf(index: u32): usize {
    return changetype<Bytes>(this.text).ptr + load<u32>(this.entry(index));
  }

  lengthOf(index: u32): u32 {
    return load<u32>(this.entry(index), ENTRY_LENGTH);
  }

  /** Address of the characters that were kept for this mode, or 0. */
  pseudonym(index: u32, mode: u32): usize {
    const place = load<u32>(this.entry(index), ENTRY_PSEUDONYM);
    if (place == 0) return 0;
    const kept = changetype<Bytes>(this.pseudonyms).ptr + (place - 1);
    return load<u32>(kept) == mode ? kept + 4 : 0;
  }

  /** Keeps them; where memory is exhausted they are made again. */
  keepPseudonym(index: u32, mode: u32, characters: usize, count: u32): void {
    if (this.pseudonyms == 0) this.pseudonyms = changetype<usize>(Bytes.create());
    if (this.pseudonyms == 0) return;
    const all = changetype<Bytes>(this.pseudonyms);
    if (!all.reserve(4 + count)) {
      all.failed = false;
      return;
    }
    store<u32>(all.ptr + all.len, mode);
    memory.copy(all.ptr + all.len + 4, characters, count);
    store<u32>(this.entry(index), all.len + 1, ENTRY_PSEUDONYM);
    all.len += 4 + count;
  }

  /** Whether some placeholder was made of a value of the prompt. */
  hasPlaceholders(): bool {
    if (this.tables == 0) return false;
    for (let d: u32 = 0; d < DETECTORS; d += 1) if (load<u32>(this.tables + BUCKETS * 12 + (d << 2)) != 0) return true;
    return false;
  }

  private entry(index: u32): usize {
    return changetype<Bytes>(this.entries).ptr + index * ENTRY_BYTES;
  }

  private fail(): u32 {
    this.failed = true;
    return NO_VALUE;
  }

  private ready(): bool {
    if (this.failed) return false;
    if (this.tables != 0) return true;
    const entries = Bytes.create();
    const text = Bytes.create();
    const tables = allocZeroed(BUCKETS * 12 + DETECTORS * 4);
    if (changetype<usize>(entries) == 0 || changetype<usize>(text) == 0 || tables == 0) {
      if (changetype<usize>(entries) != 0) entries.destroy();
      if (changetype<usize>(text) != 0) text.destroy();
      free(tables);
      this.failed = true;
      return false;
    }
    this.entries = changetype<usize>(entries);
    this.text = changetype<usize>(text);
    this.tables = tables;
    return true;
  }
}

function numberBucket(detector: u32, number: u32): u32 {
  return (detector * 31 + number) & (BUCKETS - 1);
}

function hashExact(seed: u32, p: usize, length: u32): u32 {
  let h: u32 = seed;
  for (let i: u32 = 0; i < length; i += 1) h = mixByte(h, load<u8>(p + i));
  return finalMix(h);
}

function mixByte(h: u32, c: u32): u32 {
  return rotl<u32>((h ^ c) * 0xcc9e2d51, 15) * 0x1b873593;
}

/** The last step of MurmurHash3: every bit of the state reaches every bit of the bucket. */
function finalMix(h: u32): u32 {
  h ^= h >>> 16;
  h *= 0x85ebca6b;
  h ^= h >>> 13;
  h *= 0xc2b2ae35;
  return h ^ (h >>> 16);
}

/** The byte as it counts in the normal form; 0 where it does not. */
function normal(c: u32): u32 {
  if (c == 0x20 || c == 0x09 || c == 0x2d || c == 0x28 || c == 0x29) return 0;
  return c - 0x41 <= 25 ? c | 0x20 : c;
}

function hashNormal(seed: u32, p: usize, length: u32): u32 {
  let h: u32 = seed;
  for (let i: u32 = 0; i < length; i += 1) {
    const c = normal(load<u8>(p + i));
    if (c != 0) h = mixByte(h, c);
  }
  return finalMix(h);
}

function sameNormal(a: usize, aLength: u32, b: usize, bLength: u32): bool {
  let i: u32 = 0;
  let j: u32 = 0;
  while (true) {
    while (i < aLength && normal(load<u8>(a + i)) == 0) i += 1;
    while (j < bLength && normal(load<u8>(b + j)) == 0) j += 1;
    if (i == aLength || j == bLength) return i == aLength && j == bLength;
    if (normal(load<u8>(a + i)) != normal(load<u8>(b + j))) return false;
    i += 1;
    j += 1;
  }
}
