/**
 * What Envoy verified of the caller, and nothing else: the payload of a JWT that `jwt_authn` accepted, and the names in
 * a client certificate that TLS accepted. API keys stand in the request's own headers; the session finds their hashes
 * in the policy's signed list. Who the caller is, is the session's to say.
 */
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { JWT_PAYLOAD_KEY, PEER_SAN_ATTRIBUTES } from '../../proto/route-key.ts';

export interface Evidence {
  readonly jwt: JsonObject | undefined;
  /** The certificate's name: its URI if it has one, else its DNS name. */
  readonly san: string | undefined;
}

export const NO_EVIDENCE: Evidence = { jwt: undefined, san: undefined };

/** From what `jwt_authn` left in Envoy's metadata, and from Envoy's attributes of the connection. */
export function evidenceOf(metadata: JsonObject | undefined, attributes: readonly JsonObject[]): Evidence {
  const payload = metadata?.[JWT_PAYLOAD_KEY];
  const given: JsonObject = Object.assign(Object.create(null), ...attributes);
  const sans = PEER_SAN_ATTRIBUTES.map((name) => given[name]).filter((value) => typeof value === 'string');
  return { jwt: isObject(payload) ? payload : undefined, san: sans.find((san) => san !== '') };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
