// The targets that are ours: an Envoy with its sidecar, and a control plane behind it, as they run at a customer's.
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toBinary } from '@bufbuild/protobuf';
import { bundleOf } from '../../../cli/compile.ts';
import { doorReport } from '../../../compiler/plan/doors.ts';
import type { Door } from '../../../proto/door.ts';
import { start as startEnvoy } from '../../../examples/parts/envoy.ts';
import { freePort } from '../../../examples/parts/free-port.ts';
import { issueCertificate } from '../../../control-plane/keys/certificate.ts';
import { SignedBundleSchema, type SignedBundle } from '../../../proto/gen/writ/v1/bundle_pb.ts';
import { Admin } from '../../../proto/gen/writ/v1/admin_pb.ts';
import { unaryCall } from '../../../proto/grpc-call.ts';
import {
  admin,
  authority,
  bundleKey,
  node,
  startTestControlPlane,
  type TestControlPlane,
} from '../../control-plane/fixtures.ts';
import { releaseOf } from '../../e2e/signed-release.ts';
import { startChild } from '../child.ts';
import { compiledPolicy, EXAMPLE, examplePolicy } from '../example-policy.ts';
import type { Place, Target, TargetKind } from './target.ts';

export interface DoorTarget {
  readonly id: string;
  readonly name: string;
  readonly door: Door;
  /** `none` is a filter that only passes: what the door costs without the kernel. */
  readonly policy: 'example' | 'none';
}

const POLICY = 'acme';
/** The example's models take 4,096 tokens; a prompt of 225 KB must fit. */
const CONTEXT = { pattern: /context: [\d_]+ tokens/g, value: 'context: 200_000 tokens' };
const READY_MS_MAX = 20_000;
const PUSH_MS_MAX = 10_000;

export function doorTarget(asked: DoorTarget): TargetKind {
  const { id, name } = asked;
  return { id, name, isPeer: false, start: (place) => start(place, asked) };
}

async function start({ folder, upstreamPort, cleanups }: Place, { name, door, policy }: DoorTarget): Promise<Target> {
  const apiKey = `sk-${randomBytes(16).toString('hex')}`;
  const port = await freePort();
  const path = policyFolder(folder);
  // A door that cannot keep budgets yet is measured without them, and its name says so.
  const lacksBudgets = doorReport((await examplePolicy()).plan, door).obstacles.length > 0;
  if (lacksBudgets) removeBudgets(path);
  const signed = await release(folder, path, { port, upstreamPort, apiKey, door });
  // The policy's budgets are leased: there is a control plane, as there always is.
  const plane = policy === 'example' ? await startTestControlPlane() : undefined;
  if (plane !== undefined) {
    cleanups.add(() => plane.stop());
    await unaryCall(plane.client(admin), Admin.method.push, signed, { timeoutMs: PUSH_MS_MAX });
  }
  const sidecar = await startChild('envoy/sidecar-child.ts', [JSON.stringify(childOptions(folder, signed, plane))]);
  cleanups.add(sidecar.stop);
  const envoy = await startEnvoy({ config: JSON.parse(sidecar.line), concurrency: 1 });
  cleanups.add(() => envoy.stop());
  await listens(port);
  return {
    ...(lacksBudgets ? { name: `${name} without its budgets` } : {}),
    port,
    headers: { authorization: `Bearer ${apiKey}` },
    processes: { envoy: envoy.pid, sidecar: sidecar.pid },
  };
}

/** A copy of the example whose models take a large prompt. */
function policyFolder(folder: string): string {
  const path = join(folder, 'policy');
  cpSync(EXAMPLE, path, { recursive: true });
  const models = join(path, 'acme.writ');
  writeFileSync(models, readFileSync(models, 'utf8').replaceAll(CONTEXT.pattern, CONTEXT.value));
  return path;
}

function removeBudgets(path: string): void {
  const spend = join(path, 'spend.writ');
  const paragraphs = readFileSync(spend, 'utf8').split('\n\n');
  writeFileSync(spend, paragraphs.filter((paragraph) => !paragraph.startsWith('budget ')).join('\n\n'));
  // The policy's tests spend of them.
  rmSync(join(path, 'acme.test.writ'));
}

/** Builds and signs the example policy as `writ build` does, with this run's addresses. */
async function release(
  folder: string,
  path: string,
  {
    port,
    upstreamPort,
    apiKey,
    door,
  }: { readonly port: number; readonly upstreamPort: number; readonly apiKey: string; readonly door: Door },
): Promise<SignedBundle> {
  const url = `http://127.0.0.1:${upstreamPort}`;
  const claims = { sub: 'bench', dept: 'finance', region: 'us', clearance: 'internal' };
  const deployment = join(folder, 'deployment.json');
  writeFileSync(
    deployment,
    JSON.stringify({
      listener: { port },
      models: { gemma: { url }, frontier: { url } },
      stores: { handbook: { url } },
      identity: { apiKeys: [{ sha256: createHash('sha256').update(apiKey).digest('hex'), claims }] },
    }),
  );
  return releaseOf(bundleOf(await compiledPolicy(path, deployment, door), bundleKey.signing), {
    policy: POLICY,
    sequence: 1,
    rollback: false,
    key: bundleKey,
  });
}

function childOptions(folder: string, signed: SignedBundle, plane: TestControlPlane | undefined): object {
  const stateFolder = join(folder, 'state');
  mkdirSync(stateFolder);
  const releaseFile = join(folder, 'release.bin');
  writeFileSync(releaseFile, toBinary(SignedBundleSchema, signed));
  const own = issueCertificate(authority, node('bench'), [], Date.now());
  return {
    stateFolder,
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
