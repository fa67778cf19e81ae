// Take, Settle and Return: one transaction each, the answer stored with it, so that a call that is repeated because its
// answer was lost is answered and not done again. It knows no gRPC and no clock.
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { LeaseReplySchema, LeaseStateSchema, LeaseState_Status } from '../../proto/gen/writ/v1/leases_pb.ts';
import type {
  Caller,
  LeaseReply,
  LeaseState,
  Need,
  ReturnRequest,
  SettleRequest,
  Spent,
  TakeRequest,
} from '../../proto/gen/writ/v1/leases_pb.ts';
import type { NoticeSubject } from '../notices/notice.ts';
import { type BudgetTerms, termsOfAccount, windowOf } from './budget-terms.ts';
import { startOfWindow } from './budget-window.ts';
import { LEASE_TTL_MS, expire, giveBack, grant, grantSize, settle, unleased } from './ledger.ts';
import type { Account, Entry, Lease } from './ledger.ts';
import type { HolderName, LeaseRow, LedgerStore, LedgerTransaction, WindowName } from './ledger-store.ts';

export interface LeaseCallContext {
  readonly store: LedgerStore;
  /** The budgets of a policy set in force; undefined: no such set. */
  readonly termsOf: (policy: string) => ReadonlyMap<string, BudgetTerms> | undefined;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** Something was spent beyond its lease: a bound is wrong somewhere. */
  readonly onOverrun: (window: WindowName, micros: number) => void;
  readonly onExpired: (window: WindowName, micros: number) => void;
}

export type LeaseRequest =
  | { readonly kind: 'take'; readonly request: TakeRequest }
  | { readonly kind: 'settle'; readonly request: SettleRequest }
  | { readonly kind: 'return'; readonly request: ReturnRequest };

export class LeaseRefusal extends Error {
  /** `stale_seq`: an older call than the last one. `malformed`: it breaks a rule of the message. */
  readonly code: 'stale_seq' | 'malformed';

  constructor(code: 'stale_seq' | 'malformed', message: string) {
    super(message);
    this.name = 'LeaseRefusal';
    this.code = code;
  }
}

/** Budgets or leases in one call. */
export const LINES_MAX = 256;

/** Does a call of a node, durably, or answers a repeated one. Throws LeaseRefusal. */
export async function leaseCall(context: LeaseCallContext, node: string, call: LeaseRequest): Promise<LeaseReply> {
  const { holder, seq } = holderOf(node, call.request.caller);
  const lines = call.request.spent.length + (call.kind === 'take' ? call.request.needs.length : 0);
  if (lines > LINES_MAX) throw new LeaseRefusal('malformed', `a call names at most ${LINES_MAX} leases and budgets`);
  return await context.store.transaction(async (tx) => {
    const last = await tx.lastCall(holder);
    if (last !== undefined && seq === last.seq) return fromBinary(LeaseReplySchema, last.reply);
    if (last !== undefined && seq < last.seq)
      throw new LeaseRefusal('stale_seq', `call ${seq} comes after call ${last.seq}`);
    const booking: Booking = { context, tx, holder, now: context.now() };
    const leases: LeaseState[] = [];
    // In one order everywhere, so that two transactions never wait for each other in a circle.
    for (const spent of sorted(call.request.spent, (line) => line.lease))
      leases.push(await book(booking, spent, call.kind === 'return'));
    if (call.kind === 'take')
      for (const need of sorted(call.request.needs, (line) => line.budget)) leases.push(await take(booking, need));
    const reply = create(LeaseReplySchema, { leases });
    await tx.saveCall(holder, seq, toBinary(LeaseReplySchema, reply));
    return reply;
  });
}

/** What a call works with. */
interface Booking {
  readonly context: LeaseCallContext;
  readonly tx: LedgerTransaction;
  readonly holder: HolderName;
  readonly now: number;
}

async function book({ context, tx, holder, now }: Booking, spent: Spent, isReturn: boolean): Promise<LeaseState> {
  const row = await tx.lease(exact(spent.lease));
  if (row === undefined || !isSameHolder(row.holder, holder))
    return create(LeaseStateSchema, { lease: spent.lease, status: LeaseState_Status.UNKNOWN_LEASE });
  const total = exact(spent.totalMicros);
  let entry: Entry = { account: await tx.account(row.window), lease: row };
  // Its time may be over although no sweep has seen it yet: then it is charged in full before anything else is booked.
  if (row.expiresAt <= now) entry = expired(context, entry, row.window);
  const chargedBefore = Math.max(entry.lease.charged, entry.lease.granted);
  entry = isReturn ? giveBack(entry, total) : settle(entry, total, now);
  if (entry.lease.charged > chargedBefore) context.onOverrun(row.window, entry.lease.charged - chargedBefore);
  await save({ context, tx, now }, row, entry);
  return stateOf(row, entry, limitOf(context, row.window), now);
}

async function take({ context, tx, holder, now }: Booking, need: Need): Promise<LeaseState> {
  const terms = termsOfAccount(context.termsOf(holder.policy), need.budget);
  if (terms === undefined)
    return create(LeaseStateSchema, {
      budget: need.budget,
      status: LeaseState_Status.UNKNOWN_BUDGET,
      ttlMs: BigInt(LEASE_TTL_MS),
      windowLeftMs: BigInt(LEASE_TTL_MS),
    });
  const { key, end } = windowOf(terms, now);
  const window: WindowName = { policy: holder.policy, budget: need.budget, window: key };
  let account = await tx.account(window);
  for (const due of await tx.dueLeases(window, now)) {
    const entry = expired(context, { account, lease: due }, window);
    await save({ context, tx, now }, due, entry);
    account = entry.account;
  }
  const held = await tx.activeLease(holder, window);
  const micros = grantSize(
    account,
    terms.limit,
    exact(need.micros),
    (await tx.holders(window)) + (held === undefined ? 1 : 0),
  );
  if (held === undefined && micros === 0)
    return stateOf({ window, windowEnd: end }, { account, lease: noLease }, terms.limit, now);
  const row =
    held ??
    (await tx.createLease({ holder, window, windowEnd: end, granted: 0, charged: 0, state: 'active', expiresAt: now }));
  const entry = grant({ account, lease: row }, micros, now);
  await save({ context, tx, now }, row, entry);
  return stateOf(row, entry, terms.limit, now);
}

/**
 * Charges every lease whose time is over, whoever asks or does not. At most `limit` windows' worth at a time is the
 * store's concern.
 */
export async function expireLeases(context: LeaseCallContext, windows: readonly WindowName[]): Promise<void> {
  for (const window of windows) {
    await context.store.transaction(async (tx) => {
      let account: Account = await tx.account(window);
      const now = context.now();
      for (const due of await tx.dueLeases(window, now)) {
        const entry = expired(context, { account, lease: due }, window);
        await save({ context, tx, now }, due, entry);
        account = entry.account;
      }
    });
  }
}

const noLease: Lease = { id: 0, granted: 0, charged: 0, state: 'active', expiresAt: 0 };

function expired(context: LeaseCallContext, entry: Entry, window: WindowName): Entry {
  const after = expire(entry);
  if (entry.lease.state === 'active') context.onExpired(window, after.lease.charged - entry.lease.charged);
  return after;
}

async function save(
  { context, tx, now }: Pick<Booking, 'context' | 'tx' | 'now'>,
  row: LeaseRow,
  entry: Entry,
): Promise<void> {
  await tx.saveLease(entry.lease);
  await tx.saveAccount(row.window, entry.account);
  for (const notice of noticesOf(context, row, entry.account)) await tx.tell(notice, now);
}

/**
 * Of a budget's thresholds those that are reached. What sidecars hold and have not spent is not counted. Of a budget
 * `for each` the first account that reaches one is told of, and none by its owner.
 */
function noticesOf(context: LeaseCallContext, { window, windowEnd }: LeaseRow, { charged }: Account): NoticeSubject[] {
  const terms = termsOfAccount(context.termsOf(window.policy), window.budget);
  if (terms?.notify === undefined) return [];
  return terms.notify
    .filter(({ percent }) => BigInt(charged) * 100n >= BigInt(terms.limit) * BigInt(percent))
    .map(({ recipient, webhook, percent }) => ({
      policy: window.policy,
      recipient,
      webhook,
      kind: 'budget',
      name: terms.name,
      percent,
      from: startOfWindow(window.window),
      to: windowEnd,
    }));
}

function limitOf(context: LeaseCallContext, window: WindowName): number {
  return termsOfAccount(context.termsOf(window.policy), window.budget)?.limit ?? 0;
}

const statuses: { readonly [K in Lease['state']]: LeaseState_Status } = {
  active: LeaseState_Status.ACTIVE,
  expired: LeaseState_Status.EXPIRED,
  returned: LeaseState_Status.RETURNED,
};

function stateOf(
  row: Pick<LeaseRow, 'window' | 'windowEnd'>,
  { account, lease }: Entry,
  limit: number,
  now: number,
): LeaseState {
  return create(LeaseStateSchema, {
    budget: row.window.budget,
    status: statuses[lease.state],
    lease: BigInt(lease.id),
    grantedTotalMicros: BigInt(lease.granted),
    ttlMs: BigInt(LEASE_TTL_MS),
    windowLeftMs: BigInt(Math.max(0, row.windowEnd - now)),
    window: row.window.window,
    limitMicros: BigInt(limit),
    unleasedMicros: BigInt(unleased(account, limit)),
  });
}

function holderOf(node: string, caller: Caller | undefined): { readonly holder: HolderName; readonly seq: number } {
  const seq = caller === undefined ? 0 : exact(caller.seq);
  if (caller === undefined || seq < 1 || !/^[0-9a-f]{32}$/.test(caller.incarnation) || caller.policy === '')
    throw new LeaseRefusal('malformed', 'a call must name policy, incarnation and seq');
  return { holder: { policy: caller.policy, node, incarnation: caller.incarnation }, seq };
}

function isSameHolder(a: HolderName, b: HolderName): boolean {
  return a.policy === b.policy && a.node === b.node && a.incarnation === b.incarnation;
}

function sorted<T, K extends string | bigint>(items: readonly T[], key: (item: T) => K): T[] {
  return [...items].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function exact(value: bigint): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new LeaseRefusal('malformed', 'a number is out of range');
  return Number(value);
}
