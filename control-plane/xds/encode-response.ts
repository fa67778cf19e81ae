// Delta responses on the wire. The resources stand in it as they were encoded when the snapshot was made: nothing is
// serialised twice, however many streams there are.
import { create, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import {
  DeltaDiscoveryResponseSchema,
  ResourceSchema,
} from '../../proto/gen/envoy/service/discovery/v3/discovery_pb.ts';
import type { DeltaResponse } from './delta-session.ts';
import type { XdsResource } from './snapshot.ts';

const LENGTH_DELIMITED = 2;

/** A resource of a snapshot. `version` is a hash of its content. */
export function encodeResource<T extends DescMessage>(
  typeUrl: string,
  name: string,
  version: string,
  schema: T,
  message: MessageShape<T>,
): XdsResource {
  const resource = create(ResourceSchema, { name, version, resource: { typeUrl, value: toBinary(schema, message) } });
  return { name, version, encoded: toBinary(ResourceSchema, resource) };
}

/**
 * An encoder that remembers its last response: streams of one age get the same bytes after a change, nonce included,
 * and share them. Only the identity of the resources is compared, because a snapshot never changes.
 */
export function responseEncoder(): (response: DeltaResponse) => Uint8Array {
  let last: { readonly response: DeltaResponse; readonly bytes: Uint8Array } | undefined;
  return (response) => {
    if (last === undefined || !isSame(last.response, response))
      last = { response, bytes: encodeDeltaResponse(response) };
    return last.bytes;
  };
}

function isSame(a: DeltaResponse, b: DeltaResponse): boolean {
  return (
    a.nonce === b.nonce &&
    a.typeUrl === b.typeUrl &&
    a.resources.length === b.resources.length &&
    a.removed.length === b.removed.length &&
    a.resources.every((resource, index) => resource === b.resources[index]) &&
    a.removed.every((name, index) => name === b.removed[index])
  );
}

/** The bytes of `envoy.service.discovery.v3.DeltaDiscoveryResponse`. */
export function encodeDeltaResponse(response: DeltaResponse): Uint8Array {
  const rest = toBinary(
    DeltaDiscoveryResponseSchema,
    create(DeltaDiscoveryResponseSchema, {
      typeUrl: response.typeUrl,
      nonce: response.nonce,
      removedResources: [...response.removed],
    }),
  );
  const writer = new BinaryWriter();
  for (const { encoded } of response.resources)
    writer.tag(DeltaDiscoveryResponseSchema.field.resources.number, LENGTH_DELIMITED).bytes(encoded);
  // Fields of one message may stand in any order and in parts.
  return writer.raw(rest).finish();
}
