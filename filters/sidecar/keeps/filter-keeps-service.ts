/** `writ.v1.FilterKeeps` on the sidecar's socket: what the filter in Envoy keeps goes to whoever keeps it or sends it on. */
import { create } from '@bufbuild/protobuf';
import type grpc from '@grpc/grpc-js';
import {
  FilterKeeps,
  type KeepReply,
  KeepReplySchema,
  type KeptExchange,
} from '../../../proto/gen/writ/v1/filter_keeps_pb.ts';
import { grpcService } from '../../../proto/grpc-call.ts';
import type { Keeps } from './keeps.ts';

type Call = grpc.ServerUnaryCall<KeptExchange, KeepReply>;

export function addFilterKeepsService(server: grpc.Server, keeps: Keeps): void {
  server.addService(grpcService(FilterKeeps), {
    keep: (call: Call, callback: grpc.sendUnaryData<KeepReply>) => {
      keeps.end(call.request);
      callback(null, create(KeepReplySchema));
    },
    begin: (call: Call, callback: grpc.sendUnaryData<KeepReply>) =>
      callback(null, create(KeepReplySchema, { kept: keeps.begin(call.request) })),
  });
}
