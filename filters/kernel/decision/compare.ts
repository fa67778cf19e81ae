/**
 * Comparisons that `decide` calls because they loop: over bytes, sets, and the members of an enum. All other conditions are instructions. Exported by the kernel under `decision_*` for the linker, which calls them from the
 * policy's functions and drops the exports.
 */
import { SLOT_AUX, SLOT_VALUE } from "../abi";
import { sameBytes, textAtIs } from "./tables";

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
  for (let at: u32 = 0; at < leftCount; at++, left += 8) if (setHas(right, rightCount, load<u32>(left), load<u32>(left, 4))) return true;
  return false;
}

/** Every member of the left set of texts is in the right one. */
export function setWithin(left: usize, leftCount: u32, right: usize, rightCount: u32): bool {
  for (let at: u32 = 0; at < leftCount; at++, left += 8) if (!setHas(right, rightCount, load<u32>(left), load<u32>(left, 4))) return false;
  return true;
}

const SUM_MAX: i64 = i64.MAX_VALUE;

/** The product of two numbers that are not negative; 2^63−1 where it is larger. */
export function multiply(a: i64, b: i64): i64 {
  if (clz(a) + clz(b) >= 65) return a * b;
  return a != 0 && b > SUM_MAX / a ? SUM_MAX : a * b;
}

/** Worst-case cost in micro-units, rounded up: `ceil((input · inputPrice + output · outputPrice) / 1,000,000)`; 2^63−1 where the sum is larger than that. Nothing is negative. */
export function worstCase(input: i64, inputPrice: i64, output: i64, outputPrice: i64): i64 {
  const first = multiply(input, inputPrice);
  const second = multiply(output, outputPrice);
  if (first > SUM_MAX - second || first == SUM_MAX || second == SUM_MAX) return SUM_MAX;
  const sum = first + second;
  return sum / 1_000_000 + (sum % 1_000_000 != 0 ? 1 : 0);
}
