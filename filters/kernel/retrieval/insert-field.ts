/** A field of ours in the body of a store's request. */
import { Bytes } from '../bytes';
import { addEdit } from '../edit/edits';
import { skipSpace } from '../json/scan';
import { Session } from '../session/session-state';

/** Inserts the field written since `at` before the body's own; after those that were inserted before it. */
export function insertField(s: Session, at: u32): void {
  const body = s.bodyBytes();
  const out = changetype<Bytes>(s.replacements);
  const edits = changetype<Bytes>(s.edits);
  const first = <u32>(skipSpace(body.ptr, body.ptr + body.len) + 1 - body.ptr);
  const isEmpty = load<u8>(skipSpace(body.ptr + first, body.ptr + body.len)) == 0x7d;
  // In an empty object the first field stands without a comma, and each after it brings its own.
  if (!isEmpty) out.push(0x2c);
  else if (edits.len > 0 && out.reserve(1)) {
    memory.copy(out.ptr + at + 1, out.ptr + at, out.len - at);
    store<u8>(out.ptr + at, 0x2c);
    out.len += 1;
  }
  addEdit(edits, first, 0, at, out.len - at);
}
