/**
 * Tags of a document that is stored: they are written into its metadata. The keys are the policy's own. What a caller
 * writes under one of them goes, whether a tag of that name is given or not: nobody gives a document a tag but a rule.
 */
import { Bytes } from '../bytes';
import { RESULT_SITE, SITE_AT_FIRED, SITE_TAGS, TAG_BYTES, TAG_LITERAL, TAG_NAME, TAG_NODE } from '../decision/layout';
import { isSameText, isSet } from '../decision/render';
import { textAtIs } from '../decision/tables';
import { addEdit } from '../edit/edits';
import { hasFlag } from '../http/endpoint';
import { put } from '../http/literal';
import { appendEscaped } from '../json/escape';
import { appendUnescaped } from '../json/unescape';
import {
  NO_RECORD,
  RECORD_BYTES,
  RECORD_END,
  RECORD_ESCAPED,
  RECORD_KIND,
  RECORD_NEXT,
  RECORD_NODE,
  RECORD_START,
  RECORD_TYPE,
  recordAt,
  TYPE_OBJECT,
} from '../json/walk';
import * as P from '../protocol/places';
import { Session } from '../session/session-state';
import { cellAt, columnAt, remove } from './columns';
import { insertField } from './insert-field';

/** Whether rules on the event that was decided give tags. */
export function givesTags(s: Session): bool {
  return load<u32>(<usize>load<u32>(s.result, RESULT_SITE), SITE_TAGS + 4) > 0;
}

/** Before the first document of a write. */
export function beginTags(s: Session): void {
  metadatas(s).clear();
}

/** Writes the tags of the document at which the columns stand, by the decision in `s.result`. */
export function tagDocument(s: Session): void {
  if (columnAt(P.COLUMN_METADATAS) == NO_RECORD) return appendMetadata(s);
  const cell = recordAt(s.recordBytes(), cellAt(P.COLUMN_METADATAS));
  const out = changetype<Bytes>(s.replacements);
  const edits = changetype<Bytes>(s.edits);
  const at = out.len;
  const start = load<u32>(cell, RECORD_START);
  if (load<u8>(cell, RECORD_TYPE) != TYPE_OBJECT) {
    out.push(0x7b);
    if (!putTags(s, out)) {
      out.len = at;
      return;
    }
    out.push(0x7d);
    return addEdit(edits, start, load<u32>(cell, RECORD_END) - start, at, out.len - at);
  }
  const kept = removeOwned(s, cell);
  if (!putTags(s, out)) return;
  if (kept > 0) out.push(0x2c);
  addEdit(edits, start + 1, 0, at, out.len - at);
}

/** Behind the last document: the metadata of a write that has none. */
export function endTags(s: Session): void {
  const made = metadatas(s);
  if (made.failed) s.failed = true;
  if (made.len == 0) return;
  const out = changetype<Bytes>(s.replacements);
  const at = out.len;
  const empty = emptyColumn(s);
  if (empty == NO_RECORD) put(out, '"metadatas":');
  out.push(0x5b);
  out.append(made.ptr + 1, made.len - 1);
  out.push(0x5d);
  if (empty == NO_RECORD) return insertField(s, at);
  const r = recordAt(s.recordBytes(), empty);
  const start = load<u32>(r, RECORD_START);
  addEdit(changetype<Bytes>(s.edits), start, load<u32>(r, RECORD_END) - start, at, out.len - at);
}

/** Metadata that the write itself does not have: a comma and an object for each document. */
function metadatas(s: Session): Bytes {
  return changetype<Bytes>(s.versions);
}

function appendMetadata(s: Session): void {
  const out = metadatas(s);
  put(out, ',{');
  if (putTags(s, out)) return out.push(0x7d);
  out.len -= 1;
  put(out, 'null');
}

/** Appends `"NAME":VALUE` for each tag, with commas between them; false where there is none. */
function putTags(s: Session, out: Bytes): bool {
  const site = <usize>load<u32>(s.result, RESULT_SITE);
  const fired = s.result + load<u32>(site, SITE_AT_FIRED);
  const end = endOf(site);
  const keeps = hasFlag(s.endpoint, P.FLAG_KEEPS);
  let any = false;
  let given: usize = 0;
  for (let tag = <usize>load<u32>(site, SITE_TAGS); tag < end; tag += TAG_BYTES) {
    if (isSet(fired, load<u32>(tag, TAG_NODE))) given = tag;
    const next = tag + TAG_BYTES;
    if (next < end && isSameText(tag + TAG_NAME, next + TAG_NAME)) continue;
    // Without a value the store would keep the one that the document was given before.
    if (given != 0 || keeps) {
      if (any) out.push(0x2c);
      any = true;
      out.push(0x22);
      appendEscaped(out, <usize>load<u32>(tag, TAG_NAME), load<u32>(tag, TAG_NAME + 4));
      put(out, '":');
      if (given != 0) out.append(<usize>load<u32>(given, TAG_LITERAL), load<u32>(given, TAG_LITERAL + 4));
      else put(out, 'null');
    }
    given = 0;
  }
  return any;
}

function endOf(site: usize): usize {
  return <usize>load<u32>(site, SITE_TAGS) + load<u32>(site, SITE_TAGS + 4) * TAG_BYTES;
}

/** Takes the caller's own values of tags out of the object; answers how many entries are left. */
function removeOwned(s: Session, object: usize): u32 {
  const records = s.recordBytes();
  const edits = changetype<Bytes>(s.edits);
  const document = s.bodyBytes().ptr;
  const node = load<u32>(object, RECORD_NODE);
  const last = recordAt(records, load<u32>(object, RECORD_NEXT));
  let kept: u32 = 0;
  let goneFrom: u32 = 0;
  let gone = false;
  for (let r = object + RECORD_BYTES; r < last; r += RECORD_BYTES) {
    if (<i32>load<u8>(r, RECORD_KIND) != P.PLACE_KEY || load<u32>(r, RECORD_NODE) != node) continue;
    const start = load<u32>(r, RECORD_START);
    if (isOwned(s, document, r)) {
      if (!gone) goneFrom = start;
      gone = true;
      continue;
    }
    // What goes takes the comma behind it along.
    if (gone) remove(edits, goneFrom, start);
    gone = false;
    kept += 1;
  }
  if (!gone) return kept;
  // At the end it takes the comma before it.
  while (kept > 0 && load<u8>(document + goneFrom) != 0x2c) goneFrom -= 1;
  remove(edits, goneFrom, load<u32>(object, RECORD_END) - 1);
  return kept;
}

/** Whether the key is that of a tag. */
function isOwned(s: Session, document: usize, key: usize): bool {
  let text = document + load<u32>(key, RECORD_START) + 1;
  let length = load<u32>(key, RECORD_END) - load<u32>(key, RECORD_START) - 2;
  if (load<u8>(key, RECORD_ESCAPED) != 0) {
    const plain = changetype<Bytes>(s.text);
    plain.clear();
    appendUnescaped(plain, text, text + length);
    if (plain.failed) s.failed = true;
    text = plain.ptr;
    length = plain.len;
  }
  const site = <usize>load<u32>(s.result, RESULT_SITE);
  const end = endOf(site);
  for (let tag = <usize>load<u32>(site, SITE_TAGS); tag < end; tag += TAG_BYTES)
    if (textAtIs(tag + TAG_NAME, text, length)) return true;
  return false;
}

/** The null that stands in the place of the metadata, or NO_RECORD. */
function emptyColumn(s: Session): u32 {
  const records = s.recordBytes();
  const count = records.len / RECORD_BYTES;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    if (
      <i32>load<u8>(r, RECORD_KIND) == P.PLACE_EMPTY &&
      <i32>load<u8>(<usize>load<u32>(r, RECORD_NODE), P.NODE_LANE) == P.COLUMN_METADATAS
    )
      return i;
  }
  return NO_RECORD;
}
