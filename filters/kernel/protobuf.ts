/** Writing protobuf, as far as the messages of the kernel need it. A tag is the field's number and wire type, encoded. */
import { Bytes } from './bytes';

export function putVarint(out: Bytes, value: u64): void {
  while (value >= 0x80) {
    out.push(((<u32>value) & 0x7f) | 0x80);
    value >>= 7;
  }
  out.push(<u32>value);
}

/** An integer; nothing where it is 0. */
export function putField(out: Bytes, tag: u32, value: u64): void {
  if (value == 0) return;
  out.push(tag);
  putVarint(out, value);
}

/** Text, bytes, or a message that is written already; nothing where it is empty. */
export function putRun(out: Bytes, tag: u32, p: usize, length: u32): void {
  if (length == 0) return;
  out.push(tag);
  putVarint(out, length);
  out.append(p, length);
}
