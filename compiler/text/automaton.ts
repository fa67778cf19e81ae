/**
 * Positions to a minimal deterministic automaton. Several patterns may share one: each state then says which of them
 * accept.
 */
import type { Anchor } from './anchor.ts';
import { ALL_BYTES, bitmapOf, NO_BYTES, type ByteSet } from './byte-set.ts';
import type { Positions } from './positions.ts';

export interface Automaton {
  /** For each byte its class. */
  readonly classes: Uint8Array;
  readonly classCount: number;
  readonly start: number;
  /** State 0 is dead: it accepts nothing and leads only to itself. */
  readonly states: readonly State[];
}

export interface State {
  /** By class. */
  readonly next: readonly number[];
  /** Bit i: pattern i accepts here. */
  readonly accepts: number;
  /** Bit i: pattern i may accept after one or more bytes. */
  readonly later: number;
}

interface RawState {
  readonly next: number[];
  readonly accepts: number;
}

/** null when there would be more than `statesMax` states before minimising. At most 31 patterns. */
export function automatonOf(patterns: readonly Positions[], statesMax: number): Automaton | null {
  const { classes, classCount, examples } = byteClasses(patterns.flatMap(({ reads }) => reads));
  const raw = subsets(patterns, examples, statesMax);
  return raw === null ? null : minimal(raw, classes, classCount);
}

/** Bytes that no position tells apart are one class. */
function byteClasses(sets: readonly ByteSet[]): {
  readonly classes: Uint8Array;
  readonly classCount: number;
  readonly examples: readonly number[];
} {
  const distinct = [...new Set(sets.map(bitmapOf))];
  const numbers = new Map<string, number>();
  const classes = new Uint8Array(256);
  const examples: number[] = [];
  for (let byte = 0; byte < 256; byte += 1) {
    const key = distinct.map((bitmap) => bitmap[byte]).join('');
    let number = numbers.get(key);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(key, number);
      examples.push(byte);
    }
    classes[byte] = number;
  }
  return { classes, classCount: numbers.size, examples };
}

/** Position p of pattern i is numbered so that all patterns' positions are distinct. States: 0 dead, 1 start. */
function subsets(
  patterns: readonly Positions[],
  examples: readonly number[],
  statesMax: number,
): readonly RawState[] | null {
  const offsets = patterns.reduce<number[]>((sums, { reads }) => [...sums, (sums.at(-1) ?? 0) + reads.length], [0]);
  const reads: boolean[][] = [];
  const follow: number[][] = [];
  const lastOf: number[] = [];
  patterns.forEach((pattern, i) => {
    const offset = offsets[i] ?? 0;
    pattern.reads.forEach((set, position) => {
      const bitmap = bitmapOf(set);
      reads.push(examples.map((byte) => bitmap[byte] === 1));
      follow.push([...(pattern.follow[position] ?? [])].map((next) => next + offset));
      lastOf.push(pattern.last.has(position) ? 1 << i : 0);
    });
  });
  const first = patterns.flatMap((pattern, i) => [...pattern.first].map((position) => position + (offsets[i] ?? 0)));
  const nullable = patterns.reduce((bits, pattern, i) => (pattern.nullable ? bits | (1 << i) : bits), 0);
  const states: RawState[] = [
    { next: examples.map(() => 0), accepts: 0 },
    { next: [], accepts: nullable },
  ];
  // A state is the set of positions just read, in order; from it, what may be read next, in order too.
  const numbers = new Map<string, number>([['', 0]]);
  const pending: { readonly state: number; readonly candidates: readonly number[] }[] = [
    { state: 1, candidates: inOrder(first) },
  ];
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    const { state, candidates } = item;
    for (let cls = 0; cls < examples.length; cls += 1) {
      const members = candidates.filter((position) => reads[position]?.[cls]);
      const key = members.join();
      let next = numbers.get(key);
      if (next === undefined) {
        next = states.length;
        if (next > statesMax) return null;
        numbers.set(key, next);
        states.push({ next: [], accepts: members.reduce((bits, position) => bits | (lastOf[position] ?? 0), 0) });
        pending.push({ state: next, candidates: inOrder(members.flatMap((position) => follow[position] ?? [])) });
      }
      states[state]?.next.push(next);
    }
  }
  return states;
}

function inOrder(positions: readonly number[]): readonly number[] {
  return [...new Set(positions)].sort((a, b) => a - b);
}

/** Moore's refinement: states that accept alike and lead alike are one. */
function minimal(raw: readonly RawState[], classes: Uint8Array, classCount: number): Automaton {
  let block = number(raw.map(({ accepts }) => [accepts]));
  for (let count = 0; ;) {
    const refined = number(raw.map(({ next }, i) => [block[i] ?? 0, ...next.map((state) => block[state] ?? 0)]));
    const blocks = Math.max(...refined) + 1;
    block = refined;
    if (blocks === count) break;
    count = blocks;
  }
  const count = Math.max(...block) + 1;
  const merged: { next: number[]; accepts: number; later: number }[] = Array.from({ length: count }, () => ({
    next: [],
    accepts: 0,
    later: 0,
  }));
  raw.forEach(
    ({ next, accepts }, i) =>
      (merged[block[i] ?? 0] = { next: next.map((state) => block[state] ?? 0), accepts, later: 0 }),
  );
  for (let changed = true; changed;) {
    changed = false;
    for (const state of merged) {
      const later = state.next.reduce(
        (bits, next) => bits | (merged[next]?.accepts ?? 0) | (merged[next]?.later ?? 0),
        0,
      );
      changed ||= later !== state.later;
      state.later = later;
    }
  }
  return shareClasses({ classes, classCount, start: block[1] ?? 0, states: merged });
}

/** Numbers equal keys alike, in order of appearance: the dead state, which comes first, is 0. */
function number(keys: readonly (readonly number[])[]): readonly number[] {
  /** By a hash of the key: keys that differ, each with its number. */
  const numbers = new Map<number, { readonly key: readonly number[]; readonly number: number }[]>();
  let count = 0;
  return keys.map((key) => {
    let hash = 0;
    for (const part of key) hash = (Math.imul(hash, 0x0100_0193) + part) | 0;
    const alike = numbers.get(hash) ?? [];
    const known = alike.find((other) => other.key.every((part, i) => part === key[i]));
    if (known !== undefined) return known.number;
    alike.push({ key, number: count });
    numbers.set(hash, alike);
    count += 1;
    return count - 1;
  });
}

/** Classes that no state tells apart fall together. */
function shareClasses(automaton: Automaton): Automaton {
  const columns = number(
    Array.from({ length: automaton.classCount }, (_, cls) => automaton.states.map(({ next }) => next[cls] ?? 0)),
  );
  const classCount = Math.max(...columns) + 1;
  const keep = Array.from({ length: classCount }, (_, column) => columns.indexOf(column));
  return {
    classes: automaton.classes.map((cls) => columns[cls] ?? 0),
    classCount,
    start: automaton.start,
    states: automaton.states.map((state) => ({ ...state, next: keep.map((cls) => state.next[cls] ?? 0) })),
  };
}

/** Bytes that may stand first to fourth in a match; every byte from where a match may have ended. */
export function leadingBytes(patterns: readonly Positions[]): Anchor {
  const [a = ALL_BYTES, b = ALL_BYTES, c = ALL_BYTES, d = ALL_BYTES] = leadingSets(patterns, 4);
  return [a, b, c, d];
}

/** As `leadingBytes`, for so many bytes. */
export function leadingSets(patterns: readonly Positions[], count: number): readonly ByteSet[] {
  const sets = Array.from({ length: count }, () => NO_BYTES);
  for (const { reads, follow, first, last, nullable } of patterns) {
    let here: ReadonlySet<number> = first;
    let ended = nullable;
    for (let i = 0; i < count; i += 1) {
      sets[i] =
        (sets[i] ?? NO_BYTES) |
        (ended ? ALL_BYTES : [...here].reduce((set, position) => set | (reads[position] ?? NO_BYTES), NO_BYTES));
      ended ||= [...here].some((position) => last.has(position));
      here = new Set([...here].flatMap((position) => [...(follow[position] ?? [])]));
    }
  }
  return sets;
}

/** Whether of each text at most one beginning is accepted. */
export function acceptsOnce({ states }: Automaton): boolean {
  return states.every(({ accepts, later }) => accepts === 0 || later === 0);
}
