// What a soak runs against: a control plane, a sidecar in a process of its own, and the real Envoy, with a policy of
// twelve detectors and one budget.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBinary } from '@bufbuild/protobuf';
import { issueCertificate } from '../../control-plane/keys/certificate.ts';
import { start as startEnvoy } from '../../examples/parts/envoy.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import type { Door } from '../../proto/door.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import { SignedBundleSchema } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { unaryCall } from '../../proto/grpc-call.ts';
import { startChild } from '../bench/child.ts';
import type { Cleanups } from '../bench/cleanups.ts';
import { admin, authority, bundleKey, node, startTestControlPlane } from '../control-plane/fixtures.ts';
import { OPEN_POLICY } from '../e2e/open-policy.ts';
import { policyWasm } from '../e2e/policy-wasm.ts';
import { makeRelease } from '../e2e/signed-release.ts';
import { INPUT_PRICE, OUTPUT_PRICE, OUTPUT_TOKENS } from './soak-upstream.ts';

export interface DataPlane {
  readonly port: number;
  readonly key: string;
  /** Process ids. */
  readonly processes: { readonly envoy: number; readonly sidecar: number };
  /** Bytes that a collection leaves in the sidecar. */
  liveInSidecar(): Promise<number>;
  /** Micro-units that the control plane has charged to the budget. */
  charged(): Promise<number>;
}

const POLICY = 'acme';
const CALL = { timeoutMs: 10_000 };
/** More than any soak spends. */
const LIMIT_USD = 1_000_000;

const source = `${OPEN_POLICY}models { }
model m "m" { provider: openai input_price: ${INPUT_PRICE} usd per 1M tokens output_price: ${OUTPUT_PRICE} usd per 1M tokens context: 200_000 tokens max_output: ${OUTPUT_TOKENS} tokens }
rule cards
  on prompt
  redact any of (payment_card, iban, us_ssn, passport, date_of_birth) as mask
rule contacts
  on prompt
  redact any of (email, phone, ip_address, ipv6) as mask
rule secrets
  on prompt
  redact any of (aws_key, api_key, jwt) as mask
rule replies
  on completion
  redact any of (email, payment_card) as mask
budget team limit ${LIMIT_USD} usd per month in "UTC" else deny "The budget is used up"
`;

/** `keepsPerSecond`: a fault, bytes that the sidecar keeps with every second. */
export async function startDataPlane(
  {
    door,
    upstreamPort,
    keepsPerSecond,
  }: { readonly door: Door; readonly upstreamPort: number; readonly keepsPerSecond: number },
  cleanups: Cleanups,
): Promise<DataPlane> {
  const folder = mkdtempSync(join(tmpdir(), 'writ-soak-'));
  cleanups.add(() => rmSync(folder, { recursive: true, force: true }));
  const key = `sk-${randomBytes(16).toString('hex')}`;
  const port = await freePort();
  const plane = await startTestControlPlane();
  cleanups.add(() => plane.stop());
  const deployment = {
    listener: { port },
    models: { m: { url: `http://127.0.0.1:${upstreamPort}` } },
    identity: { apiKeys: [{ sha256: createHash('sha256').update(key).digest('hex'), claims: { sub: 'u1' } }] },
  };
  const { plan, wasm } = await policyWasm(source, deployment);
  const release = makeRelease({ policy: POLICY, sequence: 1, plan, deployment, wasm, door, key: bundleKey });
  await unaryCall(plane.client(admin), Admin.method.push, release, CALL);
  const releaseFile = join(folder, 'release.bin');
  writeFileSync(releaseFile, toBinary(SignedBundleSchema, release));
  const own = issueCertificate(authority, node('bench'), [], Date.now());
  const options = {
    stateFolder: join(folder, 'state'),
    policy: POLICY,
    ...bundleKey.verification,
    releaseFile,
    echo: false,
    route: '',
    keepsPerSecond,
    controlPlane: {
      address: `127.0.0.1:${plane.plane.ports.grpc}`,
      ca: authority.certificatePem,
      certificate: own.certificatePem,
      key: own.privateKeyPem,
    },
  };
  const sidecar = await startChild('envoy/sidecar-child.ts', [JSON.stringify(options)]);
  cleanups.add(sidecar.stop);
  const envoy = await startEnvoy({ config: JSON.parse(sidecar.line), concurrency: 2 });
  cleanups.add(() => envoy.stop());
  return {
    port,
    key,
    processes: { envoy: envoy.pid, sidecar: sidecar.pid },
    liveInSidecar: async () => Number(await sidecar.ask('live')),
    charged: async () => {
      const { budgets } = await unaryCall(plane.client(admin), Admin.method.status, { policy: POLICY }, CALL);
      return Number(budgets.find((each) => each.budget === 'team')?.chargedMicros ?? -1);
    },
  };
}
