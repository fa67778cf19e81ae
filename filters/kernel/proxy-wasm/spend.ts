/**
 * Budgets of an exchange: the levels that the policy reads, what is set aside before the request leaves, and what is
 * settled when it is over. A request waits for the sidecar only where Envoy holds too little, and not for long.
 */
import { BUDGET_SHORT, BUDGET_UNREADABLE, LEVEL_UNKNOWN, LEVEL_WHOLE, T_BUDGETS } from '../abi';
import { alloc, allocZeroed, free } from '../memory';
import { budgetCount } from '../decision/api';
import { section } from '../decision/tables';
import { Output } from '../session/output';
import { session_levels, session_refuse_spend } from '../session';
import { ACCOUNT_BYTES, hasAccounts } from '../session/accounts';
import { chargedOf, isOfEarlierWindow } from '../session/budget';
import { addSlot, beginLines, callSidecar, needsMore, sentToken, slotsDue, takeReply } from './grant-calls';
import { claimSlot, findSlot, NO_SLOT_FOR_IT, SLOTS } from './account-slots';
import { FIRST_SLOT, grant, readGrant, readGrantOnce, reserve, settleReserved } from './grant';
import { beginWait, CALL_GRANTS, Exchange, SIDE_REQUEST } from './exchanges';
import { nowMs } from './host';
import { readShared, writeShared } from './shared-data';
import { wordOf } from './words';

/** How long a request waits for money. */
const WAIT_MS_MAX: i64 = 200;
/** And how long for the first word on its budgets: the sidecar may have to ask the control plane first. */
const LEVELS_WAIT_MS_MAX: i64 = 2_500;
/** What is known of a budget is asked for anew when it is older. */
const LEVELS_MS_MAX: i64 = 5_000;
/** And when it is as old as that, it is not known any more: the sidecar does not answer. */
const UNKNOWN_MS: i64 = 60_000;
/** What the sidecar did not know for a request is asked for another no sooner. */
const UNKNOWN_AGAIN_MS: i64 = 1_000;
const LEVEL_BYTES: u32 = 24;
const RESERVE_BYTES: u32 = 16;
/** Of what an exchange has set aside: u32 place of the grant, u32 position of the budget, i64 amount, u64 number of the grant. */
const HELD_BYTES: u32 = 24;

/** The call that no request waits for. */
let quietRoot: u32 = 0;
let quietToken: u32 = 0;
let quietSentAt: i64 = 0;
let isQuietOut: bool = false;

/** When the sidecar last knew nothing although a request waited for it. */
let unknownAt: i64 = 0;

/**
 * Whether every budget's level is known, and new enough. That the sidecar knew nothing when nobody waited is no answer
 * to a request: it asks the control plane only for one. Where it cannot be had, not every request waits to hear so.
 */
export function knowsLevels(e: Exchange, now: i64): bool {
  const count = budgetCount();
  for (let i: u32 = 0; i < count; i += 1) {
    if (hasAccounts(i)) {
      if (!knowsAccount(e, i, now)) return false;
      continue;
    }
    if (!readGrantOnce(i, 0) || grant.askedAt == 0 || now - grant.askedAt > LEVELS_MS_MAX) return false;
    if (isOfEarlierWindow(i, grant.askedAt, now)) return false;
    if (grant.known == 0 && now - unknownAt > UNKNOWN_AGAIN_MS) return false;
    if (grant.granted > 0 && now >= grant.until) return false;
  }
  return true;
}

/** What is known of the caller's own account. Where it has no place, or no name, asking would not help. */
function knowsAccount(e: Exchange, position: u32, now: i64): bool {
  const owner = ownerOf(e, position);
  if (owner == 0 || claimSlot(position, owner, now) == NO_SLOT_FOR_IT) return true;
  const isKnown =
    grant.known != 0 && now - grant.askedAt <= LEVELS_MS_MAX && !isOfEarlierWindow(position, grant.askedAt, now);
  return isKnown && (grant.granted == 0 || now < grant.until);
}

/** Address of the hash that names the account of the caller; 0 where nobody knows it. */
function ownerOf(e: Exchange, position: u32): usize {
  const accounts = e.sessionOf().out().accountsRun();
  if ((position + 1) * ACCOUNT_BYTES > accounts.len) return 0;
  const owner = accounts.ptr + position * ACCOUNT_BYTES;
  return load<u64>(owner) == 0 && load<u64>(owner, 8) == 0 ? 0 : owner;
}

/** Reads what Envoy holds of a budget for the caller, and where; NO_SLOT_FOR_IT where it holds nothing. */
function readPlace(e: Exchange, position: u32): u32 {
  if (!hasAccounts(position)) return readGrantOnce(position, 0) ? position : NO_SLOT_FOR_IT;
  const owner = ownerOf(e, position);
  return owner == 0 ? NO_SLOT_FOR_IT : findSlot(owner);
}

/** The caller's accounts, each with what is needed of it, are told of in the call that follows. */
function addAccounts(e: Exchange, wanted: usize, now: i64): void {
  beginLines();
  const count = budgetCount();
  for (let i: u32 = 0; i < count; i += 1) {
    const owner = hasAccounts(i) ? ownerOf(e, i) : 0;
    const place = owner == 0 ? NO_SLOT_FOR_IT : claimSlot(i, owner, now);
    if (place != NO_SLOT_FOR_IT) addSlot(place, wanted == 0 ? 0 : load<i64>(wanted + (i << 3)));
  }
}

/** Asks the sidecar for what is left; whether the exchange waits for it. */
export function askLevels(e: Exchange, now: i64): bool {
  return waitFor(e, 0, true, now, LEVELS_WAIT_MS_MAX);
}

/** Tells the session what is left of each budget: its next action. */
export function tellLevels(e: Exchange, now: i64): i32 {
  const count = budgetCount();
  const levels = allocZeroed(count * LEVEL_BYTES);
  if (levels == 0) return session_levels(e.session, 0, 0);
  for (let i: u32 = 0; i < count; i += 1) {
    const level = levels + i * LEVEL_BYTES;
    store<u32>(level, LEVEL_UNKNOWN, 16);
    if (readPlace(e, i) == NO_SLOT_FOR_IT || now - grant.askedAt > UNKNOWN_MS) continue;
    if (grant.known == 0) {
      if (e.hasAskedLevels && !hasAccounts(i)) unknownAt = now;
      continue;
    }
    const left = grant.beyond + grant.free();
    const headroom = left < 0 ? 0 : left;
    store<i64>(level, headroom);
    store<i64>(level, grant.limit - headroom, 8);
    store<u32>(level, LEVEL_WHOLE, 16);
  }
  const action = session_levels(e.session, levels, count * LEVEL_BYTES);
  free(levels);
  return action;
}

/** Nothing is to be set aside, or all of it is. */
export function hasReserved(e: Exchange, o: Output): bool {
  return o.reservesLen == 0 || e.spend != 0;
}

/** Sets aside what the session says, all of it or nothing. */
export function reserveAll(e: Exchange, o: Output, now: i64): bool {
  const count = o.reservesLen / RESERVE_BYTES;
  const held = alloc(count * HELD_BYTES);
  if (held == 0) return false;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = <usize>o.reservesPtr + i * RESERVE_BYTES;
    const amount = load<i64>(r, 8);
    const position = load<u32>(r);
    const place = readPlace(e, position);
    const number =
      place == NO_SLOT_FOR_IT ? 0 : reserve(place, hasAccounts(position) ? ownerOf(e, position) : 0, amount, now);
    if (number == 0) {
      giveBack(held, i);
      free(held);
      return false;
    }
    const h = held + i * HELD_BYTES;
    store<u32>(h, place);
    store<u32>(h, position, 4);
    store<i64>(h, amount, 8);
    store<u64>(h, number, 16);
    if (place >= FIRST_SLOT) noteChanged(place);
    // The half is used up: more is asked for, and nobody waits.
    if (needsMore()) syncQuietly(e.rootId(), now, false);
  }
  e.spend = held;
  e.spendCount = count;
  return true;
}

/** Rounds of asking in which a request may find that others were faster. */
const ROUNDS_MAX: u32 = 4;

/** Whether the budgets hold enough for the request, though not Envoy's share of them. */
export function mayGetMore(e: Exchange, o: Output): bool {
  e.rounds += 1;
  if (e.rounds > ROUNDS_MAX) return false;
  // Before the first answer nothing is known.
  if (e.rounds == 1) return true;
  const count = o.reservesLen / RESERVE_BYTES;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = <usize>o.reservesPtr + i * RESERVE_BYTES;
    if (readPlace(e, load<u32>(r)) == NO_SLOT_FOR_IT || grant.known == 0) return false;
    if (load<i64>(r, 8) > grant.free() + grant.beyond) return false;
  }
  return true;
}

/** Asks the sidecar for what the request needs; whether the exchange waits for it. */
export function askForMore(e: Exchange, o: Output, now: i64): bool {
  const wanted = allocZeroed(budgetCount() * 8);
  if (wanted == 0) return false;
  const count = o.reservesLen / RESERVE_BYTES;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = <usize>o.reservesPtr + i * RESERVE_BYTES;
    store<i64>(wanted + (load<u32>(r) << 3), load<i64>(r, 8));
  }
  if (e.waitsSince == 0) e.waitsSince = now;
  const waits = waitFor(e, wanted, false, now, WAIT_MS_MAX - (now - e.waitsSince));
  free(wanted);
  return waits;
}

/** What the session says to a request for which there is too little. */
export function refuseForWant(e: Exchange, o: Output): i32 {
  let position: u32 = 0;
  let state: u32 = BUDGET_UNREADABLE;
  const count = o.reservesLen / RESERVE_BYTES;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = <usize>o.reservesPtr + i * RESERVE_BYTES;
    if (i == 0) position = load<u32>(r);
    if (readPlace(e, load<u32>(r)) == NO_SLOT_FOR_IT || grant.known == 0 || load<i64>(r, 8) <= grant.free()) continue;
    position = load<u32>(r);
    state = BUDGET_SHORT;
    break;
  }
  return session_refuse_spend(e.session, position, state);
}

/** The exchange is over: what is not known to have cost less has cost all that was set aside. */
export function settleSpend(e: Exchange, o: Output): void {
  if (e.spend == 0) return;
  for (let i: u32 = 0; i < e.spendCount; i += 1) {
    const h = e.spend + i * HELD_BYTES;
    const amount = load<i64>(h, 8);
    settleReserved(load<u32>(h), load<u64>(h, 16), amount, chargedOf(o, load<u32>(h, 4), amount));
    if (load<u32>(h) >= FIRST_SLOT) noteChanged(load<u32>(h));
  }
  free(e.spend);
  e.spend = 0;
}

function giveBack(held: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i += 1) {
    const h = held + i * HELD_BYTES;
    settleReserved(load<u32>(h), load<u64>(h, 16), load<i64>(h, 8), 0);
  }
}

function waitFor(e: Exchange, wanted: usize, starts: bool, now: i64, milliseconds: i64): bool {
  if (milliseconds <= 0) return false;
  addAccounts(e, wanted, now);
  if (!callSidecar(wanted, starts, now, <u32>milliseconds)) return false;
  e.sentAt = now;
  beginWait(e, sentToken, SIDE_REQUEST, CALL_GRANTS);
  return true;
}

// ------------------------------------------------------------------------------------------ calls nobody waits for

/** A call that reports happens no oftener than this. */
export const TICK_MS: u32 = 1_000;
/** Where nothing changes, so often: a sidecar that stops waits for it, to have back what was not spent. */
const QUIET_MS_MAX: i64 = 2_000;
const SYNC: string = 'writ sync 2';
const QUIET_TIMEOUT_MS: u32 = 5_000;
/** When a worker had the turn last, and which slot's it was. */
const TURN_BYTES: u32 = 16;
const turn: usize = memory.data(16, 8);

/** Slots that this worker has spent from, and that nobody may have told the sidecar of yet. */
const CHANGED_MAX: u32 = 256;
const changed: usize = memory.data(256 * 4, 8);
let changedCount: u32 = 0;

/** Where the list is full, the round through all slots finds it. */
function noteChanged(place: u32): void {
  for (let i: u32 = 0; i < changedCount; i += 1) if (load<u32>(changed + (i << 2)) == place) return;
  if (changedCount == CHANGED_MAX) return;
  store<u32>(changed + (changedCount << 2), place);
  changedCount += 1;
}

/** Of all slots, so many are looked at in a second: in about a minute each has had its turn. */
const SLOTS_PER_TICK: u32 = 256;

/**
 * Once a second: whichever worker comes first reports for all, and goes on with the round through the slots; each
 * reports of the accounts that it has spent from.
 */
export function onTick(root: u32): void {
  if (!hasBudgets()) return;
  const now = nowMs();
  if (now < 0) return;
  const hasTurn = takesTurn(now);
  beginLines();
  for (let i: u32 = 0; i < changedCount; i += 1) addIfDue(load<u32>(changed + (i << 2)), now);
  changedCount = 0;
  if (hasTurn && hasAnyAccounts())
    for (let i: u32 = 0; i < SLOTS_PER_TICK; i += 1) addIfDue(FIRST_SLOT + ((load<u32>(turn, 8) + i) % SLOTS), now);
  if (slotsDue() > 0 || (hasTurn && isDue(now))) syncQuietly(root, now, true);
}

function hasAnyAccounts(): bool {
  const count = budgetCount();
  for (let i: u32 = 0; i < count; i += 1) if (hasAccounts(i)) return true;
  return false;
}

function addIfDue(place: u32, now: i64): void {
  if (!readGrant(place, 0) || grant.owner == 0) return;
  if (grant.closing != 0 || needsMore() || (grant.granted > 0 && (grant.spent != grant.told || isOver(now))))
    addSlot(place, 0);
}

/** It must be closed, or renewed. */
function isOver(now: i64): bool {
  return now >= grant.until || now - grant.askedAt > QUIET_MS_MAX;
}

/** Whether a second has passed since a worker had the turn. */
function takesTurn(now: i64): bool {
  if (!isDue(now) && !hasAnyAccounts()) return false;
  if (!readShared(wordOf(SYNC), <u32>SYNC.length, turn, TURN_BYTES)) return false;
  if (now - load<i64>(turn) < <i64>TICK_MS - 100) return false;
  store<i64>(turn, now);
  store<u32>(turn, (load<u32>(turn, 8) + SLOTS_PER_TICK) % SLOTS, 8);
  return writeShared(wordOf(SYNC), <u32>SYNC.length, turn, TURN_BYTES);
}

export function hasBudgets(): bool {
  return section(T_BUDGETS) != 0 && budgetCount() > 0;
}

function isDue(now: i64): bool {
  const count = budgetCount();
  for (let i: u32 = 0; i < count; i += 1) {
    if (hasAccounts(i)) continue;
    if (!readGrant(i, 0)) return false;
    // Before its first request comes, a budget has its first share.
    if (grant.askedAt == 0) return true;
    if (grant.closing != 0 || needsMore()) return true;
    if (grant.granted > 0 && (grant.spent != grant.told || isOver(now))) return true;
  }
  return false;
}

/** `hasLines`: which slots the call tells of was said before; otherwise those that this worker has spent from. */
function syncQuietly(root: u32, now: i64, hasLines: bool): void {
  if (isQuietOut && now - quietSentAt < <i64>QUIET_TIMEOUT_MS) return;
  if (!hasLines) {
    beginLines();
    for (let i: u32 = 0; i < changedCount; i += 1) addSlot(load<u32>(changed + (i << 2)), 0);
  }
  if (!callSidecar(0, false, now, QUIET_TIMEOUT_MS)) return;
  isQuietOut = true;
  quietRoot = root;
  quietToken = sentToken;
  quietSentAt = now;
}

/** Whether a reply answers the call that no request waits for. */
export function takeQuietReply(root: u32, token: u32, bytes: u32): bool {
  if (!isQuietOut || root != quietRoot || token != quietToken) return false;
  isQuietOut = false;
  takeReply(bytes, quietSentAt);
  return true;
}

export function endQuietCall(root: u32, token: u32): void {
  if (isQuietOut && root == quietRoot && token == quietToken) isQuietOut = false;
}
