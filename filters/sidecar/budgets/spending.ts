// What a door asks of the accounts, and what it is answered. Budgets are named by their accounts (proto/account-name.ts).
import type { AccountBook } from './account-book.ts';
import type { BudgetJournal } from './budget-journal.ts';
import type { LeaseCaller, Micros } from './lease-caller.ts';

/** What decisions read: the facts `budget.<name>.headroom` and `budget.<name>.spent`. */
export type BudgetLevel =
  | { readonly failed: true }
  | {
      readonly failed: false;
      readonly headroom: Micros;
      readonly spent: Micros;
      /** Until the window ends; rather too short, by what the control plane's answer took, than too long. */
      readonly windowLeftMs: number;
      /** Others may have left more, but the control plane cannot be asked now. */
      readonly isPart: boolean;
    };

export interface BudgetAmount {
  readonly budget: string;
  readonly amount: Micros;
}

export type ReserveResult =
  | { readonly kind: 'reserved' }
  /** `isPart`: there may be more than `left`, but the control plane cannot be asked now. */
  | { readonly kind: 'short'; readonly budget: string; readonly left: Micros; readonly isPart: boolean }
  /** The accounts cannot be used (no lease service, journal unwritable, unknown budget): deny. */
  | { readonly kind: 'failed'; readonly budget: string };

export interface BudgetAccountsOptions {
  readonly book: AccountBook;
  readonly journal: BudgetJournal;
  readonly caller: LeaseCaller;
  /** Milliseconds of a clock that never steps. */
  readonly now: () => number;
  /** Runs an action after so many milliseconds; the result cancels it. */
  readonly later: (action: () => void, ms: number) => () => void;
  /** A new incarnation: 128 random bits in hex. */
  readonly newIncarnation: () => string;
  /** One line for an operator, without any traffic in it. */
  readonly alarm: (message: string) => void;
}

export interface BudgetCounters {
  /** Exchanges that amounts were set aside for. */
  readonly reservations: number;
  /** Settlements above their reservation, charged in full: a bound in the compiler or the kernel is wrong. */
  readonly overruns: number;
  readonly journalErrors: number;
  /** Lease calls that got no answer. */
  readonly failedCalls: number;
  /** Times that all leases were given up, because the control plane did not know them. */
  readonly forfeits: number;
  /** Requests refused for want of money. */
  readonly short: number;
  /** Times that an account was wanted and there was no room for it. */
  readonly crowded: number;
  /** Leases that ended before this sidecar had accounted for them: what they held is charged in full. */
  readonly expired: number;
}
