// Published feeds. A statement is never changed or removed; of older ones the entries are let go.
import { bytes, integer, text } from './database.ts';
import type { Database, Queries, Row } from './database.ts';

export interface FeedRow {
  readonly policy: string;
  readonly kind: string;
  readonly name: string;
  readonly sequence: number;
  /** The signed state, a JWS. */
  readonly statement: string;
  readonly entries: Uint8Array;
  /** Milliseconds since 1970 UTC. */
  readonly publishedAt: number;
  readonly publishedBy: string;
}

/** The newest of every feed. */
export async function newestFeeds(queries: Queries): Promise<FeedRow[]> {
  const rows = await queries.query(
    `select * from feeds f where sequence =
       (select max(sequence) from feeds where policy = f.policy and kind = f.kind and name = f.name)
     order by policy, kind, name`,
  );
  return rows.map(feedRow);
}

/** Adds a state. The primary key refuses a second one with the same number. */
export async function insertFeed(database: Database, row: FeedRow): Promise<void> {
  const { policy, kind, name, sequence, statement, entries, publishedAt, publishedBy } = row;
  await database.transaction(async (tx) => {
    await tx.query(
      'update feeds set entries = $4 where policy = $1 and kind = $2 and name = $3 and length(entries) > 0',
      [policy, kind, name, new Uint8Array()],
    );
    await tx.query(
      `insert into feeds (policy, kind, name, sequence, statement, entries, published_at, published_by)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [policy, kind, name, sequence, statement, entries, publishedAt, publishedBy],
    );
  });
}

function feedRow(row: Row): FeedRow {
  return {
    policy: text(row, 'policy'),
    kind: text(row, 'kind'),
    name: text(row, 'name'),
    sequence: integer(row, 'sequence'),
    statement: text(row, 'statement'),
    entries: bytes(row, 'entries'),
    publishedAt: integer(row, 'published_at'),
    publishedBy: text(row, 'published_by'),
  };
}
