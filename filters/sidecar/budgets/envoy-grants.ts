// Grants for the filter that runs inside Envoy: the sidecar's side of `writ.v1.FilterBudgets`. A grant is obtained like
// a request's reservation, written to the journal before it is answered, and settled in totals, so that a message may
// be lost, repeated or late. It knows no clock, socket or disk: those are arguments.
import { budgetOf } from '../../../proto/account-name.ts';
import { freeOf } from './account-book.ts';
import type { AccountBook, BookRecord, HeldLease } from './account-book.ts';
import type { BudgetAccounts } from './budget-accounts.ts';
import { heldBy } from './grants.ts';
import type { Grant, GrantName } from './grants.ts';
import type { Micros } from './lease-caller.ts';

/** What the filter says of one of its grants; see `writ.v1.GrantLine`. */
export interface GrantLine {
  readonly budget: string;
  readonly number: number;
  readonly held: Micros;
  readonly spent: Micros;
  readonly wanted: Micros;
  readonly close: boolean;
}

/** The answer to a line; see `writ.v1.GrantState`. */
export interface GrantState {
  readonly budget: string;
  readonly number: number;
  readonly over: boolean;
  readonly granted: Micros;
  readonly leftMs: number;
  readonly known: boolean;
  readonly limit: Micros;
  readonly beyond: Micros;
  readonly spent: Micros;
}

/** What became of granted money: charged by account, free again, or charged because nobody accounted for it. */
export type GrantMove = 'granted' | 'settled' | 'returned' | 'forfeited';

export interface EnvoyGrantsOptions {
  readonly accounts: BudgetAccounts;
  /** Milliseconds of the accounts' clock. */
  readonly now: () => number;
  /** Runs an action after so many milliseconds; the result cancels it. */
  readonly later: (action: () => void, ms: number) => () => void;
  /** One line for an operator, without any traffic in it. */
  readonly alarm: (message: string) => void;
  readonly onMove?: (budget: string, move: GrantMove, micros: Micros) => void;
}

/** Envoys at one time, those that are going included; one more, and the longest silent is given up. */
export const ENVOYS_MAX = 16;
/** An Envoy that is silent for longer is given up. */
export const ENVOY_SILENT_MS = 60_000;
/** How long a grant may stay open after a higher number was named: its last message may come late. */
export const SUPERSEDED_MS = 10_000;
/** Open grants of one budget and Envoy: the one in use, and those whose last message is on its way. */
export const OPEN_GRANTS_MAX = 4;
/**
 * More than what is needed is granted up to this part of the limit, and up to half of what the lease has: an Envoy that
 * is killed costs no more than that.
 */
export const SHARES_PER_LIMIT = 64;
/** Not less than this, where the lease has it: a rate of few requests would have Envoy ask for each of them. */
const SHARE_MIN = 4;
const SWEEP_MS = 2_000;

export class EnvoyGrants {
  readonly #options: EnvoyGrantsOptions;
  readonly #book: AccountBook;
  /** By Envoy: when it called last. */
  readonly #heard = new Map<string, number>();
  /** By Envoy, budget and number: when a higher number was first named. */
  readonly #superseded = new Map<string, number>();
  #exchanges = 0;
  #isRetired = false;
  #cancelSweep: () => void;
  /** Settlements above their grant, charged in full: the filter has a mistake. */
  overruns = 0;

  constructor(options: EnvoyGrantsOptions) {
    this.#options = options;
    this.#book = options.accounts.journaled.book;
    // They may have called while this process was not there.
    for (const envoy of this.#book.grants.envoys()) this.#heard.set(envoy, options.now());
    this.#cancelSweep = options.later(() => this.#sweep(), SWEEP_MS);
  }

  /** By budget, over all Envoys: open grants, and what they hold. */
  outstanding(): Map<string, { grants: number; micros: Micros }> {
    const sums = new Map<string, { grants: number; micros: Micros }>();
    for (const envoy of this.#book.grants.envoys())
      for (const [{ budget }, grant] of this.#book.grants.open(envoy)) {
        const name = budgetOf(budget);
        const sum = sums.get(name) ?? { grants: 0, micros: 0 };
        sums.set(name, { grants: sum.grants + 1, micros: sum.micros + heldBy(grant) });
      }
    return sums;
  }

  /**
   * Books what the lines report, in their order, then grows the grants that want more, and answers every line. Waits
   * for a lease where the sidecar itself holds too little.
   */
  async sync(envoy: string, lines: readonly GrantLine[]): Promise<GrantState[]> {
    this.#hear(envoy);
    for (const line of lines) this.#report({ ...line, envoy });
    await Promise.all(lines.map((line) => this.#grow({ ...line, envoy })));
    return lines.map((line) => this.#state({ ...line, envoy }));
  }

  /** Grants nothing any more: what the filter holds it is told to close, at its next calls. */
  retire(): void {
    this.#isRetired = true;
  }

  stop(): void {
    this.#cancelSweep();
  }

  #report(line: GrantLine & GrantName): void {
    this.#supersede(line);
    const grant = this.#book.grants.find(line);
    if (grant === undefined) {
      // It was to hold something and never did: a message about it that comes later is too late.
      if (line.close && !this.#isOver(line) && this.#book.budgets.has(line.budget)) this.#spend(line, 0, true);
      return;
    }
    if (line.held > grant.granted) {
      this.#options.alarm(
        `envoy believes to hold more of budget \`${budgetOf(line.budget)}\` than was granted: it is charged`,
      );
      return this.#forfeit(line, grant);
    }
    if (line.spent > Math.max(grant.granted, grant.spent)) {
      this.overruns++;
      this.#options.alarm(
        `envoy settled ${line.spent} of budget \`${budgetOf(line.budget)}\` on a grant of ${grant.granted}`,
      );
    }
    if (line.spent <= grant.spent && !line.close) return;
    this.#moved(line, 'settled', Math.max(0, line.spent - grant.spent));
    if (line.close) this.#moved(line, 'returned', Math.max(0, grant.granted - Math.max(line.spent, grant.spent)));
    this.#spend(line, line.spent, line.close);
  }

  async #grow(line: GrantLine & GrantName): Promise<void> {
    const { accounts } = this.#options;
    const lacking = this.#lacking(line);
    if (lacking <= 0) return;
    const exchange = `grant/${line.envoy}/${this.#exchanges++}`;
    const obtained = await accounts.obtain(exchange, [{ budget: line.budget, amount: lacking }]);
    if (obtained.kind === 'failed') return;
    // The whole of it is not to be had: what there is serves requests that need less.
    if (obtained.kind === 'short' && !this.#reserveRest(exchange, line.budget, lacking)) return;
    if (!this.#convert(exchange, line)) accounts.settle(exchange, [{ budget: line.budget, actual: 0 }]);
  }

  #reserveRest(exchange: string, budget: string, lacking: Micros): boolean {
    const lease = this.#usableLease(budget);
    const amount = lease === undefined ? 0 : Math.min(lacking, freeOf(lease));
    return amount > 0 && this.#options.accounts.reserve(exchange, [{ budget, amount }]).kind === 'reserved';
  }

  /** Makes what an exchange has reserved a part of the grant, with a share; false: it is not wanted any more. */
  #convert(exchange: string, line: GrantLine & GrantName): boolean {
    const reserved = this.#book.exchanges.get(exchange)?.[0];
    const lease = this.#usableLease(line.budget);
    // While it waited, the grant may have grown, ended, or lost its lease, and the Envoy may have been given up.
    const lacking = this.#heard.has(line.envoy) ? this.#lacking(line) : 0;
    if (reserved === undefined || lease?.id !== reserved.lease || lacking <= 0) return false;
    const micros = Math.min(lacking, reserved.amount) + this.#share(line.budget, lease);
    const { envoy, budget, number } = line;
    this.#makeRoom(line);
    const isRecorded = this.#record({ kind: 'grant', exchange, envoy, budget, number, lease: lease.id, micros });
    if (isRecorded) this.#moved(line, 'granted', micros);
    return isRecorded;
  }

  /** What the grant lacks of what is wanted; nothing where it cannot grow any more. */
  #lacking(line: GrantLine & GrantName): Micros {
    if (line.close || this.#isRetired || this.#isOver(line)) return 0;
    const grant = this.#book.grants.find(line);
    if (grant !== undefined && grant.lease !== this.#usableLease(line.budget)?.id) return 0;
    return line.wanted - (grant?.granted ?? 0);
  }

  #share(budget: string, lease: HeldLease): Micros {
    const limit = this.#knowledge(budget)?.limit ?? 0;
    return Math.max(
      0,
      Math.min(Math.floor(freeOf(lease) / 2), Math.max(SHARE_MIN, Math.floor(limit / SHARES_PER_LIMIT))),
    );
  }

  #state(line: GrantLine & GrantName): GrantState {
    const grant = this.#book.grants.find(line);
    const level = this.#options.accounts.levels([line.budget])[0];
    // Where nothing is held, and what the others have left is old, there is no word on the budget, least of all that
    // it is used up.
    const holds = (grant !== undefined && heldBy(grant) > 0) || (level?.failed === false && level.headroom > 0);
    const isWord = level?.failed === false && (holds || !level.isPart);
    const known = isWord && !this.#isRetired ? this.#knowledge(line.budget) : undefined;
    return {
      budget: line.budget,
      number: line.number,
      over: this.#isOver(line),
      granted: grant?.granted ?? 0,
      leftMs: this.#leftMs(line.budget, grant),
      known: known !== undefined,
      limit: known?.limit ?? 0,
      beyond: level === undefined || level.failed ? 0 : level.headroom,
      spent: grant?.spent ?? 0,
    };
  }

  #leftMs(budget: string, grant: Grant | undefined): number {
    const lease = this.#usableLease(budget);
    // A lease that took another's place: the filter takes a new grant of it.
    if (this.#isRetired || grant === undefined || lease === undefined || lease.id !== grant.lease) return 0;
    return Math.max(0, Math.floor(Math.min(lease.endsAt, lease.windowEndsAt) - this.#options.now()));
  }

  /** It holds nothing any more, or what it is said to hold was never granted in this life of the accounts. */
  #isOver(line: GrantLine & GrantName): boolean {
    const { grants } = this.#book;
    return grants.isOver(line) || (grants.find(line) === undefined && (line.held > 0 || line.spent > 0));
  }

  // --------------------------------------------------------------------------------------------- who is not heard of

  #hear(envoy: string): void {
    if (!this.#heard.has(envoy) && this.#heard.size >= ENVOYS_MAX) {
      const [silent] = [...this.#heard].reduce((first, other) => (other[1] < first[1] ? other : first));
      this.#giveUp(silent);
    }
    this.#heard.set(envoy, this.#options.now());
  }

  #supersede(line: GrantName): void {
    for (const [name] of this.#book.grants.open(line.envoy, line.budget))
      if (name.number < line.number && !this.#superseded.has(keyOf(name)))
        this.#superseded.set(keyOf(name), this.#options.now());
  }

  /** One more number of a budget: the lowest open one has had its time. */
  #makeRoom(line: GrantName): void {
    if (this.#book.grants.find(line) !== undefined) return;
    const open = [...this.#book.grants.open(line.envoy, line.budget)];
    if (open.length < OPEN_GRANTS_MAX) return;
    const [name, grant] = open.reduce((lowest, other) => (other[0].number < lowest[0].number ? other : lowest));
    this.#forfeit(name, grant);
  }

  #sweep(): void {
    const now = this.#options.now();
    this.#cancelSweep = this.#options.later(() => this.#sweep(), SWEEP_MS);
    for (const [envoy, heardAt] of [...this.#heard]) if (now - heardAt > ENVOY_SILENT_MS) this.#giveUp(envoy);
    const open = new Map<string, readonly [GrantName, Grant]>();
    for (const envoy of this.#heard.keys())
      for (const each of this.#book.grants.open(envoy)) open.set(keyOf(each[0]), each);
    for (const [key, since] of [...this.#superseded]) {
      const late = open.get(key);
      if (late !== undefined && now - since <= SUPERSEDED_MS) continue;
      this.#superseded.delete(key);
      if (late !== undefined) this.#forfeit(...late);
    }
  }

  #giveUp(envoy: string): void {
    this.#heard.delete(envoy);
    for (const [name, grant] of this.#book.grants.open(envoy)) this.#moved(name, 'forfeited', heldBy(grant));
    if (this.#book.grants.envoys().includes(envoy))
      this.#options.accounts.journaled.recordAnyway({ kind: 'forget', envoy });
  }

  #forfeit(name: GrantName, grant: Grant): void {
    this.#moved(name, 'forfeited', heldBy(grant));
    this.#spend(name, grant.granted, true);
  }

  // ------------------------------------------------------------------------------------------------------- the book

  /** Must not be lost: unwritten, the journal still has the grant, and the next total makes it good. */
  #spend({ envoy, budget, number }: GrantName, spent: Micros, closed: boolean): void {
    this.#options.accounts.journaled.recordAnyway({ kind: 'spend', envoy, budget, number, spent, closed });
  }

  /** A grant that is not on disk is not given. */
  #record(record: BookRecord): boolean {
    return this.#options.accounts.journaled.record(record);
  }

  #moved({ budget }: GrantName, move: GrantMove, micros: Micros): void {
    if (micros > 0) this.#options.onMove?.(budgetOf(budget), move, micros);
  }

  #knowledge(budget: string) {
    return this.#book.knowledge(budget, this.#options.now());
  }

  #usableLease(budget: string): HeldLease | undefined {
    const known = this.#knowledge(budget);
    return known === undefined ? undefined : this.#book.usableLease(known, this.#options.now());
  }
}

function keyOf({ envoy, budget, number }: GrantName): string {
  return `${envoy}/${budget}/${number}`;
}
