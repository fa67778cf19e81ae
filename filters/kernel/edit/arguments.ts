/**
 * Tool-call arguments are JSON inside a JSON string, and in a stream they come in pieces that end anywhere. This
 * machine reads them byte by byte: inside the inner strings escapes are resolved (so that `\u0040` is an `@` to the
 * detectors), everything else passes as it is and is text, too. Its whole state is one u32, so that a segment can be
 * read again from where it began.
 */
import { Bytes } from '../bytes';
import { appendCodePoint, codePointBytes, escapeBytes, escapeCodePoint, plainEscape } from '../json/unescape';

// bits 0–1: mode; 2–4: hexadecimal digits read; 5: a high surrogate waits; 6–15: that surrogate; 16–31: the digits'
// value.
const OUTSIDE: u32 = 0;
const INSIDE: u32 = 1;
const ESCAPE: u32 = 2;
const HEX: u32 = 3;
const HIGH: u32 = 1 << 5;

/** What one byte did: bytes of text that it completed (with the escape before it), and the next state. */
export let argumentsState: u32 = 0;
/**
 * The code points that the last step gave, at most two (a lone surrogate and what followed it); a byte of UTF-8 counts
 * as itself.
 */
let first: u32 = 0;
let given: u32 = 0;
let rawByte: bool = false;
/** Whether the last step was inside a string of the inner JSON. */
export let stepInside: bool = false;

/** Bytes of text that wait to be completed in this state: they belong to the next byte of text. */
export function isPending(state: u32): bool {
  return (state & 3) > INSIDE || (state & HIGH) != 0;
}

/** Steps over one byte of the arguments; answers the bytes of text that it completed. */
export function stepArguments(state: u32, c: u32): u32 {
  const mode = state & 3;
  const high = state & HIGH;
  stepInside = mode != OUTSIDE;
  given = 0;
  rawByte = false;
  if (mode == OUTSIDE) {
    argumentsState = c == 0x22 ? INSIDE : OUTSIDE;
    return giveByte(c);
  }
  if (mode == INSIDE) {
    if (c == 0x5c) {
      argumentsState = (state & ~3) | ESCAPE;
      return 0;
    }
    const lone = high != 0 ? 3 : 0;
    if (lone != 0) give(0xfffd);
    argumentsState = c == 0x22 ? OUTSIDE : INSIDE;
    if (c == 0x22) stepInside = false;
    return lone + giveByte(c);
  }
  if (mode == ESCAPE) {
    if (c == 0x75) {
      argumentsState = (state & (HIGH | 0xffc0)) | HEX;
      return 0;
    }
    const lone = high != 0 ? 3 : 0;
    if (lone != 0) give(0xfffd);
    argumentsState = INSIDE;
    return lone + giveByte(plainEscape(c));
  }
  const digit = c - 0x30 <= 9 ? c - 0x30 : (c | 0x20) - 0x61 <= 5 ? (c | 0x20) - 0x57 : 16;
  if (digit == 16) {
    argumentsState = c == 0x22 ? OUTSIDE : INSIDE;
    return giveByte(c);
  }
  const count = ((state >> 2) & 7) + 1;
  const value = ((state >> 16) << 4) | digit;
  if (count < 4) {
    argumentsState = (value << 16) | (state & (HIGH | 0xffc0)) | (count << 2) | HEX;
    return 0;
  }
  if (value >= 0xd800 && value <= 0xdbff) {
    argumentsState = HIGH | ((value & 0x3ff) << 6) | INSIDE;
    return high != 0 ? give(0xfffd) : 0;
  }
  argumentsState = INSIDE;
  if (value >= 0xdc00 && value <= 0xdfff)
    return high != 0 ? give(0x10000 + ((((state >> 6) & 0x3ff) << 10) | (value & 0x3ff))) : give(0xfffd);
  const lone = high != 0 ? give(0xfffd) : 0;
  return lone + give(value);
}

/** Appends the text of the arguments piece [p, end) of the outer string's content; answers the state after it. */
export function appendArguments(out: Bytes, p: usize, end: usize, state: u32): u32 {
  while (p < end) {
    const c = <u32>load<u8>(p);
    if (c != 0x5c) {
      stepArguments(state, c);
      emit(out);
      state = argumentsState;
      p += 1;
      continue;
    }
    const point = escapeCodePoint(p);
    p += escapeBytes(p);
    if (point < 0x80) {
      stepArguments(state, point);
      emit(out);
      state = argumentsState;
    } else {
      state = leaveEscape(out, state);
      appendCodePoint(out, point);
    }
  }
  return state;
}

/** Bytes of text that the code point, an escape of the outer string, completes. */
export function stepEscaped(state: u32, point: u32): u32 {
  if (point < 0x80) return stepArguments(state, point);
  stepInside = (state & 3) != OUTSIDE;
  argumentsState = stepInside ? INSIDE : OUTSIDE;
  return ((state & HIGH) != 0 ? 3 : 0) + codePointBytes(point);
}

/** A character above ASCII, written as an escape of the outer string, ends an inner escape that was not complete. */
function leaveEscape(out: Bytes, state: u32): u32 {
  if ((state & HIGH) != 0) appendCodePoint(out, 0xfffd);
  return (state & 3) != OUTSIDE ? INSIDE : OUTSIDE;
}

function emit(out: Bytes): void {
  if (given == 0) return;
  const points = given >> 8;
  if (points == 2) appendCodePoint(out, 0xfffd);
  if (rawByte) out.push(first);
  else appendCodePoint(out, first);
}

function give(point: u32): u32 {
  given += 0x100;
  first = point;
  return codePointBytes(point);
}

function giveByte(c: u32): u32 {
  given += 0x100;
  first = c;
  rawByte = true;
  return 1;
}
