// Releases for tests: a bundle with what a sidecar reads of it, signed with a key that the test made.
import { createHash, generateKeyPairSync } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import type { BundleFiles } from '../../compiler/bundle/bundle-paths.ts';
import { keyId } from '../../compiler/bundle/jws.ts';
import type { SigningKey, VerificationKey } from '../../compiler/bundle/jws.ts';
import { signRelease } from '../../compiler/bundle/release.ts';
import { verifyBundle } from '../../compiler/bundle/verify-bundle.ts';
import { writeBundle } from '../../compiler/bundle/write-bundle.ts';
import type { Door } from '../../proto/door.ts';
import { printEnvoyResources, envoyResources } from '../../compiler/envoy/envoy-resources.ts';
import type { Places } from '../../compiler/deployment/deployment.ts';
import { parseDeployment } from '../../compiler/deployment/parse-deployment.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import type { SignedBundle } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { SignedBundleSchema } from '../../proto/gen/writ/v1/bundle_pb.ts';

export interface KeyPair {
  readonly signing: SigningKey;
  readonly verification: VerificationKey;
}

export function makeKeyPair(): KeyPair {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const kid = keyId(pair.publicKey);
  return { signing: { kid, privateKeyPem: pair.privateKey }, verification: { kid, publicKeyPem: pair.publicKey } };
}

export type PlanForEnvoy = Places & Pick<Plan, 'events'> & Partial<Pick<Plan, 'redactions'>>;

export interface ReleaseParts {
  readonly policy: string;
  readonly sequence: number;
  readonly rollback?: boolean;
  readonly plan: PlanForEnvoy;
  /** As a user writes it. */
  readonly deployment: object;
  readonly wasm: Uint8Array;
  readonly door?: Door;
  readonly key: KeyPair;
}

/** A release of a bundle that holds nothing but what the sidecar and the control plane read. */
export function makeRelease({
  policy,
  sequence,
  rollback = false,
  plan,
  deployment,
  wasm,
  door = 'ext_proc',
  key,
}: ReleaseParts): SignedBundle {
  const parsed = parseDeployment(JSON.stringify(deployment), plan);
  if (parsed.kind === 'problems') throw new Error(JSON.stringify(parsed.problems));
  const files: BundleFiles = new Map([
    [
      BUNDLE_PATHS.envoy,
      Buffer.from(printEnvoyResources(envoyResources({ redactions: [], ...plan }, parsed.deployment, door))),
    ],
    [BUNDLE_PATHS.deployment, Buffer.from(`${JSON.stringify(parsed.deployment)}\n`)],
    [BUNDLE_PATHS.filterWasm, wasm],
    [BUNDLE_PATHS.plan, Buffer.from(`${JSON.stringify(plan)}\n`)],
  ]);
  return releaseOf(
    writeBundle(files, {
      policy,
      compilerVersion: '0.1.0',
      sourceHash: '0'.repeat(64),
      planVersion: 1,
      key: key.signing,
    }),
    { policy, sequence, rollback, key },
  );
}

/** Signs a release of a bundle that is there. */
export function releaseOf(
  bundle: Uint8Array,
  {
    policy,
    sequence,
    rollback,
    key,
  }: Pick<ReleaseParts, 'policy' | 'sequence' | 'key'> & { readonly rollback: boolean },
): SignedBundle {
  const { revision } = verifyBundle(bundle, [key.verification]);
  const digest = createHash('sha256').update(bundle).digest('hex');
  const release = signRelease({ name: policy, revision, digest, sequence, rollback }, key.signing);
  return create(SignedBundleSchema, { name: policy, revision, sequence: BigInt(sequence), rollback, release, bundle });
}
