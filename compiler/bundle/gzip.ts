// Gzip whose bytes depend on the content alone. Deflate's output differs between versions of zlib, and in some builds
// between processors, so the writer stores instead of compressing: a bundle is a few hundred kilobytes, and the
// connections that carry it may compress. The reader takes any gzip.
import { crc32, gunzipSync } from 'node:zlib';
import { BundleError } from './bundle-error.ts';

const STORED_BYTES_MAX = 0xffff;

/** One gzip member of stored blocks, no name, no time, operating system "unknown". */
export function writeGzip(content: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)];
  for (let at = 0; ; at += STORED_BYTES_MAX) {
    const block = content.subarray(at, at + STORED_BYTES_MAX);
    const isLast = at + STORED_BYTES_MAX >= content.length;
    const head = new DataView(new ArrayBuffer(5));
    head.setUint8(0, isLast ? 1 : 0);
    head.setUint16(1, block.length, true);
    head.setUint16(3, block.length ^ 0xffff, true);
    parts.push(new Uint8Array(head.buffer), block);
    if (isLast) break;
  }
  const tail = new DataView(new ArrayBuffer(8));
  tail.setUint32(0, crc32(content), true);
  tail.setUint32(4, content.length % 2 ** 32, true);
  parts.push(new Uint8Array(tail.buffer));
  return Buffer.concat(parts);
}

/** Unpacks gzip to at most `bytesMax` bytes. Throws BundleError `not_gzip`, `truncated` or `too_large`. */
export function readGzip(bytes: Uint8Array, bytesMax: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: bytesMax });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw new BundleError('too_large', `the bundle unpacks to more than ${bytesMax} bytes`, { cause });
    if (code === 'Z_BUF_ERROR') throw new BundleError('truncated', 'the bundle is cut off', { cause });
    throw new BundleError('not_gzip', 'the bundle is not a gzip file, or it is damaged', { cause });
  }
}
