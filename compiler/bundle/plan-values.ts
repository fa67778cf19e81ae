// Lists and texts of a bundle's JSON, which what is read of it shares. `malformed` makes the error of the reader.
import type { BundleError } from './bundle-error.ts';

/** Absent is empty: an older compiler's bundle has none, and most plans say nothing of much. */
export function listOf(value: unknown, malformed: () => BundleError): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw malformed();
  return value;
}

export function textOf(value: unknown, malformed: () => BundleError): string {
  if (typeof value !== 'string') throw malformed();
  return value;
}
