/**
 * Samples on their way to the queue of reviews: exchanges that are over, masked by the filter, in memory until the control
 * plane has them. No exchange waits for it; what does not fit, or is not taken, is dropped and counted. A boundary file:
 * it touches the network, through the channel that it is given.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { type Client, status } from '@grpc/grpc-js';
import { type KeptExchange, KeptExchangeSchema } from '../../../proto/gen/writ/v1/filter_keeps_pb.ts';
import { Reviews } from '../../../proto/gen/writ/v1/reviews_pb.ts';
import { unaryCall } from '../../../proto/grpc-call.ts';

export interface SampleSender {
  /** Never throws. */
  add(kept: KeptExchange): void;
  readonly waiting: number;
  readonly sent: number;
  readonly dropped: number;
  /** Sends what it can within so long; the rest is dropped. */
  stop(ms: number): Promise<void>;
}

/** What may wait: an outage of minutes at thousands of samples an hour. */
export const SAMPLES_MAX = 1_024;
export const SAMPLES_BYTES_MAX = 32 * 1024 * 1024;
/** Of one, beside its text. */
const SAMPLE_BYTES_LEAST = 1_024;
const CALL_MS_MAX = 5_000;
/** Between two tries while the control plane cannot be reached. */
const RETRY_MS = [250, 1_000, 5_000, 15_000] as const;

/** Through a channel with the node's certificate; without one nothing can be told. `policy` names the policy set. */
export function sampleSender(client: Client | undefined, policy: string): SampleSender {
  const queue: { readonly kept: KeptExchange; readonly bytes: number }[] = [];
  let bytes = 0;
  let sent = 0;
  let dropped = 0;
  let tries = 0;
  let isStopped = false;
  let isSending = false;
  let sending: Promise<void> = Promise.resolve();
  let wake: (() => void) | undefined;

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function drain(channel: Client): Promise<void> {
    for (let first = queue[0]; first !== undefined && !isStopped; first = queue[0]) {
      const outcome = await tell(channel, policy, first.kept);
      if (isStopped) return;
      if (outcome === 'unreachable') {
        await pause(RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]!);
        continue;
      }
      tries = 0;
      queue.shift();
      bytes -= first.bytes;
      if (outcome === 'taken') sent++;
      else dropped++;
    }
    // With the last look at the queue: what is added from now on begins anew.
    isSending = false;
  }

  return {
    add(kept) {
      const size = SAMPLE_BYTES_LEAST + kept.prompt.length + kept.reply.length;
      if (client === undefined || isStopped || queue.length >= SAMPLES_MAX || bytes + size > SAMPLES_BYTES_MAX) {
        dropped++;
        return;
      }
      queue.push({ kept, bytes: size });
      bytes += size;
      if (isSending) return;
      isSending = true;
      sending = drain(client);
    },
    get waiting() {
      return queue.length;
    },
    get sent() {
      return sent;
    },
    get dropped() {
      return dropped;
    },
    async stop(ms) {
      wake?.();
      await Promise.race([sending, pause(ms)]);
      isStopped = true;
      wake?.();
      dropped += queue.length;
      queue.length = 0;
    },
  };
}

/** As the filter wrote it. */
export function keptExchange(bytes: Uint8Array): KeptExchange {
  return fromBinary(KeptExchangeSchema, bytes);
}

async function tell(client: Client, policy: string, kept: KeptExchange): Promise<'taken' | 'refused' | 'unreachable'> {
  try {
    const { full } = await unaryCall(client, Reviews.method.enter, { policy, kept }, { timeoutMs: CALL_MS_MAX });
    return full ? 'refused' : 'taken';
  } catch (error) {
    // Told again it would be refused again.
    return error instanceof Error && 'code' in error && error.code === status.INVALID_ARGUMENT
      ? 'refused'
      : 'unreachable';
  }
}
