/** `writ.v1.FilterKeeps` on the sidecar's socket: what the filter in Envoy keeps goes to whoever sends it on. */
import { create } from '@bufbuild/protobuf';
import type grpc from '@grpc/grpc-js';
import {
  FilterKeeps,
  type KeepReply,
  KeepReplySchema,
  type KeptExchange,
} from '../../../proto/gen/writ/v1/filter_keeps_pb.ts';
import { grpcService } from '../../../proto/grpc-call.ts';
import type { SampleSender } from './sample-sender.ts';

export function addFilterKeepsService(server: grpc.Server, samples: Pick<SampleSender, 'add'>): void {
  server.addService(grpcService(FilterKeeps), {
    keep: (call: grpc.ServerUnaryCall<KeptExchange, KeepReply>, callback: grpc.sendUnaryData<KeepReply>) => {
      samples.add(call.request);
      callback(null, create(KeepReplySchema));
    },
  });
}
