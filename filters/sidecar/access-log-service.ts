/**
 * Envoy's access log on the sidecar's socket (`envoy.service.accesslog.v3.AccessLogService`): what the filter inside
 * Envoy decided becomes the same lines and the same counts as the exchanges of the ext_proc door. It holds nothing
 * back: the decision log's queue is bounded, and what does not fit there is dropped and counted.
 */
import { randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import grpc from '@grpc/grpc-js';
import { AccessLogService, StreamAccessLogsResponseSchema } from '../../proto/gen/envoy/service/accesslog/v3/als_pb.ts';
import type { StreamAccessLogsResponse } from '../../proto/gen/envoy/service/accesslog/v3/als_pb.ts';
import { grpcMethod } from '../../proto/grpc-call.ts';
import { readAccessLogMessage } from './access-log-entry.ts';
import type { ReadEntry } from './access-log-entry.ts';
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
  const streamAccessLogs: grpc.MethodDefinition<readonly ReadEntry[], StreamAccessLogsResponse> = {
    ...grpcMethod(AccessLogService.method.streamAccessLogs),
    // Nobody writes what is only read here.
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: readAccessLogMessage,
  };
  server.addService(
    { streamAccessLogs },
    {
      streamAccessLogs: (
        call: grpc.ServerReadableStream<readonly ReadEntry[], StreamAccessLogsResponse>,
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
        call.on('data', (entries: readonly ReadEntry[]) => {
          for (const entry of entries) take(entry, options);
        });
        call.on('end', () => {
          over();
          callback(null, create(StreamAccessLogsResponseSchema));
        });
        call.on('cancelled', over);
        call.on('error', over);
        call.on('close', over);
      },
    },
  );
}

function take(read: ReadEntry, { log, metrics }: AccessLogOptions): void {
  metrics.accessLogEntry(read.kind === 'exchange' ? 'taken' : read.kind);
  if (read.kind !== 'exchange') return;
  const { revision, end, spentMicros, records } = read.exchange;
  metrics.exchangeEnded(end === 'aborted' ? 'aborted' : 'complete', { records, spentMicros });
  // A name of our own: the entry's is one that a client can choose.
  const exchange = randomUUID();
  for (const record of records) log.add({ exchange, revision, record });
}
