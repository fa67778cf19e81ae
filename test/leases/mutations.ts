// Mistakes in the accounting of which each would let a cap be overshot, or lose track of what is spent. The simulation
// must find every one.
import type { Mutation } from '../mutants/mutant.ts';

const ledger = 'control-plane/budgets/ledger.ts';
const calls = 'control-plane/budgets/lease-calls.ts';
const book = 'filters/sidecar/budgets/account-book.ts';
const accounts = 'filters/sidecar/budgets/budget-accounts.ts';
const journaled = 'filters/sidecar/budgets/journaled-book.ts';
const resume = 'filters/sidecar/budgets/resume-book.ts';

export const mutations: readonly Mutation[] = [
  {
    name: 'an expired lease is charged what was reported, not in full',
    file: ledger,
    find: "charged: Math.max(lease.charged, lease.granted), state: 'expired'",
    replace: "state: 'expired'",
  },
  {
    name: 'what is outstanding is granted again',
    file: ledger,
    find: 'limit - account.charged - account.outstanding',
    replace: 'limit - account.charged',
  },
  {
    name: 'a need is granted although less is left',
    file: ledger,
    find: 'Math.min(left, Math.max(need, share, Math.ceil(limit / GRANTS_PER_LIMIT)))',
    replace: 'Math.max(need, Math.min(left, share))',
  },
  {
    name: 'a small remainder is rounded up',
    file: ledger,
    find: 'Math.min(left, Math.max(need, share, Math.ceil(limit / GRANTS_PER_LIMIT)))',
    replace: 'Math.max(Math.min(left, Math.max(need, share)), Math.ceil(limit / GRANTS_PER_LIMIT))',
  },
  {
    name: 'an old report lowers what is charged',
    file: ledger,
    find: 'const charged = Math.max(lease.charged, exact(total));\n  return replace(account, lease, extended(',
    replace: 'const charged = exact(total);\n  return replace(account, lease, extended(',
  },
  {
    name: 'a closed lease still counts as outstanding',
    file: ledger,
    find: "lease.state === 'active' ? Math.max(0, lease.granted - lease.charged) : 0",
    replace: 'Math.max(0, lease.granted - lease.charged)',
  },
  {
    name: 'a Settle closes the lease',
    file: calls,
    find: 'isReturn ? giveBack(entry, total) : settle(entry, total, now)',
    replace: 'giveBack(entry, total)',
  },
  {
    name: 'an expired lease is dropped without its charge',
    file: calls,
    find: 'account = entry.account;\n  }\n  const held',
    replace: '}\n  const held',
  },
  {
    name: 'the account is not saved with its lease',
    file: calls,
    find: 'await tx.saveAccount(row.window, entry.account);',
    replace: '',
  },
  {
    name: 'something is reserved after the Return was written',
    file: book,
    find: 'if (lease !== undefined) lease.closing = true;',
    replace: '',
  },
  {
    name: 'what a settlement leaves out is free',
    file: book,
    find: '?.actual ?? part.amount',
    replace: '?.actual ?? 0',
  },
  {
    name: 'reservations do not count until they are settled',
    file: book,
    find: 'lease.granted - lease.spent - lease.reserved',
    replace: 'lease.granted - lease.spent',
  },
  {
    name: 'a settlement gives the whole reservation back',
    file: book,
    find: 'lease.spent += record.parts',
    replace: '0; record.parts',
  },
  {
    name: 'a repeated answer counts its grant twice',
    file: book,
    find: 'held.granted = answer.granted;',
    replace: 'held.granted += answer.granted;',
  },
  {
    name: 'a snapshot forgets the reservations in flight',
    file: book,
    find: 'exchanges: [...this.exchanges],',
    replace: 'exchanges: [],',
  },
  {
    name: 'a restart gives reservations in flight back',
    file: resume,
    find: 'parts: [] });',
    replace: 'parts: (book.exchanges.get(exchange) ?? []).map(({ budget }) => ({ budget, actual: 0 })) });',
  },
  { name: 'leases are resumed after a reboot', file: resume, find: 'book.bootId === life.bootId &&', replace: '' },
  {
    name: 'a reservation is not written to the journal',
    file: accounts,
    find: "if (!this.#journaled.record({ kind: 'reserve', exchange, parts }))",
    replace: "this.#book.apply({ kind: 'reserve', exchange, parts });\n    if (this.#isStopped)",
  },
  {
    name: 'a Return at the end leaves out what is in flight',
    file: accounts,
    find: 'lease.spent + (this.#isStopped ? lease.reserved : 0)',
    replace: 'lease.spent',
  },
  {
    name: 'a lease in use is returned as idle',
    file: accounts,
    find: 'return lease.reserved === 0 && (now',
    replace: 'return (now',
  },
  {
    name: 'one of two budgets is not checked',
    file: accounts,
    find: 'if (lease === undefined || free < amount)',
    replace: 'if (lease === undefined || (free < amount && parts.length === 0))',
  },
  {
    name: 'a full disk is ignored',
    file: journaled,
    find: 'this.#journal.append(record);',
    replace: 'try { this.#journal.append(record); } catch { /* ignored */ }',
  },
];
