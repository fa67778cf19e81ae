// The files of a bundle, with every limit enforced and nothing verified: for tools that look into a bundle. Whatever
// enforces a policy calls `verifyBundle`.
import { BUNDLE_BYTES_MAX, BUNDLE_FILES_MAX } from './bundle-paths.ts';
import { BundleError } from './bundle-error.ts';
import { readGzip } from './gzip.ts';
import { readTar } from './tar.ts';

export interface BundleLimits {
  /** Of all files together. */
  readonly bytesMax: number;
  readonly filesMax: number;
}

export const BUNDLE_LIMITS: BundleLimits = { bytesMax: BUNDLE_BYTES_MAX, filesMax: BUNDLE_FILES_MAX };

/** What a file can need beyond its bytes: header and padding. */
const TAR_ENTRY_BYTES_MAX = 1_024;
const TAR_END_BYTES_MAX = 10_240;

/** Files by path. Throws BundleError. */
export function readBundle(bytes: Uint8Array, limits: BundleLimits = BUNDLE_LIMITS): Map<string, Uint8Array> {
  const tarBytesMax = limits.bytesMax + limits.filesMax * TAR_ENTRY_BYTES_MAX + TAR_END_BYTES_MAX;
  // Packed is never much larger than unpacked: 5 bytes for each 64 KiB, and the gzip frame.
  if (bytes.length > tarBytesMax + tarBytesMax / 1_024 + 1_024)
    throw new BundleError('too_large', 'the bundle is too large');
  return readTar(readGzip(bytes, tarBytesMax), limits);
}
