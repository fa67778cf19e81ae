// What becomes of a notice after an attempt to tell it. Pure: times are arguments.

/** What an attempt came to. `why` is a fixed word: nothing that the recipient's server has said. */
export type AttemptOutcome = { readonly kind: 'taken' } | { readonly kind: 'failed'; readonly why: string };

export interface OutboxChange {
  readonly state: 'waiting' | 'sent' | 'failed';
  readonly attempts: number;
  readonly nextAt: number;
  readonly failure: string;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Between an attempt that failed and the next; after the last it is given up: three days after the first. */
export const RETRY_MS = [
  5 * SECOND,
  30 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  20 * HOUR,
] as const;

/** `attempts`: how many there were before this one. */
export function afterAttempt(attempts: number, outcome: AttemptOutcome, now: number): OutboxChange {
  const made = attempts + 1;
  if (outcome.kind === 'taken') return { state: 'sent', attempts: made, nextAt: now, failure: '' };
  const wait = RETRY_MS[attempts];
  return {
    state: wait === undefined ? 'failed' : 'waiting',
    attempts: made,
    nextAt: now + (wait ?? 0),
    failure: outcome.why,
  };
}
