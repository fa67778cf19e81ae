/**
 * Counts decisions by the record that the filter wrote. Equal records are counted as one, and told when somebody asks:
 * a dozen labelled counters for each exchange would cost more than all else that the sidecar does for it.
 */
import { summarise } from './decision-record.ts';
import type { DecisionSummary } from './decision-record.ts';
import { ownText } from './own-text.ts';

/** Records that are counted apart; one more, and what was counted is told at once. */
export const RECORDS_MAX = 1_024;
/** A longer record, in UTF-16 units, is told at once. */
export const RECORD_LENGTH_MAX = 8_192;

export class DecisionTally {
  readonly #tell: (summary: DecisionSummary, times: number) => void;
  readonly #counts = new Map<string, number>();

  constructor(tell: (summary: DecisionSummary, times: number) => void) {
    this.#tell = tell;
  }

  add(record: string): void {
    if (record.length > RECORD_LENGTH_MAX) {
      this.#tell(summarise(record), 1);
      return;
    }
    const count = this.#counts.get(record);
    if (count !== undefined) {
      this.#counts.set(record, count + 1);
      return;
    }
    if (this.#counts.size >= RECORDS_MAX) this.flush();
    this.#counts.set(ownText(record), 1);
  }

  /** Tells what was counted since the last time. */
  flush(): void {
    for (const [record, times] of this.#counts) this.#tell(summarise(record), times);
    this.#counts.clear();
  }
}
