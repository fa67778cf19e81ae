// Grants: parts of the sidecar's leases that are set aside for an Envoy, whose filter spends from them without asking
// (`writ.v1.FilterBudgets`). A part of the account book, and a fold over its records like it. Unlike a request's
// reservation a grant outlives the sidecar's process: Envoy goes on spending from it meanwhile.
import type { Micros } from './lease-caller.ts';

/** What a grant moves of its lease; see `HeldLease`. */
interface LeaseSums {
  spent: Micros;
  reserved: Micros;
}

/** What an exchange had reserved of a lease. */
interface Part {
  readonly lease: number;
  readonly amount: Micros;
}

export interface Grant {
  readonly lease: number;
  /** All that was ever set aside for it. What is not spent of it is in its lease's `reserved`. */
  granted: Micros;
  /** Settled so far. */
  spent: Micros;
}

/** Which grant: the Envoy's number for one life of its shared data in hex, the budget, the filter's number. */
export interface GrantName {
  readonly envoy: string;
  readonly budget: string;
  readonly number: number;
}

export type GrantRecord =
  /** What an exchange reserved becomes a part of a grant, which grows by `micros` from the same lease. */
  | ({
      readonly kind: 'grant';
      readonly exchange: string;
      readonly lease: number;
      readonly micros: Micros;
    } & GrantName)
  /** `spent` is a total. Closed, the rest is free again and the number is over. */
  | ({ readonly kind: 'spend'; readonly spent: Micros; readonly closed: boolean } & GrantName)
  /** Nobody knows what the Envoy has spent: what its grants hold is charged. Its numbers are forgotten. */
  | { readonly kind: 'forget'; readonly envoy: string };

/** One budget of one Envoy, for a journal. */
export interface GrantsOfBudget {
  readonly envoy: string;
  readonly budget: string;
  readonly highest: number;
  readonly open: readonly (readonly [number, Grant])[];
}

interface Numbers {
  /** The highest that was ever granted or closed: what is not open and not above it is over. */
  highest: number;
  readonly open: Map<number, Grant>;
}

export class Grants {
  readonly #leases: ReadonlyMap<number, LeaseSums>;
  /** By Envoy and budget. */
  readonly #envoys = new Map<string, Map<string, Numbers>>();

  /** The leases are the book's: a grant moves what they hold. */
  constructor(leases: ReadonlyMap<number, LeaseSums>) {
    this.#leases = leases;
  }

  envoys(): string[] {
    return [...this.#envoys.keys()];
  }

  find({ envoy, budget, number }: GrantName): Grant | undefined {
    return this.#envoys.get(envoy)?.get(budget)?.open.get(number);
  }

  /** The open grants of an Envoy, or of one budget of it. */
  *open(envoy: string, budget?: string): Iterable<readonly [GrantName, Grant]> {
    for (const [name, { open }] of this.#envoys.get(envoy) ?? [])
      if (budget === undefined || name === budget)
        for (const [number, grant] of open) yield [{ envoy, budget: name, number }, grant];
  }

  /** It was granted or closed once, and holds nothing any more. */
  isOver({ envoy, budget, number }: GrantName): boolean {
    const numbers = this.#envoys.get(envoy)?.get(budget);
    return numbers !== undefined && number <= numbers.highest && !numbers.open.has(number);
  }

  clear(): void {
    this.#envoys.clear();
  }

  /** A lease has ended and is accounted for, and so is everything granted from it. */
  dropLease(lease: number): void {
    for (const budgets of this.#envoys.values())
      for (const { open } of budgets.values())
        for (const [number, grant] of open) if (grant.lease === lease) open.delete(number);
  }

  /** Nobody asks for these any more: their numbers are forgotten, unless one is open. */
  dropBudgets(names: readonly string[]): void {
    for (const budgets of this.#envoys.values())
      for (const name of names) if (budgets.get(name)?.open.size === 0) budgets.delete(name);
  }

  snapshot(): GrantsOfBudget[] {
    return [...this.#envoys].flatMap(([envoy, budgets]) =>
      [...budgets].map(([budget, { highest, open }]) => ({
        envoy,
        budget,
        highest,
        open: [...open].map(([number, grant]) => [number, { ...grant }] as const),
      })),
    );
  }

  /** What the leases have reserved holds these grants already. */
  restore(snapshot: readonly GrantsOfBudget[]): void {
    for (const { envoy, budget, highest, open } of snapshot) {
      const numbers = this.#numbers(envoy, budget);
      numbers.highest = highest;
      for (const [number, grant] of open) numbers.open.set(number, { ...grant });
    }
  }

  /** `reservation` is what the exchange of a grant's record had reserved; the book has taken it out already. */
  apply(record: GrantRecord, reservation: readonly Part[]): void {
    switch (record.kind) {
      case 'grant':
        return this.#grant(record, reservation);
      case 'spend':
        return this.#spend(record, record.spent, record.closed);
      case 'forget':
        for (const [name, grant] of [...this.open(record.envoy)]) this.#spend(name, grant.granted, true);
        this.#envoys.delete(record.envoy);
    }
  }

  #grant(record: Extract<GrantRecord, { kind: 'grant' }>, reservation: readonly Part[]): void {
    const numbers = this.#numbers(record.envoy, record.budget);
    numbers.highest = Math.max(numbers.highest, record.number);
    const grant = numbers.open.get(record.number) ?? { lease: record.lease, granted: 0, spent: 0 };
    grant.granted += record.micros;
    numbers.open.set(record.number, grant);
    for (const part of reservation) {
      const from = this.#leases.get(part.lease);
      if (from !== undefined) from.reserved -= part.amount;
    }
    const lease = this.#leases.get(grant.lease);
    if (lease !== undefined) lease.reserved += record.micros;
  }

  #spend(name: GrantName, total: Micros, closed: boolean): void {
    const numbers = this.#numbers(name.envoy, name.budget);
    if (closed) numbers.highest = Math.max(numbers.highest, name.number);
    const grant = numbers.open.get(name.number);
    if (grant === undefined) return;
    const held = heldBy(grant);
    // A smaller total is an old message.
    const more = Math.max(0, total - grant.spent);
    grant.spent += more;
    if (closed) numbers.open.delete(name.number);
    const lease = this.#leases.get(grant.lease);
    // The lease is gone when it expired meanwhile: then all of it is charged already.
    if (lease === undefined) return;
    lease.spent += more;
    lease.reserved -= held - (closed ? 0 : heldBy(grant));
  }

  #numbers(envoy: string, budget: string): Numbers {
    const budgets = this.#envoys.get(envoy) ?? new Map<string, Numbers>();
    this.#envoys.set(envoy, budgets);
    const numbers = budgets.get(budget) ?? { highest: 0, open: new Map<number, Grant>() };
    budgets.set(budget, numbers);
    return numbers;
  }
}

/** What its lease has reserved for a grant; nothing after an overrun. */
export function heldBy(grant: Grant): Micros {
  return Math.max(0, grant.granted - grant.spent);
}
