/**
 * Validators: checks on a matched text that patterns cannot express. They read folded text, know nothing of what stands
 * around it, and cost at most a few steps a byte.
 */
import { isDigit, isLetter } from './characters';
import { isEmailDomain } from './email-domain';
import { isIban } from './iban';
import { isIpv4, isIpv6 } from './ip-address';
import {
  VALIDATOR_DATE,
  VALIDATOR_EMAIL,
  VALIDATOR_ENTROPY,
  VALIDATOR_IBAN,
  VALIDATOR_IPV4,
  VALIDATOR_IPV6,
  VALIDATOR_PAYMENT_CARD,
  VALIDATOR_PHONE,
  VALIDATOR_PHONE_NATIONAL,
  VALIDATOR_US_SSN,
} from './layout';
import { isPaymentCard } from './payment-card';
import { isInternationalPhone, isNationalPhone } from './phone';
import { count } from './window';

export function validate(validator: u32, p: usize, end: usize): bool {
  count(end - p);
  switch (validator) {
    case VALIDATOR_PAYMENT_CARD:
      return isPaymentCard(p, end);
    case VALIDATOR_IBAN:
      return isIban(p, end);
    case VALIDATOR_US_SSN:
      return isUsSsn(p, end);
    case VALIDATOR_IPV4:
      return isIpv4(p, end);
    case VALIDATOR_IPV6:
      return isIpv6(p, end);
    case VALIDATOR_PHONE:
      return isInternationalPhone(p, end);
    case VALIDATOR_PHONE_NATIONAL:
      return isNationalPhone(p, end);
    case VALIDATOR_EMAIL:
      return isEmailDomain(p, end);
    case VALIDATOR_DATE:
      return isDate(p, end);
    case VALIDATOR_ENTROPY:
      return isRandom(p, end);
    default:
      return false;
  }
}

/** Nine digits whose area, group and serial number the Social Security Administration could have issued. */
function isUsSsn(p: usize, end: usize): bool {
  let number: u32 = 0;
  let digits: u32 = 0;
  for (; p < end; p += 1) {
    const c = <u32>load<u8>(p);
    if (!isDigit(c)) continue;
    number = number * 10 + c - 0x30;
    digits += 1;
  }
  const area = number / 1_000_000;
  return digits == 9 && area != 0 && area != 666 && area < 900 && (number / 10_000) % 100 != 0 && number % 10_000 != 0;
}

/** The English months, three letters each. */
const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec';

/**
 * A word of three letters or more is an English month's name or begins as one. One year from 1900 to 2099; of the other
 * numbers each at most 31, and of two one at most 12.
 */
function isDate(p: usize, end: usize): bool {
  let years: u32 = 0;
  let others: u32 = 0;
  let least: u32 = 99;
  while (p < end) {
    const start = p;
    if (isLetter(load<u8>(p))) {
      while (p < end && isLetter(load<u8>(p))) p += 1;
      if (p - start > 2 && !isMonth(start)) return false;
      continue;
    }
    if (!isDigit(load<u8>(p))) {
      p += 1;
      continue;
    }
    let number: u32 = 0;
    for (; p < end && isDigit(load<u8>(p)); p += 1) number = number * 10 + load<u8>(p) - 0x30;
    if (p - start == 4) {
      if (number < 1900 || number > 2099) return false;
      years += 1;
    } else {
      if (number == 0 || number > 31) return false;
      others += 1;
      if (number < least) least = number;
    }
  }
  return years == 1 && (others == 1 || (others == 2 && least <= 12));
}

function isMonth(p: usize): bool {
  const list = changetype<usize>(MONTHS);
  for (let at = list; at < list + ((<usize>MONTHS.length) << 1); at += 6) {
    if (
      (load<u8>(p) | 0x20) == <u8>load<u16>(at) &&
      (load<u8>(p, 1) | 0x20) == <u8>load<u16>(at, 2) &&
      (load<u8>(p, 2) | 0x20) == <u8>load<u16>(at, 4)
    )
      return true;
  }
  return false;
}

/**
 * Letters and digits, at least ten different characters, at most four equal ones in a row: what a generator makes and a
 * person does not write.
 */
function isRandom(p: usize, end: usize): bool {
  let seenLow: u64 = 0;
  let seenHigh: u64 = 0;
  let letters = false;
  let digits = false;
  let equal: u32 = 0;
  let before: u32 = 0;
  for (; p < end; p += 1) {
    const c = <u32>load<u8>(p);
    if (c < 64) seenLow |= (<u64>1) << c;
    else seenHigh |= (<u64>1) << (c & 63);
    if (isDigit(c)) digits = true;
    else if (isLetter(c)) letters = true;
    equal = c == before ? equal + 1 : 1;
    if (equal > 4) return false;
    before = c;
  }
  return letters && digits && popcnt(seenLow) + popcnt(seenHigh) >= 10;
}
