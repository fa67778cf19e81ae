// What a new process makes of the journal of the one before. Pure.
import { AccountBook } from './account-book.ts';
import type { JournalContent } from './budget-journal.ts';

export interface Life {
  readonly policy: string;
  /** Of the machine's boot; empty where there is none to be had. */
  readonly bootId: string;
  /** For a new life: 128 random bits in hex. */
  readonly incarnation: string;
}

/**
 * The book as the last process left it, with every reservation that was in flight charged in full. It starts anew,
 * leaving the old leases to be charged in full by the control plane, when the journal is damaged, is of another policy
 * set, or is of an earlier boot: then its last lines may be missing, and its clock is another one.
 */
export function resumeBook({ records, damaged }: JournalContent, life: Life): AccountBook {
  const book = new AccountBook();
  for (const record of records) book.apply(record);
  if (
    !damaged &&
    records.length > 0 &&
    book.bootId === life.bootId &&
    life.bootId !== '' &&
    book.policy === life.policy
  ) {
    for (const exchange of [...book.exchanges.keys()]) book.apply({ kind: 'settle', exchange, parts: [] });
    return book;
  }
  const fresh = new AccountBook();
  fresh.apply({ kind: 'open', ...life });
  return fresh;
}
