// Bundles and the history of releases. A row is never changed or removed.
import { bytes, flag, integer, text } from './database.ts';
import type { Database, Queries, Row } from './database.ts';

export interface ReleaseRow {
  readonly name: string;
  readonly sequence: number;
  readonly revision: string;
  /** SHA-256 (hex) of the bundle's bytes. */
  readonly digest: string;
  readonly rollback: boolean;
  /** The signed release, a JWS. */
  readonly release: string;
  /** Milliseconds since 1970 UTC. */
  readonly pushedAt: number;
  readonly pushedBy: string;
}

/** The last release of a policy set. */
export async function newestRelease(queries: Queries, name: string): Promise<ReleaseRow | undefined> {
  const [row] = await queries.query('select * from releases where name = $1 order by sequence desc limit 1', [name]);
  return row === undefined ? undefined : releaseRow(row);
}

/** The last release of every policy set. */
export async function newestReleases(queries: Queries): Promise<ReleaseRow[]> {
  const rows = await queries.query(
    'select * from releases r where sequence = (select max(sequence) from releases where name = r.name) order by name',
  );
  return rows.map(releaseRow);
}

/** The history of a policy set, newest first. */
export async function listReleases(queries: Queries, name: string, limit: number): Promise<ReleaseRow[]> {
  return (
    await queries.query('select * from releases where name = $1 order by sequence desc limit $2', [name, limit])
  ).map(releaseRow);
}

export async function wasReleased(queries: Queries, name: string, revision: string): Promise<boolean> {
  return (
    (await queries.query('select 1 as found from releases where name = $1 and revision = $2 limit 1', [name, revision]))
      .length > 0
  );
}

export async function readBundleBytes(queries: Queries, digest: string): Promise<Uint8Array | undefined> {
  const [row] = await queries.query('select bytes from bundles where digest = $1', [digest]);
  return row === undefined ? undefined : bytes(row, 'bytes');
}

/** Adds a release and its bundle. The primary key refuses a second release with the same number. */
export async function insertRelease(database: Database, row: ReleaseRow, bundle: Uint8Array): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query('insert into bundles (digest, revision, bytes) values ($1, $2, $3) on conflict do nothing', [
      row.digest,
      row.revision,
      bundle,
    ]);
    await tx.query(
      'insert into releases (name, sequence, revision, digest, rollback, release, pushed_at, pushed_by) values ($1, $2, $3, $4, $5, $6, $7, $8)',
      [row.name, row.sequence, row.revision, row.digest, row.rollback, row.release, row.pushedAt, row.pushedBy],
    );
  });
}

function releaseRow(row: Row): ReleaseRow {
  return {
    name: text(row, 'name'),
    sequence: integer(row, 'sequence'),
    revision: text(row, 'revision'),
    digest: text(row, 'digest'),
    rollback: flag(row, 'rollback'),
    release: text(row, 'release'),
    pushedAt: integer(row, 'pushed_at'),
    pushedBy: text(row, 'pushed_by'),
  };
}
