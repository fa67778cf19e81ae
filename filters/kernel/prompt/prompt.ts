/**
 * A prompt's way out: the body is walked once, its facts are set, the policy decides, and what is redacted, limited or
 * re-routed is spliced into the original bytes.
 */
import {
  EVENT_PROMPT,
  FACT_PROMPT_BYTES,
  FACT_PROMPT_CHOICES,
  FACT_PROMPT_COMPLEXITY,
  FACT_PROMPT_INPUT_TOKENS_BOUND,
  FACT_PROMPT_OUTPUT_TOKENS,
  FACT_PROMPT_REQUESTED_MODEL,
  FACT_PROMPT_STREAM,
  FACT_PROMPT_TOKENS_ESTIMATE,
  FACT_PROMPT_TOOLS,
} from '../abi';
import { Bytes } from '../bytes';
import { Arena, isAllowed, isHeld, releaseHeld, setText, setUnknown, setValue, slotOf } from '../decision/api';
import { appendUnescaped } from '../json/unescape';
import { readInteger } from '../json/scan';
import {
  NO_RECORD,
  RECORD_BYTES,
  RECORD_END,
  RECORD_KIND,
  RECORD_NODE,
  RECORD_PARENT,
  RECORD_START,
  recordAt,
  walk,
  walkFreeBytes,
  WALK_OK,
} from '../json/walk';
import * as P from '../protocol/places';
import { askLevels, needsLevels } from '../session/budget';
import { addComplexity, beginComplexity, complexity } from './complexity';
import {
  deny,
  denyByPolicy,
  denyFixed,
  denyTooLarge,
  denyWalk,
  messageOf,
  appendPlace,
  reply,
} from '../session/denial';
import { hasFlag, protocolSection, rootOf } from '../http/endpoint';
import { put } from '../http/literal';
import { beginMessages, messageOfRecord, setFound, setMessages, NO_MESSAGE } from './messages';
import { adaptRequest } from './adapt-request';
import { setFields } from './set-fields';
import { sendRequest } from '../session/send-request';
import { decideEvent } from '../session/record';
import { deniedByBudget } from '../session/budget';
import { denyByBudget } from '../session/refuse-spend';
import { Session } from '../session/session-state';
import { askRecord, keepPrompt, refuseUnrecorded } from '../keep/keeps';
import { askReview } from '../review/review-request';
import { addToGroup, clearEdits, clearTexts, closeGroup, editTexts, openGroup } from '../edit/texts';
import { MODE_ARGUMENTS, MODE_FIXED, MODE_TEXT } from '../edit/segment';
import { isListed } from '../edit/values-list';

/** Answers that a client may ask for at once. */
export const CHOICES_MAX: i64 = 128;
/** Tokens that a template may put around a message, for the estimate only. */
const ESTIMATE_MESSAGE_TOKENS: u32 = 4;
/**
 * Tokens that a template may put around a part of a message or a call in it, for the bound: each such thing names its
 * type.
 */
const PART_TOKENS: u32 = 32;

/** The request's body is complete. */
export function onPrompt(s: Session): i32 {
  const body = s.bodyBytes();
  const root = rootOf(s.endpoint, P.ENDPOINT_REQUEST);
  const records = s.recordBytes();
  records.clear();
  const code = walk(body.ptr, body.len, protocolSection(), root, records);
  if (code != WALK_OK) return denyWalk(s, code, "the request's body");
  s.structureBytes = walkFreeBytes;
  const refused = readPrompt(s);
  if (refused >= 0) return refused;
  if (s.failed) return denyTooLarge(s);
  return needsLevels(s) ? askLevels(s) : decidePrompt(s);
}

/** The facts are complete. */
export function decidePrompt(s: Session): i32 {
  decideEvent(s, EVENT_PROMPT, 0);
  keepPrompt(s);
  if (isHeld(s.result)) return askReview(s);
  if (!isAllowed(s.result)) return deniedByBudget(s.result) ? denyByBudget(s) : denyByPolicy(s, 403);
  return passPrompt(s);
}

/** What was held is approved. All else was decided anew, with the request that carries the ticket. */
export function releasePrompt(s: Session): i32 {
  releaseHeld(s.result);
  clearEdits(s);
  return passPrompt(s);
}

/** The host has kept the record of the prompt, or could not. */
export function goOnRecorded(s: Session, isKept: bool): i32 {
  if (!isKept) return refuseUnrecorded(s);
  s.isRecorded = true;
  return passPrompt(s);
}

function passPrompt(s: Session): i32 {
  if (s.wantsRecord && !s.isRecorded) return askRecord(s);
  const body = s.bodyBytes();
  if (!editTexts(s, body.ptr)) return denyFixed(s);
  const refused = setFields(s);
  if (refused >= 0) return refused;
  adaptRequest(s);
  if (s.failed) return denyTooLarge(s);
  return sendRequest(s);
}

/** Sets the prompt's facts from the records; -1, or the action of a refusal. */
function readPrompt(s: Session): i32 {
  const document = s.bodyBytes().ptr;
  const records = s.recordBytes();
  const count = records.len / RECORD_BYTES;
  clearTexts(s);
  beginMessages(s);
  beginComplexity();
  let partsOf: u32 = NO_RECORD;
  let partsMessage: u32 = NO_MESSAGE;
  let open = false;
  let output: i64 = -1;
  let tools: u32 = 0;
  let named = false;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    const kind = <i32>load<u8>(r, RECORD_KIND);
    if (kind == P.PLACE_PART) {
      const parent = load<u32>(r, RECORD_PARENT);
      if (open && parent != partsOf) {
        endText(s, partsMessage);
        open = false;
      }
      const first = !open;
      if (first) {
        openGroup(s, MODE_TEXT);
        open = true;
        partsOf = parent;
        partsMessage = messageOfRecord(records, i);
      }
      addToGroup(s, document, r, MODE_TEXT, first && isLastPart(records, i, partsOf));
      continue;
    }
    if (open && endsParts(kind)) {
      endText(s, partsMessage);
      open = false;
    }
    if (kind == P.PLACE_TEXT || kind == P.PLACE_LOCAL) oneText(s, document, records, i, MODE_TEXT);
    else if (kind == P.PLACE_ARGUMENTS) oneText(s, document, records, i, MODE_ARGUMENTS);
    else if (kind == P.PLACE_KEY || kind == P.PLACE_NUMBER) {
      s.structureBytes += load<u32>(r, RECORD_END) - load<u32>(r, RECORD_START) + 6;
      oneText(s, document, records, i, MODE_FIXED);
    } else if (kind == P.PLACE_ENUM || kind == P.PLACE_ROLE) {
      if (!isListed(document, r)) return denyValue(s, r);
      if (kind == P.PLACE_ENUM) s.structureBytes += PART_TOKENS;
    } else if (kind == P.PLACE_MODEL) {
      named = setModel(s, document, r);
      s.model = i;
    } else if (kind == P.PLACE_STREAM) {
      s.asksStream = load<u8>(document + load<u32>(r, RECORD_START)) == 0x74;
    } else if (kind == P.PLACE_INCLUDE_USAGE) {
      s.asksUsage = load<u8>(document + load<u32>(r, RECORD_START)) == 0x74;
    } else if (kind == P.PLACE_OUTPUT_LIMIT) {
      const n = readInteger(document + load<u32>(r, RECORD_START), document + load<u32>(r, RECORD_END));
      // Zero is no limit to some servers.
      if (n < 1) return denyValue(s, r);
      if (n > output) output = n;
    } else if (kind == P.PLACE_CHOICES) {
      const n = readInteger(document + load<u32>(r, RECORD_START), document + load<u32>(r, RECORD_END));
      if (n < 1 || n > CHOICES_MAX) return denyValue(s, r);
      s.choices = <u32>n;
    } else if (kind == P.PLACE_TOOL_CALL) {
      s.structureBytes += load<u32>(r, RECORD_END) - load<u32>(r, RECORD_START);
    } else if (kind == P.PLACE_TOOL) {
      tools += 1;
      s.structureBytes += load<u32>(r, RECORD_END) - load<u32>(r, RECORD_START);
    }
  }
  if (open) endText(s, partsMessage);
  if (s.failed) return -1;
  if (!named) return deny(s, 400, 'the request names no model');
  setFacts(s, output, tools);
  return -1;
}

/** Whether no part of the same message joins the one at `i`. */
function isLastPart(records: Bytes, i: u32, message: u32): bool {
  const count = records.len / RECORD_BYTES;
  for (let j = i + 1; j < count; j += 1) {
    const r = recordAt(records, j);
    const kind = <i32>load<u8>(r, RECORD_KIND);
    if (kind == P.PLACE_PART) return load<u32>(r, RECORD_PARENT) != message;
    if (endsParts(kind)) return true;
  }
  return true;
}

/** Places between two parts of one message that do not part them. */
function endsParts(kind: i32): bool {
  return kind != P.PLACE_ENUM && kind != P.PLACE_ROLE;
}

function oneText(s: Session, document: usize, records: Bytes, i: u32, mode: u32): void {
  openGroup(s, mode);
  addToGroup(s, document, recordAt(records, i), mode, true);
  endText(s, messageOfRecord(records, i));
}

/** Ends the open lane of a message; the last user message's text is what complexity is judged by. */
function endText(s: Session, message: u32): void {
  if (message != NO_MESSAGE && message == s.lastUser && !s.failed && slotOf(s.facts, FACT_PROMPT_COMPLEXITY) != 0)
    addComplexity(s.laneOf().text(), s.laneOf().length);
  closeGroup(s, message);
}

function setModel(s: Session, document: usize, record: usize): bool {
  const from = document + load<u32>(record, RECORD_START) + 1;
  const to = document + load<u32>(record, RECORD_END) - 1;
  const text = changetype<Bytes>(s.text);
  text.clear();
  appendUnescaped(text, from, to);
  const kept = changetype<Arena>(s.arena).take(text.len + 1);
  if (text.failed || kept == 0) {
    s.failed = true;
    return true;
  }
  memory.copy(kept, text.ptr, text.len);
  setText(s.facts, FACT_PROMPT_REQUESTED_MODEL, kept, text.len);
  return true;
}

function setFacts(s: Session, output: i64, tools: u32): void {
  const facts = s.facts;
  const messages = s.messageCount;
  const overhead =
    load<u32>(s.endpoint, P.ENDPOINT_OVERHEAD) + load<u32>(s.endpoint, P.ENDPOINT_OVERHEAD_MESSAGE) * messages;
  setValue(facts, FACT_PROMPT_BYTES, s.textBytes);
  setValue(facts, FACT_PROMPT_INPUT_TOKENS_BOUND, <i64>s.textBytes + <i64>s.structureBytes + <i64>overhead);
  setValue(
    facts,
    FACT_PROMPT_TOKENS_ESTIMATE,
    <i64>((s.textBytes + 3) / 4) + <i64>(messages * ESTIMATE_MESSAGE_TOKENS),
  );
  setValue(facts, FACT_PROMPT_CHOICES, s.choices);
  setValue(facts, FACT_PROMPT_STREAM, s.asksStream ? 1 : 0);
  setValue(facts, FACT_PROMPT_TOOLS, tools);
  setValue(facts, FACT_PROMPT_COMPLEXITY, complexity(messages, tools));
  if (hasFlag(s.endpoint, P.FLAG_NO_OUTPUT)) setValue(facts, FACT_PROMPT_OUTPUT_TOKENS, 0);
  else if (output >= 0) setValue(facts, FACT_PROMPT_OUTPUT_TOKENS, output);
  else setUnknown(facts, FACT_PROMPT_OUTPUT_TOKENS);
  setFound(s);
  setMessages(s);
}

/** A value that is none of those that its place allows. */
function denyValue(s: Session, record: usize): i32 {
  const message = messageOf(s);
  put(message, 'the value at `');
  appendPlace(message, <usize>load<u32>(record, RECORD_NODE));
  put(message, '` is none that this gateway reads');
  return reply(s, 400, message);
}
