// The sidecar's budgets: what a request may still spend, reserving its worst case before it is forwarded, settling what
// it cost. It spends only from leases that the control plane granted, and writes each step to the journal first. It
// knows no clock, disk or network: those are arguments.
import { budgetOf, isOneOfMany } from '../../../proto/account-name.ts';
import { freeOf } from './account-book.ts';
import type { AccountBook, BookRecord, BudgetKnowledge, HeldLease, Reservation } from './account-book.ts';
import type { BudgetJournal } from './budget-journal.ts';
import { LINES_MAX, nameWithin, renewals } from './call-lines.ts';
import { JournaledBook } from './journaled-book.ts';
import { LeaseCallError } from './lease-caller.ts';
import type { LeaseAnswer, LeaseCall, LeaseCaller, LeaseNeed, LeaseSpent, Micros } from './lease-caller.ts';
import type { BudgetAccountsOptions, BudgetAmount, BudgetCounters, BudgetLevel, ReserveResult } from './spending.ts';

export type { BudgetAccountsOptions, BudgetAmount, BudgetCounters, BudgetLevel, ReserveResult } from './spending.ts';

/**
 * A request waits this long for a lease from a control plane that answered before; one that is known to be away is not
 * waited for. Longer than a lease takes on a machine that is busy.
 */
export const LEASE_WAIT_MS = 2_000;
/** Reservations in flight. */
export const EXCHANGES_MAX = 65_536;
/** Requests waiting for a lease. */
export const WAITERS_MAX = 4_096;
/** Budgets in one process. */
export const BUDGETS_MAX = 256;
/**
 * Accounts in one process, of budgets that have one for each value of an attribute: those in use, and those that were
 * within the last half minute or so. One more is not known, and a request under it is denied.
 */
export const ACCOUNTS_MAX = 4_096;
/** Spent is reported, and the leases' lives are extended, this often. */
export const HEARTBEAT_MS = 5_000;
/** A lease from which nothing was reserved for this long is returned. */
export const IDLE_MS = 30_000;
/** How long "nothing is left" is believed before it is asked again. */
const EMPTY_BELIEVED_MS = 250;
/** How long what the others have left counts into the headroom. */
const UNLEASED_BELIEVED_MS = 10_000;
const RETRY_MS_FIRST = 50;
const RETRY_MS_MAX = 2_000;

interface Waiter {
  readonly exchange: string;
  readonly needs: readonly BudgetAmount[];
  readonly resolve: (result: ReserveResult) => void;
  readonly cancelTimer: () => void;
  /** The last call that asked for it. */
  askedBy: number;
}

export class BudgetAccounts {
  readonly #counters = { reservations: 0, overruns: 0, failedCalls: 0, forfeits: 0, short: 0, crowded: 0, expired: 0 };
  readonly #options: BudgetAccountsOptions;
  readonly #book: AccountBook;
  readonly #journaled: JournaledBook;
  readonly #tracked = new Set<string>();
  readonly #waiters = new Set<Waiter>();
  readonly #usedAt = new Map<number, number>();
  readonly #refill = new Set<string>();
  readonly #onChange = new Set<() => void>();
  #isCalling = false;
  #isReachable = true;
  #retryMs = RETRY_MS_FIRST;
  #retryAt = 0;
  #heartbeatDue = 0;
  #pumpAt = Number.POSITIVE_INFINITY;
  #cancelPump: (() => void) | undefined;
  #isStopped = false;
  #isClosed = false;

  /** The book and its journal, for those who spend from the same leases: grants for Envoy. */
  get journaled(): JournaledBook {
    return this.#journaled;
  }

  /** Exchanges that hold money now. */
  get open(): number {
    return this.#book.exchanges.size;
  }

  /** Accounts that something is known of, one of many of their budget. */
  get crowd(): number {
    return [...this.#book.budgets.keys()].filter(isOneOfMany).length;
  }

  /** The budgets of the policy in force that have one account. */
  get tracked(): readonly string[] {
    return [...this.#tracked];
  }

  /** Since the start. */
  get counters(): BudgetCounters {
    return { ...this.#counters, journalErrors: this.#journaled.errors };
  }

  constructor(options: BudgetAccountsOptions) {
    this.#options = options;
    this.#book = options.book;
    this.#journaled = new JournaledBook(options.book, options.journal, options.alarm);
    this.#heartbeatDue = options.now() + HEARTBEAT_MS;
    this.#schedule(0);
  }

  /** Names the budgets of the policy in force, so that leases are there before the first request. At most 256. */
  track(budgets: readonly string[]): void {
    if (budgets.length > BUDGETS_MAX) throw new Error(`more than ${BUDGETS_MAX} budgets`);
    this.#tracked.clear();
    for (const budget of budgets) {
      this.#tracked.add(budget);
      const known = this.#knowledge(budget);
      // What an earlier process knew may be old, and its lease returned.
      if (known === undefined || this.#usableLease(known) === undefined) this.#refill.add(budget);
    }
    this.#schedule(0);
  }

  /** Resolves when every named budget has a level that counts, or after `LEASE_WAIT_MS`; undefined: there is no wait. */
  ready(budgets: readonly string[]): Promise<void> | undefined {
    const missing = this.#missing(budgets);
    if (missing.length === 0 || !this.#isReachable || this.#isStopped) return undefined;
    const awaited = missing.filter((budget) => this.#want(budget));
    if (awaited.length === 0) return undefined;
    return new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        this.#onChange.delete(check);
        resolve();
      };
      const check = (): void => {
        if (this.#missing(awaited).length === 0) done();
      };
      const cancel = this.#options.later(done, LEASE_WAIT_MS);
      this.#onChange.add(check);
      this.#schedule(0);
    });
  }

  /**
   * What each budget still has, in the order of the names. The headroom holds what this sidecar has leased and, while
   * the control plane answers, what nobody has: so a decision sees the budget, not this sidecar's part of it, and
   * `obtain` fetches what is missing. Spent is all the rest: what is spent, reserved, or held by others.
   */
  levels(budgets: readonly string[]): BudgetLevel[] {
    return budgets.map((budget) => this.#level(budget));
  }

  /** Reserves all amounts, or none, from what is held now. An exchange reserves once. */
  reserve(exchange: string, needs: readonly BudgetAmount[]): ReserveResult {
    if (this.#book.exchanges.has(exchange)) throw new Error('an exchange reserves only once');
    const parts: Reservation[] = [];
    for (const { budget, amount } of needs) {
      assertMicros(amount);
      const known = this.#knowledge(budget);
      if (
        known === undefined ||
        this.#journaled.isBroken ||
        this.#isStopped ||
        this.#book.exchanges.size >= EXCHANGES_MAX
      )
        return { kind: 'failed', budget };
      const lease = this.#usableLease(known);
      const free = lease === undefined ? 0 : Math.max(0, freeOf(lease));
      if (lease === undefined || free < amount)
        return { kind: 'short', budget, left: free + this.#unleased(known), isPart: !this.#isCurrent(known) };
      parts.push({ budget, lease: lease.id, amount });
    }
    if (!this.#journaled.record({ kind: 'reserve', exchange, parts }))
      return { kind: 'failed', budget: needs[0]?.budget ?? '' };
    this.#counters.reservations++;
    const now = this.#options.now();
    for (const part of parts) {
      this.#usedAt.set(part.lease, now);
      this.#refillAtHalf(part.budget);
    }
    return { kind: 'reserved' };
  }

  /**
   * Reserves, and where what is held falls short asks the control plane for more and waits up to `LEASE_WAIT_MS`. A
   * promise only where there is something to wait for: nearly every request finds what it needs.
   */
  obtain(exchange: string, needs: readonly BudgetAmount[]): ReserveResult | Promise<ReserveResult> {
    const ready = this.ready(needs.map((need) => need.budget));
    return ready === undefined ? this.#obtain(exchange, needs) : ready.then(() => this.#obtain(exchange, needs));
  }

  #obtain(exchange: string, needs: readonly BudgetAmount[]): ReserveResult | Promise<ReserveResult> {
    const result = this.reserve(exchange, needs);
    if (result.kind !== 'short' || this.#isHopeless(result.budget) || this.#waiters.size >= WAITERS_MAX)
      return this.#counted(result);
    return new Promise<ReserveResult>((resolve) => {
      const waiter: Waiter = {
        exchange,
        needs,
        resolve,
        askedBy: 0,
        cancelTimer: this.#options.later(() => this.#release(waiter, this.reserve(exchange, needs)), LEASE_WAIT_MS),
      };
      this.#waiters.add(waiter);
      this.#schedule(0);
    });
  }

  /**
   * Charges what an exchange really cost; budgets that it reserved from and that are not named are charged in full.
   * More than was reserved is charged too, and alarms.
   */
  settle(exchange: string, actuals: readonly { readonly budget: string; readonly actual: Micros }[]): void {
    // An exchange that ended while it waited must not reserve afterwards: nobody would settle it.
    for (const waiter of this.#waiters)
      if (waiter.exchange === exchange)
        this.#release(waiter, { kind: 'failed', budget: waiter.needs[0]?.budget ?? '' });
    const reserved = this.#book.exchanges.get(exchange);
    if (reserved === undefined) return;
    for (const { budget, actual } of actuals) {
      assertMicros(actual);
      const amount = reserved.find((part) => part.budget === budget)?.amount ?? 0;
      if (actual > amount) {
        this.#counters.overruns++;
        this.#options.alarm(
          `a request took ${actual} of budget \`${budgetOf(budget)}\`, more than its worst case of ${amount}`,
        );
      }
    }
    // Unwritten, the journal would charge the reservation in full after a crash: never less than it cost, unless it
    // overran, which the alarm tells.
    const record: BookRecord = { kind: 'settle', exchange, parts: actuals };
    this.#journaled.recordAnyway(record);
    this.#serveWaiters(0);
  }

  /** Charges an exchange what it reserved: its usage is unknown. */
  forfeit(exchange: string): void {
    this.settle(exchange, []);
  }

  /**
   * Returns every lease and resolves when the control plane has answered, or after `waitMs`. Nothing can be reserved
   * afterwards.
   */
  async stop(waitMs: number): Promise<void> {
    this.#isStopped = true;
    for (const waiter of [...this.#waiters])
      this.#release(waiter, { kind: 'failed', budget: waiter.needs[0]?.budget ?? '' });
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        this.#onChange.delete(check);
        resolve();
      };
      const check = (): void => {
        if (this.#book.leases.size === 0 && this.#book.pending === undefined) done();
      };
      const cancel = this.#options.later(done, waitMs);
      this.#onChange.add(check);
      this.#schedule(0);
      check();
    });
    this.#isClosed = true;
    this.#cancelPump?.();
    this.#journaled.close();
  }

  // ------------------------------------------------------------------------------------------------------------ levels

  #level(budget: string): BudgetLevel {
    const known = this.#knowledge(budget);
    if (known === undefined || this.#journaled.isBroken || this.#isStopped) return { failed: true };
    const lease = this.#usableLease(known);
    const held = lease === undefined ? 0 : Math.max(0, freeOf(lease));
    return {
      failed: false,
      headroom: held + this.#unleased(known),
      spent: Math.max(0, known.limit - known.unleased - held),
      windowLeftMs: known.windowEndsAt - this.#options.now(),
      isPart: !this.#isCurrent(known),
    };
  }

  #knowledge(budget: string): BudgetKnowledge | undefined {
    return this.#book.knowledge(budget, this.#options.now());
  }

  #usableLease(known: BudgetKnowledge): HeldLease | undefined {
    return this.#book.usableLease(known, this.#options.now());
  }

  #unleased(known: BudgetKnowledge): Micros {
    return this.#isCurrent(known) ? known.unleased : 0;
  }

  /** What nobody has leased is known well enough to count on. */
  #isCurrent(known: BudgetKnowledge): boolean {
    return this.#isReachable && this.#options.now() - known.at <= UNLEASED_BELIEVED_MS;
  }

  /**
   * Nothing is known of them, or nothing that still counts: the lease was returned while nobody asked, and what the
   * others had left then is old. Their headroom would be 0, however much is left.
   */
  #missing(budgets: readonly string[]): string[] {
    return budgets.filter((budget) => {
      const known = this.#knowledge(budget);
      return (
        known === undefined ||
        (this.#usableLease(known) === undefined && this.#options.now() - known.at > UNLEASED_BELIEVED_MS)
      );
    });
  }

  /** Nothing is left anywhere, as said a moment ago, or nobody is there to ask. */
  #isHopeless(budget: string): boolean {
    if (!this.#isReachable) return true;
    const known = this.#knowledge(budget);
    return known !== undefined && known.unleased === 0 && this.#options.now() - known.at < EMPTY_BELIEVED_MS;
  }

  /** Notes that more of an account is wanted; false: there is no room for it. */
  #want(budget: string): boolean {
    if (!this.#hasRoomFor(budget)) {
      this.#counters.crowded++;
      return false;
    }
    this.#refill.add(budget);
    return true;
  }

  #hasRoomFor(budget: string): boolean {
    if (this.#book.budgets.has(budget) || this.#refill.has(budget)) return true;
    const call = this.#book.pending?.call;
    const asked = call?.method === 'take' ? call.needs.length : 0;
    return this.#book.budgets.size + this.#refill.size + asked < BUDGETS_MAX + (isOneOfMany(budget) ? ACCOUNTS_MAX : 0);
  }

  #refillAtHalf(budget: string): void {
    const known = this.#knowledge(budget);
    const lease = known === undefined ? undefined : this.#usableLease(known);
    if (known === undefined || lease === undefined || known.unleased === 0 || freeOf(lease) * 2 >= known.chunk) return;
    this.#want(budget);
    this.#schedule(0);
  }

  // --------------------------------------------------------------------------------------------------------------
  // calls

  /** Sees to it that the pump runs in so many milliseconds at the latest. */
  #schedule(ms: number): void {
    const at = this.#options.now() + ms;
    if (this.#isClosed || at >= this.#pumpAt) return;
    this.#cancelPump?.();
    this.#pumpAt = at;
    this.#cancelPump = this.#options.later(() => {
      this.#pumpAt = Number.POSITIVE_INFINITY;
      void this.#pump();
    }, ms);
  }

  /**
   * Makes the next call if one is due. Calls are serial: their numbers are the control plane's protection against
   * repeats.
   */
  async #pump(): Promise<void> {
    const now = this.#options.now();
    if (this.#isCalling || this.#isClosed) return;
    if (now < this.#retryAt) return this.#schedule(this.#retryAt - now);
    if (this.#journaled.isBroken && !this.#journaled.mend()) return this.#retryLater();
    const pending = this.#book.pending ?? this.#start();
    if (pending === undefined) return this.#schedule(Math.max(1, this.#heartbeatDue - now));
    this.#isCalling = true;
    try {
      this.#answered(pending.call, await this.#options.caller.call(this.#book.incarnation, pending.call));
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isCalling = false;
    }
    for (const notify of [...this.#onChange]) notify();
    this.#schedule(this.#isWorkDue() ? 0 : Math.max(1, this.#heartbeatDue - this.#options.now()));
  }

  #answered(call: LeaseCall, answers: readonly LeaseAnswer[]): void {
    if (this.#isClosed) return;
    this.#isReachable = true;
    this.#retryMs = RETRY_MS_FIRST;
    const ended = answers.filter(({ lease, status }) => status === 'expired' && this.#book.leases.has(lease)).length;
    // Unwritten, the call stays pending and is asked again once the journal is mended.
    if (!this.#journaled.record({ kind: 'answer', seq: call.seq, answers })) return this.#retryLater();
    this.#counters.expired += ended;
    this.#serveWaiters(call.seq);
  }

  #failed(error: unknown): void {
    if (!(error instanceof LeaseCallError)) throw error;
    if (this.#isClosed) return;
    this.#counters.failedCalls++;
    if (error.code === 'refused') this.#forfeitAll(error.message);
    else this.#isReachable = false;
    this.#retryLater();
  }

  #retryLater(): void {
    this.#retryAt = this.#options.now() + this.#retryMs;
    this.#retryMs = Math.min(RETRY_MS_MAX, this.#retryMs * 2);
    this.#schedule(this.#retryAt - this.#options.now());
  }

  /** A new life: the control plane charges the old leases in full when they end. */
  #forfeitAll(reason: string): void {
    this.#counters.forfeits++;
    this.#options.alarm(`all leases are given up: ${reason}`);
    const { policy, bootId } = this.#book;
    const record: BookRecord = { kind: 'open', policy, bootId, incarnation: this.#options.newIncarnation() };
    this.#book.apply(record);
    this.#journaled.mend();
    for (const budget of this.#tracked) this.#want(budget);
  }

  #isWorkDue(): boolean {
    return (
      this.#book.pending !== undefined ||
      this.#waiters.size > 0 ||
      this.#refill.size > 0 ||
      (this.#isStopped && this.#book.leases.size > 0)
    );
  }

  /** The next call, written to the journal; none when nothing is due. */
  #start(): { readonly call: LeaseCall } | undefined {
    const seq = this.#book.seq + 1;
    const call = this.#isStopped ? this.#returnAll(seq) : (this.#take(seq) ?? this.#heartbeat(seq));
    if (call === undefined || !this.#journaled.record({ kind: 'call', call, at: this.#options.now() }))
      return undefined;
    return { call };
  }

  #take(seq: number): LeaseCall | undefined {
    const needs = new Map<string, Micros>();
    for (const budget of this.#refill) {
      if (!nameWithin(needs, [{ budget, amount: 0 }])) break;
      this.#refill.delete(budget);
    }
    for (const waiter of this.#waiters) {
      if (waiter.askedBy !== 0) continue;
      if (!nameWithin(needs, waiter.needs)) break;
      waiter.askedBy = seq;
    }
    if (needs.size === 0) return undefined;
    return {
      method: 'take',
      seq,
      needs: [...needs].map(([budget, micros]) => this.#shortfall(budget, micros)),
      // Those of the accounts that are asked for first: what is left of them is what matters.
      spent: [
        ...this.#spent(({ budget }) => needs.has(budget)),
        ...this.#spent(({ budget }) => !needs.has(budget)),
      ].slice(0, LINES_MAX - needs.size),
    };
  }

  #shortfall(budget: string, wanted: Micros): LeaseNeed {
    const known = this.#knowledge(budget);
    const lease = known === undefined ? undefined : this.#usableLease(known);
    return { budget, micros: Math.max(0, wanted - (lease === undefined ? 0 : Math.max(0, freeOf(lease)))) };
  }

  /** Returns what is of no use any more, or else reports what was spent. */
  #heartbeat(seq: number): LeaseCall | undefined {
    const now = this.#options.now();
    if (now < this.#heartbeatDue) return undefined;
    this.#heartbeatDue = now + HEARTBEAT_MS;
    for (const id of this.#usedAt.keys()) if (!this.#book.leases.has(id)) this.#usedAt.delete(id);
    const useless = this.#spent((lease) => this.#isUseless(lease, now));
    if (useless.length > LINES_MAX) this.#heartbeatDue = now;
    if (useless.length > 0) return { method: 'return', seq, spent: useless.slice(0, LINES_MAX) };
    this.#forgetIdle(now);
    const { first, isMoreDue } = renewals(this.#book.leases.values(), now);
    if (isMoreDue) this.#heartbeatDue = now;
    const spent = this.#spent((lease) => first.has(lease.id));
    return spent.length > 0 ? { method: 'settle', seq, spent } : undefined;
  }

  /** Accounts that hold nothing, and of which what is known is old, make room for others. */
  #forgetIdle(now: number): void {
    const held = new Set([...this.#book.leases.values()].map(({ budget }) => budget));
    const budgets = [...this.#book.budgets]
      .filter(([name, { at }]) => isOneOfMany(name) && !held.has(name) && now - at > UNLEASED_BELIEVED_MS)
      .map(([name]) => name);
    if (budgets.length > 0) this.#journaled.record({ kind: 'drop', budgets });
  }

  #isUseless(lease: HeldLease, now: number): boolean {
    const usedAt = this.#usedAt.get(lease.id) ?? now;
    this.#usedAt.set(lease.id, usedAt);
    return lease.reserved === 0 && (now >= lease.windowEndsAt || now >= lease.endsAt || now - usedAt > IDLE_MS);
  }

  #returnAll(seq: number): LeaseCall | undefined {
    const spent = this.#spent(() => true).slice(0, LINES_MAX);
    return spent.length === 0 ? undefined : { method: 'return', seq, spent };
  }

  /**
   * What a lease has spent for good; in a Return, reservations in flight count in full, because nothing comes after it.
   */
  #spent(isNamed: (lease: HeldLease) => boolean): LeaseSpent[] {
    return [...this.#book.leases.values()]
      .filter(isNamed)
      .map((lease) => ({ lease: lease.id, total: lease.spent + (this.#isStopped ? lease.reserved : 0) }));
  }

  // ------------------------------------------------------------------------------------------------------------
  // waiters

  /**
   * Gives what is held to those who wait, in their order; those whose call was answered and who still fall short are
   * told.
   */
  #serveWaiters(answered: number): void {
    for (const waiter of [...this.#waiters]) {
      const result = this.reserve(waiter.exchange, waiter.needs);
      if (result.kind !== 'short' || (waiter.askedBy !== 0 && waiter.askedBy === answered))
        this.#release(waiter, result);
    }
  }

  #release(waiter: Waiter, result: ReserveResult): void {
    if (!this.#waiters.delete(waiter)) return;
    waiter.cancelTimer();
    waiter.resolve(this.#counted(result));
  }

  #counted(result: ReserveResult): ReserveResult {
    if (result.kind === 'short') this.#counters.short++;
    return result;
  }
}

function assertMicros(amount: Micros): void {
  if (!Number.isSafeInteger(amount) || amount < 0) throw new Error('an amount is a safe integer and not negative');
}
