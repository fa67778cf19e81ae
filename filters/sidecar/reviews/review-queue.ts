/**
 * The sidecar's way to the queue of reviews, which the control plane keeps: for both doors. Whoever cannot be asked has
 * approved nothing. A boundary file: it touches the network, through the channel that it is given.
 */
import { fromBinary } from '@bufbuild/protobuf';
import type { Client } from '@grpc/grpc-js';
import { HeldRequestSchema, Ruling_State } from '../../../proto/gen/writ/v1/filter_reviews_pb.ts';
import type { HeldRequest } from '../../../proto/gen/writ/v1/filter_reviews_pb.ts';
import { Reviews } from '../../../proto/gen/writ/v1/reviews_pb.ts';
import { unaryCall } from '../../../proto/grpc-call.ts';
import type { Ruling } from '../../door/session-port.ts';

export interface ReviewQueue {
  /** Never rejects. */
  ask(held: HeldRequest): Promise<Ruling>;
}

/** One try. The filter in Envoy waits longer than both (filters/kernel/proxy-wasm/review-calls.ts). */
const CALL_MS_MAX = 2_500;
/** An answer may be lost: the same exchange is answered the same, whatever became of the first question. */
const TRIES = 2;
const RETRY_SECONDS = 5;
export const UNREACHABLE: Ruling = { state: 'unreachable', ticket: '', seconds: RETRY_SECONDS };

/** Through a channel with the node's certificate; without one nobody can be asked. `policy` names the policy set. */
export function reviewQueue(client: Client | undefined, policy: string): ReviewQueue {
  return {
    ask: async (held) => {
      for (let tries = 0; client !== undefined && tries < TRIES; tries++) {
        const reply = await unaryCall(client, Reviews.method.ask, { policy, held }, { timeoutMs: CALL_MS_MAX }).catch(
          () => undefined,
        );
        if (reply !== undefined) return { state: stateOf(reply.state), ticket: reply.ticket, seconds: reply.seconds };
      }
      return UNREACHABLE;
    },
  };
}

/** As the filter wrote it. */
export function heldRequest(bytes: Uint8Array): HeldRequest {
  return fromBinary(HeldRequestSchema, bytes);
}

export function stateOf(state: Ruling_State): Ruling['state'] {
  switch (state) {
    case Ruling_State.APPROVED:
      return 'approved';
    case Ruling_State.PENDING:
      return 'pending';
    case Ruling_State.REJECTED:
      return 'rejected';
    case Ruling_State.EXPIRED:
      return 'expired';
    case Ruling_State.USED:
      return 'used';
    case Ruling_State.UNKNOWN:
      return 'unknown';
    case Ruling_State.CALLER_FULL:
      return 'caller_full';
    case Ruling_State.QUEUE_FULL:
      return 'queue_full';
    default:
      // Of a later version: nothing is approved that is not known.
      return 'unreachable';
  }
}
