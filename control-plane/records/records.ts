// Records of exchanges: entered by nodes, read by admins, deleted when their time is over. Who has read what is kept.
import type { KeptExchange } from '../../proto/gen/writ/v1/filter_keeps_pb.ts';
import { HOLDS_MAX, MESSAGES_BYTES_MAX, TEXT_BYTES_MAX } from '../reviews/ask-review.ts';
import type { Database } from '../store/database.ts';
import { forgetRecords, noteRead, putRecord, readsOf, recordById, recordsAfter } from '../store/record-store.ts';
import { type ExchangeRecord, type RecordRead, RecordRefusal } from './exchange-record.ts';

export interface RecordsContext {
  readonly database: Database;
  readonly now: () => number;
}

const DAY = 86_400_000;
/** A hundred years. */
export const RECORD_MS_MAX = 36_500 * DAY;
/** Who has read is kept so long. */
export const READS_KEPT_MS = 3_650 * DAY;
/** So many at a time: each may have twice the text of a request. */
export const RECORDS_MAX = 16;
export const READS_MAX = 1_000;
const ID_BYTES = 16;

/** The time that a rule asks for runs from the request's arrival; the longest counts. */
export async function enterRecord(
  { database, now }: RecordsContext,
  { policy, node, kept }: { readonly policy: string; readonly node: string; readonly kept: KeptExchange },
): Promise<void> {
  const rules = checked(kept);
  // No clock of a node makes it older than it is, or lets it end later than a rule says.
  const at = Math.min(now(), Number(kept.atMs));
  await putRecord(database, {
    policy,
    node,
    exchange: kept.id,
    callerId: kept.callerId,
    model: kept.model,
    rules,
    prompt: kept.prompt,
    reply: kept.reply,
    cut: kept.cut,
    denied: kept.denied,
    ended: kept.ended,
    at,
    deleteAt: at + Math.max(...rules.map(({ milliseconds }) => milliseconds)),
  });
}

/** A page of records, oldest first; `next` is 0 after the last. That they were read is kept first. */
export async function readRecords(
  { database, now }: RecordsContext,
  reader: string,
  {
    verb,
    policy,
    caller,
    after,
  }: {
    readonly verb: 'list' | 'export';
    readonly policy: string;
    readonly caller: string;
    readonly after: number;
  },
): Promise<{ readonly records: readonly ExchangeRecord[]; readonly next: number }> {
  return database.transaction(async (tx) => {
    const records = await recordsAfter(tx, { policy, caller, after, now: now(), most: RECORDS_MAX });
    await noteRead(tx, { reader, verb, policy, record: 0, count: records.length, at: now() });
    return { records, next: records.length < RECORDS_MAX ? 0 : (records.at(-1)?.id ?? 0) };
  });
}

export async function readRecord(
  { database, now }: RecordsContext,
  reader: string,
  id: number,
): Promise<ExchangeRecord> {
  return database.transaction(async (tx) => {
    const record = await recordById(tx, id, now());
    if (record === undefined) throw new RecordRefusal('not_found', `there is no record ${id}`);
    await noteRead(tx, { reader, verb: 'show', policy: record.policy, record: id, count: 1, at: now() });
    return record;
  });
}

export async function recordReads({ database }: RecordsContext, policy: string): Promise<readonly RecordRead[]> {
  return readsOf(database, policy, READS_MAX);
}

/** Deletes what has been kept for as long as its rules say. */
export async function forgetOldRecords({ database, now }: RecordsContext): Promise<void> {
  await forgetRecords(database, now(), now() - READS_KEPT_MS);
}

function checked(kept: KeptExchange): ExchangeRecord['rules'] {
  const rules = kept.keeps
    .filter(({ milliseconds }) => milliseconds > 0n)
    .map(({ rule, milliseconds }) => ({ rule, milliseconds: Number(milliseconds) }));
  const texts = [kept.callerId, kept.model, ...rules.map(({ rule }) => rule)];
  if (
    kept.id.length !== ID_BYTES ||
    rules.length < 1 ||
    rules.length > HOLDS_MAX ||
    rules.some(({ milliseconds }) => milliseconds > RECORD_MS_MAX) ||
    kept.prompt === '' ||
    Buffer.byteLength(kept.prompt) > MESSAGES_BYTES_MAX ||
    Buffer.byteLength(kept.reply) > MESSAGES_BYTES_MAX ||
    texts.some((each) => Buffer.byteLength(each) > TEXT_BYTES_MAX) ||
    kept.atMs < 0n ||
    kept.atMs > BigInt(Number.MAX_SAFE_INTEGER)
  )
    throw new RecordRefusal('malformed', 'this is no record of an exchange');
  return rules;
}
