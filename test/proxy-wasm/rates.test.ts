// Rates in the filter inside Envoy, with Envoy's stand-in: what counts, what a denial says and when it ends, and that one
// caller's pace is not another's.
import { createHash } from 'node:crypto';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { beforeAll, expect, test } from 'vitest';
import type { HeaderPair } from '../../filters/host/header-pairs.ts';
import { SyncReplySchema, SyncRequestSchema } from '../../proto/gen/writ/v1/filter_budgets_pb.ts';
import { policyWasm } from '../e2e/policy-wasm.ts';
import type { GrpcCall } from './envoy-host.ts';
import { SharedData, Worker } from './envoy-host.ts';
import { CONFIGURATION, chat, headersFor } from './filter-under-test.ts';
import { PROMPT_TOKENS, usage } from './grant-pool.ts';

const OK = 0;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const KEYS = ['sk-of-one', 'sk-of-another'];
const OUTPUT_TOKENS = 20;
const body = chat('May I?');

let wasm: Uint8Array;
beforeAll(async () => {
  const source = `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
caller { id : text from claim "sub" }
models { }
model m "m" { provider: openai input_price: 10 usd per 1M tokens output_price: 100 usd per 1M tokens context: 4_096 tokens max_output: 40 tokens }
rate pace "One at a time" for each caller.id limit 3 requests per minute else deny "Please wait"
rate volume limit 100_000 tokens per hour
`;
  const apiKeys = KEYS.map((key) => ({
    sha256: createHash('sha256').update(key).digest('hex'),
    claims: { sub: `${key}@acme.example` },
  }));
  ({ wasm } = await policyWasm(source, { models: { m: { url: 'http://127.0.0.1:9' } }, identity: { apiKeys } }));
});

/** A sidecar whose control plane begins a window anew with each minute, and with each hour. */
function setUp(volume = 100_000) {
  const clock = { now: 1_800_000_000_000 + 45_200 };
  const accounts = new Map<string, { granted: number; spent: number; isOver: boolean }[]>();
  const windowOf = (account: string): { key: string; leftMs: number; limit: number } => {
    const length = account.startsWith('pace') ? MINUTE : HOUR;
    const key = `${account} ${Math.floor(clock.now / length)}`;
    return { key, leftMs: length - (clock.now % length), limit: account.startsWith('pace') ? 3 : volume };
  };
  const numbers = new Map<string, { key: string; grant: { granted: number; spent: number; isOver: boolean } }>();
  const answer = (call: GrpcCall, worker: Worker): void => {
    const grants = fromBinary(SyncRequestSchema, call.message).lines.map(
      ({ budget, grant: number, spentMicros, wantedMicros, close }) => {
        const { key, leftMs, limit } = windowOf(budget);
        const name = `${budget} ${number}`;
        const known = numbers.get(name) ?? { key, grant: { granted: 0, spent: 0, isOver: false } };
        if (!numbers.has(name)) accounts.set(key, [...(accounts.get(key) ?? []), known.grant]);
        numbers.set(name, known);
        const { grant } = known;
        grant.spent = Math.max(grant.spent, Number(spentMicros));
        expect(grant.spent).toBeLessThanOrEqual(grant.granted);
        grant.isOver ||= close || known.key !== key;
        const given = (accounts.get(key) ?? []).reduce(
          (sum, each) => sum + (each.isOver ? each.spent : each.granted),
          0,
        );
        if (!grant.isOver) grant.granted += Math.max(0, Math.min(limit - given, Number(wantedMicros) - grant.granted));
        const beyond =
          limit - (accounts.get(key) ?? []).reduce((sum, each) => sum + (each.isOver ? each.spent : each.granted), 0);
        return {
          budget,
          grant: number,
          over: grant.isOver,
          grantedMicros: BigInt(grant.granted),
          leftMs: BigInt(leftMs),
          known: true,
          limitMicros: BigInt(limit),
          beyondMicros: BigInt(Math.max(0, beyond)),
          spentMicros: BigInt(grant.spent),
        };
      },
    );
    worker.answerGrpc(call, toBinary(SyncReplySchema, create(SyncReplySchema, { grants })));
  };
  const asked: GrpcCall[] = [];
  const worker = new Worker(wasm, {
    configuration: CONFIGURATION,
    shared: new SharedData(3),
    now: () => clock.now,
    grpc: (call: GrpcCall) => (asked.push(call), OK),
  });
  const answerAll = (): void => {
    for (let next = asked.shift(); next !== undefined; next = asked.shift()) answer(next, worker);
  };
  const ask = (key: string, status = '200') => {
    const headers = headersFor(body).map(([name, value]): HeaderPair =>
      name === 'authorization' ? [name, `Bearer ${key}`] : [name, value],
    );
    const stream = worker.request(headers, [body]);
    answerAll();
    if (stream.local === undefined)
      worker.reply(
        stream,
        [
          [':status', status],
          ['content-type', 'application/json'],
        ],
        [status === '200' ? usage(OUTPUT_TOKENS) : Buffer.from('{"error":{"message":"no"}}')],
      );
    worker.end(stream);
    return stream.local;
  };
  const tick = (): void => {
    worker.tick();
    answerAll();
  };
  const spentOf = (name: string): number[] =>
    [...accounts]
      .filter(([key]) => key.startsWith(name))
      .map(([, all]) => all.reduce((sum, { spent }) => sum + spent, 0));
  return { ask, tick, clock, spentOf };
}

test('one request too many is denied until the minute ends, with the time until then, and others go on', () => {
  const { ask, clock, spentOf, tick } = setUp();
  const [one, another] = KEYS as [string, string];
  for (let turn = 0; turn < 3; turn++) expect(ask(one)).toBeUndefined();
  for (let turn = 0; turn < 3; turn++) {
    const denied = ask(one);
    expect(denied?.status).toBe(429);
    expect(JSON.parse(denied?.body ?? '')).toEqual({
      error: {
        message: 'Please wait (rate pace: nothing left)',
        type: 'rate_limit_exceeded',
        param: null,
        code: 'writ_denied',
      },
    });
    // 45.2 seconds of the minute have passed.
    expect(denied?.headers).toContainEqual(['retry-after', '15']);
  }
  expect(ask(another)).toBeUndefined();
  clock.now += 14_700;
  expect(ask(one)?.headers).toContainEqual(['retry-after', '1']);
  clock.now += 100;
  expect(ask(one)).toBeUndefined();
  clock.now += 3_000;
  tick();
  // The other's new minute has an account in which nothing is spent.
  expect(spentOf('pace').sort()).toEqual([0, 1, 1, 3]);
});

test('a request counts although the upstream refuses it, and its tokens do not', () => {
  const { ask, clock, spentOf, tick } = setUp();
  const [one] = KEYS as [string, string];
  for (let turn = 0; turn < 3; turn++) expect(ask(one, '422')).toBeUndefined();
  expect(ask(one)?.status).toBe(429);
  clock.now += 3_000;
  tick();
  expect(spentOf('pace')).toEqual([3]);
  expect(spentOf('volume')).toEqual([0]);
});

test('tokens are those of the prompt and of its reply, and the worst case must fit', () => {
  const { ask, clock, spentOf, tick } = setUp();
  for (const key of KEYS) expect(ask(key)).toBeUndefined();
  clock.now += 3_000;
  tick();
  expect(spentOf('volume')).toEqual([2 * (PROMPT_TOKENS + OUTPUT_TOKENS)]);

  const tight = setUp(40);
  const denied = tight.ask(KEYS[0]!);
  expect(denied?.status).toBe(429);
  expect(denied?.body).toContain('rate volume: not enough left for this request');
  // The hour began 45.2 seconds ago.
  expect(denied?.headers).toContainEqual(['retry-after', '3555']);
  expect(tight.spentOf('pace').every((spent) => spent === 0)).toBe(true);
});
