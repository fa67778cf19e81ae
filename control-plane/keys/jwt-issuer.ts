// A small issuer of JWTs for demos and tests: a company has its own. Callers' claims in, a token out that Envoy
// verifies against `jwks`.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

export interface JwtIssuer {
  /** JSON Web Key Set with the public key. */
  readonly jwks: { readonly keys: readonly { readonly [name: string]: unknown }[] };
  readonly privateKeyPem: string;
}

/** A new issuer with a P-256 key. */
export function createJwtIssuer(): JwtIssuer {
  return jwtIssuerOf(
    generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    }).privateKey,
  );
}

/** The issuer that has a private key (PKCS #8 PEM, P-256). */
export function jwtIssuerOf(privateKeyPem: string): JwtIssuer {
  const jwk = createPublicKey(privateKeyPem).export({ format: 'jwk' });
  return { jwks: { keys: [{ ...jwk, use: 'sig', alg: 'ES256', kid: kidOf(privateKeyPem) }] }, privateKeyPem };
}

/** Signs claims as they are: `iss`, `sub`, `exp` (seconds since 1970) and the rest are the caller's to give. */
export function signJwt(privateKeyPem: string, claims: { readonly [name: string]: unknown }): string {
  const signed = [{ alg: 'ES256', kid: kidOf(privateKeyPem), typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part), 'utf8').toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(signed, 'ascii'), {
    key: createPrivateKey(privateKeyPem),
    dsaEncoding: 'ieee-p1363',
  });
  return `${signed}.${signature.toString('base64url')}`;
}

function kidOf(privateKeyPem: string): string {
  return createHash('sha256')
    .update(createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);
}
