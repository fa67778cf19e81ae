/**
 * Comparisons that `decide` calls because they loop: over bytes, sets, and the members of an enum. All other conditions
 * are instructions. decision/exports.ts hands them to the linker.
 */
import { SLOT_AUX, SLOT_VALUE } from '../abi';
import { sameBytes, textAtIs } from './tables';

/** The text of a text slot is the given one. */
export function textIs(slot: usize, text: usize, length: u32): bool {
  return load<u32>(slot, SLOT_AUX) == length && sameBytes(load<u32>(slot, SLOT_VALUE), text, length);
}

/** The text of a text slot holds the given bytes somewhere. */
export function textContains(slot: usize, part: usize, length: u32): bool {
  if (length == 0) return true;
  const text = <usize>load<u32>(slot, SLOT_VALUE);
  const bytes = load<u32>(slot, SLOT_AUX);
  if (bytes < length) return false;
  const last = text + (bytes - length);
  const first = load<u8>(part);
  for (let at = text; at <= last; at++) if (load<u8>(at) == first && sameBytes(at, part, length)) return true;
  return false;
}

/** The set (`count` pairs of address and bytes) has the text. */
export function setHas(pairs: usize, count: u32, text: usize, length: u32): bool {
  for (let at: u32 = 0; at < count; at++, pairs += 8) if (textAtIs(pairs, text, length)) return true;
  return false;
}

/** Two sets of texts share a member. */
export function setsOverlap(left: usize, leftCount: u32, right: usize, rightCount: u32): bool {
  for (let at: u32 = 0; at < leftCount; at++, left += 8)
    if (setHas(right, rightCount, load<u32>(left), load<u32>(left, 4))) return true;
  return false;
}

/** Every member of the left set of texts is in the right one. */
export function setWithin(left: usize, leftCount: u32, right: usize, rightCount: u32): bool {
  for (let at: u32 = 0; at < leftCount; at++, left += 8)
    if (!setHas(right, rightCount, load<u32>(left), load<u32>(left, 4))) return false;
  return true;
}

/** The set of enum members (bits, and the enum's names) has the member of this name. */
export function bitsHave(low: u64, high: u64, names: usize, count: u32, text: usize, length: u32): bool {
  for (let at: u32 = 0; at < count; at++)
    if (hasBit(low, high, at) && textAtIs(names + (at << 3), text, length)) return true;
  return false;
}

/** A set of enum members and a set of texts share a name. */
export function bitsOverlap(low: u64, high: u64, names: usize, count: u32, pairs: usize, texts: u32): bool {
  for (let at: u32 = 0; at < texts; at++, pairs += 8)
    if (bitsHave(low, high, names, count, load<u32>(pairs), load<u32>(pairs, 4))) return true;
  return false;
}

/** Every member of a set of enum members is in the set of texts. */
export function bitsWithin(low: u64, high: u64, names: usize, count: u32, pairs: usize, texts: u32): bool {
  for (let at: u32 = 0; at < count; at++) {
    const name = names + (at << 3);
    if (hasBit(low, high, at) && !setHas(pairs, texts, load<u32>(name), load<u32>(name, 4))) return false;
  }
  return true;
}

/** Every text of a set is in the set of enum members. */
export function setWithinBits(pairs: usize, texts: u32, low: u64, high: u64, names: usize, count: u32): bool {
  for (let at: u32 = 0; at < texts; at++, pairs += 8)
    if (!bitsHave(low, high, names, count, load<u32>(pairs), load<u32>(pairs, 4))) return false;
  return true;
}

const MINUTE: i64 = 60_000;
const MINUTES_OF_WEEK: i64 = 10_080;
/** From Monday 00:00 to the beginning of 1970, which was a Thursday. */
const EPOCH_MINUTE: i64 = 4_320;

/**
 * A time (milliseconds since 1970 UTC) falls into spans of the week: pairs of minutes, from Monday 00:00 of what clocks
 * show. `offsets` are pairs of an instant and the minutes by which clocks are before UTC from then on.
 */
export function inHours(time: i64, offsets: usize, changes: u32, spans: usize, count: u32): bool {
  let at: u32 = 1;
  while (at < changes && load<i64>(offsets + (at << 4)) <= time) at++;
  const minutes = load<i64>(offsets + ((at - 1) << 4), 8);
  const local = floorDivided(time, MINUTE) + minutes + EPOCH_MINUTE;
  const minute = local - floorDivided(local, MINUTES_OF_WEEK) * MINUTES_OF_WEEK;
  for (let n: u32 = 0; n < count; n++, spans += 16)
    if (load<i64>(spans) <= minute && minute < load<i64>(spans, 8)) return true;
  return false;
}

function floorDivided(a: i64, b: i64): i64 {
  return a / b - (a % b < 0 ? 1 : 0);
}

function hasBit(low: u64, high: u64, at: u32): bool {
  return (((at < 64 ? low : high) >> (at & 63)) & 1) != 0;
}

const SUM_MAX: i64 = i64.MAX_VALUE;
const PER_MILLION: i64 = 1_000_000;

/**
 * The worst case in micro-units, rounded up: `ceil((input · inputPrice + choices · output · outputPrice) / 1,000,000)`,
 * and 2^63−1 (more than any headroom) where the sum is larger than that. Exact; no argument is negative.
 */
export function worstCase(input: i64, inputPrice: i64, choices: i64, output: i64, outputPrice: i64): i64 {
  const first = multiply(input, inputPrice);
  const tokens = multiply(choices, output);
  const second = outputPrice == 0 ? 0 : tokens < 0 ? -1 : multiply(tokens, outputPrice);
  if (first < 0 || second < 0 || first > SUM_MAX - second) return SUM_MAX;
  const sum = first + second;
  return sum / PER_MILLION + (sum % PER_MILLION != 0 ? 1 : 0);
}

/** The product of two numbers that are not negative; -1 where it is above 2^63−1. */
function multiply(a: i64, b: i64): i64 {
  if (clz(a) + clz(b) >= 65) return a * b;
  return a != 0 && b > SUM_MAX / a ? -1 : a * b;
}
