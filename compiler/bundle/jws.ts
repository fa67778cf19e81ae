// JSON Web Signatures as bundles use them: compact, RS256, one named key. RS256 because it is deterministic and real
// OPA verifies it (OPA takes no EdDSA, and ES256 differs each time). The algorithm is a constant here, never the
// header's choice.
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { BundleError } from './bundle-error.ts';
import { canonicalJson, parseJson } from './canonical-json.ts';

export interface SigningKey {
  /** Names the key in what it signs; see `keyId`. */
  readonly kid: string;
  /** PKCS #8 PEM of an RSA key. */
  readonly privateKeyPem: string;
}

export interface VerificationKey {
  readonly kid: string;
  /** SPKI PEM of an RSA key. */
  readonly publicKeyPem: string;
}

const RSA_BITS_MIN = 2048;

/** The usual name of a key: the first 16 hex digits of its SPKI's SHA-256. Throws BundleError `bad_key`. */
export function keyId(publicKeyPem: string): string {
  const spki = publicKey(publicKeyPem).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex').slice(0, 16);
}

/** Signs a payload; the same payload and key give the same text. Throws BundleError `bad_key`. */
export function signJws(payload: unknown, key: SigningKey): string {
  const signed = `${base64url(canonicalJson({ alg: 'RS256', kid: key.kid }))}.${base64url(canonicalJson(payload))}`;
  return `${signed}.${sign('sha256', Buffer.from(signed, 'ascii'), privateKey(key.privateKeyPem)).toString('base64url')}`;
}

/**
 * The payload of a JWS that one of the keys signed. Throws BundleError `bad_signature`, `unsupported_algorithm`,
 * `unknown_key` or `wrong_signature`.
 */
export function verifyJws(jws: string, keys: readonly VerificationKey[]): unknown {
  const [head, payload, signature, ...rest] = jws.split('.');
  if (head === undefined || payload === undefined || signature === undefined || rest.length > 0) throw malformed();
  const { alg, kid, ...others } = members(parsePart(head));
  if (alg !== 'RS256') throw new BundleError('unsupported_algorithm', "the signature's algorithm is not RS256");
  // `crit` and its like would change what the signature means.
  if (typeof kid !== 'string' || Object.keys(others).some((name) => name !== 'typ')) throw malformed();
  const key = keys.find((candidate) => candidate.kid === kid);
  if (key === undefined) throw new BundleError('unknown_key', 'the signature names a key that is not trusted here');
  if (!verify('sha256', Buffer.from(`${head}.${payload}`, 'ascii'), publicKey(key.publicKeyPem), decode(signature))) {
    throw new BundleError('wrong_signature', `the signature does not fit the key \`${key.kid}\``);
  }
  return parsePart(payload);
}

/** The members of a JSON object; of anything else, none. */
export function members(value: unknown): { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function parsePart(part: string): unknown {
  try {
    return parseJson(decode(part));
  } catch (cause) {
    throw new BundleError('bad_signature', 'the signature is malformed', { cause });
  }
}

/** Only the one encoding of the bytes is taken, so that no character of a signature can change unnoticed. */
function decode(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) throw malformed();
  return bytes;
}

function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}

function malformed(): BundleError {
  return new BundleError('bad_signature', 'the signature is malformed');
}

function publicKey(pem: string): KeyObject {
  return rsa(() => {
    // createPublicKey takes a private key too, and derives: a trust list that holds private keys is a mistake to show.
    if (!pem.includes('-----BEGIN PUBLIC KEY-----')) throw new Error('not an SPKI public key');
    return createPublicKey(pem);
  });
}

function privateKey(pem: string): KeyObject {
  return rsa(() => createPrivateKey(pem));
}

function rsa(load: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = load();
  } catch (cause) {
    throw new BundleError('bad_key', 'the key cannot be read', { cause });
  }
  if (key.asymmetricKeyType !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) < RSA_BITS_MIN) {
    throw new BundleError('bad_key', `a bundle key is an RSA key of at least ${RSA_BITS_MIN} bits`);
  }
  return key;
}
