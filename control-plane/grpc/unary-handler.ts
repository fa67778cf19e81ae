// Unary calls: the role is checked, the handler is awaited, and what it throws becomes a gRPC status. What went wrong
// inside is told to the log, not to the caller.
import { status } from '@grpc/grpc-js';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { BundleError } from '../../compiler/bundle/bundle-error.ts';
import { PlanError } from '../budgets/budget-terms.ts';
import { LeaseRefusal } from '../budgets/lease-calls.ts';
import type { Role } from '../keys/certificate.ts';
import { ReleaseError } from '../releases/accept-release.ts';
import { roleOfCall } from './peer.ts';

export interface UnaryOptions {
  readonly kind: 'node' | 'admin';
  /** One line for an operator. */
  readonly log: (message: string) => void;
}

/** Runs `handle` for callers of one kind; `name` is the node's or admin's. */
export function unaryHandler<Request, Reply>(
  options: UnaryOptions,
  handle: (request: Request, name: string) => Promise<Reply>,
): handleUnaryCall<Request, Reply> {
  return (call, callback) => {
    const role = roleOfCall(call);
    if (role === undefined || role.kind !== options.kind) {
      callback({
        code: status.PERMISSION_DENIED,
        details: `this call is for certificates of the role ${options.kind}, not ${describe(role)}`,
      });
      return;
    }
    handle(call.request, role.name).then(
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

function describe(role: Role | undefined): string {
  return role === undefined ? 'one without a role' : role.kind;
}

function statusOf(error: unknown): { readonly code: status; readonly details: string } {
  if (error instanceof BundleError) {
    return {
      code: error.code === 'old_sequence' ? status.ABORTED : status.INVALID_ARGUMENT,
      details: `${error.code}: ${error.message}`,
    };
  }
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
