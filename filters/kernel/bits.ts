/** Bits of sets that are held in two words of 64. */

/** The bit of member `i` in the word that holds it. */
export function bitOf(i: u32): u64 {
  return (1 as u64) << ((i & 63) as u64);
}
