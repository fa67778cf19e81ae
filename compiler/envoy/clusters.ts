/** One cluster an upstream: `model/NAME`, `store/NAME`, the same names as the route keys. */
import { create } from '@bufbuild/protobuf';
import { modelRouteKey, storeRouteKey } from '../../proto/route-key.ts';
import type { Cluster } from '../../proto/gen/envoy/config/cluster/v3/cluster_pb.ts';
import {
  ClusterSchema,
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  Cluster_LbPolicy,
} from '../../proto/gen/envoy/config/cluster/v3/cluster_pb.ts';
import { UpstreamTlsContextSchema } from '../../proto/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts';
import { HttpProtocolOptionsSchema } from '../../proto/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts';
import type { Deployment, Places, Upstream } from '../deployment/deployment.ts';
import { isIpAddress } from '../deployment/parse-deployment.ts';
import { seconds, typed } from './any.ts';

/** Envoy's default of 1,024 would answer 503 before the sidecar's own limit of exchanges does. */
const CONNECTIONS_MAX = 65_536;
/**
 * How long an idle connection to an upstream is kept. Node, uvicorn and llama.cpp's server close theirs after 5 s; a
 * request sent just then fails, and must not be sent twice.
 */
const IDLE_SECONDS = 4;
/** What Envoy holds of one reply when the client reads slowly. */
const BUFFER_BYTES = 1024 * 1024;

export function clusters(places: Places, deployment: Deployment): Cluster[] {
  const named = [
    ...places.models.map((model) => ({ name: modelRouteKey(model.name), upstream: deployment.models[model.name] })),
    ...places.stores.map((store) => ({ name: storeRouteKey(store.name), upstream: deployment.stores[store.name] })),
  ];
  return named
    .flatMap(({ name, upstream }) => (upstream === undefined ? [] : [cluster(name, upstream, deployment)]))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function cluster(name: string, upstream: Upstream, { limits }: Deployment): Cluster {
  const everything = CONNECTIONS_MAX;
  return create(ClusterSchema, {
    name,
    clusterDiscoveryType: {
      case: 'type',
      value: isIpAddress(upstream.host) ? Cluster_DiscoveryType.STATIC : Cluster_DiscoveryType.STRICT_DNS,
    },
    dnsLookupFamily: Cluster_DnsLookupFamily.V4_PREFERRED,
    lbPolicy: Cluster_LbPolicy.LEAST_REQUEST,
    connectTimeout: seconds(limits.connectSeconds),
    perConnectionBufferLimitBytes: BUFFER_BYTES,
    circuitBreakers: {
      thresholds: [
        { maxConnections: everything, maxPendingRequests: everything, maxRequests: everything, maxRetries: 64 },
      ],
    },
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          lbEndpoints: [
            { hostIdentifier: { case: 'endpoint', value: { address: socketAddress(upstream.host, upstream.port) } } },
          ],
        },
      ],
    },
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed(HttpProtocolOptionsSchema, {
        commonHttpProtocolOptions: { idleTimeout: seconds(IDLE_SECONDS) },
        upstreamProtocolOptions: {
          case: 'explicitHttpConfig',
          value: {
            // HTTP/1.1 trailers of a reply stay off: Envoy then ends the body where they begin, and nothing is lost.
            protocolConfig:
              upstream.http === 'http2'
                ? { case: 'http2ProtocolOptions', value: {} }
                : { case: 'httpProtocolOptions', value: {} },
          },
        },
      }),
    },
    ...(upstream.scheme === 'https' ? { transportSocket: tls(upstream) } : {}),
  });
}

function tls(upstream: Upstream) {
  const matcher = { matchPattern: { case: 'exact', value: upstream.host } } as const;
  return {
    name: 'envoy.transport_sockets.tls',
    configType: {
      case: 'typedConfig',
      value: typed(UpstreamTlsContextSchema, {
        sni: isIpAddress(upstream.host) ? '' : upstream.host,
        commonTlsContext: {
          tlsParams: { tlsMinimumProtocolVersion: 3 },
          alpnProtocols: [upstream.http === 'http2' ? 'h2' : 'http/1.1'],
          validationContextType: {
            case: 'validationContext',
            value: {
              trustedCa: { specifier: { case: 'filename', value: upstream.ca } },
              matchTypedSubjectAltNames: [{ sanType: isIpAddress(upstream.host) ? 4 : 2, matcher }],
            },
          },
        },
      }),
    },
  } as const;
}

export function socketAddress(address: string, port: number) {
  return {
    address: { case: 'socketAddress', value: { address, portSpecifier: { case: 'portValue', value: port } } },
  } as const;
}
