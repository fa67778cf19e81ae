/**
 * `text contains "merger"`: a word of the policy, found as a detector would find it. Its name is the word in quotes,
 * which no declared detector can have.
 */
import type { DetectorUse } from '../plan/plan.ts';

export function wordDetector(word: string): DetectorUse {
  return {
    name: JSON.stringify(word),
    source: { kind: 'pattern', pattern: word.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), ignoreCase: true },
  };
}
