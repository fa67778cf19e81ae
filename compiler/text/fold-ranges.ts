/**
 * What folding does, as ranges of code points. Digits of every script (general category Nd) and in circles, full-width forms, dashes
 * and spaces become ASCII; invisible characters are dropped; everything else stays. The kernel reads these ranges from
 * the tables; patterns are folded by them too, so that a pattern may be written with the characters that it is meant to
 * find.
 */

export type Fold =
  | { readonly from: number; readonly to: number; readonly kind: 'drop' }
  /** Each becomes `becomes`. */
  | { readonly from: number; readonly to: number; readonly kind: 'same'; readonly becomes: number }
  /** `from` becomes `becomes`, the next one the next. */
  | { readonly from: number; readonly to: number; readonly kind: 'shift'; readonly becomes: number };

/** First digits of the decimal digits in Unicode 17, ASCII's own left out. */
const ZEROS = [
  0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
  0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0,
  0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0,
  0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50, 0x11da0,
  0x11de0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6,
  0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

const SPACE = 0x20;
const DASH = 0x2d;
const drop = (from: number, to = from): Fold => ({ from, to, kind: 'drop' });
const same = (becomes: number, from: number, to = from): Fold => ({ from, to, kind: 'same', becomes });

/** Sorted, disjoint, all above ASCII and outside U+00C0 to U+02FF. */
export const FOLDS: readonly Fold[] = [
  ...ZEROS.map((zero): Fold => ({ from: zero, to: zero + 9, kind: 'shift', becomes: 0x30 })),
  // Digits in circles, plain and double, white on black, and their zeros. Raised and lowered digits stay: at a number's
  // end they are a note's, and would hide it.
  { from: 0x2460, to: 0x2468, kind: 'shift', becomes: 0x31 } satisfies Fold,
  same(0x30, 0x24ea),
  { from: 0x24f5, to: 0x24fd, kind: 'shift', becomes: 0x31 } satisfies Fold,
  same(0x30, 0x24ff),
  { from: 0x2776, to: 0x277e, kind: 'shift', becomes: 0x31 } satisfies Fold,
  { from: 0x2780, to: 0x2788, kind: 'shift', becomes: 0x31 } satisfies Fold,
  { from: 0x278a, to: 0x2792, kind: 'shift', becomes: 0x31 } satisfies Fold,
  // Full-width signs, digits and letters.
  { from: 0xff01, to: 0xff5e, kind: 'shift', becomes: 0x21 } satisfies Fold,
  // Spaces: no-break, Ogham, en quad to hair, narrow, mathematical, ideographic.
  same(SPACE, 0xa0),
  same(SPACE, 0x1680),
  same(SPACE, 0x2000, 0x200a),
  same(SPACE, 0x202f),
  same(SPACE, 0x205f),
  same(SPACE, 0x3000),
  // Line ends: next line, line and paragraph separators.
  same(0x0a, 0x85),
  same(0x0a, 0x2028, 0x2029),
  // Dashes: Armenian, Hebrew, hyphen to horizontal bar, hyphen bullet, minus, two-em and three-em, wave, presentation
  // forms, small.
  same(DASH, 0x58a),
  same(DASH, 0x5be),
  same(DASH, 0x2010, 0x2015),
  same(DASH, 0x2043),
  same(DASH, 0x207b),
  same(DASH, 0x208b),
  same(DASH, 0x2212),
  same(DASH, 0x2e3a, 0x2e3b),
  same(DASH, 0xfe31, 0xfe32),
  same(DASH, 0xfe58),
  same(DASH, 0xfe63),
  // Full stops: middle dots and bullets, one dot leader, ideographic half-width, small; commercial at, small; plus, small and superscript;
  // colon, ratio.
  same(0x2e, 0xb7),
  same(0x2e, 0x2022),
  same(0x2e, 0x2024),
  same(0x2e, 0x2027),
  same(0x2e, 0x2219),
  same(0x2e, 0x22c5),
  same(0x2e, 0xfe52),
  same(0x40, 0xfe6b),
  same(0x2b, 0xfe62),
  same(0x2b, 0x207a),
  same(0x3a, 0x2236),
  same(0x3a, 0xfe55),
  same(0x2f, 0x2044),
  same(0x2f, 0x2215),
  // Invisible: soft hyphen, grapheme joiner, Arabic letter mark, Hangul and Khmer fillers, Mongolian selectors,
  // zero-width and directions, word joiner to deprecated controls, keycap, variation selectors, byte-order mark,
  // interlinear annotation, shorthand and musical controls, tags, supplementary variation selectors.
  drop(0xad),
  drop(0x34f),
  drop(0x61c),
  drop(0x115f, 0x1160),
  drop(0x17b4, 0x17b5),
  drop(0x180b, 0x180f),
  drop(0x200b, 0x200f),
  drop(0x202a, 0x202e),
  drop(0x2060, 0x206f),
  drop(0x20e3),
  drop(0x3164),
  drop(0xfe00, 0xfe0f),
  drop(0xfeff),
  drop(0xffa0),
  drop(0xfff0, 0xfffb),
  drop(0x1bca0, 0x1bca3),
  drop(0x1d173, 0x1d17a),
  drop(0xe0000, 0xe0fff),
].sort((a, b) => a.from - b.from);

/** The code point that a character is read as; null when it is dropped. */
export function foldCodePoint(codePoint: number): number | null {
  const fold = FOLDS.find(({ from, to }) => from <= codePoint && codePoint <= to);
  if (fold === undefined) return codePoint;
  if (fold.kind === 'drop') return null;
  return fold.becomes + (fold.kind === 'shift' ? codePoint - fold.from : 0);
}
