// Delta ADS for nodes (envoy.service.discovery.v3.AggregatedDiscoveryService). State of the world is not served.
import { status } from '@grpc/grpc-js';
import type { ServerDuplexStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { AggregatedDiscoveryService } from '../../proto/gen/envoy/service/discovery/v3/ads_pb.ts';
import type { DeltaDiscoveryRequest } from '../../proto/gen/envoy/service/discovery/v3/discovery_pb.ts';
import { grpcMethod } from '../../proto/grpc-call.ts';
import type { AdsHub } from '../xds/ads-hub.ts';
import { XdsError } from '../xds/delta-session.ts';
import type { DeltaRequest, DeltaResponse } from '../xds/delta-session.ts';
import { responseEncoder } from '../xds/encode-response.ts';
import { roleOfCall } from './peer.ts';

const method = grpcMethod(AggregatedDiscoveryService.method.deltaAggregatedResources);

/** Responses are encoded by the hub's side, once for all streams. */
export const adsDefinition: ServiceDefinition = {
  deltaAggregatedResources: {
    ...method,
    responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  },
};

export function adsService(hub: AdsHub): UntypedServiceImplementation {
  const encode = responseEncoder();
  return {
    deltaAggregatedResources: (call: ServerDuplexStream<DeltaDiscoveryRequest, Uint8Array>) => serve(hub, encode, call),
  };
}

function serve(
  hub: AdsHub,
  encode: (response: DeltaResponse) => Uint8Array,
  call: ServerDuplexStream<DeltaDiscoveryRequest, Uint8Array>,
): void {
  const fail = (code: status, details: string): void => void call.emit('error', { code, details });
  const role = roleOfCall(call);
  if (role?.kind !== 'node') return fail(status.PERMISSION_DENIED, 'ADS is for certificates of the role node');
  const stream = hub.open({
    node: role.name,
    send: (response) => void call.write(encode(response)),
    close: (reason) => fail(status.UNAVAILABLE, reason),
  });
  if (stream === undefined) return fail(status.RESOURCE_EXHAUSTED, 'there are too many streams');
  call.on('data', (request: DeltaDiscoveryRequest) => {
    try {
      stream.receive(requestOf(request));
    } catch (error) {
      if (!(error instanceof XdsError)) throw error;
      stream.end();
      fail(status.RESOURCE_EXHAUSTED, error.message);
    }
  });
  call.on('end', () => call.end());
  for (const event of ['end', 'cancelled', 'close', 'error']) call.on(event, () => stream.end());
}

function requestOf(request: DeltaDiscoveryRequest): DeltaRequest {
  return {
    typeUrl: request.typeUrl,
    subscribe: request.resourceNamesSubscribe,
    unsubscribe: request.resourceNamesUnsubscribe,
    initialVersions: new Map(Object.entries(request.initialResourceVersions)),
    nonce: request.responseNonce,
    ...(request.errorDetail === undefined ? {} : { error: request.errorDetail.message }),
  };
}
