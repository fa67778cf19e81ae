// `writ.v1.FilterKeys` on the sidecar's socket: the key of pseudonyms, for the filter inside Envoy.
import { create } from '@bufbuild/protobuf';
import type grpc from '@grpc/grpc-js';
import type { DeploymentKey } from '../../proto/deployment-key.ts';
import { FilterKeys, KeyReplySchema } from '../../proto/gen/writ/v1/filter_keys_pb.ts';
import type { KeyReply, KeyRequest } from '../../proto/gen/writ/v1/filter_keys_pb.ts';
import { grpcService } from '../../proto/grpc-call.ts';

export function addFilterKeysService(server: grpc.Server, key: () => DeploymentKey | undefined): void {
  server.addService(grpcService(FilterKeys), {
    get: (_: grpc.ServerUnaryCall<KeyRequest, KeyReply>, callback: grpc.sendUnaryData<KeyReply>) =>
      callback(null, create(KeyReplySchema, { policyKey: key()?.reveal() ?? new Uint8Array() })),
  });
}
