/**
 * The calls in which the sidecar and Envoy tell each other about grants (proto/writ/v1/filter_budgets.proto): protobuf
 * out, protobuf in. Each call has a line for every budget of one account, and for some slots; it tells totals: a lost one is made good by the next.
 */
import { budgetCount, budgetRecord } from '../decision/api';
import { BUDGET_NAME } from '../decision/layout';
import { Bytes } from '../bytes';
import { put } from '../http/literal';
import { putField, putVarint } from '../protobuf';
import { ACCOUNT_BYTES, hasAccounts } from '../session/accounts';
import { budgetOfSlot, findSlot } from './account-slots';
import { beginAnswer, FIRST_SLOT, grant, prepareGrant, setAnswer, takeAnswer } from './grant';
import { BUFFER_MESSAGE, detach, randomBits, takeBuffer, takeRandom } from './host';
import { sendToSidecar, sidecarToken } from './sidecar-call';
import { free } from '../memory';
import { readShared, writeShared } from './shared-data';
import { wordOf } from './words';

const NAME: string = 'writ.v1.FilterBudgets';
const METHOD: string = 'Sync';
const LIFE: string = 'writ life 2';
const FIELD_ENVOY: u32 = 0x09;
const FIELD_LINE: u32 = 0x12;

const life: usize = memory.data(8, 8);
let message: usize = 0;
let line: usize = 0;

/** The token of the call that was sent last. */
export let sentToken: u32 = 0;

/** Of a line that is to be written: u32 place, u32 zero, i64 what is needed of it. */
const DUE_BYTES: u32 = 16;
/** Slots in one call; each budget that has one account has its line besides. */
export const SLOTS_PER_CALL: u32 = 256;
const due: usize = memory.data(256 * 16, 8);
let dueCount: u32 = 0;

/** Begins a call; each slot that it tells of follows. */
export function beginLines(): void {
  dueCount = 0;
}

/** A line for a slot, and how much a request needs of it; false: the call is full. */
export function addSlot(place: u32, needs: i64): bool {
  if (dueCount == SLOTS_PER_CALL) return false;
  const d = due + dueCount * DUE_BYTES;
  store<u32>(d, place);
  store<i64>(d, needs, 8);
  dueCount += 1;
  return true;
}

export function slotsDue(): u32 {
  return dueCount;
}

/**
 * Sends a call: `wanted` has an amount (i64) for each budget that a request needs more of, 0 elsewhere, or is 0;
 * `starts` asks for a first share of everything that has none.
 */
export function callSidecar(wanted: usize, starts: bool, now: i64, milliseconds: u32): bool {
  if (!writeRequest(wanted, starts, now)) return false;
  const m = changetype<Bytes>(message);
  const sent = sendToSidecar(NAME, METHOD, m.ptr, m.len, milliseconds);
  sentToken = sidecarToken;
  return sent;
}

function writeRequest(wanted: usize, starts: bool, now: i64): bool {
  if (message == 0) message = changetype<usize>(Bytes.create());
  if (line == 0) line = changetype<usize>(Bytes.create());
  if (message == 0 || line == 0 || !knowsLife()) return false;
  const m = changetype<Bytes>(message);
  m.clear();
  m.push(FIELD_ENVOY);
  m.append(life, 8);
  const count = budgetCount();
  for (let i: u32 = 0; i < count; i += 1) {
    if (hasAccounts(i)) continue;
    if (!prepareGrant(i, now)) return false;
    writeLines(m, i, wanted == 0 ? 0 : load<i64>(wanted + (i << 3)), starts);
  }
  for (let d: u32 = 0; d < dueCount; d += 1) {
    const entry = due + d * DUE_BYTES;
    if (!prepareGrant(load<u32>(entry), now)) return false;
    // A slot whose budget the policy has no more is told of when it has it again.
    const position = budgetOfSlot();
    if (position >= 0) writeLines(m, position, load<i64>(entry, 8), starts);
  }
  return !m.failed;
}

/** The lines of the grant that was read last. */
function writeLines(m: Bytes, position: u32, need: i64, starts: bool): void {
  if (grant.closing != 0) putLine(m, position, grant.closing, grant.closingHeld, grant.closingSpent, 0, true);
  const used = grant.spent + grant.reserved;
  let most = grant.granted;
  if (need > 0) most = used + need;
  else if (grant.granted == 0) most = starts || (grant.askedAt == 0 && grant.owner == 0) ? 1 : 0;
  else if (needsMore()) most = grant.granted + 1;
  putLine(m, position, grant.number, grant.granted, grant.spent, most, false);
}

/** Half of what the last answer added is in use. */
export function needsMore(): bool {
  return grant.granted > 0 && grant.free() < grant.added / 2;
}

function putLine(m: Bytes, position: u32, number: u64, held: i64, spent: i64, wanted: i64, close: bool): void {
  const l = changetype<Bytes>(line);
  l.clear();
  const name = budgetRecord(position) + BUDGET_NAME;
  const length = load<u32>(name, 4);
  const isSlot = hasAccounts(position);
  l.push(0x0a);
  putVarint(l, isSlot ? length + 1 + 2 * ACCOUNT_BYTES : length);
  l.append(<usize>load<u32>(name), length);
  if (isSlot) {
    l.push(HASH_MARK);
    putHex(l, grant.owner);
    putHex(l, grant.ownerMore);
  }
  putField(l, 0x10, number);
  putField(l, 0x18, <u64>held);
  putField(l, 0x20, <u64>spent);
  putField(l, 0x28, <u64>wanted);
  if (close) putField(l, 0x30, 1);
  m.push(FIELD_LINE);
  putVarint(m, l.len);
  m.append(l.ptr, l.len);
  if (l.failed) m.failed = true;
}

/** The eight bytes as they lie in memory. */
function putHex(out: Bytes, value: u64): void {
  for (let i: u32 = 0; i < 16; i += 1) {
    const nibble = (<u32>(value >> (((i >> 1) << 3) + ((i & 1) == 0 ? 4 : 0)))) & 15;
    out.push(nibble < 10 ? 0x30 + nibble : 0x57 + nibble);
  }
}

/** One life of the shared data: drawn by whichever worker comes first. */
function knowsLife(): bool {
  for (let tries: u32 = 0; tries < 8; tries += 1) {
    if (!readShared(wordOf(LIFE), <u32>LIFE.length, life, 8)) return false;
    if (load<u64>(life) != 0) return true;
    if (!takeRandom()) return false;
    store<u64>(life, randomBits() | 1);
    if (writeShared(wordOf(LIFE), <u32>LIFE.length, life, 8)) return true;
  }
  return false;
}

// -------------------------------------------------------------------------------------------------------- the answer

let at: usize = 0;
let end: usize = 0;
let broken: bool = false;

/** Takes a reply of so many bytes to a call that was sent then. False where it cannot be read. */
export function takeReply(bytes: u32, sentAt: i64): bool {
  if (!takeBuffer(BUFFER_MESSAGE, bytes)) return false;
  const block = detach();
  at = block;
  end = block + bytes;
  broken = false;
  while (at < end && !broken) {
    if (readVarint() != 0x0a) broken = true;
    else readState(sentAt);
  }
  free(block);
  return !broken;
}

function readState(sentAt: i64): void {
  const length = readVarint();
  if (broken || length > <u64>(end - at)) {
    broken = true;
    return;
  }
  const stop = at + <usize>length;
  let place: i32 = -1;
  beginAnswer();
  while (at < stop && !broken) {
    const tag = readVarint();
    if (tag == 0x0a) {
      const bytes = readVarint();
      if (broken || bytes > <u64>(stop - at)) {
        broken = true;
        return;
      }
      place = placeOfName(at, <u32>bytes);
      at += <usize>bytes;
    } else if ((tag & 7) == 0) setAnswer(<u32>(tag >> 3), readVarint());
    else broken = true;
  }
  if (!broken && place >= 0) takeAnswer(place, <u32>place >= FIRST_SLOT ? named : 0, sentAt);
}

function readVarint(): u64 {
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 64; shift += 7) {
    if (at >= end) break;
    const byte = <u64>load<u8>(at);
    at += 1;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  broken = true;
  return 0;
}

/** The hash of the account that was named last. */
const named: usize = memory.data(16, 8);
const HASH_MARK: u32 = 0x23;

/** The place of the account that an answer names; -1 where there is none. */
function placeOfName(p: usize, length: u32): i32 {
  const count = budgetCount();
  for (let i: u32 = 0; i < count; i += 1) {
    const name = budgetRecord(i) + BUDGET_NAME;
    const own = load<u32>(name, 4);
    if (length < own || memory.compare(<usize>load<u32>(name), p, own) != 0) continue;
    if (length == own) return hasAccounts(i) ? -1 : i;
    if (length != own + 1 + 2 * ACCOUNT_BYTES || load<u8>(p + own) != HASH_MARK || !hasAccounts(i)) continue;
    readHex(p + own + 1);
    return <i32>findSlot(named);
  }
  return -1;
}

function readHex(p: usize): void {
  for (let i: u32 = 0; i < ACCOUNT_BYTES; i += 1)
    store<u8>(named + i, (nibbleOf(load<u8>(p + (i << 1))) << 4) | nibbleOf(load<u8>(p + (i << 1), 1)));
}

function nibbleOf(c: u32): u32 {
  return c < 0x61 ? c - 0x30 : c - 0x57;
}
