// Tar archives (POSIX ustar) of plain files, with every field that could differ between machines fixed. It reads
// nothing but plain files: links, devices, folders and extended headers are refused, not skipped, because a reader that
// skips sees another archive than one that does not.
import { BundleError } from './bundle-error.ts';
import { compareUtf8 } from './canonical-json.ts';
import type { BundleFiles } from './bundle-paths.ts';

const BLOCK = 512;
const NAME_BYTES_MAX = 100;
const PREFIX_BYTES_MAX = 155;

export interface TarLimits {
  readonly bytesMax: number;
  readonly filesMax: number;
}

/** The archive, entries sorted by path. Throws BundleError `bad_path` for paths that tar or a reader cannot hold. */
export function writeTar(files: BundleFiles): Uint8Array {
  const entries = [...files].sort(([a], [b]) => compareUtf8(a, b));
  const blocks: Uint8Array[] = [];
  for (const [path, bytes] of entries) {
    blocks.push(header(path, bytes.length), bytes, new Uint8Array(padding(bytes.length)));
  }
  blocks.push(new Uint8Array(2 * BLOCK));
  return Buffer.concat(blocks);
}

/** The files of an archive. Throws BundleError. */
export function readTar(tar: Uint8Array, limits: TarLimits): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  let total = 0;
  let at = 0;
  for (;;) {
    const head = tar.subarray(at, at + BLOCK);
    if (head.length < BLOCK) throw new BundleError('truncated', 'the archive ends before its end marker');
    if (isZero(head)) break;
    const entry = readHeader(head);
    if (files.has(entry.path)) throw new BundleError('duplicate_path', `\`${entry.path}\` stands twice in the archive`);
    if (files.size === limits.filesMax)
      throw new BundleError('too_many_files', `the archive has more than ${limits.filesMax} files`);
    total += entry.size;
    if (total > limits.bytesMax)
      throw new BundleError('too_large', `the files have more than ${limits.bytesMax} bytes`);
    const start = at + BLOCK;
    if (start + entry.size > tar.length) throw new BundleError('truncated', `\`${entry.path}\` is cut off`);
    // A copy: a view would keep the whole archive in memory.
    files.set(entry.path, Uint8Array.from(tar.subarray(start, start + entry.size)));
    at = start + entry.size + padding(entry.size);
  }
  if (tar.length < at + 2 * BLOCK) throw new BundleError('truncated', 'the archive ends before its end marker');
  if (!isZero(tar.subarray(at))) throw new BundleError('not_tar', "something follows the archive's end marker");
  return files;
}

/**
 * Throws BundleError `bad_path` unless the path is absolute, in normal form, and means the same file to every reader.
 */
export function assertPath(path: string): void {
  const good =
    path.startsWith('/') &&
    path.isWellFormed() &&
    // Control characters, and what some system takes for a separator or a drive.
    !/[\u0000-\u001f\u007f\\:]/u.test(path) &&
    path
      .slice(1)
      .split('/')
      .every((segment) => segment !== '' && segment !== '.' && segment !== '..');
  if (!good) throw new BundleError('bad_path', `\`${printable(path)}\` is not a path that a bundle may hold`);
}

function header(path: string, size: number): Uint8Array {
  assertPath(path);
  const { name, prefix } = split(path);
  const block = new Uint8Array(BLOCK);
  block.set(name, 0);
  block.set(ascii('0000644\0'), 100);
  block.set(ascii('0000000\0'), 108);
  block.set(ascii('0000000\0'), 116);
  block.set(ascii(`${octal(size, 11)}\0`), 124);
  block.set(ascii('00000000000\0'), 136);
  block.set(ascii('0'), 156);
  block.set(ascii('ustar\0' + '00'), 257);
  block.set(ascii('0000000\0'), 329);
  block.set(ascii('0000000\0'), 337);
  block.set(prefix, 345);
  block.set(ascii(`${octal(checksum(block), 6)}\0 `), 148);
  return block;
}

/** A long path is cut at a slash: POSIX puts the part before it into `prefix`. */
function split(path: string): { readonly name: Uint8Array; readonly prefix: Uint8Array } {
  const bytes = Buffer.from(path, 'utf8');
  if (bytes.length <= NAME_BYTES_MAX) return { name: bytes, prefix: new Uint8Array() };
  for (let cut = Math.min(PREFIX_BYTES_MAX, bytes.length - 1); cut > 0; cut--) {
    if (bytes[cut] === 0x2f && bytes.length - cut - 1 <= NAME_BYTES_MAX)
      return { name: bytes.subarray(cut + 1), prefix: bytes.subarray(0, cut) };
  }
  throw new BundleError('bad_path', `the path \`${printable(path)}\` is too long for a bundle`);
}

function readHeader(head: Uint8Array): { readonly path: string; readonly size: number } {
  if (readOctal(head, 148, 8) !== checksum(head) || text(head, 257, 5) !== 'ustar')
    throw new BundleError('not_tar', 'a header of the archive is damaged');
  const kind = head[156];
  if (kind !== 0x30 && kind !== 0)
    throw new BundleError('not_a_file', 'the archive holds something that is not a plain file');
  const prefix = text(head, 345, PREFIX_BYTES_MAX);
  const name = text(head, 0, NAME_BYTES_MAX);
  const path = prefix === '' ? name : `${prefix}/${name}`;
  assertPath(path);
  return { path, size: readOctal(head, 124, 12) };
}

function text(block: Uint8Array, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(end < 0 ? field : field.subarray(0, end));
  } catch (cause) {
    throw new BundleError('bad_path', 'a name in the archive is not UTF-8', { cause });
  }
}

function readOctal(block: Uint8Array, offset: number, length: number): number {
  const digits = /^ *([0-7]+)[\0 ]*$/.exec(
    Buffer.from(block.subarray(offset, offset + length)).toString('latin1'),
  )?.[1];
  if (digits === undefined) throw new BundleError('not_tar', 'a header of the archive is damaged');
  return Number.parseInt(digits, 8);
}

/** The sum of the header's bytes, its own field read as spaces. */
function checksum(block: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : (block[i] ?? 0);
  return sum;
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function ascii(content: string): Uint8Array {
  return Buffer.from(content, 'latin1');
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function printable(path: string): string {
  return path.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?');
}
