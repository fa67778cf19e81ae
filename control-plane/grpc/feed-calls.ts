// What admins ask of feeds: publish a state, and see what there is.
import { create } from '@bufbuild/protobuf';
import type { FeedTerms } from '../../compiler/bundle/feed-terms.ts';
import { feedResource } from '../../compiler/bundle/feed.ts';
import type { DataFeed, FeedsReply, FeedsRequest, PublishReply } from '../../proto/gen/writ/v1/feeds_pb.ts';
import { FeedInfoSchema, FeedsReplySchema, PublishReplySchema } from '../../proto/gen/writ/v1/feeds_pb.ts';
import { acceptFeed, FeedError } from '../feeds/accept-feed.ts';
import type { FeedInForce, FeedsInForce } from '../feeds/feeds-in-force.ts';
import type { ReleasesInForce } from '../releases/releases-in-force.ts';
import type { Database } from '../store/database.ts';
import type { FeedRow } from '../store/feed-store.ts';

export interface FeedCallsContext {
  readonly database: Database;
  readonly inForce: () => ReleasesInForce;
  readonly feeds: () => FeedsInForce;
  readonly onFeed: (row: FeedRow) => void;
  readonly now: () => number;
}

export async function publish(context: FeedCallsContext, message: DataFeed, admin: string): Promise<PublishReply> {
  const { database, inForce, feeds, now } = context;
  const terms = inForce().get(message.policy)?.feeds;
  const publishedBy = `admin/${admin}`;
  const row = await acceptFeed(message, { database, terms, feeds: feeds(), publishedBy, now: now() });
  context.onFeed(row);
  return create(PublishReplySchema, { sequence: BigInt(row.sequence) });
}

export function listFeeds(context: FeedCallsContext, { policy, kind, name }: FeedsRequest): FeedsReply {
  const terms = context.inForce().get(policy)?.feeds;
  if (terms === undefined) throw new FeedError('no_feed', `no release of \`${policy}\` is in force`);
  const asked = terms.filter((each) => kind === '' || (each.kind === kind && each.name === name));
  return create(FeedsReplySchema, {
    feeds: asked.map((each) =>
      feedInfo(each, context.feeds().get(feedResource({ policy, kind: each.kind, name: each.name })), kind !== ''),
    ),
  });
}

function feedInfo(terms: FeedTerms, newest: FeedInForce | undefined, withEntries: boolean) {
  return create(FeedInfoSchema, {
    kind: terms.kind,
    name: terms.name,
    keyIds: terms.keys.map(({ kid }) => kid),
    ...(terms.kind === 'list'
      ? { element: terms.element, maxAgeMs: BigInt(terms.maxAgeMs), most: terms.most }
      : { maxMs: BigInt(terms.maxMs ?? 0) }),
    ...(newest === undefined
      ? {}
      : {
          newest: withEntries ? newest.message : { ...newest.message, entries: new Uint8Array() },
          publishedBy: newest.row.publishedBy,
        }),
  });
}
