/** Sets of small numbers as 64-bit words. */

export function wordsFor(count: number): number {
  return (count + 63) >> 6;
}

/** One word for each 64 of `count`. */
export function wordsOf(members: Iterable<number>, count: number): bigint[] {
  const words = new Array<bigint>(wordsFor(count)).fill(0n);
  for (const member of members) words[member >> 6]! |= 1n << BigInt(member & 63);
  return words;
}

/** The one word of members below 64. */
export function wordOf(members: Iterable<number>): bigint {
  return wordsOf(members, 64)[0]!;
}
