/** Takes calls that were dropped out of a reply that is held whole, and says why it ended as if they had not been. */
import { Bytes } from '../bytes';
import { addEdit, dropInside } from '../edit/edits';
import { is, put } from '../http/literal';
import { skipSpace } from '../json/scan';
import { NO_RECORD, RECORD_BYTES, RECORD_END, RECORD_KIND, RECORD_PARENT, RECORD_START, recordAt } from '../json/walk';
import * as P from '../protocol/places';
import { Session } from './session-state';
import { appendNumber } from '../json/escape';
import { VERDICT_DROPPED, verdictOf } from './tool-calls';
import { around } from './usage';

/** The edits of a reply whose calls all have their verdicts. */
export function dropFromReply(s: Session): void {
  const records = s.recordBytes();
  const count = records.len / RECORD_BYTES;
  const isAnthropic = s.form == P.FORM_ANTHROPIC;
  const list = isAnthropic ? P.PLACE_CHOICE : P.PLACE_TOOL_CALLS;
  for (let i: u32 = 0; i < count; i += 1) {
    if (<i32>load<u8>(recordAt(records, i), RECORD_KIND) != list) continue;
    if (isAnthropic) {
      // The blocks stand in one list, which has no record of its own: the first of them is met first.
      dropElements(s, i, load<u32>(recordAt(records, i), RECORD_PARENT), P.PLACE_CHOICE);
      return;
    }
    dropElements(s, i + 1, i, P.PLACE_TOOL_CALL);
  }
}

/** Takes the dropped ones out of the elements of a list, which are the records of a kind below `parent` from `first` on. */
function dropElements(s: Session, first: u32, parent: u32, kind: i32): void {
  const records = s.recordBytes();
  const count = records.len / RECORD_BYTES;
  const edits = changetype<Bytes>(s.edits);
  let dropped: u32 = 0;
  let kept: u32 = 0;
  let keptCalls: u32 = 0;
  let goneFrom: u32 = 0;
  let gone = false;
  let keptEnd: u32 = 0;
  let lastEnd: u32 = 0;
  for (let i = first; i < count; i += 1) {
    const r = recordAt(records, i);
    if (<i32>load<u8>(r, RECORD_KIND) != kind || load<u32>(r, RECORD_PARENT) != parent) continue;
    const start = load<u32>(r, RECORD_START);
    lastEnd = load<u32>(r, RECORD_END);
    if (verdictOf(s, 0, i) == VERDICT_DROPPED) {
      dropped += 1;
      if (!gone) goneFrom = start;
      gone = true;
      continue;
    }
    // The run that ends here goes with the comma behind it.
    if (gone) cut(edits, goneFrom, start);
    gone = false;
    kept += 1;
    if (hasName(s, i)) keptCalls += 1;
    keptEnd = lastEnd;
    if (dropped > 0) renumber(s, i, dropped);
  }
  if (dropped == 0) return;
  if (kind == P.PLACE_TOOL_CALL && kept == 0) {
    const r = recordAt(records, parent);
    cutMember(edits, s.bodyBytes().ptr, load<u32>(r, RECORD_START), load<u32>(r, RECORD_END));
  } else if (gone) cut(edits, kept > 0 ? keptEnd : goneFrom, lastEnd);
  if (keptCalls == 0) endAsText(s, first, parent);
}

/** Takes [start, end) out, with all edits in it. */
export function cut(edits: Bytes, start: u32, end: u32): void {
  dropInside(edits, start, end);
  addEdit(edits, start, end - start, 0, 0);
}

/**
 * Takes out a member of an object whose value stands at [start, end), with its key and one comma. Answers whether it was
 * the only one.
 */
export function cutMember(edits: Bytes, document: usize, start: u32, end: u32): bool {
  // The key before the value has no quote in it, however it is written.
  let from = start;
  while (load<u8>(document + from) != 0x3a) from -= 1;
  while (load<u8>(document + from) != 0x22) from -= 1;
  from -= 1;
  while (load<u8>(document + from) != 0x22) from -= 1;
  let before = from;
  while (isSpace(load<u8>(document + before - 1))) before -= 1;
  if (load<u8>(document + before - 1) == 0x2c) {
    cut(edits, before - 1, end);
    return false;
  }
  const behind = <u32>(skipSpace(document + end, <usize>-1) - document);
  const isFirst = load<u8>(document + behind) == 0x2c;
  cut(edits, from, isFirst ? behind + 1 : end);
  return !isFirst;
}

function isSpace(c: u8): bool {
  return c == 0x20 || c == 0x09 || c == 0x0a || c == 0x0d;
}

function hasName(s: Session, i: u32): bool {
  return within(s, i, P.PLACE_TOOL_NAME) != NO_RECORD;
}

/** A record of the kind right below the record at `i`; NO_RECORD where there is none. */
function within(s: Session, i: u32, kind: i32): u32 {
  const records = s.recordBytes();
  const count = records.len / RECORD_BYTES;
  for (let j = i + 1; j < count; j += 1) {
    const r = recordAt(records, j);
    if (load<u32>(r, RECORD_START) > load<u32>(recordAt(records, i), RECORD_END)) break;
    if (<i32>load<u8>(r, RECORD_KIND) == kind && load<u32>(r, RECORD_PARENT) == i) return j;
  }
  return NO_RECORD;
}

/** A call that says its number is so many places further to the front now. */
function renumber(s: Session, call: u32, dropped: u32): void {
  const at = within(s, call, P.PLACE_TOOL_INDEX);
  if (at == NO_RECORD) return;
  const r = recordAt(s.recordBytes(), at);
  putNumber(
    s,
    changetype<Bytes>(s.edits),
    s.bodyBytes().ptr,
    load<u32>(r, RECORD_START),
    load<u32>(r, RECORD_END),
    dropped,
  );
}

/** Replaces the number at [start, end) by one that is `less` smaller. */
export function putNumber(s: Session, edits: Bytes, document: usize, start: u32, end: u32, less: u32): void {
  const replacements = changetype<Bytes>(s.replacements);
  const text = replacements.len;
  let n: u64 = 0;
  for (let p = document + start; p < document + end; p += 1) n = n * 10 + <u64>(load<u8>(p) - 0x30);
  appendNumber(replacements, n > <u64>less ? n - <u64>less : 0);
  dropInside(edits, start, end);
  addEdit(edits, start, end - start, text, replacements.len - text);
}

/** No call is left where this list stood: what says that the reply ended for its calls says that it ended. */
function endAsText(s: Session, first: u32, parent: u32): void {
  const records = s.recordBytes();
  const count = records.len / RECORD_BYTES;
  const isAnthropic = s.form == P.FORM_ANTHROPIC;
  const choice = isAnthropic ? parent : around(s, parent, P.PLACE_CHOICE);
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    if (<i32>load<u8>(r, RECORD_KIND) != P.PLACE_FINISH) continue;
    if (!isAnthropic && around(s, i, P.PLACE_CHOICE) != choice) continue;
    putEnd(s, changetype<Bytes>(s.edits), s.bodyBytes().ptr, load<u32>(r, RECORD_START), load<u32>(r, RECORD_END));
  }
}

/** Replaces the reason for an end, which stands at [start, end), where it is that tools are called. */
export function putEnd(s: Session, edits: Bytes, document: usize, start: u32, end: u32): void {
  const isAnthropic = s.form == P.FORM_ANTHROPIC;
  if (!is(document + start + 1, end - start - 2, isAnthropic ? 'tool_use' : 'tool_calls')) return;
  const replacements = changetype<Bytes>(s.replacements);
  const text = replacements.len;
  put(replacements, isAnthropic ? '"end_turn"' : '"stop"');
  dropInside(edits, start, end);
  addEdit(edits, start, end - start, text, replacements.len - text);
}
