/**
 * What a search may ask of what its answer may not say. A filter over text or metadata finds a chunk by a value that is
 * redacted in it, and a search that asks often enough reads the value from what is found. So chunks with a redaction in
 * what the filter names are not found by it; the filter may name no metadata but what the policy declares; and it is
 * refused where the number of results would still tell that one was left out.
 */
import { Bytes } from '../bytes';
import { readInteger } from '../json/scan';
import {
  NO_RECORD,
  RECORD_BYTES,
  RECORD_END,
  RECORD_ESCAPED,
  RECORD_KIND,
  RECORD_NEXT,
  RECORD_START,
  recordAt,
} from '../json/walk';
import * as P from '../protocol/places';
import * as F from '../protocol/store-filter';
import { deny } from '../session/denial';
import { hasFlag } from '../http/endpoint';
import { Session } from '../session/session-state';
import { asksOfAll } from './all-chunks';
import { filterOf } from './push-down';

/** How many more are fetched where chunks may be withheld afterwards, and the most in all. */
export const FETCH_FACTOR: i64 = 4;
export const FETCH_MAX: i64 = 200;

/** Notes what the search filters by; -1, or the action of a refusal. */
export function judgeFilters(s: Session): i32 {
  const filter = filterOf(s.store);
  const where = findRecord(s, P.PLACE_WHERE);
  const byText = findRecord(s, P.PLACE_WHERE_TEXT) != NO_RECORD;
  const byMetadata = where != NO_RECORD && load<u32>(recordAt(s.recordBytes(), where), RECORD_NEXT) > where + 1;
  s.isAsked = byText || byMetadata || findRecord(s, P.PLACE_COLUMN) != NO_RECORD;
  if (!byText && !byMetadata) return -1;
  if (asksOfAll(s)) return deny(s, 403, 'a search of this store cannot filter, for a rule reads all that is found');
  const redacts = load<u32>(filter, F.FILTER_TEXT) != 0;
  if (redacts && byMetadata && !namesDeclared(s, where, filter))
    return deny(s, 403, 'a filter may name only metadata that the policy declares, for a rule reads what chunks hold');
  s.asksText = redacts && byText;
  s.asksMetadata = redacts && byMetadata;
  if (load<u32>(filter, F.FILTER_LOOSE) == 0) return -1;
  if (hasFlag(s.endpoint, P.FLAG_ROWS)) {
    if (s.limit * FETCH_FACTOR > FETCH_MAX)
      return deny(s, 403, 'a search that filters may ask for 50 results at most, for a rule withholds some of them');
  } else if (s.limit >= 0 || hasOffset(s))
    return deny(s, 403, 'a filter cannot be joined with a limit or an offset, for a rule withholds some results');
  return -1;
}

function hasOffset(s: Session): bool {
  const i = findRecord(s, P.PLACE_OFFSET);
  if (i == NO_RECORD) return false;
  const r = recordAt(s.recordBytes(), i);
  const document = s.bodyBytes().ptr;
  return readInteger(document + load<u32>(r, RECORD_START), document + load<u32>(r, RECORD_END)) != 0;
}

/** Whether every key of the filter is an operator, or metadata of the store's declaration. */
function namesDeclared(s: Session, where: u32, filter: usize): bool {
  const records = s.recordBytes();
  const document = s.bodyBytes().ptr;
  const end = load<u32>(recordAt(records, where), RECORD_NEXT);
  for (let i = where + 1; i < end; i += 1) {
    const r = recordAt(records, i);
    if (<i32>load<u8>(r, RECORD_KIND) != P.PLACE_KEY) continue;
    if (load<u8>(r, RECORD_ESCAPED) != 0) return false;
    const key = document + load<u32>(r, RECORD_START) + 1;
    const length = load<u32>(r, RECORD_END) - load<u32>(r, RECORD_START) - 2;
    if (length > 0 && load<u8>(key) == 0x24) continue;
    if (!isDeclared(filter, key, length)) return false;
  }
  return true;
}

function isDeclared(filter: usize, key: usize, length: u32): bool {
  const count = load<u32>(filter, F.FILTER_KEYS);
  const keys = filter + load<u32>(filter, F.FILTER_KEYS + 4);
  for (let i: u32 = 0; i < count; i += 1) {
    const at = keys + (i << 3);
    if (load<u32>(at, 4) == length && memory.compare(filter + load<u32>(at), key, length) == 0) return true;
  }
  return false;
}

/** Whether an edit stands in [start, end); edits are sorted. */
export function isEdited(edits: Bytes, start: u32, end: u32): bool {
  let low: u32 = 0;
  let high = edits.len / 16;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(edits.ptr + (middle << 4)) < start) low = middle + 1;
    else high = middle;
  }
  return low < edits.len / 16 && load<u32>(edits.ptr + (low << 4)) < end;
}

/** Position of the first record of the kind, or NO_RECORD. */
export function findRecord(s: Session, kind: i32): u32 {
  const records = s.recordBytes();
  const count = records.len / RECORD_BYTES;
  for (let i: u32 = 0; i < count; i += 1) if (<i32>load<u8>(recordAt(records, i), RECORD_KIND) == kind) return i;
  return NO_RECORD;
}
