// What must hold before a feed is stored: the policy in force reads it, a key that its bundle names has signed it, and it
// is the next in its history. A control plane that took another would only be refused by every sidecar.
import { feedResource, verifyFeed } from '../../compiler/bundle/feed.ts';
import type { FeedMessage } from '../../compiler/bundle/feed.ts';
import type { FeedTerms } from '../../compiler/bundle/feed-terms.ts';
import type { Database } from '../store/database.ts';
import { insertFeed } from '../store/feed-store.ts';
import type { FeedRow } from '../store/feed-store.ts';
import type { FeedsInForce } from './feeds-in-force.ts';

export class FeedError extends Error {
  /** `not_next`: sign again with the next sequence. `no_feed`: the policy in force reads no such feed. */
  readonly code: 'not_next' | 'no_feed';

  constructor(code: 'not_next' | 'no_feed', message: string) {
    super(message);
    this.name = 'FeedError';
    this.code = code;
  }
}

export interface AcceptFeedContext {
  readonly database: Database;
  /** Of the policy in force; undefined: there is none. */
  readonly terms: readonly FeedTerms[] | undefined;
  readonly feeds: FeedsInForce;
  readonly publishedBy: string;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
}

/** Stores a state. The newest one again is accepted and changes nothing. Throws BundleError and FeedError. */
export async function acceptFeed(message: FeedMessage, context: AcceptFeedContext): Promise<FeedRow> {
  const { database, terms, feeds, now } = context;
  const { policy, kind, name } = message;
  if (terms === undefined) throw new FeedError('no_feed', `no release of \`${policy}\` is in force`);
  const its = terms.find((each) => each.kind === kind && each.name === name);
  if (its === undefined)
    throw new FeedError('no_feed', `the policy in force reads no ${kind === 'switch' ? 'switch' : 'list'} \`${name}\``);
  const newest = feeds.get(feedResource(message))?.row;
  if (newest !== undefined && newest.statement === message.statement) return newest;
  const { state, entries } = verifyFeed(message, its, { now, newest: 0 });
  const next = (newest?.sequence ?? 0) + 1;
  if (state.sequence !== next)
    throw new FeedError('not_next', `number ${state.sequence} of \`${name}\` is not the next one, which is ${next}`);
  const row: FeedRow = {
    policy,
    kind,
    name,
    sequence: state.sequence,
    statement: message.statement,
    entries,
    publishedAt: now,
    publishedBy: context.publishedBy,
  };
  await insertFeed(database, row);
  return row;
}
