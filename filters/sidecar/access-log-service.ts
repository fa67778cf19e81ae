/**
 * Envoy's access log on the sidecar's socket (`envoy.service.accesslog.v3.AccessLogService`): what the filter inside
 * Envoy decided becomes the same lines and the same counts as the exchanges of the ext_proc door. It holds nothing
 * back: the decision log's queue is bounded, and what does not fit there is dropped and counted.
 */
import { randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import grpc from '@grpc/grpc-js';
import { AccessLogService, StreamAccessLogsResponseSchema } from '../../proto/gen/envoy/service/accesslog/v3/als_pb.ts';
import type {
  StreamAccessLogsMessage,
  StreamAccessLogsResponse,
} from '../../proto/gen/envoy/service/accesslog/v3/als_pb.ts';
import { grpcService } from '../../proto/grpc-call.ts';
import { readAccessLogEntry } from './access-log-entry.ts';
import type { DecisionLog } from './decision-log.ts';
import type { SidecarMetrics } from './metrics.ts';

export interface AccessLogOptions {
  readonly log: Pick<DecisionLog, 'add'>;
  readonly metrics: Pick<SidecarMetrics, 'accessLogEntry' | 'exchangeEnded'>;
}

/** Each of Envoy's workers has one. */
export const STREAMS_MAX = 256;

export function addAccessLogService(server: grpc.Server, options: AccessLogOptions): void {
  let streams = 0;
  server.addService(grpcService(AccessLogService), {
    streamAccessLogs: (
      call: grpc.ServerReadableStream<StreamAccessLogsMessage, StreamAccessLogsResponse>,
      callback: grpc.sendUnaryData<StreamAccessLogsResponse>,
    ) => {
      if (streams === STREAMS_MAX) {
        callback({ code: grpc.status.RESOURCE_EXHAUSTED, details: 'too many streams' });
        return;
      }
      streams++;
      let isOver = false;
      const over = (): void => {
        if (!isOver) streams--;
        isOver = true;
      };
      call.on('data', (message: StreamAccessLogsMessage) => take(message, options));
      call.on('end', () => {
        over();
        callback(null, create(StreamAccessLogsResponseSchema));
      });
      call.on('cancelled', over);
      call.on('error', over);
      call.on('close', over);
    },
  });
}

function take({ logEntries }: StreamAccessLogsMessage, { log, metrics }: AccessLogOptions): void {
  if (logEntries.case !== 'httpLogs') return;
  for (const entry of logEntries.value.logEntry) {
    const read = readAccessLogEntry(entry);
    metrics.accessLogEntry(read.kind === 'exchange' ? 'taken' : read.kind);
    if (read.kind !== 'exchange') continue;
    const { revision, end, spentMicros, records } = read.exchange;
    metrics.exchangeEnded(end === 'aborted' ? 'aborted' : 'complete', { records, spentMicros });
    // A name of our own: the entry's is one that a client can choose.
    const exchange = randomUUID();
    for (const record of records) log.add({ exchange, revision, record });
  }
}
