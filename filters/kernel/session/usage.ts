/** What a reply tells of itself: its usage, and why it ended. */
import { Arena } from '../decision/api';
import { readInteger } from '../json/scan';
import { NO_RECORD, RECORD_END, RECORD_KIND, RECORD_NEXT, RECORD_PARENT, RECORD_START, recordAt } from '../json/walk';
import { PLACE_USAGE_INPUT, PLACE_USAGE_OUTPUT } from '../protocol/places';
import { Session } from './session-state';

/**
 * Takes the counts of the usage object whose record is at `i`: several of one kind in it add up; of several objects (a
 * stream counts up) the most counts.
 */
export function takeUsage(s: Session, document: usize, i: u32): void {
  const records = s.recordBytes();
  const end = load<u32>(recordAt(records, i), RECORD_NEXT);
  let input: i64 = -1;
  let output: i64 = -1;
  for (let j = i + 1; j < end; j += 1) {
    const r = recordAt(records, j);
    const kind = <i32>load<u8>(r, RECORD_KIND);
    if (kind != PLACE_USAGE_INPUT && kind != PLACE_USAGE_OUTPUT) continue;
    const n = readInteger(document + load<u32>(r, RECORD_START), document + load<u32>(r, RECORD_END));
    if (n < 0) continue;
    if (kind == PLACE_USAGE_INPUT) input = (input < 0 ? 0 : input) + n;
    else output = (output < 0 ? 0 : output) + n;
  }
  if (input > s.inputTokens) s.inputTokens = input;
  if (output > s.outputTokens) s.outputTokens = output;
}

/** Keeps the first reason given for the reply's end. */
export function takeFinish(s: Session, document: usize, record: usize): void {
  if (s.finish != 0) return;
  const length = load<u32>(record, RECORD_END) - load<u32>(record, RECORD_START) - 2;
  const kept = changetype<Arena>(s.arena).take(length + 1);
  if (kept == 0) return;
  memory.copy(kept, document + load<u32>(record, RECORD_START) + 1, length);
  s.finish = kept;
  s.finishBytes = length;
}

/** Nearest container of the given kind around the record at `i`, or NO_RECORD. */
export function around(s: Session, i: u32, kind: i32): u32 {
  const records = s.recordBytes();
  let at = load<u32>(recordAt(records, i), RECORD_PARENT);
  while (at != NO_RECORD && <i32>load<u8>(recordAt(records, at), RECORD_KIND) != kind)
    at = load<u32>(recordAt(records, at), RECORD_PARENT);
  return at;
}
