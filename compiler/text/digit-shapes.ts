/**
 * Which forms a number may be of, as far as a glance at it tells: for each of the SHAPE_DIGITS bytes behind its first
 * digit whether it is a digit, and which classes of bytes are the first that is none and the one behind it. Texts full
 * of numbers are read at the pace of such glances.
 */
import * as L from '../../filters/kernel/text/layout.ts';
import type { Automaton } from './automaton.ts';
import { bytesOf, DIGITS } from './byte-set.ts';

export interface DigitShapes {
  /**
   * For each first digit and each second, or SHAPE_SECONDS - 1 where the second byte is no digit: which of `masks`.
   */
  readonly heads: Uint8Array;
  /** For each pattern of digits, bit i for the byte behind the i-th, and each class of bytes: which of `masks`. */
  readonly rows: Uint8Array;
  /** For each class of the first byte that is no digit and each class of the byte behind it: which of `masks`. */
  readonly signs: Uint8Array;
  /** Sets of forms, a bit each. */
  readonly masks: readonly number[];
}

export function digitShapes({ classes, classCount, start, states }: Automaton): DigitShapes {
  const digits = [...new Set(bytesOf(DIGITS).map((byte) => classes[byte] ?? 0))];
  const isDigit = new Set(bytesOf(DIGITS));
  const others = [...new Set([...classes].filter((_, byte) => !isDigit.has(byte)))];
  const patterns = 1 << L.SHAPE_DIGITS;
  const rows = new Uint8Array(patterns * classCount);
  const masks: number[] = [0xffffffff];
  const numberOf = (mask: number): number => {
    const known = masks.indexOf(mask);
    if (known !== -1) return known;
    // The first stands for every form, where there are too many sets.
    return masks.length === L.SHAPE_SETS_MAX ? 0 : masks.push(mask) - 1;
  };

  const acceptsOf = (at: ReadonlySet<number>): number =>
    [...at].reduce((mask, state) => mask | (states[state]?.accepts ?? 0), 0);
  const classOf = (digit: number): number => classes[0x30 + digit] ?? 0;
  /** `seen`: forms that have accepted; `pattern`: of the bytes so far; `sign`: the class of the first non-digit. */
  const visit = (at: ReadonlySet<number>, seen: number, depth: number, pattern: number, sign: number | null): void => {
    if (depth === L.SHAPE_DIGITS) {
      const number = numberOf([...at].reduce((mask, state) => mask | (states[state]?.later ?? 0), seen) >>> 0);
      if (sign === null) rows.fill(number, pattern * classCount, (pattern + 1) * classCount);
      else rows[pattern * classCount + sign] = number;
      return;
    }
    const go = (read: readonly number[], bit: number, first: number | null): void => {
      const next = step(at, read);
      visit(next, seen | acceptsOf(next), depth + 1, pattern | (bit << depth), first);
    };
    go(digits, 1, sign);
    if (sign === null) others.forEach((cls) => go([cls], 0, cls));
    else go(others, 0, sign);
  };
  const step = (at: ReadonlySet<number>, read: readonly number[]): ReadonlySet<number> => {
    const next = new Set<number>();
    for (const state of at) for (const cls of read) next.add(states[state]?.next[cls] ?? 0);
    next.delete(0);
    return next;
  };
  const begun = step(new Set([start]), digits);
  visit(begun, acceptsOf(begun), 0, 0, null);
  const alive = (at: ReadonlySet<number>): number =>
    [...at].reduce((mask, state) => mask | (states[state]?.accepts ?? 0) | (states[state]?.later ?? 0), 0);
  const heads = new Uint8Array(10 * L.SHAPE_SECONDS);
  for (let first = 0; first < 10; first += 1) {
    const at = step(new Set([start]), [classOf(first)]);
    const seen = acceptsOf(at);
    for (let second = 0; second < L.SHAPE_SECONDS; second += 1)
      heads[first * L.SHAPE_SECONDS + second] = numberOf(
        (seen | alive(step(at, second < 10 ? [classOf(second)] : others))) >>> 0,
      );
  }
  const signs = new Uint8Array(classCount * classCount);
  for (const sign of others) {
    for (let behind = 0; behind < classCount; behind += 1) {
      let mask = 0;
      let at = begun;
      let seen = acceptsOf(begun);
      for (let depth = 0; depth <= L.SHAPE_DIGITS; depth += 1) {
        const then = step(at, [sign]);
        mask |= seen | acceptsOf(then) | alive(step(then, [behind]));
        at = step(at, digits);
        seen |= acceptsOf(at);
      }
      signs[sign * classCount + behind] = numberOf(mask >>> 0);
    }
  }
  return { heads, rows, signs, masks };
}
