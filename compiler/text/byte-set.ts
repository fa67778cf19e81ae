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

export function bytesOf(set: ByteSet): readonly number[] {
  const bytes: number[] = [];
  for (let byte = 0; byte < 256; byte += 1) if (hasByte(set, byte)) bytes.push(byte);
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
  for (let byte = 0; byte < 256; byte += 1) if ((low >> (byte & 15)) & (high >> (byte >> 4)) & 1) set |= 1n << BigInt(byte);
  return set;
}
