/**
 * From folded offsets back to raw ones: an entry (folded offset, raw offset, raw bytes of the character there) wherever
 * the two stop running in step. Offsets count from the lane's start.
 */
import { Bytes } from '../bytes';

export const ENTRY_BYTES: u32 = 12;

/** The next folded byte, `folded`, stands for `bytes` raw bytes at `raw`. */
export function noteOffset(map: Bytes, folded: u32, raw: u32, bytes: u32): void {
  if (map.len != 0 && load<u32>(map.ptr + map.len - ENTRY_BYTES) == folded) map.len -= ENTRY_BYTES;
  map.u32(folded);
  map.u32(raw);
  map.u32(bytes);
}

/** Where the character begins whose folded byte is `folded`. */
export function rawStart(map: Bytes, folded: u32): u32 {
  const entry = entryAt(map, folded);
  if (entry == 0) return folded;
  const ahead = folded - load<u32>(entry);
  return load<u32>(entry + 4) + (ahead == 0 ? 0 : load<u32>(entry + 8) + ahead - 1);
}

/** Where the character ends whose last folded byte stands before `folded`. */
export function rawEnd(map: Bytes, folded: u32): u32 {
  const entry = entryAt(map, folded - 1);
  if (entry == 0) return folded;
  return load<u32>(entry + 4) + load<u32>(entry + 8) + (folded - 1 - load<u32>(entry));
}

/** Forgets entries that no offset from `folded` on needs. */
export function forgetOffsets(map: Bytes, folded: u32): void {
  const entry = entryAt(map, folded);
  if (entry == 0 || entry == map.ptr) return;
  const gone = <u32>(entry - map.ptr);
  memory.copy(map.ptr, entry, map.len - gone);
  map.len -= gone;
}

/** The last entry at or before `folded`, or 0. */
function entryAt(map: Bytes, folded: u32): usize {
  let low: u32 = 0;
  let high = map.len / ENTRY_BYTES;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(map.ptr + middle * ENTRY_BYTES) <= folded) low = middle + 1;
    else high = middle;
  }
  return low == 0 ? 0 : map.ptr + (low - 1) * ENTRY_BYTES;
}
