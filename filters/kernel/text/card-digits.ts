/**
 * Whether a card number may begin at a place, for all of its ends at once. A text full of numbers asks at many places
 * of the same digits: these are read once, with what their check digits are made of summed up to each.
 */
import { CARD_GAP_MAX, lengthsOf } from './payment-card';

/** Bytes that are read at once. */
const STRETCH: usize = 512;
/** For each byte of the stretch how many digits stand before it, u16. */
const indexes: usize = memory.data(512 * 2, 8);
/**
 * For each number of digits two sums over so many, u16 each: the first with every second one doubled as Luhn doubles,
 * beginning with the stretch's first, the other with those between; and where the last of them ends, u32.
 */
const sums: usize = memory.data(513 * 8, 8);
/** What Luhn makes of a doubled digit. */
const DOUBLED: usize = memory.data<u8>([0, 2, 4, 6, 8, 1, 3, 5, 7, 9]);
let from: usize = 0;
let to: usize = 0;
let total: u32 = 0;

/** Before a text is read. */
export function forgetDigits(): void {
  from = 0;
  to = 0;
}

/**
 * Whether `isPaymentCard` holds for [p, q) with any `q` up to `most` bytes behind `p` where no digit stands, or may hold
 * when more text comes. `p` is a digit.
 */
export function mayBeCard(p: usize, end: usize, most: u32, final: bool): bool {
  if (p + 4 > end) return true;
  const a = <u32>load<u8>(p) - 0x30;
  const b = <u32>load<u8>(p, 1) - 0x30;
  const c = <u32>load<u8>(p, 2) - 0x30;
  const d = <u32>load<u8>(p, 3) - 0x30;
  if (max(max(a, b), max(c, d)) > 9) return true;
  const issued = lengthsOf(a * 1000 + b * 100 + c * 10 + d);
  if (issued == 0) return false;
  if (p < from || p >= to || (p + most > to && to == from + STRETCH)) readStretch(p, end);
  const before = <u32>load<u16>(indexes + ((p - from) << 1));
  const sumsBefore = load<u32>(sums + ((<usize>before) << 3));
  for (let rest = issued; rest != 0; rest &= rest - 1) {
    const last = before + <u32>ctz(rest);
    if (last > total) return to == end && !final;
    // Both at once: neither is smaller than before.
    const at = sums + ((<usize>last) << 3);
    const both = load<u32>(at) - sumsBefore;
    // The last digit is not doubled, and no digit follows it at once.
    if (((last & 1) != 0 ? both >> 16 : both & 0xffff) % 10 != 0) continue;
    if (last == total || load<u32>(at, 12) != load<u32>(at, 4) + 1) return true;
  }
  return false;
}

/** Reads from `p`, until the stretch is full or what follows is too far away to be of the same number. */
function readStretch(p: usize, end: usize): void {
  const limit = end - p > STRETCH ? p + STRETCH : end;
  let digits: u32 = 0;
  let even: u32 = 0;
  let odd: u32 = 0;
  let gap: u32 = 0;
  let q = p;
  for (; q < limit; q += 1) {
    store<u16>(indexes + ((q - p) << 1), <u16>digits);
    const d = <u32>load<u8>(q) - 0x30;
    if (d > 9) {
      gap += 1;
      if (gap > CARD_GAP_MAX) break;
      continue;
    }
    gap = 0;
    const doubled = <u32>load<u8>(DOUBLED + <usize>d);
    const isOdd = (digits & 1) != 0;
    even += isOdd ? d : doubled;
    odd += isOdd ? doubled : d;
    digits += 1;
    store<u32>(sums + ((<usize>digits) << 3), even | (odd << 16));
    store<u32>(sums + ((<usize>digits) << 3), <u32>q + 1, 4);
  }
  from = p;
  to = q;
  total = digits;
}
