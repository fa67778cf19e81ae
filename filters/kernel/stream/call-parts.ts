/**
 * What an event of a stream has to do with calls of tools. Events of a call wait until the call is decided; then they
 * leave, or stay, and what comes behind is numbered as if a dropped call had never been.
 */
import { Bytes } from '../bytes';
import { decidesCalls } from '../decision/api';
import { NO_RECORD, RECORD_BYTES, RECORD_END, RECORD_KIND, RECORD_PARENT, RECORD_START, recordAt } from '../json/walk';
import * as P from '../protocol/places';
import { cut, cutMember, putEnd, putNumber } from '../session/drop-calls';
import { Session } from '../session/session-state';
import {
  CALL_TOOL,
  CALL_VERDICT,
  callAt,
  callCount,
  findCall,
  isCall,
  VERDICT_DROPPED,
  VERDICT_NONE,
  verdictOf,
} from '../session/tool-calls';
import { choiceOf, indexRecord, toolNumber } from './event-numbers';
import { StreamEvent } from './stream-state';

// A part: what it is, of which call, where it stands in the data; of an element of a list, where the list stands.
const PART_BYTES: u32 = 28;
const PART_CHOICE: usize = 4;
const PART_TOOL: usize = 8;
const PART_START: usize = 12;
const PART_END: usize = 16;
const PART_LIST: usize = 20;
const PART_LIST_END: usize = 24;

/** A call in a list of calls; its number; the reason for the end of its choice. */
const KIND_CALL: u32 = 1;
const KIND_INDEX: u32 = 2;
const KIND_FINISH: u32 = 3;
/** The number of a block (Anthropic): all of the event is of it. */
const KIND_BLOCK: u32 = 4;

/** The last list that was taken out stood alone. */
let emptied: bool = false;

/** Notes the event's parts. False where it goes on with a call that is decided already, or memory is exhausted. */
export function noteParts(s: Session, e: StreamEvent, document: usize, top: i64): bool {
  if (!decidesCalls() || callCount(s) == 0 || s.streamOf().gathering) return true;
  const records = s.recordBytes();
  const count = records.len / RECORD_BYTES;
  const isAnthropic = s.form == P.FORM_ANTHROPIC;
  let others: u32 = 0;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    const kind = <i32>load<u8>(r, RECORD_KIND);
    if (kind == P.PLACE_CHOICE || kind == P.PLACE_USAGE || kind == P.PLACE_FINISH) others += 1;
    if (kind == P.PLACE_FINISH) {
      const choice = isAnthropic ? 0 : choiceOf(s, document, i, top);
      if (choice < 0 || !addPart(e, KIND_FINISH, <u32>choice, 0, r, 0)) return false;
    } else if (isAnthropic) {
      if (kind != P.PLACE_CHOICE_INDEX || top < 0 || load<u32>(r, RECORD_PARENT) != NO_RECORD) continue;
      if (isDecided(s, <u32>top, 0) || !addPart(e, KIND_BLOCK, <u32>top, 0, r, 0)) return false;
    } else if (kind == P.PLACE_TOOL_CALL) {
      const choice = choiceOf(s, document, i, top);
      const tool = toolNumber(s, document, i);
      const list = load<u32>(r, RECORD_PARENT);
      if (choice < 0 || list == NO_RECORD || isDecided(s, <u32>choice, tool)) return false;
      if (!addPart(e, KIND_CALL, <u32>choice, tool, r, recordAt(records, list))) return false;
      const index = indexRecord(s, i);
      if (index != NO_RECORD && !addPart(e, KIND_INDEX, <u32>choice, tool, recordAt(records, index), 0)) return false;
    }
  }
  e.onlyCalls = !isAnthropic && others == 1;
  return true;
}

/** On the only way through a stream that is not held whole: what is decided cannot grow any more. */
function isDecided(s: Session, choice: u32, tool: u32): bool {
  if (s.streamOf().settled) return false;
  const call = findCall(s, choice, tool);
  return call != 0 && load<u8>(call, CALL_VERDICT) != VERDICT_NONE;
}

function addPart(e: StreamEvent, kind: u32, choice: u32, tool: u32, record: usize, list: usize): bool {
  if (e.parts == 0) e.parts = changetype<usize>(Bytes.create());
  if (e.parts == 0 || !e.partBytes().reserve(PART_BYTES)) return false;
  const parts = e.partBytes();
  const part = parts.ptr + parts.len;
  store<u32>(part, kind);
  store<u32>(part, choice, PART_CHOICE);
  store<u32>(part, tool, PART_TOOL);
  store<u32>(part, load<u32>(record, RECORD_START), PART_START);
  store<u32>(part, load<u32>(record, RECORD_END), PART_END);
  store<u32>(part, list == 0 ? 0 : load<u32>(list, RECORD_START), PART_LIST);
  store<u32>(part, list == 0 ? 0 : load<u32>(list, RECORD_END), PART_LIST_END);
  parts.len += PART_BYTES;
  return true;
}

/** It is of a call that is not decided yet. */
export function waitsForCalls(s: Session, e: StreamEvent): bool {
  if (e.parts == 0) return false;
  const parts = e.partBytes();
  for (let at: u32 = 0; at < parts.len; at += PART_BYTES) {
    const part = parts.ptr + at;
    const kind = load<u32>(part);
    if (kind != KIND_CALL && kind != KIND_BLOCK) continue;
    if (verdictOf(s, load<u32>(part, PART_CHOICE), load<u32>(part, PART_TOOL)) == VERDICT_NONE) return true;
  }
  return false;
}

/** All of it is of a dropped call. */
export function isDropped(s: Session, e: StreamEvent): bool {
  if (e.parts == 0) return false;
  const part = e.partBytes().ptr;
  return load<u32>(part) == KIND_BLOCK && verdictOf(s, load<u32>(part, PART_CHOICE), 0) == VERDICT_DROPPED;
}

/** The segment at `start` of the data is of a dropped call: what would be edited in it goes. */
export function isInDropped(s: Session, e: StreamEvent, start: u32): bool {
  if (e.parts == 0) return false;
  const parts = e.partBytes();
  for (let at: u32 = 0; at < parts.len; at += PART_BYTES) {
    const part = parts.ptr + at;
    if (load<u32>(part) != KIND_CALL || start < load<u32>(part, PART_START) || start >= load<u32>(part, PART_END))
      continue;
    return verdictOf(s, load<u32>(part, PART_CHOICE), load<u32>(part, PART_TOOL)) == VERDICT_DROPPED;
  }
  return false;
}

/**
 * The edits of an event whose calls are decided: dropped ones go, others move up, and the end is no call's any more.
 * False where nothing is left that the event would say.
 */
export function editParts(s: Session, e: StreamEvent): bool {
  emptied = false;
  if (e.parts == 0) return true;
  const parts = e.partBytes();
  const edits = e.editBytes();
  const document = e.document();
  for (let at: u32 = 0; at < parts.len; at += PART_BYTES) {
    const part = parts.ptr + at;
    const kind = load<u32>(part);
    const choice = load<u32>(part, PART_CHOICE);
    const tool = load<u32>(part, PART_TOOL);
    const start = load<u32>(part, PART_START);
    const end = load<u32>(part, PART_END);
    if (kind == KIND_CALL) at = cutList(s, e, at);
    else if (kind == KIND_FINISH) {
      if (hasLostAll(s, choice)) putEnd(s, edits, document, start, end);
    } else {
      const less = droppedBefore(s, choice, tool);
      if (less == 0) continue;
      putNumber(s, edits, document, start, end, less);
      if (kind != KIND_BLOCK) continue;
      e.opens = e.opens == 0 ? 0 : e.opens >> less;
      e.closes = e.closes == 0 ? 0 : e.closes >> less;
    }
  }
  return !emptied || !e.onlyCalls;
}

/** Edits the list whose first call is the part at `first`; answers the part that comes last of it. */
function cutList(s: Session, e: StreamEvent, first: u32): u32 {
  const parts = e.partBytes();
  const edits = e.editBytes();
  const list = load<u32>(parts.ptr + first, PART_LIST);
  const listEnd = load<u32>(parts.ptr + first, PART_LIST_END);
  let last = first;
  let kept: u32 = 0;
  let dropped: u32 = 0;
  let goneFrom: u32 = 0;
  let gone = false;
  let keptEnd: u32 = 0;
  let lastEnd: u32 = 0;
  for (let at = first; at < parts.len; at += PART_BYTES) {
    const part = parts.ptr + at;
    const start = load<u32>(part, PART_START);
    if (start >= listEnd) break;
    last = at;
    const choice = load<u32>(part, PART_CHOICE);
    const tool = load<u32>(part, PART_TOOL);
    const isGone = verdictOf(s, choice, tool) == VERDICT_DROPPED;
    if (load<u32>(part) == KIND_INDEX) {
      const less = droppedBefore(s, choice, tool);
      if (!isGone && less > 0) putNumber(s, edits, e.document(), start, load<u32>(part, PART_END), less);
      continue;
    }
    lastEnd = load<u32>(part, PART_END);
    if (isGone) {
      dropped += 1;
      if (!gone) goneFrom = start;
      gone = true;
      continue;
    }
    if (gone) cut(edits, goneFrom, start);
    gone = false;
    kept += 1;
    keptEnd = lastEnd;
  }
  if (dropped > 0 && kept == 0) emptied = cutMember(edits, e.document(), list, listEnd);
  else if (gone) cut(edits, keptEnd, lastEnd);
  return last;
}

/** How many dropped calls the client would have counted before this one. */
function droppedBefore(s: Session, choice: u32, tool: u32): u32 {
  const isAnthropic = s.form == P.FORM_ANTHROPIC;
  const count = callCount(s);
  let dropped: u32 = 0;
  for (let at: u32 = 0; at < count; at += 1) {
    const call = callAt(s, at);
    if (load<u8>(call, CALL_VERDICT) != VERDICT_DROPPED) continue;
    const its = load<u32>(call);
    if (isAnthropic ? its < choice : its == choice && load<u32>(call, CALL_TOOL) < tool) dropped += 1;
  }
  return dropped;
}

/** Calls of the choice (of the message, Anthropic) were dropped, and none is left. */
function hasLostAll(s: Session, choice: u32): bool {
  const isAnthropic = s.form == P.FORM_ANTHROPIC;
  const count = callCount(s);
  let lost = false;
  for (let at: u32 = 0; at < count; at += 1) {
    const call = callAt(s, at);
    if (!isCall(call) || (!isAnthropic && load<u32>(call) != choice)) continue;
    if (load<u8>(call, CALL_VERDICT) != VERDICT_DROPPED) return false;
    lost = true;
  }
  return lost;
}
