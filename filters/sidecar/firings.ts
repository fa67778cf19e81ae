/**
 * How often rules have fired that somebody is told of, and telling it to the control plane: totals since the start, so
 * that what is told twice counts once, and what was lost on its way is in the next call. No exchange waits for it. What
 * fires in the last second before a process is killed is not told.
 */
import { randomBytes } from 'node:crypto';
import type { DecisionSummary } from './decision-record.ts';

export interface FiringsOptions {
  /** Has what was decided since the last time told to `add`. */
  readonly collect: () => void;
  /** Tells totals. Rejects where they may not have arrived. */
  readonly tell: (report: {
    readonly incarnation: string;
    readonly firings: readonly { readonly rule: string; readonly total: bigint }[];
  }) => Promise<void>;
  readonly later: (action: () => void, ms: number) => () => void;
}

/** How long after a rule has fired it is told. */
export const FIRINGS_MS = 1_000;
/** After calls that failed. */
const RETRY_MS = [1_000, 5_000, 15_000] as const;
/** Rules in one call. */
const RULES_MAX = 256;
const WAIVER = 'waiver ';

export class Firings {
  readonly #options: FiringsOptions;
  readonly #incarnation = randomBytes(16).toString('hex');
  #watched: ReadonlySet<string> = new Set();
  readonly #totals = new Map<string, number>();
  /** What the control plane has confirmed. */
  readonly #told = new Map<string, number>();
  #failures = 0;
  #cancel: (() => void) | undefined;
  #telling: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: FiringsOptions) {
    this.#options = options;
  }

  /** The rules of the policy in force that tell somebody, as decisions name them. What was counted stays. */
  watch(rules: Iterable<string>): void {
    this.#watched = new Set(rules);
    if (this.#watched.size > 0) this.#schedule();
  }

  /** Decisions that are told so. */
  add({ event, rules }: Pick<DecisionSummary, 'event' | 'rules'>, times: number): void {
    for (const rule of rules) {
      if (!this.#watched.has(rule)) continue;
      // The request to a store names the waivers that cover its caller; whether they lift something, its chunks show.
      if (event === 'retrieval' && rule.startsWith(WAIVER)) continue;
      this.#totals.set(rule, (this.#totals.get(rule) ?? 0) + times);
    }
  }

  /** Tells what there is to tell, once. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    await this.#telling;
    await this.#tellOnce();
  }

  #schedule(): void {
    if (this.#cancel !== undefined || this.#isStopped) return;
    const ms = this.#failures === 0 ? FIRINGS_MS : RETRY_MS[Math.min(this.#failures, RETRY_MS.length) - 1]!;
    this.#cancel = this.#options.later(() => {
      this.#cancel = undefined;
      this.#telling = this.#tellOnce().finally(() => {
        if (this.#watched.size > 0) this.#schedule();
      });
    }, ms);
  }

  async #tellOnce(): Promise<void> {
    this.#options.collect();
    const news = [...this.#totals].filter(([rule, total]) => this.#told.get(rule) !== total);
    for (let at = 0; at < news.length; at += RULES_MAX) {
      const part = news.slice(at, at + RULES_MAX);
      try {
        await this.#options.tell({
          incarnation: this.#incarnation,
          firings: part.map(([rule, total]) => ({ rule, total: BigInt(total) })),
        });
      } catch {
        // The totals say it again.
        this.#failures++;
        return;
      }
      for (const [rule, total] of part) this.#told.set(rule, total);
    }
    this.#failures = 0;
  }
}
