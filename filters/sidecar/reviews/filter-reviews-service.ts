/** `writ.v1.FilterReviews` on the sidecar's socket: what the filter in Envoy asks, the queue answers. */
import { create } from '@bufbuild/protobuf';
import type grpc from '@grpc/grpc-js';
import {
  FilterReviews,
  type HeldRequest,
  type Ruling as RulingMessage,
  Ruling_State,
  RulingSchema,
} from '../../../proto/gen/writ/v1/filter_reviews_pb.ts';
import { grpcService } from '../../../proto/grpc-call.ts';
import type { Ruling } from '../../door/session-port.ts';
import type { ReviewQueue } from './review-queue.ts';

const STATES: { readonly [State in Ruling['state']]: Ruling_State } = {
  unreachable: Ruling_State.UNSPECIFIED,
  approved: Ruling_State.APPROVED,
  pending: Ruling_State.PENDING,
  rejected: Ruling_State.REJECTED,
  expired: Ruling_State.EXPIRED,
  used: Ruling_State.USED,
  unknown: Ruling_State.UNKNOWN,
  caller_full: Ruling_State.CALLER_FULL,
  queue_full: Ruling_State.QUEUE_FULL,
};

export function addFilterReviewsService(server: grpc.Server, queue: ReviewQueue): void {
  server.addService(grpcService(FilterReviews), {
    ask: (call: grpc.ServerUnaryCall<HeldRequest, RulingMessage>, callback: grpc.sendUnaryData<RulingMessage>) => {
      void queue
        .ask(call.request)
        .then(({ state, ticket, seconds }) =>
          callback(null, create(RulingSchema, { state: STATES[state], ticket, seconds })),
        );
    },
  });
}
