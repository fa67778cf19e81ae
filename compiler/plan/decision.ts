/**
 * The two documents of a decision, the same for every backend: what `writ/decision` reads (OPA's `input`) and what it
 * answers. The interpreter, the Rego, `policy.wasm` and `filter.wasm` give equal documents for equal input; JSON
 * Schemas of both are in every bundle.
 *
 * Input: `{ "event": EventName, "store"?: string, ...facts by path }`, e.g.
 * `{"event":"prompt","caller":{"id":"u1","region":"eu"},"prompt":{"requested_model":"gpt-4o","input_tokens_bound":40,…},"text":{"found":["email"]}}`.
 * An input that is not such an object, names an event that the policy does not know, or a store or tool that it does not
 * declare: `event` null, `outcome` deny with one reason of kind `input`, all else null or empty. `store` (the name in
 * the policy) must be there for retrieval, chunk and ingest and have such an event in the plan; for the others it is
 * not read. `chunk` is the second decision of a retrieval event. `tool` (the name in the policy) says of which tool a
 * tool call is, and is absent or null for a call of none of them.
 *
 * In the JSON text the keys stand in the order below, without spaces. A key of a fact's path, `event` or `store` that
 * stands twice fails what it leads to, where the backend itself parses the text; a host that parses it first (OPA) has
 * kept the last one. Text of more than 64 levels, or that is not UTF-8, is no JSON object.
 */
import type { WireValue } from './wire-value.ts';

export type DecisionEvent =
  'prompt' | 'completion' | 'tool_call' | 'retrieval' | 'chunk' | 'ingest' | 'egress' | 'exchange';

export type Reason =
  /** A deny rule fired. */
  | { readonly kind: 'rule'; readonly rule: string; readonly message: string }
  /** The event's default is deny and nothing allowed it. */
  | { readonly kind: 'default' }
  /**
   * A candidate model was removed, and by what: rules (sorted), then `budget NAME` (sorted; for its headroom and its
   * thresholds), then `context window`, without doubles. One reason a candidate, in the candidates' order; only when no
   * model is left.
   */
  | { readonly kind: 'removed'; readonly model: string; readonly by: readonly string[] }
  /** The requested name is in no route and is no model of the catalog, or its route offers no candidate. */
  | { readonly kind: 'unknown_model' }
  /**
   * A rule could not be decided because facts that it reads have failed (paths joined by dots, sorted), and the outcome
   * of that is deny. One reason a name, with the facts of all of that name that deny.
   */
  | { readonly kind: 'failed'; readonly rule: string; readonly facts: readonly string[] }
  /** A chunk, or a call of a tool, was withheld by this rule. */
  | { readonly kind: 'withheld'; readonly rule: string }
  /** The input itself cannot be decided. */
  | { readonly kind: 'input' };

export interface Decision {
  readonly event: DecisionEvent | null;
  /** `hold`: nothing denies, and reviewers must approve first (`holds`). */
  readonly outcome: 'allow' | 'hold' | 'deny';
  /** Prompt: the chosen model's name, null where none is. Other events: null. */
  readonly model: string | null;
  /** Prompt and completion: the event's classification, null where the policy has none or it has failed. */
  readonly classification: string | null;
  /**
   * What to redact, sorted by detector; the strongest mode of those that apply, and all rules that asked (sorted).
   * Empty on deny.
   */
  readonly redact: readonly {
    readonly detector: string;
    /** The mode as the policy writes it: see `redactionName`. */
    readonly as: string;
    readonly includingRestored: boolean;
    readonly rules: readonly string[];
  }[];
  /** Prompt, not denied: the output tokens that the request may have at the chosen model. Else null. */
  readonly outputTokens: number | null;
  /** Prompt, not denied: the worst case in micro-units that each budget which applies must reserve, sorted by budget. */
  readonly reserve: readonly { readonly budget: string; readonly amount: number }[];
  /** Sorted by name; of several values for one name, all, sorted. Empty on deny. */
  readonly tags: readonly { readonly name: string; readonly value: string }[];
  /**
   * Prompt: fields of the wire that are set, sorted by name; of several values for one field, all, sorted: `false`,
   * `true`, numbers, texts. Empty on deny.
   */
  readonly set: readonly { readonly field: string; readonly value: WireValue }[];
  /**
   * Who must approve before what is said here happens: sorted by rule, then reviewers, approvals, milliseconds; without
   * doubles. Empty unless `outcome` is `hold`. All else stands as it will be once it is released.
   */
  readonly holds: readonly {
    readonly rule: string;
    readonly reviewers: string;
    readonly approvals: number;
    readonly milliseconds: number;
  }[];
  /**
   * What of it is kept: for reviewers, or for so many milliseconds; the other is null. Sorted by rule, then reviewers,
   * then milliseconds, without doubles. Also of what is held or denied.
   */
  readonly keeps: readonly {
    readonly rule: string;
    readonly reviewers: string | null;
    readonly milliseconds: number | null;
  }[];
  /**
   * Why it was denied, in this order: input, failed (by rule), unknown_model, removed, rule (by rule, then message,
   * without doubles), withheld (by rule, without doubles), default. Empty unless `outcome` is `deny`.
   */
  readonly reasons: readonly Reason[];
  /**
   * Names of the rules whose condition held (not only those with an effect on the outcome), sorted, without doubles:
   * effects rules, limits, requirements that removed a candidate, classify.
   */
  readonly fired: readonly string[];
  /**
   * Facts (paths joined by dots) that have failed among those that rules of this event read, sorted. Statically: all
   * that has `reads`, every route's preferences and the prompt's own three included. Of a budget only what its
   * condition reads; its levels, the prompt's counts and what its thresholds read are listed where it applies.
   */
  readonly failed: readonly string[];
}
