/**
 * The patterns of detectors: a bounded regular subset. Characters, classes, groups, alternatives, counted repetition
 * and the escapes \d \w \s; no anchors, no back references, nothing unbounded. The result says everything that the text
 * engine needs; what was wrong is an error with its place.
 */
import type { PatternNode } from './program.ts';

export const PATTERN_LENGTH_MAX = 256;
const DEPTH_MAX = 16;

export type PatternError = {
  readonly reason: 'syntax' | 'unbounded' | 'empty' | 'tooLong';
  readonly message: string;
  /** Offsets in the pattern. */
  readonly start: number;
  readonly end: number;
  /** What may stand there instead. */
  readonly fix: string | null;
};
export type PatternResult = { readonly pattern: PatternNode } | { readonly error: PatternError };

class PatternFailure extends Error {
  readonly error: PatternError;
  constructor(error: PatternError) {
    super(error.message);
    this.error = error;
  }
}

/** Each match has 1 to 256 characters. */
export function parsePattern(source: string): PatternResult {
  return parse({ source, at: 0, depth: 0, open: false });
}

/**
 * As `parsePattern`, and `*`, `+` and `{2,}` repeat without bound (`max` is infinite): for built-in detectors, whose
 * matches are bounded by other means.
 */
export function parseOpenPattern(source: string): PatternResult {
  return parse({ source, at: 0, depth: 0, open: true });
}

function parse(reader: Reader): PatternResult {
  const { source } = reader;
  try {
    const pattern = alternatives(reader);
    if (reader.at < source.length)
      fail('syntax', 'this `)` closes nothing; write `\\)` for the character', reader.at, reader.at + 1);
    const { min, max } = patternLength(pattern);
    if (min === 0) fail('empty', 'this pattern matches the empty text', 0, source.length);
    if (max > PATTERN_LENGTH_MAX && !reader.open) {
      fail(
        'tooLong',
        `a match of this pattern can have ${max} characters; the most is ${PATTERN_LENGTH_MAX}`,
        0,
        source.length,
      );
    }
    return { pattern };
  } catch (failure) {
    if (failure instanceof PatternFailure) return { error: failure.error };
    throw failure;
  }
}

/** Least and greatest number of characters of a match. */
export function patternLength(node: PatternNode): { readonly min: number; readonly max: number } {
  switch (node.kind) {
    case 'class':
      return { min: 1, max: 1 };
    case 'sequence':
      return node.items.map(patternLength).reduce(
        (sum, each) => ({
          min: sum.min + each.min,
          max: sum.max + each.max,
        }),
        { min: 0, max: 0 },
      );
    case 'alternatives': {
      const lengths = node.items.map(patternLength);
      return { min: Math.min(...lengths.map((each) => each.min)), max: Math.max(...lengths.map((each) => each.max)) };
    }
    case 'repeat': {
      const each = patternLength(node.item);
      return { min: each.min * node.min, max: each.max * node.max };
    }
  }
}

/** Whether the whole text is one match. For the examples of detectors at compile time. */
export function patternMatches(pattern: PatternNode, text: string, ignoreCase: boolean): boolean {
  return new RegExp(`^(?:${toRegExp(pattern)})$`, ignoreCase ? 'iu' : 'u').test(text);
}

function toRegExp(node: PatternNode): string {
  const hex = (codePoint: number): string => `\\u{${codePoint.toString(16)}}`;
  switch (node.kind) {
    case 'class':
      return `[${node.negated ? '^' : ''}${node.ranges.map(([from, to]) => `${hex(from)}-${hex(to)}`).join('')}]`;
    case 'sequence':
      return node.items.map(toRegExp).join('');
    case 'alternatives':
      return `(?:${node.items.map(toRegExp).join('|')})`;
    case 'repeat':
      return `(?:${toRegExp(node.item)}){${node.min},${node.max}}`;
  }
}

type Reader = { readonly source: string; readonly open: boolean; at: number; depth: number };
type Range = readonly [number, number];

const DIGITS: readonly Range[] = [[0x30, 0x39]];
const SPACES: readonly Range[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
];
const WORD: readonly Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const SHORTHANDS: ReadonlyMap<string, readonly Range[]> = new Map([
  ['d', DIGITS],
  ['w', WORD],
  ['s', SPACES],
]);

function alternatives(reader: Reader): PatternNode {
  const items = [sequence(reader)];
  while (reader.source[reader.at] === '|') {
    reader.at += 1;
    items.push(sequence(reader));
  }
  return items.length === 1 && items[0] !== undefined ? items[0] : { kind: 'alternatives', items };
}

function sequence(reader: Reader): PatternNode {
  const items: PatternNode[] = [];
  while (reader.at < reader.source.length && !'|)'.includes(reader.source[reader.at] ?? ''))
    items.push(repeated(reader));
  return items.length === 1 && items[0] !== undefined ? items[0] : { kind: 'sequence', items };
}

function repeated(reader: Reader): PatternNode {
  const item = atom(reader);
  const start = reader.at;
  const sign = reader.source[start];
  if (sign === '?') {
    reader.at += 1;
    return noDouble(reader, { kind: 'repeat', item, min: 0, max: 1 });
  }
  if (reader.open && (sign === '*' || sign === '+')) {
    reader.at += 1;
    return noDouble(reader, { kind: 'repeat', item, min: sign === '*' ? 0 : 1, max: Infinity });
  }
  if (sign === '*' || sign === '+') {
    const count = `{${sign === '*' ? 0 : 1},20}`;
    fail(
      'unbounded',
      `\`${sign}\` repeats without bound; write \`${count}\` or another count`,
      start,
      start + 1,
      count,
    );
  }
  if (sign !== '{') return item;
  const match = /^\{(\d{1,4})(?:(,)(\d{1,4})?)?\}/.exec(reader.source.slice(start));
  if (match === null) fail('syntax', 'a count is written `{3}` or `{2,5}`', start, start + 1);
  reader.at += match[0].length;
  const min = Number(match[1]);
  if (match[2] !== undefined && match[3] === undefined && reader.open) {
    return noDouble(reader, { kind: 'repeat', item, min, max: Infinity });
  }
  if (match[2] !== undefined && match[3] === undefined) {
    const count = `{${min},${min + 20}}`;
    fail(
      'unbounded',
      `\`${match[0]}\` has no upper bound; write \`${count}\` or another count`,
      start,
      reader.at,
      count,
    );
  }
  const max = match[3] === undefined ? min : Number(match[3]);
  if (max < min || max === 0) fail('syntax', `\`${match[0]}\` is not a count`, start, reader.at);
  return noDouble(reader, { kind: 'repeat', item, min, max });
}

function noDouble(reader: Reader, node: PatternNode): PatternNode {
  if ('?*+{'.includes(reader.source[reader.at] ?? ' ')) {
    fail('syntax', 'this is repeated already; put it in parentheses', reader.at, reader.at + 1);
  }
  return node;
}

function atom(reader: Reader): PatternNode {
  const start = reader.at;
  const character = String.fromCodePoint(reader.source.codePointAt(start) ?? 0);
  if (character === '(') return group(reader);
  if (character === '[') return characterClass(reader);
  if (character === '\\') return { kind: 'class', ranges: escape(reader), negated: false };
  if (character === '.') {
    reader.at += 1;
    return { kind: 'class', ranges: [[0x0a, 0x0a]], negated: true };
  }
  if ('^$'.includes(character)) {
    fail(
      'syntax',
      `\`${character}\` is not used: a detector finds its match anywhere, at word boundaries`,
      start,
      start + 1,
    );
  }
  if ('*+?{}]'.includes(character)) {
    fail('syntax', `\`${character}\` stands alone; write \`\\${character}\` for the character`, start, start + 1);
  }
  reader.at += character.length;
  return single(character.codePointAt(0) ?? 0);
}

function group(reader: Reader): PatternNode {
  const start = reader.at;
  reader.depth += 1;
  if (reader.depth > DEPTH_MAX) fail('syntax', `more than ${DEPTH_MAX} levels of parentheses`, start, start + 1);
  reader.at += 1;
  if (reader.source.startsWith('?:', reader.at)) reader.at += 2;
  else if (reader.source[reader.at] === '?') fail('syntax', 'a group begins with `(` or `(?:`', start, reader.at + 1);
  const inner = alternatives(reader);
  if (reader.source[reader.at] !== ')') fail('syntax', 'this `(` is not closed', start, start + 1);
  reader.at += 1;
  reader.depth -= 1;
  return inner;
}

function characterClass(reader: Reader): PatternNode {
  const start = reader.at;
  reader.at += 1;
  const negated = reader.source[reader.at] === '^';
  if (negated) reader.at += 1;
  const ranges: Range[] = [];
  while (reader.source[reader.at] !== ']') {
    if (reader.at >= reader.source.length) fail('syntax', 'this `[` is not closed', start, start + 1);
    const from = reader.at;
    const left = classItem(reader);
    const low = left[0]?.[0];
    if (reader.source[reader.at] !== '-' || reader.source[reader.at + 1] === ']' || low === undefined) {
      ranges.push(...left);
      continue;
    }
    reader.at += 1;
    const right = reader.at < reader.source.length ? classItem(reader) : [];
    const high = right[0]?.[0];
    if (
      left.length !== 1 ||
      right.length !== 1 ||
      left[0]?.[1] !== low ||
      high === undefined ||
      right[0]?.[1] !== high ||
      high < low
    ) {
      fail('syntax', `\`${reader.source.slice(from, reader.at)}\` is not a range of characters`, from, reader.at);
    }
    ranges.push([low, high]);
  }
  reader.at += 1;
  if (ranges.length === 0) fail('syntax', 'a class holds at least one character', start, reader.at);
  return { kind: 'class', ranges, negated };
}

function classItem(reader: Reader): readonly Range[] {
  if (reader.source[reader.at] === '\\') return escape(reader);
  const codePoint = reader.source.codePointAt(reader.at) ?? 0;
  reader.at += codePoint > 0xffff ? 2 : 1;
  return [[codePoint, codePoint]];
}

function escape(reader: Reader): readonly Range[] {
  const start = reader.at;
  const character = reader.source[start + 1];
  if (character === undefined) fail('syntax', 'a pattern cannot end in `\\`', start, start + 1);
  reader.at += 2;
  const ranges = SHORTHANDS.get(character);
  if (ranges !== undefined) return ranges;
  if (character === 't') return [[9, 9]];
  if (/[A-Za-z0-9]/.test(character)) {
    fail(
      'syntax',
      `\`\\${character}\` is not an escape of these patterns; there are \`\\d\`, \`\\w\`, \`\\s\` and \`\\t\``,
      start,
      start + 2,
    );
  }
  const codePoint = character.codePointAt(0) ?? 0;
  return [[codePoint, codePoint]];
}

function single(codePoint: number): PatternNode {
  return { kind: 'class', ranges: [[codePoint, codePoint]], negated: false };
}

function fail(
  reason: PatternError['reason'],
  message: string,
  start: number,
  end: number,
  fix: string | null = null,
): never {
  throw new PatternFailure({ reason, message, start, end, fix });
}
