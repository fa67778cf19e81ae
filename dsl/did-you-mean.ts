/**
 * Finds the name that was probably meant. Ties go to the alphabetically first, so that messages are the same in every
 * run.
 */

const NAME_LENGTH_MAX = 64;

/** The candidate nearest to `written`, or null if none is near enough to be a slip of the hand. */
export function didYouMean(written: string, candidates: Iterable<string>): string | null {
  if (written.length > NAME_LENGTH_MAX) return null;
  const allowed = Math.max(1, Math.floor(written.length / 3));
  let best: string | null = null;
  let bestDistance = allowed + 1;
  for (const candidate of candidates) {
    if (
      candidate === written ||
      Math.abs(candidate.length - written.length) > allowed ||
      candidate.length > NAME_LENGTH_MAX
    )
      continue;
    const distance = editDistance(written.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance || (distance === bestDistance && best !== null && candidate < best)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Damerau-Levenshtein distance of adjacent transpositions (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let distance = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        distance = Math.min(distance, (beforePrevious[j - 2] ?? 0) + 1);
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
