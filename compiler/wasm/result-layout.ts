/**
 * Where the regions of a result block stand for one site. The head, and what the regions hold, is in
 * filters/kernel/decision/layout.ts.
 */
import { RESULT_HEAD_BYTES } from '../../filters/kernel/decision/layout.ts';
import { wordsFor } from './bits.ts';

/** How many entries each list of the site has. */
export interface ResultCounts {
  readonly failed: number;
  readonly nodes: number;
  readonly touches: number;
  readonly withheld: number;
  readonly removers: number;
  readonly preferences: number;
  readonly reserves: number;
  readonly detectors: number;
  readonly models: number;
}

/** Offsets from the block's start; all words are aligned to 8. */
export interface ResultLayout {
  readonly failed: number;
  readonly fired: number;
  readonly touched: number;
  readonly withheld: number;
  readonly removed: number;
  readonly preferences: number;
  readonly reserves: number;
  readonly redactions: number;
  /** Of the code alone: output tokens and worst case at each candidate, by price. */
  readonly outputs: number;
  readonly costs: number;
  readonly bytes: number;
}

export function layOut(counts: ResultCounts): ResultLayout {
  let bytes = RESULT_HEAD_BYTES;
  const words = (count: number) => {
    const at = bytes;
    bytes += count * 8;
    return at;
  };
  const failed = words(wordsFor(counts.failed));
  const fired = words(wordsFor(counts.nodes));
  const touched = words(wordsFor(counts.touches));
  const withheld = words(wordsFor(counts.withheld));
  const removed = words(counts.removers);
  const preferences = words(counts.preferences);
  const reserves = words(counts.reserves);
  const outputs = words(counts.models);
  const costs = words(counts.models);
  const redactions = words((counts.detectors + 7) >> 3);
  return { failed, fired, touched, withheld, removed, preferences, reserves, redactions, outputs, costs, bytes };
}
