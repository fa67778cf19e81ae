/**
 * The header by which the sidecar tells Envoy where a request goes, and its values. The compiler writes routes on it,
 * the door sets it; no client's copy of it survives.
 */

export const ROUTE_HEADER = 'x-writ-route';
/** In which a held request gets its ticket, and shows it when it comes again. It never goes upstream. */
export const TICKET_HEADER = 'x-writ-ticket';
/** In which an answer of a store gets its receipt, and a prompt carries some. It never goes upstream. */
export const RECEIPT_HEADER = 'x-writ-receipt';
/** Headers of ours: inbound copies are removed, whatever their name. */
export const OWN_HEADER_PREFIX = 'x-writ-';

export function modelRouteKey(model: string): string {
  return `model/${model}`;
}

export function storeRouteKey(store: string): string {
  return `store/${store}`;
}

/** The cluster in Envoy's bootstrap at which the sidecar's socket is: xDS. */
export const SIDECAR_CLUSTER = 'writ_sidecar';
/** And the one at which its external processor's socket is. */
export const PROCESSOR_CLUSTER = 'writ_processor';
/** HTTP filters, and the names under which their configuration is discovered. */
export const JWT_FILTER = 'writ_jwt';
export const PROCESSOR_FILTER = 'writ_processor';
export const WASM_FILTER = 'writ_filter';
/** TLS connections to the outside: their listener, its cluster, and the filter that decides them. */
export const EGRESS_LISTENER = 'writ_egress';
export const EGRESS_CLUSTER = 'writ_egress';
export const EGRESS_FILTER = 'writ_egress_filter';
/** Filter state in which the filter in Envoy leaves what it decided, for the access log. */
export const DECISION_STATE = 'wasm.decision';
export const LISTENER_NAME = 'writ';
export const ROUTES_NAME = 'writ_routes';
/** Where `jwt_authn` leaves the verified payload in dynamic metadata. */
export const JWT_METADATA_NAMESPACE = 'envoy.filters.http.jwt_authn';
export const JWT_PAYLOAD_KEY = 'payload';
/** Where `jwt_authn` puts the verified payload for the filter in Envoy: no client's copy survives, and none goes on. */
export const JWT_PAYLOAD_HEADER = 'x-writ-jwt';
/** Envoy's attributes that name the client's verified certificate. */
export const PEER_SAN_ATTRIBUTES = [
  'connection.uri_san_peer_certificate',
  'connection.dns_san_peer_certificate',
] as const;
