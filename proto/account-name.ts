/**
 * Names of accounts. A budget has one account, of its own name, or one for each value of an attribute: then the name
 * holds a hash of the value, and nowhere beside Envoy and the sidecar is the value itself known. Budgets' names are
 * identifiers, so `#` ends one.
 */

/** Bytes of the hash that stand in a name: 128 bits of a SHA-256. */
export const ACCOUNT_HASH_BYTES = 16;
const NAME = /^([A-Za-z_][A-Za-z0-9_]*)#[0-9a-f]{32}$/;

/** `hash` is in lower-case hex. */
export function accountOf(budget: string, hash: string): string {
  return `${budget}#${hash}`;
}

/** The budget of an account: what logs and metrics may say. */
export function budgetOf(account: string): string {
  const at = account.indexOf('#');
  return at < 0 ? account : account.slice(0, at);
}

/** It is one of many accounts of its budget. */
export function isOneOfMany(account: string): boolean {
  return NAME.test(account);
}
