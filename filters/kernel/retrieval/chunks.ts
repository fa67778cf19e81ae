/**
 * A store's answer: every chunk is decided by its own metadata and text, and those that may not be seen are taken out
 * of every column.
 */
import { EVENT_CHUNK } from '../abi';
import { Bytes } from '../bytes';
import { isAllowed } from '../decision/api';
import {
  NO_RECORD,
  RECORD_END,
  RECORD_NEXT,
  RECORD_START,
  RECORD_TYPE,
  recordAt,
  TYPE_NULL,
  walk,
  WALK_OK,
} from '../json/walk';
import * as P from '../protocol/places';
import { deny } from '../session/denial';
import { addEdit, dropInside } from '../edit/edits';
import { hasFlag, protocolSection, rootOf } from '../http/endpoint';
import { put } from '../http/literal';
import { asksOfAll, gatherChunks } from './all-chunks';
import { isEdited } from './asked';
import {
  after,
  cellAt,
  cellsEnded,
  columnAt,
  COLUMNS,
  findColumns,
  hasCells,
  hasRow,
  nextCells,
  nextRow,
  openCells,
  openRows,
  remove,
} from './columns';
import { metadataBytes, metadataStart, readDocument } from './document';
import { answerNewest, askNewest, beginNewest, needsNewest, NOTHING_TO_ASK, noteVersion } from './newest';
import { noteWithheld, putNotices } from './notices';
import { CHUNKS_MAX } from './limits';
import { decideQuietly, recordDecision } from '../session/record';
import { sendReply, denyUnreadable } from '../session/reply';
import { Session } from '../session/session-state';
import { clearTexts, editTexts } from '../edit/texts';
import { putReceipt, verdictOf } from '../receipts/given';

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
  if (asksOfAll(s) && !gatherChunks(s))
    return deny(s, 502, "the store's answer cannot be read, or holds more than this gateway reads");
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
    const column = columnAt(c);
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
  putReceipt(s);
  putNotices(s);
  if (s.failed) return deny(s, 503, 'this gateway has no memory left for the reply');
  return sendReply(s);
}

/** More were fetched than asked for: of each row the first that pass stay. */
function keepFirst(s: Session): void {
  const records = s.recordBytes();
  const verdicts = changetype<Bytes>(s.verdicts);
  const ids = columnAt(P.COLUMN_IDS);
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
  if (columnAt(P.COLUMN_IDS) == NO_RECORD) return false;
  for (openRows(); hasRow(s); nextRow(s)) if (!readRow(s, true)) return false;
  return true;
}

/** The chunks of the row in hand, or of an answer without rows. False where the columns are not parallel. */
function readRow(s: Session, hasRows: bool): bool {
  if (!openCells(s, hasRows)) return false;
  while (hasCells()) {
    if (changetype<Bytes>(s.verdicts).len >= <u32>CHUNKS_MAX) return false;
    const passes = judge(s);
    if (s.failed) return false;
    changetype<Bytes>(s.verdicts).push(passes ? verdictOf(s) : 0);
    if (!nextCells(s)) return false;
  }
  return cellsEnded();
}

/** Decides the chunk at which the columns stand; redactions are edited in where it passes. */
function judge(s: Session): bool {
  readDocument(s);
  decideQuietly(s, EVENT_CHUNK, s.store);
  recordDecision(s);
  if (!isAllowed(s.result)) {
    noteWithheld(s);
    return false;
  }
  noteVersion(s, changetype<Bytes>(s.verdicts).len);
  s.isReply = false;
  const edits = changetype<Bytes>(s.edits);
  const before = edits.len;
  const editable = editTexts(s, s.bodyBytes().ptr);
  s.isReply = true;
  if (edits.len == before) return editable;
  // Found by words of a text that may not be read, it would tell that text word by word.
  if (s.asksText) return false;
  if (s.asksMetadata && metadataBytes > 0 && isEdited(edits, metadataStart, metadataStart + metadataBytes))
    return false;
  removeVector(s);
  return editable;
}

/** A vector that was made of what is redacted tells of it, too. */
function removeVector(s: Session): void {
  const at = cellAt(P.COLUMN_EMBEDDINGS);
  if (at == NO_RECORD) return;
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
