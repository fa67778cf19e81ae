/**
 * A pattern as positions (Glushkov): each reads one byte; some may be first, some last, and each says which may follow
 * it. Both automata are made from this: the deterministic one by subsets, the bitset one as it stands.
 */
import type { PatternNode } from '../../dsl/program.ts';
import { byteRange, NO_BYTES, type ByteSet } from './byte-set.ts';
import { foldCodePoint } from './fold-ranges.ts';
import { utf8Ranges, type ByteRanges } from './utf8-ranges.ts';

export interface Positions {
  /** What each position reads. */
  readonly reads: readonly ByteSet[];
  readonly follow: readonly ReadonlySet<number>[];
  readonly first: ReadonlySet<number>;
  readonly last: ReadonlySet<number>;
  readonly nullable: boolean;
}

/** Patterns of more positions are refused. */
export const POSITIONS_MAX = 4_096;
/** Ranges of at most so many characters above ASCII are folded one by one. */
const FOLDED_RANGE_MAX = 256;

/** Thrown by `positionsOf` for a pattern over POSITIONS_MAX. */
export class TooManyPositions extends Error {}

interface Part {
  readonly first: readonly number[];
  readonly last: readonly number[];
  readonly nullable: boolean;
}

const EMPTY: Part = { first: [], last: [], nullable: true };

interface Builder {
  readonly reads: ByteSet[];
  readonly follow: Set<number>[];
  readonly ignoreCase: boolean;
}

export function positionsOf(items: readonly PatternNode[], ignoreCase: boolean): Positions {
  const builder: Builder = { reads: [], follow: [], ignoreCase };
  const part = sequence(builder, items);
  return {
    reads: builder.reads,
    follow: builder.follow,
    first: new Set(part.first),
    last: new Set(part.last),
    nullable: part.nullable,
  };
}

/** The same texts read backwards. */
export function reversed(positions: Positions): Positions {
  const follow = positions.reads.map(() => new Set<number>());
  positions.follow.forEach((after, before) => after.forEach((position) => follow[position]?.add(before)));
  return { reads: positions.reads, follow, first: positions.last, last: positions.first, nullable: positions.nullable };
}

/** Every beginning of the texts, the empty one and the whole ones included. */
export function beginnings(positions: Positions): Positions {
  return { ...positions, last: new Set(positions.reads.keys()), nullable: true };
}

function build(builder: Builder, node: PatternNode): Part {
  switch (node.kind) {
    case 'class':
      // A character that folding drops is not there when a detector reads.
      return !node.negated && node.ranges.every(isDropped)
        ? EMPTY
        : characters(builder, classRanges(node, builder.ignoreCase));
    case 'sequence':
      return sequence(builder, node.items);
    case 'alternatives':
      return alternatives(node.items.map((item) => build(builder, item)));
    case 'repeat':
      return repeat(builder, node);
  }
}

function sequence(builder: Builder, items: readonly PatternNode[]): Part {
  return items.map((item) => build(builder, item)).reduce((left, right) => join(builder, left, right), EMPTY);
}

function join(builder: Builder, left: Part, right: Part): Part {
  for (const position of left.last) for (const next of right.first) builder.follow[position]?.add(next);
  return {
    first: left.nullable ? [...left.first, ...right.first] : left.first,
    last: right.nullable ? [...left.last, ...right.last] : right.last,
    nullable: left.nullable && right.nullable,
  };
}

function alternatives(parts: readonly Part[]): Part {
  return {
    first: parts.flatMap(({ first }) => first),
    last: parts.flatMap(({ last }) => last),
    nullable: parts.some(({ nullable }) => nullable),
  };
}

function repeat(builder: Builder, node: Extract<PatternNode, { kind: 'repeat' }>): Part {
  let part = EMPTY;
  for (let i = 0; i < node.min; i += 1) part = join(builder, part, build(builder, node.item));
  if (node.max === Infinity) {
    const loop = build(builder, node.item);
    for (const position of loop.last) for (const next of loop.first) builder.follow[position]?.add(next);
    return join(builder, part, { ...loop, nullable: true });
  }
  // x{0,3} is (x(x(x)?)?)?: each copy follows only the one before it.
  const copies = Array.from({ length: node.max - node.min }, () => build(builder, node.item));
  const rest = copies.reduceRight<Part>((behind, copy) => ({ ...join(builder, copy, behind), nullable: true }), EMPTY);
  return join(builder, part, rest);
}

/** A class: its one-byte characters are one position, each longer sequence a chain. */
function characters(builder: Builder, sequences: readonly ByteRanges[]): Part {
  const short = sequences
    .flatMap((ranges) => (ranges.length === 1 ? ranges : []))
    .reduce((set, [from, to]) => set | byteRange(from, to), NO_BYTES);
  const long = sequences.filter((ranges) => ranges.length > 1);
  return alternatives([
    ...(short === NO_BYTES ? [] : [chain(builder, [short])]),
    ...long.map((ranges) =>
      chain(
        builder,
        ranges.map(([from, to]) => byteRange(from, to)),
      ),
    ),
  ]);
}

function chain(builder: Builder, sets: readonly ByteSet[]): Part {
  return sets.reduce<Part>((left, set) => {
    const position = builder.reads.length;
    if (position >= POSITIONS_MAX) throw new TooManyPositions();
    builder.reads.push(set);
    builder.follow.push(new Set());
    return join(builder, left, { first: [position], last: [position], nullable: false });
  }, EMPTY);
}

/** The class as folded text has it. */
function classRanges(node: Extract<PatternNode, { kind: 'class' }>, ignoreCase: boolean): readonly ByteRanges[] {
  const ranges = merge([
    ...node.ranges,
    ...node.ranges.flatMap(folded),
    ...(ignoreCase ? node.ranges.flatMap(otherCase) : []),
  ]);
  return (node.negated ? complement(ranges) : ranges).flatMap(([from, to]) => utf8Ranges(from, to));
}

type Range = readonly [number, number];

function isDropped([from, to]: Range): boolean {
  return from === to && foldCodePoint(from) === null;
}

function folded([from, to]: Range): readonly Range[] {
  if (to < 0x80 || to - from > FOLDED_RANGE_MAX) return [];
  return Array.from({ length: to - from + 1 }, (_, i) => foldCodePoint(from + i)).flatMap((becomes, i) =>
    becomes === null || becomes === from + i ? [] : [[becomes, becomes] as const],
  );
}

function otherCase([from, to]: Range): readonly Range[] {
  const overlap = (low: number, high: number, by: number): readonly Range[] =>
    Math.max(from, low) <= Math.min(to, high) ? [[Math.max(from, low) + by, Math.min(to, high) + by]] : [];
  return [...overlap(0x41, 0x5a, 32), ...overlap(0x61, 0x7a, -32)];
}

function merge(ranges: readonly Range[]): readonly Range[] {
  const merged: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

function complement(ranges: readonly Range[]): readonly Range[] {
  const gaps: Range[] = [];
  let next = 0;
  for (const [from, to] of ranges) {
    if (from > next) gaps.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= 0x10ffff) gaps.push([next, 0x10ffff]);
  return gaps;
}
