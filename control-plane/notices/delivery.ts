// Tells what waits in the outbox: each webhook by itself, one message at a time, so that one which hangs holds up
// nobody else. What was told is noted after; a process that dies between tells it again, under the same id. It reads no
// clock and touches no network: those are arguments.
import { bodyOf, type Notice } from './notice.ts';
import { afterAttempt, type AttemptOutcome, type OutboxChange } from './outbox.ts';
import { type Webhook, type Webhooks, webhookHeaders } from './webhook.ts';

export interface DeliveryOptions {
  readonly webhooks: Webhooks;
  readonly store: {
    /** Of each webhook the one that is due first. */
    readonly due: (now: number) => Promise<readonly Notice[]>;
    /** Durable once it resolves. */
    readonly settle: (id: string, change: OutboxChange) => Promise<void>;
  };
  readonly post: (
    url: string,
    headers: { readonly [name: string]: string },
    body: string,
    stop: AbortSignal,
  ) => Promise<AttemptOutcome>;
  readonly now: () => number;
  /** Calls once, after so many milliseconds; answers with what takes it back. */
  readonly later: (action: () => void, ms: number) => () => void;
  readonly onAttempt: (result: 'taken' | 'failed') => void;
  /** One line for an operator. */
  readonly log: (message: string) => void;
}

/** How often it is looked for what is due: each webhook is told one message in so long, at most. */
export const POLL_MS = 1_000;

export class NoticeDelivery {
  readonly #options: DeliveryOptions;
  readonly #stopping = new AbortController();
  /** By webhook: what is being told. */
  readonly #open = new Map<string, Promise<void>>();
  /** Webhooks of policies that have no address here: said once. */
  readonly #missing = new Set<string>();
  #looking: Promise<void> = Promise.resolve();
  #cancel: () => void = () => undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancel = this.#options.later(() => {
      this.#looking = this.#look().finally(() => {
        if (!this.#stopping.signal.aborted) this.start();
      });
    }, POLL_MS);
  }

  /** What is being told is broken off, and told again after the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancel();
    await this.#looking;
    await Promise.all(this.#open.values());
  }

  async #look(): Promise<void> {
    // What is being told while this is read may be told before it is looked at: it is not told again.
    const busy = new Set(this.#open.keys());
    let due: readonly Notice[];
    try {
      due = await this.#options.store.due(this.#options.now());
    } catch {
      this.#options.log('notices that wait could not be read; the next try is soon');
      return;
    }
    for (const notice of due) {
      const webhook = this.#options.webhooks.get(notice.webhook);
      if (webhook === undefined) this.#misses(notice);
      else if (!busy.has(notice.webhook) && !this.#stopping.signal.aborted)
        this.#open.set(
          notice.webhook,
          this.#tell(notice, webhook).finally(() => this.#open.delete(notice.webhook)),
        );
    }
  }

  async #tell(notice: Notice, webhook: Webhook): Promise<void> {
    const { post, store, now, onAttempt, log } = this.#options;
    const body = bodyOf(notice);
    const headers = webhookHeaders(webhook, { id: notice.id, now: now(), body });
    const outcome = await post(webhook.url, headers, body, this.#stopping.signal);
    // Broken off by our own end: that was no attempt.
    if (outcome.kind === 'failed' && this.#stopping.signal.aborted) return;
    onAttempt(outcome.kind);
    const change = afterAttempt(notice.attempts, outcome, now());
    if (change.state === 'failed')
      log(`webhook \`${notice.webhook}\` did not take notice ${notice.id}: ${change.failure}; it is given up`);
    try {
      await store.settle(notice.id, change);
    } catch {
      log(`what became of notice ${notice.id} could not be stored: it is told again`);
    }
  }

  #misses({ webhook, policy }: Notice): void {
    if (this.#missing.has(webhook)) return;
    this.#missing.add(webhook);
    this.#options.log(`policy \`${policy}\` has notices for webhook \`${webhook}\`, which has no address here`);
  }
}
