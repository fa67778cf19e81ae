/**
 * The calls in a reply: of each the tool's name, what was found in it and, where calls are decided one by one, its
 * arguments and what became of it. Only where some rule speaks of calls. Those that stand in a request are history, not
 * calls of this reply.
 */
import { FACT_COMPLETION_TOOL_CALLS, SLOT_BYTES } from '../abi';
import { Bytes } from '../bytes';
import {
  Arena,
  builtinSlot,
  collectionFieldCount,
  decidesCalls,
  fieldOf,
  setCollection,
  setFailed,
  slotOf,
  writeBits,
  writeText,
} from '../decision/api';
import { appendUnescaped } from '../json/unescape';
import { RECORD_END, RECORD_ESCAPED, RECORD_START } from '../json/walk';
import { CALL_ARGUMENTS, CALL_BYTES, freeCalls } from './call-entries';
import { Session } from './session-state';

/** Calls of one reply, over all of its choices; the plan's collection has the same bound. */
export const TOOL_CALLS_MAX: u32 = 1_024;

/** Bytes of one call's arguments; facts of longer ones have failed. */
export const ARGUMENTS_MAX: u32 = 1 << 20;

// An entry: its choice and its number there, its name (0 bytes: none yet), the bits of what was found in it that did not
// come in the prompt, those of all that was, and whether it is a call at all: a block of text (Anthropic) is none. Then
// what was decided of it, whether nothing more of it will come, what its arguments are made of, and the arguments: JSON
// text (an address of Bytes, 0: none). Last what rules redact in them, and the bits of what was found new in the call, but
// not in its arguments.
export const CALL_TOOL: usize = 4;
export const CALL_NAME: usize = 8;
export const CALL_NAME_BYTES: usize = 12;
export const CALL_NEW_LOW: usize = 16;
export const CALL_NEW_HIGH: usize = 24;
export const CALL_LOW: usize = 32;
export const CALL_HIGH: usize = 40;
const CALL_IS: usize = 48;
export const CALL_VERDICT: usize = 49;
export const CALL_ENDED: usize = 50;
const CALL_MADE_OF: usize = 51;
export const CALL_AROUND_LOW: usize = 60;
export const CALL_AROUND_HIGH: usize = 68;

export const VERDICT_NONE: u32 = 0;
export const VERDICT_KEPT: u32 = 1;
export const VERDICT_DROPPED: u32 = 2;

// What arguments are made of. Whoever reads both reads one of them, and which one differs.
const MADE_OF_WHOLE: u32 = 1;
const MADE_OF_PIECES: u32 = 2;
const MADE_OF_TOO_MUCH: u32 = 4;

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

/** Whether some rule speaks of calls. */
export function readsCalls(s: Session): bool {
  return decidesCalls() || slotOf(s.facts, FACT_COMPLETION_TOOL_CALLS) != 0;
}

/** Before a reply is read. */
export function beginCalls(s: Session): void {
  s.callsFailed = false;
  setFailed(s.facts, FACT_COMPLETION_TOOL_CALLS);
  freeCalls(s.calls);
  s.calls = 0;
}

/** How many entries there are. */
export function callCount(s: Session): u32 {
  return s.calls == 0 ? 0 : changetype<Bytes>(s.calls).len / CALL_BYTES;
}

/** The address of an entry by its position. */
export function callAt(s: Session, at: u32): usize {
  return changetype<Bytes>(s.calls).ptr + at * CALL_BYTES;
}

export function isCall(call: usize): bool {
  return load<u8>(call, CALL_IS) != 0;
}

/** What was decided of the call; VERDICT_KEPT of what is no call. */
export function verdictOf(s: Session, choice: u32, tool: u32): u32 {
  const call = findCall(s, choice, tool);
  return call != 0 && isCall(call) ? load<u8>(call, CALL_VERDICT) : VERDICT_KEPT;
}

/** The address of the entry; 0 where there is none. */
export function findCall(s: Session, choice: u32, tool: u32): usize {
  const count = callCount(s);
  for (let at: u32 = 0; at < count; at += 1) {
    const call = callAt(s, at);
    if (load<u32>(call) == choice && load<u32>(call, CALL_TOOL) == tool) return call;
  }
  return 0;
}

/** The position of the entry, from 1; 0 where there is none. */
export function positionOf(s: Session, choice: u32, tool: u32): u32 {
  const call = findCall(s, choice, tool);
  return call == 0 ? 0 : <u32>(call - changetype<Bytes>(s.calls).ptr) / CALL_BYTES + 1;
}

/** Nothing more of the calls of a choice will come; of any, for -1. */
export function endCalls(s: Session, choice: i64): void {
  const count = callCount(s);
  for (let at: u32 = 0; at < count; at += 1) {
    const call = callAt(s, at);
    if (choice < 0 || <i64>load<u32>(call) == choice) store<u8>(call, 1, CALL_ENDED);
  }
}

/** The address of the call's entry, made where there is none; 0 where there are too many, and the fact has failed. */
function callOf(s: Session, choice: u32, tool: u32): usize {
  if (s.calls == 0) s.calls = changetype<usize>(Bytes.create());
  if (s.calls == 0) {
    s.failed = true;
    return 0;
  }
  const found = findCall(s, choice, tool);
  if (found != 0) return found;
  const calls = changetype<Bytes>(s.calls);
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

/**
 * Adds to the arguments of the call what stands in [p, end): a piece of their text, as the content of a JSON string, or
 * JSON as it is.
 */
export function addArguments(s: Session, choice: u32, tool: u32, p: usize, end: usize, isPiece: bool): void {
  if (!decidesCalls() || p >= end) return;
  const call = callOf(s, choice, tool);
  if (call == 0) return;
  let madeOf = <u32>load<u8>(call, CALL_MADE_OF);
  // The empty object that a block (Anthropic) begins with is filled by its pieces.
  if (!isPiece && end - p == 2) return;
  madeOf |= isPiece ? MADE_OF_PIECES : MADE_OF_WHOLE;
  if (load<u32>(call, CALL_ARGUMENTS) == 0) store<u32>(call, <u32>changetype<usize>(Bytes.create()), CALL_ARGUMENTS);
  const given = changetype<Bytes>(load<u32>(call, CALL_ARGUMENTS));
  if (changetype<usize>(given) == 0) {
    s.failed = true;
    return;
  }
  if (given.len + <u32>(end - p) > ARGUMENTS_MAX) madeOf |= MADE_OF_TOO_MUCH;
  else if (isPiece) appendUnescaped(given, p, end);
  else given.append(p, <u32>(end - p));
  if (given.failed) s.failed = true;
  store<u8>(call, <u8>madeOf, CALL_MADE_OF);
}

/** The call's arguments can be read in one way only. */
export function hasPlainArguments(call: usize): bool {
  const madeOf = <u32>load<u8>(call, CALL_MADE_OF);
  return madeOf == 0 || madeOf == MADE_OF_WHOLE || madeOf == MADE_OF_PIECES;
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

/** Notes what was found since `beginInCall` in the call too. `isArgument`: where rules can redact it. */
export function endInCall(s: Session, choice: u32, tool: u32, isArgument: bool): void {
  const call = (s.foundLow | s.foundHigh) == 0 ? 0 : callOf(s, choice, tool);
  if (call != 0) {
    if (!isArgument) {
      store<u64>(call, load<u64>(call, CALL_AROUND_LOW) | s.newLow, CALL_AROUND_LOW);
      store<u64>(call, load<u64>(call, CALL_AROUND_HIGH) | s.newHigh, CALL_AROUND_HIGH);
    }
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
  if (slotOf(s.facts, FACT_COMPLETION_TOOL_CALLS) == 0) return;
  const count = callCount(s);
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
