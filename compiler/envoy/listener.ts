/**
 * The listener for requests, with the HTTP connection manager's protections of its edge. Its filters are in `http-filters.ts`.
 */
import { create } from '@bufbuild/protobuf';
import { LISTENER_NAME, ROUTES_NAME } from '../../proto/route-key.ts';
import { ApiVersion } from '../../proto/gen/envoy/config/core/v3/config_source_pb.ts';
import { HttpProtocolOptions_HeadersWithUnderscoresAction } from '../../proto/gen/envoy/config/core/v3/protocol_pb.ts';
import type { Listener } from '../../proto/gen/envoy/config/listener/v3/listener_pb.ts';
import { ListenerSchema } from '../../proto/gen/envoy/config/listener/v3/listener_pb.ts';
import { HttpGrpcAccessLogConfigSchema } from '../../proto/gen/envoy/extensions/access_loggers/grpc/v3/als_pb.ts';
import {
  HttpConnectionManagerSchema,
  HttpConnectionManager_CodecType,
  HttpConnectionManager_PathWithEscapedSlashesAction,
  HttpConnectionManager_ServerHeaderTransformation,
} from '../../proto/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts';
import { DownstreamTlsContextSchema } from '../../proto/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts';
import type { Deployment, ListenerAddress } from '../deployment/deployment.ts';
import { seconds, typed } from './any.ts';
import { socketAddress } from './clusters.ts';
import type { Door } from '../../proto/door.ts';
import { decisionLog } from './decision-log.ts';
import { httpFilters } from './http-filters.ts';

/** Envoy reads an empty list as every private network; no client has this address. */
const NOBODY = { addressPrefix: '0.0.0.0', prefixLen: 32 };
/** Of one request or reply. */
const HEADERS_MAX = 100;
/** A client has this long to send its headers, and its whole request. */
const HEADERS_SECONDS = 15;
const REQUEST_SECONDS = 300;
/** HTTP/2 exchanges of one client connection. */
const STREAMS_MAX = 1024;
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

export function listener(door: Door, deployment: Deployment): Listener {
  const { listener: at, limits } = deployment;
  return create(ListenerSchema, {
    name: LISTENER_NAME,
    address: socketAddress(at.address, at.port),
    // The body of a request is held whole: above it, Envoy itself answers 413. The filter in Envoy holds replies there,
    // too, and has the two limits itself.
    perConnectionBufferLimitBytes:
      door === 'in_envoy' ? Math.max(limits.requestBytes, limits.replyBytes) : limits.requestBytes,
    filterChains: [
      {
        name: LISTENER_NAME,
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            configType: { case: 'typedConfig', value: connectionManager(door, deployment) },
          },
        ],
        ...(at.tls === undefined ? {} : { transportSocket: tls(at.tls) }),
      },
    ],
  });
}

function connectionManager(door: Door, deployment: Deployment) {
  const { limits } = deployment;
  return typed(HttpConnectionManagerSchema, {
    statPrefix: 'writ',
    codecType: HttpConnectionManager_CodecType.AUTO,
    routeSpecifier: {
      case: 'rds',
      value: {
        routeConfigName: ROUTES_NAME,
        configSource: { resourceApiVersion: ApiVersion.V3, configSourceSpecifier: { case: 'ads', value: {} } },
      },
    },
    httpFilters: httpFilters(door),
    commonHttpProtocolOptions: {
      idleTimeout: seconds(3600),
      maxHeadersCount: HEADERS_MAX,
      // `x_writ_route` and `x-writ-route` are one name to some servers.
      headersWithUnderscoresAction: HttpProtocolOptions_HeadersWithUnderscoresAction.DROP_HEADER,
    },
    http2ProtocolOptions: {
      maxConcurrentStreams: STREAMS_MAX,
      initialStreamWindowSize: STREAM_WINDOW_BYTES,
      initialConnectionWindowSize: CONNECTION_WINDOW_BYTES,
    },
    maxRequestHeadersKb: limits.headerKibibytes,
    // No route and no upgrade configuration allows CONNECT, WebSocket or any other upgrade: Envoy refuses them.
    // Policy and upstream read one path: dots and doubled slashes are resolved, escaped slashes refused.
    normalizePath: true,
    mergeSlashes: true,
    pathWithEscapedSlashesAction: HttpConnectionManager_PathWithEscapedSlashesAction.REJECT_REQUEST,
    // Nobody in front of us is trusted to say who the client is, and no address counts as internal: `x-envoy-*` from
    // outside is dropped.
    useRemoteAddress: true,
    internalAddressConfig: { unixSockets: false, cidrRanges: [NOBODY] },
    serverHeaderTransformation: HttpConnectionManager_ServerHeaderTransformation.PASS_THROUGH,
    requestHeadersTimeout: seconds(HEADERS_SECONDS),
    requestTimeout: seconds(REQUEST_SECONDS),
    streamIdleTimeout: seconds(limits.idleSeconds),
    drainTimeout: seconds(5),
    delayedCloseTimeout: seconds(1),
    generateRequestId: true,
    accessLog: door === 'in_envoy' ? [httpLog()] : [],
  });
}

function httpLog() {
  return {
    name: 'envoy.access_loggers.http_grpc',
    configType: {
      case: 'typedConfig',
      value: typed(HttpGrpcAccessLogConfigSchema, { commonConfig: decisionLog() }),
    },
  } as const;
}

function tls(files: NonNullable<ListenerAddress['tls']>) {
  return {
    name: 'envoy.transport_sockets.tls',
    configType: {
      case: 'typedConfig',
      value: typed(DownstreamTlsContextSchema, {
        commonTlsContext: {
          tlsParams: { tlsMinimumProtocolVersion: 3 },
          alpnProtocols: ['h2', 'http/1.1'],
          tlsCertificates: [
            {
              certificateChain: { specifier: { case: 'filename', value: files.certificate } },
              privateKey: { specifier: { case: 'filename', value: files.key } },
            },
          ],
          ...(files.clientCa === undefined
            ? {}
            : {
                validationContextType: {
                  case: 'validationContext',
                  value: { trustedCa: { specifier: { case: 'filename', value: files.clientCa } } },
                },
              }),
        },
        // A client may come with a JWT or an API key instead; a certificate that is shown must verify.
        requireClientCertificate: false,
      }),
    },
  } as const;
}
