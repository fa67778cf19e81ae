/**
 * What Envoy holds of each account: a grant of the sidecar's, which all workers spend from. A request reserves its worst
 * case and settles what it cost; `granted` is never exceeded. The rules are those of proto/writ/v1/filter_budgets.proto.
 * Amounts are micro-units of the policy's currency.
 *
 * A grant has a place: the position of a budget that has one account, or a slot (account-slots.ts), which is one
 * account's for a while. Whoever means a certain account names its owner, and finds nothing where the slot is another's.
 */
import { budgetCount, budgetRecord } from '../decision/api';
import { BUDGET_NAME } from '../decision/layout';
import { Bytes } from '../bytes';
import { put } from '../http/literal';
import { alloc } from '../memory';
import { readShared, resumeVersion, TRIES_MAX, versionRead, writeShared } from './shared-data';

@unmanaged
export class Grant {
  /** Its number; 0 where the record is not there. */
  number: u64 = 0;
  granted: i64 = 0;
  spent: i64 = 0;
  reserved: i64 = 0;
  /** Milliseconds since 1970 UTC: nothing is reserved later. */
  until: i64 = 0;
  limit: i64 = 0;
  beyond: i64 = 0;
  known: i64 = 0;
  /** When the sidecar last answered. */
  askedAt: i64 = 0;
  /** When something was last reserved. */
  usedAt: i64 = 0;
  /** What the sidecar has booked of `spent`. */
  told: i64 = 0;
  /** How much the last answer added. */
  added: i64 = 0;
  /** The number before, while its end is not answered; 0: none. */
  closing: u64 = 0;
  closingHeld: i64 = 0;
  closingSpent: i64 = 0;
  /** Of a slot: the hash that names the account, and the first bytes of that of its budget's name; zeros: nobody's. */
  owner: u64 = 0;
  ownerMore: u64 = 0;
  budget: u64 = 0;

  isOf(hash: usize): bool {
    return this.owner == load<u64>(hash) && this.ownerMore == load<u64>(hash, 8);
  }

  /** It holds nothing, and nobody waits for word of it. */
  isVacant(): bool {
    return this.granted == 0 && this.closing == 0;
  }

  free(): i64 {
    return this.granted - this.spent - this.reserved;
  }

  /** Goes on with the next number; what is in flight counts as spent. */
  roll(tellsEnd: bool): void {
    if (tellsEnd && this.granted > 0) {
      this.closing = this.number;
      this.closingHeld = this.granted;
      this.closingSpent = this.spent + this.reserved;
    }
    this.number += 1;
    this.granted = 0;
    this.spent = 0;
    this.reserved = 0;
    this.until = 0;
    this.told = 0;
    this.added = 0;
  }
}

const GRANT_BYTES: u32 = 144;
/** The record that is being read or changed. */
export const grant: Grant = changetype<Grant>(memory.data(144, 8));
/** A grant from which nothing was reserved for so long is given back. */
const IDLE_MS: i64 = 30_000;

let key: usize = 0;

/** For each budget the record as it was read in this callback, then its version, then whether it may be used. */
const KEPT_BYTES: u32 = 152;
const KEPT_VERSION: usize = 144;
const KEPT_USABLE: usize = 148;
let kept: usize = 0;

/** Places from here on are slots. */
export const FIRST_SLOT: u32 = 0x10000;

/** Reads a place's grant into `grant`; false where it cannot be read, or is not of this owner (0: whoever's it is). */
export function readGrant(place: u32, owner: usize): bool {
  if (!keyOf(place)) return false;
  const k = changetype<Bytes>(key);
  if (!readShared(k.ptr, k.len, changetype<usize>(grant), GRANT_BYTES)) return false;
  if (grant.number == 0) grant.number = 1;
  return owner == 0 || grant.isOf(owner);
}

/** From here on nothing that was read before is used: a callback begins. */
export function forgetGrants(): void {
  if (kept == 0) kept = alloc(budgetCount() * KEPT_BYTES);
  if (kept == 0) return;
  for (let i: u32 = 0; i < budgetCount(); i += 1) store<u32>(kept + i * KEPT_BYTES, 0, KEPT_USABLE);
}

/**
 * As `readGrant`, from Envoy only once in a callback: each reading is two calls and a copy. What another worker has
 * written since is seen when this one writes: it is refused then, and reads anew.
 */
export function readGrantOnce(place: u32, owner: usize): bool {
  if (kept == 0 || place >= FIRST_SLOT) return readGrant(place, owner);
  const k = kept + place * KEPT_BYTES;
  if (load<u32>(k, KEPT_USABLE) != 0 && keyOf(place)) {
    memory.copy(changetype<usize>(grant), k, GRANT_BYTES);
    resumeVersion(load<u32>(k, KEPT_VERSION));
    return true;
  }
  if (!readGrant(place, 0)) return false;
  memory.copy(k, changetype<usize>(grant), GRANT_BYTES);
  store<u32>(k, versionRead(), KEPT_VERSION);
  store<u32>(k, 1, KEPT_USABLE);
  return true;
}

/** Writes what was read last; false where another worker came before. What was kept of it is old either way. */
export function writeGrant(place: u32): bool {
  if (kept != 0 && place < FIRST_SLOT) store<u32>(kept + place * KEPT_BYTES, 0, KEPT_USABLE);
  const k = changetype<Bytes>(key);
  return writeShared(k.ptr, k.len, changetype<usize>(grant), GRANT_BYTES);
}

/** Sets the amount aside: its grant's number, or 0 where there is too little. */
export function reserve(place: u32, owner: usize, amount: i64, now: i64): u64 {
  for (let tries: u32 = 0; tries < TRIES_MAX; tries += 1) {
    if (!readGrantOnce(place, owner)) return 0;
    // What costs nothing needs nothing.
    if (amount == 0) return grant.number;
    if (now >= grant.until || amount > grant.free()) return 0;
    grant.reserved += amount;
    grant.usedAt = now;
    if (writeGrant(place)) return grant.number;
  }
  return 0;
}

/** Of what was reserved, so much was spent. A grant that is over has been charged already. */
export function settleReserved(place: u32, number: u64, amount: i64, spent: i64): void {
  for (let tries: u32 = 0; tries < TRIES_MAX; tries += 1) {
    if (amount == 0 || !readGrant(place, 0) || grant.number != number) return;
    grant.reserved -= amount;
    grant.spent += spent;
    if (writeGrant(place)) return;
  }
}

/** Before a line is written: a grant whose time is over, or that nobody uses, gives way to the next number. */
export function prepareGrant(place: u32, now: i64): bool {
  for (let tries: u32 = 0; tries < TRIES_MAX; tries += 1) {
    if (!readGrant(place, 0)) return false;
    const isIdle = grant.granted > 0 && grant.reserved == 0 && now - grant.usedAt > IDLE_MS;
    if (!isIdle && (grant.granted == 0 || now < grant.until)) return true;
    grant.roll(true);
    if (writeGrant(place)) return true;
  }
  return false;
}

// An answer's line.
export let answerNumber: u64 = 0;
export let answerOver: bool = false;
export let answerGranted: i64 = 0;
export let answerLeftMs: i64 = 0;
export let answerKnown: bool = false;
export let answerLimit: i64 = 0;
export let answerBeyond: i64 = 0;
export let answerSpent: i64 = 0;

export function beginAnswer(): void {
  answerNumber = 0;
  answerOver = false;
  answerGranted = 0;
  answerLeftMs = 0;
  answerKnown = false;
  answerLimit = 0;
  answerBeyond = 0;
  answerSpent = 0;
}

/** By field of GrantState. */
export function setAnswer(field: u32, value: u64): void {
  if (field == 2) answerNumber = value;
  else if (field == 3) answerOver = value != 0;
  else if (field == 4) answerGranted = <i64>value;
  else if (field == 5) answerLeftMs = <i64>value;
  else if (field == 6) answerKnown = value != 0;
  else if (field == 7) answerLimit = <i64>value;
  else if (field == 8) answerBeyond = <i64>value;
  else if (field == 9) answerSpent = <i64>value;
}

/** Takes the answer's line; `sentAt` is when the call was sent. */
export function takeAnswer(place: u32, owner: usize, sentAt: i64): void {
  for (let tries: u32 = 0; tries < TRIES_MAX; tries += 1) {
    if (!readGrant(place, owner)) return;
    if (answerNumber != grant.number) {
      if (answerNumber != grant.closing || grant.closing == 0 || !answerOver) return;
      grant.closing = 0;
    } else {
      grant.askedAt = sentAt;
      grant.known = answerKnown ? 1 : 0;
      grant.limit = answerLimit;
      grant.beyond = answerBeyond;
      if (answerOver) grant.roll(false);
      else {
        if (answerGranted > grant.granted) {
          if (grant.granted == 0) grant.usedAt = sentAt;
          grant.added = answerGranted - grant.granted;
          grant.granted = answerGranted;
        }
        grant.until = sentAt + answerLeftMs;
        // Not what is spent by now: the answer says nothing of what was settled since the call was sent.
        grant.told = answerSpent;
      }
    }
    if (writeGrant(place)) return;
  }
}

/** The key of a place's record. The version of its layout is in it. */
function keyOf(place: u32): bool {
  if (key == 0) key = changetype<usize>(Bytes.create());
  if (key == 0) return false;
  const k = changetype<Bytes>(key);
  k.clear();
  if (place >= FIRST_SLOT) {
    put(k, 'writ account 1 ');
    k.u32(place);
    return !k.failed;
  }
  put(k, 'writ grant 2 ');
  const name = budgetRecord(place) + BUDGET_NAME;
  k.append(<usize>load<u32>(name), load<u32>(name, 4));
  return !k.failed;
}
