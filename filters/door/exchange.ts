/**
 * One HTTP exchange at the door: Envoy's messages in, a session's steps, Envoy's answers out. It knows the
 * external-processing protocol and nothing of bodies or rules. Messages are handled one at a time, in order.
 *
 * Modes (see compiler/envoy/http-filters.ts): a request's body comes whole in one message and gets exactly one answer.
 * A reply comes in chunks with no fixed relation of messages to answers (FULL_DUPLEX_STREAMED), so its headers may be
 * held until the body is known: a reply denied by its content still gets an error's status.
 */
import { OWN_HEADER_PREFIX, ROUTE_HEADER } from '../../proto/route-key.ts';
import { DoorError } from './door-error.ts';
import type { Evidence } from './evidence.ts';
import type { Message } from './read-message.ts';
import {
  bufferedBodyAnswer,
  headersAnswer,
  immediateAnswer,
  streamedBodyAnswers,
  trailersAnswer,
} from './responses.ts';
import type { BudgetLevel, Header, HeaderEdits, Reserve, SessionPort, Shortage, Step } from './session-port.ts';
import { NO_EDITS } from './session-port.ts';

/** What an exchange needs of the world around it. */
export interface ExchangeHost {
  /** A reply that is held whole is refused above so many bytes. */
  readonly replyBytesMax: number;
  openSession(evidence: Evidence): SessionPort;
  levels(budgets: readonly string[]): Promise<readonly (BudgetLevel | undefined)[]>;
  /** Sets the amounts aside. `short` is a budget that has not enough, also after asking for more. */
  reserve(amounts: readonly Reserve[]): Promise<{ readonly short: Shortage | undefined }>;
  call(
    request: Extract<Step, { kind: 'call' }>,
  ): Promise<{ readonly status: number; readonly body: Uint8Array } | undefined>;
}

/** Questions that one message may make a session ask before it must decide. */
const QUESTIONS_MAX = 8;
const EMPTY = new Uint8Array();
const NO_TUNNELS: Extract<Step, { kind: 'reply' }> = { kind: 'reply', status: 405, headers: [], body: EMPTY };

type Phase = 'request' | 'request_sent' | 'reply_held' | 'reply_flowing' | 'envoys_reply' | 'over';
type Final = Extract<Step, { kind: 'continue' | 'hold' | 'reply' }>;
type Continue = Extract<Step, { kind: 'continue' }>;

export class Exchange {
  readonly #host: ExchangeHost;
  readonly #send: (answer: Uint8Array) => void;
  #session: SessionPort | undefined;
  #phase: Phase = 'request';
  /** Later steps of the session still name what the request had to set aside. */
  #hasReserved = false;
  #heldBytes = 0;
  #replyHeaderEdits: HeaderEdits = NO_EDITS;

  constructor(host: ExchangeHost, send: (answer: Uint8Array) => void) {
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
        return this.#then(this.#open().requestBody(message.body, true), (step) =>
          this.#requestBody(step, message.body),
        );
      case 'request_trailers':
        return this.#requestTrailers(message.trailers);
      case 'response_headers':
        return this.#responseHeaders(message.headers, message.end);
      case 'response_body':
        this.#countHeld(message.body.length);
        return this.#then(this.#open().responseBody(message.body, message.end), (step) =>
          this.#responseBody(step, message.end),
        );
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
        return this.#send(headersAnswer('response', NO_EDITS));
      case 'response_body':
        for (const answer of streamedBodyAnswers(message.body, message.end)) this.#send(answer);
        return;
      case 'response_trailers':
        return this.#send(trailersAnswer('response', withoutTrailers(message.trailers)));
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
    const headers = all.filter(([name]) => !name.startsWith(OWN_HEADER_PREFIX));
    this.#session = this.#host.openSession(evidence);
    return this.#then(this.#session.requestHeaders(headers, end), (step) => {
      if (step.kind === 'reply') return this.#reply(step);
      // Held: the body is still to come, and Envoy forwards nothing before it was answered.
      const edits = step.kind === 'hold' ? NO_EDITS : withRoute(step);
      this.#send(headersAnswer('request', { set: edits.set, remove: [...own, ...edits.remove] }, edits.set.length > 0));
      if (end) this.#phase = 'request_sent';
    });
  }

  #requestBody(step: Final, original: Uint8Array): void {
    this.#phase = 'request_sent';
    if (step.kind === 'reply') return this.#reply(step);
    if (step.kind === 'hold') throw new DoorError('session', 'the session held a request at its end');
    const edits = withRoute(step);
    const isChanged = !same(step.body, original);
    // Envoy refuses a changed body whose content-length is not exact.
    const set: Header[] = isChanged ? [...edits.set, ['content-length', String(step.body.length)]] : [...edits.set];
    this.#send(bufferedBodyAnswer({ set, remove: edits.remove }, isChanged ? step.body : undefined, true));
  }

  #requestTrailers(trailers: readonly Header[]): void | Promise<void> {
    // No protocol that we know has trailers in a request, and nobody reads what a client says in them: none goes on.
    // After a body the session has seen the end. Without one, trailers are the end, and there is no answer in which a
    // route could be named: Envoy's own 503 follows.
    this.#phase = 'request_sent';
    this.#send(trailersAnswer('request', withoutTrailers(trailers)));
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
      this.#send(headersAnswer('response', step.headers));
      // A reply without a body that a session gives one is not possible here: Envoy has already ended it.
      for (const answer of streamedBodyAnswers(end ? EMPTY : step.body, false)) this.#send(answer);
    });
  }

  #responseBody(step: Final, end: boolean): void {
    if (step.kind === 'reply') return this.#reply(step);
    if (step.kind === 'hold') {
      if (end) throw new DoorError('session', 'the session held a reply at its end');
      return;
    }
    this.#releaseHeaders(step, end);
    for (const answer of streamedBodyAnswers(step.body, end)) this.#send(answer);
  }

  #responseTrailers(step: Final, trailers: readonly Header[]): void {
    if (step.kind === 'reply') return this.#reply(step);
    if (step.kind === 'hold') throw new DoorError('session', 'the session held a reply at its end');
    this.#releaseHeaders(step, false);
    for (const answer of streamedBodyAnswers(step.body, false)) this.#send(answer);
    // No protocol that we know has trailers in a reply either, and nothing in them was looked at.
    this.#send(trailersAnswer('response', withoutTrailers(trailers)));
  }

  /** With the length where all of the body is here: Envoy has removed the upstream's. */
  #releaseHeaders(step: Continue, isWhole: boolean): void {
    if (this.#phase === 'reply_flowing') return;
    this.#phase = 'reply_flowing';
    const set: Header[] = isWhole
      ? [...step.headers.set, ['content-length', String(step.body.length)]]
      : [...step.headers.set];
    this.#send(headersAnswer('response', { set, remove: step.headers.remove }));
  }

  #reply(step: Extract<Step, { kind: 'reply' }>): void {
    if (this.#phase === 'reply_flowing')
      throw new DoorError('session', 'the session answered anew after the reply had begun');
    this.#phase = 'over';
    this.#send(immediateAnswer(step));
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

  /** Asks what the session asks for until it decides. */
  #then(step: Step, decided: (step: Final) => void): void | Promise<void> {
    if (this.#isFinal(step)) decided(step);
    else return this.#ask(step, decided);
  }

  async #ask(first: Step, decided: (step: Final) => void): Promise<void> {
    let step = first;
    for (let count = 0; !this.#isFinal(step); count++) {
      if (count === QUESTIONS_MAX)
        throw new DoorError('session', `the session asked more than ${QUESTIONS_MAX} questions`);
      const next = await this.#answer(step);
      // Whoever hung up meanwhile has taken the session with them.
      if (this.#isOver()) return;
      step = next();
    }
    decided(step);
  }

  /** Gets what the session asked for; the result hands it over. */
  async #answer(step: Step): Promise<() => Step> {
    const session = this.#open();
    switch (step.kind) {
      case 'levels': {
        const levels = await this.#host.levels(step.budgets);
        return () => session.levels(levels);
      }
      case 'call': {
        const response = await this.#host.call(step);
        return () => session.callResponse(response);
      }
      case 'continue': {
        const { short } = await this.#host.reserve(step.reserve);
        this.#hasReserved = short === undefined;
        return () => (short === undefined ? step : session.refuseSpend(short));
      }
      case 'hold':
      case 'reply':
        return () => step;
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

function withoutTrailers(trailers: readonly Header[]): HeaderEdits {
  return { set: [], remove: trailers.map(([name]) => name) };
}

function withRoute({ headers, route }: Continue): HeaderEdits {
  if (route === undefined || headers.set.some(([name]) => name === ROUTE_HEADER)) return headers;
  return { set: [...headers.set, [ROUTE_HEADER, route]], remove: headers.remove };
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.length === b.length && Buffer.compare(a, b) === 0);
}
