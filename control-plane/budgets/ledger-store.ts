// What the lease calls need of a store: one transaction at a time for each window, durable when it resolves.
// `store/sql-ledger.ts` is the one on SQL; tests have one in memory.
import type { NoticeSubject } from '../notices/notice.ts';
import type { Account, Lease } from './ledger.ts';

/** One account of one policy set in one window. */
export interface WindowName {
  readonly policy: string;
  /** The account's name (proto/account-name.ts). */
  readonly budget: string;
  readonly window: string;
}

/** One life of one sidecar's accounts. */
export interface HolderName {
  readonly policy: string;
  readonly node: string;
  readonly incarnation: string;
}

/** A lease with whose it is and what of. */
export interface LeaseRow extends Lease {
  readonly holder: HolderName;
  readonly window: WindowName;
  /** When its window ends: milliseconds since 1970 UTC. */
  readonly windowEnd: number;
}

export interface LedgerTransaction {
  /** The last call of a holder with its answer; locks the holder. */
  lastCall(holder: HolderName): Promise<{ readonly seq: number; readonly reply: Uint8Array } | undefined>;
  saveCall(holder: HolderName, seq: number, reply: Uint8Array): Promise<void>;
  /** Zero where nothing was ever booked; locks the window. */
  account(window: WindowName): Promise<Account>;
  saveAccount(window: WindowName, account: Account): Promise<void>;
  lease(id: number): Promise<LeaseRow | undefined>;
  activeLease(holder: HolderName, window: WindowName): Promise<LeaseRow | undefined>;
  /** Active ones whose time is over. */
  dueLeases(window: WindowName, now: number): Promise<readonly LeaseRow[]>;
  /** How many active leases a window has. */
  holders(window: WindowName): Promise<number>;
  /** A new, empty, active lease. */
  createLease(row: Omit<LeaseRow, 'id'>): Promise<LeaseRow>;
  saveLease(lease: Lease): Promise<void>;
  /** Enters what is to be told, with the money that it is about: once, however often it is entered. */
  tell(notice: NoticeSubject, at: number): Promise<void>;
}

export interface LedgerStore {
  /** Everything that `work` writes, or nothing. */
  transaction<T>(work: (tx: LedgerTransaction) => Promise<T>): Promise<T>;
}
