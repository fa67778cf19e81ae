/**
 * Decides the calls of a reply one by one, each as one of every tool of the policy that has its name. A call that rules
 * take out of the reply is noted as dropped; one that is denied otherwise denies the reply.
 */
import { EVENT_TOOL_CALL, FACT_CALL_NAME, FACT_TEXT_FOUND, FACT_TEXT_FOUND_RESTORED } from '../abi';
import { Bytes } from '../bytes';
import {
  Arena,
  decidesCalls,
  isAllowed,
  isOnlyWithheld,
  isToolCalled,
  loadArguments,
  setBits,
  setText,
  toolCount,
} from '../decision/api';
import { noteKeeps } from '../keep/keeps';
import { FORM_ANTHROPIC } from '../protocol/places';
import { CALL_ARGUMENTS } from './call-entries';
import { isFoundAround, noteRedactions } from './redact-calls';
import { decideQuietly, recordAlways, recordDecision } from './record';
import { Session } from './session-state';
import {
  CALL_ENDED,
  CALL_HIGH,
  CALL_LOW,
  CALL_NAME,
  CALL_NAME_BYTES,
  CALL_NEW_HIGH,
  CALL_NEW_LOW,
  CALL_VERDICT,
  callAt,
  callCount,
  hasPlainArguments,
  isCall,
  VERDICT_DROPPED,
  VERDICT_KEPT,
  VERDICT_NONE,
} from './tool-calls';

export const CALLS_PASS: i32 = 0;
/** `s.result` says why. */
export const CALLS_DENIED: i32 = 1;
/** A call has no name, or what it is depends on who reads it. */
export const CALLS_UNREADABLE: i32 = 2;
/** What a rule redacts stands in a call where nothing can be redacted. */
export const CALLS_FIXED: i32 = 3;
export const UNREADABLE_CALL: string = "the upstream's reply calls a tool without a name that everybody reads alike";

const EMPTY_OBJECT: usize = memory.data<u8>([0x7b, 0x7d]);

/**
 * Decides those that are whole and not decided yet. `s.result` and the facts of the text are another decision's then:
 * whoever goes on decides the completion again.
 */
export function judgeCalls(s: Session): i32 {
  if (!decidesCalls()) return CALLS_PASS;
  if (s.callsFailed) return CALLS_UNREADABLE;
  const count = callCount(s);
  for (let at: u32 = 0; at < count; at += 1) {
    const call = callAt(s, at);
    if (!isCall(call) || load<u8>(call, CALL_ENDED) == 0 || load<u8>(call, CALL_VERDICT) != VERDICT_NONE) continue;
    if (load<u32>(call, CALL_NAME_BYTES) == 0) return CALLS_UNREADABLE;
    const verdict = judge(s, call);
    if (verdict == VERDICT_NONE) return CALLS_DENIED;
    if (verdict == VERDICT_KEPT && isFoundAround(call)) return CALLS_FIXED;
    store<u8>(call, <u8>verdict, CALL_VERDICT);
  }
  return CALLS_PASS;
}

/** VERDICT_NONE: it is denied. */
function judge(s: Session, call: usize): u32 {
  const name = <usize>load<u32>(call, CALL_NAME);
  const length = load<u32>(call, CALL_NAME_BYTES);
  setText(s.facts, FACT_CALL_NAME, name, length);
  setBits(s.facts, FACT_TEXT_FOUND, load<u64>(call, CALL_NEW_LOW), load<u64>(call, CALL_NEW_HIGH));
  setBits(s.facts, FACT_TEXT_FOUND_RESTORED, load<u64>(call, CALL_LOW), load<u64>(call, CALL_HIGH));
  const tools = toolCount();
  let verdict = VERDICT_KEPT;
  let isOfNone = true;
  for (let tool: u32 = 0; tool < tools; tool += 1) {
    if (!isToolCalled(tool, name, length)) continue;
    isOfNone = false;
    readArguments(s, call, tool);
    const one = decideAs(s, call, tool);
    if (one == VERDICT_NONE) return VERDICT_NONE;
    if (one == VERDICT_DROPPED) verdict = VERDICT_DROPPED;
  }
  return isOfNone ? decideAs(s, call, tools) : verdict;
}

function decideAs(s: Session, call: usize, tool: u32): u32 {
  decideQuietly(s, EVENT_TOOL_CALL, <i32>tool);
  if (isAllowed(s.result)) {
    recordDecision(s);
    noteRedactions(s, call);
    return VERDICT_KEPT;
  }
  recordAlways(s);
  if (isOnlyWithheld(s.result)) return VERDICT_DROPPED;
  noteKeeps(s);
  return VERDICT_NONE;
}

/** Arguments that are no JSON object, or may be read in two ways, leave every fact of theirs failed. */
function readArguments(s: Session, call: usize, tool: u32): void {
  const given = changetype<Bytes>(load<u32>(call, CALL_ARGUMENTS));
  const arena = changetype<Arena>(s.arena);
  if (changetype<usize>(given) == 0) {
    // Nothing came of a block (Anthropic): its object is empty. A text that is none is no JSON.
    loadArguments(s.facts, arena, tool, EMPTY_OBJECT, s.form == FORM_ANTHROPIC ? 2 : 0);
    return;
  }
  loadArguments(s.facts, arena, tool, given.ptr, hasPlainArguments(call) ? given.len : 0);
}
