/**
 * Slots for the accounts of single callers. Envoy never forgets a record of its shared data, so there are so many records
 * and no more: an account has one for as long as it holds something, and where all that it may have are another's, the
 * caller is denied. Which ones it may have follows from its hash.
 */
import { budgetCount, budgetRecord } from '../decision/api';
import { BUDGET_NAME } from '../decision/layout';
import { sha256 } from '../http/sha256';
import { alloc } from '../memory';
import { hasAccounts } from '../session/accounts';
import { FIRST_SLOT, Grant, grant, readGrant, writeGrant } from './grant';
import { TRIES_MAX } from './shared-data';

/** Of one account's hash: so many slots may be its own. */
const WAYS: u32 = 16;
const SETS: u32 = 1_024;
/** Four times as many as a sidecar has accounts, so that it is the sidecar which has no room first. */
export const SLOTS: u32 = 16_384;
export const NO_SLOT_FOR_IT: u32 = 0xffffffff;

/** Where this worker found an account last: u64 the beginning of its hash, u32 its place, u32 zero. */
const FOUND: u32 = 1_024;
const found: usize = memory.data(1_024 * 16, 8);

/** The place of an account that has one, its grant read into `grant`; NO_SLOT_FOR_IT where it has none. */
export function findSlot(hash: usize): u32 {
  const f = foundOf(hash);
  if (load<u64>(f) == load<u64>(hash) && readGrant(load<u32>(f, 8), hash)) return load<u32>(f, 8);
  const first = firstOf(hash);
  for (let way: u32 = 0; way < WAYS; way += 1) {
    if (!readGrant(first + way, hash)) continue;
    remember(f, hash, first + way);
    return first + way;
  }
  return NO_SLOT_FOR_IT;
}

/** The place of a budget's account, a vacant one made its own where it has none yet. */
export function claimSlot(position: u32, hash: usize, now: i64): u32 {
  const place = findSlot(hash);
  if (place != NO_SLOT_FOR_IT) return place;
  const first = firstOf(hash);
  let way: u32 = 0;
  for (let tries: u32 = 0; tries < TRIES_MAX && way < WAYS; tries += 1) {
    readGrant(first + way, 0);
    // Another worker may have made it this account's meanwhile.
    if (grant.isOf(hash)) return first + way;
    if (!grant.isVacant()) {
      way += 1;
      continue;
    }
    // Higher than every number that this account or this slot has had: none is used twice.
    const number = <u64>now > grant.number ? <u64>now : grant.number + 1;
    memory.fill(changetype<usize>(grant), 0, offsetof<Grant>());
    grant.number = number;
    grant.owner = load<u64>(hash);
    grant.ownerMore = load<u64>(hash, 8);
    grant.budget = tagOf(position);
    grant.usedAt = now;
    if (!writeGrant(first + way)) continue;
    remember(foundOf(hash), hash, first + way);
    return first + way;
  }
  return NO_SLOT_FOR_IT;
}

/** Position of the budget whose account the slot is that was read last; -1 where the policy has none. */
export function budgetOfSlot(): i32 {
  const count = budgetCount();
  for (let i: u32 = 0; i < count; i += 1) if (hasAccounts(i) && tagOf(i) == grant.budget) return i;
  return -1;
}

function firstOf(hash: usize): u32 {
  return FIRST_SLOT + (load<u32>(hash) % SETS) * WAYS;
}

function foundOf(hash: usize): usize {
  return found + ((load<u32>(hash, 4) % FOUND) << 4);
}

function remember(f: usize, hash: usize, place: u32): void {
  store<u64>(f, load<u64>(hash));
  store<u32>(f, place, 8);
}

/** The beginning of each budget's hashed name: positions change with the policy, names do not. */
let tags: usize = 0;
const digest: usize = memory.data(32, 8);

function tagOf(position: u32): u64 {
  if (tags == 0) {
    const count = budgetCount();
    tags = alloc(count << 3);
    if (tags == 0) return 0;
    for (let i: u32 = 0; i < count; i += 1) {
      const name = budgetRecord(i) + BUDGET_NAME;
      const done = sha256(<usize>load<u32>(name), load<u32>(name, 4), digest);
      store<u64>(tags + (i << 3), done ? load<u64>(digest) : 0);
    }
  }
  return load<u64>(tags + (position << 3));
}
