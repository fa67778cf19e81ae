// Which accounts and leases one call names: the control plane reads no more than so many lines of each. Pure.
import type { HeldLease } from './account-book.ts';
import type { Micros } from './lease-caller.ts';
import type { BudgetAmount } from './spending.ts';

/** Accounts and leases in one call: what the control plane reads (control-plane/budgets/lease-calls.ts). */
export const LINES_MAX = 256;
/** Accounts that one call asks for, unless one request needs more: half is left for what was spent. */
const NEEDS_MAX = 128;
/** A lease that ends sooner than this is renewed without waiting for the next heartbeat. */
export const RENEW_MS = 30_000;

/** Adds what a request needs to a call's needs; false, and nothing is added, where it has no room. */
export function nameWithin(needs: Map<string, Micros>, added: readonly BudgetAmount[]): boolean {
  const more = added.filter(({ budget }) => !needs.has(budget)).length;
  if (needs.size > 0 && needs.size + more > NEEDS_MAX) return false;
  for (const { budget, amount } of added) needs.set(budget, (needs.get(budget) ?? 0) + amount);
  return true;
}

/** The leases that one call renews, those that end soonest first; `isMoreDue`: another call must follow at once. */
export function renewals(
  leases: Iterable<HeldLease>,
  now: number,
): { readonly first: ReadonlySet<number>; readonly isMoreDue: boolean } {
  const open = [...leases].filter((lease) => !lease.closing);
  if (open.length > LINES_MAX) open.sort((a, b) => a.endsAt - b.endsAt);
  const next = open[LINES_MAX];
  return {
    first: new Set(open.slice(0, LINES_MAX).map(({ id }) => id)),
    isMoreDue: next !== undefined && next.endsAt - now < RENEW_MS,
  };
}
