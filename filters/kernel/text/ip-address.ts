/** Addresses of hosts: IPv4 in dotted decimal, IPv6 as RFC 4291 section 2.2 writes it. */
import { isDigit, isHex } from './characters';

/** Four numbers of at most 255, without leading zeros. */
export function isIpv4(p: usize, end: usize): bool {
  let numbers: u32 = 0;
  while (true) {
    const start = p;
    let number: u32 = 0;
    for (; p < end && isDigit(load<u8>(p)) && p - start < 4; p += 1) number = number * 10 + load<u8>(p) - 0x30;
    if (p == start || number > 255 || (p - start > 1 && load<u8>(start) == 0x30)) return false;
    numbers += 1;
    if (p == end) return numbers == 4;
    if (load<u8>(p) != 0x2e || numbers == 4) return false;
    p += 1;
  }
}

/**
 * Eight groups of one to four hexadecimal digits, or fewer with one `::`, the last two perhaps as IPv4. There must be a
 * digit (`dead::beef` is more often code than an address), and not every group of a full address may have two digits
 * (those are fingerprints).
 */
export function isIpv6(p: usize, end: usize): bool {
  let groups: u32 = 0;
  let gap = false;
  let digits = false;
  let pairs: u32 = 0;
  if (p + 1 < end && load<u8>(p) == 0x3a) {
    if (load<u8>(p, 1) != 0x3a) return false;
    gap = true;
    p += 2;
  }
  while (p < end) {
    const start = p;
    let digitsOnly = true;
    for (; p < end && isHex(load<u8>(p)) && p - start < 5; p += 1) {
      if (isDigit(load<u8>(p))) digits = true;
      else digitsOnly = false;
    }
    const length = p - start;
    if (length == 0) return false;
    if (p < end && load<u8>(p) == 0x2e) {
      groups += 2;
      return digitsOnly && isIpv4(start, end) && (gap ? groups < 8 : groups == 8);
    }
    if (length > 4) return false;
    groups += 1;
    if (length == 2) pairs += 1;
    if (p == end) break;
    if (load<u8>(p) != 0x3a) return false;
    p += 1;
    if (p == end) return false;
    if (load<u8>(p) == 0x3a) {
      if (gap) return false;
      gap = true;
      p += 1;
    }
  }
  return digits && (gap ? groups < 8 && groups > 0 : groups == 8 && pairs != 8);
}
