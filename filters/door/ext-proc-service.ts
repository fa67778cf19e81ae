/**
 * Envoy's external processor as a gRPC service. One gRPC stream is one HTTP exchange. Envoy ends the stream, never we:
 * ending it first fails requests in flight. A session is freed exactly once, whatever ends the exchange, and the host
 * is told what came of it.
 */
import grpc from '@grpc/grpc-js';
import type {
  ProcessingRequest,
  ProcessingResponse,
} from '../../proto/gen/envoy/service/ext_proc/v3/external_processor_pb.ts';
import { ExternalProcessor } from '../../proto/gen/envoy/service/ext_proc/v3/external_processor_pb.ts';
import { grpcService } from '../../proto/grpc-call.ts';
import { DoorError } from './door-error.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeHost } from './exchange.ts';
import type { SessionOutcome } from './session-port.ts';

type Call = grpc.ServerDuplexStream<ProcessingRequest, ProcessingResponse>;

export interface ExtProcHost {
  /** Throws DoorError when no exchange can be taken now. */
  beginExchange(): ExchangeHost & {
    /** Called once. `outcome` is undefined when no session was opened. */
    end(how: 'complete' | 'aborted' | 'failed', outcome: SessionOutcome | undefined): void;
  };
  error(error: unknown): void;
}

export function addExtProcService(server: grpc.Server, host: ExtProcHost): void {
  server.addService(grpcService(ExternalProcessor), { process: (call: Call) => serve(call, host) });
}

function serve(call: Call, host: ExtProcHost): void {
  let exchangeHost: ReturnType<ExtProcHost['beginExchange']>;
  try {
    exchangeHost = host.beginExchange();
  } catch (error) {
    refuse(call, host, error);
    return;
  }
  let isOver = false;
  /** Something outside was asked. */
  let isBusy = false;
  let isFull = false;
  let hasEnded = false;
  const exchange = new Exchange(exchangeHost, (answer) => {
    if (isOver || call.cancelled || call.write(answer) || isFull) return;
    // Envoy reads slower than we write: no more is taken from it until it has caught up.
    isFull = true;
    call.pause();
    call.once('drain', () => {
      isFull = false;
      resume();
    });
  });
  const resume = (): void => {
    if (!isBusy && !isFull) call.resume();
  };

  const finish = (how: 'complete' | 'aborted' | 'failed'): void => {
    if (isOver) return;
    isOver = true;
    const session = exchange.close();
    // Each by itself: what fails here must neither keep a session nor leave budgets unsettled.
    const outcome = attempt(() => session?.outcome(), host);
    attempt(() => session?.free(), host);
    attempt(() => exchangeHost.end(how, outcome), host);
  };
  const fail = (error: unknown): void => {
    finish('failed');
    refuse(call, host, error);
  };
  const endQuietly = (): void => {
    finish('complete');
    call.end();
  };

  call.on('data', (message: ProcessingRequest) => {
    if (isOver) return;
    try {
      const waiting = exchange.receive(message);
      if (waiting === undefined) return;
      isBusy = true;
      call.pause();
      waiting.then(
        () => {
          isBusy = false;
          if (hasEnded) endQuietly();
          else resume();
        },
        // Whoever hung up while we asked is not a failure of ours.
        (error: unknown) => (isOver ? undefined : fail(error)),
      );
    } catch (error) {
      fail(error);
    }
  });
  call.on('end', () => {
    hasEnded = true;
    if (!isBusy) endQuietly();
  });
  call.on('cancelled', () => finish('aborted'));
  call.on('error', () => finish('aborted'));
  call.on('close', () => finish('aborted'));
}

function attempt<T>(action: () => T, host: ExtProcHost): T | undefined {
  try {
    return action();
  } catch (error) {
    host.error(error);
    return undefined;
  }
}

/** Envoy answers its client with the configured error: nothing passes. The status holds no content of the exchange. */
function refuse(call: Call, host: ExtProcHost, error: unknown): void {
  host.error(error);
  const isOurs = error instanceof DoorError;
  const code =
    isOurs && (error.code === 'no_policy' || error.code === 'too_many_exchanges' || error.code === 'filter_full')
      ? grpc.status.UNAVAILABLE
      : grpc.status.INTERNAL;
  call.emit('error', { code, details: isOurs ? error.code : 'internal' });
}
