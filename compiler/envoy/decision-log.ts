/** What a filter in Envoy decided goes to the sidecar, which keeps the decision log. Nothing else of an entry is read. */
import { create } from '@bufbuild/protobuf';
import { DECISION_STATE, SIDECAR_CLUSTER } from '../../proto/route-key.ts';
import { ApiVersion } from '../../proto/gen/envoy/config/core/v3/config_source_pb.ts';
import type { CommonGrpcAccessLogConfig } from '../../proto/gen/envoy/extensions/access_loggers/grpc/v3/als_pb.ts';
import { CommonGrpcAccessLogConfigSchema } from '../../proto/gen/envoy/extensions/access_loggers/grpc/v3/als_pb.ts';

/** Entries that Envoy gathers before it sends them, a second at most: some forty. */
const BUFFER_BYTES = 64 * 1024;

/** What Envoy's access logs of HTTP and of TCP have in common. */
export function decisionLog(): CommonGrpcAccessLogConfig {
  return create(CommonGrpcAccessLogConfigSchema, {
    logName: 'writ',
    transportApiVersion: ApiVersion.V3,
    grpcService: { targetSpecifier: { case: 'envoyGrpc', value: { clusterName: SIDECAR_CLUSTER } } },
    bufferSizeBytes: BUFFER_BYTES,
    filterStateObjectsToLog: [DECISION_STATE],
  });
}
