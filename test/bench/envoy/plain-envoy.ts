// Bootstraps of the Envoys that are not ours: the least that stands between a client and an upstream, with room for
// the HTTP filters and clusters of what is compared. Limits and windows are those of our own configuration.

export interface PlainEnvoy {
  readonly port: number;
  readonly upstreamPort: number;
  /** Before the router. */
  readonly filters?: readonly object[];
  readonly clusters?: readonly object[];
}

const BODY_BYTES_MAX = 16 * 1024 * 1024;
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
const STREAMS_MAX = 65_536;
const TYPES = 'type.googleapis.com/envoy.extensions';

export function plainEnvoy({ port, upstreamPort, filters = [], clusters = [] }: PlainEnvoy): object {
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: { '@type': `${TYPES}.filters.http.router.v3.Router`, suppress_envoy_headers: true },
  };
  const connectionManager = {
    '@type': `${TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'plain',
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'upstream' } }] },
      ],
    },
    http_filters: [...filters, router],
  };
  return {
    static_resources: {
      listeners: [
        {
          name: 'plain',
          address: loopback(port),
          per_connection_buffer_limit_bytes: BODY_BYTES_MAX,
          filter_chains: [
            {
              filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: connectionManager }],
            },
          ],
        },
      ],
      clusters: [cluster('upstream', loopback(upstreamPort)), ...clusters],
    },
    layered_runtime: {
      layers: [
        {
          name: 'bench',
          static_layer: { 'envoy.reloadable_features.ext_proc_graceful_grpc_close': true },
        },
      ],
    },
  };
}

/** A gRPC service on a Unix socket. */
export function grpcCluster(name: string, socketPath: string): object {
  return {
    ...cluster(name, { pipe: { path: socketPath } }),
    per_connection_buffer_limit_bytes: CONNECTION_WINDOW_BYTES,
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': `${TYPES}.upstreams.http.v3.HttpProtocolOptions`,
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

/** Asks an external processor as compiler/envoy/http-filters.ts has it asked. */
export function externalProcessor(clusterName: string): object {
  return {
    name: 'envoy.filters.http.ext_proc',
    typed_config: {
      '@type': `${TYPES}.filters.http.ext_proc.v3.ExternalProcessor`,
      grpc_service: { envoy_grpc: { cluster_name: clusterName, max_receive_message_length: 2 * BODY_BYTES_MAX } },
      failure_mode_allow: false,
      message_timeout: '30s',
      processing_mode: {
        request_header_mode: 'SEND',
        request_body_mode: 'BUFFERED',
        request_trailer_mode: 'SEND',
        response_header_mode: 'SEND',
        response_body_mode: 'FULL_DUPLEX_STREAMED',
        response_trailer_mode: 'SEND',
      },
      allow_content_length_header: true,
    },
  };
}

/** Asks a server over HTTP whether a request may pass, with the request's whole body. */
export function authorizer(clusterName: string, port: number, pathPrefix: string): object {
  return {
    name: 'envoy.filters.http.ext_authz',
    typed_config: {
      '@type': `${TYPES}.filters.http.ext_authz.v3.ExtAuthz`,
      transport_api_version: 'V3',
      failure_mode_allow: false,
      with_request_body: { max_request_bytes: BODY_BYTES_MAX, allow_partial_message: false },
      http_service: {
        server_uri: { uri: `http://127.0.0.1:${port}`, cluster: clusterName, timeout: '30s' },
        path_prefix: pathPrefix,
      },
    },
  };
}

export function httpCluster(name: string, port: number): object {
  return { ...cluster(name, loopback(port)), per_connection_buffer_limit_bytes: CONNECTION_WINDOW_BYTES };
}

/** A proxy-wasm filter from a file, without configuration. */
export function wasmFilter(file: string): object {
  return {
    name: 'envoy.filters.http.wasm',
    typed_config: {
      '@type': `${TYPES}.filters.http.wasm.v3.Wasm`,
      config: {
        root_id: 'bench',
        vm_config: { vm_id: 'bench', runtime: 'envoy.wasm.runtime.v8', code: { local: { filename: file } } },
      },
    },
  };
}

function cluster(name: string, address: object): object {
  const everything = STREAMS_MAX;
  return {
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    circuit_breakers: {
      thresholds: [{ max_connections: everything, max_pending_requests: everything, max_requests: everything }],
    },
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

function loopback(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}
