/**
 * Accounts of budgets that have one for each value of an attribute of the caller. Hosts know an account by a hash: no
 * value leaves the session for a ledger, a log or a metric. The hash is of the policy's and the budget's name before the
 * value, so that nobody sees that two accounts of two budgets are one caller's. It has no key: every sidecar, and the
 * next one after years, must name the same account by itself.
 */
import { FACT_KNOWN, SLOT_AUX, SLOT_BYTES, SLOT_STATE, SLOT_VALUE } from '../abi';
import { Bytes } from '../bytes';
import { budgetCount, budgetRecord } from '../decision/api';
import { BUDGET_EACH, BUDGET_SALT, FACT_TYPE, KIND_ENUM, KIND_TEXT, TYPE_ENUM, TYPE_KIND } from '../decision/layout';
import { enumMembers, factRecord } from '../decision/tables';
import { sha256 } from '../http/sha256';
import { Session } from './session-state';

/** Of an account's hash, which is cut from a SHA-256. */
export const ACCOUNT_BYTES: u32 = 16;

const hash: usize = memory.data(32, 8);
let hashed: usize = 0;

/** The budget has an account for each value of an attribute. */
export function hasAccounts(position: u32): bool {
  return load<u32>(budgetRecord(position), BUDGET_EACH) != 0;
}

/** Tells the host the account of each budget: zeros where it has but one, or where the value is not known. */
export function putAccounts(s: Session): void {
  const accounts = s.out().accountsRun();
  accounts.clear();
  const count = budgetCount();
  let some = false;
  for (let i: u32 = 0; i < count && !some; i += 1) some = hasAccounts(i);
  if (!some || !accounts.reserve(count * ACCOUNT_BYTES)) return;
  for (let i: u32 = 0; i < count; i += 1) {
    if (hasAccounts(i) && hashValue(s, i)) accounts.append(hash, ACCOUNT_BYTES);
    else {
      memory.fill(hash, 0, ACCOUNT_BYTES);
      accounts.append(hash, ACCOUNT_BYTES);
    }
  }
}

function hashValue(s: Session, position: u32): bool {
  const record = budgetRecord(position);
  const fact = load<u32>(record, BUDGET_EACH) - 1;
  const slot = s.facts + fact * SLOT_BYTES;
  if (load<u8>(slot, SLOT_STATE) != FACT_KNOWN) return false;
  if (hashed == 0) hashed = changetype<usize>(Bytes.create());
  if (hashed == 0) return false;
  const text = changetype<Bytes>(hashed);
  text.clear();
  text.append(<usize>load<u32>(record, BUDGET_SALT), load<u32>(record, BUDGET_SALT + 4));
  const type = factRecord(fact) + FACT_TYPE;
  const kind = load<u8>(type, TYPE_KIND);
  if (kind == KIND_TEXT) text.append(<usize>load<u32>(slot, SLOT_VALUE), load<u32>(slot, SLOT_AUX));
  else if (kind == KIND_ENUM) {
    const member = <usize>load<u32>(enumMembers(load<u16>(type, TYPE_ENUM))) + (load<u32>(slot, SLOT_VALUE) << 3);
    text.append(<usize>load<u32>(member), load<u32>(member, 4));
  } else return false;
  const done = !text.failed && sha256(text.ptr, text.len, hash);
  memory.fill(text.ptr, 0, text.len);
  return done;
}
