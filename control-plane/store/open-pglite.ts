// The embedded database: PGlite in a folder. A boundary file: it touches disk. PGlite cannot tell that another process
// has the folder open and would ruin it, so a lock file names the owner.
import { PGlite } from '@electric-sql/pglite';
import type { Transaction } from '@electric-sql/pglite';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseError } from './database.ts';
import type { Database, Queries, Row, SqlValue } from './database.ts';
import { migrate } from './migrations.ts';

/**
 * Folders that this process has open: its own number in a lock may also be that of an earlier process, as in a
 * container.
 */
const open = new Set<string>();

/** Opens (or makes) the database in a folder and brings its schema up to date. Throws DatabaseError. */
export async function openPglite(folder: string): Promise<Database> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = join(folder, 'lock');
  takeLock(lock);
  try {
    const pglite = await PGlite.create(join(folder, 'pg'));
    const database = wrap(pglite, () => freeLock(lock));
    await migrate(database);
    return database;
  } catch (cause) {
    freeLock(lock);
    throw cause instanceof DatabaseError
      ? cause
      : new DatabaseError('unavailable', "the control plane's database cannot be opened", { cause });
  }
}

function wrap(pglite: PGlite, unlock: () => void): Database {
  const queries = (on: PGlite | Transaction): Queries => ({
    query: async (sql: string, values: readonly SqlValue[] = []) => (await on.query<Row>(sql, [...values])).rows,
  });
  return {
    ...queries(pglite),
    transaction: (work) => pglite.transaction((tx) => work(queries(tx))),
    close: async () => {
      await pglite.close();
      unlock();
    },
  };
}

/** The lock of a process that is gone is taken over. */
function takeLock(path: string): void {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const fd = openSync(path, 'wx', 0o600);
      writeSync(fd, `${process.pid}\n`);
      closeSync(fd);
      open.add(path);
      return;
    } catch (cause) {
      if (!hasCode(cause, 'EEXIST'))
        throw new DatabaseError('unavailable', "the control plane's folder cannot be written", { cause });
    }
    if (open.has(path) || isOther(Number.parseInt(readLock(path), 10)))
      throw new DatabaseError('locked', 'another control plane has this folder open');
    rmSync(path, { force: true });
  }
  throw new DatabaseError('locked', 'another control plane is opening this folder');
}

function readLock(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Its owner has just let it go.
    return '';
  }
}

function freeLock(path: string): void {
  open.delete(path);
  rmSync(path, { force: true });
}

/** Another process of that number lives. */
function isOther(pid: number): boolean {
  if (!(pid > 0) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
