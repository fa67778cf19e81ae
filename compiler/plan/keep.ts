/** What is kept of an exchange for people to read later, and the order of what is kept in decisions. */
import { compareText } from './order.ts';

/** A share of all exchanges, and their draws, are counted in so many parts. */
export const SHARE_WHOLE = 1_000_000;
/** Where the draw of an exchange stands among the facts: 0 to SHARE_WHOLE − 1; SHARE_WHOLE where nothing is drawn. */
export const DRAW_PATH = 'exchange.draw';

/**
 * Prompt and completion: what the exchange says, with every value masked that a detector of the policy finds, goes to the
 * control plane once it is over. It changes nothing of the exchange, and what is denied is kept too.
 */
export interface Keep {
  readonly kind: 'keep';
  /** A sample: who judges it, their name in the policy, and the group of those who may. Else null. */
  readonly reviewers: string | null;
  readonly group: string | null;
  /** A record: for how long it is kept; where it cannot be kept, the prompt is denied. Else null. */
  readonly milliseconds: number | null;
  /** Of a million exchanges so many. The rule's condition compares the draw; this is for people, and for the filter. */
  readonly share: number;
}

/** What it is sorted by; 0 where two are one. */
export interface KeepKey {
  readonly rule: string;
  readonly reviewers: string | null;
  readonly milliseconds: number | null;
}

export function compareKeeps(a: KeepKey, b: KeepKey): number {
  return (
    compareText(a.rule, b.rule) ||
    compareText(a.reviewers ?? '', b.reviewers ?? '') ||
    (a.milliseconds ?? 0) - (b.milliseconds ?? 0)
  );
}

/** With no model left only what denies, is kept or told is still judged; and only where it does not read the model. */
export function isJudgedWithoutModel({
  when,
  effects,
  notify,
}: {
  readonly when: { readonly kind: 'all' | 'each' };
  readonly effects: readonly { readonly kind: string }[];
  readonly notify?: readonly object[];
}): boolean {
  return (
    when.kind === 'all' && (notify !== undefined || effects.some(({ kind }) => kind === 'deny' || kind === 'keep'))
  );
}
