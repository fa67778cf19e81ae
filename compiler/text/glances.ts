/**
 * Glances: the shapes of several groups of numbers in common tables, so that one glance at a number tells which forms of
 * all of them it may be of. A set of forms has a bit a form, those of a group in a row.
 */
import * as L from '../../filters/kernel/text/layout.ts';
import type { Automaton } from './automaton.ts';
import { digitShapes, type DigitShapes } from './digit-shapes.ts';
import type { Group } from './groups.ts';

export interface Glance {
  readonly groups: readonly { readonly group: number; readonly firstBit: number; readonly forms: number }[];
  /** For each byte its class: bytes that no group's automaton tells apart are one. */
  readonly classes: Uint8Array;
  readonly classCount: number;
  /** As in `DigitShapes`, each cell the number of a set. */
  readonly heads: Uint8Array;
  readonly signs: Uint8Array;
  readonly rows: Uint8Array;
  /** The first is all forms. */
  readonly sets: readonly bigint[];
}

interface Part {
  readonly group: number;
  readonly forms: number;
  readonly automaton: Automaton;
}

const BITS = 64;

/** Few: each takes as many groups as it has bits for. */
export function glancesOf(groups: readonly Group[]): readonly Glance[] {
  const glances: Part[][] = [];
  let bits = BITS;
  groups.forEach((each, group) => {
    if (!each.digits || each.kind === 'bitset') return;
    const forms = each.forms.length;
    if (bits + forms > BITS) {
      glances.push([]);
      bits = 0;
    }
    bits += forms;
    glances.at(-1)?.push({ group, forms, automaton: each.forward });
  });
  return glances.map(glanceOf);
}

function glanceOf(parts: readonly Part[]): Glance {
  const shapes = parts.map(({ automaton }) => digitShapes(automaton));
  const firstBits = parts.map((_, i) => parts.slice(0, i).reduce((sum, { forms }) => sum + forms, 0));
  const { classes, examples } = commonClasses(parts.map(({ automaton }) => automaton.classes));
  const sets = [(1n << BigInt(BITS)) - 1n];
  const numbers = new Map<bigint, number>();
  /** The number of the set that has what each group's own set has. */
  const numberOf = (maskOf: (shape: DigitShapes, part: Part) => number): number => {
    const set = parts.reduce((joined, part, i) => {
      const own = BigInt((shapes[i] ? maskOf(shapes[i], part) : 0) & (2 ** part.forms - 1));
      return joined | (BigInt.asUintN(32, own) << BigInt(firstBits[i] ?? 0));
    }, 0n);
    const known = numbers.get(set);
    if (known !== undefined) return known;
    // The first stands for every form, where there are too many sets.
    const number = sets.length === L.SHAPE_SETS_MAX ? 0 : sets.push(set) - 1;
    numbers.set(set, number);
    return number;
  };
  const classCount = examples.length;
  const cells = (count: number, maskOf: (cell: number, shape: DigitShapes, part: Part) => number): Uint8Array =>
    Uint8Array.from({ length: count }, (_, cell) => numberOf((shape, part) => maskOf(cell, shape, part)));
  const classOf = ({ automaton }: Part, common: number): number => automaton.classes[examples[common] ?? 0] ?? 0;
  return {
    groups: parts.map(({ group, forms }, i) => ({ group, firstBit: firstBits[i] ?? 0, forms })),
    classes,
    classCount,
    heads: cells(10 * L.SHAPE_SECONDS, (cell, shape) => setAt(shape, shape.heads, cell)),
    signs: cells(classCount * classCount, (cell, shape, part) => {
      const sign = classOf(part, Math.floor(cell / classCount));
      return setAt(shape, shape.signs, sign * part.automaton.classCount + classOf(part, cell % classCount));
    }),
    rows: cells(classCount << L.SHAPE_DIGITS, (cell, shape, part) => {
      const pattern = Math.floor(cell / classCount);
      return setAt(shape, shape.rows, pattern * part.automaton.classCount + classOf(part, cell % classCount));
    }),
    sets,
  };
}

function setAt({ masks }: DigitShapes, cells: Uint8Array, cell: number): number {
  return masks[cells[cell] ?? 0] ?? 0;
}

/** For each byte a class, and for each class a byte of it. */
function commonClasses(all: readonly Uint8Array[]): {
  readonly classes: Uint8Array;
  readonly examples: readonly number[];
} {
  const numbers = new Map<string, number>();
  const examples: number[] = [];
  const classes = Uint8Array.from({ length: 256 }, (_, byte) => {
    const key = all.map((own) => own[byte]).join();
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, examples.length);
    return examples.push(byte) - 1;
  });
  return { classes, examples };
}
