// Samples in the queue of reviews, on a clock that the test sets: entered once, judged by whom they are for, corrected,
// exported, counted apart from requests that wait, and forgotten when their time is over.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { askReview } from '../../control-plane/reviews/ask-review.ts';
import { enterSample, SAMPLE_OPEN_MS, SAMPLES_OPEN_MAX } from '../../control-plane/reviews/enter-sample.ts';
import { stateOf } from '../../control-plane/reviews/review.ts';
import {
  CORRECTION_BYTES_MAX,
  decideReview,
  ENTRY_KEPT_MS,
  EXPORTED_MAX,
  exportSamples,
  forgetOldReviews,
  type Reviewer,
  reviewFor,
  reviewsFor,
  TEXT_KEPT_MS,
} from '../../control-plane/reviews/review-desk.ts';
import type { Database } from '../../control-plane/store/database.ts';
import { openPglite } from '../../control-plane/store/open-pglite.ts';
import { openReviews } from '../../control-plane/store/review-store.ts';
import { KeepSchema, type KeptExchange, KeptExchangeSchema } from '../../proto/gen/writ/v1/filter_keeps_pb.ts';
import { HeldRequestSchema, Ruling_State } from '../../proto/gen/writ/v1/filter_reviews_pb.ts';

const QUALITY = { rule: 'quality', reviewers: 'quality', group: 'quality-review' };
const SAFETY = { rule: 'leaks', reviewers: 'safety', group: 'safety-review' };
const lea: Reviewer = { kind: 'reviewer', name: 'lea', groups: ['quality-review'], caller: 'lea' };
const sam: Reviewer = { kind: 'reviewer', name: 'sam', groups: ['safety-review'], caller: 'sam' };

const folder = mkdtempSync(join(tmpdir(), 'writ-samples-'));
let database: Database;
let time = 1_800_000_000_000;
const context = {
  now: () => time,
  get database() {
    return database;
  },
};
let policies = 0;
let policy = '';

beforeAll(async () => {
  database = await openPglite(folder);
});
afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  policy = `sampled-${policies++}`;
});

interface Told {
  readonly id?: Uint8Array;
  readonly callerId?: string;
  readonly keeps?: readonly (typeof QUALITY)[];
  readonly prompt?: string;
  readonly reply?: string;
  readonly atMs?: bigint;
}

function kept({ keeps = [QUALITY], ...more }: Told = {}): KeptExchange {
  return create(KeptExchangeSchema, {
    id: Uint8Array.from(randomBytes(16)),
    callerId: 'u1',
    model: 'm',
    prompt: '[{"role":"user","content":"what is due?"}]',
    reply: '[{"role":"assistant","content":"nothing"}]',
    atMs: BigInt(time - 5),
    ...more,
    keeps: keeps.map((keep) => create(KeepSchema, keep)),
  });
}

const enter = (told: KeptExchange = kept()): Promise<boolean> =>
  enterSample(context, { policy, node: 'n1', kept: told });
const seen = (who = lea) => reviewsFor(context, who, { policy, all: true });
const judge = async (who: Reviewer, approve: boolean, correction = '') => {
  const [first] = await seen(who);
  return decideReview(context, who, { id: first!.id, approve, reason: approve ? '' : 'wrong', correction });
};
const exported = async (who = lea) => (await exportSamples(context, who, { policy, after: 0 })).samples;

test('a sample waits for its group, with what was said, and is entered once however often it is told', async () => {
  const told = kept();
  for (let i = 0; i < 3; i++) expect(await enter(told)).toBe(true);
  const [sample, ...more] = await seen();
  expect(more).toEqual([]);
  expect(sample).toMatchObject({ kind: 'sample', callerId: 'u1', createdAt: time - 5, messages: '', reply: '' });
  expect(await reviewFor(context, lea, sample!.id)).toMatchObject({ messages: told.prompt, reply: told.reply });
  expect(await seen(sam)).toEqual([]);
  await expect(decideReview(context, sam, { id: sample!.id, approve: true, reason: '' })).rejects.toMatchObject({
    code: 'not_found',
  });
});

test('of two groups both judge it, and nobody their own', async () => {
  await enter(kept({ keeps: [SAFETY, QUALITY], callerId: 'sam' }));
  expect(stateOf(await judge(lea, true), time)).toBe('pending');
  await expect(judge(sam, true)).rejects.toMatchObject({ code: 'own_request' });
  expect(stateOf(await judge({ ...sam, name: 'max', caller: 'max' }, true), time)).toBe('approved');
});

test('what was judged is exported, with verdict and correction, to the groups that it is for', async () => {
  await enter();
  expect(await exported()).toEqual([]);
  await judge(lea, false, 'the invoice of May');
  const [sample] = await exported();
  expect(sample).toMatchObject({
    messages: '[{"role":"user","content":"what is due?"}]',
    reply: '[{"role":"assistant","content":"nothing"}]',
    verdicts: [{ reviewer: 'lea', approve: false, reason: 'wrong', correction: 'the invoice of May' }],
  });
  expect(await exported(sam)).toEqual([]);
});

test('an export goes on page by page, and ends', async () => {
  const ids: number[] = [];
  for (let i = 0; i <= EXPORTED_MAX; i++) {
    await enter();
    const { id } = (await seen()).at(-1)!;
    await decideReview(context, lea, { id, approve: true, reason: '' });
    ids.push(id);
  }
  const first = await exportSamples(context, lea, { policy, after: 0 });
  expect(first).toMatchObject({ next: ids[EXPORTED_MAX - 1] });
  const second = await exportSamples(context, lea, { policy, after: first.next });
  expect([...first.samples, ...second.samples].map(({ id }) => id)).toEqual(ids);
  expect(second.next).toBe(0);
});

test('only a sample is corrected, and not without end', async () => {
  await askReview(context, {
    policy,
    node: 'n1',
    held: create(HeldRequestSchema, {
      binding: Uint8Array.from(randomBytes(32)),
      exchange: Uint8Array.from(randomBytes(16)),
      caller: Uint8Array.from(randomBytes(32)),
      callerId: 'u1',
      model: 'm',
      messages: '[]',
      holds: [{ ...QUALITY, approvals: 1, milliseconds: 60_000n }],
    }),
  });
  await expect(judge(lea, true, 'x')).rejects.toMatchObject({ code: 'malformed' });
  policy += '-next';
  await enter();
  await expect(judge(lea, true, 'ä'.repeat(CORRECTION_BYTES_MAX / 2) + 'a')).rejects.toMatchObject({
    code: 'malformed',
  });
  expect((await judge(lea, true, 'ä'.repeat(CORRECTION_BYTES_MAX / 2))).verdicts).toHaveLength(1);
});

test('samples take no place from requests that wait, nor are they found by a ticket', async () => {
  await database.query(
    `insert into reviews (ticket, policy, node, binding, caller, caller_id, model, holds, messages, cut, created_at, expires_at, kind)
     select $1 || n, $1, 'n1', int4send(n), int4send(n), 'x', 'm', '[]', 'x', false, 0, $2, 'sample' from generate_series(1, $3::int) n`,
    [policy, time + SAMPLE_OPEN_MS, SAMPLES_OPEN_MAX - 1],
  );
  expect(await enter()).toBe(true);
  expect(await enter()).toBe(false);
  const held = create(HeldRequestSchema, {
    binding: Uint8Array.from(randomBytes(32)),
    exchange: Uint8Array.from(randomBytes(16)),
    caller: Uint8Array.from(randomBytes(32)),
    callerId: 'u1',
    model: 'm',
    messages: '[]',
    holds: [{ ...QUALITY, approvals: 1, milliseconds: 60_000n }],
  });
  expect((await askReview(context, { policy, node: 'n1', held })).state).toBe(Ruling_State.PENDING);
  expect((await openReviews(database, time)).filter((each) => each.policy === policy)).toEqual([
    { policy, kind: 'hold', count: 1 },
    { policy, kind: 'sample', count: SAMPLES_OPEN_MAX },
  ]);
  // Judged, it makes room.
  await judgeNewest();
  expect(await enter()).toBe(true);
});

async function judgeNewest(): Promise<void> {
  const newest = (await seen()).findLast(({ kind }) => kind === 'sample');
  await decideReview(context, lea, { id: newest!.id, approve: true, reason: '' });
}

test('after its time nobody judges it, and what was judged stays so', async () => {
  await enter();
  await judge(lea, true);
  policy += '-open';
  await enter();
  time += SAMPLE_OPEN_MS;
  await expect(judge(lea, true)).rejects.toMatchObject({ code: 'not_pending' });
  expect(stateOf((await seen())[0]!, time)).toBe('expired');
  policy = policy.replace('-open', '');
  expect(stateOf((await seen())[0]!, time)).toBe('approved');
});

test('what was said is deleted when its time is over, corrections too, and later that it was', async () => {
  await enter();
  await judge(lea, false, 'the invoice of May');
  time += SAMPLE_OPEN_MS + TEXT_KEPT_MS - 1;
  await forgetOldReviews(context);
  expect(await exported()).toHaveLength(1);
  time += 1;
  await forgetOldReviews(context);
  expect(await exported()).toEqual([]);
  const { id } = (await seen())[0]!;
  expect(await reviewFor(context, lea, id)).toMatchObject({
    messages: '',
    reply: '',
    verdicts: [{ reason: 'wrong', correction: '' }],
  });
  expect(await database.query('select * from review_corrections where review = $1', [id])).toEqual([]);
  time += ENTRY_KEPT_MS - TEXT_KEPT_MS;
  await forgetOldReviews(context);
  expect(await seen()).toEqual([]);
});

test.each([
  ['an id that is none', { id: Uint8Array.of(1) }],
  ['nothing that is asked', { keeps: [] }],
  ['no prompt', { prompt: '' }],
  ['a prompt without end', { prompt: 'x'.repeat(65_537) }],
  ['a reply without end', { reply: 'x'.repeat(65_537) }],
  ['a caller without end', { callerId: 'x'.repeat(5_000) }],
  ['a time before all time', { atMs: -1n }],
] as const)('%s is refused', async (_, more) => {
  await expect(enter(kept(more))).rejects.toMatchObject({ code: 'malformed' });
});
