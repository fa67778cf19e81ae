/**
 * The prefilter's eight or sixteen buckets: which groups share one, so that as few places as possible are admitted in
 * vain.
 */
import * as L from '../../filters/kernel/text/layout.ts';
import { anchorFrequency, type Anchor, type PlacedAnchor } from './anchor.ts';
import type { Group } from './groups.ts';

export interface Bucket {
  readonly entries: readonly { readonly group: number; readonly anchor: PlacedAnchor }[];
  /** At least the bytes of their anchors. */
  readonly bytes: Anchor;
}

const EMPTY: Bucket = { entries: [], bytes: [0n, 0n, 0n, 0n] };

/**
 * Times that every anchor is offered another bucket. With many anchors their first place must do: the search would take
 * longer than it saves.
 */
const ROUNDS_MAX = 3;
const ANCHORS_SEARCHED_MAX = 64;

/** What a look-up of eight more buckets costs, in anchors compared a byte. */
const WIDE_COST = 0.02;

/** BUCKETS_NARROW of them where these do, else BUCKETS. */
export function bucketsOf(groups: readonly Group[]): readonly Bucket[] {
  const narrow = fill(groups, L.BUCKETS_NARROW);
  const wide = fill(groups, L.BUCKETS);
  return total(narrow) < total(wide) + WIDE_COST ? narrow : wide;
}

function total(buckets: readonly Bucket[]): number {
  return buckets.reduce((sum, bucket) => sum + cost(bucket), 0);
}

function fill(groups: readonly Group[], count: number): readonly Bucket[] {
  // The rare ones last: they cost least where they share.
  const order = groups
    .flatMap(({ kind, anchors, digits }, group) =>
      kind === 'run'
        ? []
        : anchors.map((anchor) => ({ anchor, digits, group, frequency: anchorFrequency(anchor.bytes) })),
    )
    .sort((a, b) => b.frequency - a.frequency || a.group - b.group);
  const buckets: Bucket[] = Array.from({ length: count }, () => EMPTY);
  const add = ({ digits, anchor, group }: (typeof order)[number]): number => {
    const rises = buckets.map((bucket, number) =>
      (number === L.BUCKET_DIGITS) === digits ? cost(join(bucket, anchor, group)) - cost(bucket) : Infinity,
    );
    const best = rises.indexOf(Math.min(...rises));
    buckets[best] = join(buckets[best] ?? EMPTY, anchor, group);
    return best;
  };
  const places = order.map(add);
  if (order.length > ANCHORS_SEARCHED_MAX) return buckets;
  for (let round = 0, moved = true; moved && round < ROUNDS_MAX; round += 1) {
    moved = false;
    order.forEach((item, i) => {
      const place = places[i] ?? 0;
      buckets[place] = (buckets[place] ?? EMPTY).entries
        .filter(({ anchor }) => anchor !== item.anchor)
        .reduce((bucket, { anchor, group }) => join(bucket, anchor, group), EMPTY);
      places[i] = add(item);
      moved ||= places[i] !== place;
    });
  }
  return buckets;
}

function join({ entries, bytes }: Bucket, anchor: PlacedAnchor, group: number): Bucket {
  return {
    entries: [...entries, { group, anchor }],
    bytes: [
      bytes[0] | anchor.bytes[0],
      bytes[1] | anchor.bytes[1],
      bytes[2] | anchor.bytes[2],
      bytes[3] | anchor.bytes[3],
    ],
  };
}

const costs = new WeakMap<Bucket, number>();

/** Anchors compared, a byte. */
function cost(bucket: Bucket): number {
  const known = costs.get(bucket);
  if (known !== undefined) return known;
  const made = (1 + bucket.entries.length) * anchorFrequency(bucket.bytes);
  costs.set(bucket, made);
  return made;
}
