// What must hold before a release is stored: it is signed, about the bundle that comes with it, the next in its set's
// history, and it does not bring an old revision back unasked.
import { BundleError } from '../../compiler/bundle/bundle-error.ts';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { feedTermsOf } from '../../compiler/bundle/feed-terms.ts';
import { ruleNoticesOf } from '../../compiler/bundle/notice-terms.ts';
import type { VerificationKey } from '../../compiler/bundle/jws.ts';
import { verifyRelease, verifyReleasedBundle } from '../../compiler/bundle/release.ts';
import type { ReleasedBundle } from '../../compiler/bundle/release.ts';
import { readBudgetTerms } from '../budgets/budget-terms.ts';
import { nextSequence } from './next-sequence.ts';
import type { Database } from '../store/database.ts';
import { insertRelease, newestRelease, readBundleBytes, wasReleased } from '../store/release-store.ts';
import type { ReleaseRow } from '../store/release-store.ts';

export class ReleaseError extends Error {
  /**
   * `not_next`: sign again with the next sequence. `was_released`: only a signed rollback brings it back.
   * `never_released`: there is nothing to roll back to.
   */
  readonly code: 'not_next' | 'was_released' | 'never_released';

  constructor(code: 'not_next' | 'was_released' | 'never_released', message: string) {
    super(message);
    this.name = 'ReleaseError';
    this.code = code;
  }
}

export interface AcceptContext {
  readonly database: Database;
  readonly keys: readonly VerificationKey[];
  /** The admin. */
  readonly pushedBy: string;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
}

export interface AcceptedRelease {
  readonly row: ReleaseRow;
  readonly bundle: Uint8Array;
}

/**
 * Stores a release. The one in force again is accepted and changes nothing. Throws BundleError, PlanError or
 * ReleaseError.
 */
export async function acceptRelease(message: ReleasedBundle, context: AcceptContext): Promise<AcceptedRelease> {
  const { database, keys } = context;
  // Before anything is looked up by what the message says.
  const claimed = verifyRelease(message.release, keys);
  const newest = await newestRelease(database, claimed.name);
  const next = await nextSequence(database, claimed.name);
  if (claimed.sequence !== next && message.release !== newest?.release) {
    throw new ReleaseError(
      'not_next',
      `release ${claimed.sequence} of \`${claimed.name}\` is not the next one, which is ${next}`,
    );
  }
  const bundle = message.bundle.length > 0 ? message.bundle : await storedBundle(database, claimed.digest);
  const { release, bundle: verified } = verifyReleasedBundle(
    { ...message, bundle },
    keys,
    newest ?? { sequence: 0, revision: '' },
  );
  const plan = verified.files.get(BUNDLE_PATHS.plan);
  if (plan === undefined) throw new BundleError('missing_file', `the bundle has no \`${BUNDLE_PATHS.plan}\``);
  readBudgetTerms(plan);
  feedTermsOf(verified.files);
  ruleNoticesOf(verified.files);
  if (newest !== undefined && message.release === newest.release) return { row: newest, bundle };
  const wasBefore = await wasReleased(database, release.name, release.revision);
  if (release.rollback && !wasBefore)
    throw new ReleaseError('never_released', 'a rollback names a revision that was released before');
  if (!release.rollback && wasBefore && release.revision !== newest?.revision) {
    throw new ReleaseError('was_released', 'this revision was released before: only a signed rollback brings it back');
  }
  const row: ReleaseRow = { ...release, release: message.release, pushedAt: context.now, pushedBy: context.pushedBy };
  await insertRelease(database, row, bundle);
  return { row, bundle };
}

async function storedBundle(database: Database, digest: string): Promise<Uint8Array> {
  const stored = await readBundleBytes(database, digest);
  if (stored === undefined)
    throw new ReleaseError('never_released', 'a rollback names a bundle that was released before');
  return stored;
}
