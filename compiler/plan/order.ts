/**
 * The one order of names, texts and paths in decisions, bundles and reports: by code point, which is the order of UTF-8
 * bytes and OPA's. JavaScript's own is by UTF-16 unit.
 */

export function compareText(left: string, right: string): number {
  const most = Math.min(left.length, right.length);
  for (let at = 0; at < most; at++) {
    const a = left.codePointAt(at)!;
    const b = right.codePointAt(at)!;
    if (a !== b) return a < b ? -1 : 1;
  }
  return left.length - right.length;
}

/** Sorted, without doubles. */
export function sortedSet(texts: Iterable<string>): readonly string[] {
  return [...new Set(texts)].sort(compareText);
}
