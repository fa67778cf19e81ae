// Between the accounts' plain numbers and the protobuf messages of `writ.v1.Leases`. Pure.
import { LeaseState_Status } from '../../../proto/gen/writ/v1/leases_pb.ts';
import type { LeaseReply, LeaseState } from '../../../proto/gen/writ/v1/leases_pb.ts';
import { LeaseCallError } from './lease-caller.ts';
import type { LeaseAnswer, LeaseCall, LeaseStatus } from './lease-caller.ts';

/** The fields of the request that carries a call; a Take has `needs` besides. */
export function requestOf(policy: string, incarnation: string, call: LeaseCall) {
  return {
    caller: { policy, incarnation, seq: BigInt(call.seq) },
    spent: call.spent.map((spent) => ({ lease: BigInt(spent.lease), totalMicros: BigInt(spent.total) })),
    needs:
      call.method === 'take' ? call.needs.map((need) => ({ budget: need.budget, micros: BigInt(need.micros) })) : [],
  };
}

/** Throws LeaseCallError `unavailable` for an answer that this sidecar does not understand. */
export function answersOf(reply: LeaseReply): LeaseAnswer[] {
  return reply.leases.map(answerOf);
}

const statuses: { readonly [K in LeaseState_Status]: LeaseStatus | undefined } = {
  [LeaseState_Status.UNSPECIFIED]: undefined,
  [LeaseState_Status.ACTIVE]: 'active',
  [LeaseState_Status.EXPIRED]: 'expired',
  [LeaseState_Status.RETURNED]: 'returned',
  [LeaseState_Status.UNKNOWN_BUDGET]: 'unknown_budget',
  [LeaseState_Status.UNKNOWN_LEASE]: 'unknown_lease',
};

function answerOf(state: LeaseState): LeaseAnswer {
  const status = statuses[state.status];
  if (status === undefined)
    throw new LeaseCallError('unavailable', 'the control plane answered with a status that this sidecar does not know');
  return {
    budget: state.budget,
    status,
    lease: exact(state.lease),
    granted: exact(state.grantedTotalMicros),
    ttlMs: exact(state.ttlMs),
    windowLeftMs: exact(state.windowLeftMs),
    window: state.window,
    limit: exact(state.limitMicros),
    unleased: exact(state.unleasedMicros),
  };
}

function exact(value: bigint): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new LeaseCallError('unavailable', 'the control plane answered with a number out of range');
  return Number(value);
}
