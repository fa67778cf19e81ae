// Notices on SQL: the outbox, and what sidecars have told of firings. A notice is unique by what it is about, so that it
// has one id, whoever enters it and how often.
import { randomBytes } from 'node:crypto';
import type { Notice, NoticeKind, NoticeSubject } from '../notices/notice.ts';
import type { OutboxChange } from '../notices/outbox.ts';
import { DatabaseError, integer, text } from './database.ts';
import type { Queries, Row } from './database.ts';

/** The name of a notice, which its recipient sees. */
export function newNoticeId(): string {
  return `msg_${randomBytes(16).toString('hex')}`;
}

const INSERT = `insert into notices (id, policy, recipient, webhook, kind, name, percent, starts_at, ends_at, count, entered_at, next_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  on conflict (policy, recipient, kind, name, percent, starts_at, ends_at)`;

/** Once: entered again it changes nothing. */
export async function enterOnce(queries: Queries, id: string, subject: NoticeSubject, at: number): Promise<void> {
  await queries.query(`${INSERT} do nothing`, valuesOf(id, subject, 1, { at, sentAt: at }));
}

/** Adds to the count of what is not told yet: nothing is told before its window has ended. `full`: it would be a new one, and as many wait as may. */
export async function enterCount(
  queries: Queries,
  entry: {
    readonly id: string;
    readonly subject: NoticeSubject;
    readonly count: number;
    readonly at: number;
    readonly sentAt: number;
    readonly mayBeNew: boolean;
  },
): Promise<'new' | 'counted' | 'full'> {
  const { id, subject, count, mayBeNew } = entry;
  const { policy, recipient, kind, name, from, to } = subject;
  const counted = await queries.query(
    `update notices set count = count + $7 where policy = $1 and recipient = $2 and kind = $3 and name = $4 and percent = 0
     and starts_at = $5 and ends_at = $6 returning id`,
    [policy, recipient, kind, name, from, to, count],
  );
  if (counted.length > 0) return 'counted';
  if (!mayBeNew) return 'full';
  await queries.query(`${INSERT} do nothing`, valuesOf(id, subject, count, entry));
  return 'new';
}

function valuesOf(
  id: string,
  subject: NoticeSubject,
  count: number,
  { at, sentAt }: { readonly at: number; readonly sentAt: number },
): (string | number)[] {
  const { policy, recipient, webhook, kind, name, percent, from, to } = subject;
  return [id, policy, recipient, webhook, kind, name, percent, from, to, count, at, sentAt];
}

export async function waitingNotices(queries: Queries, policy: string): Promise<number> {
  const [row] = await queries.query("select count(*) as waiting from notices where policy = $1 and state = 'waiting'", [
    policy,
  ]);
  return row === undefined ? 0 : integer(row, 'waiting');
}

/** How often the rule has fired on this node beyond what was told before. A total of an earlier moment says 0. */
export async function countFiring(
  queries: Queries,
  firing: {
    readonly policy: string;
    readonly node: string;
    readonly rule: string;
    readonly incarnation: string;
    readonly total: number;
    readonly at: number;
  },
): Promise<number> {
  const { policy, node, rule, incarnation, total, at } = firing;
  const [row] = await queries.query(
    'select incarnation, total from firings where policy = $1 and node = $2 and rule = $3 for update',
    [policy, node, rule],
  );
  const before = row !== undefined && text(row, 'incarnation') === incarnation ? integer(row, 'total') : 0;
  if (total <= before) return 0;
  await queries.query(
    `insert into firings (policy, node, rule, incarnation, total, at) values ($1, $2, $3, $4, $5, $6)
     on conflict (policy, node, rule) do update set incarnation = excluded.incarnation, total = excluded.total, at = excluded.at`,
    [policy, node, rule, incarnation, total, at],
  );
  return total - before;
}

/** Of each webhook the one that is due first. */
export async function dueNotices(queries: Queries, now: number): Promise<readonly Notice[]> {
  const rows = await queries.query(
    "select distinct on (webhook) * from notices where state = 'waiting' and next_at <= $1 order by webhook, next_at, percent, id",
    [now],
  );
  return rows.map(noticeOf);
}

export async function settleNotice(queries: Queries, id: string, change: OutboxChange): Promise<void> {
  const { state, attempts, nextAt, failure } = change;
  await queries.query('update notices set state = $2, attempts = $3, next_at = $4, failure = $5 where id = $1', [
    id,
    state,
    attempts,
    nextAt,
    failure,
  ]);
}

/** What waits and what was given up; the oldest windows first. */
export async function openNotices(queries: Queries, policy: string, most: number): Promise<readonly Notice[]> {
  const rows = await queries.query(
    `select * from notices where ($1 = '' or policy = $1) and state <> 'sent' order by starts_at, id limit $2`,
    [policy, most],
  );
  return rows.map(noticeOf);
}

export async function noticeCounts(
  queries: Queries,
): Promise<readonly { readonly policy: string; readonly state: string; readonly count: number }[]> {
  const rows = await queries.query(
    "select policy, state, count(*) as count from notices where state <> 'sent' group by policy, state",
  );
  return rows.map((row) => ({ policy: text(row, 'policy'), state: text(row, 'state'), count: integer(row, 'count') }));
}

const DAY = 86_400_000;
/** What nobody could take in so long, for want of an address, is given up. */
export const WAITING_MS_MAX = 4 * DAY;
/** So long after its window's end it can still be seen that it was told. */
export const NOTICE_KEPT_MS = 30 * DAY;

/** Gives up what has waited for too long, and forgets what is over. One is kept as long as its window lasts: told once. */
export async function forgetNotices(queries: Queries, now: number): Promise<void> {
  await queries.query(
    "update notices set state = 'failed', failure = case failure when '' then 'no_address' else failure end where state = 'waiting' and next_at < $1",
    [now - WAITING_MS_MAX],
  );
  await queries.query("delete from notices where state <> 'waiting' and ends_at < $1", [now - NOTICE_KEPT_MS]);
  await queries.query('delete from firings where at < $1', [now - NOTICE_KEPT_MS]);
}

function noticeOf(row: Row): Notice {
  return {
    id: text(row, 'id'),
    policy: text(row, 'policy'),
    recipient: text(row, 'recipient'),
    webhook: text(row, 'webhook'),
    kind: kindOf(text(row, 'kind')),
    name: text(row, 'name'),
    percent: integer(row, 'percent'),
    from: integer(row, 'starts_at'),
    to: integer(row, 'ends_at'),
    count: integer(row, 'count'),
    enteredAt: integer(row, 'entered_at'),
    state: stateOf(text(row, 'state')),
    attempts: integer(row, 'attempts'),
    nextAt: integer(row, 'next_at'),
    failure: text(row, 'failure'),
  };
}

function kindOf(word: string): NoticeKind {
  if (word === 'budget' || word === 'rule' || word === 'waiver') return word;
  throw new DatabaseError('unavailable', 'the column `kind` cannot be read');
}

function stateOf(word: string): Notice['state'] {
  if (word === 'waiting' || word === 'sent' || word === 'failed') return word;
  throw new DatabaseError('unavailable', 'the column `state` cannot be read');
}
