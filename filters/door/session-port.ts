/**
 * What the door needs of a policy's filter: one session an exchange, bytes in, steps out. The adapter over the wasm
 * host implements it; tests implement it with an echo. A session keeps no reference to the bytes it is given after a
 * call returns; the bytes that it gives are good until any session of its filter is called again.
 */
import type { DeploymentKey } from '../../proto/deployment-key.ts';
import type { Evidence } from './evidence.ts';

/** Name and value, names in lower case, pseudo-headers included, in the order of the wire. */
export type Header = readonly [name: string, value: string];

export interface FilterPort {
  /** Throws FilterError when the filter has no room for another session. */
  newSession(start: SessionStart): SessionPort;
  /** The policy's budgets that have one account, of the same name. */
  readonly budgets: readonly string[];
  /** Bytes that the filter's memory has now. */
  memoryBytes(): number;
  /**
   * Takes the newest state of a list or switch (host/feed-image.ts), for every exchange from now on. False: it is none
   * of the policy's, older than what is there, or there is no room for it.
   */
  takeFeed(image: Uint8Array): boolean;
  /** Undefined where the policy makes none. */
  readonly keyed?: KeyedPort;
}

/** Pseudonyms are made of a key that no bundle holds. Until it is taken they are masks. */
export interface KeyedPort {
  takeKey(key: DeploymentKey): void;
  /** Pseudonyms that were masks for want of the key. */
  masked(): number;
}

export interface SessionStart {
  readonly evidence: Evidence;
  /** Milliseconds since 1970 UTC: the one instant that is `now` for the whole exchange. */
  readonly nowMs: number;
  /** Unpredictable: placeholders are made of it. */
  readonly nonce: bigint;
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
  /**
   * The amounts that the last `continue` names could not be set aside: what it decided does not hold, and this is the
   * answer instead.
   */
  refuseSpend(shortage: Shortage): Step;
  /** Answers a step of kind `review`. */
  review(ruling: Ruling): Step;
  /** Answers a step of kind `record`: whether it is where it will not be lost. */
  recorded(isKept: boolean): Step;
  /** Answers a step of kind `call`; undefined when the store could not be asked. */
  callResponse(response: { readonly status: number; readonly body: Uint8Array } | undefined): Step;
  /** What happened, when the exchange is over: called once, before `free`. */
  outcome(): SessionOutcome;
  free(): void;
}

export type Step =
  /**
   * Forward `body` (which may be empty: then nothing of this message goes on) and the changed headers. Undefined: all
   * that was given since the last `continue` goes on as it came.
   */
  | {
      readonly kind: 'continue';
      readonly headers: HeaderEdits;
      readonly body: Uint8Array | undefined;
      readonly route: string | undefined;
      readonly reserve: readonly Reserve[];
    }
  /** Forward nothing yet. At the end of a body a session must not hold. */
  | { readonly kind: 'hold' }
  /** Answer the client with this and forward nothing. */
  | { readonly kind: 'reply'; readonly status: number; readonly headers: readonly Header[]; readonly body: Uint8Array }
  /** Budgets are named by their accounts, here and below (proto/account-name.ts). */
  | { readonly kind: 'levels'; readonly budgets: readonly string[] }
  /** `request` is an encoded `writ.v1.HeldRequest`, for the queue of reviews. */
  | { readonly kind: 'review'; readonly request: Uint8Array }
  /** `kept` is an encoded `writ.v1.KeptExchange`, of an exchange that goes on when it is kept. */
  | { readonly kind: 'record'; readonly kept: Uint8Array }
  | {
      readonly kind: 'call';
      readonly store: string;
      readonly method: 'GET' | 'POST';
      readonly path: string;
      readonly body: Uint8Array;
    };

/** What a budget must set aside before the request may go on: micro-units of the policy's currency, or what a rate counts. */
export interface Reserve {
  readonly budget: string;
  readonly amount: number;
}

/** What the log, the metrics and the budgets are told: names of the policy and numbers, never a piece of a body. */
export interface SessionOutcome {
  /** The decisions as the filter records them, in order, each one JSON document. */
  readonly records: readonly string[];
  /** What the exchange cost, by the reply's own usage; undefined where the reply did not say. */
  readonly spentMicros: number | undefined;
  /** Not for these: an encoded `writ.v1.KeptExchange`, masked, for the queue of reviews. */
  readonly kept?: Uint8Array;
  /** Of what was set aside, what each budget and rate is charged. */
  readonly charged: readonly Reserve[];
}

export interface HeaderEdits {
  readonly set: readonly Header[];
  readonly remove: readonly string[];
}

/** Micro-units of the policy's currency. */
export interface BudgetLevel {
  readonly headroom: number;
  readonly spent: number;
  /** Until the budget begins anew; undefined where that is not known. */
  readonly windowLeftMs?: number;
  /** There may be more than the headroom, but nobody can be asked for it now. */
  readonly isPart?: boolean;
}

/** What the queue of reviews says of a held request. */
export interface Ruling {
  readonly state:
    | 'approved'
    | 'pending'
    | 'rejected'
    | 'expired'
    /** By another exchange: a ticket lets one pass. */
    | 'used'
    /** No such ticket, or one for another request. */
    | 'unknown'
    | 'caller_full'
    | 'queue_full'
    | 'unreachable';
  /** Where it is pending; else empty. */
  readonly ticket: string;
  /** After which it is worth asking again. */
  readonly seconds: number;
}

/** The budget that an amount could not be set aside from. */
export interface Shortage {
  readonly budget: string;
  /** `short`: something is left, but not enough; `unreadable`: its accounts cannot be used. */
  readonly state: 'nothing_left' | 'short' | 'unreadable';
}

export const NO_EDITS: HeaderEdits = { set: [], remove: [] };
