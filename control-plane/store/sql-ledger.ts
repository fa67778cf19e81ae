// The ledger on SQL. Rows are locked by `for update`, so that several control planes on one PostgreSQL take turns on a
// holder and on a window.
import { RATE_WINDOW } from '../budgets/budget-terms.ts';
import type { Lease } from '../budgets/ledger.ts';
import type { HolderName, LeaseRow, LedgerStore, LedgerTransaction, WindowName } from '../budgets/ledger-store.ts';
import { enterOnce, newNoticeId } from './notice-store.ts';
import { DatabaseError, bytes, integer, text } from './database.ts';
import type { Database, Queries, Row } from './database.ts';

export function sqlLedger(database: Database): LedgerStore {
  return { transaction: (work) => database.transaction((tx) => work(ledgerTransaction(tx))) };
}

/** Windows that have leases whose time is over. */
export async function dueWindows(queries: Queries, now: number, limit: number): Promise<WindowName[]> {
  const rows = await queries.query(
    "select distinct policy, budget, budget_window from leases where state = 'active' and expires_at <= $1 order by policy, budget, budget_window limit $2",
    [now, limit],
  );
  return rows.map((row) => ({
    policy: text(row, 'policy'),
    budget: text(row, 'budget'),
    window: text(row, 'budget_window'),
  }));
}

/** What is booked in a window; zeros where nothing is. */
export async function readAccount(
  queries: Queries,
  { policy, budget, window }: WindowName,
): Promise<{ readonly charged: number; readonly outstanding: number }> {
  const [row] = await queries.query(
    'select charged, outstanding from accounts where policy = $1 and budget = $2 and budget_window = $3',
    [policy, budget, window],
  );
  return row === undefined
    ? { charged: 0, outstanding: 0 }
    : { charged: integer(row, 'charged'), outstanding: integer(row, 'outstanding') };
}

/** The accounts of a budget that has one for each value of an attribute: how many, and what is booked in all of them. */
export async function sumAccounts(
  queries: Queries,
  { policy, budget, window }: WindowName,
): Promise<{ readonly accounts: number; readonly charged: number; readonly outstanding: number }> {
  const [row] = await queries.query(
    `select count(*) as accounts, coalesce(sum(charged), 0)::bigint as charged, coalesce(sum(outstanding), 0)::bigint as outstanding
     from accounts where policy = $1 and budget_window = $3 and split_part(budget, '#', 1) = $2`,
    [policy, budget, window],
  );
  return row === undefined
    ? { accounts: 0, charged: 0, outstanding: 0 }
    : {
        accounts: integer(row, 'accounts'),
        charged: integer(row, 'charged'),
        outstanding: integer(row, 'outstanding'),
      };
}

/** How long after its window's beginning a rate's account is kept: twice the longest period of a rate, and a lease's life. */
const RATE_KEPT_MS = 49 * 3_600_000;

/**
 * Deletes accounts of rates whose time is long over. Those of money are the company's books and stay. The beginning of
 * its window stands in an account's name, in a form that sorts as time does.
 */
export async function forgetRates(queries: Queries, now: number): Promise<void> {
  const before = new Date(now - RATE_KEPT_MS).toISOString();
  for (const table of ['leases', 'accounts'])
    await queries.query(
      `delete from ${table} where budget_window like $1 and split_part(budget_window, '/', 3) < $2${table === 'leases' ? " and state <> 'active'" : ''}`,
      [`${RATE_WINDOW}%`, before],
    );
}

function ledgerTransaction(tx: Queries): LedgerTransaction {
  const holderValues = ({ policy, node, incarnation }: HolderName): string[] => [policy, node, incarnation];
  const windowValues = ({ policy, budget, window }: WindowName): string[] => [policy, budget, window];
  return {
    lastCall: async (holder) => {
      const [row] = await tx.query(
        'select seq, reply from lease_calls where policy = $1 and node = $2 and incarnation = $3 for update',
        holderValues(holder),
      );
      return row === undefined ? undefined : { seq: integer(row, 'seq'), reply: bytes(row, 'reply') };
    },
    saveCall: async (holder, seq, reply) => {
      await tx.query(
        `insert into lease_calls (policy, node, incarnation, seq, reply) values ($1, $2, $3, $4, $5)
         on conflict (policy, node, incarnation) do update set seq = excluded.seq, reply = excluded.reply`,
        [...holderValues(holder), seq, reply],
      );
    },
    account: async (window) => {
      await tx.query(
        'insert into accounts (policy, budget, budget_window, charged, outstanding) values ($1, $2, $3, 0, 0) on conflict do nothing',
        windowValues(window),
      );
      const [row] = await tx.query(
        'select charged, outstanding from accounts where policy = $1 and budget = $2 and budget_window = $3 for update',
        windowValues(window),
      );
      if (row === undefined) throw new DatabaseError('unavailable', 'an account vanished');
      return { charged: integer(row, 'charged'), outstanding: integer(row, 'outstanding') };
    },
    saveAccount: async (window, { charged, outstanding }) => {
      await tx.query(
        'update accounts set charged = $4, outstanding = $5 where policy = $1 and budget = $2 and budget_window = $3',
        [...windowValues(window), charged, outstanding],
      );
    },
    lease: async (id) => firstLease(await tx.query('select * from leases where id = $1 for update', [id])),
    activeLease: async (holder, window) =>
      firstLease(
        await tx.query(
          "select * from leases where policy = $1 and node = $2 and incarnation = $3 and budget = $4 and budget_window = $5 and state = 'active' for update",
          [...holderValues(holder), window.budget, window.window],
        ),
      ),
    dueLeases: async (window, now) =>
      (
        await tx.query(
          "select * from leases where policy = $1 and budget = $2 and budget_window = $3 and state = 'active' and expires_at <= $4 order by id for update",
          [...windowValues(window), now],
        )
      ).map(leaseRow),
    holders: async (window) => {
      const [row] = await tx.query(
        "select count(*) as holders from leases where policy = $1 and budget = $2 and budget_window = $3 and state = 'active'",
        windowValues(window),
      );
      return row === undefined ? 0 : integer(row, 'holders');
    },
    createLease: async (row) => {
      const [created] = await tx.query(
        `insert into leases (policy, node, incarnation, budget, budget_window, window_end, granted, charged, state, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id`,
        [
          ...holderValues(row.holder),
          row.window.budget,
          row.window.window,
          row.windowEnd,
          row.granted,
          row.charged,
          row.state,
          row.expiresAt,
        ],
      );
      if (created === undefined) throw new DatabaseError('unavailable', 'a lease was not stored');
      return { ...row, id: integer(created, 'id') };
    },
    tell: (notice, at) => enterOnce(tx, newNoticeId(), notice, at),
    saveLease: async ({ id, granted, charged, state, expiresAt }) => {
      await tx.query('update leases set granted = $2, charged = $3, state = $4, expires_at = $5 where id = $1', [
        id,
        granted,
        charged,
        state,
        expiresAt,
      ]);
    },
  };
}

function firstLease(rows: readonly Row[]): LeaseRow | undefined {
  return rows[0] === undefined ? undefined : leaseRow(rows[0]);
}

function leaseRow(row: Row): LeaseRow {
  return {
    id: integer(row, 'id'),
    holder: { policy: text(row, 'policy'), node: text(row, 'node'), incarnation: text(row, 'incarnation') },
    window: { policy: text(row, 'policy'), budget: text(row, 'budget'), window: text(row, 'budget_window') },
    windowEnd: integer(row, 'window_end'),
    granted: integer(row, 'granted'),
    charged: integer(row, 'charged'),
    state: leaseState(text(row, 'state')),
    expiresAt: integer(row, 'expires_at'),
  };
}

function leaseState(state: string): Lease['state'] {
  if (state !== 'active' && state !== 'expired' && state !== 'returned')
    throw new DatabaseError('unavailable', 'a lease has a state that this version does not know');
  return state;
}

/** Leases that are neither returned nor charged, by budget. */
export async function activeLeases(
  queries: Queries,
): Promise<{ readonly policy: string; readonly budget: string; readonly count: number }[]> {
  const rows = await queries.query(
    `select policy, split_part(budget, '#', 1) as budget, count(*) as count from leases where state = 'active' group by 1, 2 order by 1, 2`,
  );
  return rows.map((row) => ({
    policy: text(row, 'policy'),
    budget: text(row, 'budget'),
    count: integer(row, 'count'),
  }));
}
