/**
 * Payment card numbers: the check digit of ISO/IEC 7812-1 (Luhn), and the prefixes and lengths that the networks issue.
 */

/** Bytes between two digits of a number at most: more than any form allows. */
export const CARD_GAP_MAX: u32 = 8;

export function isPaymentCard(p: usize, end: usize): bool {
  let digits: u32 = 0;
  let head: u32 = 0;
  // Both sums at once, for an odd and an even number of digits: which of them counts shows at the end.
  let plain: u32 = 0;
  let other: u32 = 0;
  let issued: u32 = 0;
  let gap: u32 = 0;
  for (; p < end; p += 1) {
    const d = <u32>load<u8>(p) - 0x30;
    if (d > 9) {
      gap += 1;
      if (gap > CARD_GAP_MAX) return false;
      continue;
    }
    gap = 0;
    const twice = d > 4 ? d * 2 - 9 : d * 2;
    // The digit is doubled when an odd number of digits follows it.
    const odd = (digits & 1) != 0;
    plain += odd ? d : twice;
    other += odd ? twice : d;
    digits += 1;
    if (digits > 4) continue;
    head = head * 10 + d;
    if (digits < 4) continue;
    issued = lengthsOf(head);
    if (issued == 0) return false;
  }
  return digits < 32 && ((issued >> digits) & 1) != 0 && ((digits & 1) == 0 ? plain : other) % 10 == 0;
}

/**
 * What the first two digits tell, a row for each first digit: a place in LENGTHS, or FOUR_TELL. A table, because in
 * text full of numbers no branch on their digits can be guessed.
 */
const NETWORKS: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7, 7, 7, 7, 7, 0, 0, 7, 0, 0, 0, 3, 7, 4, 3, 4,
  4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 6, 2, 2, 2, 2, 2, 6, 6, 6, 0, 7, 0, 5, 6, 7, 5, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);
/**
 * How many digits the numbers have, a bit each: none; Visa 13, 16, 19; Mastercard 16; American Express 15; Diners Club
 * 14 to 19; Discover and UnionPay 16 to 19; Maestro 13 to 19.
 */
const LENGTHS: usize = memory.data<u32>([0, 0x92000, 0x10000, 0x8000, 0xfc000, 0xf0000, 0xfe000]);
const MASTERCARD: u32 = 0x10000;
const DINERS: u32 = 0xfc000;
const OTHERS: u32 = 0xf0000;
const FOUR_TELL: u32 = 7;

/** How many digits the numbers have that networks issue with these first four digits: a bit each. */
export function lengthsOf(head: u32): u32 {
  const network = <u32>load<u8>(NETWORKS + <usize>(head / 100));
  if (network != FOUR_TELL) return load<u32>(LENGTHS + ((<usize>network) << 2));
  if (head < 3000) return head >= 2221 && head <= 2720 ? MASTERCARD : 0;
  if (head < 3500) return head <= 3059 || head == 3095 ? DINERS : 0;
  // JCB, Discover
  return (head >= 3528 && head <= 3589) || head == 6011 || (head >= 6440 && head <= 6499) ? OTHERS : 0;
}
