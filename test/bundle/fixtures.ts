// One signed bundle with every kind of file, and ways to take it apart and put it together wrongly.
import { generateKeyPairSync } from 'node:crypto';
import { BundleError } from '../../compiler/bundle/bundle-error.ts';
import { BUNDLE_PATHS, SIGNATURES_PATH, sourcePath } from '../../compiler/bundle/bundle-paths.ts';
import type { BundleFiles } from '../../compiler/bundle/bundle-paths.ts';
import { canonicalJson } from '../../compiler/bundle/canonical-json.ts';
import { keyId, signJws } from '../../compiler/bundle/jws.ts';
import type { SigningKey, VerificationKey } from '../../compiler/bundle/jws.ts';
import { sha256, writeBundle } from '../../compiler/bundle/write-bundle.ts';
import type { BundleOptions } from '../../compiler/bundle/write-bundle.ts';

export interface KeyPair {
  readonly signing: SigningKey;
  readonly verification: VerificationKey;
}

export function newKey(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const kid = keyId(publicKey);
  return { signing: { kid, privateKeyPem: privateKey }, verification: { kid, publicKeyPem: publicKey } };
}

export const key = newKey();
export const otherKey = newKey();

export const unsigned: BundleOptions = {
  policy: 'acme',
  compilerVersion: '0.1.0',
  sourceHash: '0'.repeat(64),
  planVersion: 1,
};
export const signed: BundleOptions = { ...unsigned, key: key.signing };

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Every kind of file. The Rego is such that real OPA loads it. */
export const files: BundleFiles = new Map([
  [BUNDLE_PATHS.data, bytes('{ "writ": {"models": ["b", "a"], "é\u2028<&>": 9007199254740991} }')],
  [BUNDLE_PATHS.rego, bytes('package writ\n\nimport rego.v1\n\ndecision := {"outcome": "deny"}\n')],
  [BUNDLE_PATHS.filterWasm, new Uint8Array(70_000).fill(7)],
  [BUNDLE_PATHS.plan, bytes('{"version":1}')],
  [BUNDLE_PATHS.reportText, bytes('A report.\n')],
  [BUNDLE_PATHS.inputSchema, bytes('{"type":"object"}')],
  [sourcePath('acme.writ'), bytes('policy acme\n')],
  [sourcePath(`${'a-long-folder-name/'.repeat(6)}politik-äöü.writ`), bytes('')],
]);

export const good = writeBundle(files, signed);

/** The signature file for files as they are, whatever they are. */
export function signatureFor(content: BundleFiles, signing: SigningKey = key.signing): Uint8Array {
  const list = [...content]
    .filter(([path]) => path !== SIGNATURES_PATH)
    .map(([path, file]) => ({ name: path.slice(1), hash: sha256(file), algorithm: 'SHA-256' }));
  return bytes(canonicalJson({ signatures: [signJws({ files: list }, signing)] }));
}

/** The code with which an action was refused; empty when it was not. */
export function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof BundleError) return error.code;
    throw error;
  }
  return '';
}
