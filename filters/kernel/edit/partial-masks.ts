/**
 * Masks that keep a part of the value: `[PAYMENT_CARD ending in 1111]`, `[DATE_OF_BIRTH 1980]`. What is kept are letters
 * and digits only, so that it needs no escapes wherever it stands. Where nothing may be kept it is a whole mask.
 */
import { Bytes } from '../bytes';
import { put } from '../http/literal';
import { appendMask, appendUpper } from './placeholders';

/**
 * Keeps the last `most` letters and digits of the value, but never more than half of them: who reads `[PIN ending in 42]`
 * must not have the PIN.
 */
export function appendMaskKeeping(out: Bytes, detector: u32, value: usize, length: u32, most: u32): void {
  let count: u32 = 0;
  for (let at: u32 = 0; at < length; at += characterBytes(value + at)) if (isKept(value + at, length - at)) count += 1;
  const keeps = most < count / 2 ? most : count / 2;
  if (keeps == 0) {
    appendMask(out, detector);
    return;
  }
  out.push(0x5b);
  appendUpper(out, detector);
  put(out, ' ending in ');
  let passed: u32 = 0;
  for (let at: u32 = 0; at < length; at += characterBytes(value + at)) {
    if (!isKept(value + at, length - at)) continue;
    if (passed >= count - keeps) out.append(value + at, characterBytes(value + at));
    passed += 1;
  }
  out.push(0x5d);
}

/**
 * Keeps the year of a date: the one number of four digits from 1800 to 2199. Where there is none, more than one, or
 * another number of more than two digits, the value is no date whose year is plain: `12/03/80`, `19800312`, a card.
 */
export function appendYear(out: Bytes, detector: u32, value: usize, length: u32): void {
  const end = value + length;
  let year: usize = 0;
  let plain = true;
  let p = value;
  while (p < end) {
    if (!isDigit(load<u8>(p))) {
      // Wide digits begin so: what they say is not read.
      if (load<u8>(p) == 0xef) plain = false;
      p += 1;
      continue;
    }
    const first = p;
    while (p < end && isDigit(load<u8>(p))) p += 1;
    const digits = <u32>(p - first);
    if (digits == 4 && year == 0 && isYear(first)) year = first;
    else if (digits > 2) plain = false;
  }
  if (!plain || year == 0) {
    appendMask(out, detector);
    return;
  }
  out.push(0x5b);
  appendUpper(out, detector);
  out.push(0x20);
  out.append(year, 4);
  out.push(0x5d);
}

function isYear(p: usize): bool {
  const century = (<u32>load<u8>(p) - 0x30) * 10 + <u32>load<u8>(p, 1) - 0x30;
  return century >= 18 && century <= 21;
}

function isDigit(c: u32): bool {
  return c - 0x30 <= 9;
}

/**
 * A letter or digit of ASCII, or of any script: the blanks, dashes and marks that Unicode has up to U+00BF and from
 * U+2000 to U+206F are none, nor is U+FFFD.
 */
function isKept(p: usize, left: u32): bool {
  const c = <u32>load<u8>(p);
  if (c < 0x80) return isDigit(c) || (c | 0x20) - 0x61 <= 25;
  if (c < 0xc3 || characterBytes(p) > left) return false;
  if (c == 0xe2) return <u32>load<u8>(p, 1) > 0x81;
  return !(c == 0xef && load<u8>(p, 1) == 0xbf && load<u8>(p, 2) == 0xbd);
}

/** Of well-formed UTF-8. */
function characterBytes(p: usize): u32 {
  const c = <u32>load<u8>(p);
  return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}
