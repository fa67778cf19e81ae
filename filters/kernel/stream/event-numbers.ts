/** The numbers of choices, blocks and calls in an event: what they say themselves, or where they stand. */
import { readInteger } from '../json/scan';
import {
  NO_RECORD,
  RECORD_A,
  RECORD_BYTES,
  RECORD_END,
  RECORD_KIND,
  RECORD_NEXT,
  RECORD_PARENT,
  RECORD_START,
  recordAt,
} from '../json/walk';
import * as P from '../protocol/places';
import { Session } from '../session/session-state';
import { around } from '../session/usage';

/**
 * The number of the choice that the record belongs to. A choice that does not say its number is the first: it must then
 * stand first in its event, or readers take its words for different choices' (-1).
 */
export function choiceOf(s: Session, document: usize, i: u32, top: i64): i64 {
  const container = around(s, i, P.PLACE_CHOICE);
  if (container == NO_RECORD) return top >= 0 ? top : 0;
  const given = indexIn(s, document, container, P.PLACE_CHOICE_INDEX);
  if (given >= 0) return given;
  if (top >= 0) return top;
  return load<u32>(recordAt(s.recordBytes(), container), RECORD_A) == 0 ? 0 : -1;
}

export function toolOf(s: Session, document: usize, i: u32): u32 {
  const container = around(s, i, P.PLACE_TOOL_CALL);
  return container == NO_RECORD ? 0 : toolNumber(s, document, container);
}

/** The number of a call: what it says itself, or its place in the list. */
export function toolNumber(s: Session, document: usize, call: u32): u32 {
  const given = indexIn(s, document, call, P.PLACE_TOOL_INDEX);
  return given >= 0 ? <u32>given : load<u32>(recordAt(s.recordBytes(), call), RECORD_A);
}

/** The record of the number that a call gives itself; NO_RECORD where there is none. */
export function indexRecord(s: Session, call: u32): u32 {
  const records = s.recordBytes();
  const end = load<u32>(recordAt(records, call), RECORD_NEXT);
  for (let j = call + 1; j < end; j += 1) {
    const r = recordAt(records, j);
    if (<i32>load<u8>(r, RECORD_KIND) == P.PLACE_TOOL_INDEX && load<u32>(r, RECORD_PARENT) == call) return j;
  }
  return NO_RECORD;
}

/** The index given inside the container, or -1. */
export function indexIn(s: Session, document: usize, container: u32, kind: i32): i64 {
  const records = s.recordBytes();
  const end = load<u32>(recordAt(records, container), RECORD_NEXT);
  for (let j = container + 1; j < end; j += 1) {
    const r = recordAt(records, j);
    if (<i32>load<u8>(r, RECORD_KIND) == kind && load<u32>(r, RECORD_PARENT) == container) return numberOf(document, r);
  }
  return -1;
}

/** The index at the event's top, or -1. */
export function rootIndex(s: Session, document: usize): i64 {
  const records = s.recordBytes();
  const count = records.len / RECORD_BYTES;
  for (let j: u32 = 0; j < count; j += 1) {
    const r = recordAt(records, j);
    if (<i32>load<u8>(r, RECORD_KIND) == P.PLACE_CHOICE_INDEX && load<u32>(r, RECORD_PARENT) == NO_RECORD)
      return numberOf(document, r);
  }
  return -1;
}

export function numberOf(document: usize, r: usize): i64 {
  return readInteger(document + load<u32>(r, RECORD_START), document + load<u32>(r, RECORD_END));
}
