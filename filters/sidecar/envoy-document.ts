/**
 * Reads the Envoy resources of a verified bundle (`/writ/envoy.json`) into what the local ADS serves, and puts the
 * bundle's filter where Envoy is to run it.
 */
import { createHash } from 'node:crypto';
import { create, fromBinary, fromJson, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, JsonValue, Message } from '@bufbuild/protobuf';
import { AnySchema, BytesValueSchema, StringValueSchema, anyPack, anyUnpack } from '@bufbuild/protobuf/wkt';
import type { Door } from '../../proto/door.ts';
import { isDoor } from '../../proto/door.ts';
import { EGRESS_FILTER, WASM_FILTER } from '../../proto/route-key.ts';
import { envoyRegistry } from '../../proto/envoy-registry.ts';
import { AsyncDataSourceSchema } from '../../proto/gen/envoy/config/core/v3/base_pb.ts';
import { ClusterSchema } from '../../proto/gen/envoy/config/cluster/v3/cluster_pb.ts';
import { TypedExtensionConfigSchema } from '../../proto/gen/envoy/config/core/v3/extension_pb.ts';
import { ListenerSchema } from '../../proto/gen/envoy/config/listener/v3/listener_pb.ts';
import { RouteConfigurationSchema } from '../../proto/gen/envoy/config/route/v3/route_pb.ts';
import { WasmSchema } from '../../proto/gen/envoy/extensions/filters/http/wasm/v3/wasm_pb.ts';
import { WasmSchema as NetworkWasmSchema } from '../../proto/gen/envoy/extensions/filters/network/wasm/v3/wasm_pb.ts';
import { SidecarError } from './sidecar-error.ts';
import type { LocalResource, ResourceKind, Resources } from './xds/local-ads.ts';

export interface EnvoyDocument extends Readonly<Record<ResourceKind, Resources>> {
  readonly door: Door;
  /** Whether a filter of ours runs in Envoy, for this door or for what goes out. */
  readonly runsFilter: boolean;
  /** The extensions, the filter in Envoy told of these lists and switches. */
  extensionWith(feeds: readonly Uint8Array[]): Resources;
}

/** What the bundle's resources leave out: the filter that runs in Envoy. */
export interface FilterParts {
  readonly wasm: Uint8Array;
  /** Of the policy set: what Envoy shares between the versions of a filter, it shares under this name. */
  readonly name: string;
  readonly revision: string;
}

/** Throws SidecarError `bad_envoy_document`. */
export function readEnvoyDocument(text: string, filter: FilterParts): EnvoyDocument {
  try {
    const document: unknown = JSON.parse(text);
    const resources = {
      cluster: read(document, 'clusters', ClusterSchema),
      listener: read(document, 'listeners', ListenerSchema),
      route: read(document, 'routes', RouteConfigurationSchema),
      extension: read(document, 'extensions', TypedExtensionConfigSchema),
    };
    const door = doorOf(document);
    const runsFilter = [...FILTERS.keys()].some((name) => resources.extension.has(name));
    if (door === 'in_envoy' && !resources.extension.has(WASM_FILTER)) throw new Error('the filter is missing');
    const extensionWith = (feeds: readonly Uint8Array[]): Resources => withFilters(resources.extension, filter, feeds);
    return { door, runsFilter, ...resources, extension: extensionWith([]), extensionWith };
  } catch (cause) {
    throw new SidecarError('bad_envoy_document', "the bundle's Envoy resources cannot be read", { cause });
  }
}

function doorOf(document: unknown): Door {
  const door =
    typeof document === 'object' && document !== null && 'door' in document ? String(document.door) : 'ext_proc';
  if (!isDoor(door)) throw new Error('a door that is not known');
  return door;
}

/** Where the bundle's module is to run, and the message that says so: Envoy has one for HTTP and one for TCP. */
const FILTERS: ReadonlyMap<string, typeof WasmSchema | typeof NetworkWasmSchema> = new Map<
  string,
  typeof WasmSchema | typeof NetworkWasmSchema
>([
  [WASM_FILTER, WasmSchema],
  [EGRESS_FILTER, NetworkWasmSchema],
]);

/** Every filter of ours with the module; what else the extensions are stays. */
function withFilters(extensions: Resources, filter: FilterParts, feeds: readonly Uint8Array[]): Resources {
  return new Map(
    [...extensions].map(([name, extension]) => {
      const schema = FILTERS.get(name);
      return [name, schema === undefined ? extension : withModule(extension, schema, filter, feeds)] as const;
    }),
  );
}

function withModule(
  { resource }: LocalResource,
  schema: typeof WasmSchema | typeof NetworkWasmSchema,
  { wasm, name, revision }: FilterParts,
  feeds: readonly Uint8Array[],
): LocalResource {
  const extension = fromBinary(TypedExtensionConfigSchema, resource.value);
  const filter = anyUnpack(extension.typedConfig ?? create(AnySchema), schema);
  const { config } = filter ?? {};
  const settings = anyUnpack(config?.configuration ?? create(AnySchema), StringValueSchema);
  if (filter === undefined || config?.vm.case !== 'vmConfig' || settings === undefined || config.vm.value.code)
    throw new Error('the filter is not described as it must be');
  config.vm.value.vmId = name;
  config.vm.value.code = create(AsyncDataSourceSchema, {
    specifier: { case: 'local', value: { specifier: { case: 'inlineBytes', value: wasm } } },
  });
  settings.value += `revision ${revision}\n`;
  // Text, or text and bytes: Envoy hands either to the filter as it is.
  config.configuration =
    feeds.length === 0
      ? anyPack(StringValueSchema, settings)
      : anyPack(BytesValueSchema, create(BytesValueSchema, { value: withFeeds(settings.value, feeds) }));
  extension.typedConfig = anyPack(schema, filter);
  return versioned(TypedExtensionConfigSchema, extension);
}

/** As filters/kernel/proxy-wasm/configuration.ts reads it. */
function withFeeds(text: string, feeds: readonly Uint8Array[]): Uint8Array {
  const parts = feeds.flatMap((image) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(image.length);
    return [length, image];
  });
  return Buffer.concat([Buffer.from(`${text}feeds\n`, 'utf8'), ...parts]);
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
