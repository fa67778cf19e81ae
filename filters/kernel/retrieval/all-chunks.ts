/**
 * The fact of all chunks of a store's answer: of each the metadata that conditions over all of them read. It is gathered
 * before the first chunk is decided, and only for a store of which the policy has such a condition. The store is then
 * asked for what the client asks for: nothing is left out by a filter of ours and no more is fetched, and the client's
 * own filter is refused (asked.ts), for whether such a condition holds would tell what the filter finds.
 */
import { FACT_FAILED, SLOT_BYTES, SLOT_STATE } from '../abi';
import { Bytes } from '../bytes';
import { storeRecord, writeText } from '../decision/api';
import { STORE_CHUNKS } from '../decision/layout';
import { hasFlag } from '../http/endpoint';
import { NO_RECORD } from '../json/walk';
import * as P from '../protocol/places';
import { Session } from '../session/session-state';
import { columnAt, hasCells, hasRow, nextCells, nextRow, openCells, openRows } from './columns';
import { readMetadata } from './document';
import { CHUNKS_MAX } from './limits';

/** Chunks gathered so far, and whether one of them has an attribute that has failed. */
let gathered: u32 = 0;
let someFailed: bool = false;

/** Whether some condition is over all chunks of the store. */
export function asksOfAll(s: Session): bool {
  return askedOf(s) != 0;
}

/** STORE_CHUNKS of the store. */
function askedOf(s: Session): usize {
  return s.store < 0 ? 0 : <usize>load<u32>(storeRecord(s.store), STORE_CHUNKS);
}

/**
 * Sets the fact; a chunk of which an attribute has failed fails it. False where the answer cannot be read. The facts of
 * a single chunk are those of the last one afterwards.
 */
export function gatherChunks(s: Session): bool {
  if (s.allChunks == 0) s.allChunks = changetype<usize>(Bytes.create());
  if (s.allChunks == 0) return false;
  const elements = changetype<Bytes>(s.allChunks);
  elements.clear();
  gathered = 0;
  someFailed = false;
  if (!(hasFlag(s.endpoint, P.FLAG_ROWS) ? gatherRows(s, elements) : gatherRow(s, elements, false))) return false;
  if (elements.failed) return false;
  const slot = s.facts + load<u32>(askedOf(s)) * SLOT_BYTES;
  if (someFailed) store<u8>(slot, FACT_FAILED, SLOT_STATE);
  else writeText(slot, elements.ptr, gathered);
  return true;
}

function gatherRows(s: Session, elements: Bytes): bool {
  if (columnAt(P.COLUMN_IDS) == NO_RECORD) return false;
  for (openRows(); hasRow(s); nextRow(s)) if (!gatherRow(s, elements, true)) return false;
  return true;
}

function gatherRow(s: Session, elements: Bytes, hasRows: bool): bool {
  if (!openCells(s, hasRows)) return false;
  while (hasCells()) {
    if (gathered >= <u32>CHUNKS_MAX) return false;
    gather(s, elements);
    gathered += 1;
    if (!nextCells(s)) return false;
  }
  return true;
}

/** An element is the slots of the chunk's own facts. */
function gather(s: Session, elements: Bytes): void {
  readMetadata(s);
  const asked = askedOf(s);
  const fields = load<u32>(asked, 4);
  for (let field: u32 = 0; field < fields; field += 1) {
    const slot = s.facts + load<u32>(asked + 8 + (field << 2)) * SLOT_BYTES;
    if (load<u8>(slot, SLOT_STATE) == FACT_FAILED) someFailed = true;
    elements.append(slot, SLOT_BYTES);
  }
}
