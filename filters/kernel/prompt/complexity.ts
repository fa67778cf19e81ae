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
const WORD_BYTES_MAX: u32 = 24;
const word: usize = memory.data(32, 8);

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
  let wordBytes: u32 = 0;
  let isNumber = true;
  let before: u32 = 0;
  while (p <= end) {
    const c = p < end ? <u32>load<u8>(p) : 0;
    const digit = c - 0x30 <= 9;
    const letter = (c | 0x20) - 0x61 <= 25 || c >= 0x80;
    if (digit || letter || (c == 0x2e && isNumber && wordBytes > 0)) {
      if (wordBytes < WORD_BYTES_MAX) store<u8>(word + wordBytes, <u8>(c - 0x41 <= 25 ? c | 0x20 : c));
      wordBytes += 1;
      if (letter) isNumber = false;
    } else {
      if (wordBytes > 0) endWord(wordBytes < WORD_BYTES_MAX ? wordBytes : WORD_BYTES_MAX, isNumber);
      wordBytes = 0;
      isNumber = true;
      punctuation(c, before);
    }
    before = c;
    p += 1;
  }
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

function endWord(bytes: u32, isNumber: bool): void {
  words += 1;
  if (isNumber) {
    numbers += 1;
    return;
  }
  let h: u32 = 0x811c9dc5;
  for (let i: u32 = 0; i < bytes; i += 1) h = (h ^ (<u32>load<u8>(word + i))) * 0x01000193;
  h = (h ^ (h >>> 15)) & (DIFFERENT_BITS - 1);
  const cell = different + (h >>> 3);
  const bit = 1 << (h & 7);
  if ((load<u8>(cell) & bit) == 0) {
    store<u8>(cell, <u8>(load<u8>(cell) | bit));
    variety += 1;
  }
  const stem = stemOf(bytes);
  if (stem < 0 || load<u8>(stemsSeen + stem) != 0) return;
  store<u8>(stemsSeen + stem, 1);
  reasoning += 1;
}

/** Position of the stem with which the word begins, or -1. Stems are found by their first letter. */
function stemOf(bytes: u32): i32 {
  if (!indexed) indexStems();
  const letter = <u32>load<u8>(word) - 0x61;
  if (letter > 25) return -1;
  const text = changetype<usize>(STEMS);
  for (let entry = <u32>load<u8>(firstStem + letter); entry != 0; entry = load<u8>(nextStem + entry)) {
    const from = load<u16>(stemAt + (entry << 1));
    let j: u32 = 0;
    while (j < bytes && <u16>load<u8>(word + j) == load<u16>(text + ((from + j) << 1))) j += 1;
    const end = from + j;
    if (end == <u32>STEMS.length || load<u16>(text + (end << 1)) == 0x20) return entry;
  }
  return -1;
}

/**
 * For each letter the first stem (its number, from 1), for each stem the next of the same letter and where it begins.
 */
const firstStem: usize = memory.data(26, 8);
const nextStem: usize = memory.data(64, 8);
const stemAt: usize = memory.data(128, 8);
let indexed: bool = false;

function indexStems(): void {
  const text = changetype<usize>(STEMS);
  const count = <u32>STEMS.length;
  let entry: u32 = 0;
  for (let i: u32 = 0; i < count && entry < 63; i += 1) {
    if (i > 0 && load<u16>(text + ((i - 1) << 1)) != 0x20) continue;
    entry += 1;
    const letter = <u32>load<u16>(text + (i << 1)) - 0x61;
    store<u16>(stemAt + (entry << 1), <u16>i);
    store<u8>(nextStem + entry, load<u8>(firstStem + letter));
    store<u8>(firstStem + letter, <u8>entry);
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
