// What a node should have: resources by type and name, each encoded once and shared by all streams.

export interface XdsResource {
  readonly name: string;
  /** A hash of the content: equal versions mean equal content. */
  readonly version: string;
  /** The encoded `envoy.service.discovery.v3.Resource`. */
  readonly encoded: Uint8Array;
}

/** Resources by type URL, then by name. */
export type Snapshot = ReadonlyMap<string, ReadonlyMap<string, XdsResource>>;

export const BUNDLE_TYPE_URL = 'type.googleapis.com/writ.v1.SignedBundle';
export const FEED_TYPE_URL = 'type.googleapis.com/writ.v1.DataFeed';

/**
 * The order in which types are sent, so that nothing refers to what is not there yet; types that are not listed come
 * last. Removals go out after all of these are acknowledged.
 */
export const typeOrder: readonly string[] = [
  'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
  'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig',
  'type.googleapis.com/envoy.config.listener.v3.Listener',
  'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  BUNDLE_TYPE_URL,
  FEED_TYPE_URL,
];
