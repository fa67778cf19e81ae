/**
 * What a prompt's decision changes in the body beside redactions: the model's name, the most tokens of the reply, and
 * that a stream ends with its usage.
 */
import { Bytes } from '../bytes';
import { modelRecord, outputTokens, reserveOf, budgetCount } from '../decision/api';
import { MODEL_MAX_OUTPUT, MODEL_WIRE_NAME } from '../decision/layout';
import { appendEscaped, appendNumber } from '../json/escape';
import { readInteger, skipSpace } from '../json/scan';
import { RECORD_BYTES, RECORD_END, RECORD_KIND, RECORD_NODE, RECORD_START, recordAt } from '../json/walk';
import * as P from '../protocol/places';
import { addEdit } from '../edit/edits';
import { hasFlag } from '../http/endpoint';
import { put } from '../http/literal';
import { needsLevels } from '../session/budget';
import { Session } from '../session/session-state';

export function adaptRequest(s: Session): void {
  if (s.chosen < 0) return;
  nameModel(s);
  if (!hasFlag(s.endpoint, P.FLAG_NO_OUTPUT)) limitOutput(s);
  if (s.asksStream && !s.asksUsage && hasFlag(s.endpoint, P.FLAG_ASK_USAGE)) askUsage(s);
  if (changetype<Bytes>(s.edits).failed || changetype<Bytes>(s.replacements).failed) s.failed = true;
}

/** The chosen model's own name stands in the body, whatever was asked for. */
function nameModel(s: Session): void {
  const r = recordAt(s.recordBytes(), s.model);
  const wire = modelRecord(s.chosen) + MODEL_WIRE_NAME;
  const start = load<u32>(r, RECORD_START) + 1;
  const length = load<u32>(r, RECORD_END) - 1 - start;
  const at = begin(s);
  appendEscaped(replacements(s), <usize>load<u32>(wire), load<u32>(wire, 4));
  const bytes = replacements(s).len - at;
  if (bytes == length && memory.compare(replacements(s).ptr + at, s.bodyBytes().ptr + start, length) == 0) return;
  addEdit(changetype<Bytes>(s.edits), start, length, at, bytes);
}

/** Lowers what the client asked for to what it may have; adds a limit where the client gave none and one is needed. */
function limitOutput(s: Session): void {
  const document = s.bodyBytes().ptr;
  const records = s.recordBytes();
  const count = records.len / RECORD_BYTES;
  const allowed = outputTokens(s.result);
  let given = false;
  let empty: i32 = -1;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    const kind = <i32>load<u8>(r, RECORD_KIND);
    if (
      kind == P.PLACE_EMPTY &&
      <i32>load<u8>(<usize>load<u32>(r, RECORD_NODE) + P.NODE_NUMBER) == P.PLACE_OUTPUT_LIMIT
    )
      empty = i;
    if (kind != P.PLACE_OUTPUT_LIMIT) continue;
    given = true;
    const start = load<u32>(r, RECORD_START);
    const end = load<u32>(r, RECORD_END);
    if (readInteger(document + start, document + end) <= allowed) continue;
    replace(s, start, end, allowed);
  }
  if (given || (allowed >= load<i64>(modelRecord(s.chosen), MODEL_MAX_OUTPUT) && !isReserved(s))) return;
  if (empty >= 0) {
    const r = recordAt(records, empty);
    return replace(s, load<u32>(r, RECORD_START), load<u32>(r, RECORD_END), allowed);
  }
  if (!hasFlag(s.endpoint, P.FLAG_LIMIT_MAX_TOKENS)) return;
  const at = begin(s);
  put(replacements(s), '"max_tokens":');
  appendNumber(replacements(s), allowed);
  replacements(s).push(0x2c);
  addEdit(changetype<Bytes>(s.edits), firstKey(s), 0, at, replacements(s).len - at);
}

function askUsage(s: Session): void {
  const records = s.recordBytes();
  const document = s.bodyBytes().ptr;
  const count = records.len / RECORD_BYTES;
  const edits = changetype<Bytes>(s.edits);
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    const kind = <i32>load<u8>(r, RECORD_KIND);
    const start = load<u32>(r, RECORD_START);
    const end = load<u32>(r, RECORD_END);
    const at = begin(s);
    if (kind == P.PLACE_INCLUDE_USAGE) {
      put(replacements(s), 'true');
      return addEdit(edits, start, end - start, at, 4);
    }
    if (
      kind == P.PLACE_EMPTY &&
      <i32>load<u8>(<usize>load<u32>(r, RECORD_NODE) + P.NODE_OBJECT) == P.PLACE_STREAM_OPTIONS
    ) {
      put(replacements(s), '{"include_usage":true}');
      return addEdit(edits, start, end - start, at, replacements(s).len - at);
    }
    if (kind == P.PLACE_STREAM_OPTIONS && !holdsUsage(s, i)) {
      put(replacements(s), '"include_usage":true');
      const p = skipSpace(document + start + 1, document + end);
      if (load<u8>(p) != 0x7d) replacements(s).push(0x2c);
      return addEdit(edits, start + 1, 0, at, replacements(s).len - at);
    }
  }
  const at = begin(s);
  put(replacements(s), '"stream_options":{"include_usage":true},');
  addEdit(edits, firstKey(s), 0, at, replacements(s).len - at);
}

/** Whether the next record is the field inside the options at `i`. */
function holdsUsage(s: Session, i: u32): bool {
  const records = s.recordBytes();
  return (
    i + 1 < records.len / RECORD_BYTES && <i32>load<u8>(recordAt(records, i + 1), RECORD_KIND) == P.PLACE_INCLUDE_USAGE
  );
}

function isReserved(s: Session): bool {
  if (!needsLevels(s)) return false;
  const count = budgetCount();
  for (let i: u32 = 0; i < count; i += 1) if (reserveOf(s.result, i) >= 0) return true;
  return false;
}

function replace(s: Session, start: u32, end: u32, value: i64): void {
  const at = begin(s);
  appendNumber(replacements(s), value);
  addEdit(changetype<Bytes>(s.edits), start, end - start, at, replacements(s).len - at);
}

/** Where the body's first key begins: the body is an object that has one. */
function firstKey(s: Session): u32 {
  const body = s.bodyBytes();
  return <u32>(skipSpace(body.ptr, body.ptr + body.len) + 1 - body.ptr);
}

function replacements(s: Session): Bytes {
  return changetype<Bytes>(s.replacements);
}

function begin(s: Session): u32 {
  return replacements(s).len;
}
