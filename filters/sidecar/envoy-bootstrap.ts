/**
 * Envoy's bootstrap: where the sidecar's socket is, and nothing of a policy. All else comes over that socket. Plain
 * JSON, because it names extensions that nothing else of ours needs.
 */
import { PROCESSOR_CLUSTER, SIDECAR_CLUSTER } from '../../proto/route-key.ts';

export interface EnvoyBootstrapOptions {
  /** The sidecar's Unix socket: xDS. */
  readonly socketPath: string;
  /** The Unix socket of its external processor. */
  readonly processorPath: string;
  readonly nodeId: string;
  readonly policy: string;
  /** A Unix socket or a loopback port for Envoy's own admin server. It can stop Envoy: never a public address. */
  readonly admin:
    { readonly kind: 'socket'; readonly path: string } | { readonly kind: 'loopback'; readonly port: number };
}

/** Client connections of one Envoy; above it, new ones are refused. */
const CONNECTIONS_MAX = 20_000;
/** gRPC streams on one connection to the sidecar. */
const STREAMS_MAX = 65_536;
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

export function envoyBootstrap({ socketPath, processorPath, nodeId, policy, admin }: EnvoyBootstrapOptions): object {
  const ads = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };
  return {
    node: { id: nodeId, cluster: policy },
    admin: {
      address:
        admin.kind === 'socket'
          ? { pipe: { path: admin.path, mode: 0o600 } }
          : { socket_address: { address: '127.0.0.1', port_value: admin.port } },
    },
    dynamic_resources: {
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: SIDECAR_CLUSTER } }],
        set_node_on_first_message_only: true,
      },
      cds_config: ads,
      lds_config: ads,
    },
    static_resources: {
      clusters: [socketCluster(SIDECAR_CLUSTER, socketPath), socketCluster(PROCESSOR_CLUSTER, processorPath)],
    },
    layered_runtime: {
      layers: [
        {
          name: 'writ',
          static_layer: {
            // Without it Envoy resets every finished stream, and Node's HTTP/2 server takes 1,000 resets for an attack:
            // about 1% of requests would fail.
            'envoy.reloadable_features.ext_proc_graceful_grpc_close': true,
          },
        },
      ],
    },
    overload_manager: {
      resource_monitors: [
        {
          name: 'envoy.resource_monitors.global_downstream_max_connections',
          typed_config: {
            '@type':
              'type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
            max_active_downstream_connections: CONNECTIONS_MAX,
          },
        },
      ],
    },
  };
}

function socketCluster(name: string, socketPath: string): object {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: socketPath } } } }] }],
    },
    circuit_breakers: {
      thresholds: [
        { max_connections: 1024, max_pending_requests: STREAMS_MAX, max_requests: STREAMS_MAX, max_retries: 16 },
      ],
    },
    per_connection_buffer_limit_bytes: CONNECTION_WINDOW_BYTES,
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: {
          http2_protocol_options: {
            max_concurrent_streams: STREAMS_MAX,
            initial_stream_window_size: STREAM_WINDOW_BYTES,
            initial_connection_window_size: CONNECTION_WINDOW_BYTES,
          },
        },
      },
    },
  };
}
