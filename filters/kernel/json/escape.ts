/** Text as the inside of a JSON string. */
import { Bytes } from '../bytes';

/** Appends [p, p + length), which is valid UTF-8, with what JSON requires to be escaped escaped. */
export function appendEscaped(out: Bytes, p: usize, length: u32): void {
  const end = p + length;
  while (p < end) {
    let q = p;
    while (q < end) {
      const c = <u32>load<u8>(q);
      if (c < 0x20 || c == 0x22 || c == 0x5c) break;
      q += 1;
    }
    out.append(p, <u32>(q - p));
    if (q >= end) return;
    appendEscape(out, load<u8>(q));
    p = q + 1;
  }
}

/** Appends the decimal digits of `n`. */
export function appendNumber(out: Bytes, n: u64): void {
  if (n >= 10) appendNumber(out, n / 10);
  out.push(0x30 + <u32>(n % 10));
}

function appendEscape(out: Bytes, c: u32): void {
  out.push(0x5c);
  if (c == 0x22 || c == 0x5c) return out.push(c);
  if (c == 0x0a) return out.push(0x6e);
  if (c == 0x0d) return out.push(0x72);
  if (c == 0x09) return out.push(0x74);
  out.push(0x75);
  out.push(0x30);
  out.push(0x30);
  out.push(0x30 + (c >> 4));
  const low = c & 15;
  out.push(low < 10 ? 0x30 + low : 0x57 + low);
}
