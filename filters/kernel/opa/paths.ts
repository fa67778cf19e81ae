/**
 * Setting and removing what stands at a path of an object, as hosts do with `data`. The policy reads none of it:
 * everything that it decides by is compiled in or in the input.
 */
import {
  broken,
  openDocument,
  peek,
  position,
  readText,
  rewind,
  skipValue,
  takes,
  textAt,
  textBytes,
} from '../decision/json-document';
import { sameBytes } from '../decision/tables';
import { Heap, heap, heapTop } from './heap';
import { lengthOf, setTextOf, textOf } from './values';

export const ERROR_NONE: i32 = 0;
const ERROR_TYPE: i32 = 2;
const ERROR_PATH: i32 = 3;
const PATH_KEYS_MAX: u32 = 64;

/** Keys of the path: address and bytes of each, unescaped, then of its JSON text. */
const KEY_BYTES: u32 = 16;
let keys: usize = 0;
let keyCount: u32 = 0;

/** Where in the object's text something is cut out; and how far the path exists. */
let cutFrom: usize = 0;
let cutTo: usize = 0;
let found: u32 = 0;
let isEmptyObject: bool = false;

export function addPath(base: usize, path: usize, value: usize): i32 {
  const error = locate(base, path, false);
  if (error != ERROR_NONE) return error;
  const out = heap();
  const start = heapTop();
  out.append(textOf(base), <u32>(cutFrom - textOf(base)));
  // What is missing of the path becomes objects of one key.
  for (let at = found; at < keyCount; at++) {
    if (at > found) out.push(0x7b);
    out.append(load<u32>(keys + at * KEY_BYTES, 8), load<u32>(keys + at * KEY_BYTES, 12));
    out.push(0x3a);
  }
  out.append(textOf(value), lengthOf(value));
  for (let at = found + 1; at < keyCount; at++) out.push(0x7d);
  if (found < keyCount && !isEmptyObject) out.push(0x2c);
  return finish(base, start);
}

export function removePath(base: usize, path: usize): i32 {
  const error = locate(base, path, true);
  if (error != ERROR_NONE) return error;
  if (found < keyCount) return ERROR_NONE;
  const start = heapTop();
  heap().append(textOf(base), <u32>(cutFrom - textOf(base)));
  return finish(base, start);
}

/** Appends what stands behind the cut; the new text begins at `start`. */
function finish(base: usize, start: usize): i32 {
  heap().append(cutTo, <u32>(textOf(base) + lengthOf(base) - cutTo));
  setTextOf(base, start, <u32>(heapTop() - start));
  return ERROR_NONE;
}

/**
 * Finds the path's value (with its key and comma, for removing it), or the place behind the brace of the object that
 * lacks the next key.
 */
function locate(base: usize, path: usize, whole: bool): i32 {
  if (base == 0 || path == 0 || !readKeys(path)) return ERROR_PATH;
  openDocument(textOf(base), lengthOf(base));
  found = 0;
  while (found < keyCount) {
    if (!takes(0x7b)) return ERROR_TYPE;
    cutFrom = position();
    cutTo = cutFrom;
    isEmptyObject = peek() == 0x7d;
    if (isEmptyObject) return ERROR_NONE;
    const isLast = found == keyCount - 1;
    let before = cutFrom;
    let isFound = false;
    do {
      const keyAt = position();
      if (!readText<Heap>(heap()) || !takes(0x3a)) return ERROR_TYPE;
      const key = keys + found * KEY_BYTES;
      const isKey = textBytes == load<u32>(key, 4) && sameBytes(textAt, load<u32>(key), textBytes);
      peek();
      const valueAt = position();
      if (isKey && !isLast) {
        isFound = true;
        break;
      }
      if (!skipValue(2) || broken) return ERROR_TYPE;
      if (isKey) {
        found = keyCount;
        cutTo = position();
        cutFrom = whole ? keyAt : valueAt;
        // With the comma behind it, or else the one before.
        if (whole) {
          if (takes(0x2c)) cutTo = position();
          else cutFrom = before;
        }
        return ERROR_NONE;
      }
      before = position();
    } while (takes(0x2c));
    if (!isFound) return ERROR_NONE;
    found++;
  }
  return ERROR_TYPE;
}

function readKeys(path: usize): bool {
  openDocument(textOf(path), lengthOf(path));
  if (!takes(0x5b)) return false;
  keys = heap().take(PATH_KEYS_MAX * KEY_BYTES);
  keyCount = 0;
  do {
    if (peek() != 0x22 || keyCount == PATH_KEYS_MAX) return false;
    const start = position();
    if (!readText<Heap>(heap())) return false;
    const key = keys + keyCount * KEY_BYTES;
    store<u32>(key, <u32>textAt);
    store<u32>(key, textBytes, 4);
    store<u32>(key, <u32>start, 8);
    store<u32>(key, <u32>(position() - start), 12);
    keyCount++;
  } while (takes(0x2c));
  return takes(0x5d);
}
