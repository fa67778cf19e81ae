/** What waits for reviewers, and the order of holds in decisions. */
import { compareText } from './order.ts';

/** As many may be asked to approve one request for one rule. */
export const HOLD_APPROVALS_MAX = 16;

/**
 * Prompt: what would be allowed waits until so many distinct reviewers of the group have approved it. Several unite: all
 * must. Whoever is not answered in time is denied. A deny of another rule wins over it.
 */
export interface Hold {
  readonly kind: 'hold';
  /** The reviewers' name in the policy, and the group of those who may answer. */
  readonly reviewers: string;
  readonly group: string;
  readonly approvals: number;
  /** How long an answer may take, and be used. */
  readonly milliseconds: number;
}

/** What a hold is sorted by; 0 where two are one. */
export interface HoldKey {
  readonly rule: string;
  readonly reviewers: string;
  readonly approvals: number;
  readonly milliseconds: number;
}

export function compareHolds(a: HoldKey, b: HoldKey): number {
  return (
    compareText(a.rule, b.rule) ||
    compareText(a.reviewers, b.reviewers) ||
    a.approvals - b.approvals ||
    a.milliseconds - b.milliseconds
  );
}
