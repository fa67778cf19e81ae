// Budgets through the whole path: control plane, sidecar, Envoy and kernel. What was spent is recomputed from the usage
// that the upstream itself told.
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import { DOORS } from '../../proto/door.ts';
import { NoticeDesk } from '../../proto/gen/writ/v1/notices_pb.ts';
import { unaryCall } from '../../proto/grpc-call.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { addressFor, admin, bundleKey, startTestControlPlane } from '../control-plane/fixtures.ts';
import type { TestControlPlane } from '../control-plane/fixtures.ts';
import type { Mesh } from './mesh.ts';
import { POLICY, startMesh } from './mesh.ts';
import { OPEN_POLICY } from './open-policy.ts';
import { policyWasm } from './policy-wasm.ts';
import { settles } from './settles.ts';
import type { Upstream } from './upstream.ts';
import { startUpstream } from './upstream.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';

const KEY = `sk-${randomBytes(16).toString('hex')}`;
const OTHER_KEY = `sk-${randomBytes(16).toString('hex')}`;
const HEADERS = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` };
const CALL = { timeoutMs: 10_000 };
/** Micro-units. */
const LIMIT = 200_000;
const INPUT_PRICE = 10;
const OUTPUT_PRICE = 100;
const OUTPUT_TOKENS = 40;

const MODEL = `${OPEN_POLICY}caller { id : text from claim "sub" }
models { }
model m "m" { provider: openai input_price: ${INPUT_PRICE} usd per 1M tokens output_price: ${OUTPUT_PRICE} usd per 1M tokens context: 4_096 tokens max_output: ${OUTPUT_TOKENS} tokens }
`;

/** A new name is a new budget, with nothing spent. */
const source = (
  budget: string,
): string => `${MODEL}budget ${budget} limit ${LIMIT / 1_000_000} usd per day in "UTC" else deny "The budget is used up"
`;

let plane: TestControlPlane;
let port: number;
let upstream: Upstream;
let mesh: Mesh;
let spent = 0;
let tokens = 0;
let delayMs = 0;
let sequence = 0;

const deployment = (): object => ({
  models: { m: { url: `http://127.0.0.1:${upstream.port}` } },
  identity: {
    apiKeys: [
      { key: KEY, sub: 'u1@acme.example' },
      { key: OTHER_KEY, sub: 'u2@acme.example' },
    ].map(({ key, sub }) => ({ sha256: createHash('sha256').update(key).digest('hex'), claims: { sub } })),
  },
});

describe.each(DOORS)('through the door %s', (door) => {
  beforeAll(async () => {
    upstream = await startUpstream(({ body }) => {
      const completion_tokens = 10 + (upstream.received.length % 20);
      const prompt_tokens = 20;
      tokens += prompt_tokens + completion_tokens;
      spent += prompt_tokens * INPUT_PRICE + completion_tokens * OUTPUT_PRICE;
      const usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
      const choice = { index: 0, finish_reason: 'stop' };
      if (body.includes('"stream":true')) {
        const frame = (more: object): string =>
          `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...more })}\n\n`;
        return {
          headers: { 'content-type': 'text/event-stream' },
          body: [
            frame({ choices: [{ index: 0, delta: { content: 'yes' }, finish_reason: null }] }),
            delayMs,
            frame({ choices: [{ ...choice, delta: {} }] }),
            frame({ choices: [], usage }),
            'data: [DONE]\n\n',
          ],
        };
      }
      return {
        body: [
          delayMs,
          JSON.stringify({
            id: 'c',
            object: 'chat.completion',
            created: 1,
            model: 'm',
            choices: [{ ...choice, message: { role: 'assistant', content: 'yes' } }],
            usage,
          }),
        ],
      };
    });
    port = await freePort();
    plane = await startTestControlPlane({ port });
    sequence = 0;
    const { plan, wasm } = await policyWasm(source('first'), deployment());
    mesh = await startMesh({
      plan,
      wasm,
      deployment: deployment(),
      door,
      loadFilter,
      key: bundleKey,
      controlPlane: addressFor('node-1', port),
      offers: false,
    });
  });

  afterAll(async () => {
    await mesh?.stop();
    await plane?.stop();
    await upstream?.stop();
  });

  beforeEach(() => {
    spent = 0;
    tokens = 0;
    delayMs = 5;
    upstream.received.length = 0;
  });

  /** A policy with a budget of its own comes into force. */
  async function governBy(budget: string, text = source(budget)): Promise<void> {
    const { plan, wasm } = await policyWasm(text, deployment());
    await unaryCall(plane.client(admin), Admin.method.push, mesh.release(++sequence, { plan, wasm }), CALL);
    await mesh.enforced(sequence);
  }

  const send = (more: object = {}, key = KEY): Promise<Response> =>
    fetch(`${mesh.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'May I?' }], ...more }),
      headers: { ...HEADERS, authorization: `Bearer ${key}` },
    });
  const ask = async (more: object = {}, key = KEY): Promise<number> => {
    const response = await send(more, key);
    await response.text();
    return response.status;
  };

  /** A refused client tries again after it, where a refusal may only say that money was late. */
  const PATIENCE_MS = 400;

  /** Inside Envoy a request waits for money 200 ms and no longer: on a busy machine the first share may come later. */
  const hasMoney = (): Promise<void> => settles(async () => (await ask()) === 200);

  /** Asks with so many clients at once until each has been refused. */
  async function spendAll(
    clients: number,
    more: (client: number) => object = () => ({}),
  ): Promise<{ allowed: number; denied: number; others: number[] }> {
    const seen = { allowed: 0, denied: 0, others: [] as number[] };
    await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        for (let denied = 0; denied < (door === 'in_envoy' ? 12 : 3);) {
          const status = await ask(more(client));
          if (status === 200) seen.allowed++;
          else if (status === 429 || status === 403) {
            seen.denied++;
            denied++;
            if (door === 'in_envoy') await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
          } else {
            seen.others.push(status);
            return;
          }
        }
      }),
    );
    return seen;
  }

  const booked = async (budget: string) => {
    const { budgets } = await unaryCall(plane.client(admin), Admin.method.status, { policy: POLICY }, CALL);
    return budgets.find((each) => each.budget === budget);
  };
  const charged = async (budget: string): Promise<number> => Number((await booked(budget))?.chargedMicros ?? -1);

  describe('a cap', () => {
    test('holds at sixteen clients at once, and is used to 90%', async () => {
      await governBy('first');
      const seen = await spendAll(16);
      expect(seen.others).toEqual([]);
      expect(seen.denied).toBeGreaterThan(0);
      expect(upstream.received).toHaveLength(seen.allowed);
      expect(spent).toBeLessThanOrEqual(LIMIT);
      expect(spent).toBeGreaterThanOrEqual(LIMIT * 0.9);
      // The control plane's book says the same, to the micro-unit.
      await settles(async () => (await charged('first')) === spent, 30_000);
    }, 120_000);

    test('holds for streams, of which some clients hang up in the middle', async () => {
      await governBy('second');
      await hasMoney();
      delayMs = 30;
      let hungUp = 0;
      const hangUp = async (): Promise<void> => {
        await hasMoney();
        const abort = new AbortController();
        const response = await fetch(`${mesh.url}/v1/chat/completions`, {
          method: 'POST',
          signal: abort.signal,
          body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'May I?' }] }),
          headers: HEADERS,
        });
        await response.body?.getReader().read();
        if (response.status === 200) hungUp++;
        abort.abort();
      };
      const [seen] = await Promise.all([
        spendAll(8, (client) => ({ stream: client % 2 === 0 })),
        ...Array.from({ length: 6 }, hangUp),
      ]);
      expect(seen.others).toEqual([]);
      expect(hungUp).toBeGreaterThan(0);
      expect(spent).toBeLessThanOrEqual(LIMIT);
      await settles(() => mesh.sidecar().status().exchanges === 0);
      // Whoever hung up is charged what was set aside: at least what the upstream has really counted.
      await settles(async () => (await charged('second')) >= spent, 30_000);
      expect(await charged('second')).toBeLessThanOrEqual(LIMIT);
    }, 120_000);

    test('holds over a restart of the sidecar and of the control plane', async () => {
      await governBy('third');
      await hasMoney();
      for (let count = 0; count < 20; count++) expect(await ask()).toBe(200);
      await mesh.stopSidecar();
      await mesh.restartSidecar();
      await mesh.enforced(sequence);
      await settles(async () => (await ask()) === 200);

      await plane.plane.stop();
      // What is leased may be spent, and no more.
      await spendAll(4);
      expect(spent).toBeLessThanOrEqual(LIMIT);
      plane = await startTestControlPlane({ port, stateFolder: plane.folder });
      await settles(() => mesh.sidecar().status().controlPlane === 'connected', 30_000);
      await settles(async () => (await charged('third')) >= 0);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const seen = await spendAll(4);
      expect(seen.others).toEqual([]);
      expect(seen.denied).toBeGreaterThan(0);
      expect(spent).toBeLessThanOrEqual(LIMIT);
      expect(spent).toBeGreaterThanOrEqual(LIMIT * 0.5);
    }, 180_000);
  });

  test("a denial gives the budget's own reason", async () => {
    await governBy('fourth');
    await spendAll(4);
    const response = await fetch(`${mesh.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'May I?' }] }),
      headers: HEADERS,
    });
    const text = await response.text();
    expect(response.status).toBe(429);
    expect(JSON.parse(text)).toMatchObject({
      error: { type: 'budget_exceeded', message: expect.stringContaining('The budget is used up') },
    });
  }, 60_000);

  test('an account for each caller: one full leaves the other, and nothing of the shared budget is held for whom it denies', async () => {
    const share = 20_000;
    await governBy(
      'person',
      `${MODEL}budget person for each caller.id limit ${share / 1_000_000} usd per day in "UTC" else deny "Your share is used up"
budget everyone limit ${LIMIT / 1_000_000} usd per day in "UTC" else deny "All is used up"
`,
    );
    await hasMoney();
    for (let denied = 0; denied < 8;) {
      const status = await ask();
      expect([200, 429]).toContain(status);
      if (status === 429) denied++;
      else denied = 0;
      if (status === 429) await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    }
    const first = spent;
    expect(first).toBeLessThanOrEqual(share);
    expect(first).toBeGreaterThanOrEqual(share * 0.5);
    // The other has all of their own.
    await settles(async () => (await ask({}, OTHER_KEY)) === 200);
    await settles(async () => (await charged('person')) === spent, 30_000);
    await settles(async () => (await charged('everyone')) === spent, 30_000);
    expect(await booked('person')).toMatchObject({ each: true, accounts: 2n, limitMicros: BigInt(share) });

    // With nobody to ask, what is leased may be spent, and who has nothing leased is denied.
    await plane.plane.stop();
    expect(await ask()).not.toBe(200);
    const metrics = await (await fetch(`http://127.0.0.1:${mesh.sidecar().adminPort}/metrics`)).text();
    expect(metrics).toContain('writ_budget_accounts 2');
    expect(metrics).not.toMatch(/#[0-9a-f]{32}|u[12]@/);
    expect(spent).toBeLessThanOrEqual(LIMIT);
    plane = await startTestControlPlane({ port, stateFolder: plane.folder });
    await settles(async () => (await ask({}, OTHER_KEY)) === 200, 30_000);
  }, 120_000);

  test('a rate: one request too many is denied with the time until the next hour, and only its caller is', async () => {
    const most = 5;
    await governBy(
      'pace',
      `${MODEL}rate pace for each caller.id limit ${most} requests per hour else deny "Please wait"
rate volume limit 100_000 tokens per day
`,
    );
    await settles(async () => (await ask({}, OTHER_KEY)) === 200);
    let passed = 0;
    let patience = 4;
    while (patience > 0 && passed <= most) {
      const response = await send();
      const answer: unknown = await response.json();
      if (response.status === 200) passed++;
      else {
        expect(response.status).toBe(429);
        patience--;
        await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
        const left = Number(response.headers.get('retry-after'));
        const untilNextHour = (3_600_000 - (Date.now() % 3_600_000)) / 1_000;
        expect(Math.abs(left - untilNextHour)).toBeLessThan(5);
        expect(answer).toMatchObject({
          error: { type: 'rate_limit_exceeded', message: expect.stringMatching(/^Please wait \(rate pace: /) },
        });
      }
    }
    expect(passed).toBe(most);
    expect(await ask({}, OTHER_KEY)).toBe(200);
    await settles(async () => Number((await booked('pace'))?.chargedMicros ?? -1n) === most + 2, 30_000);
    expect(await booked('pace')).toMatchObject({
      counts: 'requests',
      each: true,
      accounts: 2n,
      limitMicros: BigInt(most),
    });
    await settles(async () => Number((await booked('volume'))?.chargedMicros ?? -1n) === tokens, 30_000);
  }, 60_000);

  test('who is to be told is told once, by signed messages, of the budget that is full and of a rule; one that hangs delays nobody', async () => {
    const clock = { ahead: 0 };
    const now = (): number => Date.now() + clock.ahead;
    const receiver = await startWebhookReceiver(now);
    const restart = async (): Promise<void> => {
      await plane.plane.stop();
      plane = await startTestControlPlane({ port, stateFolder: plane.folder, webhooks: receiver.webhooks, now });
      await settles(() => mesh.sidecar().status().controlPlane === 'connected', 30_000);
    };
    try {
      await restart();
      const share = 20_000;
      await governBy(
        'notified',
        `${MODEL}recipient desk by webhook "desk"
recipient board by webhook "stuck"
rule seen "Somebody has asked" on prompt notify desk
budget small for each caller.id limit ${share / 1_000_000} usd per day in "UTC" at 10 percent notify board at 20 percent notify desk at 40 percent notify desk
budget large limit ${LIMIT / 1_000_000} usd per day in "UTC" at 99 percent notify desk
`,
      );
      let asked = 0;
      for (let denied = 0; denied < 4; asked++) {
        const status = await ask();
        expect([200, 429]).toContain(status);
        if (status === 429) denied++;
        if (status === 429) await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
      }
      expect(spent).toBeLessThanOrEqual(share);
      const of = (type: string) => receiver.desk.filter(({ body }) => body.type === type).map(({ body }) => body.data);
      await settles(() => of('writ.budget.threshold').length >= 2 && receiver.stuck.length > 0, 30_000);
      expect(of('writ.budget.threshold').map(({ budget, percent }) => [budget, percent])).toEqual([
        ['small', 20],
        ['small', 40],
      ]);
      // Another process tells under the same id what nobody has taken.
      await restart();
      await settles(() => receiver.stuck.length > 1, 30_000);
      expect(new Set(receiver.stuck).size).toBe(1);
      const { notices } = await unaryCall(plane.client(admin), NoticeDesk.method.list, { policy: POLICY }, CALL);
      expect(notices.filter(({ recipient }) => recipient === 'board')).toMatchObject([
        { kind: 'budget', name: 'small', percent: 10, state: 'waiting', addressed: true },
      ]);
      // At the end of these minutes the desk hears how often the rule has fired; also where no model was left.
      clock.ahead = 6 * 60_000;
      const fired = (): number => of('writ.rule.fired').reduce((sum, { count }) => sum + Number(count), 0);
      await settles(() => fired() >= asked, 30_000);
      expect(fired()).toBe(asked);
      expect(receiver.desk.every(({ isSigned }) => isSigned)).toBe(true);
      expect(new Set(receiver.desk.map(({ id }) => id)).size).toBe(receiver.desk.length);
      expect(JSON.stringify(receiver.desk)).not.toMatch(/u1@|May I|#[0-9a-f]{32}/);
    } finally {
      await receiver.stop();
    }
  }, 120_000);
});
