/** What searches and writes have in common: the body is walked, the store is found, its texts are scanned. */
import { ACTION_CALL, T_STORES } from '../abi';
import { Bytes } from '../bytes';
import { storeCount, storeRecord } from '../decision/api';
import { STORE_COLLECTION } from '../decision/layout';
import { section } from '../decision/tables';
import { RECORD_BYTES, RECORD_KIND, recordAt, walk, WALK_OK } from '../json/walk';
import * as P from '../protocol/places';
import { knownStore, rememberCollection } from './collections';
import { denyWalk } from '../session/denial';
import { protocolSection, rootOf } from '../http/endpoint';
import { put } from '../http/literal';
import { setFound, NO_MESSAGE } from '../prompt/messages';
import { MODE_FIXED, MODE_TEXT } from '../edit/segment';
import { PHASE_CALL, Session } from '../session/session-state';
import { clearTexts, scanAlone } from '../edit/texts';

/** Walks the body and scans its texts; -1, or the action of a refusal. */
export function readStoreRequest(s: Session): i32 {
  const body = s.bodyBytes();
  const records = s.recordBytes();
  records.clear();
  const code = walk(body.ptr, body.len, protocolSection(), rootOf(s.endpoint, P.ENDPOINT_REQUEST), records);
  if (code != WALK_OK) return denyWalk(s, code, "the request's body");
  clearTexts(s);
  const count = records.len / RECORD_BYTES;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    const kind = <i32>load<u8>(r, RECORD_KIND);
    if (kind == P.PLACE_TEXT || kind == P.PLACE_LOCAL) scanAlone(s, body.ptr, r, MODE_TEXT, NO_MESSAGE);
    else if (kind == P.PLACE_KEY || kind == P.PLACE_NUMBER) scanAlone(s, body.ptr, r, MODE_FIXED, NO_MESSAGE);
  }
  setFound(s);
  return -1;
}

/** The store of the path's collection, if its id is known. */
export function findStore(s: Session): bool {
  const id = s.captures + 16;
  s.store = knownStore(<usize>load<u32>(id), load<u32>(id, 4), s.now);
  return s.store >= 0;
}

/** Asks for the next declared collection by name: ACTION_CALL, or -1 when all were asked. */
export function askCollection(s: Session): i32 {
  if (section(T_STORES) == 0) return -1;
  const count = storeCount();
  while (s.callStore < count) {
    const name = storeRecord(s.callStore) + STORE_COLLECTION;
    if (isPathSegment(<usize>load<u32>(name), load<u32>(name, 4))) break;
    s.callStore += 1;
  }
  if (s.callStore >= count) return -1;
  const name = storeRecord(s.callStore) + STORE_COLLECTION;
  const path = beginCall(s, s.callStore, 'GET');
  putCollections(s, path);
  path.append(<usize>load<u32>(name), load<u32>(name, 4));
  s.phase = PHASE_CALL;
  return ACTION_CALL;
}

/** Takes the answer to `askCollection`. */
export function takeCollection(s: Session, status: u32, ptr: usize, length: u32): void {
  if (status == 200) rememberCollection(s.callStore, ptr, length, s.now);
  s.callStore += 1;
}

/** Begins a call to a store; answers the run of its path. */
export function beginCall(s: Session, position: u32, method: string): Bytes {
  const o = s.out();
  o.callStore = position;
  const verb = changetype<Bytes>(o.callMethod);
  verb.clear();
  put(verb, method);
  changetype<Bytes>(o.callBody).clear();
  const path = changetype<Bytes>(o.callPath);
  path.clear();
  return path;
}

/** Appends `/api/v2/tenants/T/databases/D/collections/`, of the request's own path. */
export function putCollections(s: Session, path: Bytes): void {
  put(path, '/api/v2/tenants/');
  path.append(<usize>load<u32>(s.captures), load<u32>(s.captures, 4));
  put(path, '/databases/');
  path.append(<usize>load<u32>(s.captures, 8), load<u32>(s.captures, 12));
  put(path, '/collections/');
}

function isPathSegment(p: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i += 1) {
    const c = <u32>load<u8>(p + i);
    if (!(c - 0x30 <= 9 || c - 0x41 <= 25 || c - 0x61 <= 25 || c == 0x2e || c == 0x5f || c == 0x2d)) return false;
  }
  return length > 0;
}
