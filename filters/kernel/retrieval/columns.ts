/**
 * The parallel columns in which a store speaks of documents: ids, texts, metadata and so on, where the n-th cell of each
 * is of the n-th document. They are read side by side, in an answer (one row a query, or none) and in a write.
 */
import { Bytes } from '../bytes';
import { addEdit, dropInside } from '../edit/edits';
import { isListed } from '../edit/values-list';
import {
  NO_RECORD,
  RECORD_BYTES,
  RECORD_KIND,
  RECORD_NEXT,
  RECORD_NODE,
  RECORD_TYPE,
  recordAt,
  TYPE_NULL,
} from '../json/walk';
import * as P from '../protocol/places';
import { Session } from '../session/session-state';

export const COLUMNS: u32 = 8;

/** For each column: the record of its array (NO_RECORD where there is none). */
const columns: usize = memory.data(8 * 4, 8);
/** For each column: where the reading of the row in hand stands, and where it ends. */
const cursors: usize = memory.data(8 * 8, 8);
/** For each column: the row in hand of an answer that has rows. */
const rows: usize = memory.data(8 * 4, 8);

/** Finds the columns' arrays. False where one is named that is none: the name would be text that belongs to no chunk. */
export function findColumns(s: Session): bool {
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

/** The record of a column's array, NO_RECORD where there is none. */
export function columnAt(column: u32): u32 {
  return load<u32>(columns + (column << 2));
}

/** A column that is not read along with the others. */
export function leaveColumn(column: u32): void {
  store<u32>(columns + (column << 2), NO_RECORD);
}

/** The first row of each column. */
export function openRows(): void {
  for (let c: u32 = 1; c < COLUMNS; c += 1) store<u32>(rows + (c << 2), columnAt(c) + 1);
}

export function hasRow(s: Session): bool {
  return (
    load<u32>(rows + (P.COLUMN_IDS << 2)) < load<u32>(recordAt(s.recordBytes(), columnAt(P.COLUMN_IDS)), RECORD_NEXT)
  );
}

export function nextRow(s: Session): void {
  for (let c: u32 = 1; c < COLUMNS; c += 1) {
    if (columnAt(c) != NO_RECORD) store<u32>(rows + (c << 2), after(s, load<u32>(rows + (c << 2))));
  }
}

/** Goes to the first cells: of the row in hand, or of columns without rows. False where there are no ids. */
export function openCells(s: Session, hasRows: bool): bool {
  const records = s.recordBytes();
  for (let c: u32 = 1; c < COLUMNS; c += 1) {
    const column = columnAt(c);
    const cursor = cursors + (c << 3);
    store<u32>(cursor, NO_RECORD);
    if (column == NO_RECORD) continue;
    const array = hasRows ? load<u32>(rows + (c << 2)) : column;
    if (hasRows && array >= load<u32>(recordAt(records, column), RECORD_NEXT)) return false;
    if (load<u8>(recordAt(records, array), RECORD_TYPE) == TYPE_NULL) continue;
    store<u32>(cursor, array + 1);
    store<u32>(cursor, load<u32>(recordAt(records, array), RECORD_NEXT), 4);
  }
  return load<u32>(cursors + (P.COLUMN_IDS << 3)) != NO_RECORD;
}

/** Whether one more document has an id. */
export function hasCells(): bool {
  const ids = cursors + (P.COLUMN_IDS << 3);
  return load<u32>(ids) < load<u32>(ids, 4);
}

/** Goes to the next document's cells. False where a column has ended before the ids have. */
export function nextCells(s: Session): bool {
  for (let c: u32 = 1; c < COLUMNS; c += 1) {
    const cursor = cursors + (c << 3);
    const at = load<u32>(cursor);
    if (at == NO_RECORD) continue;
    if (at >= load<u32>(cursor, 4)) return false;
    store<u32>(cursor, after(s, at));
  }
  return true;
}

/** Whether every column has ended. */
export function cellsEnded(): bool {
  for (let c: u32 = 1; c < COLUMNS; c += 1) {
    const cursor = cursors + (c << 3);
    if (load<u32>(cursor) != NO_RECORD && load<u32>(cursor) != load<u32>(cursor, 4)) return false;
  }
  return true;
}

/** The record of the document's cell in a column, NO_RECORD where it has none. */
export function cellAt(column: u32): u32 {
  const cursor = cursors + (column << 3);
  const at = load<u32>(cursor);
  return at != NO_RECORD && at < load<u32>(cursor, 4) ? at : NO_RECORD;
}

/** Takes a range out, with whatever is edited in it. */
export function remove(edits: Bytes, start: u32, end: u32): void {
  dropInside(edits, start, end);
  addEdit(edits, start, end - start, 0, 0);
}

/** Position behind the value at `i` and all inside it. */
export function after(s: Session, i: u32): u32 {
  const r = recordAt(s.recordBytes(), i);
  return <i32>load<u8>(r, RECORD_KIND) > P.PLACE_ARRAY ? load<u32>(r, RECORD_NEXT) : i + 1;
}
