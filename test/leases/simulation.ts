// A fleet under one cap, on a machine and a network where everything goes wrong: calls and answers are lost, repeated
// and late, the control plane dies in mid-transaction and its clock steps, sidecars are killed, rebooted and run out of
// disk. After every step: what upstreams really charged is within the cap. Parts are arguments, so that a test can put
// a broken one in.
import { create } from '@bufbuild/protobuf';
import type { LeaseCallContext, leaseCall } from '../../control-plane/budgets/lease-calls.ts';
import { outstandingOf } from '../../control-plane/budgets/ledger.ts';
import { ReturnRequestSchema, SettleRequestSchema, TakeRequestSchema } from '../../proto/gen/writ/v1/leases_pb.ts';
import type { LeaseReply } from '../../proto/gen/writ/v1/leases_pb.ts';
import type { AccountBook, BookRecord } from '../../filters/sidecar/budgets/account-book.ts';
import type { BudgetAccounts } from '../../filters/sidecar/budgets/budget-accounts.ts';
import type { JournalError } from '../../filters/sidecar/budgets/budget-journal.ts';
import type { LeaseCall, LeaseCallError, LeaseCaller } from '../../filters/sidecar/budgets/lease-caller.ts';
import { answersOf, requestOf } from '../../filters/sidecar/budgets/lease-messages.ts';
import type { resumeBook } from '../../filters/sidecar/budgets/resume-book.ts';
import { accountOf } from '../../proto/account-name.ts';
import { MemoryLedger, windowKey } from './memory-ledger.ts';
import { random } from './random.ts';
import type { Random } from './random.ts';
import { VirtualTime } from './virtual-time.ts';

export interface Parts {
  readonly leaseCall: typeof leaseCall;
  readonly BudgetAccounts: typeof BudgetAccounts;
  readonly JournalError: typeof JournalError;
  readonly LeaseCallError: typeof LeaseCallError;
  readonly resumeBook: typeof resumeBook;
}

export interface Faults {
  /** Probabilities for each call. */
  readonly lostCall: number;
  readonly lostAnswer: number;
  readonly repeatedCall: number;
  readonly killedTransaction: number;
  /** Probabilities for each request. */
  readonly killedSidecar: number;
  readonly rebootedSidecar: number;
  readonly stoppedSidecar: number;
  readonly partition: number;
  readonly clockStep: number;
  readonly fullDisk: number;
}

export interface SimulationOptions {
  readonly seed: number;
  readonly sidecars: number;
  readonly limit: number;
  readonly worstCase: number;
  /** A request is sent every so many milliseconds on average. */
  readonly everyMs: number;
  readonly durationMs: number;
  /** How often the usage of an exchange stays unknown. */
  readonly forfeited: number;
  readonly faults: Faults;
  /** So many callers have an account each, of a third budget; without them there is none. */
  readonly callers?: number;
  /** The budgets are rates of requests a minute. */
  readonly isRate?: boolean;
  /** Milliseconds since 1970 UTC; where it matters when the window ends. */
  readonly startsAt?: number;
}

export interface SimulationResult {
  /** What broke, first; empty when the law held. */
  readonly broken: string;
  readonly allowed: number;
  readonly denied: number;
  /** Spent in the window with the most. */
  readonly spentMost: number;
  readonly charged: number;
  readonly spent: number;
  /** When each request was let go, by the clock that is right. */
  readonly allowedAt: readonly number[];
}

export const noFaults: Faults = {
  lostCall: 0,
  lostAnswer: 0,
  repeatedCall: 0,
  killedTransaction: 0,
  killedSidecar: 0,
  rebootedSidecar: 0,
  stoppedSidecar: 0,
  partition: 0,
  clockStep: 0,
  fullDisk: 0,
};

const POLICY = 'acme';
export const BUDGETS = ['team', 'company'];
const PERSON = 'person';

/** What a request falls under: always one budget, at times the tighter one, at times its caller's own account. */
export function budgetsOfRequest(dice: Random, { callers = 0 }: SimulationOptions): string[] {
  const budgets = BUDGETS.slice(0, 1 + dice.below(2));
  if (callers === 0 || !dice.chance(0.3)) return budgets;
  return [...budgets, accountOf(PERSON, String(dice.below(callers)).padStart(32, '0'))];
}
const STARTS_AT = 1_793_000_000_000;

export async function simulate(parts: Parts, options: SimulationOptions): Promise<SimulationResult> {
  const world = new World(parts, options);
  const sidecars = Array.from({ length: options.sidecars }, (_, index) => new Sidecar(world, `node-${index}`));
  for (let at = 0; at < options.durationMs; at += 1 + world.random.below(2 * options.everyMs)) {
    world.time.later(() => world.random.pick(sidecars).request(), at);
  }
  await world.time.run(options.durationMs + 70_000);
  for (const sidecar of sidecars) sidecar.stop();
  await world.time.run(options.durationMs + 100_000);
  const accounts = [...world.ledger.accounts.values()];
  return {
    broken: world.broken,
    allowed: world.allowed,
    allowedAt: world.allowedAt,
    denied: world.denied,
    spentMost: Math.max(0, ...world.spent.values()),
    charged: accounts.reduce((sum, account) => sum + account.charged + account.outstanding, 0),
    spent: [...world.spent.values()].reduce((sum, micros) => sum + micros, 0),
  };
}

export class World {
  readonly time = new VirtualTime();
  readonly ledger = new MemoryLedger();
  readonly random: Random;
  readonly parts: Parts;
  readonly options: SimulationOptions;
  /** By lease: what upstreams charged. */
  readonly #spentOn = new Map<number, number>();
  /** By window: the same. */
  readonly spent = new Map<string, number>();
  broken = '';
  readonly allowedAt: number[] = [];
  allowed = 0;
  denied = 0;
  clockError = 0;
  readonly #context: LeaseCallContext;

  constructor(parts: Parts, options: SimulationOptions) {
    this.parts = parts;
    this.options = options;
    this.random = random(options.seed);
    this.ledger.failsCommit = () => this.random.chance(options.faults.killedTransaction);
    const terms = new Map(
      [...BUDGETS, PERSON].map((name) => [
        name,
        {
          name,
          limit: limitOf(options, name),
          each: name === PERSON,
          ...(options.isRate === true
            ? { period: 'minute' as const, timeZone: 'UTC', counts: 'requests' as const }
            : { period: 'hour' as const, timeZone: 'Europe/Berlin' }),
        },
      ]),
    );
    this.#context = {
      store: this.ledger,
      termsOf: (policy) => (policy === POLICY ? terms : undefined),
      now: () => this.wallTime() + this.clockError,
      onOverrun: () => undefined,
      onExpired: () => undefined,
    };
  }

  /** Milliseconds since 1970 UTC, on a clock that is right. */
  wallTime(): number {
    return (this.options.startsAt ?? STARTS_AT) + this.time.now;
  }

  async serve(node: string, incarnation: string, call: LeaseCall): Promise<LeaseReply> {
    if (this.random.chance(this.options.faults.clockStep)) this.clockError += this.random.below(7_200_000) - 3_600_000;
    const request = requestOf(POLICY, incarnation, call);
    const reply = await this.parts.leaseCall(this.#context, node, requestFor(call, request));
    this.check();
    return reply;
  }

  upstreamCharges(lease: number, micros: number): void {
    const row = this.ledger.leases.get(lease);
    if (row === undefined) return this.fail(`a lease ${lease} that nobody granted was spent from`);
    const key = windowKey(row.window);
    this.spent.set(key, (this.spent.get(key) ?? 0) + micros);
    this.#spentOn.set(lease, (this.#spentOn.get(lease) ?? 0) + micros);
    this.check();
  }

  check(): void {
    const sums = new Map<string, { charged: number; outstanding: number }>();
    for (const row of this.ledger.leases.values()) {
      const sum = sums.get(windowKey(row.window)) ?? { charged: 0, outstanding: 0 };
      sums.set(windowKey(row.window), {
        charged: sum.charged + row.charged,
        outstanding: sum.outstanding + outstandingOf(row),
      });
      const spent = this.#spentOn.get(row.id) ?? 0;
      if (spent > row.charged + outstandingOf(row))
        this.fail(`lease ${row.id} (${row.state}): ${spent} spent, ${row.charged} charged of ${row.granted}`);
    }
    for (const [key, sum] of sums) {
      const limit = limitOf(this.options, key);
      const account = this.ledger.accounts.get(key) ?? { charged: 0, outstanding: 0 };
      if (account.charged + account.outstanding > limit)
        this.fail(`${key}: ${account.charged} charged and ${account.outstanding} outstanding of ${limit}`);
      if (account.charged !== sum.charged || account.outstanding !== sum.outstanding)
        this.fail(`${key}: the account is not the sum of its leases`);
      const spent = this.spent.get(key) ?? 0;
      if (spent > limit) this.fail(`${key}: ${spent} spent of ${limit}`);
    }
  }

  fail(message: string): void {
    if (this.broken === '') this.broken = `seed ${this.options.seed}, ${this.time.now} ms: ${message}`;
  }
}

/** One life of a sidecar's accounts, on its machine's clock. */
export interface Started {
  readonly accounts: BudgetAccounts;
  readonly now: () => number;
  readonly later: (action: () => void, ms: number) => () => void;
  readonly isAlive: () => boolean;
}

export class Sidecar {
  readonly #world: World;
  readonly #node: string;
  readonly #onStart: (started: Started) => void;
  /** What is on disk. */
  #journal: BookRecord[] = [];
  #accounts: BudgetAccounts;
  #book: AccountBook;
  #life = 0;
  #boot = 0;
  #bootedAt = 0;
  #exchanges = 0;
  #incarnations = 0;
  #fullUntil = 0;
  #quietUntil = 0;
  #partition = { from: 0, to: 0 };

  /** `onStart` is told of each life. */
  constructor(world: World, node: string, onStart: (started: Started) => void = () => undefined) {
    this.#world = world;
    this.#node = node;
    this.#onStart = onStart;
    [this.#book, this.#accounts] = this.#start();
  }

  get boot(): number {
    return this.#boot;
  }

  request(): void {
    if (this.#world.time.now < this.#quietUntil) return;
    if (this.#world.random.chance(0.004)) this.#rest();
    this.disrupt();
    void this.#exchange();
  }

  /** What goes wrong with the machine, the process and the network, each by its chance. */
  disrupt(): void {
    const { random: dice, options, time } = this.#world;
    const { faults } = options;
    // The worst moment to die is while the disk is full.
    if (dice.chance(time.now < this.#fullUntil ? 20 * faults.killedSidecar : faults.killedSidecar)) this.#restart();
    if (dice.chance(faults.rebootedSidecar)) this.#reboot();
    if (dice.chance(faults.stoppedSidecar)) void this.#accounts.stop(500).then(() => this.#restart());
    if (dice.chance(faults.fullDisk)) this.#fullUntil = time.now + dice.below(5_000);
    if (dice.chance(faults.partition)) this.#partition = { from: time.now, to: time.now + dice.below(120_000) };
  }

  stop(): void {
    void this.#accounts.stop(10_000);
  }

  async #exchange(): Promise<void> {
    const { random: dice, options, time } = this.#world;
    const life = this.#life;
    const accounts = this.#accounts;
    const amount = 1 + dice.below(options.worstCase);
    const exchange = `${life}/${this.#exchanges++}`;
    const needs = budgetsOfRequest(dice, options).map((budget) => ({ budget, amount }));
    const result = await accounts.obtain(exchange, needs);
    // A dead process forwards nothing.
    if (life !== this.#life) return;
    if (result.kind !== 'reserved') {
      this.#world.denied++;
      return;
    }
    this.#world.allowed++;
    this.#world.allowedAt.push(this.#world.wallTime());
    const leases = (this.#book.exchanges.get(exchange) ?? []).map((part) => part.lease);
    const actual = dice.below(amount + 1);
    for (const lease of leases) this.#world.upstreamCharges(lease, actual);
    await time.sleep(dice.below(dice.chance(0.05) ? 60_000 : 3_000));
    if (life !== this.#life) return;
    if (dice.chance(options.forfeited)) accounts.forfeit(exchange);
    else
      accounts.settle(
        exchange,
        needs.map(({ budget }) => ({ budget, actual })),
      );
  }

  /** No requests for a while, so that leases fall idle; at times the network goes just as they are returned. */
  #rest(): void {
    const { random: dice, options, time } = this.#world;
    this.#quietUntil = time.now + 25_000 + dice.below(30_000);
    if (dice.chance(100 * options.faults.partition))
      this.#partition = { from: time.now + 28_000, to: this.#quietUntil + dice.below(20_000) };
  }

  #restart(): void {
    this.#life++;
    [this.#book, this.#accounts] = this.#start();
  }

  /** The last lines had not reached the disk. */
  #reboot(): void {
    this.#boot++;
    this.#bootedAt = this.#world.time.now;
    this.#journal = this.#journal.slice(0, Math.max(1, this.#journal.length - this.#world.random.below(20)));
    this.#restart();
  }

  #start(): [AccountBook, BudgetAccounts] {
    const { time, parts } = this.#world;
    const life = this.#life;
    const alive = (): boolean => life === this.#life;
    const now = (): number => time.now - this.#bootedAt;
    const later: Started['later'] = (action, ms) => time.later(() => (alive() ? action() : undefined), ms);
    const book = parts.resumeBook(
      { records: this.#journal, damaged: false },
      { policy: POLICY, bootId: `boot ${this.#boot}`, incarnation: this.#newIncarnation() },
    );
    const accounts = new parts.BudgetAccounts({
      book,
      journal: {
        append: (record) => this.#write(() => this.#journal.push(copy(record))),
        rewrite: (record) => this.#write(() => (this.#journal = [copy(record)])),
        isLong: () => this.#journal.length > 50,
        close: () => undefined,
      },
      caller: this.#caller(alive),
      now,
      later,
      newIncarnation: () => this.#newIncarnation(),
      alarm: () => undefined,
    });
    accounts.track(BUDGETS);
    this.#onStart({ accounts, now, later, isAlive: alive });
    return [book, accounts];
  }

  #write(action: () => void): void {
    if (this.#world.time.now < this.#fullUntil) throw new this.#world.parts.JournalError('the disk is full');
    action();
  }

  #newIncarnation(): string {
    return `${this.#node.slice(5)}${this.#incarnations++}`.padStart(32, '0');
  }

  #caller(alive: () => boolean): LeaseCaller {
    const { time, random: dice, options, parts } = this.#world;
    const send = async (incarnation: string, call: LeaseCall): Promise<LeaseReply> => {
      await time.sleep(dice.below(30));
      const isLost =
        dice.chance(options.faults.lostCall) || (time.now >= this.#partition.from && time.now < this.#partition.to);
      if (isLost) throw new parts.LeaseCallError('unavailable', 'lost');
      return await this.#world.serve(this.#node, incarnation, call);
    };
    return {
      call: async (incarnation, call) => {
        if (dice.chance(options.faults.repeatedCall)) {
          // A copy that arrives whenever it likes, perhaps after later calls.
          time.later(() => void send(incarnation, call).catch(() => undefined), dice.below(20_000));
        }
        try {
          const reply = await send(incarnation, call);
          await time.sleep(dice.below(30));
          if (!alive() || dice.chance(options.faults.lostAnswer)) throw new parts.LeaseCallError('unavailable', 'lost');
          return answersOf(reply);
        } catch (error) {
          if (error instanceof parts.LeaseCallError) throw error;
          const isStale = error instanceof Error && 'code' in error && error.code === 'stale_seq';
          throw new parts.LeaseCallError(isStale ? 'refused' : 'unavailable', 'failed', { cause: error });
        }
      },
    };
  }
}

function requestFor(
  call: LeaseCall,
  { needs, ...fields }: ReturnType<typeof requestOf>,
): Parameters<typeof leaseCall>[2] {
  switch (call.method) {
    case 'take':
      return { kind: 'take', request: create(TakeRequestSchema, { ...fields, needs }) };
    case 'settle':
      return { kind: 'settle', request: create(SettleRequestSchema, fields) };
    case 'return':
      return { kind: 'return', request: create(ReturnRequestSchema, fields) };
  }
}

/** The second budget is the tighter one for those requests that fall under both; a caller's account is tighter still. */
function limitOf(options: SimulationOptions, key: string): number {
  if (key.includes(PERSON)) return Math.floor(options.limit / 4);
  return key.includes('company') ? Math.floor(options.limit / 2) : options.limit;
}

/** What is on disk does not change with the book. */
function copy(record: BookRecord): BookRecord {
  return structuredClone(record);
}
