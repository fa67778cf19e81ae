/**
 * Finds anchors, sixteen bytes at a time, and asks for the matches there. It may ask in vain; it never misses: each
 * byte's halves are looked up in tables that admit at least every anchor's bytes.
 */
import { isDigit } from './characters';
import {
  ANCHOR_BACK,
  ANCHOR_BYTES,
  ANCHOR_GROUP,
  ANCHOR_SETS,
  BUCKET_DIGITS,
  H_BUCKETS,
  H_GROUPS,
  H_NEAR_BEHIND,
  H_PREFILTER,
} from './layout';
import { beginMatching, isNear, matchAt, matchTail } from './match';
import { count, end, final, first, section } from './window';

/** One block's admitted buckets, a byte each. */
const admitted: usize = memory.data(16, 16);
const DIGITS: u32 = 1 << BUCKET_DIGITS;

/** Everything from `from` to the window's end. */
export function sweep(from: usize): void {
  count(end - from);
  beginMatching(from);
  lookBehind(from);
  let p = from;
  if (from + 18 <= end) p = sweepBlocks(from);
  for (; p < end; p += 1) {
    const buckets = bucketsAt(p);
    if (buckets == 0) continue;
    if ((buckets & DIGITS) != 0 && p > first && isDigit(load<u8>(p - 1))) matchBuckets(buckets & ~DIGITS, p, false);
    else matchBuckets(buckets, p, false);
  }
  if (final) return;
  const groups = load<u32>(section + H_GROUPS);
  for (let g: u32 = 0; g < groups; g += 1) matchTail(g, first, end);
}

/** Context words before `from` whose matches may begin at `from` or behind it. */
function lookBehind(from: usize): void {
  const most = <usize>load<u32>(section + H_NEAR_BEHIND);
  count(most);
  for (let p = from - first > most ? from - most : first; p < from; p += 1) matchBuckets(bucketsAt(p), p, true);
}

function sweepBlocks(from: usize): usize {
  const tables = section + H_PREFILTER;
  const low0 = v128.load(tables);
  const high0 = v128.load(tables, 16);
  const low1 = v128.load(tables, 32);
  const high1 = v128.load(tables, 48);
  const low2 = v128.load(tables, 64);
  const high2 = v128.load(tables, 80);
  const half = i8x16.splat(15);
  let digitBefore: u32 = from > first && isDigit(load<u8>(from - 1)) ? 1 : 0;
  let p = from;
  for (; p + 18 <= end; p += 16) {
    const b0 = v128.load(p);
    const b1 = v128.load(p, 1);
    const b2 = v128.load(p, 2);
    const buckets = v128.and(
      v128.and(
        v128.and(i8x16.swizzle(low0, v128.and(b0, half)), i8x16.swizzle(high0, i8x16.shr_u(b0, 4))),
        v128.and(i8x16.swizzle(low1, v128.and(b1, half)), i8x16.swizzle(high1, i8x16.shr_u(b1, 4))),
      ),
      v128.and(i8x16.swizzle(low2, v128.and(b2, half)), i8x16.swizzle(high2, i8x16.shr_u(b2, 4))),
    );
    if (!v128.any_true(buckets)) {
      digitBefore = 0;
      continue;
    }
    const digits = <u32>i8x16.bitmask(i8x16.shl(buckets, 7 - BUCKET_DIGITS));
    const others = <u32>i8x16.bitmask(i8x16.ne(v128.and(buckets, i8x16.splat(<i8>~DIGITS)), i8x16.splat(0)));
    const runs = digits & ~((digits << 1) | digitBefore);
    digitBefore = digits >> 15;
    let rest = runs | others;
    if (rest == 0) continue;
    v128.store(admitted, buckets);
    do {
      const i = <u32>ctz(rest);
      const here = <u32>load<u8>(admitted + i);
      matchBuckets(((runs >> i) & 1) != 0 ? here : here & ~DIGITS, p + i, false);
      rest &= rest - 1;
    } while (rest != 0);
  }
  return p;
}

function matchBuckets(buckets: u32, p: usize, onlyNear: bool): void {
  for (let rest = buckets; rest != 0; rest &= rest - 1) {
    const list = section + <usize>load<u32>(section + H_BUCKETS + ((<usize>ctz(rest)) << 2));
    const stop = list + 4 + <usize>load<u32>(list) * ANCHOR_BYTES;
    for (let anchor = list + 4; anchor != stop; anchor += ANCHOR_BYTES) {
      if (!holds(anchor, p)) continue;
      const g = <u32>load<u16>(anchor, ANCHOR_GROUP);
      if (!onlyNear || isNear(g)) matchAt(g, p, load<u16>(anchor, ANCHOR_BACK));
    }
  }
}

/** Whether the bytes at `p` are the anchor's; those behind the end may become so. */
function holds(anchor: usize, p: usize): bool {
  if (!setHas(load<u32>(anchor, ANCHOR_SETS), load<u8>(p))) return false;
  if (p + 1 >= end) return true;
  if (!setHas(load<u32>(anchor, ANCHOR_SETS + 4), load<u8>(p, 1))) return false;
  return p + 2 >= end || setHas(load<u32>(anchor, ANCHOR_SETS + 8), load<u8>(p, 2));
}

function setHas(set: u32, byte: u32): bool {
  return (((<u32>load<u8>(section + <usize>set + (byte >> 3))) >> (byte & 7)) & 1) != 0;
}

/** One place, near the end: bytes that are not there yet are admitted. */
function bucketsAt(p: usize): u32 {
  const tables = section + H_PREFILTER;
  let buckets: u32 = 0xff;
  for (let i: usize = 0; i < 3 && p + i < end; i += 1) {
    const c = <usize>load<u8>(p + i);
    buckets &= (<u32>load<u8>(tables + (i << 5) + (c & 15))) & (<u32>load<u8>(tables + (i << 5) + 16 + (c >> 4)));
  }
  return buckets;
}
