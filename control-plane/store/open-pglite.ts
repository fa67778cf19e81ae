// The embedded database: PGlite in a folder. A boundary file: it touches disk. PGlite cannot tell that another process
// has the folder open and would ruin it, so a lock names the owner.
import { PGlite, types } from '@electric-sql/pglite';
import type { Transaction } from '@electric-sql/pglite';
import { join } from 'node:path';
import { DatabaseError } from './database.ts';
import type { Database, Queries, Row, SqlValue } from './database.ts';
import { migrate } from './migrations.ts';
import { tryLock } from '../../proto/process-lock.mjs';

/**
 * Columns of bytes as PostgreSQL's text of them. PGlite's own conversion makes a string of each byte, for which a push
 * kept the process from all else: 85 ms for 300 KB.
 */
const byteColumns = {
  serializers: {
    [types.BYTEA]: (value: unknown): string => {
      if (!(value instanceof Uint8Array)) throw new DatabaseError('unavailable', 'a column of bytes takes only bytes');
      return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
    },
  },
  parsers: {
    [types.BYTEA]: (text: string): Uint8Array => new Uint8Array(Buffer.from(text.slice('\\x'.length), 'hex')),
  },
};

/** Opens (or makes) the database in a folder and brings its schema up to date. Throws DatabaseError. */
export async function openPglite(folder: string): Promise<Database> {
  const unlock = takeLock(folder);
  try {
    const pglite = await PGlite.create(join(folder, 'pg'), byteColumns);
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
