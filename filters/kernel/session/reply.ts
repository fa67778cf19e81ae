/** A reply that is held whole: walked once, decided once, edited, and sent on. */
import { ACTION_CONTINUE, EVENT_COMPLETION, FACT_COMPLETION_FINISH_REASON, FACT_COMPLETION_TOKENS } from '../abi';
import { Bytes } from '../bytes';
import { carryChoice, decidesCalls, isAllowed, setFailed, setText, setValue } from '../decision/api';
import { NO_RECORD, RECORD_BYTES, RECORD_END, RECORD_KIND, RECORD_START, recordAt, walk, WALK_OK } from '../json/walk';
import * as P from '../protocol/places';
import { hasRefused, settle } from './budget';
import { deny, denyByPolicy, denyFixed, messageOf, reply } from './denial';
import { appendPlace } from './denial';
import { eventOf, protocolSection, rootOf } from '../http/endpoint';
import { putRemovals } from '../http/forwarded-headers';
import { is, put } from '../http/literal';
import { setFound, NO_MESSAGE } from '../prompt/messages';
import { keepReply } from '../keep/keeps';
import { decideEvent, decideQuietly } from './record';
import { putBody, putLength } from './send-request';
import { PHASE_DONE, Session } from './session-state';
import { clearTexts, editTexts, putInCall, scanAlone } from '../edit/texts';
import { MODE_ARGUMENTS, MODE_FIXED, MODE_TEXT } from '../edit/segment';
import {
  addArguments,
  beginCalls,
  beginInCall,
  callCount,
  endCalls,
  endInCall,
  nameCall,
  noteCall,
  positionOf,
  readsCalls,
  setCalls,
} from './tool-calls';
import { CALLS_DENIED, CALLS_FIXED, CALLS_PASS, CALLS_UNREADABLE, judgeCalls, UNREADABLE_CALL } from './judge-calls';
import { dropFromReply } from './drop-calls';
import { around, takeFinish, takeUsage } from './usage';
import { isListed } from '../edit/values-list';
import { walkPlace, WALK_REFUSED, WALK_UNKNOWN_KEY } from '../json/walk';

/** From here on the texts are the reply's. */
export function beginReply(s: Session): void {
  s.isReply = true;
  s.foundLow = 0;
  s.foundHigh = 0;
  s.newLow = 0;
  s.newHigh = 0;
  s.textBytes = 0;
  carryChoice(s.facts, s.result);
  setFailed(s.facts, FACT_COMPLETION_TOKENS);
  setFailed(s.facts, FACT_COMPLETION_FINISH_REASON);
  beginCalls(s);
}

/** The reply's body is complete. */
export function onReply(s: Session): i32 {
  const body = s.bodyBytes();
  const refused = s.status >= 400;
  const records = s.recordBytes();
  records.clear();
  const section = protocolSection();
  const root = refused ? section + load<u32>(section, P.SECTION_ANY) : rootOf(s.endpoint, P.ENDPOINT_REPLY);
  const code = walk(body.ptr, body.len, section, root, records);
  if (code != WALK_OK) {
    settle(s, hasRefused(s.status));
    return refused
      ? deny(s, s.status, 'the upstream refused the request, and its answer cannot be read')
      : denyUnreadable(s, code);
  }
  clearTexts(s);
  readReply(s, body.ptr);
  s.usageIsFinal = true;
  settle(s, hasRefused(s.status));
  if (s.failed) return deny(s, 502, "the upstream's reply holds more values than this gateway reads");
  // What a store says of a write is no completion: it holds nothing but what its caller sent.
  if (eventOf(s.endpoint) == P.ENDPOINT_INGEST) {
    changetype<Bytes>(s.edits).clear();
    return sendReply(s);
  }
  setReplyFacts(s);
  decideEvent(s, EVENT_COMPLETION, 0);
  keepReply(s);
  if (!isAllowed(s.result)) return denyByPolicy(s, 403);
  const calls = governCalls(s);
  if (calls == CALLS_DENIED) return denyByPolicy(s, 403);
  if (calls == CALLS_UNREADABLE) return deny(s, 502, UNREADABLE_CALL);
  if (calls == CALLS_FIXED) return denyFixed(s);
  if (!editTexts(s, body.ptr)) return denyFixed(s);
  if (decidesCalls()) dropFromReply(s);
  if (s.failed) return deny(s, 502, "the upstream's reply holds more values than this gateway reads");
  return sendReply(s);
}

/** Decides all calls of a reply that is whole. What they pass leaves the completion's own decision in force. */
export function governCalls(s: Session): i32 {
  if (!decidesCalls() || callCount(s) == 0) return s.callsFailed && decidesCalls() ? CALLS_UNREADABLE : CALLS_PASS;
  endCalls(s, -1);
  const calls = judgeCalls(s);
  if (calls != CALLS_PASS) return calls;
  setFound(s);
  decideQuietly(s, EVENT_COMPLETION, 0);
  return CALLS_PASS;
}

/** Sends the held body on, with its edits. */
export function sendReply(s: Session): i32 {
  const o = s.out();
  const body = s.bodyBytes();
  const edits = changetype<Bytes>(s.edits);
  putBody(s);
  if (o.bodyRun().failed) return deny(s, 502, "the upstream's reply is larger than this gateway can edit");
  if (edits.len > 0) putLength(s, o.bodyRun().len + body.len - o.covered);
  putRemovals(s);
  s.phase = PHASE_DONE;
  return ACTION_CONTINUE;
}

/** The upstream's reply is not what its protocol says. */
export function denyUnreadable(s: Session, code: i32): i32 {
  const message = messageOf(s);
  put(message, "the upstream's reply cannot be read");
  if (code == WALK_REFUSED || code == WALK_UNKNOWN_KEY) {
    put(message, ': unknown value at `');
    appendPlace(message, walkPlace);
    message.push(0x60);
  }
  return reply(s, 502, message);
}

/** Sets what the reply tells of itself, and what was found in it. */
export function setReplyFacts(s: Session): void {
  setFound(s);
  setCalls(s);
  if (s.outputTokens >= 0) setValue(s.facts, FACT_COMPLETION_TOKENS, s.outputTokens);
  if (s.finish != 0) setText(s.facts, FACT_COMPLETION_FINISH_REASON, s.finish, s.finishBytes);
}

/** Scans every text of the reply, and notes its usage and its end. */
function readReply(s: Session, document: usize): void {
  const records = s.recordBytes();
  const count = records.len / RECORD_BYTES;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    const kind = <i32>load<u8>(r, RECORD_KIND);
    if (kind == P.PLACE_FINISH) {
      if (isListed(document, r)) takeFinish(s, document, r);
      else scanAlone(s, document, r, MODE_TEXT, NO_MESSAGE);
    } else if (kind == P.PLACE_USAGE) takeUsage(s, document, i);
    else if (readsCalls(s)) scanInCall(s, document, i, kind);
    else scanValue(s, document, r, kind);
  }
}

/** Scans a value, and notes of which call of a tool it is: a call is known by the record around it. */
function scanInCall(s: Session, document: usize, i: u32, kind: i32): void {
  const call = around(s, i, s.form == P.FORM_ANTHROPIC ? P.PLACE_CHOICE : P.PLACE_TOOL_CALL);
  const r = recordAt(s.recordBytes(), i);
  if (kind == P.PLACE_TOOL_CALL) noteCall(s, 0, i);
  if (call == NO_RECORD) return scanValue(s, document, r, kind);
  if (kind == P.PLACE_TOOL_NAME) nameCall(s, 0, call, document, r);
  takeArguments(s, 0, call, document, r, kind);
  if (opensCall(s, document, r, kind)) noteCall(s, 0, call);
  const isArgument = kind == P.PLACE_ARGUMENTS || around(s, i, P.PLACE_TOOL_INPUT) != NO_RECORD;
  const groups = changetype<Bytes>(s.groups).len;
  beginInCall(s);
  scanValue(s, document, r, kind);
  endInCall(s, 0, call, isArgument);
  if (isArgument && changetype<Bytes>(s.groups).len > groups) putInCall(s, groups, positionOf(s, 0, call));
}

/** Notes arguments of a call: a text that is JSON (OpenAI), or JSON of the reply's own (Anthropic). */
export function takeArguments(s: Session, choice: u32, tool: u32, document: usize, record: usize, kind: i32): void {
  const start = document + load<u32>(record, RECORD_START);
  const end = document + load<u32>(record, RECORD_END);
  if (kind == P.PLACE_ARGUMENTS) addArguments(s, choice, tool, start + 1, end - 1, true);
  else if (kind == P.PLACE_TOOL_INPUT) addArguments(s, choice, tool, start, end, false);
}

/** The type of a block (Anthropic) that is neither text nor thought. */
export function opensCall(s: Session, document: usize, record: usize, kind: i32): bool {
  if (kind != P.PLACE_ENUM || s.form != P.FORM_ANTHROPIC) return false;
  const p = document + load<u32>(record, RECORD_START) + 1;
  const length = load<u32>(record, RECORD_END) - load<u32>(record, RECORD_START) - 2;
  return !is(p, length, 'text') && !is(p, length, 'thinking');
}

/** Scans a value of a reply that is text in itself. */
export function scanValue(s: Session, document: usize, r: usize, kind: i32): void {
  if (kind == P.PLACE_TEXT || kind == P.PLACE_PART || kind == P.PLACE_LOCAL || kind == P.PLACE_TOOL_NAME)
    scanAlone(s, document, r, MODE_TEXT, NO_MESSAGE);
  else if (kind == P.PLACE_ARGUMENTS) scanAlone(s, document, r, MODE_ARGUMENTS, NO_MESSAGE);
  else if (kind == P.PLACE_KEY || kind == P.PLACE_NUMBER) scanAlone(s, document, r, MODE_FIXED, NO_MESSAGE);
  else if ((kind == P.PLACE_ENUM || kind == P.PLACE_EVENT_TYPE) && !isListed(document, r))
    scanAlone(s, document, r, MODE_TEXT, NO_MESSAGE);
}
