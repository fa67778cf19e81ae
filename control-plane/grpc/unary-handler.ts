// Unary calls: the role is checked, the handler is awaited, and what it throws becomes a gRPC status. What went wrong
// inside is told to the log, not to the caller.
import { status } from '@grpc/grpc-js';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { BundleError } from '../../compiler/bundle/bundle-error.ts';
import { PlanError } from '../budgets/budget-terms.ts';
import { LeaseRefusal } from '../budgets/lease-calls.ts';
import type { Role } from '../keys/certificate.ts';
import { FeedError } from '../feeds/accept-feed.ts';
import { ReleaseError } from '../releases/accept-release.ts';
import { FiringsRefusal } from '../notices/enter-firings.ts';
import { RecordRefusal } from '../records/exchange-record.ts';
import { ReviewRefusal } from '../reviews/review.ts';
import { roleOfCall } from './peer.ts';

type Named = Exclude<Role, { readonly kind: 'control-plane' }>;
type Kind = Named['kind'];
type RoleOf<K extends Kind> = Extract<Named, { readonly kind: K }>;

export interface UnaryOptions<K extends Kind> {
  readonly kind: K;
  /** One line for an operator. */
  readonly log: (message: string) => void;
}

/** Runs `handle` for callers of one kind; `name` is the node's, admin's or reviewer's. */
export function unaryHandler<Request, Reply, K extends Kind = Kind>(
  options: UnaryOptions<K>,
  handle: (request: Request, name: string, role: RoleOf<K>) => Promise<Reply>,
): handleUnaryCall<Request, Reply> {
  return (call, callback) => {
    const role = roleOfCall(call);
    if (role === undefined || !isOf(role, options.kind)) {
      callback({
        code: status.PERMISSION_DENIED,
        details: `this call is for certificates of the role ${options.kind}, not ${describe(role)}`,
      });
      return;
    }
    handle(call.request, role.name, role).then(
      (reply) => callback(null, reply),
      (error: unknown) => {
        const { code, details } = statusOf(error);
        if (code === status.INTERNAL)
          options.log(
            `a call of ${options.kind} \`${role.name}\` failed: ${error instanceof Error ? error.message : 'unknown'}`,
          );
        callback({ code, details });
      },
    );
  };
}

function isOf<K extends Kind>(role: Role, kind: K): role is Named & RoleOf<K> {
  return role.kind === kind;
}

function describe(role: Role | undefined): string {
  return role === undefined ? 'one without a role' : role.kind;
}

const REFUSALS: { readonly [Code in ReviewRefusal['code']]: status } = {
  malformed: status.INVALID_ARGUMENT,
  no_policy: status.FAILED_PRECONDITION,
  not_found: status.NOT_FOUND,
  own_request: status.FAILED_PRECONDITION,
  not_pending: status.FAILED_PRECONDITION,
  answered: status.FAILED_PRECONDITION,
};

function statusOf(error: unknown): { readonly code: status; readonly details: string } {
  if (error instanceof BundleError) {
    return {
      code: error.code === 'old_sequence' ? status.ABORTED : status.INVALID_ARGUMENT,
      details: `${error.code}: ${error.message}`,
    };
  }
  if (error instanceof RecordRefusal) return { code: REFUSALS[error.code], details: error.message };
  if (error instanceof ReviewRefusal) return { code: REFUSALS[error.code], details: error.message };
  if (error instanceof FeedError)
    return {
      code: error.code === 'not_next' ? status.ABORTED : status.NOT_FOUND,
      details: `${error.code}: ${error.message}`,
    };
  if (error instanceof FiringsRefusal) return { code: status.INVALID_ARGUMENT, details: error.message };
  if (error instanceof PlanError) return { code: status.INVALID_ARGUMENT, details: `${error.code}: ${error.message}` };
  if (error instanceof ReleaseError)
    return {
      code: error.code === 'not_next' ? status.ABORTED : status.FAILED_PRECONDITION,
      details: `${error.code}: ${error.message}`,
    };
  if (error instanceof LeaseRefusal)
    return {
      code: error.code === 'stale_seq' ? status.FAILED_PRECONDITION : status.INVALID_ARGUMENT,
      details: `${error.code}: ${error.message}`,
    };
  return { code: status.INTERNAL, details: 'the control plane failed' };
}
