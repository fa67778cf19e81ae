/** Reads the Envoy resources of a verified bundle (`/writ/envoy.json`) into what the local ADS serves. */
import { createHash } from 'node:crypto';
import { fromJson, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, JsonValue, Message } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { envoyRegistry } from '../../proto/envoy-registry.ts';
import { ClusterSchema } from '../../proto/gen/envoy/config/cluster/v3/cluster_pb.ts';
import { TypedExtensionConfigSchema } from '../../proto/gen/envoy/config/core/v3/extension_pb.ts';
import { ListenerSchema } from '../../proto/gen/envoy/config/listener/v3/listener_pb.ts';
import { RouteConfigurationSchema } from '../../proto/gen/envoy/config/route/v3/route_pb.ts';
import { SidecarError } from './sidecar-error.ts';
import type { LocalResource, ResourceKind, Resources } from './xds/local-ads.ts';

export type EnvoyDocument = { readonly [K in ResourceKind]: Resources };

/** Throws SidecarError `bad_envoy_document`. */
export function readEnvoyDocument(text: string): EnvoyDocument {
  try {
    const document: unknown = JSON.parse(text);
    return {
      cluster: read(document, 'clusters', ClusterSchema),
      listener: read(document, 'listeners', ListenerSchema),
      route: read(document, 'routes', RouteConfigurationSchema),
      extension: read(document, 'extensions', TypedExtensionConfigSchema),
    };
  } catch (cause) {
    throw new SidecarError('bad_envoy_document', "the bundle's Envoy resources cannot be read", { cause });
  }
}

function read<Desc extends DescMessage>(document: unknown, key: string, schema: Desc): Resources {
  const list =
    typeof document === 'object' && document !== null ? (document as Record<string, unknown>)[key] : undefined;
  if (!Array.isArray(list)) throw new Error(`${key} is not a list`);
  return new Map(
    list.map((json: JsonValue) => {
      const message = fromJson(schema, json, { registry: envoyRegistry });
      const resource = versioned(schema, message);
      return [resource.name, resource] as const;
    }),
  );
}

/** The version is a hash of the bytes that are sent. */
export function versioned<Desc extends DescMessage>(
  schema: Desc,
  message: Message & { readonly name?: unknown },
): LocalResource {
  const typedMessage = message as Parameters<typeof anyPack<Desc>>[1];
  const version = createHash('sha256').update(toBinary(schema, typedMessage)).digest('hex').slice(0, 32);
  return { name: String(message.name), version, resource: anyPack(schema, typedMessage) };
}
