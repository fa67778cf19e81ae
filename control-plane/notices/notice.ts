// Notices: what a recipient is told, once for each window of time, and how far that has come. Names of the policy and
// numbers; nothing of any exchange, and nobody's name but the recipient's.

/** A budget has reached a threshold; a rule has fired; a waiver has lifted something. */
export type NoticeKind = 'budget' | 'rule' | 'waiver';

export interface NoticeSubject {
  readonly policy: string;
  readonly recipient: string;
  /** The name of the webhook, as the policy has it. */
  readonly webhook: string;
  readonly kind: NoticeKind;
  /** Of the budget, rule or waiver. */
  readonly name: string;
  /** Of a budget: the threshold; else 0. */
  readonly percent: number;
  /** The window that it is of: milliseconds since 1970 UTC, the end exclusive. */
  readonly from: number;
  readonly to: number;
}

export interface Notice extends NoticeSubject {
  /** The same for every attempt: a recipient that has seen it needs no other. */
  readonly id: string;
  /** How many decisions the rule or waiver fired in; 1 for a budget. */
  readonly count: number;
  /** When it came about. */
  readonly enteredAt: number;
  readonly state: 'waiting' | 'sent' | 'failed';
  readonly attempts: number;
  /** When it is tried, or tried again. */
  readonly nextAt: number;
  /** Why the last attempt failed, in a fixed word; empty where none has. */
  readonly failure: string;
}

/** Rules and waivers are told at the end of so many minutes of the clock. */
export const RULE_WINDOW_MS = 5 * 60_000;
/** What was entered in the last moment of a window is in its notice. */
const RULE_GRACE_MS = 1_000;

/** The window in which what is told now is counted, and when it is sent. */
export function ruleWindow(now: number): { readonly from: number; readonly to: number; readonly sentAt: number } {
  const from = Math.floor(now / RULE_WINDOW_MS) * RULE_WINDOW_MS;
  const to = from + RULE_WINDOW_MS;
  return { from, to, sentAt: to + RULE_GRACE_MS };
}

const TYPES: { readonly [K in NoticeKind]: string } = {
  budget: 'writ.budget.threshold',
  rule: 'writ.rule.fired',
  waiver: 'writ.waiver.used',
};

/** The body of its message (JSON), in the form of Standard Webhooks; the same for every attempt. */
export function bodyOf({ policy, recipient, kind, name, percent, from, to, count, enteredAt }: Notice): string {
  const window = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const what = kind === 'budget' ? { budget: name, percent } : { [kind]: name, count };
  return JSON.stringify({
    type: TYPES[kind],
    timestamp: new Date(kind === 'budget' ? enteredAt : to).toISOString(),
    data: { policy, recipient, ...what, ...window },
  });
}
