// JSON in the one form that OPA hashes structured files in: members sorted by their UTF-8 bytes, no spaces, no HTML
// escaping, numbers as integers. It takes no floats, because Go and JavaScript print some of them differently.
import { BundleError } from './bundle-error.ts';

const DEPTH_MAX = 64;

/**
 * The canonical text of a JSON value. Throws BundleError `bad_json` for what has no canonical form: floats, unsafe
 * integers, lone surrogates, undefined, nesting beyond 64.
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > DEPTH_MAX) throw new BundleError('bad_json', `the JSON is nested deeper than ${DEPTH_MAX} levels`);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return canonicalNumber(value);
  if (typeof value === 'string') return canonicalText(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value).sort(([a], [b]) => compareUtf8(a, b));
    return `{${members.map(([name, member]) => `${canonicalText(name)}:${canonicalJson(member, depth + 1)}`).join(',')}}`;
  }
  throw new BundleError('bad_json', `a ${typeof value} has no JSON form`);
}

/** The canonical bytes of a JSON document given as bytes. Throws BundleError `bad_json`. */
export function canonicalJsonBytes(bytes: Uint8Array): Uint8Array {
  return new TextEncoder().encode(canonicalJson(parseJson(bytes)));
}

/** Parses UTF-8 JSON. Throws BundleError `bad_json`. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new BundleError('bad_json', 'the file is not JSON in UTF-8', { cause });
  }
}

export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

function canonicalNumber(value: number): string {
  if (!Number.isSafeInteger(value))
    throw new BundleError('bad_json', `the number ${value} is not an integer that is exact everywhere`);
  return Object.is(value, -0) ? '0' : String(value);
}

function canonicalText(text: string): string {
  if (!text.isWellFormed()) throw new BundleError('bad_json', 'a text has half a surrogate pair');
  // Go escapes these two, JavaScript does not.
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
