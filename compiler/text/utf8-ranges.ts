/** A range of code points as sequences of byte ranges: what an automaton over UTF-8 reads. */

export type ByteRanges = readonly (readonly [number, number])[];

const SURROGATES_FROM = 0xd800;
const SURROGATES_TO = 0xdfff;
/** Last code point of each length. */
const LENGTH_ENDS = [0x7f, 0x7ff, 0xffff, 0x10ffff];

/** Every character from `from` to `to` and no other bytes; surrogates are left out. */
export function utf8Ranges(from: number, to: number): readonly ByteRanges[] {
  if (from > to) return [];
  if (from <= SURROGATES_TO && to >= SURROGATES_FROM)
    return [...utf8Ranges(from, SURROGATES_FROM - 1), ...utf8Ranges(SURROGATES_TO + 1, to)];
  for (const end of LENGTH_ENDS)
    if (from <= end && to > end) return [...utf8Ranges(from, end), ...utf8Ranges(end + 1, to)];
  const length = LENGTH_ENDS.findIndex((end) => to <= end) + 1;
  // Cut where a lead byte or an inner byte would change while the bytes behind it do not run through all their values.
  for (let tail = 1; tail < length; tail += 1) {
    const mask = (1 << (6 * tail)) - 1;
    if ((from & ~mask) === (to & ~mask)) continue;
    if ((from & mask) !== 0) return [...utf8Ranges(from, from | mask), ...utf8Ranges((from | mask) + 1, to)];
    if ((to & mask) !== mask) return [...utf8Ranges(from, (to & ~mask) - 1), ...utf8Ranges(to & ~mask, to)];
  }
  const low = encode(from);
  const high = encode(to);
  return [low.map((byte, i) => [byte, high[i] ?? byte])];
}

function encode(codePoint: number): readonly number[] {
  return [...new TextEncoder().encode(String.fromCodePoint(codePoint))];
}
