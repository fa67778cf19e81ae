/**
 * The HTTP filters of the listener, and how the external processor is asked (the filter in Envoy is in wasm-filter.ts).
 * What was found by experiment on Envoy 1.40:
 *
 * - Requests: BUFFERED. One message has the whole body, also when trailers follow (the message then has no
 *   `end_of_stream`; the body is whole all the same). One answer may change body, headers and route. A changed body
 *   needs its exact content-length from us, or Envoy refuses the change; an HTTP/2 request that came without one gets
 *   it. Above `per_connection_buffer_limit_bytes` Envoy answers 413 itself. With trailers but no body there is no
 *   message in which a route could be named, so such a request ends at the 503 route.
 * - Replies: FULL_DUPLEX_STREAMED, with trailers sent. It is the one mode in which all of these hold at once: the
 *   headers may stay unanswered until the body is known, so that a denial by content still has an error's status (an
 *   immediate response is taken until the headers are answered); a stream passes chunk by chunk with any hold-back;
 *   what is held leaves before the trailers. With `allow_content_length_header` a reply that was held whole gets its
 *   content-length back. STREAMED loses what is held when trailers come, BUFFERED would need a mode override for
 *   streams, and after an override the first chunk can pass unseen (envoy#40340), so overrides stay off. The price: no
 *   `message_timeout` for replies; what stands still ends by `idle_timeout`.
 * - Envoy closes each gRPC stream by a half-close, and the sidecar answers with its own end after that. The runtime
 *   flag `ext_proc_graceful_grpc_close` in the bootstrap is required.
 * - `disallow_is_error` with `allow_all_routing: false` still lets `content-length`, `:status` and our route header
 *   through.
 */
import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import {
  EGRESS_FILTER,
  PEER_SAN_ATTRIBUTES,
  JWT_FILTER,
  JWT_METADATA_NAMESPACE,
  JWT_PAYLOAD_HEADER,
  JWT_PAYLOAD_KEY,
  PROCESSOR_CLUSTER,
  PROCESSOR_FILTER,
  ROUTE_HEADER,
  WASM_FILTER,
} from '../../proto/route-key.ts';
import { ApiVersion } from '../../proto/gen/envoy/config/core/v3/config_source_pb.ts';
import type { TypedExtensionConfig } from '../../proto/gen/envoy/config/core/v3/extension_pb.ts';
import { TypedExtensionConfigSchema } from '../../proto/gen/envoy/config/core/v3/extension_pb.ts';
import type { HttpFilter } from '../../proto/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts';
import { HttpFilterSchema } from '../../proto/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts';
import {
  ExternalProcessorSchema,
  ExternalProcessor_RouteCacheAction,
} from '../../proto/gen/envoy/extensions/filters/http/ext_proc/v3/ext_proc_pb.ts';
import {
  ProcessingMode_BodySendMode,
  ProcessingMode_HeaderSendMode,
} from '../../proto/gen/envoy/extensions/filters/http/ext_proc/v3/processing_mode_pb.ts';
import { HeaderMutationSchema } from '../../proto/gen/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.ts';
import {
  JwtAuthenticationSchema,
  JwtProviderSchema,
} from '../../proto/gen/envoy/extensions/filters/http/jwt_authn/v3/config_pb.ts';
import { RouterSchema } from '../../proto/gen/envoy/extensions/filters/http/router/v3/router_pb.ts';
import type { Deployment, JwtIssuer, Places } from '../deployment/deployment.ts';
import { seconds, typed } from './any.ts';
import type { Door } from '../../proto/door.ts';
import { filterConfiguration } from './filter-configuration.ts';
import type { Traffic } from './traffic.ts';
import { denyAll, outboundFilter, wasmFilter } from './wasm-filter.ts';

/**
 * How long one message to the sidecar may wait for its answer. A decision takes micro- to milliseconds; a store that is
 * asked for newer versions, or a full machine, takes longer.
 */
const MESSAGE_SECONDS = 30;
/** Beyond a body's bytes, what a gRPC message around it may have. */
export const MESSAGE_OVERHEAD_BYTES = 1024 * 1024;
/**
 * An Authorization header that holds three parts with dots between them: a JWT, and nothing else that we accept. API
 * keys have no two dots.
 */
const LOOKS_LIKE_A_JWT = '[Bb][Ee][Aa][Rr][Ee][Rr] *[^.]*\\.[^.]*\\..*';

/** Every HTTP filter, in the order in which a request passes them. The order is the argument. */
export function httpFilters(door: Door): HttpFilter[] {
  return [
    // First, so that nothing after it can be misled: a client's copy of the route header goes.
    fixed('envoy.filters.http.header_mutation', withoutOwnHeaders()),
    // Who calls: a JWT that is there must be valid. Before the policy, which reads the payload that is left here.
    discovered(JWT_FILTER, 'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication'),
    // What may happen: decides, edits, and names the route.
    door === 'in_envoy'
      ? discovered(WASM_FILTER, 'envoy.extensions.filters.http.wasm.v3.Wasm', {
          type: 'envoy.extensions.filters.http.rbac.v3.RBAC',
          config: denyAll(),
        })
      : discovered(PROCESSOR_FILTER, 'envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor'),
    // Last by Envoy's own rule.
    fixed('envoy.filters.http.router', typed(RouterSchema, { suppressEnvoyHeaders: true })),
  ];
}

/**
 * The filters whose configuration comes by ECDS. It is then read anew for each request: in the listener, a connection
 * that is open would keep the issuers it began with for as long as it lives.
 */
export function extensions(
  door: Door,
  places: Places,
  traffic: Traffic,
  deployment: Deployment,
): TypedExtensionConfig[] {
  const policy =
    door === 'in_envoy'
      ? { name: WASM_FILTER, typedConfig: wasmFilter(filterConfiguration(places, traffic, deployment)) }
      : { name: PROCESSOR_FILTER, typedConfig: externalProcessor(traffic, deployment) };
  const outbound =
    deployment.egress === undefined
      ? []
      : [{ name: EGRESS_FILTER, typedConfig: outboundFilter(filterConfiguration(places, traffic, deployment)) }];
  return [
    create(TypedExtensionConfigSchema, { name: JWT_FILTER, typedConfig: jwtAuthentication(door, deployment) }),
    ...outbound.map((extension) => create(TypedExtensionConfigSchema, extension)),
    create(TypedExtensionConfigSchema, policy),
  ];
}

function fixed(name: string, value: Any): HttpFilter {
  return create(HttpFilterSchema, { name, configType: { case: 'typedConfig', value } });
}

/**
 * Until the configuration has come the listener does not open, and should it never come, every request fails, or gets
 * what the default says.
 */
function discovered(
  name: string,
  type: string,
  byDefault?: { readonly type: string; readonly config: Any },
): HttpFilter {
  const configSource = {
    resourceApiVersion: ApiVersion.V3,
    configSourceSpecifier: { case: 'ads', value: {} },
    initialFetchTimeout: seconds(0),
  } as const;
  return create(HttpFilterSchema, {
    name,
    configType: {
      case: 'configDiscovery',
      value: {
        configSource,
        typeUrls: [type, ...(byDefault === undefined ? [] : [byDefault.type])].map(
          (each) => `type.googleapis.com/${each}`,
        ),
        ...(byDefault === undefined ? {} : { defaultConfig: byDefault.config }),
      },
    },
  });
}

/** The doors remove every header that begins with our prefix; these are also gone if no door should be asked. */
function withoutOwnHeaders(): Any {
  return typed(HeaderMutationSchema, {
    mutations: {
      requestMutations: [ROUTE_HEADER, JWT_PAYLOAD_HEADER].map((value) => ({
        action: { case: 'remove' as const, value },
      })),
    },
  });
}

/**
 * A request without a JWT passes: it may carry an API key or a certificate, and whether an unknown caller may do
 * anything is the policy's to say. One that looks like a JWT and is expired, forged, of another issuer or for another
 * audience is refused with 401. Only the Authorization header is read: Envoy's default would also take
 * `?access_token=`, and log it.
 */
function jwtAuthentication(door: Door, { identity, models, stores }: Deployment): Any {
  const names = identity.jwt.map((_, at) => `issuer_${at}`);
  const forward = [...Object.values(models), ...Object.values(stores)].some(
    (upstream) => upstream.credential.kind === 'forward',
  );
  const requirements = names.map(
    (providerName) => ({ requiresType: { case: 'providerName', value: providerName } }) as const,
  );
  const wanted =
    requirements.length < 2
      ? requirements[0]
      : ({ requiresType: { case: 'requiresAny', value: { requirements } } } as const);
  return typed(JwtAuthenticationSchema, {
    providers: Object.fromEntries(identity.jwt.map((issuer, at) => [names[at] ?? '', provider(door, issuer, forward)])),
    rules:
      wanted === undefined
        ? []
        : [
            {
              match: {
                pathSpecifier: { case: 'prefix', value: '/' },
                headers: [
                  {
                    name: 'authorization',
                    headerMatchSpecifier: {
                      case: 'stringMatch',
                      value: { matchPattern: { case: 'safeRegex', value: { regex: LOOKS_LIKE_A_JWT } } },
                    },
                  },
                ],
              },
              requirementType: { case: 'requires', value: wanted },
            },
          ],
    stripFailureResponse: false,
  });
}

/**
 * The token is removed once verified, unless some upstream is to see it (`forward`); the other routes then remove it.
 */
function provider(door: Door, { issuer, audiences, jwks }: JwtIssuer, forward: boolean) {
  return create(JwtProviderSchema, {
    issuer,
    audiences: [...audiences],
    requireExpiration: true,
    jwksSourceSpecifier: {
      case: 'localJwks',
      value: {
        specifier:
          jwks.kind === 'inline' ? { case: 'inlineString', value: jwks.text } : { case: 'filename', value: jwks.path },
      },
    },
    fromHeaders: [{ name: 'authorization', valuePrefix: 'Bearer ' }],
    forward,
    // The filter in Envoy gets the payload as it was signed: as an attribute its values would have lost their types.
    ...(door === 'in_envoy' ? { forwardPayloadHeader: JWT_PAYLOAD_HEADER } : { payloadInMetadata: JWT_PAYLOAD_KEY }),
  });
}

function externalProcessor(traffic: Traffic, { identity, limits, listener }: Deployment): Any {
  const { SEND, SKIP } = ProcessingMode_HeaderSendMode;
  const { NONE, BUFFERED, FULL_DUPLEX_STREAMED } = ProcessingMode_BodySendMode;
  return typed(ExternalProcessorSchema, {
    grpcService: {
      targetSpecifier: {
        case: 'envoyGrpc',
        value: {
          clusterName: PROCESSOR_CLUSTER,
          maxReceiveMessageLength: Math.max(limits.requestBytes, limits.replyBytes) + MESSAGE_OVERHEAD_BYTES,
        },
      },
    },
    statPrefix: 'writ',
    // Without the sidecar nothing is governed, so nothing passes.
    failureModeAllow: false,
    statusOnError: { code: 503 },
    messageTimeout: seconds(MESSAGE_SECONDS),
    processingMode: {
      requestHeaderMode: SEND,
      requestBodyMode: BUFFERED,
      requestTrailerMode: SEND,
      responseHeaderMode: traffic.replies ? SEND : SKIP,
      responseBodyMode: traffic.replies ? FULL_DUPLEX_STREAMED : NONE,
      responseTrailerMode: traffic.replies ? SEND : SKIP,
    },
    allowModeOverride: false,
    allowContentLengthHeader: true,
    // The sidecar says when: after it has named the route.
    routeCacheAction: ExternalProcessor_RouteCacheAction.DEFAULT,
    mutationRules: { allowAllRouting: false, allowEnvoy: false, disallowIsError: true },
    // Each is worked out for every request: only what can be there is asked for.
    requestAttributes: listener.tls?.clientCa === undefined ? [] : [...PEER_SAN_ATTRIBUTES],
    ...(identity.jwt.length === 0
      ? {}
      : { metadataOptions: { forwardingNamespaces: { untyped: [JWT_METADATA_NAMESPACE] } } }),
  });
}
