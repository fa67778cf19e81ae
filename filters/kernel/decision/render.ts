/**
 * From a result block to JSON: the decision document of compiler/plan/decision.ts, and one sentence for the client. `O`
 * is a sink with `push(byte)`, `room(bytes)` and `took(bytes)`. A fact's value never appears: only names and messages that
 * stand in the policy.
 */
import {
  EVENT_CHUNK,
  EVENT_COMPLETION,
  EVENT_EXCHANGE,
  EVENT_INGEST,
  EVENT_PROMPT,
  EVENT_RETRIEVAL,
  EVENT_TOOL_CALL,
  T_MODELS,
} from '../abi';
import {
  DENIAL_BYTES,
  DENIAL_MESSAGE,
  DENIAL_NODE,
  DENIAL_RULE,
  FLAG_DEFAULT,
  FLAG_NO_MODEL,
  FLAG_UNKNOWN_MODEL,
  HOLD_APPROVALS,
  HOLD_BYTES,
  HOLD_MILLISECONDS,
  HOLD_NODE,
  HOLD_REVIEWERS,
  HOLD_RULE,
  KEEP_BYTES,
  KEEP_MILLISECONDS,
  KEEP_NODE,
  KEEP_REVIEWERS,
  KEEP_RULE,
  MODE_NAME,
  MODEL_NAME,
  MODELS_BY_PRICE,
  REDACT_RESTORED,
  REDACTION_BYTES,
  REDACTION_DETECTOR,
  REDACTION_NAME,
  REDACTION_NODE,
  REDACTION_RULE,
  RESULT_CANDIDATES,
  RESULT_FLAGS,
  RESULT_OUTPUT_TOKENS,
  RESULT_SITE,
  SITE_AT_FAILED,
  SITE_AT_FIRED,
  SITE_AT_PREFERENCES,
  SITE_AT_REDACTIONS,
  SITE_AT_REMOVED,
  SITE_AT_RESERVES,
  SITE_AT_TOUCHED,
  SITE_AT_WITHHELD,
  SITE_CLASSIFICATION,
  SITE_DENIALS,
  SITE_EVENT,
  SITE_FAILED,
  SITE_HOLDS,
  SITE_KEEPS,
  SITE_NODES,
  SITE_PREFERENCES,
  SITE_REDACTIONS,
  SITE_REMOVERS,
  SITE_RESERVES,
  SITE_SETS,
  SITE_TAGS,
  SITE_TOUCHES,
  SITE_WITHHELD,
  SET_BYTES,
  SET_FIELD,
  SET_NODE,
  SET_VALUE,
  TAG_BYTES,
  TAG_NAME,
  TAG_NODE,
  TAG_VALUE,
  TOUCH_BYTES,
  TOUCH_NAME,
  TOUCH_READS,
} from './layout';
import { chosenModel, classificationOf, isAllowed, isHeld } from './result';
import { enumMembers, modelRecord, redactionRecord, sameBytes, section } from './tables';

/** The decision as JSON, keys in the declared order, without spaces. */
export function writeDecision<O>(result: usize, out: O): void {
  const site = <usize>load<u32>(result, RESULT_SITE);
  if (site == 0) {
    put<O>(
      out,
      '{"event":null,"outcome":"deny","model":null,"classification":null,"redact":[],"outputTokens":null,"reserve":[],"tags":[],"set":[],"holds":[],"keeps":[],"reasons":[{"kind":"input"}],"fired":[],"failed":[]}',
    );
    return;
  }
  const held = isHeld(result);
  // As it will be once it is released.
  const allowed = held || isAllowed(result);
  put<O>(out, '{"event":"');
  putEvent<O>(out, load<u8>(site, SITE_EVENT));
  put<O>(
    out,
    held ? '","outcome":"hold","model":' : allowed ? '","outcome":"allow","model":' : '","outcome":"deny","model":',
  );
  const model = chosenModel(result);
  if (model < 0) put<O>(out, 'null');
  else putText<O>(out, modelRecord(model) + MODEL_NAME);
  put<O>(out, ',"classification":');
  const rank = classificationOf(result);
  if (rank < 0) put<O>(out, 'null');
  else putText<O>(out, load<u32>(enumMembers(load<u16>(site, SITE_CLASSIFICATION) - 1)) + (rank << 3));
  put<O>(out, ',"redact":[');
  if (allowed) putRedactions<O>(out, site, result);
  put<O>(out, '],"outputTokens":');
  if (allowed && load<u8>(site, SITE_EVENT) == EVENT_PROMPT) putNumber<O>(out, load<i64>(result, RESULT_OUTPUT_TOKENS));
  else put<O>(out, 'null');
  put<O>(out, ',"reserve":[');
  if (allowed) putReserves<O>(out, site, result);
  put<O>(out, '],"tags":[');
  if (allowed) putTags<O>(out, site, result);
  put<O>(out, '],"set":[');
  if (allowed) putSettings<O>(out, site, result);
  put<O>(out, '],"holds":[');
  if (held) putHolds<O>(out, site, result);
  put<O>(out, '],"keeps":[');
  putKeeps<O>(out, site, result);
  put<O>(out, '],"reasons":[');
  if (!allowed) putReasons<O>(out, site, result);
  put<O>(out, '],"fired":[');
  putNames<O>(out, site + SITE_NODES, result + load<u32>(site, SITE_AT_FIRED));
  put<O>(out, '],"failed":[');
  putNames<O>(out, site + SITE_FAILED, result + load<u32>(site, SITE_AT_FAILED));
  put<O>(out, ']}');
}

function putEvent<O>(out: O, event: u32): void {
  put<O>(
    out,
    event == EVENT_PROMPT
      ? 'prompt'
      : event == EVENT_COMPLETION
        ? 'completion'
        : event == EVENT_RETRIEVAL
          ? 'retrieval'
          : event == EVENT_CHUNK
            ? 'chunk'
            : event == EVENT_INGEST
              ? 'ingest'
              : event == EVENT_TOOL_CALL
                ? 'tool_call'
                : event == EVENT_EXCHANGE
                  ? 'exchange'
                  : 'egress',
  );
}

// ------------------------------------------------------------------------------------------------------------ what is
// done

function putRedactions<O>(out: O, site: usize, result: usize): void {
  const fired = result + load<u32>(site, SITE_AT_FIRED);
  const modes = result + load<u32>(site, SITE_AT_REDACTIONS);
  const count = load<u32>(site, SITE_REDACTIONS + 4);
  let entry = <usize>load<u32>(site, SITE_REDACTIONS);
  let detector: u32 = 0xffffffff;
  let rule: usize = 0;
  for (let at: u32 = 0; at < count; at++, entry += REDACTION_BYTES) {
    if (!isSet(fired, load<u32>(entry, REDACTION_NODE))) continue;
    if (load<u32>(entry, REDACTION_DETECTOR) != detector) {
      if (detector != 0xffffffff) put<O>(out, ']},');
      detector = load<u32>(entry, REDACTION_DETECTOR);
      rule = 0;
      const mode = <u32>load<u8>(modes + detector);
      put<O>(out, '{"detector":');
      putText<O>(out, entry + REDACTION_NAME);
      put<O>(out, ',"as":');
      putText<O>(out, redactionRecord(mode & 127) + MODE_NAME);
      put<O>(
        out,
        (mode & REDACT_RESTORED) != 0 ? ',"includingRestored":true,"rules":[' : ',"includingRestored":false,"rules":[',
      );
    }
    if (rule != 0) {
      if (isSameText(rule, entry + REDACTION_RULE)) continue;
      out.push(0x2c);
    }
    rule = entry + REDACTION_RULE;
    putText<O>(out, rule);
  }
  if (detector != 0xffffffff) put<O>(out, ']}');
}

function putReserves<O>(out: O, site: usize, result: usize): void {
  const amounts = result + load<u32>(site, SITE_AT_RESERVES);
  const count = load<u32>(site, SITE_RESERVES + 4);
  let any = false;
  for (let at: u32 = 0; at < count; at++) {
    const amount = load<i64>(amounts + (at << 3)) - 1;
    if (amount < 0) continue;
    put<O>(out, any ? ',{"budget":' : '{"budget":');
    any = true;
    putText<O>(out, load<u32>(site, SITE_RESERVES) + (at << 3));
    put<O>(out, ',"amount":');
    putNumber<O>(out, amount);
    out.push(0x7d);
  }
}

function putTags<O>(out: O, site: usize, result: usize): void {
  const fired = result + load<u32>(site, SITE_AT_FIRED);
  const count = load<u32>(site, SITE_TAGS + 4);
  let entry = <usize>load<u32>(site, SITE_TAGS);
  let last: usize = 0;
  for (let at: u32 = 0; at < count; at++, entry += TAG_BYTES) {
    if (!isSet(fired, load<u32>(entry, TAG_NODE))) continue;
    if (last != 0 && isSameText(last + TAG_NAME, entry + TAG_NAME) && isSameText(last + TAG_VALUE, entry + TAG_VALUE))
      continue;
    put<O>(out, last != 0 ? ',{"name":' : '{"name":');
    last = entry;
    putText<O>(out, entry + TAG_NAME);
    put<O>(out, ',"value":');
    putText<O>(out, entry + TAG_VALUE);
    out.push(0x7d);
  }
}

function putSettings<O>(out: O, site: usize, result: usize): void {
  const fired = result + load<u32>(site, SITE_AT_FIRED);
  const count = load<u32>(site, SITE_SETS + 4);
  let entry = <usize>load<u32>(site, SITE_SETS);
  let last: usize = 0;
  for (let at: u32 = 0; at < count; at++, entry += SET_BYTES) {
    if (!isSet(fired, load<u32>(entry, SET_NODE))) continue;
    if (last != 0 && isSameText(last + SET_FIELD, entry + SET_FIELD) && isSameText(last + SET_VALUE, entry + SET_VALUE))
      continue;
    put<O>(out, last != 0 ? ',{"field":' : '{"field":');
    last = entry;
    putText<O>(out, entry + SET_FIELD);
    put<O>(out, ',"value":');
    putBytes<O>(out, load<u32>(entry, SET_VALUE), load<u32>(entry, SET_VALUE + 4));
    out.push(0x7d);
  }
}

function putHolds<O>(out: O, site: usize, result: usize): void {
  const fired = result + load<u32>(site, SITE_AT_FIRED);
  const count = load<u32>(site, SITE_HOLDS + 4);
  let entry = <usize>load<u32>(site, SITE_HOLDS);
  let last: usize = 0;
  for (let at: u32 = 0; at < count; at++, entry += HOLD_BYTES) {
    if (!isSet(fired, load<u32>(entry, HOLD_NODE)) || (last != 0 && isSameHold(last, entry))) continue;
    put<O>(out, last != 0 ? ',{"rule":' : '{"rule":');
    last = entry;
    putText<O>(out, entry + HOLD_RULE);
    put<O>(out, ',"reviewers":');
    putText<O>(out, entry + HOLD_REVIEWERS);
    put<O>(out, ',"approvals":');
    putNumber<O>(out, load<u32>(entry, HOLD_APPROVALS));
    put<O>(out, ',"milliseconds":');
    putNumber<O>(out, load<i64>(entry, HOLD_MILLISECONDS));
    out.push(0x7d);
  }
}

function putKeeps<O>(out: O, site: usize, result: usize): void {
  const fired = result + load<u32>(site, SITE_AT_FIRED);
  const count = load<u32>(site, SITE_KEEPS + 4);
  let entry = <usize>load<u32>(site, SITE_KEEPS);
  let last: usize = 0;
  for (let at: u32 = 0; at < count; at++, entry += KEEP_BYTES) {
    if (!isSet(fired, load<u32>(entry, KEEP_NODE)) || (last != 0 && isSameKeep(last, entry))) continue;
    put<O>(out, last != 0 ? ',{"rule":' : '{"rule":');
    last = entry;
    putText<O>(out, entry + KEEP_RULE);
    put<O>(out, ',"reviewers":');
    if (load<u32>(entry, KEEP_REVIEWERS + 4) == 0) put<O>(out, 'null');
    else putText<O>(out, entry + KEEP_REVIEWERS);
    put<O>(out, ',"milliseconds":');
    if (load<u64>(entry, KEEP_MILLISECONDS) == 0) put<O>(out, 'null');
    else putNumber<O>(out, load<i64>(entry, KEEP_MILLISECONDS));
    out.push(0x7d);
  }
}

/** Of one rule, which may say the same twice. */
export function isSameKeep(a: usize, b: usize): bool {
  return (
    load<u64>(a, KEEP_MILLISECONDS) == load<u64>(b, KEEP_MILLISECONDS) &&
    isSameText(a + KEEP_RULE, b + KEEP_RULE) &&
    isSameText(a + KEEP_REVIEWERS, b + KEEP_REVIEWERS)
  );
}

/** Of one rule, which may say the same twice. */
export function isSameHold(a: usize, b: usize): bool {
  return (
    load<u32>(a, HOLD_APPROVALS) == load<u32>(b, HOLD_APPROVALS) &&
    load<u64>(a, HOLD_MILLISECONDS) == load<u64>(b, HOLD_MILLISECONDS) &&
    isSameText(a + HOLD_RULE, b + HOLD_RULE) &&
    isSameText(a + HOLD_REVIEWERS, b + HOLD_REVIEWERS)
  );
}

// ----------------------------------------------------------------------------------------------------------------
// reasons

/** Whether a reason has been written: the next one needs a comma. */
let anyReason: bool = false;

function beginReason<O>(out: O, text: string): void {
  if (anyReason) out.push(0x2c);
  anyReason = true;
  put<O>(out, text);
}

function putReasons<O>(out: O, site: usize, result: usize): void {
  anyReason = false;
  const flags = <u32>load<u8>(result, RESULT_FLAGS);
  putTouched<O>(out, site, result);
  if (flags & FLAG_UNKNOWN_MODEL) beginReason<O>(out, '{"kind":"unknown_model"}');
  if (flags & FLAG_NO_MODEL) putRemoved<O>(out, site, result);
  putDenials<O>(out, site, result);
  const withheld = result + load<u32>(site, SITE_AT_WITHHELD);
  const count = load<u32>(site, SITE_WITHHELD + 4);
  let last: usize = 0;
  for (let at: u32 = 0; at < count; at++) {
    const name = <usize>load<u32>(site, SITE_WITHHELD) + (at << 3);
    if (!isSet(withheld, at) || (last != 0 && isSameText(last, name))) continue;
    last = name;
    beginReason<O>(out, '{"kind":"withheld","rule":');
    putText<O>(out, name);
    out.push(0x7d);
  }
  if (flags & FLAG_DEFAULT) beginReason<O>(out, '{"kind":"default"}');
}

/** One reason a name, with the failed facts of all that has the name and denies. */
function putTouched<O>(out: O, site: usize, result: usize): void {
  const touched = result + load<u32>(site, SITE_AT_TOUCHED);
  const failed = result + load<u32>(site, SITE_AT_FAILED);
  const count = load<u32>(site, SITE_TOUCHES + 4);
  const facts = load<u32>(site, SITE_FAILED + 4);
  const entries = <usize>load<u32>(site, SITE_TOUCHES);
  for (let at: u32 = 0; at < count;) {
    let next = at + 1;
    let any = isSet(touched, at);
    while (
      next < count &&
      isSameText(entries + at * TOUCH_BYTES + TOUCH_NAME, entries + next * TOUCH_BYTES + TOUCH_NAME)
    ) {
      if (isSet(touched, next)) any = true;
      next++;
    }
    if (any) {
      beginReason<O>(out, '{"kind":"failed","rule":');
      putText<O>(out, entries + at * TOUCH_BYTES + TOUCH_NAME);
      put<O>(out, ',"facts":[');
      let first = true;
      for (let fact: u32 = 0; fact < facts; fact++) {
        if (!isSet(failed, fact)) continue;
        for (let entry = at; entry < next; entry++) {
          if (!isSet(touched, entry) || !isSet(load<u32>(entries + entry * TOUCH_BYTES, TOUCH_READS), fact)) continue;
          if (!first) out.push(0x2c);
          first = false;
          putText<O>(out, load<u32>(site, SITE_FAILED) + (fact << 3));
          break;
        }
      }
      put<O>(out, ']}');
    }
    at = next;
  }
}

/** One reason a candidate, in the order in which the route offers them. */
function putRemoved<O>(out: O, site: usize, result: usize): void {
  let left = load<u64>(result, RESULT_CANDIDATES);
  const preferences = load<u32>(site, SITE_PREFERENCES);
  const removers = load<u32>(site, SITE_REMOVERS + 4);
  for (let at: u32 = 0; at < preferences; at++) {
    let offered = load<u64>(result + load<u32>(site, SITE_AT_PREFERENCES) + (at << 3)) & left;
    left &= ~offered;
    for (; offered != 0; offered &= offered - 1) {
      const rank = <u32>ctz(offered);
      beginReason<O>(out, '{"kind":"removed","model":');
      putText<O>(out, modelRecord(load<u8>(load<u32>(section(T_MODELS), MODELS_BY_PRICE) + rank)) + MODEL_NAME);
      put<O>(out, ',"by":[');
      let last: usize = 0;
      for (let remover: u32 = 0; remover < removers; remover++) {
        if (((load<u64>(result + load<u32>(site, SITE_AT_REMOVED) + (remover << 3)) >> rank) & 1) == 0) continue;
        const name = <usize>load<u32>(site, SITE_REMOVERS) + (remover << 3);
        if (last != 0) {
          if (isSameText(last, name)) continue;
          out.push(0x2c);
        }
        last = name;
        putText<O>(out, name);
      }
      put<O>(out, ']}');
    }
  }
}

function putDenials<O>(out: O, site: usize, result: usize): void {
  const fired = result + load<u32>(site, SITE_AT_FIRED);
  const count = load<u32>(site, SITE_DENIALS + 4);
  let entry = <usize>load<u32>(site, SITE_DENIALS);
  let last: usize = 0;
  for (let at: u32 = 0; at < count; at++, entry += DENIAL_BYTES) {
    if (!isSet(fired, load<u32>(entry, DENIAL_NODE))) continue;
    if (
      last != 0 &&
      isSameText(last + DENIAL_RULE, entry + DENIAL_RULE) &&
      isSameText(last + DENIAL_MESSAGE, entry + DENIAL_MESSAGE)
    )
      continue;
    last = entry;
    beginReason<O>(out, '{"kind":"rule","rule":');
    putText<O>(out, entry + DENIAL_RULE);
    put<O>(out, ',"message":');
    putText<O>(out, entry + DENIAL_MESSAGE);
    out.push(0x7d);
  }
}

// ------------------------------------------------------------------------------------------------------------------
// parts

export function isSet(bits: usize, at: u32): bool {
  return ((load<u8>(bits + (at >>> 3)) >>> (at & 7)) & 1) != 0;
}

export function isSameText(a: usize, b: usize): bool {
  const length = load<u32>(a, 4);
  return length == load<u32>(b, 4) && sameBytes(load<u32>(a), load<u32>(b), length);
}

/** Names whose bit is set, in their order, each once. */
function putNames<O>(out: O, list: usize, bits: usize): void {
  const count = load<u32>(list, 4);
  const names = <usize>load<u32>(list);
  let last: usize = 0;
  for (let at: u32 = 0; at < count; at++) {
    if (!isSet(bits, at)) continue;
    const name = names + (at << 3);
    if (last != 0) {
      if (isSameText(last, name)) continue;
      out.push(0x2c);
    }
    last = name;
    putText<O>(out, name);
  }
}

/** ASCII text of the kernel's own: UTF-16, of which each second byte is zero. */
export function put<O>(out: O, text: string): void {
  const length = <u32>text.length;
  const to = out.room(length + 4);
  if (to == 0) return;
  const from = changetype<usize>(text);
  // Four at once: what is read beyond the text is memory of ours, and is not counted as written.
  for (let at: u32 = 0; at < length; at += 4) {
    const letters = load<u64>(from + (at << 1));
    const pairs = (letters | (letters >> 8)) & 0x0000ffff0000ffff;
    store<u32>(to + at, <u32>(pairs | (pairs >> 16)));
  }
  out.took(length);
}

/** The text (address, bytes) at `place` as a JSON string. */
export function putText<O>(out: O, place: usize): void {
  let at = <usize>load<u32>(place);
  const length = load<u32>(place, 4);
  const end = at + length;
  const begin = out.room(2 + 6 * length);
  if (begin == 0) return;
  let to = begin;
  store<u8>(to, 0x22);
  to++;
  for (; at < end; at++) {
    const byte = <u32>load<u8>(at);
    if (byte < 0x20) {
      store<u32>(to, 0x3030755c); // \u00
      store<u8>(to, 0x30 + (byte >>> 4), 4);
      store<u8>(to, (byte & 15) < 10 ? 0x30 + (byte & 15) : 0x57 + (byte & 15), 5);
      to += 6;
      continue;
    }
    if (byte == 0x22 || byte == 0x5c) {
      store<u8>(to, 0x5c);
      to++;
    }
    store<u8>(to, byte);
    to++;
  }
  store<u8>(to, 0x22);
  out.took(<u32>(to + 1 - begin));
}

/** Bytes that are JSON already. */
function putBytes<O>(out: O, from: usize, length: u32): void {
  const to = out.room(length);
  if (to == 0) return;
  memory.copy(to, from, length);
  out.took(length);
}

/** An integer that is not negative. */
export function putNumber<O>(out: O, value: i64): void {
  let power: i64 = 1;
  while (value / power >= 10) power *= 10;
  for (; power > 0; power /= 10) out.push(0x30 + <u32>((value / power) % 10));
}
