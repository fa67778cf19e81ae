/** The bytes by which the prefilter notices a match. */
import { frequencyOf } from './byte-frequency.ts';
import { halvesOf, type ByteSet } from './byte-set.ts';

/** Four bytes in a row. */
export type Anchor = readonly [ByteSet, ByteSet, ByteSet, ByteSet];

/**
 * An anchor, and how many bytes before it the context word begins to which it belongs; 0 where it is no part of one.
 */
export interface PlacedAnchor {
  readonly bytes: Anchor;
  readonly backLeast: number;
  readonly backMost: number;
}

/** Share of the places in running text at which the prefilter sees the anchor. */
export function anchorFrequency(anchor: Anchor): number {
  return frequencyOf(anchor.map(halvesOf));
}

/** Two bytes in a row of the four, those that are seen together least. */
export function rarestPair([a, b, c, d]: Anchor): readonly [ByteSet, ByteSet] {
  const pairs = [[a, b] as const, [b, c] as const, [c, d] as const];
  const frequencies = pairs.map((pair) => frequencyOf(pair.map(halvesOf)));
  return pairs[frequencies.indexOf(Math.min(...frequencies))] ?? [a, b];
}
