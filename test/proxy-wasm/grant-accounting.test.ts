// What the filter tells of its grants, where calls are lost, repeated, late and out of order, and two to four workers
// change the same shared data: what is charged is never less than what was spent, and the same once all is told.
import { beforeAll, expect, test } from 'vitest';
import type { HeaderPair } from '../../filters/host/header-pairs.ts';
import { randomFrom, seedOfRun } from '../differential/random.ts';
import type { GrpcCall } from './envoy-host.ts';
import { SharedData, Worker } from './envoy-host.ts';
import { CONFIGURATION, chat, filterWasmOf, headersFor } from './filter-under-test.ts';
import { BUDGET_SOURCE, costOf, LIMIT, OUTPUT_TOKENS, Pool, usage } from './grant-pool.ts';

const SEED = seedOfRun();
const RUNS = 12;
const TURNS = 400;
const OK = 0;
/** A call that is not answered for so long has failed: Envoy gives it up. */
const CALL_MS_MAX = 5_000;
const REPLY: readonly HeaderPair[] = [
  [':status', '200'],
  ['content-type', 'application/json'],
];
const body = chat('May I?');

let wasm: Uint8Array;
beforeAll(async () => {
  wasm = await filterWasmOf(BUDGET_SOURCE);
});

interface Asked {
  readonly call: GrpcCall;
  readonly worker: Worker;
  readonly at: number;
}

function simulate(seed: number) {
  const random = randomFrom(seed);
  const clock = { now: 1_800_000_000_000 };
  const pool = new Pool(random.pick([2_000, 9_000, 40_000]));
  const shared = new SharedData(random.pick([0, 2, 3, 7]));
  const asked: Asked[] = [];
  const options = {
    configuration: CONFIGURATION,
    shared,
    now: () => clock.now,
    grpc: (call: GrpcCall, worker: Worker) => (asked.push({ call, worker, at: clock.now }), OK),
  };
  const workers = Array.from({ length: random.int(2, 4) }, () => new Worker(wasm, options));
  /** Calls that the sidecar gets a second time, later than others. */
  const echoes: GrpcCall[] = [];
  const deliver = ({ call, worker }: Asked): void => {
    if (random.chance(0.1)) echoes.push(call);
    // Lost on the way, or answered and the answer lost: the totals of the next call make it good.
    if (random.chance(0.1)) return worker.failGrpc(call);
    const answer = pool.answer(call);
    if (random.chance(0.1)) return worker.failGrpc(call);
    worker.answerGrpc(call, answer);
    if (random.chance(0.1)) worker.answerGrpc(call, answer);
  };
  const open: { worker: Worker; stream: ReturnType<Worker['request']> }[] = [];
  let truth = 0;
  const end = (at: number): void => {
    const [{ worker, stream }] = open.splice(at, 1) as [(typeof open)[0]];
    if (stream.continued.length === 0 && stream.local === undefined) return worker.end(stream);
    if (stream.local === undefined) {
      const tokens = random.int(0, OUTPUT_TOKENS);
      truth += costOf(tokens);
      worker.reply(stream, REPLY, [usage(tokens)]);
    }
    worker.end(stream);
  };
  const settle = (seconds: number): void => {
    for (let second = 0; second < seconds; second++) {
      clock.now += 1_000;
      for (const worker of workers) worker.tick();
      for (const { call, worker } of asked.splice(0)) worker.answerGrpc(call, pool.answer(call));
    }
  };
  return { random, clock, pool, asked, workers, echoes, deliver, open, end, settle, truth: () => truth };
}

test.each(Array.from({ length: RUNS }, (_, run) => SEED + run))(
  'nothing is charged twice, and nothing is lost, seed %i',
  (seed) => {
    const { random, clock, pool, asked, workers, echoes, deliver, open, end, settle, truth } = simulate(seed);
    for (let turn = 0; turn < TURNS; turn++) {
      clock.now += random.int(0, 199);
      const worker = random.pick(workers);
      open.push({ worker, stream: worker.request(headersFor(body), [body]) });
      while (asked.length > 0 && random.chance(0.7))
        deliver(asked.splice(random.int(0, asked.length - 1), 1)[0] as Asked);
      for (const late of asked.splice(0))
        if (clock.now - late.at > CALL_MS_MAX) late.worker.failGrpc(late.call);
        else asked.push(late);
      if (echoes.length > 0 && random.chance(0.3)) pool.answer(echoes.shift() as GrpcCall);
      if (random.chance(0.1)) random.pick(workers).tick();
      while (open.length > 6) end(random.int(0, open.length - 1));
      expect(truth()).toBeLessThanOrEqual(pool.given);
      expect(pool.given).toBeLessThanOrEqual(LIMIT);
    }
    for (const { call, worker } of asked.splice(0)) worker.failGrpc(call);
    while (open.length > 0) end(0);
    expect(truth()).toBeGreaterThan(0);
    // One call a second tells what changed, whatever was lost before: not only the one after.
    settle(3);
    const told = [...pool.grants.values()].reduce((sum, { spent }) => sum + spent, 0);
    expect(told).toBe(truth());
    // Whatever was held goes back, and nothing but what was spent stays charged.
    pool.isRetired = true;
    settle(4);
    expect(pool.given).toBe(truth());
    const [worker] = workers as [Worker];
    const refused = worker.request(headersFor(body), [body]);
    settle(1);
    expect(refused.local?.status).toBeGreaterThanOrEqual(403);
    expect(refused.continued).toEqual([]);
    pool.isRetired = false;
    settle(1);
    const allowed = worker.request(headersFor(body), [body]);
    settle(1);
    expect(allowed.continued).toEqual(truth() > LIMIT - 10_000 ? [] : [0]);
  },
);

test('what is settled while a call is under way is told by the next', () => {
  const { clock, pool, asked, workers, settle } = simulate(1);
  const [worker] = workers as [Worker];
  const stream = worker.request(headersFor(body), [body]);
  settle(2);
  expect(stream.continued).toEqual([0]);
  clock.now += 3_000;
  worker.tick();
  const [underWay] = asked.splice(0) as [Asked];
  const answer = pool.answer(underWay.call);
  worker.reply(stream, REPLY, [usage(7)]);
  worker.end(stream);
  worker.answerGrpc(underWay.call, answer);
  clock.now += 1_000;
  worker.tick();
  for (const { call } of asked.splice(0)) pool.answer(call);
  expect(pool.grants.get(1n)?.spent).toBe(costOf(7));
});
