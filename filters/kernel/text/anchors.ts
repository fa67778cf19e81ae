/** A list of anchors against the bytes at one place: what matches is asked for there. */
import { ANCHOR_BACK, ANCHOR_BYTES, ANCHOR_GROUP, ANCHOR_MASK, ANCHOR_SETS, ANCHOR_VALUE } from './layout';
import { isNear, matchAt } from './match';
import { end, final, section } from './window';

/** Bytes of an anchor. */
const PIECE: usize = 4;

/** `list`: a u32 count, then the anchors. */
export function matchAnchors(list: usize, p: usize, onlyNear: bool): void {
  // Bytes behind the end may become the anchor's, where any come; where none do, it must not ask for them.
  const known: u32 = final || p + PIECE <= end ? -1 : (1 << ((<u32>(end - p)) << 3)) - 1;
  const bytes = bytesAt(p);
  const stop = list + 4 + <usize>load<u32>(list) * ANCHOR_BYTES;
  for (let anchor = list + 4; anchor != stop; anchor += ANCHOR_BYTES) {
    if (((bytes & load<u32>(anchor, ANCHOR_MASK)) ^ load<u32>(anchor, ANCHOR_VALUE)) & known) continue;
    if (!isInSets(anchor, p)) continue;
    const g = <u32>load<u16>(anchor, ANCHOR_GROUP);
    if (!onlyNear || isNear(g)) matchAt(g, p, load<u16>(anchor, ANCHOR_BACK));
  }
}

/** The four bytes at `p`; zeros behind the end. */
function bytesAt(p: usize): u32 {
  if (p + PIECE <= end) return load<u32>(p);
  let bytes: u32 = 0;
  for (let i: usize = 0; p + i < end; i += 1) bytes |= (<u32>load<u8>(p + i)) << ((<u32>i) << 3);
  return bytes;
}

/** Whether those bytes at `p` that the anchor's mask leaves open are in its sets. */
function isInSets(anchor: usize, p: usize): bool {
  const most = p + PIECE <= end ? PIECE : end - p;
  if (!isIn(load<u32>(anchor, ANCHOR_SETS), load<u8>(p))) return false;
  if (most > 1 && !isIn(load<u32>(anchor, ANCHOR_SETS + 4), load<u8>(p, 1))) return false;
  if (most > 2 && !isIn(load<u32>(anchor, ANCHOR_SETS + 8), load<u8>(p, 2))) return false;
  return most <= 3 || isIn(load<u32>(anchor, ANCHOR_SETS + 12), load<u8>(p, 3));
}

function isIn(set: u32, byte: u32): bool {
  return set == 0 || (((<u32>load<u8>(section + <usize>set + (byte >> 3))) >> (byte & 7)) & 1) != 0;
}
