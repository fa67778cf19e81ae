// The queue of reviews over gRPC: nodes ask, reviewers answer. Each method is a line of translation.
import { create } from '@bufbuild/protobuf';
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Ruling } from '../../proto/gen/writ/v1/filter_reviews_pb.ts';
import {
  ExportReviewsReplySchema,
  ListReviewsReplySchema,
  ReviewSchema,
  SampledReplySchema,
} from '../../proto/gen/writ/v1/reviews_pb.ts';
import type {
  DecideReviewRequest,
  ExportReviewsReply,
  ExportReviewsRequest,
  ListReviewsReply,
  ListReviewsRequest,
  Review as ReviewMessage,
  ReviewQuestion,
  SampledExchange,
  SampledReply,
  ShowReviewRequest,
} from '../../proto/gen/writ/v1/reviews_pb.ts';
import { askReview, type ReviewContext } from '../reviews/ask-review.ts';
import { enterSample } from '../reviews/enter-sample.ts';
import { type Review, ReviewRefusal, stateOf } from '../reviews/review.ts';
import { decideReview, exportSamples, reviewFor, reviewsFor } from '../reviews/review-desk.ts';
import { unaryHandler } from './unary-handler.ts';

export interface ReviewServicesContext extends ReviewContext {
  readonly isInForce: (policy: string) => boolean;
  readonly log: (message: string) => void;
  /** A sample of the policy was not kept: too many wait. */
  readonly onFull: (policy: string) => void;
}

export function reviewsService(context: ReviewServicesContext): UntypedServiceImplementation {
  return {
    ask: unaryHandler<ReviewQuestion, Ruling, 'node'>({ kind: 'node', log: context.log }, async (request, node) => {
      const { policy, held } = request;
      if (held === undefined) throw new ReviewRefusal('malformed', 'nothing is asked');
      if (!context.isInForce(policy)) throw new ReviewRefusal('no_policy', 'no such policy is in force');
      return askReview(context, { policy, node, held });
    }),
    enter: unaryHandler<SampledExchange, SampledReply, 'node'>(
      { kind: 'node', log: context.log },
      async ({ policy, kept }, node) => {
        if (kept === undefined) throw new ReviewRefusal('malformed', 'nothing is told');
        if (!context.isInForce(policy)) throw new ReviewRefusal('no_policy', 'no such policy is in force');
        const isTaken = await enterSample(context, { policy, node, kept });
        if (!isTaken) context.onFull(policy);
        return create(SampledReplySchema, { full: !isTaken });
      },
    ),
  };
}

export function reviewDeskService(context: ReviewServicesContext): UntypedServiceImplementation {
  const options = { kind: 'reviewer' as const, log: context.log };
  return {
    list: unaryHandler<ListReviewsRequest, ListReviewsReply, 'reviewer'>(options, async (request, _, reviewer) =>
      create(ListReviewsReplySchema, {
        reviews: (await reviewsFor(context, reviewer, request)).map((review) => messageOf(review, context.now())),
      }),
    ),
    show: unaryHandler<ShowReviewRequest, ReviewMessage, 'reviewer'>(options, async ({ id }, _, reviewer) =>
      messageOf(await reviewFor(context, reviewer, numberOf(id)), context.now()),
    ),
    decide: unaryHandler<DecideReviewRequest, ReviewMessage, 'reviewer'>(
      options,
      async ({ id, approve, reason, correction }, _, reviewer) =>
        messageOf(
          await decideReview(context, reviewer, { id: numberOf(id), approve, reason, correction }),
          context.now(),
        ),
    ),
    export: unaryHandler<ExportReviewsRequest, ExportReviewsReply, 'reviewer'>(
      options,
      async ({ policy, after }, _, reviewer) => {
        const { samples, next } = await exportSamples(context, reviewer, { policy, after: numberOf(after) });
        return create(ExportReviewsReplySchema, {
          reviews: samples.map((sample) => messageOf(sample, context.now())),
          next: BigInt(next),
        });
      },
    ),
  };
}

/** The ticket is the caller's alone. */
function messageOf(review: Review, now: number): ReviewMessage {
  return create(ReviewSchema, {
    id: BigInt(review.id),
    kind: review.kind,
    policy: review.policy,
    callerId: review.callerId,
    model: review.model,
    holds: review.holds.map((hold) => ({ ...hold, milliseconds: BigInt(hold.milliseconds) })),
    state: stateOf(review, now),
    createdAtMs: BigInt(review.createdAt),
    expiresAtMs: BigInt(review.expiresAt),
    messages: review.messages,
    reply: review.reply,
    denied: review.denied,
    cut: review.cut,
    verdicts: review.verdicts.map(({ reviewer, approve, reason, at, correction }) => ({
      reviewer,
      approve,
      reason,
      atMs: BigInt(at),
      correction,
    })),
    usedAtMs: BigInt(review.usedAt ?? 0),
  });
}

function numberOf(id: bigint): number {
  if (id > BigInt(Number.MAX_SAFE_INTEGER)) throw new ReviewRefusal('not_found', 'there is no such review');
  return Number(id);
}
