/**
 * The policy's own filter, with the caller's facts filled in: joined with what the client asked, so that the store
 * returns what the caller may see.
 */
import { FACT_KNOWN, SLOT_AUX, SLOT_BYTES, SLOT_STATE, SLOT_VALUE } from '../abi';
import { Bytes } from '../bytes';
import { storeRecord } from '../decision/api';
import { RESULT_SITE, SITE_AT_FIRED, SITE_NODES, STORE_FILTER } from '../decision/layout';
import { isSet } from '../decision/render';
import { enumMembers, factEnum, textAtIs } from '../decision/tables';
import { appendEscaped } from '../json/escape';
import * as F from '../protocol/store-filter';
import { put } from '../http/literal';
import { Session } from '../session/session-state';

/** Every chunk meets it; some do (text was appended); none does. */
const ALL: u32 = 0;
const SOME: u32 = 1;
const NONE: u32 = 2;
/** Depth of a filter's tree. */
const DEPTH_MAX: u32 = 16;

let table: usize = 0;

/** Address of the store's table, 0 where there is none. */
export function filterOf(position: i32): usize {
  return position < 0 ? 0 : <usize>load<u32>(storeRecord(position), STORE_FILTER);
}

/** Appends the policy's filter for this caller; false where there is nothing to ask. */
export function appendPolicyFilter(s: Session, out: Bytes): bool {
  table = filterOf(s.store);
  if (table == 0) return false;
  const count = load<u32>(table, F.FILTER_CLAUSES);
  const from = out.len;
  const outcome = join(s, out, '{"$and":[', count, table + load<u32>(table, F.FILTER_CLAUSES + 4), false, 0);
  if (outcome == SOME) return true;
  out.len = from;
  if (outcome == ALL) return false;
  // Nobody has such a chunk; what comes nevertheless is verified.
  put(out, '{"writ":{"$eq":"none"}}');
  return true;
}

/** Appends the conditions of a list, joined. `isOr`: one of them is enough. */
function join(s: Session, out: Bytes, opening: string, count: u32, list: usize, isOr: bool, depth: u32): u32 {
  if (depth > DEPTH_MAX) return ALL;
  const start = out.len;
  put(out, opening);
  const inner = out.len;
  let written: u32 = 0;
  for (let i: u32 = 0; i < count; i += 1) {
    const before = out.len;
    if (written > 0) out.push(0x2c);
    const outcome = append(s, out, table + load<u32>(list + (i << 2)), depth + 1);
    if (outcome == SOME) {
      written += 1;
      continue;
    }
    out.len = before;
    if (outcome == (isOr ? ALL : NONE)) {
      out.len = start;
      return outcome;
    }
  }
  if (written == 0) {
    out.len = start;
    return isOr ? NONE : ALL;
  }
  if (written == 1) {
    // One condition stands for itself: the store wants at least two in a list.
    const length = out.len - inner;
    memory.copy(out.ptr + start, out.ptr + inner, length);
    out.len = start + length;
    return SOME;
  }
  put(out, ']}');
  return SOME;
}

function append(s: Session, out: Bytes, node: usize, depth: u32): u32 {
  const kind = <i32>load<u32>(node);
  if (kind == F.CLAUSE_AND)
    return join(s, out, '{"$and":[', load<u32>(node, 4), table + load<u32>(node, 8), false, depth);
  if (kind == F.CLAUSE_OR) return join(s, out, '{"$or":[', load<u32>(node, 4), table + load<u32>(node, 8), true, depth);
  if (kind == F.CLAUSE_UNLESS_FIRED)
    return anyFired(s, node) ? ALL : append(s, out, table + load<u32>(node, 12), depth + 1);
  if (kind == F.CLAUSE_OVERLAPS) return overlaps(s, out, node);
  if (kind == F.CLAUSE_FACT) return equalsFact(s, out, node);
  if (kind == F.CLAUSE_RANKS) return ranks(s, out, node);
  if (kind == F.CLAUSE_CONTAINS) {
    key(out, node, '{"$contains":');
    text(out, node + 12);
    put(out, '}}');
    return SOME;
  }
  key(out, node, '{');
  text(out, node + 12);
  out.push(0x3a);
  text(out, node + 20);
  put(out, '}}');
  return SOME;
}

/** Whether one of the names fired in the decision on the request. */
function anyFired(s: Session, node: usize): bool {
  const site = <usize>load<u32>(s.result, RESULT_SITE);
  const fired = s.result + load<u32>(site, SITE_AT_FIRED);
  const nodes = load<u32>(site, SITE_NODES + 4);
  const count = load<u32>(node, 4);
  for (let i: u32 = 0; i < count; i += 1) {
    const name = table + load<u32>(node, 8) + (i << 3);
    for (let at: u32 = 0; at < nodes; at += 1) {
      const text = <usize>load<u32>(site, SITE_NODES) + (at << 3);
      if (isSet(fired, at) && textAtIs(text, table + load<u32>(name), load<u32>(name, 4))) return true;
    }
  }
  return false;
}

/** The metadata's list holds one of the caller's members. */
function overlaps(s: Session, out: Bytes, node: usize): u32 {
  const slot = slotOfFact(s, load<u32>(node, 12));
  if (slot == 0) return ALL;
  const count = load<u32>(slot, SLOT_AUX);
  const members = <usize>load<i64>(slot, SLOT_VALUE);
  if (count == 0) return NONE;
  if (count > 1) put(out, '{"$or":[');
  for (let i: u32 = 0; i < count; i += 1) {
    if (i > 0) out.push(0x2c);
    key(out, node, '{"$contains":"');
    appendEscaped(out, <usize>load<u32>(members + (i << 3)), load<u32>(members + (i << 3), 4));
    put(out, '"}}');
  }
  if (count > 1) put(out, ']}');
  return SOME;
}

function equalsFact(s: Session, out: Bytes, node: usize): u32 {
  const fact = load<u32>(node, 12);
  const slot = slotOfFact(s, fact);
  if (slot == 0) return ALL;
  const which = factEnum(fact);
  let p = <usize>load<i64>(slot, SLOT_VALUE);
  let length = load<u32>(slot, SLOT_AUX);
  if (which >= 0) {
    const member = <usize>load<u32>(enumMembers(which)) + ((<usize>load<i64>(slot, SLOT_VALUE)) << 3);
    p = <usize>load<u32>(member);
    length = load<u32>(member, 4);
  }
  key(out, node, '{"$eq":"');
  appendEscaped(out, p, length);
  put(out, '"}}');
  return SOME;
}

/**
 * The metadata is one of the members whose rank compares so; where an absent value would, too, the store cannot be
 * asked.
 */
function ranks(s: Session, out: Bytes, node: usize): u32 {
  const fact = load<u32>(node, 16);
  let rank = <i64>load<u32>(node, 20);
  if (fact != F.NO_FACT) {
    const slot = slotOfFact(s, fact);
    if (slot == 0) return ALL;
    rank = load<i64>(slot, SLOT_VALUE);
  }
  const compare = <i32>load<u32>(node, 12);
  const absent = load<u32>(node, 32);
  if (absent != 0 && holds(compare, <i64>absent - 1, rank)) return ALL;
  const count = load<u32>(node, 24);
  const members = table + load<u32>(node, 28);
  let written: u32 = 0;
  key(out, node, '{"$in":[');
  for (let i: u32 = 0; i < count; i += 1) {
    if (!holds(compare, i, rank)) continue;
    if (written > 0) out.push(0x2c);
    text(out, members + (i << 3));
    written += 1;
  }
  put(out, ']}}');
  return written == 0 ? NONE : SOME;
}

function holds(compare: i32, left: i64, right: i64): bool {
  if (compare == F.COMPARE_EQ) return left == right;
  if (compare == F.COMPARE_LT) return left < right;
  if (compare == F.COMPARE_LE) return left <= right;
  return compare == F.COMPARE_GT ? left > right : left >= right;
}

/** The slot of a fact that is known; 0 otherwise: a failed fact is the decision's matter. */
function slotOfFact(s: Session, fact: u32): usize {
  const slot = s.facts + fact * SLOT_BYTES;
  return load<u8>(slot, SLOT_STATE) == FACT_KNOWN ? slot : 0;
}

/** Appends `{KEY:` and the opening. */
function key(out: Bytes, node: usize, opening: string): void {
  out.push(0x7b);
  text(out, node + 4);
  out.push(0x3a);
  put(out, opening);
}

function text(out: Bytes, place: usize): void {
  out.append(table + load<u32>(place), load<u32>(place, 4));
}
