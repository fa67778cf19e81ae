// The account book with its journal: nothing is booked that is not on disk. While the disk refuses, nothing new is
// booked at all; what must not be lost (a settlement) is booked in memory, and is on disk again once the journal can be
// written anew.
import type { AccountBook, BookRecord } from './account-book.ts';
import { JournalError } from './budget-journal.ts';
import type { BudgetJournal } from './budget-journal.ts';

export class JournaledBook {
  readonly book: AccountBook;
  /** Times that the disk refused. */
  errors = 0;
  readonly #journal: BudgetJournal;
  readonly #alarm: (message: string) => void;
  #isBroken = false;
  #isClosed = false;

  constructor(book: AccountBook, journal: BudgetJournal, alarm: (message: string) => void) {
    this.book = book;
    this.#journal = journal;
    this.#alarm = alarm;
  }

  /** The journal cannot be written. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Writes and books; false: neither. */
  record(record: BookRecord): boolean {
    if (this.#isClosed || (this.#isBroken && !this.mend())) return false;
    try {
      this.#journal.append(record);
    } catch (error) {
      this.#broke(error);
      return false;
    }
    this.book.apply(record);
    if (this.#journal.isLong()) this.mend();
    return true;
  }

  /** Books, and writes if that is possible. */
  recordAnyway(record: BookRecord): void {
    if (!this.record(record)) this.book.apply(record);
  }

  /** Writes the journal anew from the book; false: the disk still refuses. */
  mend(): boolean {
    try {
      this.#journal.rewrite(this.book.snapshot());
    } catch (error) {
      this.#broke(error);
      return false;
    }
    this.#isBroken = false;
    return true;
  }

  close(): void {
    this.#isClosed = true;
    this.#journal.close();
  }

  #broke(error: unknown): void {
    if (!(error instanceof JournalError)) throw error;
    this.errors++;
    if (!this.#isBroken) this.#alarm(`${error.message}: requests under a budget are denied until it can`);
    this.#isBroken = true;
  }
}
