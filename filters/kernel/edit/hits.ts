/**
 * What was found in one lane, and what becomes of it. Hits are collected first; once the decision is known, those that
 * it acts on are put together into clusters: overlapping spans become one, where the strongest action wins, then the
 * longest span, then the detectors' order.
 */
import { Bytes } from '../bytes';
import { REDACT_MASK, REDACT_PLACEHOLDER, REDACT_PSEUDONYM, REDACT_YEAR } from '../abi';
import { includingRestored, redactionRecord, redactModeOf } from '../decision/api';
import { MODE_KEEPS, MODE_KIND, REDACT_NONE, REDACT_RESTORED, REDACT_WHOLE } from '../decision/layout';
import { appendEscaped } from '../json/escape';
import { appendMaskKeeping, appendYear } from './partial-masks';
import { appendMask, appendPlaceholder, PLACEHOLDER_BYTES_MAX } from './placeholders';
import { appendPseudonym } from './pseudonyms';
import { Values } from './values';

export const HIT_BYTES: u32 = 20;
export const HIT_START: usize = 0;
export const HIT_END: usize = 4;
export const HIT_DETECTOR: usize = 8;
export const HIT_KIND: usize = 10;
export const HIT_VALUE: usize = 12;
/** Where it came from in a prompt: the message's position, or NO_MESSAGE. */
export const HIT_MESSAGE: usize = 16;

/** A value that a rule may redact. In a reply: one that the prompt did not have. */
export const HIT_NEW: u32 = 0;
/** In a reply: a value that the prompt had, too. */
export const HIT_KNOWN: u32 = 1;
/** In a reply: a placeholder of ours. */
export const HIT_PLACEHOLDER: u32 = 2;

export const CLUSTER_BYTES: u32 = 20;
export const CLUSTER_START: usize = 0;
export const CLUSTER_END: usize = 4;
export const CLUSTER_TEXT: usize = 8;
export const CLUSTER_LENGTH: usize = 12;
/** 1 once the replacement stands in some document. */
export const CLUSTER_PLACED: usize = 16;

const ACTION_NONE: u32 = 0;
const ACTION_RESTORE: u32 = 1;

/** Appends a hit. */
export function pushHit(hits: Bytes, start: u32, end: u32, detector: u32, kind: u32, value: u32, message: u32): void {
  if (!hits.reserve(HIT_BYTES)) return;
  const h = hits.ptr + hits.len;
  store<u32>(h, start, HIT_START);
  store<u32>(h, end, HIT_END);
  store<u16>(h, <u16>detector, HIT_DETECTOR);
  store<u16>(h, <u16>kind, HIT_KIND);
  store<u32>(h, value, HIT_VALUE);
  store<u32>(h, message, HIT_MESSAGE);
  hits.len += HIT_BYTES;
}

/** Sorts `count` hits at `at` by start, the longer first. */
export function sortHits(at: usize, count: u32): void {
  let sorted = true;
  for (let i: u32 = 1; i < count; i += 1) {
    if (isBefore(at + i * HIT_BYTES, at + (i - 1) * HIT_BYTES)) {
      sorted = false;
      break;
    }
  }
  if (sorted || count < 2) return;
  for (let i = count >> 1; i > 0; i -= 1) sift(at, i - 1, count);
  for (let n = count - 1; n > 0; n -= 1) {
    swap(at, at + n * HIT_BYTES);
    sift(at, 0, n);
  }
}

/**
 * Whether [start, end) lies in a placeholder among the hits [from, to), which are sorted by start. Only those that begin
 * within a placeholder's length before it can hold it.
 */
export function isInPlaceholder(hits: usize, from: u32, to: u32, start: u32, end: u32): bool {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(hits + middle * HIT_BYTES) <= start) low = middle + 1;
    else high = middle;
  }
  while (low > from) {
    low -= 1;
    const h = hits + low * HIT_BYTES;
    if (load<u32>(h) + PLACEHOLDER_BYTES_MAX < end) return false;
    if (<u32>load<u16>(h, HIT_KIND) == HIT_PLACEHOLDER && load<u32>(h, HIT_END) >= end) return true;
  }
  return false;
}

/**
 * Puts the sorted hits at `hits` that start before `before` together; appends the clusters that the decision acts on.
 * `inArguments`: nothing is restored there. `more`: what is redacted beside what `result` says (a byte a detector, an
 * address; 0: nothing). Numbers of placeholders are given in the order of the text. The last
 * cluster of an earlier call takes part no more: callers see to it that no hit straddles `before`.
 */
export function buildClusters(
  clusters: Bytes,
  hits: usize,
  count: u32,
  before: u32,
  inArguments: bool,
  isReply: bool,
  result: usize,
  more: usize,
  facts: usize,
  values: Values,
  nonce: u64,
  replacements: Bytes,
): void {
  let start: u32 = 0;
  let end: u32 = 0;
  let best: usize = 0;
  let bestAction: u32 = ACTION_NONE;
  for (let i: u32 = 0; i < count; i += 1) {
    const h = hits + i * HIT_BYTES;
    if (load<u32>(h) >= before) break;
    const action = actionOf(h, inArguments, isReply, result, more);
    if (action == ACTION_NONE) continue;
    if (best != 0 && load<u32>(h) < end) {
      if (load<u32>(h, HIT_END) > end) end = load<u32>(h, HIT_END);
      if (action > bestAction || (action == bestAction && wins(h, best))) {
        best = h;
        bestAction = action;
      }
      continue;
    }
    if (best != 0) pushCluster(clusters, start, end, best, bestAction, facts, values, nonce, replacements);
    start = load<u32>(h);
    end = load<u32>(h, HIT_END);
    best = h;
    bestAction = action;
  }
  if (best != 0) pushCluster(clusters, start, end, best, bestAction, facts, values, nonce, replacements);
}

/** ACTION_NONE, ACTION_RESTORE, or 1 + the redaction's mode as the result names it: the order is the strength. */
function actionOf(hit: usize, inArguments: bool, isReply: bool, result: usize, more: usize): u32 {
  const detector = <u32>load<u16>(hit, HIT_DETECTOR);
  const kind = <u32>load<u16>(hit, HIT_KIND);
  let mode = redactModeOf(result, detector);
  if (!isReply) return mode == REDACT_NONE ? ACTION_NONE : 1 + mode;
  let restoredToo = mode != REDACT_NONE && includingRestored(result, detector);
  if (more != 0) {
    const other = <u32>load<u8>(more + detector);
    if ((other & REDACT_RESTORED) != 0) restoredToo = true;
    if ((other & ~REDACT_RESTORED) > mode) mode = other & ~REDACT_RESTORED;
  }
  if (kind == HIT_PLACEHOLDER) return inArguments || restoredToo ? ACTION_NONE : ACTION_RESTORE;
  if (kind == HIT_KNOWN && !restoredToo) return ACTION_NONE;
  return mode == REDACT_NONE ? ACTION_NONE : 1 + mode;
}

function wins(a: usize, b: usize): bool {
  const aLength = load<u32>(a, HIT_END) - load<u32>(a);
  const bLength = load<u32>(b, HIT_END) - load<u32>(b);
  return aLength != bLength ? aLength > bLength : load<u16>(a, HIT_DETECTOR) < load<u16>(b, HIT_DETECTOR);
}

function pushCluster(
  clusters: Bytes,
  start: u32,
  end: u32,
  hit: usize,
  action: u32,
  facts: usize,
  values: Values,
  nonce: u64,
  replacements: Bytes,
): void {
  const at = replacements.len;
  const value = load<u32>(hit, HIT_VALUE);
  if (action == ACTION_RESTORE) appendEscaped(replacements, values.textOf(value), values.lengthOf(value));
  else appendRedacted(replacements, action - 1, <u32>load<u16>(hit, HIT_DETECTOR), value, facts, values, nonce);
  if (!clusters.reserve(CLUSTER_BYTES)) return;
  const c = clusters.ptr + clusters.len;
  store<u32>(c, start, CLUSTER_START);
  store<u32>(c, end, CLUSTER_END);
  store<u32>(c, at, CLUSTER_TEXT);
  store<u32>(c, replacements.len - at, CLUSTER_LENGTH);
  store<u32>(c, 0, CLUSTER_PLACED);
  clusters.len += CLUSTER_BYTES;
}

/** What stands in the value's place; nothing where it is removed. */
function appendRedacted(
  out: Bytes,
  mode: u32,
  detector: u32,
  value: u32,
  facts: usize,
  values: Values,
  nonce: u64,
): void {
  if (mode == REDACT_WHOLE) return appendMask(out, detector);
  const record = redactionRecord(mode);
  const kind = load<u32>(record, MODE_KIND);
  const text = values.textOf(value);
  const length = values.lengthOf(value);
  if (kind == REDACT_PLACEHOLDER) appendPlaceholder(out, detector, values.numberOf(value), nonce);
  else if (kind == REDACT_PSEUDONYM) appendPseudonym(out, mode, detector, value, values, facts);
  else if (kind == REDACT_YEAR) appendYear(out, detector, text, length);
  else if (kind == REDACT_MASK) appendMaskKeeping(out, detector, text, length, load<u32>(record, MODE_KEEPS));
}

function isBefore(a: usize, b: usize): bool {
  const x = load<u32>(a);
  const y = load<u32>(b);
  if (x != y) return x < y;
  const u = load<u32>(a, HIT_END);
  const v = load<u32>(b, HIT_END);
  return u != v ? u > v : load<u16>(a, HIT_DETECTOR) < load<u16>(b, HIT_DETECTOR);
}

function sift(at: usize, root: u32, count: u32): void {
  while (true) {
    let child = root * 2 + 1;
    if (child >= count) return;
    if (child + 1 < count && isBefore(at + child * HIT_BYTES, at + (child + 1) * HIT_BYTES)) child += 1;
    if (!isBefore(at + root * HIT_BYTES, at + child * HIT_BYTES)) return;
    swap(at + root * HIT_BYTES, at + child * HIT_BYTES);
    root = child;
  }
}

function swap(a: usize, b: usize): void {
  for (let i: usize = 0; i < HIT_BYTES; i += 4) {
    const x = load<u32>(a + i);
    store<u32>(a + i, load<u32>(b + i));
    store<u32>(b + i, x);
  }
}
