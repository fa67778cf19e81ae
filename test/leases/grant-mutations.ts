// Mistakes in the grants of which each would let a cap be overshot. The simulation must find every one.
import type { Mutation } from '../mutants/mutant.ts';

const book = 'filters/sidecar/budgets/account-book.ts';
const grants = 'filters/sidecar/budgets/grants.ts';
const sync = 'filters/sidecar/budgets/envoy-grants.ts';

export const grantMutations: readonly Mutation[] = [
  {
    name: 'a grant is not set aside of its lease',
    file: grants,
    find: 'if (lease !== undefined) lease.reserved += record.micros;',
    replace: '',
  },
  {
    name: 'the Envoy that is given up gives its grants back',
    file: grants,
    find: 'this.#spend(name, grant.granted, true);',
    replace: 'this.#spend(name, grant.spent, true);',
  },
  {
    name: 'what a grant has spent is not spent from its lease',
    file: grants,
    find: 'lease.spent += more;',
    replace: '',
  },
  {
    name: 'a settlement frees the whole grant',
    file: grants,
    find: 'held - (closed ? 0 : heldBy(grant))',
    replace: 'held',
  },
  {
    name: 'a snapshot forgets the grants',
    file: book,
    find: 'grants: this.grants.snapshot(),',
    replace: '',
  },
  {
    name: 'a grant is not written to the journal',
    file: sync,
    find: 'return this.#options.accounts.journaled.record(record);',
    replace: 'this.#book.apply(record);\n    return true;',
  },
  {
    name: 'a settlement is taken for a difference',
    file: sync,
    find: 'this.#spend(line, line.spent, line.close);',
    replace: 'this.#spend(line, line.close ? Math.min(line.spent, grant.spent) : line.spent, line.close);',
  },
  {
    name: 'a share is granted that the lease does not have',
    file: sync,
    find: 'Math.min(Math.floor(freeOf(lease) / 2), Math.max(SHARE_MIN, Math.floor(limit / SHARES_PER_LIMIT))),',
    replace: 'Math.max(SHARE_MIN, Math.floor(limit / SHARES_PER_LIMIT)),',
  },
  {
    name: 'a grant lasts as long as anybody may know of its budget',
    file: sync,
    find: 'Math.min(lease.endsAt, lease.windowEndsAt) - this.#options.now()',
    replace: 'lease.endsAt - this.#options.now()',
  },
  {
    name: 'what falls short is granted all the same',
    file: sync,
    find: 'Math.min(lacking, reserved.amount) + ',
    replace: 'lacking + ',
  },
];
