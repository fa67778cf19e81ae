/** One form of a detector on its way to the tables: parsed, measured, and with the way in which it is found. */
import { patternLength, parseOpenPattern, parsePattern, type PatternResult } from '../../dsl/pattern.ts';
import type { PatternNode } from '../../dsl/program.ts';
import * as L from '../../filters/kernel/text/layout.ts';
import { acceptsOnce, automatonOf, leadingBytes, leadingSets } from './automaton.ts';
import { anchorFrequency, type Anchor, type PlacedAnchor } from './anchor.ts';
import { ALL_BYTES, ALPHANUMERIC, bytesOf, DIGITS, isWithin, NO_BYTES, TOKEN_BYTES } from './byte-set.ts';
import type { FormSource } from './detector-source.ts';
import { positionsOf, reversed, TooManyPositions, type Positions } from './positions.ts';
import { wordAnchors } from './word-anchors.ts';

export interface Problem {
  readonly message: string;
  readonly help: string;
}

export interface CompiledForm {
  /** Position of the detector in the policy. */
  readonly detector: number;
  readonly source: FormSource;
  /** Folded bytes of the longest match. */
  readonly longest: number;
  readonly anchor: Anchor;
  readonly frequency: number;
  readonly how:
    | { readonly kind: 'prefix' | 'run'; readonly positions: Positions }
    | { readonly kind: 'near'; readonly positions: Positions; readonly anchors: readonly PlacedAnchor[] }
    | PivotSearch;
}

interface PivotSearch {
  readonly kind: 'pivot';
  readonly before: Positions;
  readonly from: Positions;
  readonly beforeMost: number;
  /** What ends at the pivot has one beginning at most. */
  readonly once: boolean;
  /** The pivot is a number's first digit. */
  readonly digits: boolean;
}

/** Anchors that are as rare need no better one. */
const RARE = 0.001;
/** A pivot costs a look back: the anchor must be so much rarer than the pattern's beginning. */
const PIVOT_GAIN = 4;
/** Where only one beginning may come of it. */
const PIVOT_ONCE_GAIN = 1.25;
/** A context word as the anchor costs a try at every place near it. */
const NEAR_GAIN = 8;
/** A number's beginning as a pivot, beside another byte that is as frequent. */
const DIGITS_PIVOT_SHARE = 0.5;
/** Copies of a counted character that are taken apart. */
const COPIES_MAX = 8;
/** What an anchor takes from the others, with whom it shares the prefilter, as a frequency. */
const ANCHOR_COST = 0.0005;
/** Bytes before a pivot at most. */
const PIVOT_BEFORE_MAX = 200;
/** With a validator that reads the whole match each start is tried with each end: there may be few starts. */
const PIVOT_STARTS_MAX = 8;
/** States of what stands before a pivot, where it is to be proved that it has one beginning. */
const PIVOT_STATES_MAX = 256;
const UTF8_BYTES_MAX = 4;
/** Characters of a pattern that a policy may ask the engine to find, in bytes. */
const OWN_LONGEST_MAX = 1_024;

export function compileForm(detector: number, source: FormSource, ignoreCase: boolean): CompiledForm | Problem {
  const parsed: PatternResult =
    source.longest === undefined ? parsePattern(source.pattern) : parseOpenPattern(source.pattern);
  if ('error' in parsed) return { message: parsed.error.message, help: 'correct the pattern' };
  const most = source.longest ?? bytesMost(parsed.pattern);
  const everyEnd =
    source.validator !== undefined || (source.context !== undefined && source.context.where !== 'before');
  const bound = everyEnd ? L.ENDS_MAX : source.longest === undefined ? OWN_LONGEST_MAX : L.LONGEST_MAX;
  if (most > bound)
    return {
      message: `a match of the pattern can have ${most} bytes; the most is ${bound}`,
      help: 'make the counts of the pattern smaller',
    };
  const context = source.context === undefined ? null : contextProblem(source.context);
  if (context !== null) return context;
  try {
    const positions = positionsOf([parsed.pattern], ignoreCase);
    if (positions.nullable || positions.first.size === 0)
      return {
        message: 'the pattern matches no text',
        help: 'remove characters that are invisible: they are dropped before a detector reads',
      };
    const anchor = leadingBytes([positions]);
    const prefix: CompiledForm = {
      detector,
      source,
      longest: most,
      anchor,
      frequency: anchorFrequency(anchor),
      how: { kind: 'prefix', positions },
    };
    // Rarer than any anchor that text could be searched for.
    if (!isWithin(anchor[0], DIGITS) && beginsWithRun(positions))
      return { ...prefix, frequency: 0, how: { kind: 'run', positions } };
    // Digits are noticed anyway.
    const pivot =
      isWithin(anchor[0], DIGITS) || prefix.frequency < RARE ? null : bestPivot(prefix, parsed.pattern, ignoreCase);
    const own = pivot !== null && isWorth(pivot, prefix) ? pivot : prefix;
    // Groups of digits first look for letters before them.
    const near =
      source.context?.where === 'before' && !isWithin(anchor[0], DIGITS) ? wordAnchors(source.context.words) : null;
    if (near === null || (near.frequency + near.anchors.length * ANCHOR_COST) * NEAR_GAIN > own.frequency) return own;
    return { ...prefix, frequency: near.frequency, how: { kind: 'near', positions, anchors: near.anchors } };
  } catch (failure) {
    if (failure instanceof TooManyPositions)
      return {
        message: 'the pattern is too large',
        help: 'make its counts smaller, or make two detectors of its alternatives',
      };
    throw failure;
  }
}

/** Bytes of the longest match; infinite for an open pattern. */
export function bytesMost(node: PatternNode): number {
  switch (node.kind) {
    case 'class':
      if (node.negated) return UTF8_BYTES_MAX;
      return Math.max(...node.ranges.map(([, to]) => new TextEncoder().encode(String.fromCodePoint(to)).length));
    case 'sequence':
      return node.items.reduce((sum, item) => sum + bytesMost(item), 0);
    case 'alternatives':
      return Math.max(...node.items.map(bytesMost));
    case 'repeat':
      return bytesMost(node.item) * node.max;
  }
}

/** The rarest single byte of the pattern's outer sequence as an anchor. */
function bestPivot(form: CompiledForm, pattern: PatternNode, ignoreCase: boolean): CompiledForm | null {
  const items = pattern.kind === 'sequence' ? pattern.items.flatMap(flat) : [];
  let best: CompiledForm | null = null;
  items.forEach((item, i) => {
    if (i === 0) return;
    const front = items.slice(0, i);
    const digits = isDigit(item, ignoreCase) && endsBeforeNumber(front, ignoreCase);
    if (!digits && !isOneByte(item, ignoreCase)) return;
    const beforeMost = Math.min(
      form.longest,
      front.reduce((sum, each) => sum + bytesMost(each), 0),
    );
    if (beforeMost > PIVOT_BEFORE_MAX) return;
    const anchor = leadingBytes([positionsOf(items.slice(i), ignoreCase)]);
    // Numbers are noticed anyway.
    const frequency = anchorFrequency(anchor) * (digits ? DIGITS_PIVOT_SHARE : 1);
    if (best !== null && best.frequency <= frequency) return;
    // With one start an anchor inside is as good as one at the beginning.
    const once = startsOnce(front, ignoreCase);
    if (form.source.validator !== 'email' && !once) {
      if (form.source.validator !== undefined && beforeMost > PIVOT_STARTS_MAX) return;
      // A cap on an open pattern would refuse long pairs of start and end; only the check of an email's domain is sure
      // to refuse them first.
      if (form.source.longest !== undefined) return;
    }
    best = {
      ...form,
      anchor,
      frequency,
      how: {
        kind: 'pivot',
        before: positionsOf(front, ignoreCase),
        from: positionsOf(items.slice(i), ignoreCase),
        beforeMost,
        once,
        digits,
      },
    };
  });
  return best;
}

function isWorth(pivot: CompiledForm, prefix: CompiledForm): boolean {
  const gain = pivot.how.kind === 'pivot' && pivot.how.once ? PIVOT_ONCE_GAIN : PIVOT_GAIN;
  return pivot.frequency * gain < prefix.frequency;
}

/** Whether what ends at a pivot has one beginning at most. */
function startsOnce(front: readonly PatternNode[], ignoreCase: boolean): boolean {
  const backward = automatonOf([reversed(positionsOf(front, ignoreCase))], PIVOT_STATES_MAX);
  return backward !== null && acceptsOnce(backward);
}

function beginsWithRun(positions: Positions): boolean {
  return leadingSets([positions], L.RUN_LEAST).every((set) => isWithin(set, TOKEN_BYTES));
}

/** Counted single characters are taken apart, so that each can be an anchor. */
function flat(node: PatternNode): readonly PatternNode[] {
  if (node.kind === 'sequence') return node.items.flatMap(flat);
  if (node.kind === 'repeat' && node.min === node.max && node.max <= COPIES_MAX)
    return Array.from({ length: node.min }, () => flat(node.item)).flat();
  return [node];
}

function isDigit(node: PatternNode, ignoreCase: boolean): boolean {
  if (node.kind !== 'class' || node.negated) return false;
  const { reads } = positionsOf([node], ignoreCase);
  return reads.length === 1 && isWithin(reads[0] ?? ALL_BYTES, DIGITS);
}

/** Whether what stands before ends with neither a letter nor a digit, and never is nothing. */
function endsBeforeNumber(front: readonly PatternNode[], ignoreCase: boolean): boolean {
  const { reads, last, nullable } = positionsOf(front, ignoreCase);
  return !nullable && [...last].every((position) => ((reads[position] ?? ALL_BYTES) & ALPHANUMERIC) === NO_BYTES);
}

function isOneByte(node: PatternNode, ignoreCase: boolean): boolean {
  if (node.kind !== 'class' || node.negated) return false;
  const { reads } = positionsOf([node], ignoreCase);
  return (
    reads.length === 1 &&
    reads[0] !== ALL_BYTES &&
    bytesOf(reads[0] ?? ALL_BYTES).length <= 8 &&
    patternLength(node).max === 1
  );
}

function contextProblem({ words, within }: NonNullable<FormSource['context']>): Problem | null {
  if (words.length === 0 || words.some((word) => word.trim() === ''))
    return { message: 'a word of `near` is empty', help: 'write the words that stand near a match' };
  const long = words.find((word) => new TextEncoder().encode(word).length > 255);
  if (long !== undefined)
    return { message: `\`${long.slice(0, 20)}…\` is longer than 255 bytes`, help: 'write a shorter word' };
  if (within > L.WITHIN_MAX)
    return {
      message: `\`near\` looks at ${within} characters; the most is ${L.WITHIN_MAX}`,
      help: `write a number up to ${L.WITHIN_MAX}`,
    };
  if (within < Math.min(...words.map((word) => [...word].length)))
    return {
      message: `\`near\` looks at ${within} characters, which no word of it fits into`,
      help: 'write a larger number of characters',
    };
  return null;
}
