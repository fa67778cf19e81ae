/**
 * Who calls, from what Envoy verified and from nothing else: the payload of a JWT that `jwt_authn` accepted, the names in a client certificate that TLS accepted, or an API key whose SHA-256 the
 * signed deployment lists. Any other header that a client can set says nothing here.
 */
import { createHash } from 'node:crypto';
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import type { Header } from './session-port.ts';

/** A caller's claims as a JSON object, as a JWT's payload has them. */
export type Claims = JsonObject;

export interface IdentityList {
  readonly apiKeys: readonly { readonly sha256: string; readonly claims: Claims }[];
  readonly sans: readonly { readonly san: string; readonly claims: Claims }[];
}

export interface Evidence {
  /** What `jwt_authn` left in dynamic metadata. */
  readonly jwtPayload: JsonValue | undefined;
  readonly headers: readonly Header[];
  /** Names in the verified client certificate. */
  readonly sans: readonly string[];
}

export type Identity = { readonly kind: 'jwt' | 'api_key' | 'san'; readonly claims: Claims } | { readonly kind: 'none' } | { readonly kind: 'unknown_key' };

const KEY_BYTES_MAX = 4096;

/** Finds a caller's claims. A JWT comes before a key, a key before a certificate: the narrower credential says more of the person. */
export function identifier({ apiKeys, sans }: IdentityList): (evidence: Evidence) => Identity {
  const byHash = new Map(apiKeys.map((entry) => [entry.sha256, entry.claims]));
  const bySan = new Map(sans.map((entry) => [entry.san, entry.claims]));
  return ({ jwtPayload, headers, sans: shown }) => {
    if (isObject(jwtPayload)) return { kind: 'jwt', claims: jwtPayload };
    const key = apiKeyOf(headers);
    if (key !== undefined) {
      // The look-up is of the hash: its time says nothing of the key.
      const claims = byHash.get(createHash('sha256').update(key).digest('hex'));
      return claims === undefined ? { kind: 'unknown_key' } : { kind: 'api_key', claims };
    }
    const claims = shown.map((san) => bySan.get(san)).find((found) => found !== undefined);
    return claims === undefined ? { kind: 'none' } : { kind: 'san', claims };
  };
}

/** `Authorization: Bearer KEY` as OpenAI's clients send it, `x-api-key: KEY` as Anthropic's do. Two different keys are no key that we know. */
function apiKeyOf(headers: readonly Header[]): string | undefined {
  const found: string[] = [];
  for (const [name, value] of headers) {
    if (name === 'x-api-key') found.push(value);
    else if (name === 'authorization' && value.slice(0, 7).toLowerCase() === 'bearer ') found.push(value.slice(7).trim());
  }
  const [first] = found;
  if (first === undefined || first.length > KEY_BYTES_MAX) return first?.slice(0, KEY_BYTES_MAX);
  return found.every((key) => key === first) ? first : found.join('\n');
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
