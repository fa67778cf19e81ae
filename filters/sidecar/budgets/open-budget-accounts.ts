// Opens the sidecar's accounts: finds the leases of an earlier process in the journal, or starts a new life. A boundary file: it reads the clock, the boot id and the disk.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hrtime } from "node:process";
import { AccountBook } from "./account-book.ts";
import { BudgetAccounts } from "./budget-accounts.ts";
import { openBudgetJournal, readBudgetJournal } from "./budget-journal.ts";
import type { LeaseCaller } from "./lease-caller.ts";

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
  const book = resumeBook(options.folder, options.policy, bootId, options.alarm);
  return new BudgetAccounts({
    book,
    journal: openBudgetJournal(options.folder, book.snapshot()),
    caller: options.caller,
    now: () => Number(hrtime.bigint() / 1_000_000n),
    later: (action, ms) => {
      const timer = setTimeout(action, ms);
      return () => clearTimeout(timer);
    },
    newIncarnation,
    alarm: options.alarm,
  });
}

/**
 * The book as the last process left it, with every reservation that was in flight charged in full. It starts anew, leaving old leases to be charged in full by the control plane, when the journal is
 * damaged, is of another policy set, or is of an earlier boot: then its last lines may be missing, and its clock is another one.
 */
export function resumeBook(folder: string, policy: string, bootId: string, alarm: (message: string) => void): AccountBook {
  const { records, damaged } = readBudgetJournal(folder);
  const book = new AccountBook();
  for (const record of records) book.apply(record);
  if (!damaged && records.length > 0 && book.bootId === bootId && bootId !== "" && book.policy === policy) {
    for (const exchange of [...book.exchanges.keys()]) book.apply({ kind: "settle", exchange, parts: [] });
    return book;
  }
  if (damaged) alarm("the budget journal is damaged: what its leases still held counts as spent");
  const fresh = new AccountBook();
  fresh.apply({ kind: "open", policy, incarnation: newIncarnation(), bootId });
  return fresh;
}

function newIncarnation(): string {
  return randomBytes(16).toString("hex");
}

/** Linux's id of this boot; empty elsewhere, where no lease is resumed. */
function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    // No such file on other systems: an empty id never equals one in a journal.
    return "";
  }
}
