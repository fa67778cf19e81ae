// The queue of reviews on SQL. Rows are locked by `for update`, so that several control planes on one PostgreSQL take
// turns on a request and on a policy's queue.
import type { Hold, Review, Verdict } from '../reviews/review.ts';
import { bytes, DatabaseError, flag, integer, text } from './database.ts';
import type { Queries, Row } from './database.ts';

export type NewReview = Omit<Review, 'id' | 'usedAt' | 'usedBy' | 'verdicts'> & { readonly caller: Uint8Array };

/** A verdict, and what its reviewer would have answered. */
const VERDICTS = `select v.*, coalesce(c.correction, '') as correction from review_verdicts v
  left join review_corrections c on c.review = v.review and c.reviewer = v.reviewer`;

/** Whoever holds this lock is alone in the policy's queue, until their transaction ends. */
export async function lockQueue(tx: Queries, policy: string): Promise<void> {
  await tx.query('insert into review_queues (policy) values ($1) on conflict do nothing', [policy]);
  await tx.query('select policy from review_queues where policy = $1 for update', [policy]);
}

/** Neither used, nor rejected, nor over. */
function isOpenAt(now: string): string {
  return `used_at is null and expires_at > ${now}
       and not exists (select 1 from review_verdicts v where v.review = reviews.id and not v.approve)`;
}

/** Open requests and samples by policy. */
export async function openReviews(
  queries: Queries,
  now: number,
): Promise<{ readonly policy: string; readonly kind: string; readonly count: number }[]> {
  const rows = await queries.query(
    `select policy, kind, count(*) as count from reviews where ${isOpenAt('$1')} group by policy, kind order by policy, kind`,
    [now],
  );
  return rows.map((row) => ({ policy: text(row, 'policy'), kind: text(row, 'kind'), count: integer(row, 'count') }));
}

/** Open requests of the policy, and of one caller in it. */
export async function countOpen(
  tx: Queries,
  policy: string,
  caller: Uint8Array,
  now: number,
): Promise<{ readonly all: number; readonly ofCaller: number }> {
  const [row] = await tx.query(
    `select count(*) as everybody, count(*) filter (where caller = $2) as own from reviews
     where policy = $1 and kind = 'hold' and ${isOpenAt('$3')}`,
    [policy, caller, now],
  );
  return row === undefined
    ? { all: 0, ofCaller: 0 }
    : { all: integer(row, 'everybody'), ofCaller: integer(row, 'own') };
}

/** Samples of the policy that nobody has judged, and whether this exchange is among all of them. */
export async function countSamples(
  tx: Queries,
  policy: string,
  exchange: Uint8Array,
  now: number,
): Promise<{ readonly open: number; readonly isKnown: boolean }> {
  const [row] = await tx.query(
    `select count(*) filter (where expires_at > $3
         and not exists (select 1 from review_verdicts v where v.review = reviews.id)) as open,
       count(*) filter (where binding = $2) as known
     from reviews where policy = $1 and kind = 'sample'`,
    [policy, exchange, now],
  );
  return row === undefined
    ? { open: 0, isKnown: false }
    : { open: integer(row, 'open'), isKnown: integer(row, 'known') > 0 };
}

export async function addReview(tx: Queries, review: NewReview): Promise<void> {
  await tx.query(
    `insert into reviews (ticket, policy, node, binding, caller, caller_id, model, holds, messages, cut, created_at, expires_at, kind, reply, denied)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      review.ticket,
      review.policy,
      review.node,
      review.binding,
      review.caller,
      review.callerId,
      review.model,
      JSON.stringify(review.holds),
      review.messages,
      review.cut,
      review.createdAt,
      review.expiresAt,
      review.kind,
      review.reply,
      review.denied,
    ],
  );
}

/** The newest of this binding that is neither used nor over. */
export async function openByBinding(
  tx: Queries,
  policy: string,
  binding: Uint8Array,
  now: number,
): Promise<Review | undefined> {
  return first(
    tx,
    await tx.query(
      "select * from reviews where policy = $1 and binding = $2 and kind = 'hold' and used_at is null and expires_at > $3 order by id desc limit 1 for update",
      [policy, binding, now],
    ),
  );
}

export async function byTicket(tx: Queries, policy: string, ticket: string): Promise<Review | undefined> {
  return first(
    tx,
    await tx.query("select * from reviews where policy = $1 and ticket = $2 and kind = 'hold' for update", [
      policy,
      ticket,
    ]),
  );
}

export async function byId(tx: Queries, id: number): Promise<Review | undefined> {
  return first(tx, await tx.query('select * from reviews where id = $1 for update', [id]));
}

/** Oldest first, without what they say. */
export async function listReviews(queries: Queries, policy: string, since: number): Promise<Review[]> {
  const rows = await queries.query(
    `select id, ticket, policy, node, binding, caller_id, model, holds, '' as messages, kind, '' as reply, denied, cut, created_at, expires_at, used_at, used_by
     from reviews where ($1 = '' or policy = $1) and expires_at > $2 order by id`,
    [policy, since],
  );
  const verdicts = await queries.query(
    `${VERDICTS} join reviews r on r.id = v.review where r.expires_at > $1 order by v.at, v.reviewer`,
    [since],
  );
  return rows.map((row) => reviewOf(row, verdicts));
}

export async function useReview(tx: Queries, id: number, exchange: Uint8Array, now: number): Promise<void> {
  await tx.query('update reviews set used_at = $2, used_by = $3 where id = $1', [id, now, exchange]);
}

export async function addVerdict(tx: Queries, id: number, verdict: Verdict): Promise<void> {
  await tx.query(
    'insert into review_verdicts (review, reviewer, groups, approve, reason, at) values ($1, $2, $3, $4, $5, $6)',
    [id, verdict.reviewer, JSON.stringify(verdict.groups), verdict.approve, verdict.reason, verdict.at],
  );
  if (verdict.correction === '') return;
  await tx.query('insert into review_corrections (review, reviewer, correction) values ($1, $2, $3)', [
    id,
    verdict.reviewer,
    verdict.correction,
  ]);
}

/** The next samples that somebody has judged and whose text is kept, by number. */
export async function judgedSamples(
  queries: Queries,
  policy: string,
  after: number,
  most: number,
): Promise<readonly Review[]> {
  const rows = await queries.query(
    `select * from reviews where kind = 'sample' and ($1 = '' or policy = $1) and id > $2 and messages <> ''
       and exists (select 1 from review_verdicts v where v.review = reviews.id) order by id limit $3`,
    [policy, after, most],
  );
  const verdicts = await queries.query(`${VERDICTS} where v.review > $1 and v.review <= $2 order by v.at, v.reviewer`, [
    after,
    rows.length === 0 ? after : integer(rows.at(-1)!, 'id'),
  ]);
  return rows.map((row) => reviewOf(row, verdicts));
}

/** Takes away what was said in requests that ended before `textsUntil`, and all of those that ended before `all`. */
export async function forgetReviews(queries: Queries, textsUntil: number, all: number): Promise<void> {
  await queries.query("update reviews set messages = '', reply = '' where expires_at <= $1 and messages <> ''", [
    textsUntil,
  ]);
  await queries.query(
    'delete from review_corrections where review in (select id from reviews where expires_at <= $1)',
    [textsUntil],
  );
  await queries.query('delete from reviews where expires_at <= $1', [all]);
}

async function first(tx: Queries, rows: readonly Row[]): Promise<Review | undefined> {
  const [row] = rows;
  if (row === undefined) return undefined;
  const verdicts = await tx.query(`${VERDICTS} where v.review = $1 order by v.at, v.reviewer`, [integer(row, 'id')]);
  return reviewOf(row, verdicts);
}

function reviewOf(row: Row, verdicts: readonly Row[]): Review {
  const id = integer(row, 'id');
  return {
    id,
    kind: text(row, 'kind') === 'sample' ? 'sample' : 'hold',
    ticket: text(row, 'ticket'),
    policy: text(row, 'policy'),
    node: text(row, 'node'),
    binding: bytes(row, 'binding'),
    callerId: text(row, 'caller_id'),
    model: text(row, 'model'),
    holds: parsed<readonly Hold[]>(row, 'holds'),
    messages: text(row, 'messages'),
    reply: text(row, 'reply'),
    denied: flag(row, 'denied'),
    cut: flag(row, 'cut'),
    createdAt: integer(row, 'created_at'),
    expiresAt: integer(row, 'expires_at'),
    usedAt: row['used_at'] === null ? undefined : integer(row, 'used_at'),
    usedBy: row['used_by'] === null ? undefined : bytes(row, 'used_by'),
    verdicts: verdicts.flatMap((verdict) =>
      integer(verdict, 'review') === id
        ? [
            {
              reviewer: text(verdict, 'reviewer'),
              groups: parsed<readonly string[]>(verdict, 'groups'),
              approve: flag(verdict, 'approve'),
              reason: text(verdict, 'reason'),
              at: integer(verdict, 'at'),
              correction: text(verdict, 'correction'),
            },
          ]
        : [],
    ),
  };
}

/** What this file has written as JSON. */
function parsed<T>(row: Row, column: string): T {
  try {
    return JSON.parse(text(row, column)) as T;
  } catch (cause) {
    throw new DatabaseError('unavailable', `the column \`${column}\` cannot be read`, { cause });
  }
}
