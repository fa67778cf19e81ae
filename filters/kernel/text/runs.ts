/**
 * Long runs of the characters that tokens are made of. Prose has next to none, and keys, tokens and secrets are such:
 * only inside of a run are the groups of KIND_RUN looked for, at each place where one may begin.
 */
import { matchAnchors } from './anchors';
import { alphanumericBytes, isAlphanumeric } from './characters';
import { H_RUNS, H_TOKENS, RUN_LEAST } from './layout';
import { runsBeginInWords } from './match';
import { end, final, first, section } from './window';

/** So many bytes of a block, all of tokens, are what is noticed: a run has them, wherever it begins. */
export const RUN_PART: usize = 8;
const LEAST: usize = RUN_LEAST;
/** Places before are done. */
let done: usize = 0;
/** Anchors of what begins with a run. */
let anchors: usize = 0;

/** Before a text is read; whether any group wants runs. Places before `from` are settled. */
export function beginRuns(from: usize): bool {
  done = from;
  anchors = section + <usize>load<u32>(section + H_RUNS);
  return load<u32>(anchors) != 0;
}

/**
 * The places of a run up to the end of its part at `part`. Later ones are left to later parts, so that hits come in
 * order.
 */
export function matchRun(part: usize): void {
  let from = part;
  while (from > done && isToken(load<u8>(from - 1))) from -= 1;
  const before = done;
  done = part + RUN_PART;
  // Mostly it goes on in the middle of a word.
  if (from == before && from == part && part > first && !runsBeginInWords && isInWord(part)) return;
  const to = runEnd(done, done + LEAST - 1);
  // At the end of a text that goes on a run may become long enough.
  if (!final && to == end) matchStarts(from, done);
  else if (to - from >= LEAST) matchStarts(from, min(to - (LEAST - 1), done));
}

/**
 * A run that goes on over the two parts at `p`: where it does so in the middle of a word, nothing begins there, and it
 * is passed.
 */
export function passWord(p: usize): bool {
  if (p != done || p == first || runsBeginInWords) return false;
  if (!i8x16.all_true(alphanumericBytes(v128.load(p - 1)))) return false;
  done = p + 2 * RUN_PART;
  return true;
}

/** Whether a letter or a digit stands before each byte of the part. */
function isInWord(part: usize): bool {
  const before = i8x16.bitmask(alphanumericBytes(v128.load64_zero(part - 1)));
  return (before & 0xff) == 0xff;
}

/** What whole blocks before `p` did not show. */
export function matchLastRuns(p: usize): void {
  let at = p - done < LEAST ? done : p - (LEAST - 1);
  // Of two such places a run has one.
  if (final && (end - at < LEAST || !isToken(load<u8>(end - LEAST)))) return;
  while (at < end) {
    if (!isToken(load<u8>(at))) {
      at += 1;
      continue;
    }
    const to = runEnd(at, end);
    if (!final && to == end) matchStarts(at, to);
    else if (to - at >= LEAST) matchStarts(at, to - (LEAST - 1));
    at = to;
  }
}

function matchStarts(from: usize, to: usize): void {
  for (let p = from; p < to; p += 1) {
    if (p > first && isAlphanumeric(load<u8>(p - 1)) && !runsBeginInWords) continue;
    matchAnchors(anchors, p, false);
  }
}

/** Where the run that goes on at `p` ends, as far as `most`. */
function runEnd(p: usize, most: usize): usize {
  const stop = most < end ? most : end;
  while (p < stop && isToken(load<u8>(p))) p += 1;
  return p;
}

function isToken(c: usize): bool {
  return (load<u8>(section + (c & 15), H_TOKENS) & load<u8>(section + (c >> 4), H_TOKENS + 16)) != 0;
}
