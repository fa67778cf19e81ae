// The door that every bundle passes before anything of it runs. What comes out was signed by a trusted key, file by
// file, and nothing else was in the container: a bundle has exactly one encoding, so one changed byte anywhere is
// refused. It fixes OPA's gap, which takes unsigned bundles when no key is configured: here unsigned never loads.
import { BundleError } from './bundle-error.ts';
import { BUNDLE_PATHS, MANIFEST_PATH, SIGNATURES_PATH } from './bundle-paths.ts';
import type { BundleFiles } from './bundle-paths.ts';
import { canonicalJson, parseJson } from './canonical-json.ts';
import { members, verifyJws } from './jws.ts';
import type { VerificationKey } from './jws.ts';
import { BUNDLE_LIMITS, readBundle } from './read-bundle.ts';
import type { BundleLimits } from './read-bundle.ts';
import { contentHash, manifestBytes, packBundle, sha256 } from './write-bundle.ts';
import type { ManifestFields } from './write-bundle.ts';

export interface VerifiedBundle {
  /** The content hash, 64 hex digits. */
  readonly revision: string;
  /** SHA-256 (hex) of the bundle's bytes. */
  readonly digest: string;
  readonly policy: string;
  readonly compilerVersion: string;
  readonly sourceHash: string;
  readonly planVersion: number;
  /** By path; see `BUNDLE_PATHS`. */
  readonly files: BundleFiles;
}

/**
 * Reads and verifies. `keys` are all that are trusted, several during a rotation. Throws BundleError; nothing else
 * means that the bundle is good.
 */
export function verifyBundle(
  bytes: Uint8Array,
  keys: readonly VerificationKey[],
  limits: BundleLimits = BUNDLE_LIMITS,
): VerifiedBundle {
  const files = readBundle(bytes, limits);
  const signed = signedHashes(files, keys);
  for (const path of signed.keys()) {
    if (!files.has(path)) throw new BundleError('missing_file', `\`${path}\` was signed and is not in the bundle`);
  }
  for (const [path, content] of files) {
    if (path === SIGNATURES_PATH) continue;
    const hash = signed.get(path);
    if (hash === undefined) throw new BundleError('extra_file', `\`${path}\` was not signed`);
    if (hash !== sha256(content)) throw new BundleError('wrong_hash', `\`${path}\` is not what was signed`);
  }
  const { hasWasm, ...manifest } = readManifest(files);
  if (manifest.revision !== revisionOf(files, { hasWasm, ...manifest }))
    throw new BundleError('wrong_revision', "the manifest's revision is not that of the content");
  if (Buffer.compare(packBundle(files), bytes) !== 0)
    throw new BundleError('not_canonical', 'the bundle is not in the one form that its content has');
  return { ...manifest, digest: sha256(bytes), files };
}

/** The signature's file list: path → SHA-256 in hex. */
function signedHashes(files: BundleFiles, keys: readonly VerificationKey[]): Map<string, string> {
  const file = files.get(SIGNATURES_PATH);
  if (file === undefined) throw new BundleError('unsigned', 'the bundle is not signed');
  const { signatures } = members(json(file));
  const jws: unknown = Array.isArray(signatures) && signatures.length === 1 ? signatures[0] : undefined;
  if (typeof jws !== 'string') throw new BundleError('bad_signature', 'the bundle must have exactly one signature');
  if (Buffer.from(file).toString('utf8') !== canonicalJson({ signatures: [jws] }))
    throw new BundleError('not_canonical', 'the signature file is not in its one form');
  const payload = members(verifyJws(jws, keys));
  const hashes = new Map<string, string>();
  if (!Array.isArray(payload['files'])) throw badList();
  for (const item of payload['files']) {
    const { name, hash, algorithm } = members(item);
    if (typeof name !== 'string' || typeof hash !== 'string' || algorithm !== 'SHA-256' || hashes.has(`/${name}`))
      throw badList();
    hashes.set(`/${name}`, hash);
  }
  return hashes;
}

function badList(): BundleError {
  return new BundleError('bad_signature', 'the signature does not list the files as it must');
}

function json(file: Uint8Array): unknown {
  try {
    return parseJson(file);
  } catch (cause) {
    throw new BundleError('bad_signature', 'the signature file is malformed', { cause });
  }
}

/** Reads the manifest and holds it to the one form that the writer gives it. */
function readManifest(files: BundleFiles): ManifestFields {
  const file = files.get(MANIFEST_PATH);
  if (file === undefined) throw new BundleError('bad_manifest', 'the bundle has no manifest');
  const manifest = members(parseJson(file));
  const writ = members(members(manifest['metadata'])['writ']);
  const fields: ManifestFields = {
    policy: text(writ['policy']),
    compilerVersion: text(writ['compiler_version']),
    sourceHash: text(writ['source_hash']),
    planVersion: typeof writ['plan_version'] === 'number' ? writ['plan_version'] : 0,
    hasWasm: files.has(BUNDLE_PATHS.policyWasm),
    revision: text(manifest['revision']),
  };
  if (Buffer.compare(manifestBytes(fields), file) !== 0)
    throw new BundleError('bad_manifest', 'the manifest is not one that this version writes');
  return fields;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new BundleError('bad_manifest', 'the manifest lacks a field');
  return value;
}

function revisionOf(files: BundleFiles, fields: ManifestFields): string {
  return contentHash(new Map(files).set(MANIFEST_PATH, manifestBytes({ ...fields, revision: '' })));
}
