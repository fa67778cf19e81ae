/**
 * `prompt.complexity`: how much thought a prompt seems to ask for, 0–1000. It looks at the first 16 KiB of the last
 * user message, and at the request's shape:
 *
 *     min(320, 8 · words)              length
 *   + min(100, 2 · different words)    variety
 *   + min(400, 100 · reasoning words)  prove, derive, compare, analyse, design, explain … (each stem once)
 *   + min(160, 80 · code marks)        a fence, a statement's end, a brace, an arrow, a call (each kind once)
 *   + min(80, 10 · numbers)
 *   + min(120, 15 · commas, colons, semicolons, line breaks)
 *   + min(60, 30 · question marks after the first)
 *   + min(60, 5 · messages beyond the first) + min(100, 25 · tools)
 *
 * at most 1000. A heuristic in integers, in one pass, the same everywhere; it does not understand the text. English
 * stems, and a few of German and French.
 */

export const COMPLEXITY_BYTES_MAX: u32 = 16_384;

const STEMS: string =
  'prove proof disprove deriv compar analy design optimi evaluat refactor debug algorithm implement explain justif calculat assess architect trade reason strateg critic simulat migrat estimat construct solve develop review synthes recommend why step beweis vergleich herleit entwirf pourquoi expliqu';
const DIFFERENT_BITS: u32 = 1_024;
const different: usize = memory.data(128, 8);
const stemsSeen: usize = memory.data(64, 8);
/** Of a longer word only the beginning tells it from others. */
const WORD_BYTES_MAX: u32 = 24;
/** A word's beginning in lower case, zeros behind it. */
const word: usize = memory.data(32, 16);
/** Ones, then zeros: which bytes of two blocks are a word's. */
const WORD_MASK: usize = memory.data<u64>([-1, -1, -1, -1, 0, 0, 0, 0]);
/** The text's last bytes, zeros behind them. */
const tail: usize = memory.data(64, 16);

/** For each low half of a byte the high halves (a bit each) with which it is one of `\n ) , : ; = > ? \` { }`. */
const MARKS_LOW: usize = memory.data<u8>([64, 0, 0, 0, 0, 0, 0, 0, 0, 4, 9, 136, 4, 136, 8, 8], 16);
const MARKS_HIGH: usize = memory.data<u8>([1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0], 16);

/** More of any of these adds nothing. */
const VARIETY_MOST: u32 = 50;
const REASONING_MOST: u32 = 4;
const JOINTS_MOST: u32 = 8;
const QUESTIONS_MOST: u32 = 3;
/** All kinds of code marks. */
const CODE_MARKS: u32 = 63;

let words: u32 = 0;
let variety: u32 = 0;
let reasoning: u32 = 0;
let codeMarks: u32 = 0;
let numbers: u32 = 0;
let joints: u32 = 0;
let questions: u32 = 0;
let budget: u32 = 0;

/** Begins a prompt. */
export function beginComplexity(): void {
  words = 0;
  variety = 0;
  reasoning = 0;
  codeMarks = 0;
  numbers = 0;
  joints = 0;
  questions = 0;
  budget = COMPLEXITY_BYTES_MAX;
  memory.fill(different, 0, 128);
  memory.fill(stemsSeen, 0, 64);
}

/** Takes a text of the last user message. */
export function addComplexity(p: usize, length: u32): void {
  const taken = length < budget ? length : budget;
  budget -= taken;
  const end = p + taken;
  // The word that stands open, 0: none; and up to where it is known to be digits and points.
  let start: usize = 0;
  let numberTo: usize = 0;
  for (let at = p; at < end; at += 64) {
    let block = at;
    let all: u64 = -1;
    if (at + 64 > end) {
      const left = <u32>end - <u32>at;
      memory.fill(tail, 0, 64);
      memory.copy(tail, at, left);
      block = tail;
      all = ((<u64>1) << left) - 1;
    }
    if (joints < JOINTS_MOST || questions < QUESTIONS_MOST || codeMarks != CODE_MARKS) {
      let marks =
        all &
        (marksAt(block) | (marksAt(block + 16) << 16) | (marksAt(block + 32) << 32) | (marksAt(block + 48) << 48));
      for (; marks != 0; marks &= marks - 1) {
        const mark = at + <usize>ctz(marks);
        punctuation(load<u8>(mark), mark == p ? 0 : load<u8>(mark - 1));
      }
    }
    const inWords =
      all & (wordsAt(block) | (wordsAt(block + 16) << 16) | (wordsAt(block + 32) << 32) | (wordsAt(block + 48) << 48));
    let i: u32 = 0;
    while (true) {
      if (start == 0) {
        const ahead = inWords >> i;
        if (ahead == 0) break;
        i += <u32>ctz(ahead);
        start = at + <usize>i;
        numberTo = start;
      }
      i += <u32>ctz(~(inWords >> i));
      const stop = at + <usize>i;
      if (i >= 64 || stop >= end) break;
      numberTo = skipNumber(numberTo, stop);
      // A point goes on with a number.
      if (numberTo == stop && load<u8>(stop) == 0x2e) {
        i += 1;
        if (i == 64) break;
        continue;
      }
      endWord(start, <u32>(stop - start), numberTo == stop, end);
      start = 0;
    }
  }
  if (start != 0) endWord(start, <u32>(end - start), skipNumber(numberTo, end) == end, end);
}

/** Which of the sixteen bytes are marks. */
function marksAt(block: usize): u64 {
  const bytes = v128.load(block);
  const low = i8x16.swizzle(v128.load(MARKS_LOW), v128.and(bytes, i8x16.splat(15)));
  const marks = v128.and(low, i8x16.swizzle(v128.load(MARKS_HIGH), v128.and(i16x8.shr_u(bytes, 4), i8x16.splat(15))));
  return <u64>(<u32>i8x16.bitmask(i8x16.ne(marks, i8x16.splat(0))));
}

/** Which of the sixteen bytes are digits, letters or above 127. */
function wordsAt(block: usize): u64 {
  const bytes = v128.load(block);
  const letters = i8x16.lt_u(i8x16.sub(v128.or(bytes, i8x16.splat(0x20)), i8x16.splat(0x61)), i8x16.splat(26));
  const digits = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(0x30)), i8x16.splat(10));
  return <u64>(<u32>i8x16.bitmask(v128.or(v128.or(letters, digits), i8x16.lt_s(bytes, i8x16.splat(0)))));
}

/** The first byte from `p` on that is no digit and no point, or `end`. */
function skipNumber(p: usize, end: usize): usize {
  while (p < end && (<u32>load<u8>(p) - 0x30 <= 9 || load<u8>(p) == 0x2e)) p += 1;
  return p;
}

/** The complexity of the request. */
export function complexity(messages: u32, tools: u32): u32 {
  const marks = popcnt<u32>(codeMarks);
  const more = questions > 1 ? questions - 1 : 0;
  const turns = messages > 1 ? messages - 1 : 0;
  const sum =
    atMost(320, 8, words) +
    atMost(100, 2, variety) +
    atMost(400, 100, reasoning) +
    atMost(160, 80, marks) +
    atMost(80, 10, numbers) +
    atMost(120, 15, joints) +
    atMost(60, 30, more) +
    atMost(60, 5, turns) +
    atMost(100, 25, tools);
  return sum < 1_000 ? sum : 1_000;
}

function atMost(most: u32, weight: u32, count: u32): u32 {
  return count > most ? most : min<u32>(most, weight * count);
}

function endWord(start: usize, bytes: u32, isNumber: bool, end: usize): void {
  words += 1;
  if (isNumber) {
    numbers += 1;
    return;
  }
  // Most longer texts have enough of both soon.
  if (variety >= VARIETY_MOST && reasoning >= REASONING_MOST) return;
  const kept = bytes < WORD_BYTES_MAX ? bytes : WORD_BYTES_MAX;
  let first: v128;
  let second: v128;
  if (start + 32 <= end) {
    first = v128.load(start);
    second = v128.load(start, 16);
  } else {
    memory.fill(word, 0, 32);
    memory.copy(word, start, kept);
    first = v128.load(word);
    second = v128.load(word, 16);
  }
  first = lowered(first, kept, 0);
  second = lowered(second, kept, 16);
  if (variety < VARIETY_MOST) {
    let h = i64x2.extract_lane(first, 0) * 0x9e3779b97f4a7c15;
    h = (h ^ (<i64>((<u64>h) >> 29)) ^ i64x2.extract_lane(first, 1)) * 0xbf58476d1ce4e5b9;
    h = (h ^ (<i64>((<u64>h) >> 32)) ^ i64x2.extract_lane(second, 0)) * 0x94d049bb133111eb;
    const hash = (<u32>((<u64>h) >> 54)) & (DIFFERENT_BITS - 1);
    const cell = different + <usize>(hash >> 3);
    const seen = <u32>load<u8>(cell);
    const bit = 1 << (hash & 7);
    variety += (seen & bit) == 0 ? 1 : 0;
    store<u8>(cell, <u8>(seen | bit));
  }
  if (!indexed) indexStems();
  const head = headOf(i32x4.extract_lane(first, 0));
  if ((((<u32>load<u8>(heads + <usize>(head >> 3))) >> (head & 7)) & 1) == 0) return;
  v128.store(word, first);
  v128.store(word, second, 16);
  takeStem(kept);
}

/** Bytes [from, from + 16) of a word of so many bytes, ASCII in lower case; zeros behind the word. */
function lowered(bytes: v128, length: u32, from: usize): v128 {
  const upper = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(0x41)), i8x16.splat(26));
  const lower = v128.or(bytes, v128.and(upper, i8x16.splat(0x20)));
  return v128.and(lower, v128.load(WORD_MASK + 32 - <usize>length + from));
}

/** Five bits of each of a word's first three letters. */
function headOf(letters: u32): u32 {
  return (letters & 31) | ((letters >> 3) & 0x3e0) | ((letters >> 6) & 0x7c00);
}

/** A word of which a stem may be the beginning: stems are found by their first letter, and count once. */
function takeStem(bytes: u32): void {
  const letter = <u32>load<u8>(word) - 0x61;
  if (letter > 25) return;
  const text = changetype<usize>(STEMS);
  for (let entry = <u32>load<u8>(firstStem + letter); entry != 0; entry = load<u8>(nextStem + entry)) {
    const from = load<u16>(stemAt + (entry << 1));
    let j: u32 = 0;
    while (j < bytes && <u16>load<u8>(word + j) == load<u16>(text + ((from + j) << 1))) j += 1;
    const end = from + j;
    if (end != <u32>STEMS.length && load<u16>(text + (end << 1)) != 0x20) continue;
    reasoning += load<u8>(stemsSeen + entry) == 0 ? 1 : 0;
    store<u8>(stemsSeen + entry, 1);
    return;
  }
}

/**
 * For each letter the first stem (its number, from 1), for each stem the next of the same letter and where it begins.
 */
const firstStem: usize = memory.data(26, 8);
const nextStem: usize = memory.data(64, 8);
const stemAt: usize = memory.data(128, 8);
/** The heads of all stems, a bit each: nearly every word is ruled out by it. No stem has fewer than three letters. */
const heads: usize = memory.data(4_096, 8);
let indexed: bool = false;

function indexStems(): void {
  const text = changetype<usize>(STEMS);
  const count = <u32>STEMS.length;
  let entry: u32 = 0;
  for (let i: u32 = 0; i < count && entry < 63; i += 1) {
    if (i > 0 && load<u16>(text + ((i - 1) << 1)) != 0x20) continue;
    entry += 1;
    const p = text + (i << 1);
    const letter = <u32>load<u16>(p) - 0x61;
    store<u16>(stemAt + (entry << 1), <u16>i);
    store<u8>(nextStem + entry, load<u8>(firstStem + letter));
    store<u8>(firstStem + letter, <u8>entry);
    const head = headOf((<u32>load<u16>(p)) | ((<u32>load<u16>(p, 2)) << 8) | ((<u32>load<u16>(p, 4)) << 16));
    const cell = heads + <usize>(head >> 3);
    store<u8>(cell, <u8>((<u32>load<u8>(cell)) | (1 << (head & 7))));
  }
  indexed = true;
}

function punctuation(c: u32, before: u32): void {
  if (c == 0x2c || c == 0x3b || c == 0x3a || c == 0x0a) joints += 1;
  if (c == 0x3f) questions += 1;
  if (c == 0x60 && before == 0x60) codeMarks |= 1;
  if (c == 0x7b || c == 0x7d) codeMarks |= 2;
  if (c == 0x3e && (before == 0x3d || before == 0x2d)) codeMarks |= 4;
  if (c == 0x29 && before == 0x28) codeMarks |= 8;
  if (c == 0x3d && before == 0x3d) codeMarks |= 16;
  if (c == 0x0a && before == 0x3b) codeMarks |= 32;
}
