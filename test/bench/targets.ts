// What is measured: a bare Envoy, one with an external processor in Go that only echoes, one with the door and a filter
// that only passes, and one with the door and the example policy. Each has an Envoy of its own, with one worker; the
// upstream is one.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toBinary } from '@bufbuild/protobuf';
import { bundleOf, compile } from '../../cli/compile.ts';
import { start as startEnvoy } from '../../examples/parts/envoy.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import { SignedBundleSchema } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { issueCertificate } from '../../control-plane/keys/certificate.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import type { SignedBundle } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { unaryCall } from '../../proto/grpc-call.ts';
import { admin, authority, bundleKey, node, startTestControlPlane } from '../control-plane/fixtures.ts';
import type { TestControlPlane } from '../control-plane/fixtures.ts';
import { releaseOf } from '../e2e/signed-release.ts';
import { startChild, startProgram } from './child.ts';
import { goProgram } from './go-programs.ts';
import { externalProcessor, grpcCluster, plainEnvoy } from './plain-envoy.ts';

export interface Target {
  readonly name: string;
  readonly port: number;
  readonly headers: { readonly [name: string]: string };
}

export interface Targets {
  /** The first is the bare Envoy. */
  readonly targets: readonly Target[];
  stop(): Promise<void>;
}

const ACME = fileURLToPath(new URL('../../examples/acme', import.meta.url));
const POLICY = 'acme';
const READY_MS_MAX = 20_000;

export async function startTargets(folder: string): Promise<Targets> {
  const cleanups: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop()) await cleanup();
  };
  try {
    const upstream = await startChild('upstream-child.ts', []);
    cleanups.push(upstream.stop);
    const upstreamPort = Number(upstream.line);
    // The policy's budgets are leased: there is a control plane, as there always is.
    const plane = await startTestControlPlane();
    cleanups.push(() => plane.stop());
    const apiKey = `sk-${randomBytes(16).toString('hex')}`;
    const headers = { authorization: `Bearer ${apiKey}` };
    const targets: Target[] = [];

    const barePort = await freePort();
    const bare = await startEnvoy({ config: plainEnvoy({ port: barePort, upstreamPort }), concurrency: 1 });
    cleanups.push(() => bare.stop());
    targets.push({ name: 'bare Envoy', port: barePort, headers });

    const echoPort = await freePort();
    const socket = join(folder, 'echo.sock');
    const echo = await startProgram(await goProgram('echo'), [socket]);
    cleanups.push(echo.stop);
    const echoEnvoy = await startEnvoy({
      config: plainEnvoy({
        port: echoPort,
        upstreamPort,
        filters: [externalProcessor('echo')],
        clusters: [grpcCluster('echo', socket)],
      }),
      concurrency: 1,
    });
    cleanups.push(() => echoEnvoy.stop());
    targets.push({ name: 'Envoy + Go ext_proc that only echoes', port: echoPort, headers });

    for (const [name, echo] of [
      ['Envoy + ext_proc door, no policy', true],
      ['Envoy + ext_proc door, example policy', false],
    ] as const) {
      const port = await freePort();
      const state = join(folder, echo ? 'echo' : 'acme');
      mkdirSync(state, { recursive: true });
      const signed = await release(state, { port, upstreamPort, apiKey });
      if (!echo) await unaryCall(plane.client(admin), Admin.method.push, signed, { timeoutMs: 10_000 });
      const sidecar = await startChild('sidecar-child.ts', [
        JSON.stringify(childOptions(state, signed, echo ? undefined : plane)),
      ]);
      cleanups.push(sidecar.stop);
      const envoy = await startEnvoy({ config: JSON.parse(sidecar.line), concurrency: 1 });
      cleanups.push(() => envoy.stop());
      await listens(port);
      targets.push({ name, port, headers });
    }
    return { targets, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Builds and signs the example policy as `writ build` does, with this run's addresses. */
async function release(
  state: string,
  { port, upstreamPort, apiKey }: { readonly port: number; readonly upstreamPort: number; readonly apiKey: string },
): Promise<SignedBundle> {
  const url = `http://127.0.0.1:${upstreamPort}`;
  const deployment = join(state, 'deployment.json');
  const claims = { sub: 'bench', dept: 'finance', region: 'us', clearance: 'internal' };
  writeFileSync(
    deployment,
    JSON.stringify({
      listener: { port },
      models: { gemma: { url }, frontier: { url } },
      stores: { handbook: { url } },
      identity: { apiKeys: [{ sha256: createHash('sha256').update(apiKey).digest('hex'), claims }] },
    }),
  );
  const { compiled } = await compile({ path: ACME, cwd: '/', allowUnenforced: false, deployment });
  if (compiled === null) throw new Error('the example policy has errors: `writ check examples/acme` shows them');
  return releaseOf(bundleOf(compiled, bundleKey.signing), {
    policy: POLICY,
    sequence: 1,
    rollback: false,
    key: bundleKey,
  });
}

function childOptions(state: string, signed: SignedBundle, plane: TestControlPlane | undefined): object {
  const releaseFile = join(state, 'bench-release.bin');
  writeFileSync(releaseFile, toBinary(SignedBundleSchema, signed));
  const own = issueCertificate(authority, node('bench'), [], Date.now());
  return {
    stateFolder: state,
    policy: POLICY,
    ...bundleKey.verification,
    // Without a control plane the filter only passes.
    echo: plane === undefined,
    route: 'model/frontier',
    releaseFile,
    ...(plane === undefined
      ? {}
      : {
          controlPlane: {
            address: `127.0.0.1:${plane.plane.ports.grpc}`,
            ca: authority.certificatePem,
            certificate: own.certificatePem,
            key: own.privateKeyPem,
          },
        }),
  };
}

async function listens(port: number): Promise<void> {
  const deadline = performance.now() + READY_MS_MAX;
  for (;;) {
    const isThere = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    if (performance.now() > deadline) throw new Error(`nothing listens on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
