// Notices at the control plane, on a clock that the test sets: what is told once, under which id and how it is signed;
// what is tried again and when; that one webhook which hangs, or is away, holds up nobody else; and what is forgotten.
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RuleNotices } from '../../compiler/bundle/notice-terms.ts';
import { NoticeDelivery, POLL_MS } from '../../control-plane/notices/delivery.ts';
import {
  enterFirings,
  FIRINGS_MAX,
  FiringsRefusal,
  NOTICES_WAITING_MAX,
} from '../../control-plane/notices/enter-firings.ts';
import { bodyOf, type NoticeSubject, RULE_WINDOW_MS } from '../../control-plane/notices/notice.ts';
import { afterAttempt, type AttemptOutcome, RETRY_MS } from '../../control-plane/notices/outbox.ts';
import { readWebhooks, webhookHeaders, WEBHOOKS_MAX, WebhooksError } from '../../control-plane/notices/webhook.ts';
import type { Database } from '../../control-plane/store/database.ts';
import {
  dueNotices,
  enterOnce,
  forgetNotices,
  newNoticeId,
  NOTICE_KEPT_MS,
  noticeCounts,
  openNotices,
  settleNotice,
  WAITING_MS_MAX,
} from '../../control-plane/store/notice-store.ts';
import { openPglite } from '../../control-plane/store/open-pglite.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const NOON = Date.parse('2026-11-29T12:00:00Z');
const LATER = { kind: 'failed', why: 'http_500' } as const;

const folder = mkdtempSync(join(tmpdir(), 'writ-notices-'));
let database: Database;
beforeAll(async () => {
  database = await openPglite(folder);
});
afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

const webhooks = (...names: readonly string[]) =>
  readWebhooks(
    JSON.stringify(
      Object.fromEntries(names.map((name) => [name, { url: `https://${name}.example/in`, secret: SECRET }])),
    ),
  );

describe('a webhook', () => {
  const one = (url: string, secret = SECRET) => readWebhooks(JSON.stringify({ desk: { url, secret } }));

  test('is signed as Standard Webhooks say: the vector of their own libraries', () => {
    const body = '{"test": 2432232314}';
    expect(
      webhookHeaders(webhooks('desk').get('desk')!, {
        id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        now: 1_614_265_330_999,
        body,
      }),
    ).toEqual({
      'content-type': 'application/json',
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  test.each([
    ['plain HTTP', () => one('http://hooks.example/in')],
    ['no URL', () => one('hooks.example')],
    ['another scheme', () => one('file:///etc/passwd')],
    ['a password in its URL', () => one('https://me:secret@hooks.example/')],
    ['a short secret', () => one('https://hooks.example/', 'whsec_c2hvcnQ=')],
    ['a secret of another form', () => one('https://hooks.example/', SECRET.slice(6))],
    ['a secret that is no base64', () => one('https://hooks.example/', `whsec_${'!'.repeat(40)}`)],
    ['more than it should say', () => readWebhooks('{"desk":{"url":"https://a.example","secret":"x","to":"b"}}')],
    ['no object', () => readWebhooks('[]')],
    ['no JSON', () => readWebhooks('{')],
    ['too many', () => webhooks(...Array.from({ length: WEBHOOKS_MAX + 1 }, (_, at) => `hook-${at}`))],
  ])('with %s is refused', (_, read) => expect(read).toThrow(WebhooksError));

  test('may be on this machine, and never shows its secret', () => {
    const found = one('http://127.0.0.1:9000/in').get('desk')!;
    expect(found.url).toBe('http://127.0.0.1:9000/in');
    expect(`${String(found.secret)}${JSON.stringify(found)}`).not.toContain(SECRET.slice(6));
    expect(() => one('https://hooks.example/', `${SECRET} `)).toThrow(/^(?!.*MfKQ9r8).*$/);
    expect(webhooks(...Array.from({ length: WEBHOOKS_MAX }, (_, at) => `hook-${at}`)).size).toBe(WEBHOOKS_MAX);
  });
});

test('an attempt that fails is made again, later each time, and at last never', () => {
  let attempts = 0;
  let at = NOON;
  for (const wait of RETRY_MS) {
    const change = afterAttempt(attempts, LATER, at);
    expect(change).toEqual({
      state: 'waiting',
      attempts: attempts + 1,
      nextAt: at + wait,
      failure: 'http_500',
    });
    attempts = change.attempts;
    at = change.nextAt;
  }
  expect(afterAttempt(attempts, LATER, at)).toMatchObject({ state: 'failed', attempts: RETRY_MS.length + 1 });
  expect(at - NOON).toBe(RETRY_MS.reduce((sum, each) => sum + each, 0));
  expect(afterAttempt(3, { kind: 'taken' }, at)).toEqual({ state: 'sent', attempts: 4, nextAt: at, failure: '' });
});

const subject = (changes: Partial<NoticeSubject> = {}): NoticeSubject => ({
  policy: 'told',
  recipient: 'desk',
  webhook: 'desk',
  kind: 'budget',
  name: 'month',
  percent: 80,
  from: NOON,
  to: NOON + 3_600_000,
  ...changes,
});

/** A delivery whose clock and network are the test's. */
function office(names: readonly string[], start = NOON) {
  const clock = { now: start };
  const posts: { readonly url: string; readonly id: string; readonly body: string; readonly valid: boolean }[] = [];
  const answers = new Map<string, () => Promise<AttemptOutcome>>();
  const logged: string[] = [];
  const results: string[] = [];
  let look: (() => void) | undefined;
  const delivery = new NoticeDelivery({
    webhooks: webhooks(...names),
    store: {
      due: (now) => dueNotices(database, now),
      settle: (id, change) => settleNotice(database, id, change),
    },
    post: (url, headers, body, stop) => {
      const [id = '', seconds] = [headers['webhook-id'], headers['webhook-timestamp']];
      const signed = createHmac('sha256', Buffer.from(SECRET.slice(6), 'base64'))
        .update(`${id}.${seconds}.${body}`)
        .digest('base64');
      posts.push({ url, id, body, valid: headers['webhook-signature'] === `v1,${signed}` });
      const answer = answers.get(new URL(url).hostname.split('.')[0]!) ?? (async () => ({ kind: 'taken' }) as const);
      const stopped = new Promise<AttemptOutcome>((resolve) =>
        stop.addEventListener('abort', () => resolve({ kind: 'failed', why: 'unreachable' })),
      );
      return Promise.race([answer(), stopped]);
    },
    now: () => clock.now,
    later: (action, ms) => {
      expect(ms).toBe(POLL_MS);
      look = action;
      return () => (look = undefined);
    },
    onAttempt: (result) => results.push(result),
    log: (message) => logged.push(message),
  });
  delivery.start();
  /** Looks once, and lets what can end do so. */
  const poll = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) {
      const action = look;
      look = undefined;
      action?.();
      for (let wait = 0; wait < 200 && look === undefined; wait++)
        await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return { clock, posts, answers, logged, results, poll, delivery };
}

describe('telling', () => {
  test('is done once, with what it is about and nothing else', async () => {
    const policy = 'once';
    for (let turn = 0; turn < 3; turn++) await enterOnce(database, newNoticeId(), subject({ policy }), NOON + turn);
    const { posts, poll, delivery } = office(['desk']);
    await poll();
    await poll();
    await delivery.stop();
    expect(posts.map(({ url, valid }) => [url, valid])).toEqual([['https://desk.example/in', true]]);
    expect(JSON.parse(posts[0]!.body)).toEqual({
      type: 'writ.budget.threshold',
      timestamp: '2026-11-29T12:00:00.000Z',
      data: {
        policy,
        recipient: 'desk',
        budget: 'month',
        percent: 80,
        from: '2026-11-29T12:00:00.000Z',
        to: '2026-11-29T13:00:00.000Z',
      },
    });
    // Told already: another entry of the same is none.
    await enterOnce(database, newNoticeId(), subject({ policy }), NOON);
    const again = office(['desk']);
    await again.poll();
    await again.delivery.stop();
    expect(again.posts).toEqual([]);
  });

  test('of one that hangs holds up no other, and is told under its first id by the next process', async () => {
    const policy = 'hangs';
    await enterOnce(database, newNoticeId(), subject({ policy, webhook: 'stuck', recipient: 'stuck' }), NOON);
    for (const percent of [50, 80])
      await enterOnce(
        database,
        newNoticeId(),
        subject({ policy, webhook: 'quick', recipient: 'quick', percent }),
        NOON,
      );
    const { posts, answers, results, poll, delivery } = office(['stuck', 'quick']);
    answers.set('stuck', () => new Promise(() => undefined));
    await poll();
    await poll();
    expect(posts.filter(({ url }) => url.includes('quick'))).toHaveLength(2);
    expect(posts.filter(({ url }) => url.includes('stuck'))).toHaveLength(1);
    expect(results).toEqual(['taken', 'taken']);
    // Killed in the middle: nothing is noted, and the next process tells it.
    await delivery.stop();
    const next = office(['stuck', 'quick']);
    await next.poll();
    await next.delivery.stop();
    expect(next.posts.map(({ id }) => id)).toEqual([posts.find(({ url }) => url.includes('stuck'))!.id]);
  });

  test('that fails is tried when it is time, under the same id with a new time, and given up in the end', async () => {
    const policy = 'fails';
    await enterOnce(database, newNoticeId(), subject({ policy }), NOON);
    const { clock, posts, answers, results, logged, poll, delivery } = office(['desk']);
    answers.set('desk', async () => LATER);
    await poll();
    expect(posts).toHaveLength(1);
    for (const [at, wait] of RETRY_MS.entries()) {
      clock.now += wait - 1;
      await poll();
      expect(posts).toHaveLength(at + 1);
      clock.now += 1;
      await poll();
      expect(posts).toHaveLength(at + 2);
    }
    await delivery.stop();
    expect(new Set(posts.map(({ id }) => id)).size).toBe(1);
    expect(posts.every(({ valid }) => valid)).toBe(true);
    expect(results.every((result) => result === 'failed')).toBe(true);
    expect(logged).toEqual([expect.stringContaining('http_500; it is given up')]);
    expect(await openNotices(database, policy, 10)).toMatchObject([
      { state: 'failed', failure: 'http_500', attempts: RETRY_MS.length + 1 },
    ]);
  });

  test('waits where the webhook has no address, says so once, and is given up after four days', async () => {
    const policy = 'nowhere';
    await enterOnce(database, newNoticeId(), subject({ policy, webhook: 'unknown' }), NOON);
    const { posts, logged, poll, delivery } = office([]);
    await poll();
    await poll();
    await delivery.stop();
    expect(posts).toEqual([]);
    expect(logged.filter((line) => line.includes('`unknown`'))).toEqual([
      'policy `nowhere` has notices for webhook `unknown`, which has no address here',
    ]);
    await forgetNotices(database, NOON + WAITING_MS_MAX);
    expect(await openNotices(database, policy, 10)).toMatchObject([{ state: 'waiting' }]);
    await forgetNotices(database, NOON + WAITING_MS_MAX + 1);
    expect(await openNotices(database, policy, 10)).toMatchObject([{ state: 'failed', failure: 'no_address' }]);
  });
});

describe('firings', () => {
  const DESK = { recipient: 'desk', webhook: 'rules' };
  const terms: RuleNotices = new Map([
    ['cards', [DESK]],
    ['waiver audit', [DESK, { recipient: 'board', webhook: 'rules' }]],
  ]);
  let policies = 0;
  function bench() {
    const policy = `firing-${policies++}`;
    const clock = { now: NOON + 61_000 };
    const full: string[] = [];
    const context = {
      database,
      ruleNotices: (name: string) => (name === policy ? terms : undefined),
      now: () => clock.now,
      newId: newNoticeId,
      onFull: (name: string) => full.push(name),
    };
    const tell = (totals: Readonly<Record<string, number>>, node = 'n1', incarnation = 'a'.repeat(32), of = policy) =>
      enterFirings(context, {
        policy: of,
        node,
        incarnation,
        firings: Object.entries(totals).map(([rule, total]) => ({ rule, total })),
      });
    const open = () => openNotices(database, policy, 10_000);
    return { policy, clock, tell, open, full };
  }

  test('of one window are one notice a recipient, with how often, over all sidecars', async () => {
    const { policy, clock, tell, open } = bench();
    await tell({ cards: 2, 'waiver audit': 1, other: 5 });
    // Its answer was lost.
    await tell({ cards: 2, 'waiver audit': 1 });
    await tell({ cards: 5 });
    await tell({ cards: 1 }, 'n2');
    // Late, and overtaken.
    await tell({ cards: 3 });
    // Restarted: its totals begin anew.
    await tell({ cards: 1 }, 'n1', 'b'.repeat(32));
    expect((await open()).map(({ kind, name, recipient, count }) => [kind, name, recipient, count]).sort()).toEqual([
      ['rule', 'cards', 'desk', 7],
      ['waiver', 'audit', 'board', 1],
      ['waiver', 'audit', 'desk', 1],
    ]);
    // Not before the window is over.
    clock.now = NOON + RULE_WINDOW_MS;
    expect(await dueNotices(database, clock.now)).not.toContainEqual(expect.objectContaining({ policy }));
    await tell({ cards: 4 }, 'n1', 'b'.repeat(32));
    const cards = (await open()).filter(({ name }) => name === 'cards');
    expect(cards.map(({ count, from, to }) => [count, from, to])).toEqual([
      [7, NOON, NOON + RULE_WINDOW_MS],
      [3, NOON + RULE_WINDOW_MS, NOON + 2 * RULE_WINDOW_MS],
    ]);
    expect(JSON.parse(bodyOf(cards[0]!))).toEqual({
      type: 'writ.rule.fired',
      timestamp: '2026-11-29T12:05:00.000Z',
      data: {
        policy,
        recipient: 'desk',
        rule: 'cards',
        count: 7,
        from: '2026-11-29T12:00:00.000Z',
        to: '2026-11-29T12:05:00.000Z',
      },
    });
  });

  test('of no policy in force, and of rules that tell nobody, are passed over', async () => {
    const { tell, open } = bench();
    await tell({ other: 1 });
    await tell({ cards: 1 }, 'n1', 'a'.repeat(32), 'elsewhere');
    expect(await open()).toEqual([]);
  });

  test('that break the form are refused', async () => {
    const { tell } = bench();
    await expect(tell({ cards: 1 }, 'n1', 'short')).rejects.toThrow(FiringsRefusal);
    await expect(tell({ cards: Number.MAX_SAFE_INTEGER + 2 })).rejects.toThrow(FiringsRefusal);
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`rule-${at}`, 1]));
    await tell(many(FIRINGS_MAX));
    await expect(tell(many(FIRINGS_MAX + 1))).rejects.toThrow(FiringsRefusal);
  });

  test('make no more notices than may wait; those that do count on', async () => {
    const { policy, tell, open, full } = bench();
    await tell({ cards: 1 });
    await database.query(
      `insert into notices (id, policy, recipient, webhook, kind, name, percent, starts_at, ends_at, count, entered_at, next_at)
       select 'full_' || n, $1, 'desk', 'rules', 'rule', 'n' || n, 0, 0, 1, 1, 0, 9e15::bigint from generate_series(2, $2) as n`,
      [policy, NOTICES_WAITING_MAX],
    );
    expect(await open()).toHaveLength(NOTICES_WAITING_MAX);
    await tell({ cards: 3, 'waiver audit': 1 });
    expect(await open()).toHaveLength(NOTICES_WAITING_MAX);
    expect((await open()).find(({ name }) => name === 'cards')?.count).toBe(3);
    expect(full).toEqual([policy, policy]);
    expect(await noticeCounts(database)).toContainEqual({ policy, state: 'waiting', count: NOTICES_WAITING_MAX });
  });

  test('are forgotten a month after, and what is told of a year is known as long as the year', async () => {
    const policy = 'kept';
    const year = subject({ policy, from: NOON, to: NOON + 365 * 86_400_000 });
    const hour = subject({ policy, name: 'hour' });
    for (const each of [year, hour]) {
      const id = newNoticeId();
      await enterOnce(database, id, each, NOON);
      await settleNotice(database, id, afterAttempt(0, LATER, NOON));
      await settleNotice(database, id, { state: 'failed', attempts: 1, nextAt: NOON, failure: 'timeout' });
    }
    await forgetNotices(database, hour.to + NOTICE_KEPT_MS);
    expect(await openNotices(database, policy, 10)).toHaveLength(2);
    await forgetNotices(database, hour.to + NOTICE_KEPT_MS + 1);
    expect((await openNotices(database, policy, 10)).map(({ name }) => name)).toEqual(['month']);
  });
});
