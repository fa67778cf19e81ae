/**
 * The policy's tables, as compiler/wasm/pack.ts packs them, put in their place: once, before anything reads them. What
 * was packed lies where the heap will be.
 */
import { packedAt, packedEnd, unpackedAt } from './policy';

const MATCH_LEAST: usize = 4;
const COUNT_MAX: usize = 15;

let p: usize = 0;

export function unpackTables(): void {
  const end = packedEnd();
  let to = unpackedAt();
  p = packedAt();
  while (p < end) {
    const counts = <usize>load<u8>(p);
    p += 1;
    const literals = countOf(counts >> 4);
    memory.copy(to, p, literals);
    to += literals;
    p += literals;
    if (p >= end) return;
    let from = to - <usize>load<u16>(p);
    p += 2;
    const stop = to + MATCH_LEAST + countOf(counts & COUNT_MAX);
    // Byte by byte: a match may go on into what it becomes.
    for (; to < stop; to += 1) {
      store<u8>(to, load<u8>(from));
      from += 1;
    }
  }
}

/** A count, and what it goes on with at `p`. */
function countOf(begun: usize): usize {
  let count = begun;
  if (begun != COUNT_MAX) return count;
  while (true) {
    const more = <usize>load<u8>(p);
    p += 1;
    count += more;
    if (more != 255) return count;
  }
}
