// One request that waits for reviewers, and what their verdicts come to. Pure: time is an argument.

export interface Hold {
  readonly rule: string;
  /** Name in the policy. */
  readonly reviewers: string;
  /** Whose members may answer. */
  readonly group: string;
  readonly approvals: number;
  readonly milliseconds: number;
}

export interface Review {
  readonly id: number;
  readonly ticket: string;
  readonly policy: string;
  readonly node: string;
  readonly binding: Uint8Array;
  readonly callerId: string;
  readonly model: string;
  readonly holds: readonly Hold[];
  readonly messages: string;
  readonly cut: boolean;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly usedAt: number | undefined;
  readonly usedBy: Uint8Array | undefined;
  /** In the order in which they were given. */
  readonly verdicts: readonly Verdict[];
}

export interface Verdict {
  readonly reviewer: string;
  /** Of the reviewer, when it was given. */
  readonly groups: readonly string[];
  readonly approve: boolean;
  readonly reason: string;
  readonly at: number;
}

export type ReviewState = 'pending' | 'approved' | 'rejected' | 'expired' | 'used';

/** A call that is refused; the message is for whoever called. */
export class ReviewRefusal extends Error {
  readonly code: 'malformed' | 'no_policy' | 'not_found' | 'own_request' | 'not_pending' | 'answered';

  constructor(code: ReviewRefusal['code'], message: string) {
    super(message);
    this.name = 'ReviewRefusal';
    this.code = code;
  }
}

/** Until `expiresAt`, exclusive, it may be answered and used. One rejection is enough; every hold needs its approvals. */
export function stateOf(review: Review, now: number): ReviewState {
  if (review.usedAt !== undefined) return 'used';
  if (review.verdicts.some(({ approve }) => !approve)) return 'rejected';
  if (now >= review.expiresAt) return 'expired';
  return review.holds.every((hold) => approvalsOf(hold, review.verdicts) >= hold.approvals) ? 'approved' : 'pending';
}

/** Reviewers of the hold's group who have approved: each has one verdict. */
function approvalsOf({ group }: Hold, verdicts: readonly Verdict[]): number {
  return verdicts.filter(({ approve, groups }) => approve && groups.includes(group)).length;
}

/** Who may answer, and see it. */
export function isAsked(groups: readonly string[], { holds }: Pick<Review, 'holds'>): boolean {
  return holds.some(({ group }) => groups.includes(group));
}
