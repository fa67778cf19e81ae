/**
 * The JSON walker: one pass over a document, driven by a protocol's tree of places. No tree of the document is built;
 * what comes out is one flat list of records, in document order, of the values that mean something. A value that no
 * place describes ends the walk; so does anything on which two JSON parsers may differ.
 */
import { Bytes } from '../bytes';
import {
  FLAG_KEYS,
  NODE_ARRAY,
  NODE_BOOL,
  NODE_ELEMENT,
  NODE_FLAGS,
  NODE_NAME,
  NODE_NULL,
  NODE_NUMBER,
  NODE_OBJECT,
  NODE_OTHERS,
  NODE_STRING,
  PLACE_ARRAY,
  PLACE_DENY,
  PLACE_KEY,
  PLACE_NUMBER,
  PLACE_PLAIN,
  PLACE_VECTOR,
} from '../protocol/places';
import { findField, fieldIndex, isTwin } from './keys';
import { numberDigits, scanNumber, scanString, skipSpace, stringBadUtf8, stringEscaped } from './scan';
import { appendUnescaped } from './unescape';

export const WALK_OK: i32 = 0;
export const WALK_SYNTAX: i32 = 1;
export const WALK_UTF8: i32 = 2;
export const WALK_DEPTH: i32 = 3;
export const WALK_DUPLICATE: i32 = 4;
/** A value stands where none may, or one of the wrong type: `walkPlace` names the place. */
export const WALK_REFUSED: i32 = 5;
/** An unknown key: `walkPlace` names the object. */
export const WALK_UNKNOWN_KEY: i32 = 6;
export const WALK_TOO_LARGE: i32 = 7;

export const DEPTH_MAX: u32 = 64;
/** Keys of one object whose keys are free. */
export const FREE_KEYS_MAX: u32 = 256;
/** Bytes of a key, unescaped. */
export const KEY_BYTES_MAX: u32 = 512;
/** A number with more digits can carry a card, an account or a phone number, and is scanned as text. */
export const PLAIN_DIGITS_MAX: u32 = 10;
/** Two quotes or brackets, and a comma. */
const FREE_VALUE_BYTES: u32 = 3;

// A record. `a` is the index in the nearest array around the value, `b` in the next one.
export const RECORD_BYTES: u32 = 32;
export const RECORD_KIND: usize = 0;
export const RECORD_TYPE: usize = 1;
export const RECORD_ESCAPED: usize = 2;
export const RECORD_START: usize = 4;
export const RECORD_END: usize = 8;
export const RECORD_NODE: usize = 12;
export const RECORD_A: usize = 16;
export const RECORD_B: usize = 20;
/** Position of the record of the nearest recorded container around, or NO_RECORD. */
export const RECORD_PARENT: usize = 24;
/** Of a container: position behind its last inner record. */
export const RECORD_NEXT: usize = 28;
export const NO_RECORD: u32 = 0xffffffff;

export const TYPE_STRING: u8 = 0;
export const TYPE_NUMBER: u8 = 1;
export const TYPE_BOOL: u8 = 2;
export const TYPE_NULL: u8 = 3;
export const TYPE_OBJECT: u8 = 4;
export const TYPE_ARRAY: u8 = 5;

/** The place at which the last walk ended (a node's address), 0 where the error is not one of places. */
export let walkPlace: usize = 0;
/**
 * Bytes that free JSON of the last walk has beside its strings: numbers, words, quotes, commas, brackets. A model is
 * billed for them, too.
 */
export let walkFreeBytes: u32 = 0;

const FRAME_BYTES: u32 = 56;
const FRAME_NODE: usize = 0;
const FRAME_IS_ARRAY: usize = 4;
const FRAME_INDEX: usize = 8;
const FRAME_RECORD: usize = 12;
const FRAME_PARENT: usize = 16;
const FRAME_KEYS: usize = 20;
const FRAME_A: usize = 24;
const FRAME_B: usize = 28;
const FRAME_SEEN: usize = 32;
/** Keys that were not in the object's table; only these are in the stack of key hashes. */
const FRAME_FREE: usize = 48;

const frames: usize = memory.data(65 * 56, 8);
/** Hashes of the free keys of the objects that are open; and the text of a key. */
let keyHashes: usize = 0;
let keyText: usize = 0;

/**
 * Walks [ptr, ptr + length) from `root` (a node's address; `section` is its table's). Records are appended; a WALK_*
 * code comes back.
 */
export function walk(ptr: usize, length: u32, section: usize, root: usize, records: Bytes): i32 {
  walkPlace = 0;
  walkFreeBytes = 0;
  if (keyHashes == 0) {
    keyHashes = changetype<usize>(Bytes.create());
    keyText = changetype<usize>(Bytes.create());
    if (keyHashes == 0 || keyText == 0) {
      keyHashes = 0;
      return WALK_TOO_LARGE;
    }
  }
  const hashes = changetype<Bytes>(keyHashes);
  hashes.clear();
  const end = ptr + length;
  let p = ptr;
  let node = root;
  let depth: u32 = 0;
  let a: u32 = 0;
  let b: u32 = 0;
  let parent: u32 = NO_RECORD;

  while (true) {
    // A value, at `node`.
    p = skipSpace(p, end);
    if (p >= end) return WALK_SYNTAX;
    const c = <u32>load<u8>(p);
    let opened = false;
    const isFree = (load<u8>(node + NODE_FLAGS) & FLAG_KEYS) != 0;
    if (isFree) walkFreeBytes += FREE_VALUE_BYTES;
    if (c == 0x22) {
      const q = scanString(p, end);
      if (q == 0) return stringBadUtf8 ? WALK_UTF8 : WALK_SYNTAX;
      const kind = <i32>load<u8>(node + NODE_STRING);
      if (kind == PLACE_DENY) return refused(node);
      if (kind != PLACE_PLAIN) record(records, kind, TYPE_STRING, stringEscaped, ptr, p, q, node, a, b, parent);
      p = q;
    } else if (c == 0x7b || c == 0x5b) {
      const isArray = c == 0x5b;
      const kind = <i32>load<u8>(node + (isArray ? NODE_ARRAY : NODE_OBJECT));
      if (kind == PLACE_DENY) return refused(node);
      if (depth >= DEPTH_MAX) return WALK_DEPTH;
      const frame = frames + depth * FRAME_BYTES;
      memory.fill(frame, 0, FRAME_BYTES);
      store<u32>(frame, <u32>node, FRAME_NODE);
      store<u8>(frame, isArray ? 1 : 0, FRAME_IS_ARRAY);
      store<u32>(frame, parent, FRAME_PARENT);
      store<u32>(frame, hashes.len, FRAME_KEYS);
      store<u32>(frame, a, FRAME_A);
      store<u32>(frame, b, FRAME_B);
      store<u32>(frame, NO_RECORD, FRAME_RECORD);
      if (kind > PLACE_ARRAY) {
        const position = records.len / RECORD_BYTES;
        record(records, kind, isArray ? TYPE_ARRAY : TYPE_OBJECT, false, ptr, p, p, node, a, b, parent);
        store<u32>(frame, position, FRAME_RECORD);
        parent = position;
      }
      depth += 1;
      if (isArray) {
        b = a;
        a = 0;
      }
      p += 1;
      opened = true;
    } else if (c == 0x2d || c - 0x30 <= 9) {
      const q = scanNumber(p, end);
      if (q == 0) return WALK_SYNTAX;
      let kind = <i32>load<u8>(node + NODE_NUMBER);
      if (kind == PLACE_DENY) return refused(node);
      if (kind == PLACE_PLAIN && numberDigits > PLAIN_DIGITS_MAX) kind = PLACE_NUMBER;
      if (isFree) walkFreeBytes += <u32>(q - p);
      if (kind > PLACE_VECTOR) record(records, kind, TYPE_NUMBER, false, ptr, p, q, node, a, b, parent);
      p = q;
    } else {
      const n = literalBytes(p, end);
      if (n == 0) return WALK_SYNTAX;
      const isNull = c == 0x6e;
      const kind = <i32>load<u8>(node + (isNull ? NODE_NULL : NODE_BOOL));
      if (kind == PLACE_DENY) return refused(node);
      if (isFree) walkFreeBytes += n;
      if (kind != PLACE_PLAIN)
        record(records, kind, isNull ? TYPE_NULL : TYPE_BOOL, false, ptr, p, p + n, node, a, b, parent);
      p += n;
    }
    if (records.failed || hashes.failed) return WALK_TOO_LARGE;

    // What follows a value, or what stands first in a container.
    while (true) {
      if (depth == 0) {
        p = skipSpace(p, end);
        return p == end ? WALK_OK : WALK_SYNTAX;
      }
      const frame = frames + (depth - 1) * FRAME_BYTES;
      const isArray = load<u8>(frame, FRAME_IS_ARRAY) != 0;
      const holder = <usize>load<u32>(frame, FRAME_NODE);
      p = skipSpace(p, end);
      if (p >= end) return WALK_SYNTAX;
      const d = <u32>load<u8>(p);
      if (d == (isArray ? 0x5d : 0x7d)) {
        p += 1;
        const own = load<u32>(frame, FRAME_RECORD);
        if (own != NO_RECORD) {
          const r = records.ptr + own * RECORD_BYTES;
          store<u32>(r, <u32>(p - ptr), RECORD_END);
          store<u32>(r, records.len / RECORD_BYTES, RECORD_NEXT);
        }
        parent = load<u32>(frame, FRAME_PARENT);
        a = load<u32>(frame, FRAME_A);
        b = load<u32>(frame, FRAME_B);
        hashes.len = load<u32>(frame, FRAME_KEYS);
        depth -= 1;
        opened = false;
        continue;
      }
      if (!opened) {
        if (d != 0x2c) return WALK_SYNTAX;
        p = skipSpace(p + 1, end);
        if (isArray) a += 1;
      }
      if (isArray) {
        node = child(section, holder, NODE_ELEMENT);
        if (node == 0) return refused(holder);
        break;
      }
      if (p >= end || load<u8>(p) != 0x22) return WALK_SYNTAX;
      const q = scanString(p, end);
      if (q == 0) return stringBadUtf8 ? WALK_UTF8 : WALK_SYNTAX;
      let key = p + 1;
      let keyBytes = <u32>(q - p - 2);
      const keyEscaped = stringEscaped;
      if (keyEscaped) {
        const text = changetype<Bytes>(keyText);
        text.clear();
        appendUnescaped(text, p + 1, q - 1);
        if (text.failed) return WALK_TOO_LARGE;
        key = text.ptr;
        keyBytes = text.len;
      }
      if (keyBytes > KEY_BYTES_MAX) return unknownKey(holder);
      node = findField(section, holder, key, keyBytes);
      if (node != 0) {
        const bit = fieldIndex;
        const word = frame + FRAME_SEEN + ((bit >> 6) << 3);
        const mask = (<u64>1) << (bit & 63);
        if ((load<u64>(word) & mask) != 0) return WALK_DUPLICATE;
        store<u64>(word, load<u64>(word) | mask);
      } else {
        if (isTwin(section, holder, key, keyBytes)) return WALK_DUPLICATE;
        node = child(section, holder, NODE_OTHERS);
        if (node == 0) return unknownKey(holder);
        const before = load<u32>(frame, FRAME_FREE);
        if (before >= FREE_KEYS_MAX) return WALK_TOO_LARGE;
        store<u32>(frame, before + 1, FRAME_FREE);
        if (!addHash(hashes, load<u32>(frame, FRAME_KEYS), key, keyBytes))
          return hashes.failed ? WALK_TOO_LARGE : WALK_DUPLICATE;
        if ((load<u8>(holder + NODE_FLAGS) & FLAG_KEYS) != 0)
          record(records, PLACE_KEY, TYPE_STRING, keyEscaped, ptr, p, q, holder, a, b, parent);
      }
      p = skipSpace(q, end);
      if (p >= end || load<u8>(p) != 0x3a) return WALK_SYNTAX;
      p += 1;
      break;
    }
  }
}

/** Address of the record at `position`. */
export function recordAt(records: Bytes, position: u32): usize {
  return records.ptr + position * RECORD_BYTES;
}

/** Address and length of a place's name for people. */
export function placeName(section: usize, node: usize): usize {
  return section + load<u32>(node, NODE_NAME);
}

function record(
  records: Bytes,
  kind: i32,
  type: u8,
  escaped: bool,
  base: usize,
  start: usize,
  end: usize,
  node: usize,
  a: u32,
  b: u32,
  parent: u32,
): void {
  if (!records.reserve(RECORD_BYTES)) return;
  const r = records.ptr + records.len;
  store<u8>(r, <u8>kind, RECORD_KIND);
  store<u8>(r, type, RECORD_TYPE);
  store<u16>(r, escaped ? 1 : 0, RECORD_ESCAPED);
  store<u32>(r, <u32>(start - base), RECORD_START);
  store<u32>(r, <u32>(end - base), RECORD_END);
  store<u32>(r, <u32>node, RECORD_NODE);
  store<u32>(r, a, RECORD_A);
  store<u32>(r, b, RECORD_B);
  store<u32>(r, parent, RECORD_PARENT);
  store<u32>(r, 0, RECORD_NEXT);
  records.len += RECORD_BYTES;
}

function child(section: usize, node: usize, field: usize): usize {
  const offset = load<u32>(node + field);
  return offset == 0 ? 0 : section + offset;
}

function refused(node: usize): i32 {
  walkPlace = node;
  return WALK_REFUSED;
}

function unknownKey(node: usize): i32 {
  walkPlace = node;
  return WALK_UNKNOWN_KEY;
}

/** Bytes of `true`, `false` or `null` at `p`, or 0. */
function literalBytes(p: usize, end: usize): u32 {
  if (p + 4 > end) return 0;
  const w = load<u32>(p);
  if (w == 0x65757274 || w == 0x6c6c756e) return 4;
  return w == 0x736c6166 && p + 5 <= end && load<u8>(p + 4) == 0x65 ? 5 : 0;
}

/**
 * Adds the hash of a key to those behind `from`; false where it is there already (or memory is exhausted: then
 * `failed`). A collision refuses a body that is fine, never the other way.
 */
function addHash(hashes: Bytes, from: u32, key: usize, length: u32): bool {
  let h: u64 = 0xcbf29ce484222325;
  for (let i: u32 = 0; i < length; i += 1) h = (h ^ (<u64>load<u8>(key + i))) * 0x100000001b3;
  for (let at = from; at < hashes.len; at += 8) {
    if (load<u64>(hashes.ptr + at) == h) return false;
  }
  if (!hashes.reserve(8)) return false;
  store<u64>(hashes.ptr + hashes.len, h);
  hashes.len += 8;
  return true;
}
