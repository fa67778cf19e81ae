/**
 * Routes stand on one header, which the sidecar alone sets. A request without it, or with a key that this policy does
 * not know (a session of an older one, during a change), is answered with 503: nothing reaches an upstream that no
 * decision named.
 */
import { create } from '@bufbuild/protobuf';
import { ROUTES_NAME, ROUTE_HEADER, modelRouteKey, storeRouteKey } from '../../proto/route-key.ts';
import type { RouteConfiguration } from '../../proto/gen/envoy/config/route/v3/route_pb.ts';
import { RouteConfigurationSchema } from '../../proto/gen/envoy/config/route/v3/route_pb.ts';
import type { Route } from '../../proto/gen/envoy/config/route/v3/route_components_pb.ts';
import { RouteSchema } from '../../proto/gen/envoy/config/route/v3/route_components_pb.ts';
import { HeaderValueOption_HeaderAppendAction } from '../../proto/gen/envoy/config/core/v3/base_pb.ts';
import type { Credential, Deployment, Places, Upstream } from '../deployment/deployment.ts';
import { seconds } from './any.ts';
import { authority } from './authority.ts';

/** A caller's proof of who they are is for us: an upstream that got it could act as the caller. */
const CALLER_CREDENTIALS = ['authorization', 'proxy-authorization', 'x-api-key', 'api-key', 'x-chroma-token', 'cookie'];
const CALLER_ADDRESS = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-envoy-external-address',
  'x-envoy-internal',
  'forwarded',
];
const NO_ROUTE_BODY = '{"error":{"message":"no route for this request","type":"writ_error","code":"no_route"}}';
/** Tries again only what certainly did not reach the upstream. */
const RETRY_ON = 'connect-failure,refused-stream';

export function routes(places: Places, deployment: Deployment): RouteConfiguration {
  const named = [
    ...places.models.map((model) => ({ key: modelRouteKey(model.name), upstream: deployment.models[model.name] })),
    ...places.stores.map((store) => ({ key: storeRouteKey(store.name), upstream: deployment.stores[store.name] })),
  ].sort((a, b) => (a.key < b.key ? -1 : 1));
  return create(RouteConfigurationSchema, {
    name: ROUTES_NAME,
    virtualHosts: [
      {
        name: 'writ',
        domains: ['*'],
        routes: [
          ...named.flatMap(({ key, upstream }) => (upstream === undefined ? [] : [routeTo(key, upstream, deployment)])),
          noRoute(),
        ],
      },
    ],
    // The sidecar reads replies: an upstream must not compress them. And it is no upstream's business where our caller
    // sits.
    requestHeadersToRemove: [ROUTE_HEADER, 'accept-encoding', ...CALLER_ADDRESS],
    mostSpecificHeaderMutationsWins: true,
  });
}

function routeTo(key: string, upstream: Upstream, { limits }: Deployment): Route {
  return create(RouteSchema, {
    name: key,
    match: {
      pathSpecifier: { case: 'prefix', value: '/' },
      headers: [
        {
          name: ROUTE_HEADER,
          headerMatchSpecifier: { case: 'stringMatch', value: { matchPattern: { case: 'exact', value: key } } },
        },
      ],
    },
    action: {
      case: 'route',
      value: {
        clusterSpecifier: { case: 'cluster', value: key },
        hostRewriteSpecifier: { case: 'hostRewriteLiteral', value: authority(upstream) },
        ...(upstream.pathPrefix === '' ? {} : { prefixRewrite: `${upstream.pathPrefix}/` }),
        // A stream of tokens has no length that could be foreseen: what ends it is standing still.
        timeout: seconds(0),
        idleTimeout: seconds(limits.idleSeconds),
        retryPolicy: { retryOn: RETRY_ON, numRetries: 1 },
      },
    },
    requestHeadersToRemove:
      upstream.credential.kind === 'forward'
        ? []
        : CALLER_CREDENTIALS.filter((header) => header !== ownHeader(upstream.credential)),
    requestHeadersToAdd: credentialHeaders(upstream.credential),
  });
}

/** Set, in the place of what the caller sent, so it needs no removal (Envoy removes after it adds). */
function ownHeader(credential: Credential): string | undefined {
  return credential.kind === 'environment' ? credential.header : undefined;
}

function credentialHeaders(credential: Credential) {
  if (credential.kind !== 'environment') return [];
  const value = `${credential.prefix}%ENVIRONMENT(${credential.variable})%`;
  return [
    {
      header: { key: credential.header, value },
      appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    },
  ];
}

function noRoute(): Route {
  return create(RouteSchema, {
    name: 'none',
    match: { pathSpecifier: { case: 'prefix', value: '/' } },
    action: {
      case: 'directResponse',
      value: { status: 503, body: { specifier: { case: 'inlineString', value: NO_ROUTE_BODY } } },
    },
    responseHeadersToAdd: [
      {
        header: { key: 'content-type', value: 'application/json' },
        appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
      },
    ],
  });
}
