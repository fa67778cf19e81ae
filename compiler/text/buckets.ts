/** The prefilter's eight buckets: which groups share one, so that as few places as possible are admitted in vain. */
import * as L from '../../filters/kernel/text/layout.ts';
import { anchorFrequency, type Anchor } from './anchor.ts';
import type { Group } from './groups.ts';

export interface Bucket {
  readonly entries: readonly { readonly group: number; readonly anchor: Anchor }[];
  /** At least the bytes of their anchors. */
  readonly bytes: Anchor;
}

const EMPTY: Bucket = { entries: [], bytes: [0n, 0n, 0n] };

export function bucketsOf(groups: readonly Group[]): readonly Bucket[] {
  const buckets: Bucket[] = Array.from({ length: L.BUCKETS }, () => EMPTY);
  // The rare ones last: they cost least where they share.
  const order = groups
    .flatMap(({ anchors, digits }, i) => anchors.map((anchor) => ({ anchor, digits, i, frequency: anchorFrequency(anchor) })))
    .sort((a, b) => b.frequency - a.frequency || a.i - b.i);
  for (const { anchor, digits, i } of order) {
    const candidates = buckets.map((bucket, number) => ({ number, joined: join(bucket, anchor, i), before: cost(bucket) })).filter(({ number }) => (number === L.BUCKET_DIGITS) === digits);
    const best = candidates.reduce((least, candidate) => (cost(candidate.joined) - candidate.before < cost(least.joined) - least.before ? candidate : least));
    buckets[best.number] = best.joined;
  }
  return buckets;
}

function join({ entries, bytes }: Bucket, anchor: Anchor, group: number): Bucket {
  return { entries: [...entries, { group, anchor }], bytes: [bytes[0] | anchor[0], bytes[1] | anchor[1], bytes[2] | anchor[2]] };
}

/** Anchors compared, a byte. */
function cost({ entries, bytes }: Bucket): number {
  return (1 + entries.length) * anchorFrequency(bytes);
}
