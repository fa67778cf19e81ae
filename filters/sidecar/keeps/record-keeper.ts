/**
 * Records of exchanges: on the sidecar's disk before their request goes on, and from there to the control plane, however
 * long that is away. `keep` says whether a record is safe; where it is not, the request it is of is denied. A boundary
 * file: it touches the network, through the channel that it is given.
 */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Client, status } from '@grpc/grpc-js';
import { type KeptExchange, KeptExchangeSchema } from '../../../proto/gen/writ/v1/filter_keeps_pb.ts';
import { Records } from '../../../proto/gen/writ/v1/records_pb.ts';
import { unaryCall } from '../../../proto/grpc-call.ts';
import type { RecordSpool } from './record-spool.ts';

export interface RecordKeeper {
  /** Whether it is on disk. Never throws. */
  keep(kept: KeptExchange): boolean;
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Those that could not be kept: of requests that were denied for it, and of ends of exchanges that were over. */
  readonly failed: number;
  readonly sent: number;
  stop(ms: number): Promise<void>;
}

const CALL_MS_MAX = 5_000;
/** Between two tries while the control plane cannot be reached. */
const RETRY_MS = [250, 1_000, 5_000, 15_000] as const;

export function recordKeeper(
  client: Client | undefined,
  policy: string,
  spool: RecordSpool,
  alarm: (message: string) => void,
): RecordKeeper {
  let sent = 0;
  let failed = 0;
  let tries = 0;
  let isStopped = false;
  let wasFull = false;
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
    for (let first = spool.first(); first !== undefined && !isStopped; first = spool.first()) {
      const outcome = await tell(channel, policy, first.bytes);
      if (outcome === 'unreachable') {
        if (isStopped) return;
        await pause(RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]!);
        continue;
      }
      tries = 0;
      spool.remove(first.number);
      if (outcome === 'taken') sent++;
      else {
        failed++;
        alarm('the control plane refuses a record of an exchange');
      }
    }
    // With the last look at the disk: what is added from now on begins anew.
    isSending = false;
  }

  const start = (): void => {
    if (client === undefined || isStopped) return;
    if (isSending) return;
    isSending = true;
    sending = drain(client);
  };
  start();

  return {
    keep(kept) {
      const isKept = client !== undefined && !isStopped && spool.add(toBinary(KeptExchangeSchema, kept));
      if (!isKept) {
        failed++;
        if (!wasFull) alarm('records of exchanges cannot be kept: what must be recorded is denied');
      }
      wasFull = !isKept;
      start();
      return isKept;
    },
    get waiting() {
      return spool.files;
    },
    get waitingBytes() {
      return spool.bytes;
    },
    get failed() {
      return failed;
    },
    get sent() {
      return sent;
    },
    async stop(ms) {
      wake?.();
      await Promise.race([sending, pause(ms)]);
      isStopped = true;
      wake?.();
    },
  };
}

async function tell(client: Client, policy: string, bytes: Uint8Array): Promise<'taken' | 'refused' | 'unreachable'> {
  let kept: KeptExchange;
  try {
    kept = fromBinary(KeptExchangeSchema, bytes);
  } catch {
    return 'refused';
  }
  try {
    await unaryCall(client, Records.method.enter, { policy, kept }, { timeoutMs: CALL_MS_MAX });
    return 'taken';
  } catch (error) {
    // Told again it would be refused again.
    return error instanceof Error && 'code' in error && error.code === status.INVALID_ARGUMENT
      ? 'refused'
      : 'unreachable';
  }
}
