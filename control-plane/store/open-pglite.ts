// The embedded database: PGlite in a folder. A boundary file: it touches disk. PGlite cannot tell that another process
// has the folder open and would ruin it, so a lock names the owner.
import { PGlite } from '@electric-sql/pglite';
import type { Transaction } from '@electric-sql/pglite';
import { join } from 'node:path';
import { DatabaseError } from './database.ts';
import type { Database, Queries, Row, SqlValue } from './database.ts';
import { migrate } from './migrations.ts';
import { tryLock } from '../../proto/process-lock.mjs';

/** Opens (or makes) the database in a folder and brings its schema up to date. Throws DatabaseError. */
export async function openPglite(folder: string): Promise<Database> {
  const unlock = takeLock(folder);
  try {
    const pglite = await PGlite.create(join(folder, 'pg'));
    const database = wrap(pglite, unlock);
    await migrate(database);
    return database;
  } catch (cause) {
    unlock();
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

/** Throws DatabaseError `locked`. */
function takeLock(folder: string): () => void {
  let lock;
  try {
    lock = tryLock(join(folder, 'lock'));
  } catch (cause) {
    throw new DatabaseError('unavailable', "the control plane's folder cannot be written", { cause });
  }
  if (lock.isTaken) return lock.release;
  const holder = lock.holderPid === 0 ? '' : ` (process ${lock.holderPid})`;
  throw new DatabaseError('locked', `another control plane${holder} has the folder \`${folder}\` open`);
}
