// The arithmetic of leases. A window's account holds two sums: what is charged, and what is outstanding (granted to
// somebody, neither charged nor returned). While charged + outstanding stays within the limit, and nobody spends what
// they were not granted, the cap cannot be overshot, whoever crashes. Exact: safe integers of micro-units. Pure: values
// in, values out.

/** Micro-units of the policy's currency. */
export type Micros = number;

export interface Account {
  readonly charged: Micros;
  readonly outstanding: Micros;
}

export interface Lease {
  readonly id: number;
  readonly granted: Micros;
  /** Reported as spent; after expiry at least all that was granted. */
  readonly charged: Micros;
  readonly state: 'active' | 'expired' | 'returned';
  /** Milliseconds since 1970 UTC. */
  readonly expiresAt: number;
}

/** An account and one of its leases after a change. */
export interface Entry {
  readonly account: Account;
  readonly lease: Lease;
}

/** How long a lease lives beyond its last call, as the sidecar is told. */
export const LEASE_TTL_MS = 60_000;
/**
 * How much later the control plane ends it, so that a Return that is on its way still counts. Correctness does not rest
 * on it: what expires is charged in full.
 */
export const LEASE_GRACE_MS = 10_000;
/** The smallest grant in advance, as a part of the limit: less only when less is left. */
const GRANTS_PER_LIMIT = 64;

/** What nobody has spent or holds. */
export function unleased(account: Account, limit: Micros): Micros {
  return Math.max(0, limit - account.charged - account.outstanding);
}

/**
 * How much to grant: what is needed, or half of an equal share of what is left, whichever is more, and never more than
 * is left.
 */
export function grantSize(account: Account, limit: Micros, need: Micros, holders: number): Micros {
  const left = unleased(account, limit);
  const share = Math.floor(left / (2 * Math.max(1, holders)));
  return Math.min(left, Math.max(need, share, Math.ceil(limit / GRANTS_PER_LIMIT)));
}

/** Adds a grant to an active lease. */
export function grant({ account, lease }: Entry, micros: Micros, now: number): Entry {
  return replace(account, lease, extended({ ...lease, granted: exact(lease.granted + micros) }, now));
}

/**
 * Books the total that a lease has spent, and extends an active one. A smaller total than is charged already is an old
 * message.
 */
export function settle({ account, lease }: Entry, total: Micros, now: number): Entry {
  const charged = Math.max(lease.charged, exact(total));
  return replace(account, lease, extended({ ...lease, charged }, now));
}

/** The holder spends no more of it: what it did not spend is free again. */
export function giveBack({ account, lease }: Entry, total: Micros): Entry {
  const charged = Math.max(lease.charged, exact(total));
  return replace(account, lease, { ...lease, charged, state: lease.state === 'active' ? 'returned' : lease.state });
}

/** Nobody accounted for the rest in time, so the rest counts as spent. */
export function expire({ account, lease }: Entry): Entry {
  if (lease.state !== 'active') return { account, lease };
  return replace(account, lease, { ...lease, charged: Math.max(lease.charged, lease.granted), state: 'expired' });
}

function extended(lease: Lease, now: number): Lease {
  return lease.state === 'active'
    ? { ...lease, expiresAt: Math.max(lease.expiresAt, now + LEASE_TTL_MS + LEASE_GRACE_MS) }
    : lease;
}

/**
 * Every change of a lease moves the account's sums by the difference: the sums are those of the leases at all times.
 */
function replace(account: Account, before: Lease, after: Lease): Entry {
  return {
    account: {
      charged: exact(account.charged + after.charged - before.charged),
      outstanding: exact(account.outstanding + outstandingOf(after) - outstandingOf(before)),
    },
    lease: after,
  };
}

export function outstandingOf(lease: Lease): Micros {
  return lease.state === 'active' ? Math.max(0, lease.granted - lease.charged) : 0;
}

function exact(micros: Micros): Micros {
  if (!Number.isSafeInteger(micros) || micros < 0) throw new RangeError('an amount left the range of exact integers');
  return micros;
}
