/**
 * Finds anchors, sixteen bytes at a time, and asks for the matches there. It may ask in vain; it never misses: each
 * byte's halves are looked up in tables that admit at least every anchor's bytes.
 */
import { alphanumericBytes, isAlphanumeric } from './characters';
import {
  ANCHOR_BACK,
  ANCHOR_BYTES,
  ANCHOR_GROUP,
  ANCHOR_MASK,
  ANCHOR_SETS,
  ANCHOR_VALUE,
  BUCKET_DIGITS,
  H_BUCKETS,
  H_GROUPS,
  H_NEAR_BEHIND,
  H_PREFILTER,
  PREFILTER_BYTES,
} from './layout';
import { beginMatching, isNear, matchAt, matchTail } from './match';
import { count, end, final, first, section } from './window';

/** One block's admitted buckets: a byte each of the first eight, then a byte each of the last. */
const admitted: usize = memory.data(32, 16);
const DIGITS: u32 = 1 << BUCKET_DIGITS;
/** Bytes of an anchor. */
const PIECE: usize = 4;

/** Everything from `from` to the window's end. */
export function sweep(from: usize): void {
  count(end - from);
  beginMatching(from);
  lookBehind(from);
  for (let p = sweepBlocks(from); p < end; p += 1) {
    const buckets = bucketsAt(p);
    if (buckets == 0) continue;
    matchBuckets(p > first && isAlphanumeric(load<u8>(p - 1)) ? buckets & ~DIGITS : buckets, p, false);
  }
  if (final) return;
  const groups = load<u32>(section + H_GROUPS);
  for (let g: u32 = 0; g < groups; g += 1) matchTail(g, first, end);
}

/** Context words before `from` whose matches may begin at `from` or behind it. */
function lookBehind(from: usize): void {
  const most = <usize>load<u32>(section + H_NEAR_BEHIND);
  let p = from - first > most ? from - most : first;
  count(from - p);
  for (; p < from; p += 1) matchBuckets(bucketsAt(p), p, true);
}

/**
 * Tries the places from `from` on whose four bytes lie in whole blocks; answers the first that it did not try. What is
 * looked up for one block is shifted against the next, so that every byte is loaded and halved once.
 */
function sweepBlocks(from: usize): usize {
  const tables = section + H_PREFILTER;
  const half = i8x16.splat(15);
  const none = i8x16.splat(0);
  const digitsOnly = i8x16.splat(<i8>DIGITS);
  let first0 = none;
  let first1 = none;
  let first2 = none;
  let last0 = none;
  let last1 = none;
  let last2 = none;
  let p = from;
  for (; p + 16 <= end; p += 16) {
    const bytes = v128.load(p);
    const low = v128.and(bytes, half);
    const high = v128.and(i16x8.shr_u(bytes, 4), half);
    // Byte i of the blocks is about the anchor that begins at p + i - 3.
    const here0 = lookUp(tables, low, high);
    const here1 = lookUp(tables + 32, low, high);
    const here2 = lookUp(tables + 64, low, high);
    const some = v128.and(
      v128.and(behind3(first0, here0), behind2(first1, here1)),
      v128.and(behind1(first2, here2), lookUp(tables + 96, low, high)),
    );
    first0 = here0;
    first1 = here1;
    first2 = here2;
    const there0 = lookUp(tables + PREFILTER_BYTES, low, high);
    const there1 = lookUp(tables + PREFILTER_BYTES + 32, low, high);
    const there2 = lookUp(tables + PREFILTER_BYTES + 64, low, high);
    const more = v128.and(
      v128.and(behind3(last0, there0), behind2(last1, there1)),
      v128.and(behind1(last2, there2), lookUp(tables + PREFILTER_BYTES + 96, low, high)),
    );
    last0 = there0;
    last1 = there1;
    last2 = there2;
    if (!v128.any_true(v128.or(some, more))) continue;
    let digits = <u32>i8x16.bitmask(i8x16.shl(some, 7 - BUCKET_DIGITS));
    const others = <u32>i8x16.bitmask(i8x16.ne(v128.or(v128.andnot(some, digitsOnly), more), none));
    // At the text's beginning it is left to the boundaries.
    if (digits != 0 && p >= first + PIECE) digits &= ~(<u32>i8x16.bitmask(alphanumericBytes(v128.load(p - PIECE))));
    let rest = digits | others;
    if (rest == 0) continue;
    v128.store(admitted, some);
    v128.store(admitted, more, 16);
    do {
      const i = <u32>ctz(rest);
      const here = (<u32>load<u8>(admitted + i)) | ((<u32>load<u8>(admitted + i, 16)) << 8);
      matchBuckets(((digits >> i) & 1) != 0 ? here : here & ~DIGITS, p + i - (PIECE - 1), false);
      rest &= rest - 1;
    } while (rest != 0);
  }
  return p == from ? from : p - (PIECE - 1);
}

/** The buckets that admit bytes with these halves. */
function lookUp(table: usize, low: v128, high: v128): v128 {
  return v128.and(i8x16.swizzle(v128.load(table), low), i8x16.swizzle(v128.load(table, 16), high));
}

function behind1(before: v128, here: v128): v128 {
  return v128.shuffle<u8>(before, here, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}

function behind2(before: v128, here: v128): v128 {
  return v128.shuffle<u8>(before, here, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
}

function behind3(before: v128, here: v128): v128 {
  return v128.shuffle<u8>(before, here, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
}

function matchBuckets(buckets: u32, p: usize, onlyNear: bool): void {
  if (buckets == 0) return;
  const known: u32 = p + PIECE <= end ? -1 : (1 << ((<u32>(end - p)) << 3)) - 1;
  const bytes = bytesAt(p);
  for (let rest = buckets; rest != 0; rest &= rest - 1) {
    const list = section + <usize>load<u32>(section + H_BUCKETS + ((<usize>ctz(rest)) << 2));
    const stop = list + 4 + <usize>load<u32>(list) * ANCHOR_BYTES;
    for (let anchor = list + 4; anchor != stop; anchor += ANCHOR_BYTES) {
      // Bytes behind the end may become the anchor's.
      if (((bytes & load<u32>(anchor, ANCHOR_MASK)) ^ load<u32>(anchor, ANCHOR_VALUE)) & known) continue;
      if (!isInSets(anchor, p)) continue;
      const g = <u32>load<u16>(anchor, ANCHOR_GROUP);
      if (!onlyNear || isNear(g)) matchAt(g, p, load<u16>(anchor, ANCHOR_BACK));
    }
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

/** One place, near the end: bytes that are not there yet are admitted. */
function bucketsAt(p: usize): u32 {
  const tables = section + H_PREFILTER;
  let buckets: u32 = 0xffff;
  for (let i: usize = 0; i < PIECE && p + i < end; i += 1) {
    const c = <usize>load<u8>(p + i);
    buckets &= halvesAt(tables + (i << 5), c) | (halvesAt(tables + PREFILTER_BYTES + (i << 5), c) << 8);
  }
  return buckets;
}

function halvesAt(table: usize, c: usize): u32 {
  return (<u32>load<u8>(table + (c & 15))) & (<u32>load<u8>(table + (c >> 4), 16));
}
