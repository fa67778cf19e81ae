/**
 * A search, or a read by id: the store is found, the policy decides on the request, and what of it the store can filter
 * by itself is joined with the caller's own filter. What comes back is verified chunk by chunk (chunks.ts), whatever
 * the store made of it.
 */
import { EVENT_RETRIEVAL, FACT_RETRIEVAL_LIMIT } from '../abi';
import { Bytes } from '../bytes';
import { isAllowed, setUnknown, setValue } from '../decision/api';
import { appendNumber } from '../json/escape';
import { readInteger } from '../json/scan';
import {
  NO_RECORD,
  RECORD_BYTES,
  RECORD_END,
  RECORD_KIND,
  RECORD_NEXT,
  RECORD_NODE,
  RECORD_START,
  recordAt,
} from '../json/walk';
import * as P from '../protocol/places';
import { FILTER_LOOSE, FILTER_READS, FILTER_TEXT } from '../protocol/store-filter';
import { deny, denyByPolicy, denyTooLarge } from '../session/denial';
import { FETCH_FACTOR, FETCH_MAX, findRecord as find, judgeFilters } from './asked';
import { asksOfAll } from './all-chunks';
import { onVersions } from './chunks';
import { addEdit } from '../edit/edits';
import { eventOf, hasFlag } from '../http/endpoint';
import { askForIngest, decideIngest } from './ingest';
import { insertField } from './insert-field';
import { needsReceipt } from '../receipts/given';
import { is, put } from '../http/literal';
import { appendPolicyFilter, filterOf } from './push-down';
import { decideEvent } from '../session/record';
import { sendRequest } from '../session/send-request';
import { Session } from '../session/session-state';
import { askCollection, findStore, readStoreRequest, takeCollection } from './store-request';

/** Chunks that a search may ask for. */
export const LIMIT_MAX: i64 = 1_000;
/** What a search asks for where it says nothing: the store's own default. */
const LIMIT_DEFAULT: i64 = 10;

const METADATAS: string = 'metadatas';
const DOCUMENTS: string = 'documents';

export function onRetrieval(s: Session): i32 {
  const refused = readStoreRequest(s);
  if (refused >= 0) return refused;
  if (s.failed) return denyTooLarge(s);
  const limit = limitOf(s);
  if (limit < -1) return deny(s, 400, 'the number of results is none that this gateway reads');
  s.limit = limit;
  return findStore(s) ? decideRetrieval(s) : askForRetrieval(s);
}

/** Takes a store's answer, to whichever question. */
export function answerCall(s: Session, status: u32, ptr: usize, length: u32): i32 {
  if (s.isReply) return onVersions(s, status, ptr, length);
  takeCollection(s, status, ptr, length);
  const isIngest = eventOf(s.endpoint) == P.ENDPOINT_INGEST;
  if (findStore(s)) return isIngest ? decideIngest(s) : decideRetrieval(s);
  return isIngest ? askForIngest(s) : askForRetrieval(s);
}

function askForRetrieval(s: Session): i32 {
  const action = askCollection(s);
  return action >= 0 ? action : deny(s, 403, 'no store of the policy has this collection');
}

function decideRetrieval(s: Session): i32 {
  const unsigned = needsReceipt(s);
  if (unsigned >= 0) return unsigned;
  if (s.limit >= 0) setValue(s.facts, FACT_RETRIEVAL_LIMIT, s.limit);
  else setUnknown(s.facts, FACT_RETRIEVAL_LIMIT);
  decideEvent(s, EVENT_RETRIEVAL, s.store);
  if (!isAllowed(s.result)) return denyByPolicy(s, 403);
  // A search's own text is not redacted: it goes to the store, and would find something else.
  changetype<Bytes>(s.edits).clear();
  const filter = filterOf(s.store);
  // A store of whose chunks no rule speaks gives none.
  if (filter == 0) return deny(s, 403, 'no rule of the policy speaks of this collection');
  const refused = judgeFilters(s);
  if (refused >= 0) return refused;
  joinFilter(s);
  const reads = load<u32>(filter, FILTER_READS) != 0;
  if (reads || s.asksMetadata) s.dropMetadata = !includes(s, METADATAS);
  const isLoose = reads || load<u32>(filter, FILTER_LOOSE) != 0;
  // All chunks of the answer are those that the client asked for.
  if (isLoose && !asksOfAll(s) && hasFlag(s.endpoint, P.FLAG_ROWS)) fetchMore(s);
  if (load<u32>(filter, FILTER_TEXT) != 0) s.dropDocuments = !includes(s, DOCUMENTS);
  include(s);
  if (changetype<Bytes>(s.edits).failed || replacements(s).failed) return denyTooLarge(s);
  return sendRequest(s);
}

/** The number of results asked for, -1 where none is given, -2 where it is none that can be. */
function limitOf(s: Session): i64 {
  const i = find(s, P.PLACE_LIMIT);
  if (i == NO_RECORD) return -1;
  const r = recordAt(s.recordBytes(), i);
  const document = s.bodyBytes().ptr;
  const n = readInteger(document + load<u32>(r, RECORD_START), document + load<u32>(r, RECORD_END));
  return n < 0 || n > LIMIT_MAX ? -2 : n;
}

/** The caller's filter and the policy's, both. */
function joinFilter(s: Session): void {
  const out = replacements(s);
  const at = out.len;
  const i = find(s, P.PLACE_WHERE);
  if (i == NO_RECORD) {
    const empty = findEmpty(s, P.NODE_OBJECT, P.PLACE_WHERE);
    if (empty == NO_RECORD) {
      put(out, '"where":');
      if (!appendPolicyFilter(s, out)) {
        out.len = at;
        return;
      }
      return insertField(s, at);
    }
    if (appendPolicyFilter(s, out)) replace(s, empty, at);
    return;
  }
  const r = recordAt(s.recordBytes(), i);
  const start = load<u32>(r, RECORD_START);
  const length = load<u32>(r, RECORD_END) - start;
  const isEmpty = load<u32>(r, RECORD_NEXT) == i + 1;
  if (!isEmpty) {
    put(out, '{"$and":[');
    out.append(s.bodyBytes().ptr + start, length);
    out.push(0x2c);
  }
  if (!appendPolicyFilter(s, out)) {
    out.len = at;
    return;
  }
  if (!isEmpty) put(out, ']}');
  replace(s, i, at);
}

/** Whether the client asked for the column; without a list, both that rules read come. */
function includes(s: Session, column: string): bool {
  const i = find(s, P.PLACE_INCLUDE_LIST);
  if (i == NO_RECORD) return true;
  const records = s.recordBytes();
  const document = s.bodyBytes().ptr;
  const end = load<u32>(recordAt(records, i), RECORD_NEXT);
  for (let j = i + 1; j < end; j += 1) {
    const r = recordAt(records, j);
    const length = load<u32>(r, RECORD_END) - load<u32>(r, RECORD_START) - 2;
    if (
      <i32>load<u8>(r, RECORD_KIND) == P.PLACE_INCLUDE &&
      is(document + load<u32>(r, RECORD_START) + 1, length, column)
    )
      return true;
  }
  return false;
}

/** What rules read is needed to verify, whether the caller wants it or not. */
function include(s: Session): void {
  if (!s.dropMetadata && !s.dropDocuments) return;
  const i = find(s, P.PLACE_INCLUDE_LIST);
  const r = recordAt(s.recordBytes(), i);
  const out = replacements(s);
  const at = out.len;
  if (s.dropMetadata) put(out, '"metadatas"');
  if (s.dropMetadata && s.dropDocuments) out.push(0x2c);
  if (s.dropDocuments) put(out, '"documents"');
  if (load<u32>(r, RECORD_NEXT) > i + 1) out.push(0x2c);
  addEdit(changetype<Bytes>(s.edits), load<u32>(r, RECORD_START) + 1, 0, at, out.len - at);
}

/** More chunks than asked for, so that enough are left when some are withheld. */
function fetchMore(s: Session): void {
  const wanted = s.limit < 0 ? LIMIT_DEFAULT : s.limit;
  const more = wanted * FETCH_FACTOR < FETCH_MAX ? wanted * FETCH_FACTOR : FETCH_MAX;
  s.keepMost = wanted;
  if (more <= wanted) return;
  const out = replacements(s);
  const at = out.len;
  const i = find(s, P.PLACE_LIMIT);
  const empty = findEmpty(s, P.NODE_NUMBER, P.PLACE_LIMIT);
  if (i == NO_RECORD && empty == NO_RECORD) put(out, '"n_results":');
  appendNumber(out, more);
  if (i != NO_RECORD) replace(s, i, at);
  else if (empty != NO_RECORD) replace(s, empty, at);
  else insertField(s, at);
}

/** A null at the place that takes `kind` for its values of the JSON type at `field`. */
function findEmpty(s: Session, field: usize, kind: i32): u32 {
  const records = s.recordBytes();
  const count = records.len / RECORD_BYTES;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    if (
      <i32>load<u8>(r, RECORD_KIND) == P.PLACE_EMPTY &&
      <i32>load<u8>(<usize>load<u32>(r, RECORD_NODE) + field) == kind
    )
      return i;
  }
  return NO_RECORD;
}

function replace(s: Session, i: u32, at: u32): void {
  const r = recordAt(s.recordBytes(), i);
  const start = load<u32>(r, RECORD_START);
  addEdit(changetype<Bytes>(s.edits), start, load<u32>(r, RECORD_END) - start, at, replacements(s).len - at);
}

function replacements(s: Session): Bytes {
  return changetype<Bytes>(s.replacements);
}
