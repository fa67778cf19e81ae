// The sidecar's lease calls over gRPC (`writ.v1.Leases`). A boundary file: it touches the network, through the channel
// that it is given.
import { status } from '@grpc/grpc-js';
import type { Client } from '@grpc/grpc-js';
import { unaryCall } from '../../../proto/grpc-call.ts';
import { Leases } from '../../../proto/gen/writ/v1/leases_pb.ts';
import type { LeaseReply } from '../../../proto/gen/writ/v1/leases_pb.ts';
import { LeaseCallError } from './lease-caller.ts';
import type { LeaseCall, LeaseCaller } from './lease-caller.ts';
import { answersOf, requestOf } from './lease-messages.ts';

const CALL_TIMEOUT_MS = 2_000;

/** Calls through a channel with the node's certificate. `policy` is the name of the policy set. */
export function grpcLeaseCaller(client: Client, policy: string): LeaseCaller {
  return {
    call: async (incarnation, call) => {
      try {
        return answersOf(await send(client, requestOf(policy, incarnation, call), call));
      } catch (cause) {
        throw cause instanceof LeaseCallError ? cause : callError(cause);
      }
    },
  };
}

function send(client: Client, request: ReturnType<typeof requestOf>, call: LeaseCall): Promise<LeaseReply> {
  const { needs, ...spentOnly } = request;
  const options = { timeoutMs: CALL_TIMEOUT_MS };
  switch (call.method) {
    case 'take':
      return unaryCall(client, Leases.method.take, { ...spentOnly, needs }, options);
    case 'settle':
      return unaryCall(client, Leases.method.settle, spentOnly, options);
    case 'return':
      return unaryCall(client, Leases.method.return, spentOnly, options);
  }
}

function callError(cause: unknown): LeaseCallError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  // Only this one says that the number of the call can never be right again.
  if (code === status.FAILED_PRECONDITION)
    return new LeaseCallError('refused', 'the control plane has answered later calls than this sidecar remembers', {
      cause,
    });
  return new LeaseCallError('unavailable', 'the control plane did not answer a lease call', { cause });
}
