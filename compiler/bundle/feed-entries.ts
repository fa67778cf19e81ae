// The entries of a list's feed: each is the first 16 bytes of SHA-256(salt, value). Values are hashed where they are
// signed and nowhere later, because such a list may name people: neither the control plane, its database, Envoy's
// configuration dump nor a sidecar's disk holds a name then, and all entries have one length, however long the values.
// A hash is no secret for values that can be guessed; 16 bytes, because nobody may find a value that passes for another.
import { createHash } from 'node:crypto';
import { BundleError } from './bundle-error.ts';

export const SALT_BYTES = 16;
export const ENTRY_BYTES = 16;
/** UTF-8 bytes of one value. */
export const VALUE_BYTES_MAX = 1_024;
const DAY_MS = 86_400_000;

/** A value as people write it, for a list of this element type. Throws BundleError `bad_value`. */
export function hashedValue(element: string, written: string): string {
  const [kind, ...words] = element.split(' ');
  switch (kind) {
    case 'text':
    case 'enum': {
      const bytes = Buffer.byteLength(written);
      if (bytes === 0 || bytes > VALUE_BYTES_MAX || !written.isWellFormed())
        throw new BundleError('bad_value', `a text of a list has 1 to ${VALUE_BYTES_MAX} bytes of UTF-8`);
      return written;
    }
    case 'date':
      return String(dayNumber(written));
    case 'bool':
      if (written !== 'true' && written !== 'false')
        throw new BundleError('bad_value', 'this list holds true and false');
      return written === 'true' ? '1' : '0';
    case 'number':
      return scaled(written, Number(words[0]), words.slice(1).join(' '));
    default:
      throw new BundleError('bad_value', 'the type of the list is not known to this version');
  }
}

/** One entry; `value` is that of `hashedValue`. */
export function entryOf(salt: Uint8Array, value: string): Uint8Array {
  return createHash('sha256').update(salt).update(value, 'utf8').digest().subarray(0, ENTRY_BYTES);
}

/** Sorted, without doubles, one behind the other. */
export function packEntries(entries: Iterable<Uint8Array>): Uint8Array {
  const unique = new Map([...entries].map((entry) => [Buffer.from(entry).toString('hex'), entry]));
  return Buffer.concat([...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry));
}

export function unpackEntries(packed: Uint8Array): Uint8Array[] {
  return Array.from({ length: packed.length / ENTRY_BYTES }, (_, at) =>
    packed.subarray(at * ENTRY_BYTES, (at + 1) * ENTRY_BYTES),
  );
}

/** Whether they are whole, sorted and without doubles: what a binary search needs. */
export function areEntries(packed: Uint8Array): boolean {
  if (packed.length % ENTRY_BYTES !== 0) return false;
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let at = ENTRY_BYTES; at < bytes.length; at += ENTRY_BYTES)
    if (bytes.compare(bytes, at, at + ENTRY_BYTES, at - ENTRY_BYTES, at) >= 0) return false;
  return true;
}

function dayNumber(written: string): number {
  const instant = Date.parse(`${written}T00:00:00Z`);
  // Parsers take other forms, too, and a 30 February for a day in March.
  if (Number.isNaN(instant) || new Date(instant).toISOString().slice(0, 10) !== written)
    throw new BundleError('bad_value', 'this list holds dates, such as 2026-12-25');
  return instant / DAY_MS;
}

/** The integer that a decimal number is at a scale. */
function scaled(written: string, scale: number, unit: string): string {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d{1,16})(?:\.(\d{1,15}))?$/.exec(written) ?? [];
  const kept = fraction.replace(/0+$/, '');
  const digits = BigInt(`${whole}${kept.padEnd(scale, '0')}` || '0');
  if (whole === '' || kept.length > scale || digits > BigInt(Number.MAX_SAFE_INTEGER))
    throw new BundleError(
      'bad_value',
      `this list holds numbers${unit === '' ? '' : ` of ${unit}`}${scale === 0 ? '' : ` with at most ${scale} digits after the point`}`,
    );
  return digits === 0n ? '0' : `${sign}${digits}`;
}
