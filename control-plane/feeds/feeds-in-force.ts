// The newest state of every feed, in memory: as an xDS resource, and as it was stored. Made from the store.
import { create } from '@bufbuild/protobuf';
import { feedResource, feedVersion } from '../../compiler/bundle/feed.ts';
import { DataFeedSchema } from '../../proto/gen/writ/v1/feeds_pb.ts';
import type { DataFeed } from '../../proto/gen/writ/v1/feeds_pb.ts';
import type { Database } from '../store/database.ts';
import { newestFeeds } from '../store/feed-store.ts';
import type { FeedRow } from '../store/feed-store.ts';
import { encodeResource } from '../xds/encode-response.ts';
import { FEED_TYPE_URL } from '../xds/snapshot.ts';
import type { XdsResource } from '../xds/snapshot.ts';

export interface FeedInForce {
  readonly row: FeedRow;
  readonly message: DataFeed;
  readonly resource: XdsResource;
}

/** By resource name: `POLICY/KIND/NAME`. */
export type FeedsInForce = ReadonlyMap<string, FeedInForce>;

export function feedInForce(row: FeedRow): FeedInForce {
  const { policy, kind, name, statement, entries } = row;
  const message = create(DataFeedSchema, { policy, kind, name, sequence: BigInt(row.sequence), statement, entries });
  const resource = encodeResource(FEED_TYPE_URL, feedResource(row), feedVersion(message), DataFeedSchema, message);
  return { row, message, resource };
}

/** What a restarted control plane had. */
export async function loadFeedsInForce(database: Database): Promise<Map<string, FeedInForce>> {
  const rows = await newestFeeds(database);
  return new Map(rows.map((row) => [feedResource(row), feedInForce(row)]));
}
