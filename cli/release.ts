/**
 * Makes a bundle the next release of its policy set: asks the control plane for the next sequence, signs, pushes.
 * Rolling back is the same without the bundle's bytes.
 */
import grpc from '@grpc/grpc-js';
import { BUNDLE_PATHS } from '../compiler/bundle/bundle-paths.ts';
import { BundleError } from '../compiler/bundle/bundle-error.ts';
import type { SigningKey, VerificationKey } from '../compiler/bundle/jws.ts';
import { signRelease } from '../compiler/bundle/release.ts';
import { type VerifiedBundle, verifyBundle } from '../compiler/bundle/verify-bundle.ts';
import { Admin, type Revision } from '../proto/gen/writ/v1/admin_pb.ts';
import { CommandError } from './command.ts';
import { type AdminClient, CallError } from './connection.ts';

export interface Released {
  readonly policy: string;
  readonly revision: string;
  readonly sequence: number;
  readonly rollback: boolean;
  /** False: this revision was in force already, and nothing was released. */
  readonly isNew: boolean;
}

export interface PushOptions {
  readonly key: SigningKey;
  readonly trusted: readonly VerificationKey[];
  /** Whether a revision that was in force before the current one comes back by a push, as a signed rollback. */
  readonly mayGoBack: boolean;
  /**
   * Whether a bundle that was built without a deployment may be released. Every sidecar refuses it, as it has nothing
   * for Envoy.
   */
  readonly mayLackDeployment: boolean;
}

/** Others may release between our question and our push. */
const TRIES_MAX = 5;
const REVISIONS_MAX = 1_000;

/** Throws CommandError. */
export async function pushBundle(
  admin: AdminClient,
  bytes: Uint8Array,
  { key, trusted, mayGoBack, mayLackDeployment }: PushOptions,
): Promise<Released> {
  const bundle = verified(bytes, trusted);
  if (!mayLackDeployment && !bundle.files.has(BUNDLE_PATHS.envoy)) {
    throw new CommandError(
      `\`${bundle.policy}\` was built without a deployment, so no sidecar can govern traffic by it`,
      'put a deployment.json beside the policy or give `--deployment FILE`; `--no-traffic` releases it as it is',
    );
  }
  return insist(async () => {
    const history = await revisions(admin, bundle.policy);
    const newest = history.revisions[0];
    if (newest?.revision === bundle.revision) {
      return {
        policy: bundle.policy,
        revision: bundle.revision,
        sequence: Number(newest.sequence),
        rollback: newest.rollback,
        isNew: false,
      };
    }
    const rollback = history.revisions.some((each) => each.revision === bundle.revision);
    if (rollback && !mayGoBack) {
      throw new CommandError(
        `revision ${short(bundle.revision)} of \`${bundle.policy}\` was in force before`,
        `\`writ rollback ${bundle.policy} --to ${short(bundle.revision)}\` brings it back`,
      );
    }
    const statement = {
      name: bundle.policy,
      revision: bundle.revision,
      sequence: Number(history.nextSequence),
      rollback,
    };
    const release = signRelease({ ...statement, digest: bundle.digest }, key);
    await admin.call(Admin.method.push, { ...statement, sequence: history.nextSequence, release, bundle: bytes });
    return { policy: bundle.policy, revision: bundle.revision, sequence: statement.sequence, rollback, isNew: true };
  });
}

/** Brings back the revision that `to` begins; without it, the one before the current. Throws CommandError. */
export async function rollBack(
  admin: AdminClient,
  policy: string,
  to: string | undefined,
  key: SigningKey,
): Promise<Released> {
  return insist(async () => {
    const history = await revisions(admin, policy);
    const target = revisionToGoTo(policy, history.revisions, to);
    const statement = {
      name: policy,
      revision: target.revision,
      sequence: Number(history.nextSequence),
      rollback: true,
    };
    const release = signRelease({ ...statement, digest: target.digest }, key);
    await admin.call(Admin.method.rollback, { ...statement, sequence: history.nextSequence, release });
    return { policy, revision: target.revision, sequence: statement.sequence, rollback: true, isNew: true };
  });
}

export function describeRelease({ policy, revision, sequence, rollback, isNew }: Released): string {
  if (!isNew) return `${policy}: revision ${short(revision)} is released already (release ${sequence})`;
  return `${policy}: revision ${short(revision)} is release ${sequence}${rollback ? ', a rollback' : ''}`;
}

/** As people read and write revisions. */
export function short(revision: string): string {
  return revision.slice(0, 12);
}

function revisionToGoTo(policy: string, history: readonly Revision[], to: string | undefined): Revision {
  const [newest, ...older] = history;
  if (newest === undefined)
    throw new CommandError(`nothing of \`${policy}\` was ever released`, '`writ status` lists the policies');
  const others = older.filter((each) => each.revision !== newest.revision);
  if (to === undefined) {
    const [before] = others;
    if (before === undefined) throw new CommandError(`\`${policy}\` has no revision before the current one`);
    return before;
  }
  if (!/^[0-9a-f]{6,64}$/.test(to))
    throw new CommandError(`\`${to}\` is not a revision`, 'give at least 6 of its hexadecimal digits');
  if (newest.revision.startsWith(to))
    throw new CommandError(`revision ${short(newest.revision)} of \`${policy}\` is released already`);
  const matching = others.filter((each) => each.revision.startsWith(to));
  const [found] = matching;
  if (found === undefined)
    throw new CommandError(
      `\`${policy}\` has no earlier revision \`${to}\``,
      `\`writ status --policy ${policy}\` lists them`,
    );
  if (matching.some((each) => each.revision !== found.revision))
    throw new CommandError(`several revisions of \`${policy}\` begin with \`${to}\``, 'give more of its digits');
  return found;
}

async function insist(release: () => Promise<Released>): Promise<Released> {
  for (let tries = 1; ; tries++) {
    try {
      return await release();
    } catch (error) {
      // Somebody else's release came first: ask again which is the next.
      if (!(error instanceof CallError) || error.code !== grpc.status.ABORTED || tries === TRIES_MAX) throw error;
    }
  }
}

function revisions(admin: AdminClient, name: string) {
  return admin.call(Admin.method.revisions, { name, limit: REVISIONS_MAX });
}

function verified(bytes: Uint8Array, trusted: readonly VerificationKey[]): VerifiedBundle {
  try {
    return verifyBundle(bytes, trusted);
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    const hint = error.code === 'unsigned' ? "build it with `--key`, or push the policy's folder" : null;
    throw new CommandError(`the bundle is not one to push: ${error.message}`, hint);
  }
}
