/**
 * What the door needs of a policy's filter: one session an exchange, bytes in, steps out. The adapter over the wasm host implements it; tests implement it with an echo. A session keeps no
 * reference to the bytes it is given after a call returns; what it gives is the caller's.
 */
import type { Claims } from './identity.ts';

/** Name and value, names in lower case, pseudo-headers included, in the order of the wire. */
export type Header = readonly [name: string, value: string];

export interface FilterPort {
  /** Throws FilterError when the filter has no room for another session. */
  newSession(start: SessionStart): SessionPort;
  /** Bytes that the filter's memory has now. */
  memoryBytes(): number;
}

export interface SessionStart {
  /** The verified claims of the caller; undefined for nobody. */
  readonly caller: Claims | undefined;
  /** Milliseconds since 1970 UTC: the one instant that is `now` for the whole exchange. */
  readonly nowMs: number;
  /** 16 unpredictable bytes, of which placeholders are made. */
  readonly random: Uint8Array;
}

export interface SessionPort {
  requestHeaders(headers: readonly Header[], end: boolean): Step;
  requestBody(bytes: Uint8Array, end: boolean): Step;
  requestTrailers(): Step;
  responseHeaders(headers: readonly Header[], end: boolean): Step;
  responseBody(bytes: Uint8Array, end: boolean): Step;
  responseTrailers(): Step;
  /** Answers a step of kind `levels`, in its order of budgets; undefined for a budget whose level is not known. */
  levels(levels: readonly (BudgetLevel | undefined)[]): Step;
  /** Answers a step of kind `call`; undefined when the store could not be asked. */
  callResponse(response: { readonly status: number; readonly body: Uint8Array } | undefined): Step;
  /** What happened, when the exchange is over: called once, before `free`. */
  outcome(): SessionOutcome;
  free(): void;
}

export type Step =
  /** Forward `body` (which may be empty: then nothing of this message goes on) and the changed headers. */
  | { readonly kind: 'continue'; readonly headers: HeaderEdits; readonly body: Uint8Array; readonly route: string | undefined; readonly reserve: readonly Reserve[] }
  /** Forward nothing yet. At the end of a body a session must not hold. */
  | { readonly kind: 'hold' }
  /** Answer the client with this and forward nothing. */
  | { readonly kind: 'reply'; readonly status: number; readonly headers: readonly Header[]; readonly body: Uint8Array }
  | { readonly kind: 'levels'; readonly budgets: readonly string[] }
  | { readonly kind: 'call'; readonly store: string; readonly method: 'GET' | 'POST'; readonly path: string; readonly body: Uint8Array };

/** What a budget must set aside before the request may go on: micro-units of the policy's currency. */
export interface Reserve {
  readonly budget: string;
  readonly micros: number;
}

/** What the log, the metrics and the budgets are told. It holds names of the policy and numbers, never a piece of a body. */
export interface SessionOutcome {
  /** One for each event that was decided, in order. */
  readonly decisions: readonly DecisionRecord[];
  /** What the exchange cost, by the reply's own usage; undefined where the reply did not say. */
  readonly spentMicros: number | undefined;
  /** The most bytes that the session held. */
  readonly bytesHeld: number;
}

export interface DecisionRecord {
  readonly event: 'prompt' | 'completion' | 'retrieval' | 'ingest' | 'other';
  readonly outcome: 'allow' | 'deny';
  /** The rules that decided, sorted. */
  readonly rules: readonly string[];
  /** How many places of each detector were redacted. */
  readonly redactions: { readonly [detector: string]: number };
  readonly model: string | undefined;
  readonly store: string | undefined;
  readonly classification: string | undefined;
  readonly tags: { readonly [name: string]: string };
}

export interface HeaderEdits {
  readonly set: readonly Header[];
  readonly remove: readonly string[];
}

/** Micro-units of the policy's currency. */
export interface BudgetLevel {
  readonly headroom: number;
  readonly spent: number;
}

export const NO_EDITS: HeaderEdits = { set: [], remove: [] };
