// The catalog of a plan: models with their prices, and the days' rates by which amounts were converted.
import type { Span } from './span.ts';

/** A value in canonical form: scaled integers, enum members by name, sets sorted and without doubles. */
export type FactValue = boolean | number | string | readonly string[];

/** Position in `Plan.models`. */
export type ModelId = number;

export interface Model {
  readonly id: ModelId;
  /** Name in the policy. */
  readonly name: string;
  /** Name on the wire, which clients ask for and the upstream is sent. */
  readonly wireName: string;
  readonly provider: string;
  /** Declared attributes, for people and reports: conditions have already read them. */
  readonly attributes: { readonly [name: string]: FactValue };
  /** Micro-units of the policy's currency per million tokens. */
  readonly inputPrice: number;
  readonly outputPrice: number;
  /** Tokens. */
  readonly context: number;
  readonly maxOutput: number;
  /**
   * Tokens that the provider's chat template may add to one request. `prompt.input_tokens_bound` counts the largest of
   * the catalog.
   */
  readonly templateOverhead: number;
  readonly span: Span;
}

/**
 * One unit of `from` is `rateMillionths` / 1,000,000 units of the policy's currency, by the day's rate. For people:
 * amounts and prices are converted already, each rounded up once to a whole micro-unit.
 */
export interface Conversion {
  readonly from: string;
  readonly rateMillionths: number;
  /** `2026-01-02`. */
  readonly date: string;
}
