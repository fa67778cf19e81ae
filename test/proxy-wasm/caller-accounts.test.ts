// Accounts of single callers in the filter inside Envoy, with Envoy's stand-in: each has a cap of its own, Envoy's shared
// data does not grow with their number, and nobody's name is in it or in what is told.
import { createHash } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { SyncReplySchema, SyncRequestSchema } from '../../proto/gen/writ/v1/filter_budgets_pb.ts';
import { policyWasm } from '../e2e/policy-wasm.ts';
import type { HeaderPair } from '../../filters/host/header-pairs.ts';
import type { GrpcCall } from './envoy-host.ts';
import { SharedData, Worker } from './envoy-host.ts';
import { CONFIGURATION, chat, headersFor } from './filter-under-test.ts';
import { costOf, usage } from './grant-pool.ts';

const OK = 0;
const LIMIT = 10_000;
const CALLERS = 40;
const ACCOUNT = /^person#[0-9a-f]{32}$/;
const keyOf = (caller: number): string => `sk-of-caller-${caller}`;
const REPLY: readonly HeaderPair[] = [
  [':status', '200'],
  ['content-type', 'application/json'],
];
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
caller {
  id : text from claim "sub"
  team : optional text from claim "team"
}
models { }
model m "m" { provider: openai input_price: 10 usd per 1M tokens output_price: 100 usd per 1M tokens context: 4_096 tokens max_output: 40 tokens }
budget person for each caller.id limit ${LIMIT / 1_000_000} usd per day in "UTC" else deny "Your share is used up"
budget squad for caller.team is known for each caller.team limit 1 usd per day in "UTC" else deny "Your team is unknown"
budget team limit 1 usd per day in "UTC" else deny "All is used up"
`;
  const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');
  const apiKeys = [
    ...Array.from({ length: CALLERS }, (_, caller) => ({
      sha256: sha256(keyOf(caller)),
      claims: { sub: `caller-${caller}@acme.example`, team: `team-${caller % 2}` },
    })),
    { sha256: sha256(keyOf(CALLERS)), claims: { sub: 'alone@acme.example' } },
    { sha256: sha256(keyOf(CALLERS + 1)), claims: { team: 'team-0' } },
  ];
  ({ wasm } = await policyWasm(source, { models: { m: { url: 'http://127.0.0.1:9' } }, identity: { apiKeys } }));
});

/** A sidecar that grants each account what it asks for and a share, and keeps its cap. */
function setUp(isFull: (account: string) => boolean = () => false) {
  const clock = { now: 1_800_000_000_000 };
  const shared = new SharedData(3);
  const told: string[] = [];
  const accounts = new Map<string, Map<bigint, { granted: number; spent: number; isOver: boolean }>>();
  const given = (account: string): number =>
    [...(accounts.get(account)?.values() ?? [])].reduce(
      (sum, { granted, spent, isOver }) => sum + (isOver ? spent : granted),
      0,
    );
  const answer = (call: GrpcCall, worker: Worker): void => {
    told.push(Buffer.from(call.message).toString('latin1'));
    const { lines } = fromBinary(SyncRequestSchema, call.message);
    const grants = lines.map(({ budget, grant, spentMicros, wantedMicros, close }) => {
      const grantsOf = accounts.get(budget) ?? new Map<bigint, { granted: number; spent: number; isOver: boolean }>();
      accounts.set(budget, grantsOf);
      const held = grantsOf.get(grant) ?? { granted: 0, spent: 0, isOver: false };
      grantsOf.set(grant, held);
      held.spent = Math.max(held.spent, Number(spentMicros));
      expect(held.spent).toBeLessThanOrEqual(held.granted);
      if (close) held.isOver = true;
      const limit = !budget.startsWith('person') ? 1_000_000 : isFull(budget) ? 0 : LIMIT;
      const wanted = Number(wantedMicros);
      if (!held.isOver && wanted > held.granted)
        held.granted += Math.min(limit - given(budget), Math.max(wanted - held.granted, 1_000));
      return {
        budget,
        grant,
        over: held.isOver,
        grantedMicros: BigInt(held.granted),
        leftMs: 60_000n,
        known: true,
        limitMicros: BigInt(limit),
        beyondMicros: BigInt(limit - given(budget)),
        spentMicros: BigInt(held.spent),
      };
    });
    worker.answerGrpc(call, toBinary(SyncReplySchema, create(SyncReplySchema, { grants })));
  };
  const asked: { call: GrpcCall; worker: Worker }[] = [];
  const options = {
    configuration: CONFIGURATION,
    shared,
    now: () => clock.now,
    grpc: (call: GrpcCall, worker: Worker) => (asked.push({ call, worker }), OK),
  };
  const workers = [new Worker(wasm, options), new Worker(wasm, options)] as const;
  const answerAll = (): void => {
    for (let next = asked.shift(); next !== undefined; next = asked.shift()) answer(next.call, next.worker);
  };
  const ask = (caller: number, turn = caller) => {
    const worker = workers[turn % 2]!;
    const headers = headersFor(body).map(([name, value]): HeaderPair =>
      name === 'authorization' ? [name, `Bearer ${keyOf(caller)}`] : [name, value],
    );
    const stream = worker.request(headers, [body]);
    answerAll();
    if (stream.local === undefined) worker.reply(stream, REPLY, [usage(20)]);
    worker.end(stream);
    return stream;
  };
  const pass = (seconds: number): void => {
    for (let second = 0; second < seconds; second++) {
      clock.now += 1_000;
      for (const worker of workers) worker.tick();
      answerAll();
    }
  };
  return { ask, pass, accounts, given, shared, told, clock };
}

test('each caller has a cap of their own, which is held over workers and used up', () => {
  const { ask, accounts, given, pass, clock } = setUp();
  const allowed = [0, 0];
  for (let turn = 0; turn < 60; turn++) {
    clock.now += 10;
    // The second asks three times in all.
    const caller = turn % 20 === 0 ? 1 : 0;
    const stream = ask(caller, turn);
    if (stream.local === undefined) allowed[caller]!++;
    else {
      expect(stream.local.status).toBe(429);
      expect(stream.local.body.toString()).toContain('Your share is used up');
      expect(caller).toBe(0);
    }
  }
  expect(allowed[1]).toBe(3);
  expect(allowed[0]! * costOf(20)).toBeLessThanOrEqual(LIMIT);
  expect(allowed[0]! * costOf(20)).toBeGreaterThan(LIMIT / 3);
  pass(3);
  const persons = [...accounts.keys()].filter((name) => name.startsWith('person'));
  expect(persons).toHaveLength(2);
  for (const name of persons) {
    expect(name).toMatch(ACCOUNT);
    expect(given(name)).toBeLessThanOrEqual(LIMIT);
  }
  const settled = persons.map((name) => [...accounts.get(name)!.values()].reduce((sum, { spent }) => sum + spent, 0));
  expect(settled.sort((a, b) => a - b)).toEqual(allowed.map((count) => count * costOf(20)).sort((a, b) => a - b));
});

test('nothing is set aside of the shared budget where the caller’s own is full', () => {
  const { ask, accounts, pass } = setUp((account) => account.startsWith('person'));
  for (let turn = 0; turn < 5; turn++) expect(ask(3).local?.status).toBe(429);
  pass(3);
  expect([...accounts.get('team')!.values()].map(({ spent }) => spent)).toEqual([0]);
});

test('shared data holds no name, and what nobody uses is closed, told and free for others', () => {
  const { ask, pass, accounts, given, told } = setUp();
  for (let caller = 0; caller < CALLERS; caller++) expect(ask(caller).local).toBeUndefined();
  expect(accounts.size).toBe(CALLERS + 3);
  // Idle for half a minute, then the round through the slots, which takes about another one.
  pass(110);
  for (const name of accounts.keys()) if (name.startsWith('person')) expect(given(name)).toBe(costOf(20));
  expect(told.join('')).not.toMatch(/caller-\d|acme\.example/);
  for (let caller = 0; caller < CALLERS; caller++) expect(ask(caller).local).toBeUndefined();
  for (const [name, grants] of accounts) if (name.startsWith('person')) expect(grants.size).toBeGreaterThan(1);
});

test('who has no value of the attribute is denied, unless the budget says that it is not for them', () => {
  const { ask, accounts } = setUp();
  expect(ask(CALLERS).local).toBeUndefined();
  expect([...accounts.keys()].filter((name) => name.startsWith('squad'))).toEqual([]);
  expect(ask(CALLERS + 1).local?.status).toBe(403);
  expect([...accounts.keys()].filter((name) => name.startsWith('person'))).toHaveLength(1);
});

test('two accounts of one caller cannot be told to be theirs, and two callers of one team share its account', () => {
  const { ask, accounts } = setUp();
  for (const caller of [0, 2]) expect(ask(caller).local).toBeUndefined();
  const hashes = [...accounts.keys()].filter((name) => name.includes('#')).map((name) => name.split('#'));
  expect(hashes.filter(([budget]) => budget === 'person')).toHaveLength(2);
  expect(hashes.filter(([budget]) => budget === 'squad')).toHaveLength(1);
  expect(new Set(hashes.map(([, hash]) => hash)).size).toBe(3);
});
