/**
 * The kinds of outcome that the generated cases must all reach often, so that no branch of a backend is compared by
 * luck alone.
 */
import type { Decision, Reason } from '../../compiler/plan/decision.ts';
import type { Plan } from '../../compiler/plan/plan.ts';

export const OUTCOMES: { readonly [outcome: string]: (decision: Decision) => boolean } = {
  allow: (decision) => decision.outcome === 'allow',
  held: (decision) => decision.outcome === 'hold',
  'denied by a rule': has('rule'),
  'denied by default': has('default'),
  failed: has('failed'),
  'every model removed': has('removed'),
  'unknown model': has('unknown_model'),
  'model chosen': (decision) => decision.model !== null,
  redaction: (decision) => decision.redact.length > 0,
  'chunk withheld': has('withheld'),
  budget: (decision) =>
    decision.reserve.length > 0 ||
    decision.reasons.some(
      (reason) => reason.kind === 'removed' && reason.by.some((name) => /^(budget|rate) /.test(name)),
    ),
};

function has(kind: Reason['kind']): (decision: Decision) => boolean {
  return (decision) => decision.reasons.some((reason) => reason.kind === kind);
}

/** The levels of some budget are not known, and it is not looked at them: it does not apply. */
export function levelsIgnored(input: unknown, { event, failed }: Decision, plan: Plan): boolean {
  if (event !== 'prompt') return false;
  const { budget } = input as {
    readonly budget?: { readonly [name: string]: { readonly headroom?: unknown } | null } | null;
  };
  return plan.facts.some(
    ({ source, path }) =>
      source.kind === 'budget' &&
      path[2] === 'headroom' &&
      typeof (budget?.[path[1]!]?.headroom ?? null) !== 'number' &&
      !failed.includes(path.join('.')),
  );
}

/** The share of each outcome among the decisions, from 0 to 1. */
export function sharesOf(decisions: readonly Decision[]): { readonly [outcome: string]: number } {
  return Object.fromEntries(
    Object.entries(OUTCOMES).map(([outcome, is]) => [outcome, decisions.filter(is).length / decisions.length]),
  );
}
