/**
 * The way out: a listener for TLS connections that services open to hosts outside, and the cluster that resolves them.
 * What is encrypted stays so. The host is the name in the client's TLS hello, which alone is asked for, resolved and
 * connected to: a connection cannot name one host and reach another.
 */
import { create } from '@bufbuild/protobuf';
import { EGRESS_CLUSTER, EGRESS_FILTER, EGRESS_LISTENER } from '../../proto/route-key.ts';
import type { Cluster } from '../../proto/gen/envoy/config/cluster/v3/cluster_pb.ts';
import {
  ClusterSchema,
  Cluster_DnsLookupFamily,
  Cluster_LbPolicy,
} from '../../proto/gen/envoy/config/cluster/v3/cluster_pb.ts';
import { ApiVersion } from '../../proto/gen/envoy/config/core/v3/config_source_pb.ts';
import type { Listener } from '../../proto/gen/envoy/config/listener/v3/listener_pb.ts';
import { ListenerSchema } from '../../proto/gen/envoy/config/listener/v3/listener_pb.ts';
import { TcpGrpcAccessLogConfigSchema } from '../../proto/gen/envoy/extensions/access_loggers/grpc/v3/als_pb.ts';
import { ClusterConfigSchema } from '../../proto/gen/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.ts';
import { TlsInspectorSchema } from '../../proto/gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.ts';
import { FilterConfigSchema } from '../../proto/gen/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy_pb.ts';
import { TcpProxySchema } from '../../proto/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts';
import type { Deployment, OutboundListener } from '../deployment/deployment.ts';
import { seconds, typed } from './any.ts';
import { socketAddress } from './clusters.ts';
import { decisionLog } from './decision-log.ts';

/** The client has this long to send its hello. */
const HELLO_SECONDS = 5;
/** Names that are resolved at one time; only those that the policy lets out are. */
const HOSTS_MAX = 4_096;
const CONNECTIONS_MAX = 65_536;
const IDLE_SECONDS = 3_600;
const BUFFER_BYTES = 1024 * 1024;

export function outboundListener({ address, port, upstreamPort }: OutboundListener): Listener {
  return create(ListenerSchema, {
    name: EGRESS_LISTENER,
    address: socketAddress(address, port),
    perConnectionBufferLimitBytes: BUFFER_BYTES,
    listenerFilters: [
      {
        name: 'envoy.filters.listener.tls_inspector',
        configType: { case: 'typedConfig', value: typed(TlsInspectorSchema, {}) },
      },
    ],
    listenerFiltersTimeout: seconds(HELLO_SECONDS),
    filterChains: [
      {
        name: EGRESS_LISTENER,
        // What is no TLS has no chain, and is closed.
        filterChainMatch: { transportProtocol: 'tls' },
        filters: [
          // Until its configuration has come, connections are closed.
          {
            name: EGRESS_FILTER,
            configType: {
              case: 'configDiscovery',
              value: {
                configSource: {
                  resourceApiVersion: ApiVersion.V3,
                  configSourceSpecifier: { case: 'ads', value: {} },
                },
                typeUrls: ['envoy.extensions.filters.network.wasm.v3.Wasm'],
              },
            },
          },
          {
            name: 'envoy.filters.network.sni_dynamic_forward_proxy',
            configType: {
              case: 'typedConfig',
              value: typed(FilterConfigSchema, {
                dnsCacheConfig: dnsCache(),
                portSpecifier: { case: 'portValue', value: upstreamPort },
              }),
            },
          },
          {
            name: 'envoy.filters.network.tcp_proxy',
            configType: {
              case: 'typedConfig',
              value: typed(TcpProxySchema, {
                statPrefix: EGRESS_CLUSTER,
                clusterSpecifier: { case: 'cluster', value: EGRESS_CLUSTER },
                idleTimeout: seconds(IDLE_SECONDS),
              }),
            },
          },
        ],
      },
    ],
    accessLog: [
      {
        name: 'envoy.access_loggers.tcp_grpc',
        configType: {
          case: 'typedConfig',
          value: typed(TcpGrpcAccessLogConfigSchema, { commonConfig: decisionLog() }),
        },
      },
    ],
  });
}

export function outboundCluster({ limits }: Deployment): Cluster {
  return create(ClusterSchema, {
    name: EGRESS_CLUSTER,
    connectTimeout: seconds(limits.connectSeconds),
    perConnectionBufferLimitBytes: BUFFER_BYTES,
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
    circuitBreakers: { thresholds: [{ maxConnections: CONNECTIONS_MAX, maxPendingRequests: CONNECTIONS_MAX }] },
    clusterDiscoveryType: {
      case: 'clusterType',
      value: {
        name: 'envoy.clusters.dynamic_forward_proxy',
        typedConfig: typed(ClusterConfigSchema, {
          clusterImplementationSpecifier: { case: 'dnsCacheConfig', value: dnsCache() },
        }),
      },
    },
  });
}

/** One for filter and cluster: Envoy finds it by its name, and takes no two that differ. */
function dnsCache() {
  return {
    name: EGRESS_CLUSTER,
    dnsLookupFamily: Cluster_DnsLookupFamily.V4_PREFERRED,
    maxHosts: HOSTS_MAX,
  } as const;
}
