/**
 * A store's answer: every chunk is decided by its own metadata and text, and those that may not be seen are taken out
 * of every column.
 */
import { EVENT_CHUNK, FACT_TEXT_FOUND, FACT_TEXT_FOUND_RESTORED } from '../abi';
import { Bytes } from '../bytes';
import { Arena, isAllowed, loadMetadata, setBits } from '../decision/api';
import {
  NO_RECORD,
  RECORD_BYTES,
  RECORD_END,
  RECORD_KIND,
  RECORD_NEXT,
  RECORD_NODE,
  RECORD_START,
  RECORD_TYPE,
  recordAt,
  TYPE_NULL,
  TYPE_OBJECT,
  walk,
  WALK_OK,
} from '../json/walk';
import * as P from '../protocol/places';
import { deny } from '../session/denial';
import { addEdit } from '../edit/edits';
import { hasFlag, protocolSection, rootOf } from '../http/endpoint';
import { put } from '../http/literal';
import { isListed } from '../edit/values-list';
import { isEdited } from './asked';
import { answerNewest, askNewest, beginNewest, needsNewest, NOTHING_TO_ASK, noteVersion } from './newest';
import { decideQuietly, recordDecision } from '../session/record';
import { sendReply, denyUnreadable } from '../session/reply';
import { MODE_FIXED, MODE_TEXT } from '../edit/segment';
import { Session } from '../session/session-state';
import { NO_MESSAGE } from '../prompt/messages';
import { clearTexts, editTexts, scanAlone } from '../edit/texts';

/** Chunks of one answer, over all of its rows. */
export const CHUNKS_MAX: u32 = 4_096;
const COLUMNS: u32 = 8;

/** For each column: the record of its array (NO_RECORD where there is none). */
const columns: usize = memory.data(8 * 4, 8);
/** For each column: where the reading of the row in hand stands, and where it ends. */
const cursors: usize = memory.data(8 * 8, 8);
/** For each column: the row in hand of an answer that has rows. */
const rows: usize = memory.data(8 * 4, 8);
const EMPTY_OBJECT: usize = memory.data<u8>([0x7b, 0x7d]);

export function onChunks(s: Session): i32 {
  const body = s.bodyBytes();
  const records = s.recordBytes();
  records.clear();
  const code = walk(body.ptr, body.len, protocolSection(), rootOf(s.endpoint, P.ENDPOINT_REPLY), records);
  if (code != WALK_OK) return denyUnreadable(s, code);
  clearTexts(s);
  if (!findColumns(s)) return deny(s, 502, "the store's answer names columns that no store has");
  const verdicts = changetype<Bytes>(s.verdicts);
  verdicts.clear();
  if (!beginNewest(s)) return deny(s, 503, 'this gateway has no memory left for the reply');
  const isRead = hasFlag(s.endpoint, P.FLAG_ROWS) ? readRows(s) : readRow(s, false);
  if (!isRead || s.failed || verdicts.failed)
    return deny(s, 502, "the store's answer cannot be read, or holds more than this gateway reads");
  return needsNewest(s) ? askOrFinish(s) : finishChunks(s);
}

/** Takes the store's answer to what was asked of versions. */
export function onVersions(s: Session, status: u32, ptr: usize, length: u32): i32 {
  answerNewest(s, status, ptr, length);
  return askOrFinish(s);
}

function askOrFinish(s: Session): i32 {
  const action = askNewest(s);
  return action == NOTHING_TO_ASK ? finishChunks(s) : action;
}

/** All verdicts are known: what may not be seen goes. */
function finishChunks(s: Session): i32 {
  findColumns(s);
  const rows = hasFlag(s.endpoint, P.FLAG_ROWS);
  if (rows && s.keepMost >= 0) keepFirst(s);
  for (let c: u32 = 1; c < COLUMNS; c += 1) {
    const column = load<u32>(columns + (c << 2));
    if (column == NO_RECORD) continue;
    if ((c == P.COLUMN_METADATAS && s.dropMetadata) || (c == P.COLUMN_DOCUMENTS && s.dropDocuments)) {
      blank(s, column);
      continue;
    }
    if (!rows) {
      cut(s, column, 0);
      continue;
    }
    const end = load<u32>(recordAt(s.recordBytes(), column), RECORD_NEXT);
    let seen: u32 = 0;
    for (let row = column + 1; row < end; row = after(s, row)) {
      if (load<u8>(recordAt(s.recordBytes(), row), RECORD_TYPE) == TYPE_NULL) continue;
      seen = cut(s, row, seen);
    }
  }
  if (changetype<Bytes>(s.edits).failed) return deny(s, 502, "the store's answer holds more than this gateway reads");
  return sendReply(s);
}

/** More were fetched than asked for: of each row the first that pass stay. */
function keepFirst(s: Session): void {
  const records = s.recordBytes();
  const verdicts = changetype<Bytes>(s.verdicts);
  const ids = load<u32>(columns + (P.COLUMN_IDS << 2));
  if (ids == NO_RECORD) return;
  const end = load<u32>(recordAt(records, ids), RECORD_NEXT);
  let n: u32 = 0;
  for (let row = ids + 1; row < end; row = after(s, row)) {
    let kept: i64 = 0;
    const rowEnd = load<u32>(recordAt(records, row), RECORD_NEXT);
    for (let i = row + 1; i < rowEnd && n < verdicts.len; i = after(s, i)) {
      const verdict = verdicts.ptr + n;
      n += 1;
      if (load<u8>(verdict) == 0) continue;
      kept += 1;
      if (kept > s.keepMost) store<u8>(verdict, 0);
    }
  }
}

/** Each query's row. */
function readRows(s: Session): bool {
  const records = s.recordBytes();
  const ids = load<u32>(columns + (P.COLUMN_IDS << 2));
  if (ids == NO_RECORD) return false;
  const end = load<u32>(recordAt(records, ids), RECORD_NEXT);
  for (let c: u32 = 1; c < COLUMNS; c += 1) store<u32>(rows + (c << 2), load<u32>(columns + (c << 2)) + 1);
  while (load<u32>(rows + (P.COLUMN_IDS << 2)) < end) {
    if (!readRow(s, true)) return false;
    for (let c: u32 = 1; c < COLUMNS; c += 1) {
      if (load<u32>(columns + (c << 2)) != NO_RECORD) store<u32>(rows + (c << 2), after(s, load<u32>(rows + (c << 2))));
    }
  }
  return true;
}

/** The chunks of the row in hand, or of an answer without rows. False where the columns are not parallel. */
function readRow(s: Session, hasRows: bool): bool {
  const records = s.recordBytes();
  for (let c: u32 = 1; c < COLUMNS; c += 1) {
    const column = load<u32>(columns + (c << 2));
    const cursor = cursors + (c << 3);
    store<u32>(cursor, NO_RECORD);
    if (column == NO_RECORD) continue;
    const array = hasRows ? load<u32>(rows + (c << 2)) : column;
    if (hasRows && array >= load<u32>(recordAt(records, column), RECORD_NEXT)) return false;
    if (load<u8>(recordAt(records, array), RECORD_TYPE) == TYPE_NULL) continue;
    store<u32>(cursor, array + 1);
    store<u32>(cursor, load<u32>(recordAt(records, array), RECORD_NEXT), 4);
  }
  const ids = cursors + (P.COLUMN_IDS << 3);
  if (load<u32>(ids) == NO_RECORD) return false;
  while (load<u32>(ids) < load<u32>(ids, 4)) {
    if (changetype<Bytes>(s.verdicts).len >= CHUNKS_MAX) return false;
    const passes = judge(s);
    if (s.failed) return false;
    changetype<Bytes>(s.verdicts).push(passes ? 1 : 0);
    for (let c: u32 = 1; c < COLUMNS; c += 1) {
      const cursor = cursors + (c << 3);
      const at = load<u32>(cursor);
      if (at == NO_RECORD) continue;
      if (at >= load<u32>(cursor, 4)) return false;
      store<u32>(cursor, after(s, at));
    }
  }
  for (let c: u32 = 1; c < COLUMNS; c += 1) {
    const cursor = cursors + (c << 3);
    if (load<u32>(cursor) != NO_RECORD && load<u32>(cursor) != load<u32>(cursor, 4)) return false;
  }
  return true;
}

/** Decides the chunk at which the cursors stand; redactions are edited in where it passes. */
function judge(s: Session): bool {
  const records = s.recordBytes();
  const document = s.bodyBytes().ptr;
  const at = load<u32>(cursors + (P.COLUMN_METADATAS << 3));
  let metadata = EMPTY_OBJECT;
  let metadataBytes: u32 = 2;
  if (at != NO_RECORD && at < load<u32>(cursors + (P.COLUMN_METADATAS << 3), 4)) {
    const r = recordAt(records, at);
    if (load<u8>(r, RECORD_TYPE) == TYPE_OBJECT) {
      metadata = document + load<u32>(r, RECORD_START);
      metadataBytes = load<u32>(r, RECORD_END) - load<u32>(r, RECORD_START);
    }
  }
  loadMetadata(s.facts, changetype<Arena>(s.arena), s.store, metadata, metadataBytes);
  // What was found before is edited already: the lists are for one chunk.
  changetype<Bytes>(s.segments).clear();
  changetype<Bytes>(s.hits).clear();
  changetype<Bytes>(s.groups).clear();
  s.foundLow = 0;
  s.foundHigh = 0;
  s.isReply = false;
  for (let c: u32 = 1; c < COLUMNS; c += 1) {
    const from = load<u32>(cursors + (c << 3));
    if (from == NO_RECORD || from >= load<u32>(cursors + (c << 3), 4)) continue;
    const end = after(s, from);
    for (let i = from; i < end; i += 1) scanCell(s, document, i);
  }
  s.isReply = true;
  setBits(s.facts, FACT_TEXT_FOUND, s.foundLow, s.foundHigh);
  setBits(s.facts, FACT_TEXT_FOUND_RESTORED, s.foundLow, s.foundHigh);
  decideQuietly(s, EVENT_CHUNK, s.store);
  recordDecision(s);
  if (!isAllowed(s.result)) return false;
  noteVersion(s, changetype<Bytes>(s.verdicts).len);
  s.isReply = false;
  const edits = changetype<Bytes>(s.edits);
  const before = edits.len;
  const editable = editTexts(s, document);
  s.isReply = true;
  if (edits.len == before) return editable;
  // Found by words of a text that may not be read, it would tell that text word by word.
  if (s.asksText) return false;
  if (s.asksMetadata && metadata != EMPTY_OBJECT) {
    const start = <u32>(metadata - document);
    if (isEdited(edits, start, start + metadataBytes)) return false;
  }
  removeVector(s);
  return editable;
}

/** A vector that was made of what is redacted tells of it, too. */
function removeVector(s: Session): void {
  const cursor = cursors + (P.COLUMN_EMBEDDINGS << 3);
  const at = load<u32>(cursor);
  if (at == NO_RECORD || at >= load<u32>(cursor, 4)) return;
  const r = recordAt(s.recordBytes(), at);
  if (load<u8>(r, RECORD_TYPE) == TYPE_NULL) return;
  const replacements = changetype<Bytes>(s.replacements);
  const text = replacements.len;
  put(replacements, 'null');
  addEdit(
    changetype<Bytes>(s.edits),
    load<u32>(r, RECORD_START),
    load<u32>(r, RECORD_END) - load<u32>(r, RECORD_START),
    text,
    4,
  );
}

function scanCell(s: Session, document: usize, i: u32): void {
  const r = recordAt(s.recordBytes(), i);
  const kind = <i32>load<u8>(r, RECORD_KIND);
  if (kind == P.PLACE_CHUNK_TEXT || kind == P.PLACE_LOCAL || kind == P.PLACE_TEXT)
    scanAlone(s, document, r, MODE_TEXT, NO_MESSAGE);
  else if (kind == P.PLACE_KEY || kind == P.PLACE_CHUNK_ID || kind == P.PLACE_NUMBER)
    scanAlone(s, document, r, MODE_FIXED, NO_MESSAGE);
}

/** Finds the columns' arrays. False where one is named that is none: the name would be text that belongs to no chunk. */
function findColumns(s: Session): bool {
  const records = s.recordBytes();
  const document = s.bodyBytes().ptr;
  const count = records.len / RECORD_BYTES;
  for (let c: u32 = 0; c < COLUMNS; c += 1) store<u32>(columns + (c << 2), NO_RECORD);
  for (let i: u32 = 0; i < count; i = after(s, i)) {
    const r = recordAt(records, i);
    const kind = <i32>load<u8>(r, RECORD_KIND);
    if (kind == P.PLACE_ENUM && !isListed(document, r)) return false;
    if (kind != P.PLACE_COLUMN) continue;
    const column = <u32>load<u8>(<usize>load<u32>(r, RECORD_NODE), P.NODE_LANE);
    if (column < COLUMNS) store<u32>(columns + (column << 2), i);
  }
  return true;
}

/** Takes the withheld cells out of an array; `seen` chunks came before it. Answers how many have come after it. */
function cut(s: Session, array: u32, seen: u32): u32 {
  const records = s.recordBytes();
  const verdicts = changetype<Bytes>(s.verdicts);
  const edits = changetype<Bytes>(s.edits);
  const end = load<u32>(recordAt(records, array), RECORD_NEXT);
  let n = seen;
  let keptEnd: u32 = 0;
  let hasKept = false;
  let goneFrom: u32 = 0;
  let gone = false;
  let lastEnd: u32 = 0;
  for (let i = array + 1; i < end; i = after(s, i)) {
    const r = recordAt(records, i);
    const start = load<u32>(r, RECORD_START);
    lastEnd = load<u32>(r, RECORD_END);
    const keep = n < verdicts.len && load<u8>(verdicts.ptr + n) != 0;
    n += 1;
    if (!keep) {
      if (!gone) goneFrom = start;
      gone = true;
      continue;
    }
    // The run that ends here goes with the comma behind it.
    if (gone) remove(edits, goneFrom, start);
    gone = false;
    hasKept = true;
    keptEnd = lastEnd;
  }
  // A run at the end goes with the comma before it.
  if (gone) {
    const from = hasKept ? keptEnd : goneFrom;
    remove(edits, from, lastEnd);
  }
  return n;
}

/** A column that only we asked for is null, as if it had not been asked for. */
function blank(s: Session, column: u32): void {
  const replacements = changetype<Bytes>(s.replacements);
  const at = replacements.len;
  put(replacements, 'null');
  const r = recordAt(s.recordBytes(), column);
  const edits = changetype<Bytes>(s.edits);
  dropInside(edits, load<u32>(r, RECORD_START), load<u32>(r, RECORD_END));
  addEdit(edits, load<u32>(r, RECORD_START), load<u32>(r, RECORD_END) - load<u32>(r, RECORD_START), at, 4);
}

/** Takes a range out, with whatever was edited in it while its chunk still passed. */
function remove(edits: Bytes, start: u32, end: u32): void {
  dropInside(edits, start, end);
  addEdit(edits, start, end - start, 0, 0);
}

/** Forgets the edits in a range that goes as a whole. */
function dropInside(edits: Bytes, start: u32, end: u32): void {
  let to: u32 = 0;
  for (let from: u32 = 0; from < edits.len; from += 16) {
    const at = load<u32>(edits.ptr + from);
    if (at >= start && at < end) continue;
    if (to != from) memory.copy(edits.ptr + to, edits.ptr + from, 16);
    to += 16;
  }
  edits.len = to;
}

/** Position behind the value at `i` and all inside it. */
function after(s: Session, i: u32): u32 {
  const r = recordAt(s.recordBytes(), i);
  return <i32>load<u8>(r, RECORD_KIND) > P.PLACE_ARRAY ? load<u32>(r, RECORD_NEXT) : i + 1;
}
