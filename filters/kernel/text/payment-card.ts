/**
 * Payment card numbers: the check digit of ISO/IEC 7812-1 (Luhn), and the prefixes and lengths that the networks issue.
 */
import { isDigit } from './characters';

export function isPaymentCard(p: usize, end: usize): bool {
  let digits: u32 = 0;
  let head: u32 = 0;
  // Both sums at once, for an odd and an even number of digits: which of them counts shows at the end.
  let plain: u32 = 0;
  let other: u32 = 0;
  for (; p < end; p += 1) {
    const c = <u32>load<u8>(p);
    if (!isDigit(c)) continue;
    const d = c - 0x30;
    if (digits < 4) head = head * 10 + d;
    const twice = d > 4 ? d * 2 - 9 : d * 2;
    // The digit is doubled when an odd number of digits follows it.
    const odd = (digits & 1) != 0;
    plain += odd ? d : twice;
    other += odd ? twice : d;
    digits += 1;
  }
  return ((digits & 1) == 0 ? plain : other) % 10 == 0 && isIssued(head, digits);
}

/** Whether a network issues numbers that begin with the four digits `head` and have so many digits. */
function isIssued(head: u32, digits: u32): bool {
  const two = head / 100;
  const three = head / 10;
  // Visa
  if (head / 1000 == 4) return digits == 13 || digits == 16 || digits == 19;
  // Mastercard
  if ((two >= 51 && two <= 55) || (head >= 2221 && head <= 2720)) return digits == 16;
  // American Express
  if (two == 34 || two == 37) return digits == 15;
  // Diners Club
  if ((three >= 300 && three <= 305) || head == 3095 || two == 36 || two == 38 || two == 39)
    return digits >= 14 && digits <= 19;
  // JCB, Discover, UnionPay
  if ((head >= 3528 && head <= 3589) || head == 6011 || two == 65 || (three >= 644 && three <= 649) || two == 62)
    return digits >= 16 && digits <= 19;
  // Maestro
  if (two == 50 || (two >= 56 && two <= 58) || two == 63 || two == 67) return digits >= 13 && digits <= 19;
  return false;
}
