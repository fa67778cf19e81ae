/**
 * Envoy's external processor as a gRPC service. One gRPC stream is one HTTP exchange. Envoy ends the stream, never we:
 * ending it first fails requests in flight. A session is freed exactly once, whatever ends the exchange, and the host
 * is told what came of it.
 */
import { DoorError } from './door-error.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeHost } from './exchange.ts';
import type { CallHandler, GrpcCall } from './grpc-call.ts';
import { GRPC_INTERNAL, GRPC_OK, GRPC_UNAVAILABLE } from './grpc-call.ts';
import { readMessage } from './read-message.ts';
import type { SessionOutcome } from './session-port.ts';

/** The one method: proto/envoy/service/ext_proc/v3. */
export const PROCESS_PATH = '/envoy.service.ext_proc.v3.ExternalProcessor/Process';

export interface ExtProcHost {
  /** Throws DoorError when no exchange can be taken now. */
  beginExchange(): ExchangeHost & {
    /** Called once. `outcome` is undefined when no session was opened. */
    end(how: 'complete' | 'aborted' | 'failed', outcome: SessionOutcome | undefined): void;
  };
  error(error: unknown): void;
}

/** Takes a call of `PROCESS_PATH`. */
export function serveExchange(call: GrpcCall, host: ExtProcHost): CallHandler {
  let exchangeHost: ReturnType<ExtProcHost['beginExchange']>;
  try {
    exchangeHost = host.beginExchange();
  } catch (error) {
    refuse(call, host, error);
    return NOBODY;
  }
  return new ServedExchange(call, host, exchangeHost);
}

class ServedExchange implements CallHandler {
  readonly #call: GrpcCall;
  readonly #host: ExtProcHost;
  readonly #exchangeHost: ReturnType<ExtProcHost['beginExchange']>;
  readonly #exchange: Exchange;
  #isOver = false;
  /** Something outside was asked. */
  #isBusy = false;
  /** Envoy reads slower than we write: no more is taken from it until it has caught up. */
  #isFull = false;

  constructor(call: GrpcCall, host: ExtProcHost, exchangeHost: ReturnType<ExtProcHost['beginExchange']>) {
    this.#call = call;
    this.#host = host;
    this.#exchangeHost = exchangeHost;
    this.#exchange = new Exchange(exchangeHost, (head, body) => this.#send(head, body));
  }

  message(bytes: Uint8Array): void {
    try {
      const waiting = this.#exchange.receive(readMessage(bytes));
      if (waiting === undefined) return;
      this.#isBusy = true;
      this.#call.pause();
      waiting.then(
        () => {
          this.#isBusy = false;
          this.#resume();
        },
        // Whoever hung up while we asked is not a failure of ours.
        (error: unknown) => (this.#isOver ? undefined : this.#fail(error)),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  end(): void {
    this.#finish('complete');
    this.#call.finish(GRPC_OK);
  }

  aborted(): void {
    this.#finish('aborted');
  }

  drained(): void {
    this.#isFull = false;
    this.#resume();
  }

  #send(head: Uint8Array, body?: Uint8Array): void {
    if (this.#isOver || this.#call.send(head, body) || this.#isFull) return;
    this.#isFull = true;
    this.#call.pause();
  }

  #resume(): void {
    if (!this.#isBusy && !this.#isFull && !this.#isOver) this.#call.resume();
  }

  #fail(error: unknown): void {
    this.#finish('failed');
    refuse(this.#call, this.#host, error);
  }

  #finish(how: 'complete' | 'aborted' | 'failed'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const session = this.#exchange.close();
    // Each by itself: what fails here must neither keep a session nor leave budgets unsettled.
    const outcome = attempt(() => session?.outcome(), this.#host);
    attempt(() => session?.free(), this.#host);
    attempt(() => this.#exchangeHost.end(how, outcome), this.#host);
  }
}

const NOBODY: CallHandler = {
  message: () => undefined,
  end: () => undefined,
  aborted: () => undefined,
  drained: () => undefined,
};

function attempt<T>(action: () => T, host: ExtProcHost): T | undefined {
  try {
    return action();
  } catch (error) {
    host.error(error);
    return undefined;
  }
}

/** Envoy answers its client with the configured error: nothing passes. The status holds no content of the exchange. */
function refuse(call: GrpcCall, host: ExtProcHost, error: unknown): void {
  host.error(error);
  const isOurs = error instanceof DoorError;
  const code =
    isOurs && (error.code === 'no_policy' || error.code === 'too_many_exchanges' || error.code === 'filter_full')
      ? GRPC_UNAVAILABLE
      : GRPC_INTERNAL;
  call.finish(code, isOurs ? error.code : 'internal');
}
