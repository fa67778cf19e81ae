/** The facts `prompt.messages` (each message's role, and what was found in it) and `text.found`. */
import { bitOf } from '../bits';
import { FACT_PROMPT_MESSAGES, FACT_TEXT_FOUND, FACT_TEXT_FOUND_RESTORED, SLOT_BYTES } from '../abi';
import { Bytes } from '../bytes';
import {
  Arena,
  builtinSlot,
  collectionFieldCount,
  fieldOf,
  setBits,
  setCollection,
  setFailed,
  slotOf,
  writeBits,
  writeValue,
} from '../decision/api';
import { roleOrdinal } from './roles';
import {
  NO_RECORD,
  RECORD_A,
  RECORD_BYTES,
  RECORD_END,
  RECORD_KIND,
  RECORD_PARENT,
  RECORD_START,
  recordAt,
} from '../json/walk';
import { PLACE_MESSAGE, PLACE_ROLE } from '../protocol/places';
import { is } from '../http/literal';
import { Session } from '../session/session-state';

export const NO_MESSAGE: u32 = 0xffffffff;
/** Messages beyond this fail the fact; the plan's collection has the same bound. */
export const MESSAGES_MAX: u32 = 4_096;
const BITS_BYTES: u32 = 16;

const roleName: usize = memory.data<u8>([0x72, 0x6f, 0x6c, 0x65]);
const foundName: usize = memory.data<u8>([0x66, 0x6f, 0x75, 0x6e, 0x64]);

/** Counts the messages, finds the last of the user's, and makes room for what will be found in each. */
export function beginMessages(s: Session): void {
  const records = s.recordBytes();
  const document = s.bodyBytes().ptr;
  const count = records.len / RECORD_BYTES;
  s.messageCount = 0;
  s.lastUser = NO_MESSAGE;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    const kind = <i32>load<u8>(r, RECORD_KIND);
    if (kind == PLACE_MESSAGE) s.messageCount += 1;
    if (kind != PLACE_ROLE) continue;
    const p = document + load<u32>(r, RECORD_START);
    if (is(p + 1, load<u32>(r, RECORD_END) - load<u32>(r, RECORD_START) - 2, 'user'))
      s.lastUser = messageOfRecord(records, i);
  }
  s.messageBits = 0;
  if (s.messageCount == 0 || s.messageCount > MESSAGES_MAX || slotOf(s.facts, FACT_PROMPT_MESSAGES) == 0) return;
  s.messageBits = changetype<Arena>(s.arena).take(s.messageCount * BITS_BYTES);
  if (s.messageBits == 0) s.failed = true;
  else memory.fill(s.messageBits, 0, s.messageCount * BITS_BYTES);
}

/** Position of the message that the record is in, or NO_MESSAGE. */
export function messageOfRecord(records: Bytes, i: u32): u32 {
  let at = load<u32>(recordAt(records, i), RECORD_PARENT);
  while (at != NO_RECORD) {
    const r = recordAt(records, at);
    if (<i32>load<u8>(r, RECORD_KIND) == PLACE_MESSAGE) return load<u32>(r, RECORD_A);
    at = load<u32>(r, RECORD_PARENT);
  }
  return NO_MESSAGE;
}

/** Notes that the detector found something in the message. */
export function noteInMessage(s: Session, message: u32, detector: u32): void {
  if (message >= s.messageCount || s.messageBits == 0) return;
  const cell = s.messageBits + message * BITS_BYTES + ((detector >> 6) << 3);
  store<u64>(cell, load<u64>(cell) | bitOf(detector));
}

/** Sets `text.found` and its twin. */
export function setFound(s: Session): void {
  setBits(s.facts, FACT_TEXT_FOUND, s.isReply ? s.newLow : s.foundLow, s.isReply ? s.newHigh : s.foundHigh);
  setBits(s.facts, FACT_TEXT_FOUND_RESTORED, s.foundLow, s.foundHigh);
}

/** Sets `prompt.messages`, where some rule reads it. */
export function setMessages(s: Session): void {
  if (slotOf(s.facts, FACT_PROMPT_MESSAGES) == 0) return;
  if (s.messageCount > MESSAGES_MAX) return setFailed(s.facts, FACT_PROMPT_MESSAGES);
  const stride = collectionFieldCount(builtinSlot(FACT_PROMPT_MESSAGES)) * SLOT_BYTES;
  const role = fieldOf(FACT_PROMPT_MESSAGES, roleName, 4);
  const found = fieldOf(FACT_PROMPT_MESSAGES, foundName, 5);
  const elements = changetype<Arena>(s.arena).take(s.messageCount * stride + 8);
  if (elements == 0) {
    s.failed = true;
    return;
  }
  memory.fill(elements, 0, s.messageCount * stride);
  for (let m: u32 = 0; m < s.messageCount && found >= 0; m += 1) {
    const bits = s.messageBits + m * BITS_BYTES;
    writeBits(elements + m * stride + found * SLOT_BYTES, load<u64>(bits), load<u64>(bits, 8));
  }
  if (role >= 0) setRoles(s, elements, stride, role);
  setCollection(s.facts, FACT_PROMPT_MESSAGES, elements, s.messageCount);
}

/** A message without a role, or with one that no enum has, leaves its field failed. */
function setRoles(s: Session, elements: usize, stride: u32, field: u32): void {
  const records = s.recordBytes();
  const document = s.bodyBytes().ptr;
  const count = records.len / RECORD_BYTES;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    if (<i32>load<u8>(r, RECORD_KIND) != PLACE_ROLE) continue;
    const message = messageOfRecord(records, i);
    const p = document + load<u32>(r, RECORD_START) + 1;
    const ordinal = roleOrdinal(p, load<u32>(r, RECORD_END) - load<u32>(r, RECORD_START) - 2);
    if (message < s.messageCount && ordinal >= 0) writeValue(elements + message * stride + field * SLOT_BYTES, ordinal);
  }
}
