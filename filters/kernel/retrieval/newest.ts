/**
 * `keep newest`: of the chunks that pass, the store is asked for every version of their keys, and a chunk of which it
 * holds a higher version is withheld, whether that one was found by the search or not, and whether the caller may see
 * it or not. One rule of a store's table is asked at a time.
 */
import { bitOf } from '../bits';
import { ACTION_CALL, FACT_KNOWN, SLOT_AUX, SLOT_BYTES, SLOT_STATE, SLOT_VALUE } from '../abi';
import { Bytes } from '../bytes';
import { Arena, loadMetadata, newFacts } from '../decision/api';
import { FACT_TYPE, KIND_TEXT, RESULT_SITE, SITE_AT_FIRED, SITE_NODES, TYPE_KIND } from '../decision/layout';
import { factRecord } from '../decision/tables';
import { free } from '../memory';
import { appendEscaped } from '../json/escape';
import {
  RECORD_BYTES,
  RECORD_END,
  RECORD_KIND,
  RECORD_START,
  RECORD_TYPE,
  recordAt,
  TYPE_OBJECT,
  walk,
  WALK_OK,
} from '../json/walk';
import * as P from '../protocol/places';
import * as F from '../protocol/store-filter';
import { deny } from '../session/denial';
import { protocolSection, rootOf } from '../http/endpoint';
import { findGet } from './find-get';
import { put } from '../http/literal';
import { filterOf } from './push-down';
import { PHASE_CALL, Session } from '../session/session-state';
import { beginCall, putCollections } from './store-request';

// One a chunk that passes and to which the rule applies: u32 chunk, u32 address and u32 bytes of its key, u32 rule, i64
// version.
const ENTRY_BYTES: u32 = 24;
const ENTRY_KEY: usize = 4;
const ENTRY_KEY_BYTES: usize = 8;
const ENTRY_RULE: usize = 12;
const ENTRY_VERSION: usize = 16;

/** Different keys that one answer may be asked for. */
export const KEYS_MAX: u32 = 256;

export function beginNewest(s: Session): bool {
  changetype<Bytes>(s.versions).clear();
  s.keepRule = 0;
  return true;
}

/**
 * Notes the version of the chunk that was just decided, for each rule that fired for it. A chunk whose version or key
 * is not known has no place in an order: it is withheld by the caller of this.
 */
export function noteVersion(s: Session, chunk: u32): void {
  const table = filterOf(s.store);
  if (table == 0) return;
  const count = load<u32>(table, F.FILTER_KEEPS);
  const versions = changetype<Bytes>(s.versions);
  for (let k: u32 = 0; k < count; k += 1) {
    const keep = table + load<u32>(table, F.FILTER_KEEPS + 4) + k * F.KEEP_BYTES;
    if (!hasFired(s.result, table + load<u32>(keep), load<u32>(keep, 4))) continue;
    if (!versions.reserve(ENTRY_BYTES)) {
      s.failed = true;
      return;
    }
    const e = versions.ptr + versions.len;
    const key = s.facts + load<u32>(keep, F.KEEP_KEY) * SLOT_BYTES;
    const version = s.facts + load<u32>(keep, F.KEEP_VERSION) * SLOT_BYTES;
    const known =
      isText(load<u32>(keep, F.KEEP_KEY)) &&
      load<u8>(key, SLOT_STATE) == FACT_KNOWN &&
      load<u8>(version, SLOT_STATE) == FACT_KNOWN;
    store<u32>(e, chunk);
    store<u32>(e, known ? <u32>load<i64>(key, SLOT_VALUE) : 0, ENTRY_KEY);
    store<u32>(e, known ? load<u32>(key, SLOT_AUX) : 0, ENTRY_KEY_BYTES);
    store<u32>(e, k, ENTRY_RULE);
    store<i64>(e, known ? load<i64>(version, SLOT_VALUE) : i64.MIN_VALUE, ENTRY_VERSION);
    versions.len += ENTRY_BYTES;
  }
}

/** Whether some version has to be compared. Chunks without a version are withheld here. */
export function needsNewest(s: Session): bool {
  const versions = changetype<Bytes>(s.versions);
  let some = false;
  for (let at: u32 = 0; at < versions.len; at += ENTRY_BYTES) {
    const e = versions.ptr + at;
    if (load<i64>(e, ENTRY_VERSION) == i64.MIN_VALUE) withhold(s, load<u32>(e));
    else if (passes(s, load<u32>(e))) some = true;
  }
  return some;
}

/** What `askNewest` answers when every rule has been asked about. */
export const NOTHING_TO_ASK: i32 = -1;

/** Asks the store for all versions of the keys that the rule in hand applies to. An action, or NOTHING_TO_ASK. */
export function askNewest(s: Session): i32 {
  const table = filterOf(s.store);
  const count = load<u32>(table, F.FILTER_KEEPS);
  while (s.keepRule < count && !hasEntries(s, s.keepRule)) s.keepRule += 1;
  if (s.keepRule >= count) return NOTHING_TO_ASK;
  const keep = table + load<u32>(table, F.FILTER_KEEPS + 4) + s.keepRule * F.KEEP_BYTES;
  const id = s.captures + 16;
  const path = beginCall(s, s.store, 'POST');
  putCollections(s, path);
  path.append(<usize>load<u32>(id), load<u32>(id, 4));
  put(path, '/get');
  const body = changetype<Bytes>(s.out().callBody);
  put(body, '{"where":{"');
  appendEscaped(body, table + load<u32>(keep, F.KEEP_METADATA), load<u32>(keep, F.KEEP_METADATA + 4));
  put(body, '":{"$in":[');
  if (!putKeys(s, body))
    return deny(s, 502, "the store's answer holds chunks of more sources than this gateway compares");
  put(body, ']}},"include":["metadatas"]}');
  if (body.failed) return deny(s, 503, 'this gateway has no memory left for the reply');
  s.phase = PHASE_CALL;
  return ACTION_CALL;
}

/**
 * Takes the answer: chunks with a lower version than the highest of their key are withheld. Without an answer, all of
 * them are.
 */
export function answerNewest(s: Session, status: u32, ptr: usize, length: u32): void {
  const records = Bytes.create();
  const facts = newFacts();
  const arena = Arena.create();
  const ready = changetype<usize>(records) != 0 && facts != 0 && changetype<usize>(arena) != 0;
  const root = rootOf(findGet(), P.ENDPOINT_REPLY);
  const isRead = ready && status == 200 && walk(ptr, length, protocolSection(), root, records) == WALK_OK;
  if (isRead) compare(s, records, ptr, facts, arena);
  else withholdRule(s);
  if (changetype<usize>(records) != 0) records.destroy();
  if (changetype<usize>(arena) != 0) arena.destroy();
  free(facts);
  s.keepRule += 1;
}

function compare(s: Session, records: Bytes, document: usize, facts: usize, arena: Arena): void {
  const table = filterOf(s.store);
  const keep = table + load<u32>(table, F.FILTER_KEEPS + 4) + s.keepRule * F.KEEP_BYTES;
  const key = facts + load<u32>(keep, F.KEEP_KEY) * SLOT_BYTES;
  const version = facts + load<u32>(keep, F.KEEP_VERSION) * SLOT_BYTES;
  const count = records.len / RECORD_BYTES;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    if (<i32>load<u8>(r, RECORD_KIND) != P.PLACE_METADATA || load<u8>(r, RECORD_TYPE) != TYPE_OBJECT) continue;
    arena.release();
    loadMetadata(
      facts,
      arena,
      s.store,
      document + load<u32>(r, RECORD_START),
      load<u32>(r, RECORD_END) - load<u32>(r, RECORD_START),
    );
    if (load<u8>(key, SLOT_STATE) != FACT_KNOWN || load<u8>(version, SLOT_STATE) != FACT_KNOWN) continue;
    withholdBelow(s, <usize>load<i64>(key, SLOT_VALUE), load<u32>(key, SLOT_AUX), load<i64>(version, SLOT_VALUE));
  }
}

/** Withholds the chunks of the rule in hand that have this key and a lower version. */
function withholdBelow(s: Session, key: usize, bytes: u32, version: i64): void {
  const versions = changetype<Bytes>(s.versions);
  for (let at: u32 = 0; at < versions.len; at += ENTRY_BYTES) {
    const e = versions.ptr + at;
    if (load<u32>(e, ENTRY_RULE) != s.keepRule || load<i64>(e, ENTRY_VERSION) >= version) continue;
    if (load<u32>(e, ENTRY_KEY_BYTES) == bytes && memory.compare(<usize>load<u32>(e, ENTRY_KEY), key, bytes) == 0)
      withhold(s, load<u32>(e));
  }
}

/** Keys are texts: only those can be asked for and compared. */
function isText(fact: u32): bool {
  return <i32>load<u8>(factRecord(fact) + FACT_TYPE, TYPE_KIND) == KIND_TEXT;
}

function withholdRule(s: Session): void {
  const versions = changetype<Bytes>(s.versions);
  for (let at: u32 = 0; at < versions.len; at += ENTRY_BYTES) {
    const e = versions.ptr + at;
    if (load<u32>(e, ENTRY_RULE) == s.keepRule) withhold(s, load<u32>(e));
  }
}

function withhold(s: Session, chunk: u32): void {
  const verdicts = changetype<Bytes>(s.verdicts);
  if (chunk < verdicts.len) store<u8>(verdicts.ptr + chunk, 0);
}

function passes(s: Session, chunk: u32): bool {
  const verdicts = changetype<Bytes>(s.verdicts);
  return chunk < verdicts.len && load<u8>(verdicts.ptr + chunk) != 0;
}

function hasEntries(s: Session, rule: u32): bool {
  const versions = changetype<Bytes>(s.versions);
  for (let at: u32 = 0; at < versions.len; at += ENTRY_BYTES) {
    const e = versions.ptr + at;
    if (load<u32>(e, ENTRY_RULE) == rule && passes(s, load<u32>(e))) return true;
  }
  return false;
}

/** Appends the different keys of the rule in hand as JSON; false where there are too many. */
function putKeys(s: Session, body: Bytes): bool {
  const versions = changetype<Bytes>(s.versions);
  let written: u32 = 0;
  for (let at: u32 = 0; at < versions.len; at += ENTRY_BYTES) {
    const e = versions.ptr + at;
    if (load<u32>(e, ENTRY_RULE) != s.keepRule || !passes(s, load<u32>(e)) || isEarlier(s, at)) continue;
    if (written >= KEYS_MAX) return false;
    if (written > 0) body.push(0x2c);
    body.push(0x22);
    appendEscaped(body, <usize>load<u32>(e, ENTRY_KEY), load<u32>(e, ENTRY_KEY_BYTES));
    body.push(0x22);
    written += 1;
  }
  return true;
}

/** Whether an entry of the same rule before `to`, of a chunk that passes, has the same key. */
function isEarlier(s: Session, to: u32): bool {
  const versions = changetype<Bytes>(s.versions);
  const e = versions.ptr + to;
  for (let at: u32 = 0; at < to; at += ENTRY_BYTES) {
    const other = versions.ptr + at;
    if (
      load<u32>(other, ENTRY_RULE) != s.keepRule ||
      !passes(s, load<u32>(other)) ||
      load<u32>(other, ENTRY_KEY_BYTES) != load<u32>(e, ENTRY_KEY_BYTES)
    )
      continue;
    if (
      memory.compare(
        <usize>load<u32>(other, ENTRY_KEY),
        <usize>load<u32>(e, ENTRY_KEY),
        load<u32>(e, ENTRY_KEY_BYTES),
      ) == 0
    )
      return true;
  }
  return false;
}

/** Whether the rule of this name fired in the decision. */
function hasFired(result: usize, name: usize, length: u32): bool {
  const site = <usize>load<u32>(result, RESULT_SITE);
  if (site == 0) return false;
  const nodes = <usize>load<u32>(site, SITE_NODES);
  const count = load<u32>(site, SITE_NODES + 4);
  for (let i: u32 = 0; i < count; i += 1) {
    const node = nodes + (i << 3);
    if (load<u32>(node, 4) != length || memory.compare(<usize>load<u32>(node), name, length) != 0) continue;
    return (load<u64>(result + load<u32>(site, SITE_AT_FIRED) + ((i >> 6) << 3)) & bitOf(i)) != 0;
  }
  return false;
}
