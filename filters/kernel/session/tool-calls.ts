/**
 * The fact `completion.tool_calls`: of each call in a reply the tool's name and what was found in it. Only where some
 * rule reads it. Calls that stand in a request are history, not calls of this reply.
 */
import { FACT_COMPLETION_TOOL_CALLS, SLOT_BYTES } from '../abi';
import { Bytes } from '../bytes';
import {
  Arena,
  builtinSlot,
  collectionFieldCount,
  fieldOf,
  setCollection,
  setFailed,
  slotOf,
  writeBits,
  writeText,
} from '../decision/api';
import { appendUnescaped } from '../json/unescape';
import { RECORD_END, RECORD_ESCAPED, RECORD_START } from '../json/walk';
import { Session } from './session-state';

/** Calls of one reply, over all of its choices; the plan's collection has the same bound. */
export const TOOL_CALLS_MAX: u32 = 1_024;

// An entry: its choice and its number there, its name (0 bytes: none yet), the bits of what was found in it that did not
// come in the prompt, those of all that was, and whether it is a call at all: a block of text (Anthropic) is none.
const CALL_BYTES: u32 = 56;
const CALL_TOOL: usize = 4;
const CALL_NAME: usize = 8;
const CALL_NAME_BYTES: usize = 12;
const CALL_NEW_LOW: usize = 16;
const CALL_NEW_HIGH: usize = 24;
const CALL_LOW: usize = 32;
const CALL_HIGH: usize = 40;
const CALL_IS: usize = 48;

const nameName: usize = memory.data<u8>([0x6e, 0x61, 0x6d, 0x65]);
const foundName: usize = memory.data<u8>([0x66, 0x6f, 0x75, 0x6e, 0x64]);
const restoredName: usize = memory.data<u8>([
  0x66, 0x6f, 0x75, 0x6e, 0x64, 0x5f, 0x72, 0x65, 0x73, 0x74, 0x6f, 0x72, 0x65, 0x64,
]);

// What was found before the value that is scanned now: `beginInCall` keeps it, `endInCall` puts it back.
let keptNewLow: u64 = 0;
let keptNewHigh: u64 = 0;
let keptLow: u64 = 0;
let keptHigh: u64 = 0;

export function readsCalls(s: Session): bool {
  return slotOf(s.facts, FACT_COMPLETION_TOOL_CALLS) != 0;
}

/** Before a reply is read. */
export function beginCalls(s: Session): void {
  s.callsFailed = false;
  setFailed(s.facts, FACT_COMPLETION_TOOL_CALLS);
  if (s.calls != 0) changetype<Bytes>(s.calls).clear();
}

/** The address of the call's entry, made where there is none; 0 where there are too many, and the fact has failed. */
function callOf(s: Session, choice: u32, tool: u32): usize {
  if (s.calls == 0) s.calls = changetype<usize>(Bytes.create());
  if (s.calls == 0) {
    s.failed = true;
    return 0;
  }
  const calls = changetype<Bytes>(s.calls);
  for (let at: u32 = 0; at < calls.len; at += CALL_BYTES) {
    const call = calls.ptr + at;
    if (load<u32>(call) == choice && load<u32>(call, CALL_TOOL) == tool) return call;
  }
  if (calls.len / CALL_BYTES >= TOOL_CALLS_MAX || !calls.reserve(CALL_BYTES)) {
    s.callsFailed = true;
    return 0;
  }
  const made = calls.ptr + calls.len;
  memory.fill(made, 0, CALL_BYTES);
  store<u32>(made, choice);
  store<u32>(made, tool, CALL_TOOL);
  calls.len += CALL_BYTES;
  return made;
}

/** There is such a call; it has no name yet. */
export function noteCall(s: Session, choice: u32, tool: u32): void {
  if (!readsCalls(s)) return;
  const call = callOf(s, choice, tool);
  if (call != 0) store<u8>(call, 1, CALL_IS);
}

/**
 * The call's name, as the record says it. A name that comes in pieces, or twice, is read in one way by one client and
 * in another by the next: the fact has failed then.
 */
export function nameCall(s: Session, choice: u32, tool: u32, document: usize, record: usize): void {
  if (!readsCalls(s)) return;
  const call = callOf(s, choice, tool);
  if (call == 0) return;
  const from = document + load<u32>(record, RECORD_START) + 1;
  const to = document + load<u32>(record, RECORD_END) - 1;
  if (from == to) return;
  if (load<u32>(call, CALL_NAME_BYTES) != 0) {
    s.callsFailed = true;
    return;
  }
  const text = changetype<Bytes>(s.text);
  text.clear();
  if (load<u8>(record, RECORD_ESCAPED) != 0) appendUnescaped(text, from, to);
  else text.append(from, <u32>(to - from));
  const kept = changetype<Arena>(s.arena).take(text.len + 1);
  if (text.failed || kept == 0) {
    s.failed = true;
    return;
  }
  memory.copy(kept, text.ptr, text.len);
  store<u8>(call, 1, CALL_IS);
  store<u32>(call, <u32>kept, CALL_NAME);
  store<u32>(call, text.len, CALL_NAME_BYTES);
}

/** What is found from here on until `endInCall` is of one call. Nothing of another is scanned between. */
export function beginInCall(s: Session): void {
  keptNewLow = s.newLow;
  keptNewHigh = s.newHigh;
  keptLow = s.foundLow;
  keptHigh = s.foundHigh;
  s.newLow = 0;
  s.newHigh = 0;
  s.foundLow = 0;
  s.foundHigh = 0;
}

/** Notes what was found since `beginInCall` in the call too. */
export function endInCall(s: Session, choice: u32, tool: u32): void {
  const call = (s.foundLow | s.foundHigh) == 0 ? 0 : callOf(s, choice, tool);
  if (call != 0) {
    store<u64>(call, load<u64>(call, CALL_NEW_LOW) | s.newLow, CALL_NEW_LOW);
    store<u64>(call, load<u64>(call, CALL_NEW_HIGH) | s.newHigh, CALL_NEW_HIGH);
    store<u64>(call, load<u64>(call, CALL_LOW) | s.foundLow, CALL_LOW);
    store<u64>(call, load<u64>(call, CALL_HIGH) | s.foundHigh, CALL_HIGH);
  }
  s.newLow |= keptNewLow;
  s.newHigh |= keptNewHigh;
  s.foundLow |= keptLow;
  s.foundHigh |= keptHigh;
}

/** Sets the fact, once all of the reply has been read. A call without a name fails it. */
export function setCalls(s: Session): void {
  if (!readsCalls(s)) return;
  const count: u32 = s.calls == 0 ? 0 : changetype<Bytes>(s.calls).len / CALL_BYTES;
  const stride = collectionFieldCount(builtinSlot(FACT_COMPLETION_TOOL_CALLS)) * SLOT_BYTES;
  const name = fieldOf(FACT_COMPLETION_TOOL_CALLS, nameName, 4);
  const found = fieldOf(FACT_COMPLETION_TOOL_CALLS, foundName, 5);
  const restored = fieldOf(FACT_COMPLETION_TOOL_CALLS, restoredName, 14);
  const elements = changetype<Arena>(s.arena).take(count * stride + 8);
  if (elements == 0) {
    s.failed = true;
    return;
  }
  memory.fill(elements, 0, count * stride);
  let named: u32 = 0;
  for (let i: u32 = 0; i < count; i += 1) {
    const call = changetype<Bytes>(s.calls).ptr + i * CALL_BYTES;
    const element = elements + named * stride;
    if (load<u8>(call, CALL_IS) == 0) continue;
    if (load<u32>(call, CALL_NAME_BYTES) == 0) {
      s.callsFailed = true;
      continue;
    }
    if (name >= 0) writeText(element + name * SLOT_BYTES, load<u32>(call, CALL_NAME), load<u32>(call, CALL_NAME_BYTES));
    if (found >= 0)
      writeBits(element + found * SLOT_BYTES, load<u64>(call, CALL_NEW_LOW), load<u64>(call, CALL_NEW_HIGH));
    if (restored >= 0)
      writeBits(element + restored * SLOT_BYTES, load<u64>(call, CALL_LOW), load<u64>(call, CALL_HIGH));
    named += 1;
  }
  if (s.callsFailed) setFailed(s.facts, FACT_COMPLETION_TOOL_CALLS);
  else setCollection(s.facts, FACT_COMPLETION_TOOL_CALLS, elements, named);
}
