/**
 * Finds anchors, sixteen bytes at a time, and asks for the matches there: by two bytes of each, then by all four. It may
 * ask in vain; it never misses: each byte's halves are looked up in tables that admit at least every anchor's bytes.
 */
import { matchAnchors } from './anchors';
import { alphanumericBytes, isAlphanumeric } from './characters';
import {
  BUCKET_DIGITS,
  H_BUCKETS,
  H_GROUPS,
  H_NEAR_BEHIND,
  H_PAIRS,
  H_PREFILTER,
  H_TOKENS,
  H_WIDE,
  PREFILTER_BYTES,
  TOKEN_LEAST,
} from './layout';
import { beginMatching, matchTail } from './match';
import { matchNumber } from './numbers';
import { beginRuns, matchLastRuns, matchRun, passWord, RUN_PART } from './runs';
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
 * Tries the places from `from` on whose four bytes lie in whole blocks; answers the first that it did not try. Of most
 * blocks two bytes of each anchor rule out all, and a character that is of no token the runs.
 */
function sweepBlocks(from: usize, runs: bool): usize {
  const pairs = section + H_PAIRS;
  const half = i8x16.splat(15);
  const none = i8x16.splat(0);
  const noToken = i8x16.splat(runs ? <i8>TOKEN_LEAST - 1 : i8.MAX_VALUE);
  const every = i8x16.splat(-1);
  const low0 = v128.load(pairs);
  const high0 = v128.load(pairs, 16);
  const low1 = v128.load(pairs, 32);
  const high1 = v128.load(pairs, 48);
  let before = none;
  let reachesOn = false;
  let p = from;
  for (; p + BLOCK <= end; p += BLOCK) {
    const bytes = v128.load(p);
    const low = v128.and(bytes, half);
    const high = v128.and(i16x8.shr_u(bytes, 4), half);
    const here = v128.and(i8x16.swizzle(low0, low), i8x16.swizzle(high0, high));
    const found = v128.and(behind(before, here), v128.and(i8x16.swizzle(low1, low), i8x16.swizzle(high1, high)));
    const long = i64x2.eq(i8x16.gt_s(bytes, noToken), every);
    before = here;
    if (!v128.any_true(v128.or(found, long)) && !reachesOn) continue;
    // An anchor's last byte is at most two behind its pair.
    reachesOn = (<u32>i8x16.bitmask(i8x16.ne(found, none))) >> (BLOCK - 2) != 0;
    sweepBlock(p, p == from, v128.any_true(long));
  }
  return p == from ? from : p - (PIECE - 1);
}

function behind(before: v128, here: v128): v128 {
  return v128.shuffle<u8>(before, here, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}

/** The anchors whose last byte is in the block at `p`, and the runs there. */
function sweepBlock(p: usize, isFirst: bool, runs: bool): void {
  const none = i8x16.splat(0);
  if (runs) {
    const noTokens = i8x16.eq(lookUp(section + H_TOKENS, v128.load(p)), none);
    const tokens = i64x2.eq(noTokens, none);
    if (!i64x2.all_true(tokens) || !passWord(p)) {
      if (i64x2.extract_lane(tokens, 0) != 0) matchRun(p);
      if (i64x2.extract_lane(tokens, 1) != 0) matchRun(p + RUN_PART);
    }
  }
  // Byte i is about the anchor that begins at p + i - 3.
  const some = admittedBy(section + H_PREFILTER, p, isFirst);
  const more =
    load<u32>(section + H_WIDE) != 0 ? admittedBy(section + H_PREFILTER + PREFILTER_BYTES, p, isFirst) : none;
  let digits = <u32>i8x16.bitmask(i8x16.shl(some, 7 - BUCKET_DIGITS));
  const others = <u32>i8x16.bitmask(i8x16.ne(v128.or(v128.andnot(some, i8x16.splat(<i8>DIGITS)), more), none));
  // At the text's beginning it is left to the boundaries.
  if (digits != 0 && p >= first + PIECE) digits &= ~(<u32>i8x16.bitmask(alphanumericBytes(v128.load(p - PIECE))));
  let rest = digits | others;
  if (rest == 0) return;
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

/** For each anchor whose last byte is in the block at `p` the buckets, of eight, that admit it. */
function admittedBy(tables: usize, p: usize, isFirst: bool): v128 {
  const buckets = v128.and(
    v128.and(lookUp(tables, v128.load(p - 3)), lookUp(tables + 32, v128.load(p - 2))),
    v128.and(lookUp(tables + 64, v128.load(p - 1)), lookUp(tables + 96, v128.load(p))),
  );
  // Those that begin before the first block are not asked for.
  return isFirst ? v128.and(buckets, i8x16(0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1)) : buckets;
}

/** For each byte what its halves both have in a table. */
function lookUp(table: usize, bytes: v128): v128 {
  const half = i8x16.splat(15);
  return v128.and(
    i8x16.swizzle(v128.load(table), v128.and(bytes, half)),
    i8x16.swizzle(v128.load(table, 16), v128.and(i16x8.shr_u(bytes, 4), half)),
  );
}

function matchBuckets(buckets: u32, p: usize, onlyNear: bool): void {
  for (let rest = buckets; rest != 0; rest &= rest - 1)
    matchAnchors(section + <usize>load<u32>(section + H_BUCKETS + ((<usize>ctz(rest)) << 2)), p, onlyNear);
}

/**
 * One place, near the end. Bytes that are not there yet are admitted; where none will come, only by anchors that do not
 * ask for them: these admit every byte there.
 */
function bucketsAt(p: usize): u32 {
  const tables = section + H_PREFILTER;
  let buckets: u32 = 0xffff;
  for (let i: usize = 0; i < PIECE && (final || p + i < end); i += 1) {
    const c = p + i < end ? <usize>load<u8>(p + i) : 0;
    buckets &= halvesAt(tables + (i << 5), c) | (halvesAt(tables + PREFILTER_BYTES + (i << 5), c) << 8);
  }
  return buckets;
}

function halvesAt(table: usize, c: usize): u32 {
  return (<u32>load<u8>(table + (c & 15))) & (<u32>load<u8>(table + (c >> 4), 16));
}
