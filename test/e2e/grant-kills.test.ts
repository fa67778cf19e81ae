// A cap that is kept inside Envoy, while Envoy and the sidecar are killed under load (`kill -9`), or the sidecar stops. What was spent is
// recomputed from the usage that the upstream itself told.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { issueCertificate } from '../../control-plane/keys/certificate.ts';
import { start as startEnvoy } from '../../examples/parts/envoy.ts';
import type { RunningEnvoy } from '../../examples/parts/envoy.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import { SignedBundleSchema } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { unaryCall } from '../../proto/grpc-call.ts';
import { startChild } from '../bench/child.ts';
import type { Child } from '../bench/child.ts';
import { admin, authority, bundleKey, node, startTestControlPlane } from '../control-plane/fixtures.ts';
import type { TestControlPlane } from '../control-plane/fixtures.ts';
import { POLICY } from './mesh.ts';
import { OPEN_POLICY } from './open-policy.ts';
import { policyWasm } from './policy-wasm.ts';
import { settles } from './settles.ts';
import { makeRelease } from './signed-release.ts';
import type { Upstream } from './upstream.ts';
import { startUpstream } from './upstream.ts';

const KEY = `sk-${randomBytes(16).toString('hex')}`;
const CALL = { timeoutMs: 10_000 };
const CLIENTS = 16;
/** Micro-units. */
const LIMIT = 600_000;
const INPUT_PRICE = 10;
const OUTPUT_PRICE = 100;
const OUTPUT_TOKENS = 40;
const source = `${OPEN_POLICY}models { }
model m "m" { provider: openai input_price: ${INPUT_PRICE} usd per 1M tokens output_price: ${OUTPUT_PRICE} usd per 1M tokens context: 4_096 tokens max_output: ${OUTPUT_TOKENS} tokens }
budget team limit ${LIMIT / 1_000_000} usd per day in "UTC" else deny "The budget is used up"
`;

let folder: string;
let upstream: Upstream;
let plane: TestControlPlane;
let sidecar: Child;
let envoy: RunningEnvoy;
let port: number;
let options: string;
let spent = 0;
/** What the last request was answered. */
let lastAnswer = '';

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-kills-'));
  spent = 0;
  upstream = await startUpstream(() => {
    const completion_tokens = 10 + (upstream.received.length % 20);
    const prompt_tokens = 20;
    spent += prompt_tokens * INPUT_PRICE + completion_tokens * OUTPUT_PRICE;
    const message = { role: 'assistant', content: 'yes' };
    const usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
    const choices = [{ index: 0, finish_reason: 'stop', message }];
    return {
      body: [20, JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices, usage })],
    };
  });
  port = await freePort();
  const planePort = await freePort();
  plane = await startTestControlPlane({ port: planePort });
  const deployment = {
    listener: { port },
    models: { m: { url: `http://127.0.0.1:${upstream.port}` } },
    identity: { apiKeys: [{ sha256: createHash('sha256').update(KEY).digest('hex'), claims: { sub: 'u1' } }] },
  };
  const { plan, wasm } = await policyWasm(source, deployment);
  const parts = { policy: POLICY, sequence: 1, plan, deployment, wasm, door: 'in_envoy', key: bundleKey } as const;
  const release = makeRelease(parts);
  await unaryCall(plane.client(admin), Admin.method.push, release, CALL);
  writeFileSync(join(folder, 'release'), toBinary(SignedBundleSchema, release));
  const own = issueCertificate(authority, node('bench'), [], Date.now());
  options = JSON.stringify({
    stateFolder: join(folder, 'state'),
    policy: POLICY,
    ...bundleKey.verification,
    releaseFile: join(folder, 'release'),
    echo: false,
    route: '',
    controlPlane: {
      address: `127.0.0.1:${planePort}`,
      ca: authority.certificatePem,
      certificate: own.certificatePem,
      key: own.privateKeyPem,
    },
  });
  sidecar = await startSidecar();
  envoy = await startBeside(sidecar);
  await settles(
    async () => (await ask()) === 200,
    30_000,
    () => lastAnswer,
  );
}, 120_000);

afterEach(async () => {
  await envoy?.stop();
  await sidecar?.stop();
  await plane?.stop();
  await upstream?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const startSidecar = (): Promise<Child> => startChild('envoy/sidecar-child.ts', [options]);
const startBeside = ({ line }: Child): Promise<RunningEnvoy> =>
  startEnvoy({ config: JSON.parse(line), concurrency: 2 });

/** The status; 0 where the connection was cut or refused. */
async function ask(): Promise<number> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'May I?' }] }),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    });
    lastAnswer = `${response.status}: ${await response.text()}`;
    return response.status;
  } catch (error) {
    // Envoy is being killed.
    lastAnswer = String(error);
    return 0;
  }
}

/** Asks with all clients until `isOver`; how often each status was seen. */
async function load(isOver: () => boolean): Promise<Map<number, number>> {
  const seen = new Map<number, number>();
  const client = async (): Promise<void> => {
    while (!isOver()) {
      const status = await ask();
      seen.set(status, (seen.get(status) ?? 0) + 1);
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return seen;
}

const budget = async () => {
  const { budgets } = await unaryCall(plane.client(admin), Admin.method.status, { policy: POLICY }, CALL);
  return budgets.find((each) => each.budget === 'team');
};

const charged = async (): Promise<number> => Number((await budget())?.chargedMicros ?? -1);

/** In the middle of the money; then until nobody has got anything for a while. */
async function killUnderLoad(kill: () => Promise<void>): Promise<Map<number, number>> {
  let lastAllowed = performance.now();
  let count = 0;
  let isKilled = false;
  const watch = setInterval(() => {
    if (upstream.received.length !== count) lastAllowed = performance.now();
    count = upstream.received.length;
  }, 50);
  const killed = settles(() => spent > LIMIT / 4, 30_000)
    .then(kill)
    .then(() => {
      isKilled = true;
      lastAllowed = performance.now();
    });
  const seen = await load(() => isKilled && performance.now() - lastAllowed > 3_000);
  clearInterval(watch);
  await killed;
  return seen;
}

test('holds when the sidecar is killed: Envoy goes on with what it was granted, and the next process finds it', async () => {
  const seen = await killUnderLoad(async () => {
    process.kill(sidecar.pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 500));
    sidecar = await startSidecar();
  });
  expect(spent).toBeLessThanOrEqual(LIMIT);
  expect(spent).toBeGreaterThanOrEqual(LIMIT * 0.9);
  expect(seen.get(200)).toBe(upstream.received.length - 1);
  expect([...seen.keys()].filter((status) => ![200, 403, 429].includes(status))).toEqual([]);
  await settles(async () => (await charged()) >= spent, 30_000);
  expect(await charged()).toBeLessThanOrEqual(LIMIT);
}, 180_000);

test('holds when Envoy is killed: what it held is charged, and the next Envoy spends the rest', async () => {
  await killUnderLoad(async () => {
    await envoy.kill();
    envoy = await startBeside(sidecar);
    await settles(async () => (await ask()) !== 0, 30_000);
  });
  expect(spent).toBeLessThanOrEqual(LIMIT);
  // All but what the killed one had set aside for its requests, and its share.
  expect(spent).toBeGreaterThanOrEqual(LIMIT * 0.7);
  await settles(async () => (await charged()) >= spent, 90_000);
  expect(await charged()).toBeLessThanOrEqual(LIMIT);
  expect(readFileSync(join(folder, 'state', 'decisions.log'), 'utf8')).toContain('"result":');
}, 240_000);

test('goes back when the sidecar stops: Envoy closes what it holds, and allows nothing until the next one is there', async () => {
  for (let count = 0; count < 10; count++) expect(await ask()).toBe(200);
  expect((await budget())?.outstandingMicros).toBeGreaterThan(0n);
  await sidecar.stop();
  expect(await budget()).toMatchObject({ chargedMicros: BigInt(spent), outstandingMicros: 0n });
  const before = upstream.received.length;
  for (let count = 0; count < 5; count++) expect(await ask()).toBeGreaterThanOrEqual(403);
  expect(upstream.received).toHaveLength(before);
  sidecar = await startSidecar();
  await settles(async () => (await ask()) === 200, 30_000);
  await settles(async () => (await charged()) === spent, 30_000);
}, 120_000);
