/**
 * The lists and switches of the policy in force, as this sidecar knows them. What comes is verified against the bundle,
 * kept on disk before it is used, and never replaced by an older one; what was kept is verified again under each new
 * bundle. A list that nobody renews grows old in the filter, by the clock of each exchange; nothing here forgets one.
 */
import { create } from '@bufbuild/protobuf';
import { BundleError } from '../../compiler/bundle/bundle-error.ts';
import { feedResource, feedVersion, verifyFeed } from '../../compiler/bundle/feed.ts';
import type { VerifiedFeed } from '../../compiler/bundle/feed.ts';
import type { FeedTerms } from '../../compiler/bundle/feed-terms.ts';
import type { DataFeed } from '../../proto/gen/writ/v1/feeds_pb.ts';
import { DataFeedSchema } from '../../proto/gen/writ/v1/feeds_pb.ts';
import { brokenImage, feedImage, neverSwitched } from '../host/feed-image.ts';
import type { StateFolder } from './state-folder.ts';

export interface FeedsOptions {
  readonly policy: string;
  readonly state: Pick<StateFolder, 'readFeeds' | 'keepFeed'>;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** One line for an operator, without any traffic in it. */
  readonly alarm: (message: string) => void;
}

/** Of a list: `fresh`, `stale`, `missing`; of a switch: `on`, `off`, `unheard`. */
export type FeedStanding = 'fresh' | 'stale' | 'missing' | 'on' | 'off' | 'unheard' | 'refused';

export interface FeedReport {
  readonly kind: FeedTerms['kind'];
  readonly name: string;
  /** 0: nothing yet. */
  readonly sequence: number;
  readonly issuedAt: number | null;
  readonly state: FeedStanding;
  /** The code with which the last one that came was refused. */
  readonly refused: string | null;
  /** Null for a switch. */
  readonly maxAgeMs: number | null;
}

/** A list is told of this part of its life before it is over. */
const WARNED_PART = 3;
/** No switch is ever this old: a kept feed is not judged by a clock that was set back. */
const ANY_TIME = Number.MAX_SAFE_INTEGER;

type Known = VerifiedFeed | 'nothing' | 'never' | 'broken';

export class Feeds {
  readonly #options: FeedsOptions;
  /** By resource name. Sequence 0: the control plane has said that a switch was never switched. */
  readonly #kept = new Map<string, DataFeed>();
  /** The last that came and was refused: another bundle may take it. */
  readonly #refused = new Map<string, { readonly feed: DataFeed; readonly code: string }>();
  /** Lists of whose coming end an operator was told, by resource and sequence. */
  readonly #warned = new Set<string>();
  /** What was verified under which terms: a signature is checked once. */
  readonly #verified = new WeakMap<FeedTerms, { readonly feed: DataFeed; readonly known: Known }>();
  #terms: readonly FeedTerms[] = [];

  constructor(options: FeedsOptions) {
    this.#options = options;
    const onDamaged = (): void => options.alarm('a kept list or switch is damaged, and fails until it comes again');
    for (const feed of options.state.readFeeds(onDamaged))
      if (feed.policy === options.policy) this.#kept.set(feedResource(feed), feed);
  }

  /** The terms of the policy in force. */
  get terms(): readonly FeedTerms[] {
    return this.#terms;
  }

  /** What the control plane is asked for. */
  get resources(): readonly string[] {
    return this.#terms.map((terms) => this.#resource(terms));
  }

  /** What need not be sent again, as the control plane names it. */
  get versions(): { readonly [resource: string]: string } {
    const kept = this.resources.flatMap((name) => {
      const feed = this.#kept.get(name);
      return feed === undefined || feed.sequence === 0n ? [] : [[name, feedVersion(feed)] as const];
    });
    return Object.fromEntries(kept);
  }

  /** A policy is in force from now on; what was refused under the one before may be good under this. */
  adopt(terms: readonly FeedTerms[]): void {
    this.#terms = terms;
    for (const [name, { feed }] of [...this.#refused])
      if (this.resources.includes(name)) this.#take(feed);
      else this.#refused.delete(name);
  }

  /** Takes what came. False: it was refused, which the report says, and what there was before stays. */
  offer(feed: DataFeed): boolean {
    const code = this.#take(feed);
    if (code !== null && code !== 'old_sequence')
      this.#options.alarm(`a state of ${feed.kind} \`${feed.name}\` was refused: ${code}`);
    return code === null;
  }

  /** The control plane says that nothing was ever published. Of what was seen before, its word counts for nothing. */
  missing(resource: string): boolean {
    const terms = this.#terms.find((each) => this.#resource(each) === resource);
    if (terms?.kind !== 'switch' || this.#kept.has(resource)) return false;
    const { policy, state } = this.#options;
    const never = create(DataFeedSchema, { policy, kind: terms.kind, name: terms.name });
    state.keepFeed(never);
    this.#kept.set(resource, never);
    return true;
  }

  /** What filters are given, under these terms: one image for each feed of which something is known. */
  images(terms: readonly FeedTerms[]): readonly Uint8Array[] {
    return terms.flatMap((each) => {
      const known = this.#known(each);
      if (known === 'nothing') return [];
      if (known === 'never') return [neverSwitched(each.name)];
      return [known === 'broken' ? brokenImage(each.kind, each.name) : feedImage(known.state, known.entries)];
    });
  }

  report(): readonly FeedReport[] {
    return this.#terms.map((terms) => {
      const known = this.#known(terms);
      const state = typeof known === 'string' ? undefined : known.state;
      return {
        kind: terms.kind,
        name: terms.name,
        sequence: Number(this.#kept.get(this.#resource(terms))?.sequence ?? 0n),
        issuedAt: state?.issuedAt ?? null,
        state: this.#standing(terms, known),
        refused: this.#refused.get(this.#resource(terms))?.code ?? null,
        maxAgeMs: terms.kind === 'list' ? terms.maxAgeMs : null,
      };
    });
  }

  /** Tells an operator, once each time, of lists that will soon be too old, or are. */
  warn(): void {
    for (const { kind, name, sequence, issuedAt, state, maxAgeMs } of this.report()) {
      if (maxAgeMs === null || issuedAt === null || state === 'refused') continue;
      const left = issuedAt + maxAgeMs - this.#options.now();
      const isOver = state === 'stale';
      const key = `${kind}/${name}/${sequence}/${isOver ? 'stale' : 'soon'}`;
      if (left > maxAgeMs / WARNED_PART || this.#warned.has(key)) continue;
      this.#warned.add(key);
      this.#options.alarm(
        isOver
          ? `the list \`${name}\` is too old: what reads it fails until it is signed again`
          : `the list \`${name}\` will be too old in ${Math.max(1, Math.round(left / 1_000))} s unless it is signed again`,
      );
    }
  }

  /** The code with which it is refused, or null. */
  #take(feed: DataFeed): string | null {
    const name = feedResource(feed);
    const kept = this.#kept.get(name);
    if (kept !== undefined && kept.statement === feed.statement) return null;
    const terms = this.#terms.find((each) => this.#resource(each) === name);
    if (terms === undefined) return 'wrong_feed';
    try {
      const newest = Number(kept?.sequence ?? 0n);
      verifyFeed(feed, terms, { now: this.#options.now(), newest: newest + 1 });
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      this.#refused.set(name, { feed, code: error.code });
      return error.code;
    }
    this.#options.state.keepFeed(feed);
    this.#kept.set(name, feed);
    this.#refused.delete(name);
    return null;
  }

  #known(terms: FeedTerms): Known {
    const kept = this.#kept.get(this.#resource(terms));
    if (kept === undefined) return 'nothing';
    if (kept.sequence === 0n) return 'never';
    const before = this.#verified.get(terms);
    if (before !== undefined && before.feed === kept) return before.known;
    const known = verified(kept, terms);
    this.#verified.set(terms, { feed: kept, known });
    return known;
  }

  #standing(terms: FeedTerms, known: Known): FeedStanding {
    if (known === 'broken') return 'refused';
    if (known === 'never') return 'off';
    if (known === 'nothing') return terms.kind === 'list' ? 'missing' : 'unheard';
    const now = this.#options.now();
    const { state } = known;
    if (state.kind === 'switch') return state.on && (state.until === null || now < state.until) ? 'on' : 'off';
    return terms.kind === 'list' && now - state.issuedAt <= terms.maxAgeMs ? 'fresh' : 'stale';
  }

  #resource({ kind, name }: FeedTerms): string {
    return feedResource({ policy: this.#options.policy, kind, name });
  }
}

function verified(feed: DataFeed, terms: FeedTerms): VerifiedFeed | 'broken' {
  try {
    return verifyFeed(feed, terms, { now: ANY_TIME, newest: 0 });
  } catch (error) {
    if (error instanceof BundleError) return 'broken';
    throw error;
  }
}
