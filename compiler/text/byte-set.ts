/** Sets of bytes. */

export type ByteSet = bigint;

export const NO_BYTES: ByteSet = 0n;
export const ALL_BYTES: ByteSet = (1n << 256n) - 1n;
export const DIGITS: ByteSet = byteRange(0x30, 0x39);

export const ALPHANUMERIC: ByteSet = DIGITS | byteRange(0x41, 0x5a) | byteRange(0x61, 0x7a);
/** What keys, tokens and identifiers are made of. */
export const TOKEN_BYTES: ByteSet = [...'+-./=_~'].reduce(
  (set, sign) => set | (1n << BigInt(sign.charCodeAt(0))),
  ALPHANUMERIC,
);

export function byteRange(from: number, to: number): ByteSet {
  return ((1n << BigInt(to - from + 1)) - 1n) << BigInt(from);
}

export function hasByte(set: ByteSet, byte: number): boolean {
  return bitmapOf(set)[byte] === 1;
}

export function isWithin(set: ByteSet, other: ByteSet): boolean {
  return (set & ~other) === 0n;
}

const bitmaps = new Map<string, Uint8Array>();
/** Bitmaps that are remembered: a policy's patterns have few sets, and ask for them often. */
const BITMAPS_MAX = 4_096;

/** For each byte whether it is in the set: 1 or 0. Equal sets have the same one. */
export function bitmapOf(set: ByteSet): Uint8Array {
  // Not by the number itself: engines hash no more of it than its low 64 bits, in which most sets are alike.
  const key = set.toString(32);
  const known = bitmaps.get(key);
  if (known !== undefined) return known;
  if (bitmaps.size >= BITMAPS_MAX) bitmaps.clear();
  const bitmap = new Uint8Array(256);
  [...set.toString(2)].reverse().forEach((bit, byte) => (bitmap[byte] = Number(bit)));
  bitmaps.set(key, bitmap);
  return bitmap;
}

export function bytesOf(set: ByteSet): readonly number[] {
  return [...bitmapOf(set)].flatMap((isIn, byte) => (isIn === 1 ? [byte] : []));
}

/** Which low and which high halves the bytes of a set have, a bit each: all that the prefilter's tables see of it. */
export interface Halves {
  readonly low: number;
  readonly high: number;
}

export function halvesOf(set: ByteSet): Halves {
  const digits = set.toString(16).padStart(64, '0');
  let low = 0;
  let high = 0;
  for (let half = 0; half < 16; half += 1) {
    const bytes = parseInt(digits.slice(60 - half * 4, 64 - half * 4), 16);
    low |= bytes;
    if (bytes !== 0) high |= 1 << half;
  }
  return { low, high };
}
