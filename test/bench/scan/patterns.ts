// The detectors' patterns for engines that are not ours: they get neither validators nor contexts, and boundaries only
// as `\b` can say them.
import { detectors } from '../../../filters/detectors/detectors.ts';

const patterns: readonly string[] = detectors.flatMap(({ forms }) => forms.map(({ pattern }) => pattern));

/** Around an alternative at the top of a pattern too. */
export const lookaroundPatterns: readonly string[] = patterns.map(
  (pattern) => `(?<![0-9A-Za-z_])(?:${pattern})(?![0-9A-Za-z_])`,
);

/** Where a match may begin with what is no word, `\b` would ask for a word before it. */
const BEGINS_WITHOUT_WORD = /^(?:\\[^dw]|\[A-Za-z0-9_%)/;

export function wordPattern(pattern: string): string {
  return `${BEGINS_WITHOUT_WORD.test(pattern) ? '' : '\\b'}(?:${pattern})\\b`;
}

export const wordPatterns: readonly string[] = patterns.map(wordPattern);
