// The journal of the sidecar's accounts on disk: one line a record, each with a checksum. Records survive a killed
// process (the kernel has them once `write` returns); a machine that went down is told by its boot id, and then the
// leases are forfeited, so nothing waits for the disk. A boundary file: it touches disk.
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { BookRecord } from './account-book.ts';

/** Appends beyond this rewrite the journal from the book's snapshot. */
export const JOURNAL_BYTES_MAX = 4 * 1024 * 1024;

export interface BudgetJournal {
  /** On disk when it returns. Throws JournalError; then nothing may be spent until `rewrite` succeeds. */
  append(record: BookRecord): void;
  /** Replaces everything by one record, whole or not at all. Throws JournalError. */
  rewrite(record: BookRecord): void;
  /** The journal has grown so long that a rewrite is due. */
  isLong(): boolean;
  close(): void;
}

export class JournalError extends Error {
  readonly code = 'journal';

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'JournalError';
  }
}

/** The file operations of the journal, so that a test can fill the disk. */
export interface JournalDisk {
  readonly openSync: typeof openSync;
  readonly writeSync: (fd: number, bytes: Uint8Array) => number;
  readonly fsyncSync: typeof fsyncSync;
  readonly renameSync: typeof renameSync;
  readonly closeSync: typeof closeSync;
}

const disk: JournalDisk = {
  openSync,
  writeSync: (fd, bytes) => writeSync(fd, bytes),
  fsyncSync,
  renameSync,
  closeSync,
};

/**
 * What a journal held. `damaged`: something other than an unfinished last line was wrong, so what it says cannot be
 * trusted.
 */
export interface JournalContent {
  readonly records: readonly BookRecord[];
  readonly damaged: boolean;
}

/** Reads the journal in a folder; an absent one is empty. Throws JournalError when it cannot be read. */
export function readBudgetJournal(folder: string): JournalContent {
  let content: Buffer;
  try {
    content = readFileSync(join(folder, 'budgets.journal'));
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return { records: [], damaged: false };
    throw new JournalError('the budget journal cannot be read', { cause });
  }
  const lines = content.toString('utf8').split('\n');
  // The last piece is empty, or a line whose write was cut off: nobody was told that it happened.
  lines.pop();
  const records: BookRecord[] = [];
  for (const line of lines) {
    const record = parseLine(line);
    if (record === undefined) return { records: [], damaged: true };
    records.push(record);
  }
  return { records, damaged: false };
}

/** Opens the journal for writing, with `first` as its only record. Throws JournalError. */
export function openBudgetJournal(folder: string, first: BookRecord, operations: JournalDisk = disk): BudgetJournal {
  const path = join(folder, 'budgets.journal');
  let fd: number | undefined;
  let bytes = 0;
  /** Of the last rewriting: a book of many accounts is not written anew at every line. */
  let written = 0;

  const write = (target: number, record: BookRecord): void => {
    const line = formatLine(record);
    for (let at = 0; at < line.length;) at += operations.writeSync(target, line.subarray(at));
    bytes += line.length;
  };
  const rewrite = (record: BookRecord): void =>
    guarded(() => {
      const fresh = operations.openSync(`${path}.new`, 'w', 0o600);
      try {
        bytes = 0;
        write(fresh, record);
        written = bytes;
        operations.fsyncSync(fresh);
        operations.renameSync(`${path}.new`, path);
      } catch (error) {
        operations.closeSync(fresh);
        throw error;
      }
      if (fd !== undefined) operations.closeSync(fd);
      fd = fresh;
    });

  guarded(() => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  rewrite(first);
  return {
    append: (record) => guarded(() => write(openFd(fd), record)),
    rewrite,
    isLong: () => bytes > Math.max(JOURNAL_BYTES_MAX, 2 * written),
    close: () => {
      if (fd !== undefined) operations.closeSync(fd);
      fd = undefined;
    },
  };
}

function openFd(fd: number | undefined): number {
  if (fd === undefined) throw new Error('the journal is closed');
  return fd;
}

function guarded(action: () => void): void {
  try {
    action();
  } catch (cause) {
    throw new JournalError('the budget journal cannot be written', { cause });
  }
}

function formatLine(record: BookRecord): Buffer {
  const json = JSON.stringify(record);
  return Buffer.from(`${checksum(json)} ${json}\n`, 'utf8');
}

function parseLine(line: string): BookRecord | undefined {
  const json = line.slice(9);
  if (line[8] !== ' ' || checksum(json) !== line.slice(0, 8)) return undefined;
  // The checksum says that this process's code wrote it, so its shape is that of a record.
  const record: BookRecord = JSON.parse(json);
  return record;
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}
