// What reviewers see and do. Everybody sees only what a group of theirs is asked for, and nobody answers for themselves.
import type { Role } from '../keys/certificate.ts';
import { addVerdict, byId, forgetReviews, judgedSamples, listReviews } from '../store/review-store.ts';
import type { ReviewContext } from './ask-review.ts';
import { isAsked, type Review, ReviewRefusal, stateOf } from './review.ts';

export type Reviewer = Extract<Role, { readonly kind: 'reviewer' }>;

const DAY = 86_400_000;
/** After a request's end: what it says is kept so long, and that it was, with its verdicts, so long. */
export const TEXT_KEPT_MS = 30 * DAY;
export const ENTRY_KEPT_MS = 365 * DAY;
export const REASON_CHARACTERS_MAX = 1_000;
export const LISTED_MAX = 1_000;
export const CORRECTION_BYTES_MAX = 65_536;
/** So many at a time: each may have twice the text of a request, and a correction. */
export const EXPORTED_MAX = 16;

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
  {
    id,
    approve,
    reason,
    correction = '',
  }: { readonly id: number; readonly approve: boolean; readonly reason: string; readonly correction?: string },
): Promise<Review> {
  if (reason.length > REASON_CHARACTERS_MAX)
    throw new ReviewRefusal('malformed', `a reason has at most ${REASON_CHARACTERS_MAX} characters`);
  if (Buffer.byteLength(correction) > CORRECTION_BYTES_MAX)
    throw new ReviewRefusal('malformed', 'a correction has at most 64 KiB');
  return database.transaction(async (tx) => {
    const at = now();
    const review = visible(await byId(tx, id), reviewer, id);
    if (correction !== '' && review.kind !== 'sample')
      throw new ReviewRefusal('malformed', 'a request that waits has no answer yet that could be corrected');
    if ([reviewer.name, reviewer.caller].includes(review.callerId))
      throw new ReviewRefusal('own_request', 'nobody reviews their own request');
    const state = stateOf(review, at);
    if (review.verdicts.some((verdict) => verdict.reviewer === reviewer.name))
      throw new ReviewRefusal('answered', `you have answered review ${id} already, and a verdict is never changed`);
    if (state !== 'pending') throw new ReviewRefusal('not_pending', `review ${id} is ${state}`);
    const verdict = { reviewer: reviewer.name, groups: reviewer.groups, approve, reason, at, correction };
    await addVerdict(tx, id, verdict);
    return { ...review, verdicts: [...review.verdicts, verdict] };
  });
}

/** Samples that somebody has judged, in pages; `next` is 0 after the last. */
export async function exportSamples(
  { database }: ReviewContext,
  reviewer: Reviewer,
  { policy, after }: { readonly policy: string; readonly after: number },
): Promise<{ readonly samples: readonly Review[]; readonly next: number }> {
  const samples = await judgedSamples(database, policy, after, EXPORTED_MAX);
  return {
    samples: samples.filter((sample) => isAsked(reviewer.groups, sample)),
    next: samples.length < EXPORTED_MAX ? 0 : (samples.at(-1)?.id ?? 0),
  };
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
