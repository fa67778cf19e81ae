/**
 * One HTTP exchange at the door: Envoy's messages in, a session's steps, Envoy's answers out. It knows the
 * external-processing protocol and nothing of bodies or rules. Messages are handled one at a time, in order.
 *
 * Modes (see compiler/envoy/http-filters.ts): a request's body comes whole in one message and gets exactly one answer.
 * A reply comes in chunks with no fixed relation of messages to answers (FULL_DUPLEX_STREAMED), so its headers may be
 * held until the body is known: a reply denied by its content still gets an error's status.
 */
import { OWN_HEADER_PREFIX, RECEIPT_HEADER, ROUTE_HEADER, TICKET_HEADER } from '../../proto/route-key.ts';
import { DoorError } from './door-error.ts';
import type { Evidence } from './evidence.ts';
import type { Message } from './read-message.ts';
import { sendBufferedBody, sendHeaders, sendImmediate, sendStreamedBody, sendTrailers } from './responses.ts';
import type { Send } from './responses.ts';
import type { BudgetLevel, Header, HeaderEdits, Reserve, Ruling, SessionPort, Shortage, Step } from './session-port.ts';
import { NO_EDITS } from './session-port.ts';

/** What an exchange needs of the world around it. */
export interface ExchangeHost {
  /** A reply that is held whole is refused above so many bytes. */
  readonly replyBytesMax: number;
  openSession(evidence: Evidence): SessionPort;
  /** A promise, here and below, only where something has to be waited for. */
  levels(budgets: readonly string[]): Levels | Promise<Levels>;
  /** Sets the amounts aside. `short` is a budget that has not enough, also after asking for more. */
  reserve(amounts: readonly Reserve[]): Reserved | Promise<Reserved>;
  review(request: Uint8Array): Promise<Ruling>;
  /** Whether the record is where it will not be lost. */
  record(kept: Uint8Array): boolean;
  call(
    request: Extract<Step, { kind: 'call' }>,
  ): Promise<{ readonly status: number; readonly body: Uint8Array } | undefined>;
}

export type Levels = readonly (BudgetLevel | undefined)[];

export interface Reserved {
  readonly short: Shortage | undefined;
}

/** Questions that one message may make a session ask before it must decide. */
const QUESTIONS_MAX = 8;
/** Of ours a client says two things: the ticket, or the receipts, of earlier answers. */
const CLIENT_HEADERS: readonly string[] = [TICKET_HEADER, RECEIPT_HEADER];
const EMPTY = new Uint8Array();
const NO_TUNNELS: Extract<Step, { kind: 'reply' }> = { kind: 'reply', status: 405, headers: [], body: EMPTY };

type Phase = 'request' | 'request_sent' | 'reply_held' | 'reply_flowing' | 'envoys_reply' | 'over';
type Final = Extract<Step, { kind: 'continue' | 'hold' | 'reply' }>;
type Continue = Extract<Step, { kind: 'continue' }>;

export class Exchange {
  readonly #host: ExchangeHost;
  readonly #send: Send;
  #session: SessionPort | undefined;
  #phase: Phase = 'request';
  /** Later steps of the session still name what the request had to set aside. */
  #hasReserved = false;
  #heldBytes = 0;
  #replyHeaderEdits: HeaderEdits = NO_EDITS;

  constructor(host: ExchangeHost, send: Send) {
    this.#host = host;
    this.#send = send;
  }

  /**
   * The exchange is over, whoever ended it: the session, if there was one, is the caller's to free, and is not used
   * here any more.
   */
  close(): SessionPort | undefined {
    this.#phase = 'over';
    return this.#session;
  }

  /**
   * Handles one message. A promise only where something outside had to be asked. Throws DoorError for what Envoy must
   * not send.
   */
  receive(message: Message): void | Promise<void> {
    if (this.#phase === 'over') return;
    if (this.#isEnvoysReply(message)) return this.#pass(message);
    switch (message.kind) {
      case 'request_headers':
        return this.#requestHeaders(message);
      case 'request_body':
        // The whole body, whether trailers follow or not.
        return this.#then(this.#open().requestBody(message.body, true), (step) => this.#requestBody(step));
      case 'request_trailers':
        return this.#requestTrailers(message.trailers);
      case 'response_headers':
        return this.#responseHeaders(message.headers, message.end);
      case 'response_body':
        return this.#replyBody(message.body, message.end);
      case 'response_trailers':
        return this.#then(this.#open().responseTrailers(), (step) => this.#responseTrailers(step, message.trailers));
    }
  }

  /**
   * Before the request was answered here nothing has gone to an upstream, so a reply that comes then is one of Envoy's
   * own: a JWT refused before us, a body above the limit, a client too slow. No session judges it.
   */
  #isEnvoysReply({ kind }: Message): boolean {
    if (kind === 'response_headers' && this.#phase === 'request') this.#phase = 'envoys_reply';
    return this.#phase === 'envoys_reply';
  }

  #pass(message: Message): void {
    switch (message.kind) {
      case 'response_headers':
        return sendHeaders(this.#send, 'response', NO_EDITS);
      case 'response_body':
        sendStreamedBody(this.#send, message.body, message.end);
        return;
      case 'response_trailers':
        return sendTrailers(this.#send, 'response', withoutTrailers(message.trailers));
      case 'request_headers':
      case 'request_body':
      case 'request_trailers':
        throw new DoorError('protocol', 'a request went on after its reply had begun');
    }
  }

  #requestHeaders({
    headers: all,
    end,
    evidence,
  }: Extract<Message, { kind: 'request_headers' }>): void | Promise<void> {
    if (this.#session !== undefined) throw new DoorError('protocol', 'request headers came twice');
    // A tunnel's body never ends, and Envoy would wait for its end.
    if (all.some(([name, value]) => name === ':method' && value === 'CONNECT')) return this.#reply(NO_TUNNELS);
    const own = all.filter(([name]) => name.startsWith(OWN_HEADER_PREFIX)).map(([name]) => name);
    const headers = all.filter(([name]) => !name.startsWith(OWN_HEADER_PREFIX) || CLIENT_HEADERS.includes(name));
    this.#session = this.#host.openSession(evidence);
    return this.#then(this.#session.requestHeaders(headers, end), (step) => {
      if (step.kind === 'reply') return this.#reply(step);
      // Held: the body is still to come, and Envoy forwards nothing before it was answered.
      const edits = step.kind === 'hold' ? NO_EDITS : withRoute(step);
      sendHeaders(this.#send, 'request', { set: edits.set, remove: [...own, ...edits.remove] }, edits.set.length > 0);
      if (end) this.#phase = 'request_sent';
    });
  }

  #requestBody(step: Final): void {
    this.#phase = 'request_sent';
    if (step.kind === 'reply') return this.#reply(step);
    if (step.kind === 'hold') throw new DoorError('session', 'the session held a request at its end');
    const edits = withRoute(step);
    // Envoy refuses a changed body whose content-length is not exact.
    const set: readonly Header[] =
      step.body === undefined ? edits.set : [...edits.set, ['content-length', String(step.body.length)]];
    sendBufferedBody(this.#send, { set, remove: edits.remove }, step.body, true);
  }

  #requestTrailers(trailers: readonly Header[]): void | Promise<void> {
    // No protocol that we know has trailers in a request, and nobody reads what a client says in them: none goes on.
    // After a body the session has seen the end. Without one, trailers are the end, and there is no answer in which a
    // route could be named: Envoy's own 503 follows.
    this.#phase = 'request_sent';
    sendTrailers(this.#send, 'request', withoutTrailers(trailers));
  }

  #responseHeaders(headers: readonly Header[], end: boolean): void | Promise<void> {
    return this.#then(this.#open().responseHeaders(headers, end), (step) => {
      if (step.kind === 'reply') return this.#reply(step);
      if (step.kind === 'hold') {
        if (end) throw new DoorError('session', 'the session held a reply at its end');
        this.#phase = 'reply_held';
        return;
      }
      this.#phase = 'reply_flowing';
      sendHeaders(this.#send, 'response', step.headers);
      // A reply without a body that a session gives one is not possible here: Envoy has already ended it.
      sendStreamedBody(this.#send, (end ? undefined : step.body) ?? EMPTY, false);
    });
  }

  #replyBody(bytes: Uint8Array, end: boolean): void | Promise<void> {
    this.#countHeld(bytes.length);
    const first = this.#open().responseBody(bytes, end);
    // What is asked for may take its time, and the bytes are ours only until then.
    const original = this.#isFinal(first) ? bytes : Uint8Array.from(bytes);
    return this.#then(first, (step) => this.#responseBody(step, original, end));
  }

  #responseBody(step: Final, original: Uint8Array, end: boolean): void {
    if (step.kind === 'reply') return this.#reply(step);
    if (step.kind === 'hold') {
      if (end) throw new DoorError('session', 'the session held a reply at its end');
      return;
    }
    if (step.body === undefined && this.#heldBytes > original.length)
      throw new DoorError('session', 'the session let go what it has not kept');
    const body = step.body ?? original;
    this.#releaseHeaders(step.headers, end ? body.length : undefined);
    sendStreamedBody(this.#send, body, end);
  }

  #responseTrailers(step: Final, trailers: readonly Header[]): void {
    if (step.kind === 'reply') return this.#reply(step);
    if (step.kind === 'hold') throw new DoorError('session', 'the session held a reply at its end');
    if (step.body === undefined && this.#heldBytes > 0)
      throw new DoorError('session', 'the session let go what it has not kept');
    this.#releaseHeaders(step.headers, undefined);
    sendStreamedBody(this.#send, step.body ?? EMPTY, false);
    // No protocol that we know has trailers in a reply either, and nothing in them was looked at.
    sendTrailers(this.#send, 'response', withoutTrailers(trailers));
  }

  /** With the length where all of the body is here: Envoy has removed the upstream's. */
  #releaseHeaders({ set, remove }: HeaderEdits, bytes: number | undefined): void {
    if (this.#phase === 'reply_flowing') return;
    this.#phase = 'reply_flowing';
    this.#heldBytes = 0;
    const all: readonly Header[] = bytes === undefined ? set : [...set, ['content-length', String(bytes)]];
    sendHeaders(this.#send, 'response', { set: all, remove });
  }

  #reply(step: Extract<Step, { kind: 'reply' }>): void {
    if (this.#phase === 'reply_flowing')
      throw new DoorError('session', 'the session answered anew after the reply had begun');
    this.#phase = 'over';
    sendImmediate(this.#send, step);
  }

  #countHeld(bytes: number): void {
    if (this.#phase !== 'reply_held') return;
    this.#heldBytes += bytes;
    if (this.#heldBytes > this.#host.replyBytesMax)
      throw new DoorError(
        'reply_too_large',
        `a reply that is held whole has more than ${this.#host.replyBytesMax} bytes`,
      );
  }

  #open(): SessionPort {
    if (this.#session === undefined) throw new DoorError('protocol', 'no request headers came first');
    return this.#session;
  }

  /** Asks what the session asks for until it decides; a promise where it has to be waited for. */
  #then(first: Step, decided: (step: Final) => void, asked = 0): void | Promise<void> {
    let step = first;
    for (let count = asked; !this.#isFinal(step); count++) {
      if (count === QUESTIONS_MAX)
        throw new DoorError('session', `the session asked more than ${QUESTIONS_MAX} questions`);
      const next = this.#answer(step);
      if (next instanceof Promise)
        return next.then((goOn) => {
          // Whoever hung up meanwhile has taken the session with them.
          if (!this.#isOver()) return this.#then(goOn(), decided, count + 1);
        });
      step = next;
    }
    decided(step);
  }

  /** Gets what the session asked for, and hands it over. */
  #answer(step: Step): Step | Promise<() => Step> {
    const session = this.#open();
    switch (step.kind) {
      case 'levels':
        return handOver(this.#host.levels(step.budgets), (levels) => session.levels(levels));
      case 'review':
        return handOver(this.#host.review(Uint8Array.from(step.request)), (ruling) => session.review(ruling));
      case 'record':
        return session.recorded(this.#host.record(Uint8Array.from(step.kept)));
      case 'call':
        return handOver(this.#host.call({ ...step, body: Uint8Array.from(step.body) }), (response) =>
          session.callResponse(response),
        );
      case 'continue': {
        const reserved = this.#host.reserve(step.reserve);
        // Other sessions are called while we wait.
        const kept = reserved instanceof Promise && step.body ? { ...step, body: Uint8Array.from(step.body) } : step;
        return handOver(reserved, ({ short }) => {
          this.#hasReserved = short === undefined;
          return short === undefined ? kept : session.refuseSpend(short);
        });
      }
      case 'hold':
      case 'reply':
        return step;
    }
  }

  /** Nothing outside has to be asked any more. */
  #isFinal(step: Step): step is Final {
    return (
      step.kind === 'hold' ||
      step.kind === 'reply' ||
      (step.kind === 'continue' && (this.#hasReserved || step.reserve.length === 0))
    );
  }

  #isOver(): boolean {
    return this.#phase === 'over';
  }
}

/** Now, or once it is there and the exchange is not over. */
function handOver<T>(answer: T | Promise<T>, take: (answer: T) => Step): Step | Promise<() => Step> {
  return answer instanceof Promise ? answer.then((value) => () => take(value)) : take(answer);
}

function withoutTrailers(trailers: readonly Header[]): HeaderEdits {
  return { set: [], remove: trailers.map(([name]) => name) };
}

function withRoute({ headers, route }: Continue): HeaderEdits {
  if (route === undefined || headers.set.some(([name]) => name === ROUTE_HEADER)) return headers;
  return { set: [...headers.set, [ROUTE_HEADER, route]], remove: headers.remove };
}
