/**
 * Whether a word of a form's context stands near a match: as a whole word, ignoring the case of ASCII letters, inside
 * so many characters before or behind.
 */
import { isDigit, isLetter } from './characters';
import { FORM_WITHIN, FORM_WORDS_AT, WORDS_AT, WORDS_COUNT, WORDS_FIRST } from './layout';
import { count, end, final, first, section } from './window';

export const CONTEXT_ABSENT: u32 = 0;
export const CONTEXT_FOUND: u32 = 1;
export const CONTEXT_UNSETTLED: u32 = 2;

/** Where the last word that was found ends. */
let foundEnd: usize = 0;

export function contextBefore(form: usize, p: usize): bool {
  let from = p;
  for (let characters = <u32>load<u16>(form + FORM_WITHIN); characters != 0 && from > first; characters -= 1) {
    from -= 1;
    while (from > first && isTail(from)) from -= 1;
  }
  return findWord(form, from, p, false) == CONTEXT_FOUND;
}

export function contextAfter(form: usize, p: usize): u32 {
  let to = p;
  let characters = <u32>load<u16>(form + FORM_WITHIN);
  for (; characters != 0 && to < end; characters -= 1) {
    to += 1;
    while (to < end && isTail(to)) to += 1;
  }
  const cut = !final && to == end;
  const result = findWord(form, p, to, cut);
  return result == CONTEXT_ABSENT && cut ? CONTEXT_UNSETTLED : result;
}

/** No letter is in [`bareFrom`, `bareTo`), and one is right before it where `letterBefore`. */
let bareFrom: usize = 0;
let bareTo: usize = 0;
let letterBefore: bool = false;

/** Before a text is read. */
export function forgetLetters(): void {
  bareFrom = 0;
  bareTo = 0;
  letterBefore = false;
}

/**
 * Whether any of the `within` bytes before `p` is a letter or of another script: without one, no context word ends
 * there. Places come mostly in order, and every byte is read once.
 */
export function lettersBefore(p: usize, within: u32): bool {
  const from = <u32>(p - first) > within ? p - within : first;
  if (p < bareFrom) return behindLetter(from, p) != 0;
  if (p > bareTo) {
    const isNext = bareTo >= from;
    const behind = behindLetter(isNext ? bareTo : from, p);
    bareTo = p;
    if (behind != 0 || !isNext) {
      bareFrom = behind != 0 ? behind : from;
      letterBefore = behind != 0;
      return letterBefore;
    }
  }
  if (bareFrom <= from) return false;
  if (letterBefore) return true;
  // What stands before the bare stretch is within reach, too.
  const behind = behindLetter(from, bareFrom);
  bareFrom = behind != 0 ? behind : from;
  letterBefore = behind != 0;
  return letterBefore;
}

/** The first byte behind the last letter in [from, to), or 0. */
function behindLetter(from: usize, to: usize): usize {
  let at = to;
  while (at >= from + 16 || (at > from && at >= first + 16)) {
    const v = v128.load(at - 16);
    const letters = i8x16.lt_u(i8x16.sub(v128.or(v, i8x16.splat(0x20)), i8x16.splat(0x61)), i8x16.splat(26));
    const mask = <u32>i8x16.bitmask(v128.or(letters, v));
    if (mask != 0) {
      const behind = at - 16 + (32 - <usize>clz(mask));
      return behind > from ? behind : 0;
    }
    at -= 16;
  }
  for (; at > from; at -= 1) {
    const c = <u32>load<u8>(at - 1);
    if (isLetter(c) || c > 0x7f) return at;
  }
  return 0;
}

/**
 * Where the whole word ends that begins at `p`, or 0. A word that touches the end of a text that is not final is none
 * yet: nothing stands behind it.
 */
export function wordEnd(form: usize, p: usize): usize {
  const words = section + <usize>load<u32>(form + FORM_WORDS_AT);
  const letter = normal(load<u8>(p)) - 0x61;
  if (((load<u32>(words + WORDS_FIRST) >> (letter < 26 ? letter : 26)) & 1) == 0) return 0;
  if (p > first && isWordByte(load<u8>(p - 1)) && isWordByte(load<u8>(p))) return 0;
  return wordAt(words, p, end, !final) == CONTEXT_FOUND ? foundEnd : 0;
}

/** A word that lies in [from, to). `cut`: a word that touches `to` might go on behind it. */
function findWord(form: usize, from: usize, to: usize, cut: bool): u32 {
  const words = section + <usize>load<u32>(form + FORM_WORDS_AT);
  const firsts = load<u32>(words + WORDS_FIRST);
  count(to - from);
  let result = CONTEXT_ABSENT;
  for (let p = from; p < to; p += 1) {
    const c = normal(load<u8>(p));
    const letter = c - 0x61;
    if (((firsts >> (letter < 26 ? letter : 26)) & 1) == 0) continue;
    if (p > first && isWordByte(load<u8>(p - 1)) && isWordByte(load<u8>(p))) continue;
    const found = wordAt(words, p, to, cut);
    if (found == CONTEXT_FOUND) return found;
    if (found == CONTEXT_UNSETTLED) result = found;
  }
  return result;
}

function wordAt(words: usize, p: usize, to: usize, cut: bool): u32 {
  let word = words + WORDS_AT;
  let result = CONTEXT_ABSENT;
  for (let n = <u32>load<u16>(words + WORDS_COUNT); n != 0; n -= 1) {
    const length = <usize>load<u8>(word);
    let i: usize = 0;
    while (i < length && p + i < to && normal(load<u8>(p + i)) == <u32>load<u8>(word + 1 + i)) i += 1;
    if (i == length) {
      const behind = p + length;
      if (behind == to && cut) result = CONTEXT_UNSETTLED;
      else if (behind >= end || !isWordByte(load<u8>(behind)) || !isWordByte(load<u8>(behind - 1))) {
        foundEnd = behind;
        return CONTEXT_FOUND;
      }
    }
    word += length + 1;
  }
  return result;
}

/** As context words are written: lower case, a space for each separator. */
function normal(c: u32): u32 {
  if (c - 0x41 <= 25) return c | 0x20;
  if (c == 0x09 || c == 0x0a || c == 0x0d || c == 0x2d || c == 0x2e || c == 0x5f) return 0x20;
  return c;
}

function isWordByte(c: u32): bool {
  return isLetter(c) || isDigit(c);
}

function isTail(p: usize): bool {
  return (load<u8>(p) & 0xc0) == 0x80;
}
