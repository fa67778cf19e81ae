/**
 * The facts of lists and switches, from what the feeds say now and from the values of other facts: set before every
 * decision. Fresh means: signed no longer ago than the policy says, at the instant that is `now` for the exchange.
 */
import { FACT_FAILED, FACT_KNOWN, FACT_UNKNOWN, SLOT_AUX, SLOT_BYTES, SLOT_STATE, SLOT_VALUE, T_FEEDS } from '../abi';
import { writeValue } from '../decision/slots';
import { FACT_TYPE, KIND_ENUM, KIND_TEXT, TYPE_ENUM, TYPE_KIND } from '../decision/layout';
import { enumMembers, factRecord, section } from '../decision/tables';
import { sha256 } from '../http/sha256';
import { imageOf } from './feeds';
import {
  ASK_BYTES,
  ASK_FACT,
  ASK_OF,
  ASK_OFFSETS,
  ASK_OPERAND,
  ASK_STORE,
  ASK_USE,
  ASK_VALUE,
  ENTRY_BYTES,
  FEED_LIST,
  FEEDS_FACTS,
  FEEDS_USES,
  IMAGE_COUNT,
  IMAGE_ELEMENT_BYTES,
  IMAGE_GOOD,
  IMAGE_HEAD_BYTES,
  IMAGE_ISSUED,
  IMAGE_NAME_BYTES,
  IMAGE_SALT,
  IMAGE_STATE,
  IMAGE_UNTIL,
  OF_DAY,
  OF_SWITCH,
  OF_VALUE,
  SALT_BYTES,
  USE_BYTES,
  USE_KIND,
  USE_MAX_AGE,
  VALUE_BYTES_MAX,
} from './layout';

/** The salt, and behind it the value. */
const message: usize = memory.data(1_040, 8);
const hash: usize = memory.data(32, 8);
const NONE: u32 = 0xffff_ffff;
const DAY_MINUTES: i64 = 1_440;
const MINUTE_MS: i64 = 60_000;

/** Sets those that are about a chunk of the store, or, where it is NO_STORE, all others. */
export function readFeeds(facts: usize, now: i64, ofStore: i32): void {
  const table = section(T_FEEDS);
  if (table == 0) return;
  const uses = <usize>load<u32>(table, FEEDS_USES);
  let ask = <usize>load<u32>(table, FEEDS_FACTS);
  for (let left = load<u32>(table, FEEDS_FACTS + 4); left > 0; left -= 1, ask += ASK_BYTES)
    if (load<i32>(ask, ASK_STORE) == ofStore) readAsk(ask, uses, facts, now);
}

function readAsk(ask: usize, uses: usize, facts: usize, now: i64): void {
  const slot = facts + load<u32>(ask, ASK_FACT) * SLOT_BYTES;
  const what = load<u32>(ask, ASK_OF);
  const operand = facts + load<u32>(ask, ASK_OPERAND) * SLOT_BYTES;
  const state: u32 = what == OF_SWITCH || what == OF_VALUE ? FACT_KNOWN : load<u8>(operand, SLOT_STATE);
  // What is not there is in no list, however old the list is: nothing is asked of it.
  store<u8>(slot, state == FACT_UNKNOWN ? FACT_UNKNOWN : FACT_FAILED, SLOT_STATE);
  const use = load<u32>(ask, ASK_USE);
  const image = imageOf(use);
  if (state != FACT_KNOWN || image == 0 || !isFresh(uses + use * USE_BYTES, image, now)) return;
  if (what == OF_SWITCH) return writeValue(slot, now < load<i64>(image, IMAGE_UNTIL) ? 1 : 0);
  const value = <usize>load<u32>(ask, ASK_VALUE);
  const length = what == OF_VALUE ? putText(value, load<u32>(ask, ASK_VALUE + 4)) : putOperand(ask, operand);
  writeValue(slot, length != NONE && isIn(image, length) ? 1 : 0);
}

/** A switch does not grow old: its own time ends it. */
function isFresh(use: usize, image: usize, now: i64): bool {
  if (load<u32>(image, IMAGE_STATE) != IMAGE_GOOD) return false;
  return load<u32>(use, USE_KIND) != FEED_LIST || now - load<i64>(image, IMAGE_ISSUED) <= load<i64>(use, USE_MAX_AGE);
}

/** Puts the operand's value behind the salt, in the form in which entries are hashed; NONE where it is in no list. */
function putOperand(ask: usize, operand: usize): u32 {
  const value = load<i64>(operand, SLOT_VALUE);
  if (load<u32>(ask, ASK_OF) == OF_DAY) return putNumber(dayOfInstant(ask, value));
  const type = factRecord(load<u32>(ask, ASK_OPERAND)) + FACT_TYPE;
  const kind = load<u8>(type, TYPE_KIND);
  if (kind == KIND_TEXT) return putText(<usize>value, load<u32>(operand, SLOT_AUX));
  if (kind != KIND_ENUM) return putNumber(value);
  const member = <usize>load<u32>(enumMembers(load<u16>(type, TYPE_ENUM))) + ((<usize>value) << 3);
  return putText(<usize>load<u32>(member), load<u32>(member, 4));
}

/** The day of the calendar, in days since 1970-01-01, that the clocks of the zone show at an instant. */
function dayOfInstant(ask: usize, time: i64): i64 {
  const offsets = <usize>load<u32>(ask, ASK_OFFSETS);
  const changes = load<u32>(ask, ASK_OFFSETS + 4);
  let at: u32 = 1;
  while (at < changes && load<i64>(offsets + (at << 4)) <= time) at += 1;
  const local = floorDivided(time, MINUTE_MS) + load<i64>(offsets + ((at - 1) << 4), 8);
  return floorDivided(local, DAY_MINUTES);
}

function floorDivided(a: i64, b: i64): i64 {
  return a / b - (a % b < 0 ? 1 : 0);
}

function putText(text: usize, length: u32): u32 {
  if (length > <u32>VALUE_BYTES_MAX) return NONE;
  memory.copy(message + SALT_BYTES, text, length);
  return length;
}

/** In decimal. */
function putNumber(value: i64): u32 {
  const first = message + SALT_BYTES;
  let length: u32 = 0;
  let rest = value < 0 ? 0 - value : value;
  do {
    store<u8>(first + length, <u8>(0x30 + <u32>(rest % 10)));
    length += 1;
    rest /= 10;
  } while (rest != 0);
  if (value < 0) {
    store<u8>(first + length, 0x2d);
    length += 1;
  }
  for (let at: u32 = 0; at < length >> 1; at += 1) {
    const other = first + (length - 1 - at);
    const digit = load<u8>(first + at);
    store<u8>(first + at, load<u8>(other));
    store<u8>(other, digit);
  }
  return length;
}

/** Whether the list has the value that lies behind the salt: its entries are sorted. */
function isIn(image: usize, length: u32): bool {
  memory.copy(message, image + IMAGE_SALT, SALT_BYTES);
  if (!sha256(message, SALT_BYTES + length, hash)) return false;
  const first = bswap<u64>(load<u64>(hash));
  const second = bswap<u64>(load<u64>(hash, 8));
  const entries = image + IMAGE_HEAD_BYTES + load<u32>(image, IMAGE_NAME_BYTES) + load<u32>(image, IMAGE_ELEMENT_BYTES);
  let low: u32 = 0;
  let high = load<u32>(image, IMAGE_COUNT);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries + middle * ENTRY_BYTES;
    const a = bswap<u64>(load<u64>(entry));
    const b = bswap<u64>(load<u64>(entry, 8));
    if (a == first && b == second) return true;
    if (a < first || (a == first && b < second)) low = middle + 1;
    else high = middle;
  }
  return false;
}
