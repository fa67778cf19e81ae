/** `writ status`: who runs what, and what is spent. */
import { Admin, type NodeInfo, type RevisionsReply, type StatusReply } from '../../proto/gen/writ/v1/admin_pb.ts';
import type { RevisionState } from '../../proto/gen/writ/v1/nodes_pb.ts';
import { type Command, CommandError, parse } from '../command.ts';
import { adminOptions, adminOptionsHelp, openAdmin } from '../connection.ts';
import { moneyText } from '../money-text.ts';
import { short } from '../release.ts';
import { textTable } from '../text-table.ts';

export const status: Command = {
  name: 'status',
  help: `usage: writ status [--policy NAME] [options]

Prints every sidecar that the control plane knows: the revision that it last verified, the one that decides traffic now, and
the door through which it does; then what a sidecar refused, why, and what is in force there instead. Then each budget.

  --policy NAME              only this policy's, with the history of its releases
${adminOptionsHelp}
  --json                     print {"nodes":[…],"budgets":[…],"releases":[…]}

exit codes: 0 printed, 2 usage or operation`,
  async run(args, world) {
    const { values, positionals } = parse(this, args, {
      ...adminOptions,
      policy: { type: 'string' },
      json: { type: 'boolean', default: false },
    });
    if (positionals.length > 0)
      throw new CommandError('`writ status` takes no arguments', '`writ status --help` shows how');
    const admin = openAdmin(values, world);
    try {
      const reply = await admin.call(Admin.method.status, { policy: values.policy ?? '' });
      const history =
        values.policy === undefined ? null : await admin.call(Admin.method.revisions, { name: values.policy });
      if (history?.revisions.length === 0 && reply.nodes.length === 0)
        throw new CommandError(
          `nothing of \`${values.policy}\` was ever released, and no sidecar asks for it`,
          '`writ status` shows every policy',
        );
      const document = statusDocument(reply, history);
      world.out(values.json ? `${JSON.stringify(document, null, 2)}\n` : statusText(document, Date.now()));
      return 0;
    } finally {
      admin.close();
    }
  },
};

export interface StatusDocument {
  readonly nodes: readonly NodeDocument[];
  readonly budgets: readonly BudgetDocument[];
  readonly releases?: readonly ReleaseDocument[];
}

interface NodeDocument {
  readonly name: string;
  readonly policy: string | null;
  /** How Envoy asks the policy in force there; null while there is none. */
  readonly door: string | null;
  readonly connected: boolean;
  readonly lastSeen: string;
  readonly startedAt: string | null;
  readonly verified: RevisionDocument | null;
  readonly enforcing: RevisionDocument | null;
  readonly refused: (RevisionDocument & { readonly code: string; readonly message: string }) | null;
  readonly feeds: readonly FeedDocument[];
  readonly quarantined: readonly {
    readonly resource: string;
    readonly version: string;
    readonly message: string;
    readonly at: string;
  }[];
}

interface RevisionDocument {
  readonly revision: string;
  readonly sequence: number;
}

interface FeedDocument {
  readonly kind: string;
  readonly name: string;
  readonly sequence: number;
  readonly issuedAt: string | null;
  readonly state: string;
  /** Why the last one that came was refused. */
  readonly refused: string | null;
  readonly maxAgeSeconds: number | null;
}

interface BudgetDocument {
  readonly policy: string;
  readonly budget: string;
  readonly window: string;
  /** Micro-units of the policy's currency. */
  readonly limitMicros: number;
  readonly chargedMicros: number;
  readonly outstandingMicros: number;
  /** Of a budget that has an account for each value of an attribute: how many in this window; the limit is that of each. */
  readonly accounts: number | null;
  /** Of a rate: what it counts, and what the amounts are numbers of. */
  readonly counts: string | null;
}

interface ReleaseDocument extends RevisionDocument {
  readonly rollback: boolean;
  readonly digest: string;
  readonly pushedAt: string;
  readonly pushedBy: string;
}

export function statusDocument(reply: StatusReply, history: RevisionsReply | null): StatusDocument {
  return {
    nodes: reply.nodes.map(nodeDocument),
    budgets: reply.budgets.map((each) => ({
      policy: each.policy,
      budget: each.budget,
      window: each.window,
      limitMicros: Number(each.limitMicros),
      chargedMicros: Number(each.chargedMicros),
      outstandingMicros: Number(each.outstandingMicros),
      accounts: each.each ? Number(each.accounts) : null,
      counts: each.counts === '' ? null : each.counts,
    })),
    ...(history === null
      ? {}
      : {
          releases: history.revisions.map((each) => ({
            revision: each.revision,
            sequence: Number(each.sequence),
            rollback: each.rollback,
            digest: each.digest,
            pushedAt: instant(each.pushedAtMs),
            pushedBy: each.pushedBy,
          })),
        }),
  };
}

function nodeDocument({ name, connected, lastSeenMs, status: reported, quarantined }: NodeInfo): NodeDocument {
  const refused = reported?.refused;
  return {
    name,
    policy: reported?.policy ?? null,
    door: reported === undefined || reported.door === '' ? null : reported.door,
    connected,
    lastSeen: instant(lastSeenMs),
    startedAt: reported === undefined ? null : instant(reported.startedAtMs),
    verified: revisionDocument(reported?.verified),
    enforcing: revisionDocument(reported?.enforcing),
    refused:
      refused === undefined
        ? null
        : {
            revision: refused.revision,
            sequence: Number(refused.sequence),
            code: refused.code,
            message: refused.message,
          },
    feeds: (reported?.feeds ?? []).map((feed) => ({
      kind: feed.kind,
      name: feed.name,
      sequence: Number(feed.sequence),
      issuedAt: feed.issuedAtMs === 0n ? null : instant(feed.issuedAtMs),
      state: feed.state,
      refused: feed.refused === '' ? null : feed.refused,
      maxAgeSeconds: feed.maxAgeMs === 0n ? null : Number(feed.maxAgeMs) / 1_000,
    })),
    quarantined: quarantined.map(({ resource, version, message, atMs }) => ({
      resource,
      version,
      message,
      at: instant(atMs),
    })),
  };
}

function revisionDocument(state: RevisionState | undefined): RevisionDocument | null {
  return state === undefined ? null : { revision: state.revision, sequence: Number(state.sequence) };
}

function instant(ms: bigint): string {
  return new Date(Number(ms)).toISOString();
}

export function statusText({ nodes, budgets, releases }: StatusDocument, now: number): string {
  const parts = [
    nodes.length === 0
      ? 'no sidecar has come yet\n'
      : textTable(
          ['node', 'policy', 'door', 'connected', 'verified', 'enforcing', 'seen'],
          nodes.map((node) => [
            node.name,
            node.policy ?? '',
            node.door ?? '',
            node.connected ? 'yes' : 'no',
            revisionText(node.verified),
            revisionText(node.enforcing),
            ago(node.lastSeen, now),
          ]),
        ),
    ...feedsText(nodes, now),
    ...refusals(nodes),
    ...(budgets.length === 0
      ? []
      : [
          textTable(
            ['budget', 'policy', 'window', 'limit', 'spent', 'held by sidecars'],
            budgets.map((each) => [
              each.budget,
              each.policy,
              each.window,
              `${amountText(each, each.limitMicros)}${each.accounts === null ? '' : ` for each of ${each.accounts}`}`,
              ...[each.chargedMicros, each.outstandingMicros].map((amount) => amountText(each, amount)),
            ]),
          ),
        ]),
    ...(releases === undefined
      ? []
      : [
          textTable(
            ['release', 'revision', 'pushed', 'by', ''],
            releases.map((each) => [
              String(each.sequence),
              short(each.revision),
              each.pushedAt,
              each.pushedBy,
              each.rollback ? 'rollback' : '',
            ]),
          ),
        ]),
  ];
  return parts.join('\n');
}

function revisionText(at: RevisionDocument | null): string {
  return at === null ? 'none' : `${short(at.revision)} (${at.sequence})`;
}

/** Every list and switch on every node: what an officer looks at after switching. */
function feedsText(nodes: readonly NodeDocument[], now: number): string[] {
  const rows = nodes.flatMap((node) =>
    node.feeds.map((feed) => [
      `${feed.kind} ${feed.name}`,
      node.name,
      feed.sequence === 0 ? 'none' : String(feed.sequence),
      feed.issuedAt === null ? '' : ago(feed.issuedAt, now),
      `${stateNow(feed, now)}${feed.refused === null ? '' : `; what came last was refused [${feed.refused}]`}`,
    ]),
  );
  return rows.length === 0 ? [] : [textTable(['list or switch', 'node', 'number', 'signed', 'state'], rows)];
}

/** A list grows old after its node has reported it. */
function stateNow({ state, issuedAt, maxAgeSeconds }: FeedDocument, now: number): string {
  const isOld =
    state === 'fresh' &&
    issuedAt !== null &&
    maxAgeSeconds !== null &&
    now - Date.parse(issuedAt) > maxAgeSeconds * 1_000;
  return isOld ? 'stale' : state;
}

/** A line for each node that refuses a release. */
function refusals(nodes: readonly NodeDocument[]): string[] {
  const lines = nodes.flatMap((node) => {
    const refusal = refusalText(node);
    return refusal === null
      ? []
      : [
          `${node.name} refused ${refusal}\n  in force there: ${node.enforcing === null ? 'nothing, so everything is denied' : revisionText(node.enforcing)}\n`,
        ];
  });
  return lines.length === 0 ? [] : [lines.join('')];
}

/**
 * What the node itself says, else the newest that the control plane keeps from it by a NACK, as long as the node has
 * come to nothing newer.
 */
function refusalText({ refused, quarantined, enforcing }: NodeDocument): string | null {
  if (refused !== null)
    return `${refused.revision === '' ? 'a release' : revisionText(refused)}: ${refused.message} [${refused.code}]`;
  const last = quarantined.at(-1);
  if (last === undefined) return null;
  // The version of a release is DIGEST:SEQUENCE, and the digest is not a revision.
  const sequence = Number(last.version.split(':')[1]);
  return sequence > (enforcing?.sequence ?? 0) ? `release ${sequence}: ${last.message}` : null;
}

function ago(at: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1_000));
  if (seconds < 120) return `${seconds} s ago`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3_600)} h ago`;
}

function amountText({ counts }: BudgetDocument, amount: number): string {
  return counts === null ? moneyText(BigInt(amount)) : `${amount} ${counts}`;
}
