// Budgets of the filter in Envoy, with Envoy's stand-in: several workers spend from one grant, and a sidecar of the
// test's own grants of one pool. The upstream's truth is counted here.
import { beforeAll, describe, expect, test } from 'vitest';
import type { HeaderPair } from '../../filters/host/header-pairs.ts';
import type { GrpcCall } from './envoy-host.ts';
import { SharedData, Worker } from './envoy-host.ts';
import { CONFIGURATION, chat, filterWasmOf, headersFor } from './filter-under-test.ts';
import { BUDGET_SOURCE, costOf, LEASE_MS, LIMIT, OUTPUT_TOKENS, Pool, usage } from './grant-pool.ts';

const OK = 0;
const REPLY: readonly HeaderPair[] = [
  [':status', '200'],
  ['content-type', 'application/json'],
];

let wasm: Uint8Array;

beforeAll(async () => {
  wasm = await filterWasmOf(BUDGET_SOURCE);
});

const body = chat('May I?');

interface Setup {
  readonly pool: Pool;
  readonly shared: SharedData;
  readonly workers: readonly Worker[];
  /** Answers what has been asked; whether there was something. */
  readonly answerOne: () => boolean;
  readonly failOne: () => boolean;
  readonly clock: { now: number };
}

function setUp(share: number, { workers = 2, contention = 3 } = {}): Setup {
  const clock = { now: 1_800_000_000_000 };
  const pool = new Pool(share);
  const shared = new SharedData(contention);
  const asked: { call: GrpcCall; worker: Worker }[] = [];
  const take = (use: (asked: { call: GrpcCall; worker: Worker }) => void) => (): boolean => {
    const next = asked.shift();
    if (next !== undefined) use(next);
    return next !== undefined;
  };
  const options = {
    configuration: CONFIGURATION,
    shared,
    now: () => clock.now,
    grpc: (call: GrpcCall, worker: Worker) => (asked.push({ call, worker }), OK),
  };
  return {
    pool,
    shared,
    clock,
    workers: Array.from({ length: workers }, () => new Worker(wasm, options)),
    answerOne: take(({ call, worker }) => worker.answerGrpc(call, pool.answer(call))),
    failOne: take(({ call, worker }) => worker.failGrpc(call)),
  };
}

type Stream = ReturnType<Worker['request']>;

function wholeExchange(worker: Worker, answerOne: () => boolean): Stream {
  const stream = worker.request(headersFor(body), [body]);
  while (answerOne());
  worker.reply(stream, REPLY, [usage(1)]);
  worker.end(stream);
  return stream;
}

test('a request reads a grant of Envoy once, and its settlement once more', () => {
  const { workers, answerOne, shared } = setUp(LIMIT, { workers: 1, contention: 0 });
  const exchange = (): [request: number, end: number] => {
    const before = shared.reads;
    const stream = workers[0]!.request(headersFor(body), [body]);
    while (answerOne());
    workers[0]!.reply(stream, REPLY, [usage(1)]);
    const between = shared.reads;
    workers[0]!.end(stream);
    return [between - before, shared.reads - between];
  };
  exchange();
  expect(exchange()).toEqual([1, 1]);
});

describe.each([1_000, 30_000, LIMIT])('a cap, granted in shares of %d', (share) => {
  test('holds over workers, is used up, and is told to the micro-unit', () => {
    const { pool, workers, answerOne, clock } = setUp(share);
    let truth = 0;
    let denied = 0;
    let forwarded = 0;
    const open: { worker: Worker; stream: Stream }[] = [];
    for (let turn = 0; denied < 50 && turn < 20_000; turn++) {
      clock.now += 3;
      const worker = workers[turn % workers.length]!;
      const stream = worker.request(headersFor(body), [body]);
      while (answerOne());
      if (stream.local !== undefined) {
        expect(stream.local.status).toBe(429);
        denied++;
        worker.end(stream);
      } else {
        expect(stream.continued).toEqual([0]);
        forwarded++;
        open.push({ worker, stream });
      }
      // Some are in flight at any time; the oldest ends.
      if (open.length > 5 || stream.local !== undefined) {
        const oldest = open.shift();
        if (oldest === undefined) continue;
        const tokens = turn % (OUTPUT_TOKENS + 1);
        truth += costOf(tokens);
        oldest.worker.reply(oldest.stream, REPLY, [usage(tokens)]);
        oldest.worker.end(oldest.stream);
      }
      expect(truth).toBeLessThanOrEqual(pool.given);
      expect(pool.given).toBeLessThanOrEqual(LIMIT);
    }
    expect(denied).toBe(50);
    expect(forwarded).toBeGreaterThan(20);
    expect(truth).toBeGreaterThanOrEqual(LIMIT * 0.9);
    clock.now += 2_000;
    for (const worker of workers) worker.tick();
    while (answerOne());
    const told = [...pool.grants.values()].reduce((sum, { spent }) => sum + spent, 0);
    expect(open).toEqual([]);
    expect(told).toBe(truth);
  });
});

test('a request whose usage is not told is charged what was set aside', () => {
  const { pool, workers, answerOne, clock } = setUp(LIMIT);
  const worker = workers[0]!;
  const stream = worker.request(headersFor(body), [body]);
  while (answerOne());
  expect(stream.continued).toEqual([0]);
  worker.end(stream);
  clock.now += 2_000;
  worker.tick();
  while (answerOne());
  // 40 tokens of the reply at 100, and those of the prompt.
  expect(pool.grants.get(1n)?.spent).toBeGreaterThan(OUTPUT_TOKENS * 100);
});

test('a sidecar that does not answer denies, and one client that has gone spends nothing', () => {
  const { pool, workers, failOne, answerOne, clock } = setUp(LIMIT);
  const worker = workers[0]!;
  const stream = worker.request(headersFor(body), [body]);
  expect(stream.continued).toEqual([]);
  expect(failOne()).toBe(true);
  expect(stream.local?.status).toBeGreaterThanOrEqual(403);
  worker.end(stream);
  clock.now += 10_000;
  const gone = worker.request(headersFor(body), [body]);
  worker.end(gone);
  while (answerOne());
  clock.now += 2_000;
  worker.tick();
  while (answerOne());
  expect([...pool.grants.values()].reduce((sum, { spent }) => sum + spent, 0)).toBe(0);
});

test('a grant that nobody uses goes back, and one whose time is over is not spent from', () => {
  const { pool, workers, answerOne, clock } = setUp(LIMIT);
  const worker = workers[0]!;
  const exchange = (): Stream => wholeExchange(worker, answerOne);
  expect(exchange().continued).toEqual([0]);
  // A worker reports, and renews, every now and then; after half a minute the grant goes back.
  for (let second = 0; second < 60; second++) {
    clock.now += 1_000;
    for (const each of workers) each.tick();
    while (answerOne());
  }
  expect(pool.grants.get(1n)).toMatchObject({ isOver: true, spent: 300 });
  expect(pool.given).toBe(300);
  expect(exchange().continued).toEqual([0]);
  const number = Math.max(...[...pool.grants.keys()].map(Number));
  expect(number).toBeGreaterThan(1);
  clock.now += LEASE_MS + 1;
  expect(exchange().continued).toEqual([0]);
  expect(Math.max(...[...pool.grants.keys()].map(Number))).toBeGreaterThan(number);
});

test('a request asks again of a budget of which the last answer, to nobody in particular, knew nothing', () => {
  const { pool, workers, answerOne, clock } = setUp(LIMIT, { workers: 1 });
  pool.knowsWhatIsHeld = true;
  const worker = workers[0]!;
  const exchange = (): Stream => wholeExchange(worker, answerOne);
  expect(exchange().continued).toEqual([0]);
  for (let second = 0; second < 60 && pool.grants.get(1n)?.isOver === false; second++) {
    clock.now += 1_000;
    worker.tick();
    while (answerOne());
  }
  expect(pool.grants.get(1n)?.isOver).toBe(true);
  expect(exchange().continued).toEqual([0]);
});

test('where nothing can be known, not every request waits to hear so', () => {
  const { pool, workers, answerOne, clock } = setUp(LIMIT, { workers: 1 });
  pool.isRetired = true;
  const ask = (): number => {
    const before = pool.calls;
    const stream = workers[0]!.request(headersFor(body), [body]);
    while (answerOne());
    expect(stream.local?.status).toBeGreaterThanOrEqual(403);
    workers[0]!.end(stream);
    return pool.calls - before;
  };
  expect([ask(), ask(), ask()]).toEqual([1, 0, 0]);
  clock.now += 1_500;
  expect([ask(), ask()]).toEqual([1, 0]);
});
