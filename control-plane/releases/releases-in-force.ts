// What is in force now, in memory: each policy set's newest release as an xDS resource, and its budgets. Made from the
// store, replaced as a whole.
import { create } from '@bufbuild/protobuf';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { feedTermsOf } from '../../compiler/bundle/feed-terms.ts';
import type { FeedTerms } from '../../compiler/bundle/feed-terms.ts';
import { type RuleNotices, ruleNoticesOf } from '../../compiler/bundle/notice-terms.ts';
import { readBundle } from '../../compiler/bundle/read-bundle.ts';
import { SignedBundleSchema } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { readBudgetTerms } from '../budgets/budget-terms.ts';
import type { BudgetTerms } from '../budgets/budget-terms.ts';
import type { Database } from '../store/database.ts';
import { newestReleases, readBundleBytes } from '../store/release-store.ts';
import type { ReleaseRow } from '../store/release-store.ts';
import { encodeResource } from '../xds/encode-response.ts';
import type { FeedsInForce } from '../feeds/feeds-in-force.ts';
import { BUNDLE_TYPE_URL, FEED_TYPE_URL } from '../xds/snapshot.ts';
import type { Snapshot, XdsResource } from '../xds/snapshot.ts';

export interface ReleaseInForce {
  readonly row: ReleaseRow;
  readonly resource: XdsResource;
  readonly budgets: ReadonlyMap<string, BudgetTerms>;
  readonly feeds: readonly FeedTerms[];
  /** Who is told when which rule fires. */
  readonly notices: RuleNotices;
}

/** By policy set. */
export type ReleasesInForce = ReadonlyMap<string, ReleaseInForce>;

/** A verified release with its bundle. Throws BundleError or PlanError. */
export function putInForce(row: ReleaseRow, bundle: Uint8Array): ReleaseInForce {
  const files = readBundle(bundle);
  const plan = files.get(BUNDLE_PATHS.plan);
  const { name, revision, rollback, release } = row;
  const message = create(SignedBundleSchema, {
    name,
    revision,
    sequence: BigInt(row.sequence),
    rollback,
    release,
    bundle,
  });
  return {
    row,
    resource: encodeResource(BUNDLE_TYPE_URL, name, `${row.digest}:${row.sequence}`, SignedBundleSchema, message),
    budgets: plan === undefined ? new Map<string, BudgetTerms>() : readBudgetTerms(plan),
    feeds: feedTermsOf(files),
    notices: ruleNoticesOf(files),
  };
}

/** What a restarted control plane had in force. */
export async function loadReleasesInForce(database: Database): Promise<Map<string, ReleaseInForce>> {
  const releases = new Map<string, ReleaseInForce>();
  for (const row of await newestReleases(database)) {
    const bundle = await readBundleBytes(database, row.digest);
    if (bundle !== undefined) releases.set(row.name, putInForce(row, bundle));
  }
  return releases;
}

/** One snapshot for all nodes: a node subscribes to its policy set by name, and to the feeds that it reads. */
export function snapshotOf(releases: ReleasesInForce, feeds: FeedsInForce): Snapshot {
  return new Map([
    [BUNDLE_TYPE_URL, new Map([...releases].map(([name, { resource }]) => [name, resource]))],
    [FEED_TYPE_URL, new Map([...feeds].map(([name, { resource }]) => [name, resource]))],
  ]);
}
