// `writ.v1.FilterBudgets` on the sidecar's socket: between protobuf messages and the plain numbers of `EnvoyGrants`. A
// boundary file: what it is given is checked here.
import { create } from '@bufbuild/protobuf';
import grpc from '@grpc/grpc-js';
import { FilterBudgets, SyncReplySchema } from '../../../proto/gen/writ/v1/filter_budgets_pb.ts';
import type {
  GrantLine as GrantLineMessage,
  SyncReply,
  SyncRequest,
} from '../../../proto/gen/writ/v1/filter_budgets_pb.ts';
import { grpcService } from '../../../proto/grpc-call.ts';
import type { EnvoyGrants, GrantLine, GrantState } from './envoy-grants.ts';

/**
 * Lines in a call: for each of 256 budgets, and of as many accounts, a grant in use and one to close.
 */
export const LINES_MAX = 1_024;
/** A budget's name and an account's hash. */
const ACCOUNT_NAME_MAX = 192;

/** `grants` is undefined where the sidecar has no control plane: then no budget is known. */
export function addFilterBudgetsService(server: grpc.Server, grants: Pick<EnvoyGrants, 'sync'> | undefined): void {
  server.addService(grpcService(FilterBudgets), {
    sync: (call: grpc.ServerUnaryCall<SyncRequest, SyncReply>, callback: grpc.sendUnaryData<SyncReply>) => {
      answer(grants, call.request).then(
        (reply) => callback(null, reply),
        (error: unknown) => callback(statusOf(error)),
      );
    },
  });
}

class MalformedCall extends Error {}

async function answer(grants: Pick<EnvoyGrants, 'sync'> | undefined, request: SyncRequest): Promise<SyncReply> {
  if (request.envoy === 0n) throw new MalformedCall('the call does not say whose it is');
  if (request.lines.length > LINES_MAX) throw new MalformedCall(`more than ${LINES_MAX} lines`);
  const lines = request.lines.map(lineOf);
  const states = grants === undefined ? lines.map(unknown) : await grants.sync(request.envoy.toString(16), lines);
  return create(SyncReplySchema, {
    grants: states.map(({ budget, number, over, granted, leftMs, known, limit, beyond, spent }) => ({
      budget,
      grant: BigInt(number),
      over,
      grantedMicros: BigInt(granted),
      leftMs: BigInt(leftMs),
      known,
      limitMicros: BigInt(limit),
      beyondMicros: BigInt(beyond),
      spentMicros: BigInt(spent),
    })),
  });
}

function lineOf(line: GrantLineMessage): GrantLine {
  const { budget, grant, heldMicros, spentMicros, wantedMicros, close } = line;
  if (budget === '' || budget.length > ACCOUNT_NAME_MAX) throw new MalformedCall('a line does not name a budget');
  if (grant === 0n) throw new MalformedCall('grants are numbered from 1');
  return {
    budget,
    number: exact(grant),
    held: exact(heldMicros),
    spent: exact(spentMicros),
    wanted: exact(wantedMicros),
    close,
  };
}

function unknown({ budget, number, held, spent }: GrantLine): GrantState {
  const nothing = { granted: 0, leftMs: 0, known: false, limit: 0, beyond: 0, spent: 0 };
  return { budget, number, over: held > 0 || spent > 0, ...nothing };
}

function exact(value: bigint): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw new MalformedCall('a number is out of range');
  return Number(value);
}

/** An unexpected error's message is not told: the call is repeated with the same totals. */
function statusOf(error: unknown): { readonly code: grpc.status; readonly details: string } {
  return error instanceof MalformedCall
    ? { code: grpc.status.INVALID_ARGUMENT, details: error.message }
    : { code: grpc.status.INTERNAL, details: 'the call failed' };
}
