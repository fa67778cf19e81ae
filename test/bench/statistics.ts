// The statistics of rounds: medians, and how far apart the rounds were.

export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Of at least one number; of an even number of them, the mean of the two in the middle. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const above = sorted[Math.floor(middle)];
  const below = sorted[Math.ceil(middle) - 1];
  const low = sorted[0];
  const high = sorted.at(-1);
  if (above === undefined || below === undefined || low === undefined || high === undefined)
    throw new Error('there is no median of nothing');
  return { median: (above + below) / 2, low, high };
}

/**
 * Of the quotients, round by round: what slowed one round slowed both its runs, so that quotients differ less than what
 * they are made of.
 */
export function ratios(values: readonly number[], bases: readonly number[]): Spread {
  if (values.length !== bases.length) throw new Error('a ratio needs both runs of each round');
  return spread(values.map((value, round) => value / (bases[round] ?? NaN)));
}

/** The order in which a round takes its contenders: each round begins with another one. */
export function inTurn<T>(contenders: readonly T[], round: number): readonly T[] {
  const first = contenders.length === 0 ? 0 : round % contenders.length;
  return [...contenders.slice(first), ...contenders.slice(0, first)];
}
