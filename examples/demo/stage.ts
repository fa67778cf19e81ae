/**
 * What the scenes play on: two real models, a real store, the control plane, the sidecar and Envoy, each a process of
 * its own, with recorders in front of models and store. Keys, tokens and the policy's copy are made anew in a temporary
 * folder. A boundary file: it starts processes and writes files.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Door, isDoor } from '../../proto/door.ts';
import { DEMO_ISSUER } from '../../cli/commands/keys.ts';
import { signJwt } from '../../control-plane/keys/jwt-issuer.ts';
import { readJwtIssuer } from '../../control-plane/keys/key-folder.ts';
import * as chroma from '../parts/chroma.ts';
import * as envoy from '../parts/envoy.ts';
import { freePort } from '../parts/free-port.ts';
import * as llama from '../parts/llama.ts';
import type { Gateway } from './client.ts';
import { seed } from './documents.ts';
import { doorText } from './door-text.ts';
import { type PolicyFacts, readPolicyFacts } from './policy-facts.ts';
import { people, type PersonId } from './people.ts';
import { type Recorder, startRecorder } from './recorder.ts';
import { type RunningWrit, runWrit, startWrit } from './writ-process.ts';

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
  /** How Envoy asks the policy in force, as the sidecar says; null while there is none. */
  door(): Promise<Door | null>;
  /** What Envoy itself counts, by name. */
  envoyCounts(): Promise<ReadonlyMap<string, number>>;
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
/**
 * Places for as many as the busiest scene has clients. One thread: llama.cpp's threads wait for each other by spinning,
 * and on a machine that has other work two are many times slower than one.
 */
const MODEL_SERVER = { parallel: 16, contextTokens: 1_024, threads: 1 };
const READY_MS_MAX = 60_000;
const ENFORCED_MS_MAX = 30_000;
const POLL_MS = 50;

/** Throws what a part throws, after everything that was started has been stopped. */
export async function openStage(options: StageOptions): Promise<OpenStage> {
  const folder = mkdtempSync(join(tmpdir(), 'writ-demo-'));
  const cleanups: (() => Promise<void>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    // One that fails keeps none of the others from running.
    for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop())
      await Promise.allSettled([cleanup()]);
  };
  try {
    return { ...(await setUp(folder, options, (cleanup) => cleanups.push(cleanup))), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Defer = (cleanup: () => Promise<void>) => void;

interface Setting {
  readonly folder: string;
  readonly python: string;
  readonly step: (line: string) => void;
  readonly defer: Defer;
}

async function setUp(folder: string, { signal, tokenSeconds, step }: StageOptions, defer: Defer): Promise<Stage> {
  step('installing what is missing (the first time takes a few minutes) …');
  const [{ python }] = await Promise.all([envoy.install(), llama.install(), chroma.install()]);
  signal.throwIfAborted();
  const setting: Setting = { folder, python, step, defer };

  step(
    'starting two models (llama.cpp with Gemma 3 270M, the second plays the external one), Chroma, the control plane, the sidecar and Envoy …',
  );
  const servers = {
    gemma: model('gemma-3-270m', setting),
    frontier: model('frontier-1', setting),
    handbook: store(setting),
  };
  // One that fails is reported below, and must not end the process before.
  for (const server of Object.values(servers)) server.catch(() => undefined);
  const upstreams = {
    gemma: await recorder(servers.gemma, defer),
    frontier: await recorder(servers.frontier, defer),
    handbook: await recorder(servers.handbook, defer),
  };
  const [, , collection, governed] = await Promise.all([
    servers.gemma,
    servers.frontier,
    servers.handbook.then(seed),
    govern(upstreams, setting),
  ]);
  signal.throwIfAborted();
  await governed.inForce();
  return {
    gateway: { url: governed.url, signal },
    tokens: tokens(governed.keysFolder, tokenSeconds),
    upstreams,
    policy: await readPolicyFacts(governed.policyFolder),
    collection,
    policyFolder: governed.policyFolder,
    keysFolder: governed.keysFolder,
    controlPlane: governed.controlPlane,
    signal,
    enforcing: governed.enforcing,
    door: governed.door,
    envoyCounts: governed.envoyCounts,
  };
}

/** A model's server; its URL. */
async function model(alias: string, { step, defer }: Setting): Promise<string> {
  const { url } = await deferred(llama.start({ ...MODEL_SERVER, alias }), defer);
  step(`  ${alias} is ready`);
  return url;
}

async function store({ step, defer }: Setting): Promise<string> {
  const { url } = await deferred(chroma.start(), defer);
  step('  Chroma is ready');
  return url;
}

async function recorder(upstream: Promise<string>, defer: Defer): Promise<Recorder> {
  return deferred(startRecorder(upstream), defer);
}

/** Keys, policy, control plane, sidecar and Envoy. */
async function govern(upstreams: Stage['upstreams'], { folder, python, step, defer }: Setting) {
  const [port, planePort, metricsPort, adminPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const keysFolder = join(folder, 'keys');
  const stateFolder = join(folder, 'sidecar');
  const controlPlane = `localhost:${planePort}`;
  const statusUrl = `http://127.0.0.1:${adminPort}/status`;
  await runWrit(['keys', 'init', keysFolder, '--node', NODE]);
  const policyFolder = writePolicy(join(folder, 'policy'), {
    port,
    upstreams,
    jwks: readFileSync(join(keysFolder, 'jwt', 'jwks.json'), 'utf8'),
  });
  const process = async (name: string, args: readonly string[], readyUrl: string): Promise<RunningWrit> => {
    const started = await deferred(
      startWrit({
        python,
        name,
        args: [...args, '--keys', keysFolder],
        isReady: async () => (await fetch(readyUrl)).ok,
        readyMsMax: READY_MS_MAX,
      }),
      defer,
    );
    step(`  writ ${name} is ready`);
    return started;
  };
  // In this order, for they are stopped in the reverse: a sidecar gives its leases back to the control plane.
  const [plane, sidecar] = await Promise.all([
    process(
      'control-plane',
      [
        '--listen',
        `127.0.0.1:${planePort}`,
        '--data',
        join(folder, 'control-plane'),
        '--metrics-port',
        String(metricsPort),
        '--watch',
        policyFolder,
      ],
      `http://127.0.0.1:${metricsPort}/healthz`,
    ),
    process(
      'sidecar',
      [
        '--policy',
        POLICY,
        '--name',
        NODE,
        '--control-plane',
        controlPlane,
        '--state',
        stateFolder,
        '--admin-port',
        String(adminPort),
      ],
      statusUrl,
    ),
  ]);
  const { adminUrl } = await deferred(
    envoy.start({ config: readFileSync(join(stateFolder, 'envoy', 'bootstrap.json'), 'utf8') }),
    defer,
  );
  step('  Envoy is ready');
  const status = async (): Promise<unknown> => (await fetch(statusUrl)).json();
  const enforcing = async (): Promise<number> => enforcingSequence(await status());
  const door = async (): Promise<Door | null> => doorOf(await status());
  return {
    url: `http://127.0.0.1:${port}`,
    keysFolder,
    policyFolder,
    controlPlane,
    enforcing,
    door,
    envoyCounts: async () => countsIn(await (await fetch(`${adminUrl}/stats`)).text()),
    async inForce(): Promise<void> {
      const deadline = performance.now() + ENFORCED_MS_MAX;
      while ((await enforcing()) === 0) {
        if (performance.now() > deadline)
          throw new Error(
            `the policy was not in force after ${ENFORCED_MS_MAX / 1_000} s\n${plane.log()}\n${sidecar.log()}`,
          );
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      step(`  the policy is in force, through the door ${doorText(await door())}`);
    },
  };
}

/** Stopped in the end, also when it is still starting then. */
function deferred<T extends { stop(): Promise<void> }>(starting: Promise<T>, defer: Defer): Promise<T> {
  const none = { stop: () => Promise.resolve() };
  defer(async () => (await starting.catch(() => none)).stop());
  return starting;
}

/** Copies the policy, and says where it runs. */
function writePolicy(
  folder: string,
  { port, upstreams, jwks }: Pick<Stage, 'upstreams'> & { readonly port: number; readonly jwks: string },
): string {
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
  const token = (person: PersonId): string =>
    signJwt(privateKeyPem, { iss: DEMO_ISSUER, iat: now, exp: now + seconds, ...people[person].claims });
  return { sam: token('sam'), mia: token('mia'), finn: token('finn'), hanna: token('hanna'), tess: token('tess') };
}

function doorOf(status: unknown): Door | null {
  if (typeof status !== 'object' || status === null || !('door' in status)) return null;
  return typeof status.door === 'string' && isDoor(status.door) ? status.door : null;
}

/** A line of Envoy's is `name: number`; its texts and histograms are left out. */
function countsIn(stats: string): ReadonlyMap<string, number> {
  const lines = stats.matchAll(/^(\S+): (\d+)$/gm);
  return new Map([...lines].map(([, name = '', count]) => [name, Number(count)]));
}

function enforcingSequence(status: unknown): number {
  if (typeof status !== 'object' || status === null || !('enforcing' in status)) return 0;
  const { enforcing } = status;
  return typeof enforcing === 'object' &&
    enforcing !== null &&
    'sequence' in enforcing &&
    typeof enforcing.sequence === 'number'
    ? enforcing.sequence
    : 0;
}
