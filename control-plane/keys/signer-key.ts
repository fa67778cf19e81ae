// Keys of signers of feeds, on disk: signers/NAME.key (private, 0600) and signers/NAME.pem. They are RSA keys like those
// of bundles, and sign nothing else. A boundary file: it touches disk.
import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SigningKey, VerificationKey } from '../../compiler/bundle/jws.ts';
import { createBundleKey, signingKeyOf, verificationKeyOf } from './bundle-key.ts';
import { KeyFileError, writePrivate } from './key-folder.ts';
import { createPublicKey } from 'node:crypto';

export function signerKeyPath(folder: string, name: string): string {
  return join(folder, 'signers', `${name}.key`);
}

/** Throws KeyFileError `exists`. */
export function createSignerKey(folder: string, name: string): VerificationKey {
  const { signing, verification } = createBundleKey();
  writePrivate(signerKeyPath(folder, name), signing.privateKeyPem);
  writeFileSync(join(folder, 'signers', `${name}.pem`), verification.publicKeyPem);
  return verification;
}

/** Throws KeyFileError, and BundleError where it is no key. */
export function readSignerKey(path: string): { readonly signing: SigningKey; readonly verification: VerificationKey } {
  const pem = read(path);
  if ((lstatSync(path).mode & 0o077) !== 0)
    throw new KeyFileError(
      'readable_by_others',
      `others can read the private key \`${path}\`: run \`chmod 600\` on it`,
    );
  const signing = signingKeyOf(pem);
  const publicKeyPem = createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString();
  return { signing, verification: verificationKeyOf(publicKeyPem) };
}

export function readPublicKey(path: string): VerificationKey {
  return verificationKeyOf(read(path));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new KeyFileError('missing', `\`${path}\` cannot be read`, { cause });
  }
}
