// One request that waits for reviewers, or one sample of what is over, and what their verdicts come to. Pure: time is an
// argument.

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
  readonly kind: 'hold' | 'sample';
  readonly ticket: string;
  readonly policy: string;
  readonly node: string;
  readonly binding: Uint8Array;
  readonly callerId: string;
  readonly model: string;
  readonly holds: readonly Hold[];
  readonly messages: string;
  /** Of a sample: what the model said, and whether the policy denied the exchange. */
  readonly reply: string;
  readonly denied: boolean;
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
  /** Of a sample: what should have been answered; empty where nothing is said of that, or it is not kept any more. */
  readonly correction: string;
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

/**
 * Until `expiresAt`, exclusive, it may be answered and used. One rejection is enough; every hold needs its approvals. What
 * was said of a sample stays: nothing hangs on its time but that nobody judges it later.
 */
export function stateOf(review: Review, now: number): ReviewState {
  if (review.usedAt !== undefined) return 'used';
  if (review.verdicts.some(({ approve }) => !approve)) return 'rejected';
  const isApproved = review.holds.every((hold) => approvalsOf(hold, review.verdicts) >= hold.approvals);
  if (now >= review.expiresAt && !(isApproved && review.kind === 'sample')) return 'expired';
  return isApproved ? 'approved' : 'pending';
}

/** Reviewers of the hold's group who have approved: each has one verdict. */
function approvalsOf({ group }: Hold, verdicts: readonly Verdict[]): number {
  return verdicts.filter(({ approve, groups }) => approve && groups.includes(group)).length;
}

/** Who may answer, and see it. */
export function isAsked(groups: readonly string[], { holds }: Pick<Review, 'holds'>): boolean {
  return holds.some(({ group }) => groups.includes(group));
}
