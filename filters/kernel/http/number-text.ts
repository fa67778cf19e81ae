/** A number as a person would read it: detectors find nothing in `4.111111111111111e15`. */
import { Bytes } from '../bytes';

/** Zeros that an exponent may add: no identifier has more digits. */
const ZEROS_MAX: i32 = 40;
/** Exponents are read up to here; the walker refuses larger ones. */
const EXPONENT_MAX: i32 = 9_999;

/** Whether the literal has a fraction or an exponent: otherwise it is its own text. */
export function isScientific(p: usize, end: usize): bool {
  for (; p < end; p += 1) {
    const c = <u32>load<u8>(p);
    if (c == 0x2e || (c | 0x20) == 0x65) return true;
  }
  return false;
}

/** Appends a line's end and the digits of the literal [p, end), with the point where its exponent puts it. */
export function appendPlainNumber(out: Bytes, p: usize, end: usize): void {
  let mantissa = p;
  let whole: i32 = 0;
  let digits: i32 = 0;
  let fraction = false;
  for (; mantissa < end && ((<u32>load<u8>(mantissa)) | 0x20) != 0x65; mantissa += 1) {
    const c = <u32>load<u8>(mantissa);
    if (c == 0x2e) fraction = true;
    if (c - 0x30 > 9) continue;
    digits += 1;
    if (!fraction) whole += 1;
  }
  const point = whole + exponentOf(mantissa + 1, end);
  out.push(0x0a);
  let at: i32 = 0;
  let leading = true;
  for (let q = p; q < mantissa; q += 1) {
    const c = <u32>load<u8>(q);
    if (c - 0x30 > 9) continue;
    if (at == point && at > 0) out.push(0x2e);
    // Zeros in front are no digits of an identifier.
    leading = leading && c == 0x30;
    if (!leading) out.push(c);
    at += 1;
  }
  for (; at < point && at < digits + ZEROS_MAX; at += 1) out.push(0x30);
}

function exponentOf(p: usize, end: usize): i32 {
  if (p >= end) return 0;
  const sign = <u32>load<u8>(p);
  let n: i32 = 0;
  for (let q = sign == 0x2d || sign == 0x2b ? p + 1 : p; q < end; q += 1)
    if (n < EXPONENT_MAX) n = n * 10 + <i32>load<u8>(q) - 0x30;
  return sign == 0x2d ? -n : n;
}
