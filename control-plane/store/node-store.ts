// What nodes said of themselves, and what they refused.
import { bytes, integer, text } from './database.ts';
import type { Queries } from './database.ts';
import { QUARANTINE_MAX } from '../xds/ads-hub.ts';

export interface NodeRow {
  readonly name: string;
  readonly lastSeen: number;
  readonly policy: string;
  /** The encoded `writ.v1.NodeStatus`. */
  readonly status: Uint8Array;
}

export interface QuarantineRow {
  readonly node: string;
  readonly typeUrl: string;
  readonly resource: string;
  readonly version: string;
  readonly message: string;
  readonly at: number;
}

export async function saveNode(queries: Queries, row: NodeRow): Promise<void> {
  await queries.query(
    `insert into nodes (name, last_seen, policy, status) values ($1, $2, $3, $4)
     on conflict (name) do update set last_seen = excluded.last_seen, policy = excluded.policy, status = excluded.status`,
    [row.name, row.lastSeen, row.policy, row.status],
  );
}

/** Sorted by name. */
export async function listNodes(queries: Queries): Promise<NodeRow[]> {
  const rows = await queries.query('select * from nodes order by name');
  return rows.map((row) => ({
    name: text(row, 'name'),
    lastSeen: integer(row, 'last_seen'),
    policy: text(row, 'policy'),
    status: bytes(row, 'status'),
  }));
}

export async function addQuarantine(queries: Queries, row: QuarantineRow): Promise<void> {
  await queries.query(
    'insert into quarantine (node, type_url, resource, version, message, at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing',
    [row.node, row.typeUrl, row.resource, row.version, row.message, row.at],
  );
  await queries.query(
    `delete from quarantine q where node = $1 and at < (select min(at) from (select at from quarantine where node = $1 order by at desc limit $2) newest)`,
    [row.node, QUARANTINE_MAX],
  );
}

/** Sorted by time. */
export async function listQuarantine(queries: Queries): Promise<QuarantineRow[]> {
  const rows = await queries.query('select * from quarantine order by at, node, type_url, resource, version');
  return rows.map((row) => ({
    node: text(row, 'node'),
    typeUrl: text(row, 'type_url'),
    resource: text(row, 'resource'),
    version: text(row, 'version'),
    message: text(row, 'message'),
    at: integer(row, 'at'),
  }));
}
