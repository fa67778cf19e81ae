/**
 * Finds anchors, sixteen bytes at a time, and asks for the matches there. It may ask in vain; it never misses: each
 * byte's halves are looked up in tables that admit at least every anchor's bytes.
 */
import { matchAnchors } from './anchors';
import { alphanumericBytes, isAlphanumeric } from './characters';
import {
  BUCKET_DIGITS,
  H_BUCKETS,
  H_GROUPS,
  H_NEAR_BEHIND,
  H_PREFILTER,
  H_TOKENS,
  H_WIDE,
  PREFILTER_BYTES,
} from './layout';
import { beginMatching, matchTail } from './match';
import { matchNumber } from './numbers';
import { beginRuns, matchLastRuns, matchRun, RUN_PART } from './runs';
import { count, end, final, first, section } from './window';

/** One block's admitted buckets: a byte each of the first eight, then a byte each of the last. */
const admitted: usize = memory.data(32, 16);
const DIGITS: u32 = 1 << BUCKET_DIGITS;
/** Bytes of an anchor. */
const PIECE: usize = 4;
const BLOCK: usize = 16;

/** Everything from `from` to the window's end. */
export function sweep(from: usize): void {
  count(end - from);
  beginMatching(from);
  const runs = beginRuns(from);
  lookBehind(from);
  for (let p = sweepBlocks(from, runs); p < end; p += 1) {
    const buckets = bucketsAt(p);
    if (buckets == 0) continue;
    if ((buckets & DIGITS) != 0 && (p == first || !isAlphanumeric(load<u8>(p - 1)))) matchNumber(p);
    matchBuckets(buckets & ~DIGITS, p, false);
  }
  if (runs) matchLastRuns(from + ((end - from) & ~(BLOCK - 1)));
  if (final) return;
  const groups = load<u32>(section + H_GROUPS);
  for (let g: u32 = 0; g < groups; g += 1) matchTail(g, first, end);
}

/** Context words before `from` whose matches may begin at `from` or behind it. */
function lookBehind(from: usize): void {
  const most = <usize>load<u32>(section + H_NEAR_BEHIND);
  let p = from - first > most ? from - most : first;
  count(from - p);
  for (; p < from; p += 1) matchBuckets(bucketsAt(p) & ~DIGITS, p, true);
}

/**
 * Tries the places from `from` on whose four bytes lie in whole blocks; answers the first that it did not try. What is
 * looked up for one block is shifted against the next, so that every byte is loaded and halved once.
 */
function sweepBlocks(from: usize, runs: bool): usize {
  const tables = section + H_PREFILTER;
  const half = i8x16.splat(15);
  const none = i8x16.splat(0);
  const digitsOnly = i8x16.splat(<i8>DIGITS);
  const low0 = v128.load(tables);
  const high0 = v128.load(tables, 16);
  const low1 = v128.load(tables, 32);
  const high1 = v128.load(tables, 48);
  const low2 = v128.load(tables, 64);
  const high2 = v128.load(tables, 80);
  const low3 = v128.load(tables, 96);
  const high3 = v128.load(tables, 112);
  const tokenLow = v128.load(section, H_TOKENS);
  const tokenHigh = v128.load(section, H_TOKENS + 16);
  const wide = load<u32>(section + H_WIDE) != 0;
  let first0 = none;
  let first1 = none;
  let first2 = none;
  let last0 = none;
  let last1 = none;
  let last2 = none;
  let p = from;
  for (; p + BLOCK <= end; p += BLOCK) {
    const bytes = v128.load(p);
    const low = v128.and(bytes, half);
    const high = v128.and(i16x8.shr_u(bytes, 4), half);
    // Byte i of the blocks is about the anchor that begins at p + i - 3.
    const here0 = v128.and(i8x16.swizzle(low0, low), i8x16.swizzle(high0, high));
    const here1 = v128.and(i8x16.swizzle(low1, low), i8x16.swizzle(high1, high));
    const here2 = v128.and(i8x16.swizzle(low2, low), i8x16.swizzle(high2, high));
    const here3 = v128.and(i8x16.swizzle(low3, low), i8x16.swizzle(high3, high));
    const some = v128.and(
      v128.and(behind3(first0, here0), behind2(first1, here1)),
      v128.and(behind1(first2, here2), here3),
    );
    first0 = here0;
    first1 = here1;
    first2 = here2;
    let more = none;
    if (wide) {
      const there0 = lookUp(tables + PREFILTER_BYTES, low, high);
      const there1 = lookUp(tables + PREFILTER_BYTES + 32, low, high);
      const there2 = lookUp(tables + PREFILTER_BYTES + 64, low, high);
      more = v128.and(
        v128.and(behind3(last0, there0), behind2(last1, there1)),
        v128.and(behind1(last2, there2), lookUp(tables + PREFILTER_BYTES + 96, low, high)),
      );
      last0 = there0;
      last1 = there1;
      last2 = there2;
    }
    const noTokens = i8x16.eq(v128.and(i8x16.swizzle(tokenLow, low), i8x16.swizzle(tokenHigh, high)), none);
    const tokens = i64x2.eq(noTokens, none);
    if (!v128.any_true(v128.or(v128.or(some, more), tokens))) continue;
    if (runs) {
      if (i64x2.extract_lane(tokens, 0) != 0) matchRun(p);
      if (i64x2.extract_lane(tokens, 1) != 0) matchRun(p + RUN_PART);
    }
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
      const at = p + i - (PIECE - 1);
      if (((digits >> i) & 1) != 0) matchNumber(at);
      const buckets = ((<u32>load<u8>(admitted + i)) & ~DIGITS) | ((<u32>load<u8>(admitted + i, 16)) << 8);
      if (buckets != 0) matchBuckets(buckets, at, false);
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
  for (let rest = buckets; rest != 0; rest &= rest - 1)
    matchAnchors(section + <usize>load<u32>(section + H_BUCKETS + ((<usize>ctz(rest)) << 2)), p, onlyNear);
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
