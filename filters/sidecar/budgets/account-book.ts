// The sidecar's account of its leases, as a fold over journal records: the same records give the same book, so a killed
// sidecar finds its money again. It does not call, wait, write or read a clock. Times are milliseconds of the machine's
// monotonic clock since boot.
import { Grants } from './grants.ts';
import type { GrantRecord, GrantsOfBudget } from './grants.ts';
import type { LeaseAnswer, LeaseCall, Micros } from './lease-caller.ts';

export interface HeldLease {
  readonly id: number;
  readonly budget: string;
  granted: Micros;
  /** Settled for good. */
  spent: Micros;
  /** In reservations in flight. */
  reserved: Micros;
  /** After this instant the control plane may charge all of it; nothing new is reserved. */
  endsAt: number;
  windowEndsAt: number;
  /** Nothing new is reserved: a Return was sent. */
  closing: boolean;
}

/** What the control plane last said of a budget. */
export interface BudgetKnowledge {
  readonly known: boolean;
  readonly lease: number;
  readonly limit: Micros;
  readonly unleased: Micros;
  readonly window: string;
  readonly at: number;
  readonly endsAt: number;
  readonly windowEndsAt: number;
  /** How much the last answer added to the lease: half of it is the mark for the next refill. */
  readonly chunk: Micros;
}

export interface Reservation {
  readonly budget: string;
  readonly lease: number;
  readonly amount: Micros;
}

export interface PendingCall {
  readonly call: LeaseCall;
  /** When it was first sent: the answer's durations count from here. */
  readonly at: number;
}

export type BookRecord =
  /** A new life: everything before is forgotten. */
  | { readonly kind: 'open'; readonly policy: string; readonly incarnation: string; readonly bootId: string }
  /** The whole book. */
  | {
      readonly kind: 'book';
      readonly policy: string;
      readonly incarnation: string;
      readonly bootId: string;
      readonly seq: number;
      readonly pending: PendingCall | null;
      readonly leases: readonly HeldLease[];
      readonly budgets: readonly (readonly [string, BudgetKnowledge])[];
      readonly exchanges: readonly (readonly [string, readonly Reservation[]])[];
      /** Absent in the journal of a version without them. */
      readonly grants?: readonly GrantsOfBudget[];
    }
  | { readonly kind: 'call'; readonly call: LeaseCall; readonly at: number }
  | { readonly kind: 'answer'; readonly seq: number; readonly answers: readonly LeaseAnswer[] }
  | { readonly kind: 'reserve'; readonly exchange: string; readonly parts: readonly Reservation[] }
  | {
      readonly kind: 'settle';
      readonly exchange: string;
      readonly parts: readonly { readonly budget: string; readonly actual: Micros }[];
    }
  /** Nothing is known of these accounts any more, and they hold nothing. */
  | { readonly kind: 'drop'; readonly budgets: readonly string[] }
  | GrantRecord;

export class AccountBook {
  policy = '';
  incarnation = '';
  bootId = '';
  /** Of the last call made. */
  seq = 0;
  /** Made and not answered: it is sent again, unchanged, until it is. */
  pending: PendingCall | undefined;
  readonly leases = new Map<number, HeldLease>();
  readonly budgets = new Map<string, BudgetKnowledge>();
  readonly exchanges = new Map<string, readonly Reservation[]>();
  readonly grants = new Grants(this.leases);

  apply(record: BookRecord): void {
    switch (record.kind) {
      case 'open':
        return this.#open(record);
      case 'book':
        return this.#restore(record);
      case 'call':
        return this.#call(record);
      case 'answer':
        return this.#answer(record);
      case 'reserve':
        return this.#reserve(record);
      case 'settle':
        return this.#settle(record);
      case 'drop':
        for (const budget of record.budgets) this.budgets.delete(budget);
        return this.grants.dropBudgets(record.budgets);
      case 'grant': {
        const reservation = this.exchanges.get(record.exchange) ?? [];
        this.exchanges.delete(record.exchange);
        return this.grants.apply(record, reservation);
      }
      case 'spend':
      case 'forget':
        return this.grants.apply(record, []);
    }
  }

  /** What was said of a budget, while it may be believed. */
  knowledge(budget: string, now: number): BudgetKnowledge | undefined {
    const known = this.budgets.get(budget);
    return known !== undefined && known.known && now < known.endsAt && now < known.windowEndsAt ? known : undefined;
  }

  /** The lease of a budget from which something may be reserved. */
  usableLease(known: BudgetKnowledge, now: number): HeldLease | undefined {
    const lease = this.leases.get(known.lease);
    return lease !== undefined && !lease.closing && now < lease.endsAt && now < lease.windowEndsAt ? lease : undefined;
  }

  /** One record that rebuilds this book from nothing: what compaction writes. */
  snapshot(): BookRecord {
    const { policy, incarnation, bootId, seq, pending } = this;
    const leases = [...this.leases.values()].map((lease) => ({ ...lease }));
    return {
      kind: 'book',
      policy,
      incarnation,
      bootId,
      seq,
      pending: pending ?? null,
      leases,
      budgets: [...this.budgets],
      exchanges: [...this.exchanges],
      grants: this.grants.snapshot(),
    };
  }

  #restore(record: Extract<BookRecord, { kind: 'book' }>): void {
    this.#open({ ...record, kind: 'open' });
    this.seq = record.seq;
    this.pending = record.pending ?? undefined;
    for (const lease of record.leases) this.leases.set(lease.id, { ...lease });
    for (const [budget, known] of record.budgets) this.budgets.set(budget, known);
    for (const [exchange, parts] of record.exchanges) this.exchanges.set(exchange, parts);
    this.grants.restore(record.grants ?? []);
  }

  #open(record: Extract<BookRecord, { kind: 'open' }>): void {
    this.policy = record.policy;
    this.incarnation = record.incarnation;
    this.bootId = record.bootId;
    this.seq = 0;
    this.pending = undefined;
    this.leases.clear();
    this.budgets.clear();
    this.exchanges.clear();
    this.grants.clear();
  }

  #call(record: Extract<BookRecord, { kind: 'call' }>): void {
    this.seq = record.call.seq;
    this.pending = { call: record.call, at: record.at };
    if (record.call.method !== 'return') return;
    // What a Return says is final: not one micro-unit may be reserved after it.
    for (const spent of record.call.spent) {
      const lease = this.leases.get(spent.lease);
      if (lease !== undefined) lease.closing = true;
    }
  }

  #answer(record: Extract<BookRecord, { kind: 'answer' }>): void {
    const pending = this.pending;
    if (pending === undefined || pending.call.seq !== record.seq) return;
    this.pending = undefined;
    for (const answer of record.answers) {
      const chunk = this.#learnLease(answer, pending.at);
      // A Take speaks of the current window; anything else only of the lease that it names, which may be of an earlier
      // one.
      const before = this.budgets.get(answer.budget);
      if (
        pending.call.method === 'take' ||
        (before !== undefined && answer.lease !== 0 && before.lease === answer.lease)
      )
        this.#learnBudget(answer, pending.at, chunk);
    }
  }

  /** Returns how much the lease grew. */
  #learnLease(answer: LeaseAnswer, sentAt: number): Micros {
    if (answer.lease === 0) return 0;
    const held = this.leases.get(answer.lease);
    if (answer.status !== 'active') {
      this.leases.delete(answer.lease);
      this.grants.dropLease(answer.lease);
      return 0;
    }
    const endsAt = sentAt + answer.ttlMs;
    if (held === undefined) {
      const windowEndsAt = sentAt + answer.windowLeftMs;
      this.leases.set(answer.lease, {
        id: answer.lease,
        budget: answer.budget,
        granted: answer.granted,
        spent: 0,
        reserved: 0,
        endsAt,
        windowEndsAt,
        closing: false,
      });
      return answer.granted;
    }
    const growth = answer.granted - held.granted;
    held.granted = answer.granted;
    held.endsAt = endsAt;
    return growth;
  }

  #learnBudget(answer: LeaseAnswer, sentAt: number, growth: Micros): void {
    const before = this.budgets.get(answer.budget);
    const lease = answer.status === 'active' ? answer.lease : 0;
    this.budgets.set(answer.budget, {
      known: answer.status !== 'unknown_budget',
      lease,
      limit: answer.limit,
      unleased: answer.unleased,
      window: answer.window,
      at: sentAt,
      endsAt: sentAt + answer.ttlMs,
      windowEndsAt: sentAt + answer.windowLeftMs,
      chunk: growth > 0 || before?.lease !== lease ? growth : before.chunk,
    });
  }

  #reserve(record: Extract<BookRecord, { kind: 'reserve' }>): void {
    this.exchanges.set(record.exchange, record.parts);
    for (const part of record.parts) {
      const lease = this.leases.get(part.lease);
      if (lease !== undefined) lease.reserved += part.amount;
    }
  }

  #settle(record: Extract<BookRecord, { kind: 'settle' }>): void {
    for (const part of this.exchanges.get(record.exchange) ?? []) {
      const lease = this.leases.get(part.lease);
      // The lease is gone when it expired meanwhile: then all of it, this exchange included, is charged already.
      if (lease === undefined) continue;
      lease.reserved -= part.amount;
      // A budget that the settlement leaves out is charged what was reserved.
      lease.spent += record.parts.find((settled) => settled.budget === part.budget)?.actual ?? part.amount;
    }
    this.exchanges.delete(record.exchange);
  }
}

/** What the lease still holds for new reservations; negative after an overrun. */
export function freeOf(lease: HeldLease): Micros {
  return lease.granted - lease.spent - lease.reserved;
}
