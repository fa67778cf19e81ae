// A release: the signed statement that a bundle is number N in a policy set's history. It is what keeps an older
// bundle, however well signed, from coming back unasked.
import { BundleError } from './bundle-error.ts';
import { members, signJws, verifyJws } from './jws.ts';
import type { SigningKey, VerificationKey } from './jws.ts';
import { verifyBundle } from './verify-bundle.ts';
import type { VerifiedBundle } from './verify-bundle.ts';

export interface Release {
  /** The policy set: 1 to 128 characters of [a-z0-9_.-]. */
  readonly name: string;
  readonly revision: string;
  /** SHA-256 (hex) of the bundle's bytes. */
  readonly digest: string;
  /** From 1, one more for each release of the set. */
  readonly sequence: number;
  /** It brings back a revision that was released before. */
  readonly rollback: boolean;
}

/** As `writ.v1.SignedBundle` has it. */
export interface ReleasedBundle {
  readonly name: string;
  readonly revision: string;
  readonly sequence: bigint;
  readonly rollback: boolean;
  readonly release: string;
  readonly bundle: Uint8Array;
}

/** The form of names of policy sets. */
export const POLICY_NAME = /^[a-z0-9_.-]{1,128}$/;

/** What keeps a bundle's file list from being read as a release, and the other way round. */
const KIND = 'writ.release.v1';

/** The release as a compact JWS. */
export function signRelease(release: Release, key: SigningKey): string {
  return signJws({ kind: KIND, release: { ...release } }, key);
}

/** Throws BundleError: those of `verifyJws`, and `bad_release`. */
export function verifyRelease(jws: string, keys: readonly VerificationKey[]): Release {
  const payload = members(verifyJws(jws, keys));
  const { name, revision, digest, sequence, rollback } = members(payload['release']);
  const good =
    payload['kind'] === KIND &&
    typeof name === 'string' &&
    POLICY_NAME.test(name) &&
    isHash(revision) &&
    isHash(digest) &&
    typeof sequence === 'number' &&
    Number.isSafeInteger(sequence) &&
    sequence >= 1 &&
    typeof rollback === 'boolean';
  if (!good) throw new BundleError('bad_release', 'the release is malformed');
  return { name, revision, digest, sequence, rollback };
}

/**
 * Everything that must hold before a received bundle may be enforced: both signatures, that they speak of the same
 * bundle, that the message's copies agree, and that history does not go back. `newest` is the highest sequence verified
 * so far for this set (0: none), with its revision; the same sequence passes only with the same revision. Throws
 * BundleError.
 */
export function verifyReleasedBundle(
  message: ReleasedBundle,
  keys: readonly VerificationKey[],
  newest: { readonly sequence: number; readonly revision: string },
): { readonly release: Release; readonly bundle: VerifiedBundle } {
  const release = verifyRelease(message.release, keys);
  const copiesAgree =
    message.name === release.name &&
    message.revision === release.revision &&
    message.sequence === BigInt(release.sequence) &&
    message.rollback === release.rollback;
  if (!copiesAgree) throw new BundleError('wrong_release', 'the message and its signed release disagree');
  if (
    release.sequence < newest.sequence ||
    (release.sequence === newest.sequence && release.revision !== newest.revision)
  ) {
    throw new BundleError(
      'old_sequence',
      `release ${release.sequence} comes after release ${newest.sequence}, which is in force`,
    );
  }
  const bundle = verifyBundle(message.bundle, keys);
  if (bundle.digest !== release.digest || bundle.revision !== release.revision || bundle.policy !== release.name) {
    throw new BundleError('wrong_release', 'the release is not about this bundle');
  }
  return { release, bundle };
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}
