// Key pairs that sign bundles and releases. See compiler/bundle/jws.ts for why RSA.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { keyId } from '../../compiler/bundle/jws.ts';
import type { SigningKey, VerificationKey } from '../../compiler/bundle/jws.ts';

const RSA_BITS = 3072;

/** A new pair. Takes about a second. */
export function createBundleKey(): { readonly signing: SigningKey; readonly verification: VerificationKey } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: RSA_BITS,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const kid = keyId(publicKey);
  return { signing: { kid, privateKeyPem: privateKey }, verification: { kid, publicKeyPem: publicKey } };
}

/** A signing key from its PEM: the key's name follows from its public half. Throws BundleError `bad_key`. */
export function signingKeyOf(privateKeyPem: string): SigningKey {
  const publicKeyPem = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'pem' }).toString();
  return { kid: keyId(publicKeyPem), privateKeyPem };
}

/** Throws BundleError `bad_key`. */
export function verificationKeyOf(publicKeyPem: string): VerificationKey {
  return { kid: keyId(publicKeyPem), publicKeyPem };
}
