/**
 * What the door needs of the sidecar: the policy in force when an exchange begins (it stays with it to its end), the
 * budgets, the stores, the log and the metrics. It knows no rule and no body.
 */
import { randomFillSync, randomUUID } from 'node:crypto';
import type { Door } from '../../proto/door.ts';
import { DoorError } from '../door/door-error.ts';
import type { ExchangeHost, Levels, Reserved } from '../door/exchange.ts';
import type { ExtProcHost } from '../door/ext-proc-service.ts';
import type { Evidence } from '../door/evidence.ts';
import type { FilterPort, Reserve, Ruling, SessionOutcome, SessionPort, Shortage, Step } from '../door/session-port.ts';
import { FilterError } from '../host/filter-error.ts';
import type { BudgetAccounts, ReserveResult } from './budgets/budget-accounts.ts';
import type { DecisionLog } from './decision-log.ts';
import type { DeploymentSettings } from './deployment-settings.ts';
import type { SidecarMetrics } from './metrics.ts';
import type { Keeps } from './keeps/keeps.ts';
import { keptExchange } from './keeps/sample-sender.ts';
import { heldRequest, type ReviewQueue } from './reviews/review-queue.ts';
import { callStore } from './store-client.ts';

/** A policy as the door runs it. */
export interface Governor {
  readonly revision: string;
  readonly sequence: number;
  readonly door: Door;
  readonly filter: FilterPort;
  /** The same filter with new memory. */
  readonly renew: () => FilterPort | Promise<FilterPort>;
  readonly settings: DeploymentSettings;
}

export interface SidecarDoorOptions {
  readonly budgets: BudgetAccounts | undefined;
  readonly reviews: ReviewQueue;
  readonly keeps: Keeps;
  readonly log: Pick<DecisionLog, 'add'> | undefined;
  readonly metrics: Pick<SidecarMetrics, 'exchangeEnded' | 'error'>;
  readonly now: () => number;
  readonly alarm: (message: string) => void;
}

const NONCE_BYTES = 8;
/** The system is asked for so many at a time. */
const NONCES = 128;
/** Failures of exchanges are told to an operator this often; the metric counts all. */
const ALARM_MS = 10_000;
/** A filter is loaded anew this often. */
const RENEW_MS = 1_000;

export class SidecarDoor implements ExtProcHost {
  readonly #options: SidecarDoorOptions;
  readonly #open = new Map<Governor, number>();
  #exchanges = 0;
  #governor: Governor | undefined;
  #alarmedAt = Number.NEGATIVE_INFINITY;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(options: SidecarDoorOptions) {
    this.#options = options;
  }

  get governor(): Governor | undefined {
    return this.#governor;
  }

  /** Exchanges open now, of every policy. */
  get exchanges(): number {
    return this.#exchanges;
  }

  /** Exchanges that begin from now on are decided by this policy. */
  govern(governor: Governor): void {
    this.#governor = governor;
  }

  /** No exchange of an earlier policy is open. */
  hasDrained(): boolean {
    return [...this.#open.keys()].every((governor) => governor === this.#governor);
  }

  beginExchange(): ReturnType<ExtProcHost['beginExchange']> {
    const governor = this.#governor;
    if (governor === undefined) throw new DoorError('no_policy', 'no policy is in force');
    if (this.#exchanges >= governor.settings.exchanges)
      throw new DoorError('too_many_exchanges', `more than ${governor.settings.exchanges} exchanges at one time`);
    this.#open.set(governor, (this.#open.get(governor) ?? 0) + 1);
    this.#exchanges++;
    return new GovernedExchange(governor, this.#options, this.#ended);
  }

  readonly #ended = (governor: Governor): void => {
    const left = (this.#open.get(governor) ?? 1) - 1;
    this.#exchanges--;
    if (left === 0) this.#open.delete(governor);
    else this.#open.set(governor, left);
  };

  error(error: unknown): void {
    const code =
      error instanceof DoorError ? error.code : error instanceof WebAssembly.RuntimeError ? 'trap' : 'unexpected';
    this.#options.metrics.error(code);
    if (error instanceof WebAssembly.RuntimeError) this.#renew();
    if (error instanceof DoorError || this.#options.now() - this.#alarmedAt < ALARM_MS) return;
    this.#alarmedAt = this.#options.now();
    // An unexpected error's message may quote what it choked on: its name alone is told.
    this.#options.alarm(`an exchange failed: ${error instanceof Error ? error.name : typeof error}`);
  }

  /**
   * A filter never traps; one that has is not trusted any more. Exchanges that begin from now on get one with new
   * memory.
   */
  #renew(): void {
    const governor = this.#governor;
    if (governor === undefined || this.#options.now() - this.#renewedAt < RENEW_MS) return;
    this.#renewedAt = this.#options.now();
    void Promise.resolve()
      .then(() => governor.renew())
      .then((filter) => {
        if (this.#governor === governor) this.#governor = { ...governor, filter };
      })
      .catch(() => this.#options.alarm('the filter failed and cannot be loaded again'));
  }
}

const nonces = Buffer.alloc(NONCES * NONCE_BYTES);
let nextAt = nonces.length;

/** Unpredictable, and handed out once. */
function nextNonce(): bigint {
  if (nextAt === nonces.length) {
    randomFillSync(nonces);
    nextAt = 0;
  }
  const nonce = nonces.readBigUInt64LE(nextAt);
  nonces.fill(0, nextAt, nextAt + NONCE_BYTES);
  nextAt += NONCE_BYTES;
  return nonce;
}

class GovernedExchange implements ExchangeHost {
  readonly replyBytesMax: number;
  readonly #governor: Governor;
  readonly #options: SidecarDoorOptions;
  readonly #onEnd: (governor: Governor) => void;
  readonly #id = randomUUID();
  #reserved: readonly Reserve[] = [];
  #hasEnded = false;

  constructor(governor: Governor, options: SidecarDoorOptions, onEnd: (governor: Governor) => void) {
    this.replyBytesMax = governor.settings.replyBytes;
    this.#governor = governor;
    this.#options = options;
    this.#onEnd = onEnd;
  }

  openSession(evidence: Evidence): SessionPort {
    try {
      return this.#governor.filter.newSession({
        evidence,
        nowMs: this.#options.now(),
        nonce: nextNonce(),
      });
    } catch (cause) {
      if (cause instanceof FilterError)
        throw new DoorError('filter_full', 'the filter has no room for another exchange', { cause });
      throw cause;
    }
  }

  levels(budgets: readonly string[]): Levels | Promise<Levels> {
    const accounts = this.#options.budgets;
    if (accounts === undefined) return budgets.map(() => undefined);
    const ready = accounts.ready(budgets);
    const levels = (): Levels => accounts.levels(budgets).map((level) => (level.failed ? undefined : level));
    return ready === undefined ? levels() : ready.then(levels);
  }

  reserve(amounts: readonly Reserve[]): Reserved | Promise<Reserved> {
    const accounts = this.#options.budgets;
    if (accounts === undefined) return { short: { budget: amounts[0]?.budget ?? '', state: 'unreadable' } };
    const result = accounts.obtain(this.#id, amounts);
    return result instanceof Promise
      ? result.then((obtained) => this.#obtained(amounts, obtained))
      : this.#obtained(amounts, result);
  }

  #obtained(amounts: readonly Reserve[], result: ReserveResult): Reserved {
    if (result.kind !== 'reserved') return { short: { budget: result.budget, state: shortageOf(result) } };
    this.#reserved = amounts;
    // The client hung up while we waited: nothing was forwarded, nothing was spent.
    if (this.#hasEnded) this.#settle(amounts.map(({ budget }) => ({ budget, amount: 0 })));
    return NOTHING_SHORT;
  }

  review(request: Uint8Array): Promise<Ruling> {
    return this.#options.reviews.ask(heldRequest(request));
  }

  record(kept: Uint8Array): boolean {
    return this.#options.keeps.begin(keptExchange(kept));
  }

  async call(request: Extract<Step, { kind: 'call' }>): Promise<{ status: number; body: Uint8Array } | undefined> {
    const baseUrl = this.#governor.settings.stores.get(request.store);
    return baseUrl === undefined
      ? undefined
      : await callStore({ baseUrl, method: request.method, path: request.path, body: request.body });
  }

  end(how: 'complete' | 'aborted' | 'failed', outcome: SessionOutcome | undefined): void {
    this.#hasEnded = true;
    this.#onEnd(this.#governor);
    this.#settle(outcome?.charged ?? []);
    this.#options.metrics.exchangeEnded(how, outcome);
    if (outcome?.kept !== undefined) this.#options.keeps.end(keptExchange(outcome.kept));
    for (const record of outcome?.records ?? [])
      this.#options.log?.add({ exchange: this.#id, revision: this.#governor.revision, record });
  }

  /** What is not known to have cost less has cost all that was set aside. */
  #settle(charged: readonly Reserve[]): void {
    if (this.#reserved.length === 0) return;
    this.#options.budgets?.settle(
      this.#id,
      charged.map(({ budget, amount }) => ({ budget, actual: amount })),
    );
  }
}

const NOTHING_SHORT: Reserved = { short: undefined };

function shortageOf(result: Exclude<ReserveResult, { readonly kind: 'reserved' }>): Shortage['state'] {
  if (result.kind === 'failed') return 'unreadable';
  return result.left > 0 || result.isPart ? 'short' : 'nothing_left';
}
