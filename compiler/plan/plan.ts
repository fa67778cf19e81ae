/**
 * The plan: what a policy means, as data. It is the only thing that the interpreter, the Rego and wasm emitters, the
 * report and the review tools read. Everything that the language can settle before a request arrives is settled here:
 * terms are substituted, detector groups expanded, conditions on models evaluated for each model of the catalog, units
 * are integers, rules stand in canonical order.
 *
 * A plan is JSON: readonly, printable, versioned. Every node that stems from source names its span.
 *
 * Meaning, in one paragraph. `decide(event, facts)` first reads the facts (see `Fact`). A rule is *touched* when a fact
 * in its `reads` has failed; a touched rule never fires, and the event's outcome is then joined with `onFailure`
 * (always with deny when the failed fact is of the caller, of a limit, or of `keep`: see `Fact.failsClosed`). Rules
 * that are not touched are evaluated once. The strata of an event are listed at its type.
 *
 * Fine points, the same for every backend:
 * - Whatever has `reads` can be touched and is joined like a rule: classify, limits, requirements, budgets, thresholds,
 *   chunk effects, and the preferences of the route that serves the request. A touched one does nothing (a touched
 *   requirement removes nothing, a touched budget neither removes nor reserves and its thresholds are passed over).
 *   Names in reasons: the rule's or classify's name; `budget NAME` for a budget and its thresholds; `route NAME`.
 * - A touched limit, budget or threshold denies whatever `onFailure` says and whichever fact failed: an unread cap is
 *   never taken for one that holds.
 * - Of a budget the condition is settled first. It is touched when a fact of its `reads` (what `applies` reads) has
 *   failed. Where it is not touched and `applies` is false it does nothing, and neither its levels nor its thresholds
 *   are looked at. Where it applies it is touched by the failure of `headroom`, `prompt.input_tokens_bound` or
 *   `prompt.choices` too, and each of its thresholds by the failure of `spent` or of the threshold's `reads`.
 * - The strata of a prompt read `prompt.requested_model`, `prompt.output_tokens` and `prompt.tokens_estimate`
 *   themselves, and every plan with a prompt event has these facts. When one has failed there are no candidates, the
 *   outcome is deny whatever `onFailure` says, and the reason is `failed` with the name `choice of model`.
 * - A comparison of numbers where one is negative is exact; `prompt.tokens_estimate`, `prompt.input_tokens_bound`,
 *   `prompt.choices` and the output tokens at a model (after the minimum is taken) below 0 are read as 0 in costs, in
 *   the context window and in `Decision.outputTokens`. Where the sum `input · inputPrice + choices · output ·
 *   outputPrice` exceeds 2^63−1, it exceeds every headroom.
 * - `some` and `every` over an unknown collection are false. A classification that has failed makes the comparison
 *   false; outside the events that are classified (prompt and completion) the operand `classification` does too.
 * - `each` after the prompt is read at the model whose name is the fact `model.chosen`; where that is not known the
 *   condition is false.
 * - "Sorted" is by code point (which is the order of UTF-8 bytes).
 */

import type { Counted } from './budget.ts';
import type { Hours, Zone } from './calendar.ts';
import type { EnumType } from './enums.ts';
import type { DetectorUse } from './detector-use.ts';
import type { Telling, TellingAt } from './notify.ts';
import type { FeedSource, ListUse, SwitchUse } from './feeds.ts';
import type { Guarantee, ImportedFile } from './governance.ts';
import type { Hold } from './hold.ts';
import type { Keep } from './keep.ts';
import type { Conversion, FactValue, Model, ModelId } from './model.ts';
import type { RedactionMode } from './redaction.ts';
import type { Span } from './span.ts';
import type { Store } from './store.ts';
import type { Tool } from './tool.ts';
import type { WireValue } from './wire-value.ts';

export type { Hours, Zone } from './calendar.ts';
export { DETECTOR_ENUM, type EnumType, MODEL_ENUM, ROLE_ENUM } from './enums.ts';
export type { DetectorUse } from './detector-use.ts';
export type { Conversion, FactValue, Model, ModelId } from './model.ts';
export type { FeedSource, ListOperand, ListUse, SwitchUse } from './feeds.ts';
export { ENUM_MEMBERS_MAX, MODELS_MAX, RULES_MAX, SET_MEMBERS_MAX } from './limits.ts';
export type { Span };
export type { Store };
export type { Tool } from './tool.ts';
export const PLAN_VERSION = 1;

// ----------------------------------------------------------------------------------------------------------------
// facts

/** Position in `Plan.facts`. */
export type FactId = number;

/**
 * The type of a fact at run time. Numbers are integers at a declared scale: a JSON number `x` stands for the integer `x
 * · 10^scale`, which must be exact and at most 2^53−1 in magnitude, else the fact has failed. Times are numbers of
 * seconds since 1970 UTC at scale 3: milliseconds inside. `x` is the decimal number that its JSON text writes (`1`,
 * `1.0` and `1e0` are one number); a fraction of more than 15 significant digits is outside what I-JSON keeps (RFC 7493
 * §2.2), and where a host has parsed the text first, backends may then differ.
 *
 * A value of another JSON type has failed; so has an enum or enum set with a name that is no member, a set or
 * collection with an element that is of the wrong type (null included), a set of more than `SET_MEMBERS_MAX` elements
 * or a collection of more than `most` (counted as written, doubles included), and text with a lone surrogate. On the
 * way to a fact's `path` a missing key or null is an absent value, any other value that is not an object a failed one.
 */
export type FactType =
  | { readonly kind: 'bool' }
  | { readonly kind: 'number'; readonly scale: number; readonly unit: string }
  | { readonly kind: 'text' }
  /** A day of the calendar, written `2026-12-31` (RFC 3339 full-date); inside, its days since 1970-01-01. */
  | { readonly kind: 'date' }
  | { readonly kind: 'enum'; readonly enum: string }
  | { readonly kind: 'text_set' }
  | { readonly kind: 'enum_set'; readonly enum: string }
  /**
   * An array of objects; each element has the fields given, which fail as a whole: one failed field fails the
   * collection, and an absent or null field has failed, save one that is optional: it is unknown then.
   */
  | { readonly kind: 'collection'; readonly fields: readonly CollectionField[]; readonly most: number };

export interface CollectionField {
  readonly name: string;
  readonly type: Exclude<FactType, { kind: 'collection' }>;
  readonly optional?: true;
}

/**
 * What an absent value (missing key; JSON null counts as absent) becomes. A value of the wrong type has failed whatever
 * this says. Facts that the strata themselves compute with are never `unknown`, save `prompt.output_tokens`:
 * `prompt.requested_model`, `prompt.tokens_estimate`, `prompt.input_tokens_bound`, `prompt.choices`, budgets' levels.
 */
export type WhenAbsent =
  { readonly kind: 'fails' } | { readonly kind: 'unknown' } | { readonly kind: 'else'; readonly value: FactValue };

export interface Fact {
  readonly id: FactId;
  /** Where the value stands in the decision's input document, e.g. `["caller", "region"]`. Unique. */
  readonly path: readonly string[];
  readonly type: FactType;
  readonly absent: WhenAbsent;
  /**
   * A rule touched by the failure of such a fact denies, whatever `onFailure` says. Set for every claim, every fact of
   * a chunk, every level of a budget, and the prompt's own counts.
   */
  readonly failsClosed: boolean;
  /**
   * Who supplies it. `builtin` facts are read from the wire by the kernel, under the name in `path` joined by dots.
   * `splitBy` cuts a text found in the claim or metadata into a set (pieces without surrounding spaces, empty ones
   * dropped); in the decision's input document the fact stands in its canonical form, and `splitBy` means nothing
   * there.
   */
  readonly source:
    | { readonly kind: 'builtin' }
    | { readonly kind: 'claim'; readonly claim: string; readonly splitBy?: string }
    | { readonly kind: 'metadata'; readonly store: string; readonly key: string; readonly splitBy?: string }
    | { readonly kind: 'chunks'; readonly store: string } // all of an answer; a field is the chunk's fact of that name
    | { readonly kind: 'argument'; readonly tool: string; readonly key: string; readonly splitBy?: string }
    | { readonly kind: 'budget'; readonly budget: string }
    | FeedSource;
  readonly span?: Span;
}

// ----------------------------------------------------------------------------------------------------------
// expressions

/**
 * A condition over facts, never over models. All facts that it mentions are known or unknown-but-guarded when it is
 * evaluated: failure is settled before, by `reads`. Reading an optional fact that is unknown makes the innermost
 * comparison false; the checker only lets it be read under `known`.
 */
export type Expr =
  | { readonly kind: 'const'; readonly value: boolean }
  | { readonly kind: 'not'; readonly of: Expr }
  | { readonly kind: 'and'; readonly of: readonly Expr[] }
  | { readonly kind: 'or'; readonly of: readonly Expr[] }
  /** The optional fact has a value. */
  | { readonly kind: 'known'; readonly fact: FactRef }
  /** A bool fact is true. */
  | { readonly kind: 'is_true'; readonly fact: FactRef }
  /** Numbers, times, dates, and ordered enums by rank. Both sides have the same scale or the same enum. */
  | {
      readonly kind: 'compare';
      readonly op: 'eq' | 'lt' | 'le' | 'gt' | 'ge';
      readonly left: Operand;
      readonly right: Operand;
    }
  /** Text equality, byte for byte. */
  | { readonly kind: 'text_equals'; readonly left: TextOperand; readonly right: TextOperand }
  /** The text holds `part` somewhere, byte for byte; `part` is not empty. */
  | { readonly kind: 'text_contains'; readonly text: FactRef; readonly part: string }
  /** The set (fact) has the member. */
  | { readonly kind: 'contains'; readonly set: FactRef; readonly member: TextOperand }
  /** The two sets share a member. The right side may be constant. */
  | { readonly kind: 'overlaps'; readonly left: FactRef; readonly right: SetOperand }
  /** Every member of the left set is in the right one. */
  | { readonly kind: 'subset'; readonly left: FactRef; readonly right: SetOperand }
  /** The time (a fact in milliseconds since 1970 UTC) falls into these hours of `Plan.hours`, by their position. */
  | { readonly kind: 'in_hours'; readonly time: FactRef; readonly hours: number }
  /** Some / every element of a collection satisfies `body`, in which `FactRef.field` reads the element. */
  | { readonly kind: 'some' | 'every'; readonly collection: FactId; readonly body: Expr };

/**
 * A fact of the input, or inside a `some`/`every` body a field (its position in `fields`) of the element of that
 * collection.
 */
export type FactRef =
  | { readonly kind: 'fact'; readonly fact: FactId }
  | { readonly kind: 'field'; readonly collection: FactId; readonly field: number };

export type Operand =
  | { readonly kind: 'number'; readonly value: number }
  /** The rank of an enum member. */
  | { readonly kind: 'rank'; readonly enum: string; readonly member: string }
  | FactRef
  /** The event's own classification, of the prompt or of the completion: a rank in `Plan.classification`. */
  | { readonly kind: 'classification' };

/** Text, or a member of an unordered enum, by name. */
export type TextOperand = { readonly kind: 'text'; readonly value: string } | FactRef;
export type SetOperand = { readonly kind: 'members'; readonly values: readonly string[] } | FactRef;

/**
 * A condition for each model: where it does not mention the model, `all`; else one expression a model, by ModelId.
 * Before the choice it is read at each candidate; after it, at the chosen model; in events after the prompt, at the
 * fact `model.chosen`.
 */
export type ModelExpr =
  { readonly kind: 'all'; readonly expr: Expr } | { readonly kind: 'each'; readonly exprs: readonly Expr[] };

// ----------------------------------------------------------------------------------------------------------------
// rules

export type Effect =
  | { readonly kind: 'allow' }
  | { readonly kind: 'deny'; readonly message: string }
  | {
      readonly kind: 'redact';
      readonly detectors: readonly string[];
      readonly includingRestored: boolean;
      /** Position in `Plan.redactions`. */
      readonly as: number;
    }
  /**
   * Stands in the decision. On ingest the value is also written into the document's metadata, under the name: as JSON of
   * the type, text where none is given.
   */
  | { readonly kind: 'tag'; readonly name: string; readonly value: string; readonly type?: 'number' | 'bool' }
  | { readonly kind: 'buffer' }
  /**
   * Prompt: a field of the request's own wire format has this value, whatever the client wrote. A field that the
   * request's protocol does not have stays away, as no client can send it either; a value that it does not take there,
   * and two values for one field, deny the request. `build` refuses values that no protocol takes, and rules that may
   * ask for two values at once.
   */
  | { readonly kind: 'set'; readonly field: string; readonly value: WireValue }
  | Hold
  | Keep
  /** Retrieval, per chunk: the chunk passes only if some such condition holds. */
  | { readonly kind: 'allow_chunk'; readonly where: Expr; readonly reads: readonly FactId[] }
  /**
   * Retrieval, per chunk: the chunk is withheld unless the condition holds; so is, on a tool call, the call. Where a
   * chunk is withheld by this effect, or by what its rule could not read, the client is told `say`: that is no part of
   * `decide`.
   */
  | {
      readonly kind: 'withhold_chunk';
      readonly unless: Expr;
      readonly reads: readonly FactId[];
      readonly say?: string;
      /**
       * The rule can be waived: for a request whose own decision fired none of these waivers, `unless` holds of a chunk
       * where `otherwise` does. So much can be asked of the store.
       */
      readonly waived?: { readonly by: readonly string[]; readonly otherwise: Expr };
    }
  /**
   * Retrieval: the chunk is dropped when the store holds a higher `version` of the same `key` (facts of the chunk). The
   * comparison is not part of `decide`: the door asks the store. But the effect reads both facts, so that `decide`
   * withholds a chunk where one has failed.
   */
  | { readonly kind: 'keep_newest'; readonly version: FactId; readonly key: FactId };

export interface Rule extends Telling {
  readonly name: string;
  readonly title?: string;
  readonly cites: readonly string[];
  /** Facts that the rule's condition statically reads, classification's own reads included, sorted. */
  readonly reads: readonly FactId[];
  /** `where` and not `unless`. */
  readonly when: ModelExpr;
  readonly effects: readonly Effect[];
  /**
   * Names the form when this rule stands for one that is not enforced yet and therefore denies (`--allow-unenforced`).
   */
  readonly unenforced?: string;
  /** It keeps a guarantee: a touched one denies, whatever `onFailure` says. */
  readonly failsClosed?: boolean;
  readonly span: Span;
}

/**
 * Raises the event's classification to `member` when it fires. A touched one fails the classification: every rule that
 * reads it lists its reads.
 */
export interface Classify {
  readonly name: string;
  readonly member: string;
  readonly reads: readonly FactId[];
  readonly when: Expr;
  readonly span: Span;
}

/**
 * Lowers the number of tokens that the reply may have. Read at each candidate model; the least of those that fire
 * counts.
 */
export interface OutputLimit {
  readonly rule: string;
  readonly title?: string;
  readonly cites?: readonly string[];
  readonly reads: readonly FactId[];
  readonly when: ModelExpr;
  readonly tokens: number;
  readonly span: Span;
}

/** `use only models`: candidate `m` is removed when `removes` holds at `m`. */
export interface Requirement {
  readonly rule: string;
  readonly title?: string;
  readonly cites?: readonly string[];
  readonly reads: readonly FactId[];
  readonly removes: ModelExpr;
  readonly span: Span;
}

/**
 * A cap on what is spent in a window of time, or on what is asked (`counts`). Each candidate model has a worst case:
 *
 * - money: `ceil((input · inputPrice + choices · output · outputPrice) / 1,000,000)` micro-units, prices in micro-units
 *   per million tokens;
 * - tokens: `input + choices · output`;
 * - requests: 1, and no fact is read for it but the level;
 *
 * where `input` is the fact `prompt.input_tokens_bound`, `choices` the fact `prompt.choices`, and `output` the output
 * tokens that the request may have at that model (see `PromptEvent`). Where the cap applies, a model is removed when its
 * worst case exceeds the fact `headroom` (what is not yet spent or reserved).
 */
export interface Budget extends TellingAt {
  /** No other budget or rate has it. */
  readonly name: string;
  readonly title?: string;
  readonly cites?: readonly string[];
  /** Facts that `applies` reads, sorted; the levels are not among them. */
  readonly reads: readonly FactId[];
  readonly applies: Expr;
  /**
   * A text or an enum of the caller: each value has an account of its own, of `limit` each, and the levels are those of
   * the caller's account. Where the fact is not known there is none, and both levels have failed. Absent: one account.
   */
  readonly each?: FactId;
  /** It is a rate. Absent: money. */
  readonly counts?: Counted;
  /** Micro-units of the policy's currency; of a rate, what it counts. */
  readonly limit: number;
  /** The minute is a rate's alone. */
  readonly period: 'minute' | 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year';
  /** Of a rate: UTC. */
  readonly timeZone: string;
  /** The fact `budget.<name>.headroom`. */
  readonly headroom: FactId;
  /** The fact `budget.<name>.spent` (spent plus reserved), which thresholds read. */
  readonly spent: FactId;
  /** Above `percent` of the limit (spent · 100 ≥ limit · percent), candidates are removed as by a requirement. */
  readonly thresholds: readonly {
    readonly percent: number;
    readonly reads: readonly FactId[];
    readonly removes: ModelExpr;
    readonly span: Span;
  }[];
  readonly message: string;
  readonly span: Span;
}

/** Which models a requested name may be served by, best first. */
export interface Route {
  readonly name: string;
  readonly title?: string;
  /** The name that the client asks for; `any` serves every name without a route of its own. */
  readonly requested: { readonly kind: 'name'; readonly name: string } | { readonly kind: 'any' };
  /** A preference whose `reads` has a failed fact touches the route (joined like a rule) and is passed over. */
  readonly preferences: readonly Preference[];
  readonly span: Span;
}

export interface Preference {
  /**
   * `cheapest`: every model of the catalog, by `Plan.byPrice`. `requested`: the catalog's model of the requested name,
   * if there is one.
   */
  readonly target:
    | { readonly kind: 'model'; readonly model: ModelId }
    | { readonly kind: 'requested' }
    | { readonly kind: 'cheapest' };
  readonly reads: readonly FactId[];
  readonly when: ModelExpr;
}

// ---------------------------------------------------------------------------------------------------------------
// events

/**
 * Strata: facts; classification = highest of the base and every classify that fires; output tokens at each model `m` =
 * min(`prompt.output_tokens` if known else `maxOutput(m)`, the limits that fire at m); eligible models = candidates
 * (the requested name's route in order, else the requested model itself, else none: "unknown model") minus those that a
 * requirement, a budget, a threshold, or the context window (`input_tokens_bound` is not used here:
 * `prompt.tokens_estimate` + output > context) removes; choice = the first eligible; effects of every rule at the
 * chosen model. No model left: deny, and only rules that deny, keep or tell (`notify`) and do not read the model are still evaluated.
 *
 * `prompt.sent_classification` is no node: lowering writes a comparison with it out over the facts, at each candidate
 * `m`. It is the highest of the base and every classify whose condition still holds where each "detector found" in it is
 * read as "found, and no `redact` of that detector fires at m". So it fails, and touches, as these facts do; a `redact`
 * cannot read it.
 *
 * The requested model is the first of `Plan.models` whose `wireName` is the requested name. A candidate that stands
 * twice in a route counts where it stands first. "Do not read the model" is `when.kind` "all"; with no model left
 * `default` is no reason. A limit stands in `fired` if it fires at the chosen model.
 */
export interface PromptEvent {
  readonly kind: 'prompt';
  readonly default: 'allow' | 'deny';
  readonly classify: readonly Classify[];
  readonly limits: readonly OutputLimit[];
  readonly requirements: readonly Requirement[];
  readonly budgets: readonly Budget[];
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
}

/**
 * Facts of the prompt that are known before the reply stay readable; `model.chosen` is a fact; `prompt.classification`
 * is a fact too (an enum).
 *
 * Strata: facts; the reply's classification = highest of the base and every classify that fires (its condition reads
 * the chosen model as the fact `model.chosen`); effects of every rule. In mid-stream the classification is that of what
 * has come so far: it only rises where `stream` is not `buffered`, as far as rules read it.
 */
export interface CompletionEvent {
  readonly kind: 'completion';
  readonly default: 'allow' | 'deny';
  readonly classify: readonly Classify[];
  readonly rules: readonly Rule[];
  /** How a streamed reply is governed: see `StreamClass`. The strictest of its rules. */
  readonly stream: StreamClass;
}

/**
 * early: acts as soon as a positive text condition holds. causal: redacts by what is known before the reply. buffered:
 * the reply is held whole.
 */
export type StreamClass = 'early' | 'causal' | 'buffered';

/**
 * Retrieval from one store is two decisions. `request` (no chunk facts): only `requestRules` are evaluated (and read
 * facts); passes unless a deny rule fires; with default deny some request rule's `allow` must fire, or some rule of
 * `rules` that is no request rule have an `allow`, or any rule of `rules` an `allow_chunk`, whatever its condition
 * says. `chunk`: passes iff (default allow, or an `allow` fires, or some allow_chunk of a rule that fires holds) and no
 * deny fires and every withhold_chunk of a rule that fires holds. A failed chunk fact (one of the store's facts) that a
 * rule or a chunk effect reads withholds the chunk, whatever `onFailure` says and whether or not the rule fires: the
 * reason is `failed`.
 */
export interface RetrievalEvent {
  readonly kind: 'retrieval';
  readonly store: string;
  readonly default: 'allow' | 'deny';
  /**
   * Rules that read no fact of the chunk and allow, deny, tag or tell. They are in `rules` too. And waivers (`waiver NAME`),
   * which fire here where they cover the caller, whatever is found, and in `rules` where they have lifted something.
   */
  readonly requestRules: readonly Rule[];
  readonly rules: readonly Rule[];
}

export interface IngestEvent {
  readonly kind: 'ingest';
  readonly store: string;
  readonly default: 'allow' | 'deny';
  readonly rules: readonly Rule[];
}

/** A TLS connection to a host outside, by the name that it asks for. */
export interface EgressEvent {
  readonly kind: 'egress';
  readonly default: 'allow' | 'deny';
  readonly rules: readonly Rule[];
}

/**
 * One call of a tool, once its arguments are whole. A call is decided as one of every tool whose pattern has its name;
 * where there is none, as one of no tool (null): so there is an event for each tool, and one for none. It passes iff
 * (default allow, or an `allow` fires) and no deny fires and every `withhold_chunk` of a rule that fires holds. What is
 * denied ends the reply, save where nothing but `withheld` is the reason: such a call is taken out of the reply.
 */
export interface ToolCallEvent {
  readonly kind: 'tool_call';
  readonly tool: string | null;
  readonly default: 'allow' | 'deny';
  readonly rules: readonly Rule[];
}

/**
 * A prompt that was decided and what came of it, once that is over. Nothing is denied any more: the outcome is `allow`,
 * and a touched rule does nothing; what never came has failed. Both classifications are facts here.
 */
export interface ExchangeEvent {
  readonly kind: 'exchange';
  readonly rules: readonly Rule[];
}

export type EventPlan =
  PromptEvent | CompletionEvent | ToolCallEvent | RetrievalEvent | IngestEvent | EgressEvent | ExchangeEvent;

// -----------------------------------------------------------------------------------------------------------------
// plan

export interface Plan {
  readonly version: typeof PLAN_VERSION;
  readonly policy: string;
  readonly owner: string;
  readonly currency: string;
  /** The rates that count, sorted by `from`: of each pair the latest. */
  readonly conversions: readonly Conversion[];
  readonly timeZone: string;
  /** SHA-256 (hex) of the canonical source: every file's path and text, sorted by path. */
  readonly sourceHash: string;
  readonly compilerVersion: string;
  readonly onFailure: 'allow' | 'deny';
  /** The enum of classifications and the base member. Absent when the policy declares none. */
  readonly classification?: { readonly enum: string; readonly base: string };
  readonly enums: readonly EnumType[];
  readonly facts: readonly Fact[];
  /** Sorted by name, so that a model's id is its ordinal in the enum `writ.model`. */
  readonly models: readonly Model[];
  /** Models by ascending input price + output price, ties by name. */
  readonly byPrice: readonly ModelId[];
  readonly stores: readonly Store[];
  /** Sorted by name; none where calls of tools are not decided. */
  readonly tools: readonly Tool[];
  /** Sorted by name; the position is the detector's ordinal in the enum `writ.detector`. */
  readonly detectors: readonly DetectorUse[];
  /** The modes that rules use, weakest first. */
  readonly redactions: readonly RedactionMode[];
  /** The zones of `hours`, sorted by name. */
  readonly zones: readonly Zone[];
  /** Sorted by name. */
  readonly hours: readonly Hours[];
  /** Those that a condition mentions, each sorted by name. */
  readonly lists: readonly ListUse[];
  readonly switches: readonly SwitchUse[];
  /** Sorted by name. */
  readonly guarantees: readonly Guarantee[];
  /** By path. */
  readonly imports: readonly ImportedFile[];
  readonly events: readonly EventPlan[];
}
