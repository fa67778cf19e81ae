/**
 * Counts decisions by what the metrics show of them. Most requests of a policy end in one of few ways, and to read a
 * record, or to find a counter by its labels, costs more than a decision: so a record is read once for each way, and the
 * counters are told when somebody looks.
 */
import { summarise } from './decision-record.ts';
import type { DecisionSummary } from './decision-record.ts';

/** Ways that are told apart; with one more, all are handed over and forgotten. */
export const TALLIES_MAX = 1_024;

interface Tally {
  readonly summary: DecisionSummary;
  count: number;
}

export class DecisionTallies {
  readonly #tallies = new Map<string, Tally>();
  readonly #told: (summary: DecisionSummary, count: number) => void;

  constructor(told: (summary: DecisionSummary, count: number) => void) {
    this.#told = told;
  }

  get size(): number {
    return this.#tallies.size;
  }

  /** One more of what this record says. */
  add(record: string): void {
    const way = wayOf(record);
    const known = this.#tallies.get(way);
    if (known !== undefined) {
      known.count++;
      return;
    }
    if (this.#tallies.size === TALLIES_MAX) {
      this.tell();
      this.#tallies.clear();
    }
    this.#tallies.set(way, { summary: summarise(record), count: 1 });
  }

  /** Hands over what was counted since the last time. */
  tell(): void {
    for (const tally of this.#tallies.values()) {
      if (tally.count > 0) this.#told(tally.summary, tally.count);
      tally.count = 0;
    }
  }
}

/**
 * The parts of a record that a summary is made of: two records that are equal in them have equal summaries. The order of
 * a decision's members is fixed (compiler/plan/decision.ts), and no text can hold what is looked for, since a quote in a
 * text is escaped. What does not look like that stands for itself.
 */
function wayOf(record: string): string {
  const outcomeEnd = record.indexOf(',"model":');
  const redact = record.indexOf('"redact":[', outcomeEnd);
  const redactEnd = record.indexOf(',"outputTokens":', redact);
  const fired = record.indexOf('"fired":[', redactEnd);
  const firedEnd = record.indexOf(',"failed":[', fired);
  if (outcomeEnd < 0 || redact < 0 || redactEnd < 0 || fired < 0 || firedEnd < 0) return record;
  return record.slice(0, outcomeEnd) + record.slice(redact, redactEnd) + record.slice(fired, firedEnd);
}
