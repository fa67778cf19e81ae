// What reviewers see and do. Everybody sees only what a group of theirs is asked for, and nobody answers for themselves.
import type { Role } from '../keys/certificate.ts';
import { addVerdict, byId, forgetReviews, listReviews } from '../store/review-store.ts';
import type { ReviewContext } from './ask-review.ts';
import { isAsked, type Review, ReviewRefusal, stateOf } from './review.ts';

export type Reviewer = Extract<Role, { readonly kind: 'reviewer' }>;

const DAY = 86_400_000;
/** After a request's end: what it says is kept so long, and that it was, with its verdicts, so long. */
export const TEXT_KEPT_MS = 30 * DAY;
export const ENTRY_KEPT_MS = 365 * DAY;
export const REASON_CHARACTERS_MAX = 1_000;
export const LISTED_MAX = 1_000;

/** Oldest first. */
export async function reviewsFor(
  { database, now }: ReviewContext,
  reviewer: Reviewer,
  { policy, all }: { readonly policy: string; readonly all: boolean },
): Promise<readonly Review[]> {
  const at = now();
  const reviews = await listReviews(database, policy, all ? 0 : at);
  return reviews
    .filter((review) => isAsked(reviewer.groups, review) && (all || stateOf(review, at) === 'pending'))
    .slice(0, LISTED_MAX);
}

export async function reviewFor({ database }: ReviewContext, reviewer: Reviewer, id: number): Promise<Review> {
  return database.transaction(async (tx) => visible(await byId(tx, id), reviewer, id));
}

/** Throws ReviewRefusal where it may not be answered. A verdict, once given, is never changed. */
export async function decideReview(
  { database, now }: ReviewContext,
  reviewer: Reviewer,
  { id, approve, reason }: { readonly id: number; readonly approve: boolean; readonly reason: string },
): Promise<Review> {
  if (reason.length > REASON_CHARACTERS_MAX)
    throw new ReviewRefusal('malformed', `a reason has at most ${REASON_CHARACTERS_MAX} characters`);
  return database.transaction(async (tx) => {
    const at = now();
    const review = visible(await byId(tx, id), reviewer, id);
    if ([reviewer.name, reviewer.caller].includes(review.callerId))
      throw new ReviewRefusal('own_request', 'nobody reviews their own request');
    const state = stateOf(review, at);
    if (review.verdicts.some((verdict) => verdict.reviewer === reviewer.name))
      throw new ReviewRefusal('answered', `you have answered review ${id} already, and a verdict is never changed`);
    if (state !== 'pending') throw new ReviewRefusal('not_pending', `review ${id} is ${state}`);
    const verdict = { reviewer: reviewer.name, groups: reviewer.groups, approve, reason, at };
    await addVerdict(tx, id, verdict);
    return { ...review, verdicts: [...review.verdicts, verdict] };
  });
}

/** Deletes what has been kept for long enough. */
export async function forgetOldReviews({ database, now }: ReviewContext): Promise<void> {
  await forgetReviews(database, now() - TEXT_KEPT_MS, now() - ENTRY_KEPT_MS);
}

/** That there is one for others is nobody's business. */
function visible(review: Review | undefined, { groups }: Reviewer, id: number): Review {
  if (review === undefined || !isAsked(groups, review))
    throw new ReviewRefusal('not_found', `there is no review ${id}`);
  return review;
}
