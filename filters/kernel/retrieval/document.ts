/** One document of a store, found or to be stored: the facts of its metadata, and what is found in its text. */
import { FACT_TEXT_FOUND, FACT_TEXT_FOUND_RESTORED } from '../abi';
import { Bytes } from '../bytes';
import { Arena, loadMetadata, setBits } from '../decision/api';
import { MODE_FIXED, MODE_TEXT } from '../edit/segment';
import { scanAlone } from '../edit/texts';
import { NO_RECORD, RECORD_END, RECORD_KIND, RECORD_START, RECORD_TYPE, recordAt, TYPE_OBJECT } from '../json/walk';
import { NO_MESSAGE } from '../prompt/messages';
import * as P from '../protocol/places';
import { Session } from '../session/session-state';
import { after, cellAt, COLUMNS } from './columns';

const EMPTY_OBJECT: usize = memory.data<u8>([0x7b, 0x7d]);

/** Place of its metadata in the body, 0 bytes where it has none. */
export let metadataStart: u32 = 0;
export let metadataBytes: u32 = 0;

/** Sets the facts of the metadata of the document at which the columns stand. */
export function readMetadata(s: Session): void {
  const document = s.bodyBytes().ptr;
  const at = cellAt(P.COLUMN_METADATAS);
  metadataStart = 0;
  metadataBytes = 0;
  if (at != NO_RECORD) {
    const r = recordAt(s.recordBytes(), at);
    if (load<u8>(r, RECORD_TYPE) == TYPE_OBJECT) {
      metadataStart = load<u32>(r, RECORD_START);
      metadataBytes = load<u32>(r, RECORD_END) - metadataStart;
    }
  }
  const metadata = metadataBytes == 0 ? EMPTY_OBJECT : document + metadataStart;
  loadMetadata(s.facts, changetype<Arena>(s.arena), s.store, metadata, metadataBytes == 0 ? 2 : metadataBytes);
}

/** Reads the document at which the columns stand. What was found in the one before is forgotten. */
export function readDocument(s: Session): void {
  const document = s.bodyBytes().ptr;
  readMetadata(s);
  changetype<Bytes>(s.segments).clear();
  changetype<Bytes>(s.hits).clear();
  changetype<Bytes>(s.groups).clear();
  s.foundLow = 0;
  s.foundHigh = 0;
  const isReply = s.isReply;
  s.isReply = false;
  for (let c: u32 = 1; c < COLUMNS; c += 1) {
    const from = cellAt(c);
    if (from == NO_RECORD) continue;
    const end = after(s, from);
    for (let i = from; i < end; i += 1) scanCell(s, document, i);
  }
  s.isReply = isReply;
  setBits(s.facts, FACT_TEXT_FOUND, s.foundLow, s.foundHigh);
  setBits(s.facts, FACT_TEXT_FOUND_RESTORED, s.foundLow, s.foundHigh);
}

function scanCell(s: Session, document: usize, i: u32): void {
  const r = recordAt(s.recordBytes(), i);
  const kind = <i32>load<u8>(r, RECORD_KIND);
  if (kind == P.PLACE_CHUNK_TEXT || kind == P.PLACE_LOCAL || kind == P.PLACE_TEXT)
    scanAlone(s, document, r, MODE_TEXT, NO_MESSAGE);
  else if (kind == P.PLACE_KEY || kind == P.PLACE_CHUNK_ID || kind == P.PLACE_NUMBER)
    scanAlone(s, document, r, MODE_FIXED, NO_MESSAGE);
}
