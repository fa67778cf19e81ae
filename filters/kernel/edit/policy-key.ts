/**
 * The key of this policy's pseudonyms, as the host gave it: it is no part of the module, and leaves it nowhere. Until it
 * is there, pseudonyms are whole masks, and each is counted.
 */
import { REDACT_PSEUDONYM, T_RECEIPTS } from '../abi';
import { MODE_KIND } from '../decision/layout';
import { redactionCount, redactionRecord, section } from '../decision/tables';
import { readyHmac } from '../http/hmac';

export const KEY_BYTES: u32 = 32;
const key: usize = memory.data(32, 8);
/** HMAC_STATE_BYTES. */
const states: usize = memory.data(64, 8);
let isThere: bool = false;

/** Pseudonyms that were masks for want of a key, since the module was loaded. */
export let maskedForWant: u32 = 0;

export function hasKey(): bool {
  return isThere;
}

/** Address of its KEY_BYTES. */
export function keyBytes(): usize {
  return key;
}

/** The key, ready for `beginHmac`. */
export function keyStates(): usize {
  return states;
}

/** Takes the key in place of the one before; false where these are not the bytes of one. */
export function takeKey(p: usize, length: u32): bool {
  if (length != KEY_BYTES) return false;
  memory.copy(key, p, KEY_BYTES);
  readyHmac(key, KEY_BYTES, states);
  isThere = true;
  return true;
}

export function countMasked(): void {
  maskedForWant += 1;
}

/** Whether the policy gives receipts, or some rule redacts by pseudonyms. */
export function wantsKey(): bool {
  if (section(T_RECEIPTS) != 0) return true;
  const count = redactionCount();
  for (let mode: u32 = 1; mode <= count; mode += 1)
    if (load<u32>(redactionRecord(mode), MODE_KIND) == REDACT_PSEUDONYM) return true;
  return false;
}
