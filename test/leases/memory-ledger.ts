// The ledger in memory: transactions that take effect whole or not at all, one after the other. Every row is open to
// the test.
import type { Account, Lease } from '../../control-plane/budgets/ledger.ts';
import type { NoticeSubject } from '../../control-plane/notices/notice.ts';
import type {
  HolderName,
  LeaseRow,
  LedgerStore,
  LedgerTransaction,
  WindowName,
} from '../../control-plane/budgets/ledger-store.ts';

interface Tables {
  readonly accounts: Map<string, Account>;
  readonly leases: Map<number, LeaseRow>;
  readonly calls: Map<string, { readonly seq: number; readonly reply: Uint8Array }>;
  readonly notices: Map<string, { readonly notice: NoticeSubject; readonly at: number }>;
}

export class MemoryLedger implements LedgerStore {
  #tables: Tables = { accounts: new Map(), leases: new Map(), calls: new Map(), notices: new Map() };
  #turn: Promise<unknown> = Promise.resolve();
  /** Asked before each commit: true kills the process in mid-transaction. */
  failsCommit: () => boolean = () => false;

  get accounts(): ReadonlyMap<string, Account> {
    return this.#tables.accounts;
  }

  get leases(): ReadonlyMap<number, LeaseRow> {
    return this.#tables.leases;
  }

  get notices(): readonly { readonly notice: NoticeSubject; readonly at: number }[] {
    return [...this.#tables.notices.values()];
  }

  transaction<T>(work: (tx: LedgerTransaction) => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      const copy: Tables = {
        accounts: new Map(this.#tables.accounts),
        leases: new Map(this.#tables.leases),
        calls: new Map(this.#tables.calls),
        notices: new Map(this.#tables.notices),
      };
      const value = await work(transactionOn(copy));
      if (this.failsCommit()) throw new Error('killed before the commit');
      this.#tables = copy;
      return value;
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function transactionOn(tables: Tables): LedgerTransaction {
  const active = (window: WindowName): LeaseRow[] =>
    [...tables.leases.values()].filter((row) => row.state === 'active' && windowKey(row.window) === windowKey(window));
  return {
    lastCall: async (holder) => tables.calls.get(holderKey(holder)),
    saveCall: async (holder, seq, reply) => void tables.calls.set(holderKey(holder), { seq, reply }),
    account: async (window) => tables.accounts.get(windowKey(window)) ?? { charged: 0, outstanding: 0 },
    saveAccount: async (window, account) => void tables.accounts.set(windowKey(window), account),
    lease: async (id) => tables.leases.get(id),
    activeLease: async (holder, window) => active(window).find((row) => holderKey(row.holder) === holderKey(holder)),
    dueLeases: async (window, now) => active(window).filter((row) => row.expiresAt <= now),
    holders: async (window) => active(window).length,
    createLease: async (row) => {
      const created = { ...row, id: tables.leases.size + 1 };
      tables.leases.set(created.id, created);
      return created;
    },
    tell: async (notice, at) => {
      const { policy, name, percent, recipient, from, to } = notice;
      const key = JSON.stringify([policy, name, percent, recipient, from, to]);
      if (!tables.notices.has(key)) tables.notices.set(key, { notice, at });
    },
    saveLease: async (lease: Lease) => {
      const row = tables.leases.get(lease.id);
      if (row !== undefined)
        tables.leases.set(lease.id, {
          ...row,
          granted: lease.granted,
          charged: lease.charged,
          state: lease.state,
          expiresAt: lease.expiresAt,
        });
    },
  };
}

export function windowKey({ policy, budget, window }: WindowName): string {
  return `${policy} ${budget} ${window}`;
}

function holderKey({ policy, node, incarnation }: HolderName): string {
  return `${policy} ${node} ${incarnation}`;
}
