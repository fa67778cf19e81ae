// The schema, as an ordered list: a step that has run is never changed, a new one is added at the end. Times are
// milliseconds since 1970 UTC; amounts are micro-units.
import { integer } from './database.ts';
import type { Database } from './database.ts';

const migrations: readonly (readonly string[])[] = [
  [
    `create table bundles (
       digest text primary key,
       revision text not null,
       bytes bytea not null
     )`,
    `create table releases (
       name text not null,
       sequence bigint not null,
       revision text not null,
       digest text not null references bundles (digest),
       rollback boolean not null,
       release text not null,
       pushed_at bigint not null,
       pushed_by text not null,
       primary key (name, sequence)
     )`,
    `create table nodes (
       name text primary key,
       last_seen bigint not null,
       policy text not null,
       status bytea not null
     )`,
    `create table quarantine (
       node text not null,
       type_url text not null,
       resource text not null,
       version text not null,
       message text not null,
       at bigint not null,
       primary key (node, type_url, resource, version)
     )`,
    `create table accounts (
       policy text not null,
       budget text not null,
       budget_window text not null,
       charged bigint not null check (charged >= 0),
       outstanding bigint not null check (outstanding >= 0),
       primary key (policy, budget, budget_window)
     )`,
    `create table leases (
       id bigint generated always as identity primary key,
       policy text not null,
       node text not null,
       incarnation text not null,
       budget text not null,
       budget_window text not null,
       window_end bigint not null,
       granted bigint not null check (granted >= 0),
       charged bigint not null check (charged >= 0),
       state text not null check (state in ('active', 'expired', 'returned')),
       expires_at bigint not null
     )`,
    // At most one active lease for each holder and window.
    `create unique index active_leases on leases (policy, budget, budget_window, node, incarnation) where state = 'active'`,
    `create index due_leases on leases (expires_at) where state = 'active'`,
    `create table lease_calls (
       policy text not null,
       node text not null,
       incarnation text not null,
       seq bigint not null,
       reply bytea not null,
       primary key (policy, node, incarnation)
     )`,
  ],
  [
    // One row a policy, locked by whoever enters a request: the queue's limits are counted under it.
    `create table review_queues (policy text primary key)`,
    `create table reviews (
       id bigint generated always as identity primary key,
       ticket text not null unique,
       policy text not null,
       node text not null,
       binding bytea not null,
       caller bytea not null,
       caller_id text not null,
       model text not null,
       holds text not null,
       messages text not null,
       cut boolean not null,
       created_at bigint not null,
       expires_at bigint not null,
       used_at bigint,
       used_by bytea
     )`,
    `create index reviews_by_binding on reviews (policy, binding, expires_at)`,
    `create index reviews_by_end on reviews (expires_at)`,
    `create table review_verdicts (
       review bigint not null references reviews (id) on delete cascade,
       reviewer text not null,
       groups text not null,
       approve boolean not null,
       reason text not null,
       at bigint not null,
       primary key (review, reviewer)
     )`,
    `create function keep_verdict() returns trigger language plpgsql as $$
     begin raise exception 'a verdict is never changed'; end $$`,
    `create trigger verdicts_are_kept before update on review_verdicts for each row execute function keep_verdict()`,
  ],
  [
    // Every statement that was ever published is kept; entries, of the newest alone.
    `create table feeds (
       policy text not null,
       kind text not null check (kind in ('list', 'switch')),
       name text not null,
       sequence bigint not null,
       statement text not null,
       entries bytea not null,
       published_at bigint not null,
       published_by text not null,
       primary key (policy, kind, name, sequence)
     )`,
  ],
  [
    // Samples stand in the same queue. They are no requests that wait, and are counted apart.
    `alter table reviews
       add column kind text not null default 'hold' check (kind in ('hold', 'sample')),
       add column reply text not null default '',
       add column denied boolean not null default false`,
    `create unique index samples_once on reviews (policy, binding) where kind = 'sample'`,
    // Apart from the verdict, which stays when what was said is deleted.
    `create table review_corrections (
       review bigint not null,
       reviewer text not null,
       correction text not null,
       primary key (review, reviewer),
       foreign key (review, reviewer) references review_verdicts (review, reviewer) on delete cascade
     )`,
  ],
  [
    `create table records (
       id bigint generated always as identity primary key,
       policy text not null,
       exchange bytea not null,
       node text not null,
       caller_id text not null,
       model text not null,
       rules text not null,
       prompt text not null,
       reply text not null,
       cut boolean not null,
       denied boolean not null,
       ended boolean not null,
       at bigint not null,
       delete_at bigint not null,
       unique (policy, exchange)
     )`,
    `create index records_by_end on records (delete_at)`,
    `create table record_reads (
       id bigint generated always as identity primary key,
       reader text not null,
       verb text not null check (verb in ('list', 'show', 'export')),
       policy text not null,
       record bigint not null,
       count bigint not null,
       at bigint not null
     )`,
  ],
  [
    `create table deployment_key (
       single boolean primary key default true check (single),
       mark text not null
     )`,
  ],
  [
    // What is to be told, and what was. One row for what it is about: so it is told once, under one id.
    `create table notices (
       id text primary key,
       policy text not null,
       recipient text not null,
       webhook text not null,
       kind text not null check (kind in ('budget', 'rule', 'waiver')),
       name text not null,
       percent bigint not null,
       starts_at bigint not null,
       ends_at bigint not null,
       count bigint not null,
       entered_at bigint not null,
       state text not null default 'waiting' check (state in ('waiting', 'sent', 'failed')),
       attempts bigint not null default 0,
       next_at bigint not null,
       failure text not null default '',
       unique (policy, recipient, kind, name, percent, starts_at, ends_at)
     )`,
    `create index notices_due on notices (webhook, next_at) where state = 'waiting'`,
    // How often a sidecar has said that a rule fired.
    `create table firings (
       policy text not null,
       node text not null,
       rule text not null,
       incarnation text not null,
       total bigint not null,
       at bigint not null,
       primary key (policy, node, rule)
     )`,
  ],
];

/** Brings the schema up to date, each step in a transaction of its own. */
export async function migrate(database: Database): Promise<void> {
  await database.query('create table if not exists migrations (step bigint primary key)');
  const [row] = await database.query('select coalesce(max(step), 0) as step from migrations');
  const done = row === undefined ? 0 : integer(row, 'step');
  for (const [index, statements] of migrations.entries()) {
    if (index + 1 <= done) continue;
    await database.transaction(async (tx) => {
      for (const statement of statements) await tx.query(statement);
      await tx.query('insert into migrations (step) values ($1)', [index + 1]);
    });
  }
}
