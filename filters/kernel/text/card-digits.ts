/**
 * Whether a card number may begin at a place, for all of its ends at once. A text full of numbers asks at many places
 * of the same digits: these are read once, with their check digits summed up to each.
 */
import { CARD_GAP_MAX, lengthsOf } from './payment-card';

/** Bytes that are read at once. */
const STRETCH: usize = 512;
/** The lengths of card numbers, compared at once; one more than there are, so that they fill eight bytes. */
const CARD_DIGITS_LEAST: u32 = 12;
const CARD_DIGITS_MOST: u32 = 19;
/** For each byte of the stretch how many digits stand before it, u16. */
const indexes: usize = memory.data(512 * 2, 8);
/**
 * For each number of digits two sums over so many, modulo 10, a byte each: the first with those doubled that Luhn
 * doubles in a number that goes on for an even number of digits, the other for an odd number.
 */
const starts: usize = memory.data(513 * 2, 8);
/** For each number of digits the sum over so many for a number that ends there; NO_END where one more follows at once. */
const ends: usize = memory.data(513 + 12 + 8, 8);
const NO_END: u8 = 0xff;
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
  // What the sums have grown by is a card's where it is nothing, modulo 10.
  const here = i16x8.splat(load<i16>(starts + ((<usize>before) << 1)));
  const there = v128.load64_zero(ends + <usize>(before + CARD_DIGITS_LEAST));
  if (((<u32>i8x16.bitmask(i8x16.eq(here, there))) & (issued >> CARD_DIGITS_LEAST)) != 0) return true;
  const left = total - before;
  return to == end && !final && left < CARD_DIGITS_MOST && issued >> (left + 1) != 0;
}

/** Reads from `p`, until the stretch is full or what follows is too far away to be of the same number. */
function readStretch(p: usize, end: usize): void {
  const limit = end - p > STRETCH ? p + STRETCH : end;
  let digits: u32 = 0;
  // With every second digit doubled, from the first on, and with those between.
  let one: u32 = 0;
  let other: u32 = 0;
  let gap: u32 = 0;
  store<u16>(starts, 0);
  let q = p;
  for (; q < limit; q += 1) {
    store<u16>(indexes + ((q - p) << 1), <u16>digits);
    const d = <u32>load<u8>(q) - 0x30;
    if (d > 9) {
      gap += 1;
      if (gap > CARD_GAP_MAX) break;
      continue;
    }
    // Right behind another digit: that is no end.
    if (gap == 0) store<u8>(ends + <usize>digits, NO_END);
    gap = 0;
    const doubled = <u32>load<u8>(DOUBLED + <usize>d);
    const sum = one + doubled;
    const next = other + d;
    // The next digit is doubled in the other.
    one = next > 9 ? next - 10 : next;
    other = sum > 9 ? sum - 10 : sum;
    digits += 1;
    store<u16>(starts + ((<usize>digits) << 1), <u16>(one | (other << 8)));
    // The last digit is not doubled.
    store<u8>(ends + <usize>digits, <u8>one);
  }
  store<u64>(ends + <usize>digits, -1, 1);
  store<u64>(ends + <usize>digits, -1, 9);
  store<u32>(ends + <usize>digits, -1, 17);
  from = p;
  to = q;
  total = digits;
}
