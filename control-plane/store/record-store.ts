// Records of exchanges on SQL, and who has read them.
import type { ExchangeRecord, RecordRead } from '../records/exchange-record.ts';
import { bytes, DatabaseError, flag, integer, text } from './database.ts';
import type { Queries, Row } from './database.ts';

/** Enters a record; or, of an exchange whose beginning is there, what its end adds. Told again it changes nothing. */
export async function putRecord(queries: Queries, record: Omit<ExchangeRecord, 'id'>): Promise<void> {
  await queries.query(
    `insert into records (policy, exchange, node, caller_id, model, rules, prompt, reply, cut, denied, ended, at, delete_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     on conflict (policy, exchange) do update set
       rules = excluded.rules, prompt = excluded.prompt, reply = excluded.reply, cut = excluded.cut,
       denied = excluded.denied, ended = true, delete_at = greatest(records.delete_at, excluded.delete_at)
     where excluded.ended and not records.ended`,
    [
      record.policy,
      record.exchange,
      record.node,
      record.callerId,
      record.model,
      JSON.stringify(record.rules),
      record.prompt,
      record.reply,
      record.cut,
      record.denied,
      record.ended,
      record.at,
      record.deleteAt,
    ],
  );
}

/** By number, oldest first, of what is not to be deleted yet. */
export async function recordsAfter(
  queries: Queries,
  {
    policy,
    caller,
    after,
    now,
    most,
  }: {
    readonly policy: string;
    readonly caller: string;
    readonly after: number;
    readonly now: number;
    readonly most: number;
  },
): Promise<readonly ExchangeRecord[]> {
  const rows = await queries.query(
    `select * from records where ($1 = '' or policy = $1) and ($2 = '' or caller_id = $2) and id > $3 and delete_at > $4
     order by id limit $5`,
    [policy, caller, after, now, most],
  );
  return rows.map(recordOf);
}

export async function recordById(queries: Queries, id: number, now: number): Promise<ExchangeRecord | undefined> {
  const [row] = await queries.query('select * from records where id = $1 and delete_at > $2', [id, now]);
  return row === undefined ? undefined : recordOf(row);
}

export async function noteRead(queries: Queries, read: RecordRead): Promise<void> {
  await queries.query(
    'insert into record_reads (reader, verb, policy, record, count, at) values ($1, $2, $3, $4, $5, $6)',
    [read.reader, read.verb, read.policy, read.record, read.count, read.at],
  );
}

/** Newest first. */
export async function readsOf(queries: Queries, policy: string, most: number): Promise<readonly RecordRead[]> {
  const rows = await queries.query(
    `select * from record_reads where $1 = '' or policy = $1 or policy = '' order by at desc, id desc limit $2`,
    [policy, most],
  );
  return rows.map((row) => ({
    reader: text(row, 'reader'),
    verb: verbOf(text(row, 'verb')),
    policy: text(row, 'policy'),
    record: integer(row, 'record'),
    count: integer(row, 'count'),
    at: integer(row, 'at'),
  }));
}

/** Deletes the records whose time is over, and reads that are older than that. */
export async function forgetRecords(queries: Queries, now: number, readsUntil: number): Promise<void> {
  await queries.query('delete from records where delete_at <= $1', [now]);
  await queries.query('delete from record_reads where at <= $1', [readsUntil]);
}

function verbOf(verb: string): RecordRead['verb'] {
  return verb === 'list' || verb === 'show' ? verb : 'export';
}

function recordOf(row: Row): ExchangeRecord {
  return {
    id: integer(row, 'id'),
    policy: text(row, 'policy'),
    exchange: bytes(row, 'exchange'),
    node: text(row, 'node'),
    callerId: text(row, 'caller_id'),
    model: text(row, 'model'),
    rules: rulesOf(text(row, 'rules')),
    prompt: text(row, 'prompt'),
    reply: text(row, 'reply'),
    cut: flag(row, 'cut'),
    denied: flag(row, 'denied'),
    ended: flag(row, 'ended'),
    at: integer(row, 'at'),
    deleteAt: integer(row, 'delete_at'),
  };
}

/** What this file has written as JSON. */
function rulesOf(json: string): ExchangeRecord['rules'] {
  try {
    return JSON.parse(json) as ExchangeRecord['rules'];
  } catch (cause) {
    throw new DatabaseError('unavailable', 'the column `rules` cannot be read', { cause });
  }
}
