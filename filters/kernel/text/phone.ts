/**
 * Telephone numbers: lengths by ITU-T E.164 and the larger national plans, and what in context of a telephone is still
 * a date, an address or a time stamp.
 */
import { isDigit } from './characters';

/** `+`, country and number. A `(0)` is the trunk prefix that is not dialled, and is not counted. */
export function isInternationalPhone(p: usize, end: usize): bool {
  let digits: u32 = 0;
  let head: u32 = 0;
  let depth: u32 = 0;
  const start = p;
  for (; p < end; p += 1) {
    const c = <u32>load<u8>(p);
    if (c == 0x28) depth += 1;
    else if (c == 0x29) depth -= 1;
    else if (isDigit(c)) {
      if (c == 0x30 && load<u8>(p - 1) == 0x28 && p + 1 < end && load<u8>(p + 1) == 0x29) continue;
      digits += 1;
      if (digits <= 5) head = head * 10 + c - 0x30;
      // `00` in place of `+`.
      if (digits == 2 && head == 0 && load<u8>(start) == 0x30) {
        digits = 0;
        head = 0;
      }
    }
  }
  if (depth != 0 || digits < 8 || digits > 15) return false;
  if (head / 10_000 == 1) return digits == 11 && (head / 1000) % 10 > 1;
  if (head / 10_000 == 7) return digits == 11;
  const two = head / 1000;
  if (two == 33 || two == 34 || two == 31 || two == 48 || two == 61) return digits == 11;
  if (two == 44) return digits == 11 || digits == 12;
  return two >= 20;
}

/** Seven to twelve digits, which context says are a telephone number. */
export function isNationalPhone(p: usize, end: usize): bool {
  let digits: u32 = 0;
  let dots: u32 = 0;
  let dashes: u32 = 0;
  let others: u32 = 0;
  let group: u32 = 0;
  let widest: u32 = 0;
  let depth: u32 = 0;
  let leading: u32 = 0;
  for (let q = p; q < end; q += 1) {
    const c = <u32>load<u8>(q);
    if (isDigit(c)) {
      if (digits == 0) leading = c - 0x30;
      digits += 1;
      group += 1;
      if (group > widest) widest = group;
      continue;
    }
    group = 0;
    if (c == 0x2e) dots += 1;
    else if (c == 0x2d) dashes += 1;
    else others += 1;
    if (c == 0x28) depth += 1;
    if (c == 0x29) depth -= 1;
  }
  if (depth != 0 || digits < 7 || digits > 12) return false;
  const separators = dots + dashes + others;
  // An IPv4 address, and dates.
  if (dots == 3 && separators == 3 && widest <= 3) return false;
  if (digits == 8 && separators == 2) return false;
  if (separators == 0) return digits >= 9 && !(digits == 10 && leading == 1);
  return digits >= 9 || leading == 0 || (digits == 7 && separators == 1);
}
