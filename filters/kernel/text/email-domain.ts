/** The domain of an email address: what stands behind the last `@`. Nothing before it is read. */
import { isLetter } from './characters';

const DOMAIN_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;
/** File names' endings that are no top-level domains: `logo@2x.png` is a file. Four characters each, padded. */
const ENDINGS = 'png jpg jpeggif svg webpbmp ico css js  ts  jsonhtmlhtm pdf txt ';

export function isEmailDomain(p: usize, end: usize): bool {
  let start = end;
  while (start > p && load<u8>(start - 1) != 0x40) start -= 1;
  if (end - start > DOMAIN_BYTES_MAX) return false;
  let label = start;
  for (let q = start; q <= end; q += 1) {
    if (q < end && load<u8>(q) != 0x2e) continue;
    if (q == label || q - label > LABEL_BYTES_MAX || load<u8>(label) == 0x2d || load<u8>(q - 1) == 0x2d) return false;
    if (q < end) label = q + 1;
  }
  return !isFileEnding(label, end);
}

function isFileEnding(p: usize, end: usize): bool {
  if (end - p > 4) return false;
  const list = changetype<usize>(ENDINGS);
  for (let at = list; at < list + ((<usize>ENDINGS.length) << 1); at += 8) {
    let i: usize = 0;
    while (i < 4 && <u32>load<u16>(at + (i << 1)) == (p + i < end ? lower(load<u8>(p + i)) : 0x20)) i += 1;
    if (i == 4) return true;
  }
  return false;
}

function lower(c: u32): u32 {
  return isLetter(c) ? c | 0x20 : c;
}
