/** The leaves: numbers and units, patterns, texts, names, positions. */
import { describe, expect, test } from 'vitest';
import { didYouMean } from '../../dsl/did-you-mean.ts';
import { quote, unquote } from '../../dsl/lexer.ts';
import { parse } from '../../dsl/parser.ts';
import { parsePattern, patternLength, patternMatches } from '../../dsl/pattern.ts';
import { print } from '../../dsl/print.ts';
import { positionOf, sourceFile } from '../../dsl/source.ts';
import {
  atScale,
  convertMicros,
  exactNumber,
  isCurrency,
  isDate,
  microsPerMillion,
  minuteOfDay,
} from '../../dsl/units.ts';

describe('numbers', () => {
  test.each([
    ['128_000', 128000n, 0],
    ['2.50', 250n, 2],
    ['1M', 1_000_000n, 0],
    ['1.5k', 15000n, 1],
    ['-3', -3n, 0],
    ['0.000_1', 1n, 4],
  ])('%s', (text, digits, scale) => {
    expect(exactNumber(text)).toEqual({ digits, scale });
  });

  test.each(['1__0', '1_', '_1', '1.', '.5', '1_.5', '1e3'])('%s is no number', (text) => {
    expect(exactNumber(text)).toBeNull();
  });

  test('scales are exact or refused', () => {
    expect(atScale({ digits: 250n, scale: 2 }, 6)).toEqual({ kind: 'integer', value: 2_500_000 });
    expect(atScale({ digits: 1n, scale: 7 }, 6)).toEqual({ kind: 'inexact' });
    expect(atScale({ digits: 15n, scale: 1 }, 0, 60_000n)).toEqual({ kind: 'integer', value: 90_000 });
    expect(atScale({ digits: 9_007_199_254_740_991n, scale: 0 }, 0)).toEqual({
      kind: 'integer',
      value: Number.MAX_SAFE_INTEGER,
    });
    expect(atScale({ digits: 9_007_199_254_740_992n, scale: 0 }, 0)).toEqual({ kind: 'tooLarge' });
  });

  test('conversion rounds up', () => {
    expect(convertMicros(100, 920_000)).toBe(92);
    expect(convertMicros(101, 920_000)).toBe(93);
    expect(convertMicros(-150, 10_000)).toBe(-1);
    expect(convertMicros(Number.MAX_SAFE_INTEGER, 1_000_001)).toBeNull();
  });

  test('a price is rounded up once, for a million tokens', () => {
    expect(microsPerMillion(2, 1, 920_000)).toBe(1_840_000);
    expect(microsPerMillion(1, 3, 1_000_000)).toBe(333_334);
    // As numbers, 3 / 7 of it would have lost the part that rounds it up.
    expect(microsPerMillion(7_000_000_000_000_001, 7_000_000, 1_000_000)).toBe(1_000_000_000_000_001);
    expect(microsPerMillion(Number.MAX_SAFE_INTEGER, 1, 1_000_000)).toBeNull();
  });

  test('the calendar', () => {
    expect(['2024-02-29', '2000-02-29', '2026-12-31'].map(isDate)).toEqual([true, true, true]);
    expect(['2023-02-29', '1900-02-29', '2026-13-01', '2026-04-31', '2026-00-10', '2026-1-1'].map(isDate)).toEqual([
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(['00:00', '09:30', '24:00', '24:01', '10:60'].map(minuteOfDay)).toEqual([0, 570, 1440, null, null]);
  });

  test('currencies are three lower-case letters and no other unit', () => {
    expect(['usd', 'eur', 'mib', 'USD', 'euro'].map(isCurrency)).toEqual([true, true, false, false, false]);
  });
});

describe('patterns', () => {
  const lengths = (source: string): unknown => {
    const result = parsePattern(source);
    return 'pattern' in result ? patternLength(result.pattern) : result.error.reason;
  };

  test.each<[string, unknown]>([
    ['EMP-[0-9]{6}', { min: 10, max: 10 }],
    ['a?b', { min: 1, max: 2 }],
    ['(ab|c){2,3}', { min: 2, max: 6 }],
    ['[^a-z]\\.', { min: 2, max: 2 }],
    ['(?:x|yz)', { min: 1, max: 2 }],
    ['😀{2}', { min: 2, max: 2 }],
    ['a{256}', { min: 256, max: 256 }],
    ['a{257}', 'tooLong'],
    ['a*', 'unbounded'],
    ['a+', 'unbounded'],
    ['a{2,}', 'unbounded'],
    ['', 'empty'],
    ['a?', 'empty'],
    ['a|', 'empty'],
    ['(a', 'syntax'],
    ['a)', 'syntax'],
    ['[a', 'syntax'],
    ['[]', 'syntax'],
    ['[z-a]', 'syntax'],
    ['[\\d-z]', 'syntax'],
    ['^a', 'syntax'],
    ['a$', 'syntax'],
    ['a{2}{3}', 'syntax'],
    ['a??', 'syntax'],
    ['\\b', 'syntax'],
    ['\\1', 'syntax'],
    ['(?=a)', 'syntax'],
    ['a{0}', 'syntax'],
    ['a{3,2}', 'syntax'],
    ['\\', 'syntax'],
  ])('%s', (source, expected) => {
    expect(lengths(source)).toEqual(expected);
  });

  test.each([
    ['B-[0-9]{4}', 'B-1234', false, true],
    ['B-[0-9]{4}', 'b-1234', false, false],
    ['B-[0-9]{4}', 'b-1234', true, true],
    ['[^\\s]{3}', 'a b', false, false],
    ['.x', '\nx', false, false],
    ['[a\\-\\]]{3}', 'a-]', false, true],
    ['\\w\\d', '_5', false, true],
  ])('%s on %j', (source, text, ignoreCase, expected) => {
    const result = parsePattern(source);
    expect('pattern' in result && patternMatches(result.pattern, text, ignoreCase)).toBe(expected);
  });
});

test.each(['', 'plain', '"', '\\', 'a\nb\tc', '\u0000\u001f', 'ü😀', '\\n', 'x\\u{41}'])(
  'unquote ∘ quote: %j',
  (value) => {
    expect(unquote(quote(value))).toBe(value);
    expect(quote(value)).toMatch(/^"[^\n\t]*"$/);
  },
);

test.each([
  ['departmnt', 'department'],
  ['brnch', 'branch'],
  ['payment_crad', 'payment_card'],
  ['emial', 'email'],
  ['zzz', null],
  ['x', null],
  ['department', null],
])('did you mean: %s', (written, meant) => {
  expect(didYouMean(written, ['department', 'branch', 'payment_card', 'email'])).toBe(meant);
});

test('positions count from 1, over every kind of line end', () => {
  const source = sourceFile('x', 'ab\r\nc\n\nd');
  expect([0, 1, 4, 6, 7, 8].map((offset) => positionOf(source, offset))).toEqual([
    { line: 1, column: 1 },
    { line: 1, column: 2 },
    { line: 2, column: 1 },
    { line: 3, column: 1 },
    { line: 4, column: 1 },
    { line: 4, column: 2 },
  ]);
});

test('a byte order mark and carriage returns are white space', () => {
  const { file, diagnostics } = parse(sourceFile('x', '\uFEFFrule r\r\n  on prompt\r\n  deny // no\r\n'));
  expect(diagnostics).toEqual([]);
  expect(print(file, sourceFile('x', '\uFEFFrule r\r\n  on prompt\r\n  deny // no\r\n'))).toBe(
    'rule r\n  on prompt\n  deny  // no\n',
  );
});
