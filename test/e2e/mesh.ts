// A whole data plane for a test: upstream, sidecar (in this process) and the real Envoy, with a filter of the test's
// choice.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Door } from '../../proto/door.ts';
import type { FilterPort } from '../../filters/door/session-port.ts';
import type { Sidecar } from '../../filters/sidecar/start-sidecar.ts';
import { startSidecar } from '../../filters/sidecar/start-sidecar.ts';
import type { ControlPlaneAddress } from '../../filters/sidecar/control-plane-channel.ts';
import type { RunningEnvoy } from '../../examples/parts/envoy.ts';
import { start as startEnvoy } from '../../examples/parts/envoy.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import type { DeploymentKey } from '../../proto/deployment-key.ts';
import type { KeyPair, PlanForEnvoy } from './signed-release.ts';
import { makeKeyPair, makeRelease } from './signed-release.ts';

export interface MeshOptions {
  readonly plan: PlanForEnvoy;
  /** All of a deployment but the listener. */
  readonly deployment: object;
  /** By the bytes of `filter.wasm`: what a release carries. */
  readonly loadFilter: (wasm: Uint8Array) => FilterPort | Promise<FilterPort>;
  readonly wasm?: Uint8Array;
  /** ext_proc where it is not given. */
  readonly door?: Door;
  readonly listener?: object;
  readonly stateFolder?: string;
  readonly key?: KeyPair;
  readonly controlPlane?: ControlPlaneAddress;
  readonly concurrency?: number;
  /** False: no release is offered at the start. */
  readonly offers?: boolean;
  readonly componentLogLevel?: string;
}

export interface Mesh {
  readonly url: string;
  readonly port: number;
  readonly key: KeyPair;
  readonly stateFolder: string;
  readonly envoy: RunningEnvoy;
  readonly alarms: readonly string[];
  sidecar(): Sidecar;
  /** A release of this mesh's policy. */
  release(
    sequence: number,
    changes?: {
      readonly plan?: PlanForEnvoy;
      readonly deployment?: object;
      readonly wasm?: Uint8Array;
      readonly door?: Door;
      readonly rollback?: boolean;
    },
  ): ReturnType<typeof makeRelease>;
  /** The sidecar's socket goes away as if it had been killed; exchanges in flight are cut. */
  stopSidecar(): Promise<void>;
  restartSidecar(changes?: { readonly policyKey?: DeploymentKey }): Promise<void>;
  /** Resolves when Envoy enforces what the sidecar has applied. */
  enforced(sequence: number): Promise<void>;
  stop(): Promise<void>;
}

export const POLICY = 'acme';
const ENFORCED_MS_MAX = 20_000;

export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const key = options.key ?? makeKeyPair();
  const stateFolder = options.stateFolder ?? mkdtempSync(join(tmpdir(), 'writ-mesh-'));
  const port = await freePort();
  const alarms: string[] = [];
  const start = (changes: { readonly policyKey?: DeploymentKey } = {}): Promise<Sidecar> =>
    startSidecar({
      ...changes,
      stateFolder,
      node: 'node-1',
      policy: POLICY,
      keys: [key.verification],
      loadFilter: options.loadFilter,
      adminPort: 0,
      version: '0.1.0',
      alarm: (message) => alarms.push(message),
      ...(options.controlPlane === undefined ? {} : { controlPlane: options.controlPlane }),
    });
  const release: Mesh['release'] = (
    sequence,
    {
      plan = options.plan,
      deployment = options.deployment,
      wasm = options.wasm ?? Uint8Array.of(0),
      door = options.door ?? 'ext_proc',
      rollback = false,
    } = {},
  ) =>
    makeRelease({
      policy: POLICY,
      sequence,
      rollback,
      plan,
      deployment: { listener: { port, ...options.listener }, ...deployment },
      wasm,
      door,
      key,
    });

  let sidecar = await start();
  if (options.offers !== false) await sidecar.offer(release(1));
  const envoy = await startEnvoy({
    config: sidecar.bootstrap,
    concurrency: options.concurrency ?? 1,
    ...(options.componentLogLevel === undefined ? {} : { componentLogLevel: options.componentLogLevel }),
  });
  const enforced = async (sequence: number): Promise<void> => {
    const deadline = performance.now() + ENFORCED_MS_MAX;
    while (sidecar.status().enforcing?.sequence !== sequence) {
      if (performance.now() > deadline)
        throw new Error(`release ${sequence} is not in force: ${JSON.stringify(sidecar.status())}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  if (options.offers !== false) await enforced(1);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    key,
    stateFolder,
    envoy,
    alarms,
    sidecar: () => sidecar,
    release,
    stopSidecar: () => sidecar.stop(),
    restartSidecar: async (changes) => {
      sidecar = await start(changes);
    },
    enforced,
    stop: async () => {
      await envoy.stop();
      await sidecar.stop();
      if (options.stateFolder === undefined) rmSync(stateFolder, { recursive: true, force: true });
    },
  };
}
