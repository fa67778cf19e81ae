// Files in, the bytes of an OPA bundle out: the same files and the same key give the same bytes, in any folder, on any
// machine. It does not decide what a bundle holds.
import { createHash } from 'node:crypto';
import { BundleError } from './bundle-error.ts';
import {
  BUNDLE_BYTES_MAX,
  BUNDLE_FILES_MAX,
  BUNDLE_PATHS,
  ENTRYPOINT,
  MANIFEST_PATH,
  SIGNATURES_PATH,
} from './bundle-paths.ts';
import type { BundleFiles } from './bundle-paths.ts';
import { canonicalJson, canonicalJsonBytes, compareUtf8 } from './canonical-json.ts';
import { writeGzip } from './gzip.ts';
import { signJws } from './jws.ts';
import type { SigningKey } from './jws.ts';
import { assertPath, writeTar } from './tar.ts';

export interface BundleOptions {
  /** The policy set's name, which releases repeat. */
  readonly policy: string;
  readonly compilerVersion: string;
  /** `Plan.sourceHash`. */
  readonly sourceHash: string;
  readonly planVersion: number;
  /** Without one, no sidecar or control plane takes the bundle. */
  readonly key?: SigningKey;
}

/** Base names that OPA reads in any folder, and the one path where each may stand. */
const OPA_NAMES: { readonly [name: string]: string | null } = {
  'data.json': BUNDLE_PATHS.data,
  'policy.wasm': BUNDLE_PATHS.policyWasm,
  'plan.json': null,
  'plan.pb': null,
  'data.yaml': null,
  'data.yml': null,
  'patch.json': null,
  '.signatures.json': null,
};

/**
 * A signed (or, without a key, unsigned) bundle. Paths begin with a slash; see `BUNDLE_PATHS`. Throws BundleError for
 * paths, sizes and JSON that a bundle cannot hold, and for a bad key.
 */
export function writeBundle(files: BundleFiles, options: BundleOptions): Uint8Array {
  const content = new Map<string, Uint8Array>();
  for (const [path, bytes] of files) {
    assertWritable(path);
    content.set(path, path === BUNDLE_PATHS.data ? canonicalJsonBytes(bytes) : bytes);
  }
  content.set(
    MANIFEST_PATH,
    manifestBytes({ ...options, hasWasm: content.has(BUNDLE_PATHS.policyWasm), revision: '' }),
  );
  content.set(
    MANIFEST_PATH,
    manifestBytes({ ...options, hasWasm: content.has(BUNDLE_PATHS.policyWasm), revision: contentHash(content) }),
  );
  if (options.key !== undefined) content.set(SIGNATURES_PATH, signatureBytes(content, options.key));
  assertSize(content);
  return packBundle(content);
}

/** The container alone: tar, gzip, nothing added. */
export function packBundle(files: BundleFiles): Uint8Array {
  return writeGzip(writeTar(files));
}

/**
 * A bundle's revision: the SHA-256 (hex) over every file's SHA-256 and path, sorted by path, with an empty revision in
 * the manifest and without the signature. The key has no part in it.
 */
export function contentHash(files: BundleFiles): string {
  const hash = createHash('sha256');
  for (const [path, bytes] of [...files].sort(([a], [b]) => compareUtf8(a, b))) {
    if (path !== SIGNATURES_PATH) hash.update(`${sha256(bytes)} ${path}\n`);
  }
  return hash.digest('hex');
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export interface ManifestFields {
  readonly policy: string;
  readonly compilerVersion: string;
  readonly sourceHash: string;
  readonly planVersion: number;
  readonly hasWasm: boolean;
  readonly revision: string;
}

/** The manifest in its one form. */
export function manifestBytes(fields: ManifestFields): Uint8Array {
  const manifest = {
    revision: fields.revision,
    roots: ['writ'],
    rego_version: 1,
    metadata: {
      writ: {
        policy: fields.policy,
        compiler_version: fields.compilerVersion,
        plan_version: fields.planVersion,
        source_hash: fields.sourceHash,
      },
    },
    ...(fields.hasWasm ? { wasm: [{ entrypoint: ENTRYPOINT, module: BUNDLE_PATHS.policyWasm }] } : {}),
  };
  return Buffer.from(canonicalJson(manifest), 'utf8');
}

/** `.signatures.json`: the names stand without their leading slash, as OPA wants them. */
function signatureBytes(files: BundleFiles, key: SigningKey): Uint8Array {
  const signed = [...files]
    .sort(([a], [b]) => compareUtf8(a, b))
    .map(([path, bytes]) => ({ name: path.slice(1), hash: sha256(bytes), algorithm: 'SHA-256' }));
  return Buffer.from(canonicalJson({ signatures: [signJws({ files: signed }, key)] }), 'utf8');
}

function assertWritable(path: string): void {
  assertPath(path);
  const name = path.slice(path.lastIndexOf('/') + 1);
  const only = Object.hasOwn(OPA_NAMES, name) ? OPA_NAMES[name] : path;
  if (only !== path || name.endsWith('.manifest'))
    throw new BundleError('bad_path', `OPA would take \`${path}\` for a file of its own`);
}

function assertSize(files: BundleFiles): void {
  if (files.size > BUNDLE_FILES_MAX)
    throw new BundleError('too_many_files', `a bundle has at most ${BUNDLE_FILES_MAX} files`);
  let total = 0;
  for (const bytes of files.values()) total += bytes.length;
  if (total > BUNDLE_BYTES_MAX)
    throw new BundleError('too_large', `the files of a bundle have at most ${BUNDLE_BYTES_MAX} bytes`);
}
