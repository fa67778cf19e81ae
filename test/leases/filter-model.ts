// What the filter inside Envoy does with its grants, as `filter_budgets.proto` says it, on the clock of a test. Requests
// run beside each other as on Envoy's workers; what is kept between them is what Envoy's shared data holds.
import type { GrantLine, GrantState } from '../../filters/sidecar/budgets/envoy-grants.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Spending {
  readonly budget: string;
  readonly number: number;
  readonly amount: number;
}

interface Kept {
  number: number;
  granted: number;
  spent: number;
  reserved: number;
  until: number;
  usedAt: number;
  /** How much the last answer added. */
  growth: number;
}

const PAUSE_MS = 200;
const TICK_MS = 1_000;
const IDLE_MS = 30_000;
const TRIES_MAX = 4;

export class FilterModel {
  readonly #time: VirtualTime;
  readonly #call: (lines: readonly GrantLine[]) => Promise<readonly GrantState[]>;
  readonly #kept = new Map<string, Kept>();
  #closing: GrantLine[] = [];
  isDead = false;
  /** Stopped by a signal: it does nothing until it is continued. */
  frozenUntil = 0;

  constructor(time: VirtualTime, call: (lines: readonly GrantLine[]) => Promise<readonly GrantState[]>) {
    this.#time = time;
    this.#call = call;
    time.later(() => this.#tick(), TICK_MS);
  }

  /** Sets the amount aside on every budget, or undefined: the request is denied. */
  async reserve(budgets: readonly string[], amount: number): Promise<readonly Spending[] | undefined> {
    for (let tries = 0, changed = true; tries < TRIES_MAX; tries++) {
      if (this.isDead || this.#time.now < this.frozenUntil) return undefined;
      const lacking = budgets.filter((budget) => freeOf(this.#current(budget)) < amount);
      if (lacking.length === 0) return budgets.map((budget) => this.#take(budget, amount));
      // Another request's answer may have come first: it is looked again before it is given up.
      if (!changed) return undefined;
      const lines = lacking.map((budget) => {
        const { spent, reserved } = this.#current(budget);
        return this.#line(budget, spent + reserved + amount);
      });
      changed = await this.#sync(lines, PAUSE_MS);
    }
    return undefined;
  }

  /** What a grant that is not kept any more had reserved is charged already. */
  settle({ budget, number, amount }: Spending, actual: number): void {
    const kept = this.#kept.get(budget);
    if (kept?.number !== number) return;
    kept.reserved -= amount;
    kept.spent += actual;
  }

  /** Closes everything that it holds. */
  closeAll(): void {
    for (const budget of this.#kept.keys()) this.#next(budget);
    void this.#sync([], PAUSE_MS);
  }

  #take(budget: string, amount: number): Spending {
    const kept = this.#current(budget);
    kept.reserved += amount;
    kept.usedAt = this.#time.now;
    if (freeOf(kept) * 2 < kept.growth) void this.#sync([this.#line(budget, kept.granted + 1)], PAUSE_MS);
    return { budget, number: kept.number, amount };
  }

  /** The grant in use; one whose time is over is not used any more. */
  #current(budget: string): Kept {
    const kept = this.#kept.get(budget);
    if (kept === undefined) this.#kept.set(budget, fresh(1, this.#time.now));
    else if (kept.granted > 0 && this.#time.now >= kept.until) this.#next(budget);
    const current = this.#kept.get(budget);
    if (current === undefined) throw new Error('there is always one');
    return current;
  }

  #next(budget: string): void {
    const kept = this.#kept.get(budget);
    if (kept === undefined) return;
    // What is in flight is charged in full: nobody remembers it after this.
    if (kept.granted > 0)
      this.#closing.push({ ...this.#line(budget, 0), spent: kept.spent + kept.reserved, close: true });
    this.#kept.set(budget, fresh(kept.number + 1, this.#time.now));
  }

  #line(budget: string, wanted: number): GrantLine {
    const { number, granted, spent } = this.#kept.get(budget) ?? fresh(1, 0);
    return { budget, number, held: granted, spent, wanted, close: false };
  }

  #tick(): void {
    if (this.isDead) return;
    this.#time.later(() => this.#tick(), TICK_MS);
    if (this.#time.now < this.frozenUntil) return;
    for (const [budget, kept] of this.#kept)
      if (kept.granted > 0 && kept.reserved === 0 && this.#time.now - kept.usedAt > IDLE_MS) this.#next(budget);
    const lines = [...this.#kept].map(([budget, kept]) => this.#line(budget, kept.granted));
    if (lines.length + this.#closing.length > 0) void this.#sync(lines, PAUSE_MS);
  }

  /** True where something has changed within the time. Answers that come later count all the same. */
  async #sync(lines: readonly GrantLine[], ms: number): Promise<boolean> {
    const sentAt = this.#time.now;
    const closing = this.#closing;
    const answered = this.#call([...closing, ...lines]).then(
      (states) => {
        if (this.isDead) return false;
        this.#closing = this.#closing.filter((line) => !closing.includes(line));
        return states.map((state) => this.#learn(state, sentAt)).some((changed) => changed);
      },
      () => false,
    );
    return await Promise.race([answered, this.#time.sleep(ms).then(() => false)]);
  }

  #learn(state: GrantState, sentAt: number): boolean {
    const kept = this.#kept.get(state.budget);
    if (kept?.number !== state.number) return false;
    if (state.over) {
      this.#kept.set(state.budget, fresh(kept.number + 1, this.#time.now));
      return true;
    }
    if (state.granted > 0 && state.leftMs === 0) {
      kept.granted = Math.max(kept.granted, state.granted);
      this.#next(state.budget);
      return true;
    }
    kept.until = Math.max(kept.until, sentAt + state.leftMs);
    if (state.granted <= kept.granted) return false;
    kept.growth = state.granted - kept.granted;
    kept.granted = state.granted;
    return true;
  }
}

function fresh(number: number, now: number): Kept {
  return { number, granted: 0, spent: 0, reserved: 0, until: 0, usedAt: now, growth: 0 };
}

function freeOf({ granted, spent, reserved }: Kept): number {
  return granted - spent - reserved;
}
