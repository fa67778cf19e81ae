// The unary services: leases and reports of nodes, and what admins ask. Each method is a line of translation; what it
// does stands in budgets/, releases/ and store/.
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { VerificationKey } from '../../compiler/bundle/jws.ts';
import { PushReplySchema, RevisionsReplySchema, StatusReplySchema } from '../../proto/gen/writ/v1/admin_pb.ts';
import type {
  PushReply,
  RevisionsReply,
  RevisionsRequest,
  StatusReply,
  StatusRequest,
} from '../../proto/gen/writ/v1/admin_pb.ts';
import type { SignedBundle } from '../../proto/gen/writ/v1/bundle_pb.ts';
import type { LeaseReply, ReturnRequest, SettleRequest, TakeRequest } from '../../proto/gen/writ/v1/leases_pb.ts';
import { NodeStatusReplySchema, NodeStatusSchema } from '../../proto/gen/writ/v1/nodes_pb.ts';
import type { NodeStatus, NodeStatusReply } from '../../proto/gen/writ/v1/nodes_pb.ts';
import type { DataFeed, FeedsReply, FeedsRequest, PublishReply } from '../../proto/gen/writ/v1/feeds_pb.ts';
import type { DeploymentKey } from '../../proto/deployment-key.ts';
import { windowOf } from '../budgets/budget-terms.ts';
import { leaseCall } from '../budgets/lease-calls.ts';
import type { LeaseCallContext, LeaseRequest } from '../budgets/lease-calls.ts';
import type { FeedsInForce } from '../feeds/feeds-in-force.ts';
import { acceptRelease } from '../releases/accept-release.ts';
import type { AcceptedRelease } from '../releases/accept-release.ts';
import { nextSequence } from '../releases/next-sequence.ts';
import type { ReleasesInForce } from '../releases/releases-in-force.ts';
import type { Database } from '../store/database.ts';
import type { FeedRow } from '../store/feed-store.ts';
import { listNodes, listQuarantine, saveNode } from '../store/node-store.ts';
import type { NodeRow } from '../store/node-store.ts';
import { listReleases } from '../store/release-store.ts';
import { readAccount, sumAccounts } from '../store/sql-ledger.ts';
import { listFeeds, publish } from './feed-calls.ts';
import { unaryHandler } from './unary-handler.ts';

export interface ServicesContext {
  readonly database: Database;
  readonly leases: LeaseCallContext;
  readonly inForce: () => ReleasesInForce;
  /** Read for each push, so that a rotation needs no restart. */
  readonly trustedKeys: () => readonly VerificationKey[];
  /** Of which each policy gets a key of its own; undefined: none does. */
  readonly deploymentKey: DeploymentKey | undefined;
  readonly isConnected: (node: string) => boolean;
  readonly onRelease: (release: AcceptedRelease) => void;
  readonly feeds: () => FeedsInForce;
  /** A list or switch has a new state. */
  readonly onFeed: (row: FeedRow) => void;
  /** A push or rollback has been answered. */
  readonly onPush: (result: 'accepted' | 'refused') => void;
  readonly onLeaseCall: (method: LeaseRequest['kind']) => void;
  readonly now: () => number;
  readonly log: (message: string) => void;
}

const REVISIONS_MAX = 1_000;
const REVISIONS_USUAL = 100;
/** Characters of a node's own words that are kept. */
const STATUS_TEXT_MAX = 1_000;

export function leasesService(context: ServicesContext): UntypedServiceImplementation {
  const options = { kind: 'node' as const, log: context.log };
  const call = (node: string, request: LeaseRequest): Promise<LeaseReply> => {
    context.onLeaseCall(request.kind);
    return leaseCall(context.leases, node, request);
  };
  return {
    take: unaryHandler<TakeRequest, LeaseReply>(options, (request, node) => call(node, { kind: 'take', request })),
    settle: unaryHandler<SettleRequest, LeaseReply>(options, (request, node) =>
      call(node, { kind: 'settle', request }),
    ),
    return: unaryHandler<ReturnRequest, LeaseReply>(options, (request, node) =>
      call(node, { kind: 'return', request }),
    ),
  };
}

export function nodesService(context: ServicesContext): UntypedServiceImplementation {
  return {
    report: unaryHandler<NodeStatus, NodeStatusReply>({ kind: 'node', log: context.log }, async (report, name) => {
      if (report.refused !== undefined) report.refused.message = report.refused.message.slice(0, STATUS_TEXT_MAX);
      await saveNode(context.database, {
        name,
        lastSeen: context.now(),
        policy: report.policy,
        status: toBinary(NodeStatusSchema, report),
      });
      return create(NodeStatusReplySchema, {
        policyKey: context.deploymentKey?.forPolicy(report.policy).reveal() ?? new Uint8Array(),
      });
    }),
  };
}

export function adminService(context: ServicesContext): UntypedServiceImplementation {
  const options = { kind: 'admin' as const, log: context.log };
  // One at a time: two pushes must not both be the next, and a feed is judged by the release in force.
  let turn: Promise<unknown> = Promise.resolve();
  const release = (message: SignedBundle, admin: string): Promise<PushReply> => {
    const result = turn.then(async () => {
      const accepted = await acceptRelease(message, {
        database: context.database,
        keys: context.trustedKeys(),
        pushedBy: `admin/${admin}`,
        now: context.now(),
      });
      context.onRelease(accepted);
      return create(PushReplySchema, { revision: accepted.row.revision, sequence: BigInt(accepted.row.sequence) });
    });
    turn = result.then(
      () => context.onPush('accepted'),
      () => context.onPush('refused'),
    );
    return result;
  };
  return {
    push: unaryHandler<SignedBundle, PushReply>(options, release),
    rollback: unaryHandler<SignedBundle, PushReply>(options, (message, admin) =>
      release({ ...message, bundle: new Uint8Array() }, admin),
    ),
    revisions: unaryHandler<RevisionsRequest, RevisionsReply>(options, (request) => revisions(context, request)),
    status: unaryHandler<StatusRequest, StatusReply>(options, (request) => fleetStatus(context, request)),
    publish: unaryHandler<DataFeed, PublishReply>(options, (message, admin) => {
      const result = turn.then(() => publish(context, message, admin));
      turn = result.catch(() => undefined);
      return result;
    }),
    feeds: unaryHandler<FeedsRequest, FeedsReply>(options, async (request) => listFeeds(context, request)),
  };
}

async function revisions({ database }: ServicesContext, request: RevisionsRequest): Promise<RevisionsReply> {
  const rows = await listReleases(
    database,
    request.name,
    Math.min(REVISIONS_MAX, request.limit === 0 ? REVISIONS_USUAL : request.limit),
  );
  return create(RevisionsReplySchema, {
    nextSequence: BigInt(await nextSequence(database, request.name)),
    revisions: rows.map(({ revision, sequence, rollback, digest, pushedAt, pushedBy }) => ({
      revision,
      sequence: BigInt(sequence),
      rollback,
      digest,
      pushedAtMs: BigInt(pushedAt),
      pushedBy,
    })),
  });
}

async function fleetStatus(context: ServicesContext, request: StatusRequest): Promise<StatusReply> {
  const quarantine = await listQuarantine(context.database);
  const isAsked = (policy: string): boolean => request.policy === '' || policy === request.policy;
  const nodes = new Map(
    (await listNodes(context.database)).filter((row) => isAsked(row.policy)).map((row) => [row.name, row]),
  );
  // A node may refuse what it gets before it ever reports.
  const refusing = quarantine
    .filter(({ node, resource }) => nodes.has(node) || isAsked(resource))
    .map(({ node }) => node);
  return create(StatusReplySchema, {
    nodes: [...new Set([...nodes.keys(), ...refusing])].sort().map((name) => ({
      name,
      connected: context.isConnected(name),
      ...reported(nodes.get(name)),
      quarantined: quarantine
        .filter((refusal) => refusal.node === name)
        .map(({ typeUrl, resource, version, message, at }) => ({
          typeUrl,
          resource,
          version,
          message,
          atMs: BigInt(at),
        })),
    })),
    budgets: await budgetInfos(context, request.policy),
  });
}

function reported(row: NodeRow | undefined) {
  return row === undefined
    ? {}
    : { lastSeenMs: BigInt(row.lastSeen), status: fromBinary(NodeStatusSchema, row.status) };
}

/** How many nodes have reported and are in each state; see the metric. */
export async function nodeCounts(
  context: ServicesContext,
): Promise<{ readonly connected: number; readonly behind: number; readonly refusing: number }> {
  const counts = { connected: 0, behind: 0, refusing: 0 };
  const refusals = new Set(
    (await listQuarantine(context.database)).map(({ node, resource, version }) =>
      JSON.stringify([node, resource, version]),
    ),
  );
  for (const { name, policy, status } of await listNodes(context.database)) {
    const inForce = context.inForce().get(policy);
    if (context.isConnected(name)) {
      counts.connected++;
      const enforcing = fromBinary(NodeStatusSchema, status).enforcing?.sequence ?? 0n;
      if (inForce !== undefined && enforcing !== BigInt(inForce.row.sequence)) counts.behind++;
    }
    if (inForce !== undefined && refusals.has(JSON.stringify([name, policy, inForce.resource.version])))
      counts.refusing++;
  }
  return counts;
}

/** Every budget of the policies in force, in its current window. */
export async function budgetInfos(
  { database, inForce, now }: Pick<ServicesContext, 'database' | 'inForce' | 'now'>,
  policy: string,
) {
  const infos = [];
  for (const [name, release] of inForce()) {
    if (policy !== '' && name !== policy) continue;
    for (const terms of release.budgets.values()) {
      const window = windowOf(terms, now()).key;
      const account = { policy: name, budget: terms.name, window };
      const { charged, outstanding, accounts } = terms.each
        ? await sumAccounts(database, account)
        : { ...(await readAccount(database, account)), accounts: 0 };
      infos.push({
        policy: name,
        budget: terms.name,
        counts: terms.counts ?? '',
        window,
        limitMicros: BigInt(terms.limit),
        chargedMicros: BigInt(charged),
        outstandingMicros: BigInt(outstanding),
        each: terms.each,
        accounts: BigInt(accounts),
      });
    }
  }
  return infos;
}
