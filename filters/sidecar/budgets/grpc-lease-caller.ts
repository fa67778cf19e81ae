// The sidecar's lease calls over gRPC (`writ.v1.Leases`). A boundary file: it touches the network, through the channel that it is given.
import { status } from "@grpc/grpc-js";
import type { Client } from "@grpc/grpc-js";
import { unaryCall } from "../../../proto/grpc-call.ts";
import { LeaseState_Status, Leases } from "../../../proto/gen/writ/v1/leases_pb.ts";
import type { LeaseReply, LeaseState } from "../../../proto/gen/writ/v1/leases_pb.ts";
import { LeaseCallError } from "./lease-caller.ts";
import type { LeaseAnswer, LeaseCall, LeaseCaller, LeaseSpent, LeaseStatus } from "./lease-caller.ts";

const CALL_TIMEOUT_MS = 2_000;

/** Calls through a channel with the node's certificate. `policy` is the name of the policy set. */
export function grpcLeaseCaller(client: Client, policy: string): LeaseCaller {
  return {
    call: async (incarnation, call) => {
      try {
        return (await send(client, { policy, incarnation, seq: BigInt(call.seq) }, call)).leases.map(answerOf);
      } catch (cause) {
        throw cause instanceof LeaseCallError ? cause : callError(cause);
      }
    },
  };
}

function send(client: Client, caller: { readonly policy: string; readonly incarnation: string; readonly seq: bigint }, call: LeaseCall): Promise<LeaseReply> {
  const spent = call.spent.map(spentOf);
  const options = { timeoutMs: CALL_TIMEOUT_MS };
  switch (call.method) {
    case "take":
      return unaryCall(client, Leases.method.take, { caller, spent, needs: call.needs.map((need) => ({ budget: need.budget, micros: BigInt(need.micros) })) }, options);
    case "settle":
      return unaryCall(client, Leases.method.settle, { caller, spent }, options);
    case "return":
      return unaryCall(client, Leases.method.return, { caller, spent }, options);
  }
}

function spentOf(spent: LeaseSpent): { readonly lease: bigint; readonly totalMicros: bigint } {
  return { lease: BigInt(spent.lease), totalMicros: BigInt(spent.total) };
}

const statuses: { readonly [K in LeaseState_Status]: LeaseStatus | undefined } = {
  [LeaseState_Status.UNSPECIFIED]: undefined,
  [LeaseState_Status.ACTIVE]: "active",
  [LeaseState_Status.EXPIRED]: "expired",
  [LeaseState_Status.RETURNED]: "returned",
  [LeaseState_Status.UNKNOWN_BUDGET]: "unknown_budget",
  [LeaseState_Status.UNKNOWN_LEASE]: "unknown_lease",
};

function answerOf(state: LeaseState): LeaseAnswer {
  const leaseStatus = statuses[state.status];
  if (leaseStatus === undefined) throw new LeaseCallError("unavailable", "the control plane answered with a status that this sidecar does not know");
  return {
    budget: state.budget,
    status: leaseStatus,
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
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw new LeaseCallError("unavailable", "the control plane answered with a number out of range");
  return Number(value);
}

function callError(cause: unknown): LeaseCallError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  // Only this one says that the number of the call can never be right again.
  if (code === status.FAILED_PRECONDITION) return new LeaseCallError("refused", "the control plane knows later calls of this sidecar than it remembers itself", { cause });
  return new LeaseCallError("unavailable", "the control plane did not answer a lease call", { cause });
}
