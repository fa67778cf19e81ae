// Opens the sidecar's accounts: finds the leases of an earlier process in the journal, or starts a new life. A boundary
// file: it reads the clock, the boot id and the disk.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hrtime } from 'node:process';
import { BudgetAccounts } from './budget-accounts.ts';
import { EnvoyGrants } from './envoy-grants.ts';
import type { EnvoyGrantsOptions } from './envoy-grants.ts';
import { openBudgetJournal, readBudgetJournal } from './budget-journal.ts';
import type { LeaseCaller } from './lease-caller.ts';
import { resumeBook } from './resume-book.ts';

export interface OpenBudgetAccountsOptions {
  /** The folder of the journal; made if it is not there. One process at a time. */
  readonly folder: string;
  /** The policy set's name. */
  readonly policy: string;
  readonly caller: LeaseCaller;
  readonly alarm: (message: string) => void;
}

/** Throws JournalError when the folder cannot be used. */
export function openBudgetAccounts(options: OpenBudgetAccountsOptions): BudgetAccounts {
  const bootId = readBootId();
  const content = readBudgetJournal(options.folder);
  if (content.damaged) options.alarm('the budget journal is damaged: what its leases still held counts as spent');
  const book = resumeBook(content, { policy: options.policy, bootId, incarnation: newIncarnation() });
  return new BudgetAccounts({
    book,
    journal: openBudgetJournal(options.folder, book.snapshot()),
    caller: options.caller,
    now,
    later,
    newIncarnation,
    alarm: options.alarm,
  });
}

/** Grants for Envoy from the leases of accounts that are open, on their clock. */
export function openEnvoyGrants(options: Omit<EnvoyGrantsOptions, 'now' | 'later'>): EnvoyGrants {
  return new EnvoyGrants({ ...options, now, later });
}

function now(): number {
  return Number(hrtime.bigint() / 1_000_000n);
}

function later(action: () => void, ms: number): () => void {
  const timer = setTimeout(action, ms);
  return () => clearTimeout(timer);
}

function newIncarnation(): string {
  return randomBytes(16).toString('hex');
}

/** Linux's id of this boot; empty elsewhere, where no lease is resumed. */
function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // No such file on other systems: an empty id never equals one in a journal.
    return '';
  }
}
