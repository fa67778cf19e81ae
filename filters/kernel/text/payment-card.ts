/**
 * Payment card numbers: the check digit of ISO/IEC 7812-1 (Luhn), and the prefixes and lengths that the networks issue.
 */
export function isPaymentCard(p: usize, end: usize): bool {
  let digits: u32 = 0;
  let head: u32 = 0;
  // Both sums at once, for an odd and an even number of digits: which of them counts shows at the end.
  let plain: u32 = 0;
  let other: u32 = 0;
  let issued: u32 = 0;
  for (; p < end; p += 1) {
    const d = <u32>load<u8>(p) - 0x30;
    if (d > 9) continue;
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

/** Whether a card number may begin at `p`, as far as its first four digits tell. Most numbers are refused here. */
export function mayBeginCard(p: usize, end: usize): bool {
  if (p + 4 > end) return true;
  let head: u32 = 0;
  for (let i: usize = 0; i < 4; i += 1) {
    const d = <u32>load<u8>(p + i) - 0x30;
    if (d > 9) return true;
    head = head * 10 + d;
  }
  return lengthsOf(head) != 0;
}

/** How many digits the numbers have that networks issue with these first four digits: a bit each. */
function lengthsOf(head: u32): u32 {
  const two = head / 100;
  const three = head / 10;
  // Visa
  if (head / 1000 == 4) return lengths(13, 13) | lengths(16, 16) | lengths(19, 19);
  // Mastercard
  if ((two >= 51 && two <= 55) || (head >= 2221 && head <= 2720)) return lengths(16, 16);
  // American Express
  if (two == 34 || two == 37) return lengths(15, 15);
  // Diners Club
  if ((three >= 300 && three <= 305) || head == 3095 || two == 36 || two == 38 || two == 39) return lengths(14, 19);
  // JCB, Discover, UnionPay
  if ((head >= 3528 && head <= 3589) || head == 6011 || two == 65 || (three >= 644 && three <= 649) || two == 62)
    return lengths(16, 19);
  // Maestro
  if (two == 50 || (two >= 56 && two <= 58) || two == 63 || two == 67) return lengths(13, 19);
  return 0;
}

function lengths(least: u32, most: u32): u32 {
  return (1 << (most + 1)) - (1 << least);
}
