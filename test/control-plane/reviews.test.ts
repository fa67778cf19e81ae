// The queue of reviews in the control plane, over mTLS and on a clock that the test sets: who may answer, what passes,
// what does not, how much waits at most, and what is forgotten when.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Role } from '../../control-plane/keys/certificate.ts';
import { askReview, OPEN_MAX, OPEN_OF_CALLER_MAX } from '../../control-plane/reviews/ask-review.ts';
import {
  decideReview,
  ENTRY_KEPT_MS,
  forgetOldReviews,
  type Reviewer,
  reviewFor,
  reviewsFor,
  TEXT_KEPT_MS,
} from '../../control-plane/reviews/review-desk.ts';
import type { Database } from '../../control-plane/store/database.ts';
import { openPglite } from '../../control-plane/store/open-pglite.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import { HeldRequestSchema, Ruling_State } from '../../proto/gen/writ/v1/filter_reviews_pb.ts';
import type { HeldRequest, Ruling } from '../../proto/gen/writ/v1/filter_reviews_pb.ts';
import { ReviewDesk, Reviews } from '../../proto/gen/writ/v1/reviews_pb.ts';
import { unaryCall } from '../../proto/grpc-call.ts';
import { admin, node, startTestControlPlane, testBundle, testRelease } from './fixtures.ts';
import type { TestControlPlane } from './fixtures.ts';

const HOUR = 3_600_000;
const LEGAL = { rule: 'contracts', reviewers: 'legal', group: 'legal-review', approvals: 1, milliseconds: 4 * HOUR };
const SECURITY = { rule: 'ibans', reviewers: 'security', group: 'sec', approvals: 2, milliseconds: HOUR };
const { PENDING, APPROVED, REJECTED, EXPIRED, USED, UNKNOWN, CALLER_FULL, QUEUE_FULL } = Ruling_State;

interface Asked {
  readonly binding?: Uint8Array;
  readonly exchange?: Uint8Array;
  readonly caller?: Uint8Array;
  readonly callerId?: string;
  readonly ticket?: string;
  readonly holds?: readonly (typeof LEGAL)[];
}

const CALLER = randomBytes(32);
const binding = (): Uint8Array => Uint8Array.from(randomBytes(32));

function held({ holds = [LEGAL], ...more }: Asked = {}): HeldRequest {
  return create(HeldRequestSchema, {
    binding: binding(),
    exchange: Uint8Array.from(randomBytes(16)),
    caller: CALLER,
    callerId: 'u1',
    model: 'm',
    messages: '[{"role":"user","content":"sign it"}]',
    holds: holds.map((hold) => ({ ...hold, milliseconds: BigInt(hold.milliseconds) })),
    ...more,
  });
}

function reviewer(name: string, groups: readonly string[] = ['legal-review'], caller = name): Reviewer {
  return { kind: 'reviewer', name, groups, caller };
}

describe('a held request', () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-reviews-'));
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
    policy = `policy-${policies++}`;
  });

  const ask = (request: HeldRequest): Promise<Ruling> => askReview(context, { policy, node: 'n1', held: request });
  const waiting = (who = reviewer('lea')) => reviewsFor(context, who, { policy, all: false });
  const answer = async (who: Reviewer, approve = true, reason = '') => {
    const [first] = await reviewsFor(context, who, { policy, all: true });
    if (first === undefined) throw new Error('nothing waits');
    return decideReview(context, who, { id: first.id, approve, reason });
  };
  /** It waits, and comes again with its ticket. */
  async function enter(
    more: Asked = {},
  ): Promise<{ readonly again: (changes?: Asked) => Promise<Ruling>; readonly ticket: string }> {
    const request = held(more);
    const { state, ticket } = await ask(request);
    expect(state).toBe(PENDING);
    return { ticket, again: (changes = {}) => ask(held({ ...more, binding: request.binding, ticket, ...changes })) };
  }

  test('waits under one ticket, however often it is asked about', async () => {
    const request = held();
    const first = await ask(request);
    expect(first.ticket).toMatch(/^[0-9a-f]{32}$/);
    expect(await ask(held({ binding: request.binding }))).toEqual(first);
    expect((await ask(held({ binding: request.binding, ticket: first.ticket }))).state).toBe(PENDING);
    expect(await waiting()).toHaveLength(1);
    expect((await ask(held())).ticket).not.toBe(first.ticket);
  });

  test('passes once it is approved, and once only; a lost answer is given again', async () => {
    const { again } = await enter();
    await answer(reviewer('lea'), true, 'known customer');
    const exchange = Uint8Array.from(randomBytes(16));
    expect((await again({ exchange })).state).toBe(APPROVED);
    expect((await again({ exchange })).state).toBe(APPROVED);
    expect((await again()).state).toBe(USED);
    const [kept] = await reviewsFor(context, reviewer('max'), { policy, all: true });
    expect(kept).toMatchObject({
      usedAt: time,
      verdicts: [{ reviewer: 'lea', approve: true, reason: 'known customer', at: time, groups: ['legal-review'] }],
    });
  });

  test('of sixteen at once one passes', async () => {
    const { again } = await enter();
    await answer(reviewer('lea'));
    const states = (await Promise.all(Array.from({ length: 16 }, () => again()))).map(({ state }) => state);
    expect(states.filter((state) => state === APPROVED)).toHaveLength(1);
    expect(states.filter((state) => state === USED)).toHaveLength(15);
  });

  test('is not another one: another binding, another policy, a ticket that was never given', async () => {
    const { again, ticket } = await enter();
    await answer(reviewer('lea'));
    expect((await again({ binding: binding() })).state).toBe(UNKNOWN);
    expect((await ask(held({ ticket: '0'.repeat(32) }))).state).toBe(UNKNOWN);
    const other = { policy: `${policy}-other`, node: 'n1' };
    expect((await askReview(context, { ...other, held: held({ ticket }) })).state).toBe(UNKNOWN);
    expect((await again()).state).toBe(APPROVED);
  });

  test('is denied after its time, whether it was approved or not, and may then be asked anew', async () => {
    for (const isApproved of [false, true]) {
      const { again } = await enter();
      if (isApproved) await answer(reviewer('lea'));
      time += LEGAL.milliseconds - 1;
      expect((await again({ ticket: '' })).state).toBe(PENDING);
      time += 1;
      expect((await again()).state).toBe(EXPIRED);
      await expect(answer(reviewer('max'))).rejects.toMatchObject({ code: 'not_pending' });
      expect((await again({ ticket: '' })).state).toBe(PENDING);
      policy += '-next';
    }
  });

  test('is denied by one rejection, with and without its ticket', async () => {
    const { again } = await enter({ holds: [{ ...LEGAL, approvals: 2 }] });
    await answer(reviewer('lea'));
    await answer(reviewer('max'), false, 'no');
    expect((await again()).state).toBe(REJECTED);
    expect((await again({ ticket: '' })).state).toBe(REJECTED);
    await expect(answer(reviewer('eva'))).rejects.toMatchObject({ code: 'not_pending' });
  });

  test('needs as many reviewers as every hold says, each another, of its own group', async () => {
    const { again } = await enter({ holds: [LEGAL, SECURITY] });
    await answer(reviewer('lea'));
    await answer(reviewer('sam', ['sec']));
    expect((await again()).state).toBe(PENDING);
    await expect(answer(reviewer('sam', ['sec']))).rejects.toMatchObject({ code: 'answered' });
    await answer(reviewer('pat', ['sec', 'other']));
    expect((await again()).state).toBe(APPROVED);
  });

  test('ends with the hold that ends first', async () => {
    const { again } = await enter({ holds: [LEGAL, SECURITY] });
    time += SECURITY.milliseconds;
    expect((await again()).state).toBe(EXPIRED);
  });

  test('is neither shown to other groups nor answered by them, nor by who asks', async () => {
    await enter();
    const [review] = await waiting();
    const stranger = reviewer('sam', ['sec']);
    expect(await waiting(stranger)).toEqual([]);
    await expect(reviewFor(context, stranger, review!.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(decideReview(context, stranger, { id: review!.id, approve: true, reason: '' })).rejects.toMatchObject({
      code: 'not_found',
    });
    for (const self of [reviewer('u1'), reviewer('lea', ['legal-review'], 'u1')])
      await expect(answer(self)).rejects.toMatchObject({ code: 'own_request' });
  });

  test('a verdict is never changed, whoever tries', async () => {
    await enter();
    await answer(reviewer('lea'), true);
    await expect(database.query("update review_verdicts set approve = false where reviewer = 'lea'")).rejects.toThrow(
      'a verdict is never changed',
    );
  });

  test('of one caller so many wait and no more; an answered one makes room', async () => {
    for (let count = 0; count < OPEN_OF_CALLER_MAX; count++) await enter();
    expect((await ask(held())).state).toBe(CALLER_FULL);
    expect((await ask(held({ caller: Uint8Array.from(randomBytes(32)) }))).state).toBe(PENDING);
    await answer(reviewer('lea'), false, 'no');
    expect((await ask(held())).state).toBe(PENDING);
  });

  test('of one policy so many wait and no more', async () => {
    await database.query(
      `insert into reviews (ticket, policy, node, binding, caller, caller_id, model, holds, messages, cut, created_at, expires_at)
       select $1 || n, $1, 'n1', int4send(n), int4send(n), 'x', 'm', '[]', '', false, 0, $2 from generate_series(1, $3::int) n`,
      [policy, time + HOUR, OPEN_MAX - 1],
    );
    expect((await ask(held())).state).toBe(PENDING);
    expect((await ask(held())).state).toBe(QUEUE_FULL);
    time += HOUR;
    expect((await ask(held())).state).toBe(PENDING);
  });

  test('what it says is deleted when its time is over, and later that it was', async () => {
    await enter();
    await answer(reviewer('lea'), true, 'fine');
    time += LEGAL.milliseconds + TEXT_KEPT_MS - 1;
    const kept = () => reviewsFor(context, reviewer('lea'), { policy, all: true });
    const [{ id } = { id: 0 }] = await kept();
    await forgetOldReviews(context);
    expect((await reviewFor(context, reviewer('lea'), id)).messages).toContain('sign it');
    time += 1;
    await forgetOldReviews(context);
    expect(await reviewFor(context, reviewer('lea'), id)).toMatchObject({
      messages: '',
      verdicts: [{ reason: 'fine' }],
    });
    time += ENTRY_KEPT_MS - TEXT_KEPT_MS - 1;
    await forgetOldReviews(context);
    expect(await kept()).toHaveLength(1);
    time += 1;
    await forgetOldReviews(context);
    expect(await kept()).toEqual([]);
    expect(await database.query('select * from review_verdicts where review = $1', [id])).toEqual([]);
  });

  test.each([
    ['a binding that is none', { binding: Uint8Array.of(1) }],
    ['an exchange that is none', { exchange: Uint8Array.of(1) }],
    ['a ticket that is none', { ticket: 'x' }],
    ['no hold', { holds: [] }],
    ['no approvals', { holds: [{ ...LEGAL, approvals: 0 }] }],
    ['no time', { holds: [{ ...LEGAL, milliseconds: 0 }] }],
    ['a caller without end', { callerId: 'x'.repeat(5_000) }],
  ] as const)('%s is refused', async (_, more) => {
    await expect(ask(held(more as Asked))).rejects.toMatchObject({ code: 'malformed' });
  });
});

describe('over mTLS', () => {
  let control: TestControlPlane;
  const call = { timeoutMs: 10_000 };
  const lea = reviewer('lea');

  beforeAll(async () => {
    control = await startTestControlPlane();
    await unaryCall(control.client(admin), Admin.method.push, testRelease(testBundle('reviews'), 1), call);
  });
  afterAll(() => control.stop());

  const ask = (role: Role, policy = 'acme') =>
    unaryCall(control.client(role), Reviews.method.ask, { policy, held: held() }, call);

  test('nodes ask, reviewers answer, and nobody does what is the others’', async () => {
    expect((await ask(node('n1'))).state).toBe(PENDING);
    for (const role of [admin, lea]) await expect(ask(role)).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    for (const role of [admin, node('n1')])
      await expect(unaryCall(control.client(role), ReviewDesk.method.list, {}, call)).rejects.toMatchObject({
        code: status.PERMISSION_DENIED,
      });
    const client = control.client(lea);
    const { reviews } = await unaryCall(client, ReviewDesk.method.list, { policy: 'acme' }, call);
    expect(reviews).toMatchObject([{ callerId: 'u1', state: 'pending', messages: '' }]);
    const { id } = reviews[0]!;
    expect((await unaryCall(client, ReviewDesk.method.show, { id }, call)).messages).toContain('sign it');
    const request = { id, approve: true, reason: 'ok' };
    expect((await unaryCall(client, ReviewDesk.method.decide, request, call)).state).toBe('approved');
    await expect(unaryCall(client, ReviewDesk.method.decide, request, call)).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
    });
    const stranger = control.client(reviewer('sam', ['sec']));
    await expect(unaryCall(stranger, ReviewDesk.method.show, { id }, call)).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  test('a policy that is not in force has no queue', async () => {
    await expect(ask(node('n1'), 'other')).rejects.toMatchObject({ code: status.FAILED_PRECONDITION });
  });

  test('nothing of a request is in a log or a metric', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${control.plane.ports.http}/metrics`)).text();
    expect(metrics).toContain('writ_control_plane_reviews_open{policy="acme",kind="hold"} 1');
    for (const said of [metrics, control.logged.join('\n')]) {
      expect(said).not.toContain('sign it');
      expect(said).not.toContain('u1');
    }
  });
});
