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

const members = new Map<ByteSet, Uint8Array>();
/** Sets that `membersOf` remembers. */
const MEMBERS_MAX = 4_096;

/** One for each byte of the set, zero for the others. */
export function membersOf(set: ByteSet): Uint8Array {
  const known = members.get(set);
  if (known !== undefined) return known;
  if (members.size >= MEMBERS_MAX) members.clear();
  const made = Uint8Array.from({ length: 256 }, (_, byte) => (hasByte(set, byte) ? 1 : 0));
  members.set(set, made);
  return made;
}

export function bytesOf(set: ByteSet): readonly number[] {
  const bytes: number[] = [];
  membersOf(set).forEach((member, byte) => {
    if (member === 1) bytes.push(byte);
  });
  return bytes;
}

/** The least set that a look-up of the low and of the high half can tell apart and that holds `set`. */
export function halvesOf(set: ByteSet): { readonly low: number; readonly high: number } {
  let low = 0;
  let high = 0;
  for (const byte of bytesOf(set)) {
    low |= 1 << (byte & 15);
    high |= 1 << (byte >> 4);
  }
  return { low, high };
}

export function fromHalves({ low, high }: { readonly low: number; readonly high: number }): ByteSet {
  let set = NO_BYTES;
  for (let half = 0; half < 16; half += 1) if ((high >> half) & 1) set |= BigInt(low) << BigInt(half * 16);
  return set;
}
