// Keys on disk, as `writ keys` leaves them. A boundary file: it touches disk. Private keys are 0600 in a 0700 folder,
// never overwritten, and refused when others can read them.
//
//   bundle/signing.key           the key that signs bundles (private)
//   bundle/trusted/<kid>.pem     every public key that is accepted; several during a rotation
//   mtls/ca.crt, mtls/ca.key     the authority
//   mtls/<name>.crt, .key        control-plane, node-<name>, admin-<name>, reviewer-<name>
//   deployment.key               of what pseudonyms and receipts are made (private)
//   jwt/issuer.key, jwt/jwks.json  the demo's issuer
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SigningKey, VerificationKey } from '../../compiler/bundle/jws.ts';
import { DeploymentKey } from '../../proto/deployment-key.ts';
import { createBundleKey, signingKeyOf, verificationKeyOf } from './bundle-key.ts';
import { createAuthority, issueCertificate } from './certificate.ts';
import type { Credential, Owner, Role } from './certificate.ts';
import { createJwtIssuer, jwtIssuerOf } from './jwt-issuer.ts';
import type { JwtIssuer } from './jwt-issuer.ts';

const DEPLOYMENT_KEY_FILE = 'deployment.key';

export class KeyFileError extends Error {
  /** `another`: not the one that was used before. `exists`: a key is never overwritten. `readable_by_others`: chmod 600 it. */
  readonly code: 'another' | 'damaged' | 'exists' | 'missing' | 'readable_by_others' | 'unwritable';

  constructor(
    code: 'another' | 'damaged' | 'exists' | 'missing' | 'readable_by_others' | 'unwritable',
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = 'KeyFileError';
    this.code = code;
  }
}

export interface NewKeys {
  /** DNS names and IP addresses of the control plane. */
  readonly hosts: readonly string[];
  readonly nodes: readonly string[];
  readonly admins: readonly string[];
  readonly now: number;
}

/** Makes all keys of an installation in a folder. Throws KeyFileError `exists` when it has some already. */
export function createKeyFolder(folder: string, keys: NewKeys): void {
  createBundleKeyIn(folder);
  writeCredential(folder, 'ca', createAuthority(keys.now));
  addCertificate(folder, { kind: 'control-plane' }, keys.hosts, keys.now);
  for (const name of keys.nodes) addCertificate(folder, { kind: 'node', name }, [], keys.now);
  for (const name of keys.admins) addCertificate(folder, { kind: 'admin', name }, [], keys.now);
  deploymentKeyIn(folder);
  const issuer = createJwtIssuer();
  writePrivate(join(folder, 'jwt', 'issuer.key'), issuer.privateKeyPem);
  writeFileSync(join(folder, 'jwt', 'jwks.json'), `${JSON.stringify(issuer.jwks, null, 2)}\n`);
}

/** One more certificate under the folder's authority. */
export function addCertificate(folder: string, role: Role, hosts: readonly string[], now: number): Credential {
  const credential = issueCertificate(readCredential(folder, 'ca'), role, hosts, now);
  writeCredential(folder, credentialName(role), credential);
  return credential;
}

/**
 * A new bundle key: the old one's public half stays trusted until somebody removes it. `replace` puts it in the place
 * of the current one.
 */
export function createBundleKeyIn(
  folder: string,
  options: { readonly replace: boolean } = { replace: false },
): SigningKey {
  const path = join(folder, 'bundle', 'signing.key');
  const { signing, verification } = createBundleKey();
  const trusted = join(folder, 'bundle', 'trusted');
  mkdirSync(trusted, { recursive: true, mode: 0o700 });
  if (options.replace && existsSync(path)) {
    writeFileSync(path, signing.privateKeyPem, { mode: 0o600 });
    chmodSync(path, 0o600);
  } else {
    writePrivate(path, signing.privateKeyPem);
  }
  writeFileSync(join(trusted, `${verification.kid}.pem`), verification.publicKeyPem);
  return signing;
}

/** Throws KeyFileError. */
export function readSigningKey(folder: string): SigningKey {
  return signingKeyOf(readPrivate(join(folder, 'bundle', 'signing.key')));
}

/** Every public key that bundles may be signed with. Throws KeyFileError. */
export function readTrustedKeys(folder: string): VerificationKey[] {
  const trusted = join(folder, 'bundle', 'trusted');
  if (!existsSync(trusted)) throw new KeyFileError('missing', `no trusted keys in \`${trusted}\``);
  return readdirSync(trusted)
    .filter((name) => name.endsWith('.pem'))
    .sort()
    .map((name) => verificationKeyOf(readText(join(trusted, name))));
}

/** The certificate and key of a role, with the authority's certificate. Throws KeyFileError. */
export function readRole(folder: string, role: Owner): Credential & { readonly authorityPem: string } {
  return { ...readCredential(folder, credentialName(role)), authorityPem: readText(join(folder, 'mtls', 'ca.crt')) };
}

/** Which key was used before, and whether another may take its place. */
export interface KeyBefore {
  /** Undefined where none was. */
  readonly usedMark: string | undefined;
  readonly mayBeNew: boolean;
}

/**
 * The key of the deployment's pseudonyms and receipts, made where the folder has none: folders of before have none. Where
 * one was used, another makes all pseudonyms new ones, so that it is taken only where it may be. Throws KeyFileError.
 */
export function deploymentKeyIn(
  folder: string,
  { usedMark, mayBeNew }: KeyBefore = { usedMark: undefined, mayBeNew: true },
): DeploymentKey {
  const path = join(folder, DEPLOYMENT_KEY_FILE);
  const isBound = usedMark !== undefined && !mayBeNew;
  if (!existsSync(path)) {
    if (isBound) throw new KeyFileError('missing', `\`${path}\` is gone, and this control plane has used one`);
    writePrivate(path, DeploymentKey.random().revealText());
  }
  const key = readDeploymentKey(path);
  if (isBound && key.mark() !== usedMark)
    throw new KeyFileError('another', `\`${path}\` is not the key that this control plane has used`);
  return key;
}

/** Throws KeyFileError. */
export function readDeploymentKey(path: string): DeploymentKey {
  const key = DeploymentKey.parse(readPrivate(path));
  if (key === undefined) throw new KeyFileError('damaged', `\`${path}\` does not hold 64 hex digits`);
  return key;
}

export function readJwtIssuer(folder: string): JwtIssuer {
  return jwtIssuerOf(readPrivate(join(folder, 'jwt', 'issuer.key')));
}

function credentialName(role: Owner): string {
  return role.kind === 'control-plane' ? role.kind : `${role.kind}-${role.name}`;
}

function readCredential(folder: string, name: string): Credential {
  return {
    certificatePem: readText(join(folder, 'mtls', `${name}.crt`)),
    privateKeyPem: readPrivate(join(folder, 'mtls', `${name}.key`)),
  };
}

function writeCredential(folder: string, name: string, credential: Credential): void {
  writePrivate(join(folder, 'mtls', `${name}.key`), credential.privateKeyPem);
  writeFileSync(join(folder, 'mtls', `${name}.crt`), credential.certificatePem);
}

export function writePrivate(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(path, content, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    if (existsSync(path))
      throw new KeyFileError('exists', `\`${path}\` exists already, and a key is never overwritten`, { cause });
    throw new KeyFileError('unwritable', `\`${path}\` cannot be written`, { cause });
  }
}

/** A file with a secret in it. Throws KeyFileError, also where others than its owner can read it. */
export function readPrivate(path: string): string {
  const content = readText(path);
  if ((lstatSync(path).mode & 0o077) !== 0)
    throw new KeyFileError(
      'readable_by_others',
      `others can read the private key \`${path}\`: run \`chmod 600\` on it`,
    );
  return content;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new KeyFileError('missing', `\`${path}\` cannot be read`, { cause });
  }
}
