// The folding ranges against Unicode itself, and the compiler's parts that texts alone would not show.
import { describe, expect, test } from 'vitest';
import { FOLDS, foldCodePoint } from '../../compiler/text/fold-ranges.ts';
import { utf8Ranges } from '../../compiler/text/utf8-ranges.ts';
import { hostFor } from './engine.ts';

test('the ranges are sorted, disjoint, and leave ASCII and Latin letters alone', () => {
  let last = 0x7f;
  for (const { from, to } of FOLDS) {
    expect(from).toBeGreaterThan(last);
    expect(to).toBeGreaterThanOrEqual(from);
    expect(to < 0xc0 || from >= 0x300).toBe(true);
    last = to;
  }
});

test('every decimal digit of Unicode becomes its value', () => {
  let value = 0;
  for (let code = 0x80; code < 0x110000; code += 1) {
    if (!/\p{Nd}/u.test(String.fromCodePoint(code))) {
      value = 0;
      continue;
    }
    // Decimal digits stand in runs from 0 to 9.
    expect(foldCodePoint(code), code.toString(16)).toBe(0x30 + (value % 10));
    value += 1;
  }
});

test('what is ignorable by default is dropped', () => {
  const kept: string[] = [];
  for (let code = 0x80; code < 0x110000; code += 1) {
    if (/\p{Default_Ignorable_Code_Point}/u.test(String.fromCodePoint(code)) && foldCodePoint(code) !== null)
      kept.push(code.toString(16));
  }
  expect(kept).toEqual([]);
});

test('every space and dash of Unicode is one', () => {
  for (let code = 0x80; code < 0x110000; code += 1) {
    const character = String.fromCodePoint(code);
    if (/\p{Zs}/u.test(character)) expect(foldCodePoint(code), code.toString(16)).toBe(0x20);
    if (/\p{Pd}/u.test(character) && !LONG_DASHES.has(code)) expect(foldCodePoint(code), code.toString(16)).toBe(0x2d);
  }
});

/**
 * Dashes that nobody writes between digits: Canadian syllabics, Mongolian, double hyphens, wave dashes, Yezidi, Garay.
 */
const LONG_DASHES = new Set([0x1400, 0x1806, 0x2e17, 0x2e1a, 0x2e40, 0x2e5d, 0x301c, 0x3030, 0x30a0, 0x10d6e, 0x10ead]);

test('the kernel folds as the ranges say', async () => {
  const host = await hostFor([
    { name: 'own', source: { kind: 'pattern', pattern: 'q[0-9 .@+:/A-Za-z-]z', ignoreCase: false } },
  ]);
  for (const { from, to } of FOLDS) {
    for (const code of new Set([from, to])) {
      const becomes = foldCodePoint(code);
      const text = `, q${String.fromCodePoint(code)}z,`;
      const expected =
        becomes !== null && /[0-9 .@+:/A-Za-z-]/.test(String.fromCodePoint(becomes))
          ? [{ detector: 0, start: 2, end: Buffer.byteLength(text) - 1 }]
          : [];
      expect(host.scan(text), code.toString(16)).toEqual(expected);
    }
  }
});

describe('ranges of characters as ranges of bytes', () => {
  const matches = (ranges: ReturnType<typeof utf8Ranges>, bytes: Uint8Array): boolean =>
    ranges.some(
      (sequence) =>
        sequence.length === bytes.length && sequence.every(([low, high], i) => bytes[i]! >= low && bytes[i]! <= high),
    );

  test.each([
    [0x00, 0x10ffff],
    [0x7f, 0x80],
    [0x700, 0x900],
    [0xd000, 0xf000],
    [0x1f600, 0x1f64f],
    [0xfffe, 0x10001],
    [0x20ac, 0x20ac],
  ])('%i to %i', (from, to) => {
    const ranges = utf8Ranges(from, to);
    for (const code of [
      from - 1,
      from,
      from + 1,
      (from + to) >> 1,
      to - 1,
      to,
      to + 1,
      0x7ff,
      0x800,
      0xffff,
      0x10000,
    ].filter((each) => each >= 0 && each <= 0x10ffff && !(each >= 0xd800 && each <= 0xdfff))) {
      expect(matches(ranges, new TextEncoder().encode(String.fromCodePoint(code))), code.toString(16)).toBe(
        code >= from && code <= to,
      );
    }
  });
});
