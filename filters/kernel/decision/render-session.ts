/** What a session says of a decision: the whole document for the log, one sentence for the client. */
import { Bytes } from '../bytes';
import { resultBytes } from '../policy';
import {
  BUDGET_COUNTS,
  BUDGET_MESSAGE,
  COUNTS_MONEY,
  BUDGET_NAME,
  DENIAL_BYTES,
  DENIAL_MESSAGE,
  DENIAL_NODE,
  DENIAL_RULE,
  FLAG_DEFAULT,
  FLAG_NO_MODEL,
  FLAG_UNKNOWN_MODEL,
  RESULT_FLAGS,
  RESULT_SITE,
  SITE_AT_FIRED,
  SITE_AT_REMOVED,
  SITE_AT_TOUCHED,
  SITE_AT_WITHHELD,
  SITE_DENIALS,
  SITE_REMOVERS,
  SITE_TOUCHES,
  SITE_WITHHELD,
  TOUCH_BYTES,
  TOUCH_NAME,
} from './layout';
import { isAllowed } from './result';
import { isSameText, isSet, put, writeDecision } from './render';
import { budgetCount, budgetRecord } from './tables';

/** No position of a budget. */
export const NO_BUDGET: u32 = 0xffffffff;

/** Decisions that are kept as they were written, each in the one place that its result's hash gives. */
const KEPT: u32 = 16;
/** Of one: u32 bytes of the text, the result, the text. What is longer is written anew each time. */
const KEPT_RESULT_MAX: u32 = 508;
const KEPT_TEXT_MAX: u32 = 2_048;
const KEPT_BYTES: u32 = 2_560;
const kept: usize = memory.data(16 * 2_560, 16);

/**
 * Appends the decision as JSON (compiler/plan/decision.ts). The result alone says how it reads, and most are as one
 * before them was.
 */
export function renderDecision(result: usize, out: Bytes): void {
  const bytes = resultBytes();
  if (bytes > KEPT_RESULT_MAX) return writeDecision<Bytes>(result, out);
  const place = kept + (hashOf(result, bytes) % KEPT) * KEPT_BYTES;
  const text = place + 4 + KEPT_RESULT_MAX;
  if (load<u32>(place) != 0 && isSame(place + 4, result, bytes)) return out.append(text, load<u32>(place));
  const from = out.len;
  writeDecision<Bytes>(result, out);
  const length = out.len - from;
  if (out.failed || length > KEPT_TEXT_MAX) return;
  memory.copy(place + 4, result, bytes);
  memory.copy(text, out.ptr + from, length);
  store<u32>(place, length);
}

function hashOf(p: usize, bytes: u32): u32 {
  let h: u64 = bytes;
  let at: u32 = 0;
  for (; at + 8 <= bytes; at += 8) h = (h ^ load<u64>(p + at) ^ (h >> 29)) * 0x9e3779b97f4a7c15;
  for (; at < bytes; at += 1) h = (h ^ load<u8>(p + at)) * 0x9e3779b97f4a7c15;
  return <u32>(h >> 40);
}

function isSame(a: usize, b: usize, bytes: u32): bool {
  let at: u32 = 0;
  for (; at + 8 <= bytes; at += 8) if (load<u64>(a + at) != load<u64>(b + at)) return false;
  for (; at < bytes; at += 1) if (load<u8>(a + at) != load<u8>(b + at)) return false;
  return true;
}

/**
 * Appends one sentence for the client, without a full stop: the first reason that a person can act on, and the rule's
 * name. Rules come first, then models, withheld chunks, what could not be decided, the default. Raw UTF-8, not escaped.
 * Nothing is appended where the result allows.
 */
export function renderReason(result: usize, out: Bytes): void {
  const site = <usize>load<u32>(result, RESULT_SITE);
  if (site == 0) return put<Bytes>(out, 'the request cannot be decided by the policy');
  if (isAllowed(result)) return;
  const denial = firstDenial(site, result);
  if (denial != 0) {
    if (load<u32>(denial, DENIAL_MESSAGE + 4) == 0) put<Bytes>(out, 'denied');
    else appendText(out, denial + DENIAL_MESSAGE);
    return appendName(out, ' (rule ', denial + DENIAL_RULE);
  }
  const flags = <u32>load<u8>(result, RESULT_FLAGS);
  if (flags & FLAG_UNKNOWN_MODEL) return put<Bytes>(out, 'no model of this name may be used');
  if (flags & FLAG_NO_MODEL) return appendRemovers(out, site, result);
  const withheld = firstSet(result + load<u32>(site, SITE_AT_WITHHELD), load<u32>(site, SITE_WITHHELD + 4));
  if (withheld >= 0) return appendName(out, 'withheld (rule ', load<u32>(site, SITE_WITHHELD) + (withheld << 3));
  const touched = firstSet(result + load<u32>(site, SITE_AT_TOUCHED), load<u32>(site, SITE_TOUCHES + 4));
  if (touched >= 0)
    return appendName(
      out,
      'something that a rule reads is not known (',
      load<u32>(site, SITE_TOUCHES) + touched * TOUCH_BYTES + TOUCH_NAME,
    );
  put<Bytes>(out, 'no rule of the policy allows this');
}

/** It is denied, and for no other reason than that rules withhold it. */
export function isOnlyWithheld(result: usize): bool {
  const site = <usize>load<u32>(result, RESULT_SITE);
  if (site == 0 || isAllowed(result)) return false;
  return (
    firstDenial(site, result) == 0 &&
    firstSet(result + load<u32>(site, SITE_AT_TOUCHED), load<u32>(site, SITE_TOUCHES + 4)) < 0 &&
    (load<u8>(result, RESULT_FLAGS) & FLAG_DEFAULT) == 0 &&
    firstSet(result + load<u32>(site, SITE_AT_WITHHELD), load<u32>(site, SITE_WITHHELD + 4)) >= 0
  );
}

function firstDenial(site: usize, result: usize): usize {
  const fired = result + load<u32>(site, SITE_AT_FIRED);
  const count = load<u32>(site, SITE_DENIALS + 4);
  let entry = <usize>load<u32>(site, SITE_DENIALS);
  for (let at: u32 = 0; at < count; at++, entry += DENIAL_BYTES)
    if (isSet(fired, load<u32>(entry, DENIAL_NODE))) return entry;
  return 0;
}

function firstSet(bits: usize, count: u32): i32 {
  for (let at: u32 = 0; at < count; at++) if (isSet(bits, at)) return at;
  return -1;
}

/**
 * Where a budget removed a model, its own message is what the client needs first; then the names of all that removed,
 * where there are several.
 */
function appendRemovers(out: Bytes, site: usize, result: usize): void {
  const count = load<u32>(site, SITE_REMOVERS + 4);
  const names = <usize>load<u32>(site, SITE_REMOVERS);
  const masks = result + load<u32>(site, SITE_AT_REMOVED);
  let last: usize = 0;
  let several = false;
  let message: usize = 0;
  for (let at: u32 = 0; at < count; at++) {
    if (load<u64>(masks + (at << 3)) == 0) continue;
    const name = names + (at << 3);
    if (last != 0 && !isSameText(last, name)) several = true;
    if (message == 0) message = budgetMessage(name);
    last = name;
  }
  if (message != 0) {
    appendText(out, message);
    if (!several) return;
    put<Bytes>(out, ' (removed by ');
  } else put<Bytes>(out, 'no model is left that this request may use (removed by ');
  last = 0;
  for (let at: u32 = 0; at < count; at++) {
    if (load<u64>(masks + (at << 3)) == 0) continue;
    const name = names + (at << 3);
    if (last != 0) {
      if (isSameText(last, name)) continue;
      put<Bytes>(out, ', ');
    }
    last = name;
    appendText(out, name);
  }
  out.push(0x29);
}

/** The message of the budget that a remover names; 0 where it names none, or the budget has no message. */
function budgetMessage(remover: usize): usize {
  const position = budgetOfRemover(remover);
  if (position == NO_BUDGET) return 0;
  const message = budgetRecord(position) + BUDGET_MESSAGE;
  return load<u32>(message, 4) == 0 ? 0 : message;
}

/** Position of what a remover `budget NAME` or `rate NAME` (an address and a length) names; else NO_BUDGET. */
export function budgetOfRemover(remover: usize): u32 {
  const count = budgetCount();
  const length = load<u32>(remover, 4);
  for (let at: u32 = 0; at < count; at++) {
    const record = budgetRecord(at);
    const name = load<u32>(record, BUDGET_NAME + 4);
    const before: u32 = load<u32>(record, BUDGET_COUNTS) == COUNTS_MONEY ? 7 : 5;
    if (
      length == name + before &&
      load<u8>(<usize>load<u32>(remover) + before - 1) == 0x20 &&
      memory.compare(load<u32>(remover) + before, load<u32>(record, BUDGET_NAME), name) == 0
    )
      return at;
  }
  return NO_BUDGET;
}

function appendName(out: Bytes, before: string, name: usize): void {
  put<Bytes>(out, before);
  appendText(out, name);
  out.push(0x29);
}

function appendText(out: Bytes, place: usize): void {
  out.append(load<u32>(place), load<u32>(place, 4));
}
