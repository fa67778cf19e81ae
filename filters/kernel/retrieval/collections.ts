/**
 * Which store of the policy a collection's id is: the store is asked for each declared collection by name, and the
 * answer is remembered for a while. This is the one thing that outlives a session. An id that no declared collection
 * has is unknown, and refused.
 */
import { RECORD_BYTES, RECORD_END, RECORD_KIND, RECORD_START, recordAt, walk, WALK_OK } from '../json/walk';
import { Bytes } from '../bytes';
import {
  ENDPOINT_BYTES,
  ENDPOINT_REPLY,
  ENDPOINTS,
  FLAG_BY_NAME,
  PLACE_COLLECTION_ID,
  PLACE_COLLECTION_NAME,
} from '../protocol/places';
import { storeRecord } from '../decision/api';
import { STORE_COLLECTION } from '../decision/layout';
import { hasFlag, protocolSection, rootOf } from '../http/endpoint';

/** Ids remembered; the oldest place is taken again. */
export const COLLECTIONS_MAX: u32 = 64;
/** A renamed or re-created collection is known after that. Milliseconds. */
export const COLLECTION_AGE_MAX: i64 = 60_000;
/** A UUID in its usual form. */
const ID_BYTES: u32 = 36;

const ENTRY_BYTES: u32 = 56;
const ENTRY_STORE: usize = 40;
const ENTRY_UNTIL: usize = 48;
const entries: usize = memory.data(64 * 56, 8);
let next: u32 = 0;

/** Position of the store that the id is known to be, or -1. */
export function knownStore(id: usize, length: u32, now: i64): i32 {
  if (length != ID_BYTES) return -1;
  for (let i: u32 = 0; i < COLLECTIONS_MAX; i += 1) {
    const e = entries + i * ENTRY_BYTES;
    if (load<i64>(e, ENTRY_UNTIL) > now && memory.compare(e, id, ID_BYTES) == 0) return load<i32>(e, ENTRY_STORE);
  }
  return -1;
}

/** Takes a store's answer to the question which collection has the name of the policy's store at `position`. */
export function rememberCollection(position: u32, ptr: usize, length: u32, now: i64): void {
  const root = replyRoot();
  const records = Bytes.create();
  if (root == 0 || changetype<usize>(records) == 0) return;
  if (walk(ptr, length, protocolSection(), root, records) == WALK_OK) {
    let id: usize = 0;
    let named = false;
    const wanted = storeRecord(position) + STORE_COLLECTION;
    const count = records.len / RECORD_BYTES;
    for (let i: u32 = 0; i < count; i += 1) {
      const r = recordAt(records, i);
      const kind = <i32>load<u8>(r, RECORD_KIND);
      const bytes = load<u32>(r, RECORD_END) - load<u32>(r, RECORD_START) - 2;
      const text = ptr + load<u32>(r, RECORD_START) + 1;
      if (kind == PLACE_COLLECTION_ID && bytes == ID_BYTES) id = text;
      if (kind == PLACE_COLLECTION_NAME)
        named = bytes == load<u32>(wanted, 4) && memory.compare(text, <usize>load<u32>(wanted), bytes) == 0;
    }
    if (id != 0 && named) remember(id, position, now);
  }
  records.destroy();
}

function remember(id: usize, position: u32, now: i64): void {
  let e: usize = 0;
  for (let i: u32 = 0; i < COLLECTIONS_MAX; i += 1) {
    const other = entries + i * ENTRY_BYTES;
    if (memory.compare(other, id, ID_BYTES) == 0) e = other;
  }
  if (e == 0) {
    e = entries + next * ENTRY_BYTES;
    next = (next + 1) % COLLECTIONS_MAX;
  }
  memory.copy(e, id, ID_BYTES);
  store<i32>(e, position, ENTRY_STORE);
  store<i64>(e, now + COLLECTION_AGE_MAX, ENTRY_UNTIL);
}

/** Where the answer to a look-up by name is read from. */
function replyRoot(): usize {
  const table = protocolSection();
  const count = load<u32>(table);
  for (let i: u32 = 0; i < count; i += 1) {
    const e = table + ENDPOINTS + i * ENDPOINT_BYTES;
    if (hasFlag(e, FLAG_BY_NAME)) return rootOf(e, ENDPOINT_REPLY);
  }
  return 0;
}
