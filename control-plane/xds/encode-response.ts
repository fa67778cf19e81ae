// Delta responses on the wire. The resources stand in it as they were encoded when the snapshot was made: nothing is serialised twice, however many streams there are.
import { create, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { DeltaDiscoveryResponseSchema, ResourceSchema } from "../../proto/gen/envoy/service/discovery/v3/discovery_pb.ts";
import type { DeltaResponse } from "./delta-session.ts";
import type { XdsResource } from "./snapshot.ts";

const LENGTH_DELIMITED = 2;

/** A resource of a snapshot. `version` is a hash of its content. */
export function encodeResource<T extends DescMessage>(typeUrl: string, name: string, version: string, schema: T, message: MessageShape<T>): XdsResource {
  const resource = create(ResourceSchema, { name, version, resource: { typeUrl, value: toBinary(schema, message) } });
  return { name, version, encoded: toBinary(ResourceSchema, resource) };
}

/** The bytes of `envoy.service.discovery.v3.DeltaDiscoveryResponse`. */
export function encodeDeltaResponse(response: DeltaResponse): Uint8Array {
  const rest = toBinary(DeltaDiscoveryResponseSchema, create(DeltaDiscoveryResponseSchema, { typeUrl: response.typeUrl, nonce: response.nonce, removedResources: [...response.removed] }));
  const writer = new BinaryWriter();
  for (const { encoded } of response.resources) writer.tag(DeltaDiscoveryResponseSchema.field.resources.number, LENGTH_DELIMITED).bytes(encoded);
  // Fields of one message may stand in any order and in parts.
  return writer.raw(rest).finish();
}
