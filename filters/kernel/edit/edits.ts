/**
 * Changes to a document, spliced into its original bytes: what no edit touches leaves as it came. An edit replaces
 * `removed` bytes at `at` by bytes of the exchange's replacements. Edits are kept in order and never overlap.
 */
import { Bytes } from '../bytes';

export const EDIT_BYTES: u32 = 16;
const EDIT_AT: usize = 0;
const EDIT_REMOVED: usize = 4;
/** Offset and length in the replacements. */
const EDIT_TEXT: usize = 8;
const EDIT_LENGTH: usize = 12;

/** Adds an edit; one that would overlap an earlier one is cut to what is left, and merged away when nothing is. */
export function addEdit(edits: Bytes, at: u32, removed: u32, text: u32, length: u32): void {
  if (removed == 0 && length == 0) return;
  let i = edits.len / EDIT_BYTES;
  while (i > 0 && load<u32>(edits.ptr + (i - 1) * EDIT_BYTES) > at) i -= 1;
  if (i > 0) {
    const before = edits.ptr + (i - 1) * EDIT_BYTES;
    const end = load<u32>(before) + load<u32>(before, EDIT_REMOVED);
    if (end > at) {
      const cut = end - at;
      if (cut >= removed && length == 0) return;
      at = end;
      removed = cut >= removed ? 0 : removed - cut;
    }
  }
  if (i < edits.len / EDIT_BYTES) {
    const next = load<u32>(edits.ptr + i * EDIT_BYTES);
    if (at + removed > next) removed = next - at;
  }
  if (!edits.reserve(EDIT_BYTES)) return;
  const e = edits.ptr + i * EDIT_BYTES;
  memory.copy(e + EDIT_BYTES, e, edits.len - i * EDIT_BYTES);
  store<u32>(e, at, EDIT_AT);
  store<u32>(e, removed, EDIT_REMOVED);
  store<u32>(e, text, EDIT_TEXT);
  store<u32>(e, length, EDIT_LENGTH);
  edits.len += EDIT_BYTES;
}

/** Forgets the edits in a range that goes as a whole. */
export function dropInside(edits: Bytes, start: u32, end: u32): void {
  let to: u32 = 0;
  for (let from: u32 = 0; from < edits.len; from += EDIT_BYTES) {
    const at = load<u32>(edits.ptr + from);
    if (at >= start && at < end) continue;
    if (to != from) memory.copy(edits.ptr + to, edits.ptr + from, EDIT_BYTES);
    to += EDIT_BYTES;
  }
  edits.len = to;
}

/** Appends [p, p + length) with its edits made. */
export function splice(out: Bytes, p: usize, length: u32, edits: Bytes, replacements: Bytes): void {
  const from = spliceBeginning(out, p, edits, replacements);
  out.append(p + from, length - from);
}

/** Appends the document's [from, to) with the edits made that lie in it. */
export function spliceRange(out: Bytes, document: usize, from: u32, to: u32, edits: Bytes, replacements: Bytes): void {
  let low: u32 = 0;
  let high = edits.len / EDIT_BYTES;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(edits.ptr + middle * EDIT_BYTES) < from) low = middle + 1;
    else high = middle;
  }
  for (; low < edits.len / EDIT_BYTES; low += 1) {
    const edit = edits.ptr + low * EDIT_BYTES;
    const at = load<u32>(edit);
    if (at >= to) break;
    out.append(document + from, at - from);
    out.append(replacements.ptr + load<u32>(edit, EDIT_TEXT), load<u32>(edit, EDIT_LENGTH));
    from = at + load<u32>(edit, EDIT_REMOVED);
  }
  out.append(document + from, to - from);
}

/** Appends [p, p + n) with all edits made, where n is the end of the last one; answers n. What is behind stays as it is. */
export function spliceBeginning(out: Bytes, p: usize, edits: Bytes, replacements: Bytes): u32 {
  let from: u32 = 0;
  for (let e: u32 = 0; e < edits.len; e += EDIT_BYTES) {
    const edit = edits.ptr + e;
    const at = load<u32>(edit);
    out.append(p + from, at - from);
    out.append(replacements.ptr + load<u32>(edit, EDIT_TEXT), load<u32>(edit, EDIT_LENGTH));
    from = at + load<u32>(edit, EDIT_REMOVED);
  }
  return from;
}
