/**
 * OPA's values, which hosts never look into: here a value is a JSON text. Sets, which a host may send (`{1, 2}`,
 * `set()`), are read as arrays; the only set that goes out is the result of an evaluation.
 */
import { atEnd, expect, openDocument, peek, position, skipValue, takes } from '../decision/json-document';
import { put } from '../decision/render';
import { Heap, heap, heapTop, setHeapTop } from './heap';

/** A value: u32 kind, u32 address and u32 bytes of its text. */
const VALUE_BYTES: u32 = 12;
const VALUE_KIND: u32 = 0;
const VALUE_TEXT: u32 = 4;
const VALUE_LENGTH: u32 = 8;
const KIND_JSON: u32 = 1;
/** The set of one binding, `result`, whose value is the text. */
const KIND_RESULT: u32 = 2;
const DEPTH_MAX: u32 = 64;

export function valueOf(text: usize, length: u32): usize {
  return newValue(KIND_JSON, text, length);
}

export function resultOf(text: usize, length: u32): usize {
  return newValue(KIND_RESULT, text, length);
}

export function textOf(value: usize): usize {
  return load<u32>(value, VALUE_TEXT);
}

export function lengthOf(value: usize): u32 {
  return load<u32>(value, VALUE_LENGTH);
}

export function setTextOf(value: usize, text: usize, length: u32): void {
  store<u32>(value, <u32>text, VALUE_TEXT);
  store<u32>(value, length, VALUE_LENGTH);
}

function newValue(kind: u32, text: usize, length: u32): usize {
  const value = heap().take(VALUE_BYTES);
  store<u32>(value, kind, VALUE_KIND);
  setTextOf(value, text, length);
  return value;
}

/** A value from JSON; 0 if it is none. */
export function parseJson(text: usize, length: u32): usize {
  openDocument(text, length);
  return skipValue(1) && atEnd() ? valueOf(text, length) : 0;
}

/** A value from JSON or Rego; 0 if it is none. */
export function parseValue(text: usize, length: u32): usize {
  const value = parseJson(text, length);
  if (value != 0) return value;
  const plain = withoutSets(text, length);
  return plain == 0 ? 0 : valueOf(plain, <u32>(heapTop() - plain));
}

/** NUL-terminated JSON. */
export function dumpJson(value: usize): usize {
  return dump(value, '[{"result":', '}]');
}

/** NUL-terminated Rego. */
export function dumpValue(value: usize): usize {
  return dump(value, '{{"result":', '}}');
}

function dump(value: usize, before: string, after: string): usize {
  const out = heap();
  const start = heapTop();
  const isResult = load<u32>(value, VALUE_KIND) == KIND_RESULT;
  if (isResult) put<Heap>(out, before);
  out.append(textOf(value), lengthOf(value));
  if (isResult) put<Heap>(out, after);
  out.push(0);
  return start;
}

// --------------------------------------------------------------------------------------------------------------------
// sets

/** The text with sets written as arrays, at the heap's top; 0 if it is no value. */
export function withoutSets(text: usize, length: u32): usize {
  const start = heapTop();
  openDocument(text, length);
  if (copyValue(1) && atEnd()) return start;
  setHeapTop(start);
  return 0;
}

function copyValue(depth: u32): bool {
  if (depth > DEPTH_MAX) return false;
  const out = heap();
  const first = peek();
  if (first == 0x5b) return copyItems(depth, 0x5b, 0x5d);
  if (first == 0x73) return copyEmptySet();
  if (first != 0x7b) {
    const start = position();
    if (!skipValue(depth)) return false;
    out.append(start, <u32>(position() - start));
    return true;
  }
  const open = heapTop();
  takes(0x7b);
  out.push(0x7b);
  if (takes(0x7d)) {
    out.push(0x7d);
    return true;
  }
  const isKey = peek() == 0x22;
  if (!copyValue(depth + 1)) return false;
  if (peek() != 0x3a) {
    store<u8>(open, 0x5b);
    while (takes(0x2c)) {
      out.push(0x2c);
      if (!copyValue(depth + 1)) return false;
    }
    out.push(0x5d);
    return expect(0x7d);
  }
  // Keys that are no texts have no JSON.
  if (!isKey) return false;
  do {
    if (peek() == 0x2c) return false;
    if (load<u8>(heapTop() - 1) == 0x2c) {
      if (peek() != 0x22 || !copyValue(depth + 1)) return false;
    }
    if (!expect(0x3a)) return false;
    out.push(0x3a);
    if (!copyValue(depth + 1)) return false;
    if (takes(0x7d)) {
      out.push(0x7d);
      return true;
    }
    out.push(0x2c);
  } while (takes(0x2c));
  return false;
}

function copyItems(depth: u32, open: u32, close: u32): bool {
  const out = heap();
  takes(open);
  out.push(open);
  if (!takes(close)) {
    for (;;) {
      if (!copyValue(depth + 1)) return false;
      if (!takes(0x2c)) break;
      out.push(0x2c);
    }
    if (!expect(close)) return false;
  }
  out.push(close);
  return true;
}

/** `set()` */
function copyEmptySet(): bool {
  if (!takes(0x73) || !takes(0x65) || !takes(0x74) || !takes(0x28) || !takes(0x29)) return false;
  put<Heap>(heap(), '[]');
  return true;
}
