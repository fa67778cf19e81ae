/** Sets of bytes. */

export type ByteSet = bigint;

export const NO_BYTES: ByteSet = 0n;
export const ALL_BYTES: ByteSet = (1n << 256n) - 1n;
export const DIGITS: ByteSet = byteRange(0x30, 0x39);

export function byteRange(from: number, to: number): ByteSet {
  return ((1n << BigInt(to - from + 1)) - 1n) << BigInt(from);
}

export function hasByte(set: ByteSet, byte: number): boolean {
  return ((set >> BigInt(byte)) & 1n) === 1n;
}

export function isWithin(set: ByteSet, other: ByteSet): boolean {
  return (set & ~other) === 0n;
}

const members = new Map<ByteSet, readonly number[]>();
/** Sets that `bytesOf` remembers. */
const MEMBERS_MAX = 4_096;

export function bytesOf(set: ByteSet): readonly number[] {
  const known = members.get(set);
  if (known !== undefined) return known;
  if (members.size >= MEMBERS_MAX) members.clear();
  const made = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => hasByte(set, byte));
  members.set(set, made);
  return made;
}

/** Which low and which high halves the bytes of a set have, a bit each: all that the prefilter's tables see of it. */
export interface Halves {
  readonly low: number;
  readonly high: number;
}

export function halvesOf(set: ByteSet): Halves {
  let low = 0;
  let high = 0;
  for (const byte of bytesOf(set)) {
    low |= 1 << (byte & 15);
    high |= 1 << (byte >> 4);
  }
  return { low, high };
}
