/**
 * Numbers: what begins with a digit that no letter or digit precedes. A glance at each, at its first two digits and at
 * which of the next bytes are digits, leaves few forms that it may be of, mostly none.
 */
import {
  ANCHOR_BYTES,
  ANCHOR_GROUP,
  BUCKET_DIGITS,
  DFA_CLASSES,
  DFA_CLASSES_AT,
  GROUP_FORWARD_AT,
  GROUP_SHAPES_AT,
  GROUPS_MAX,
  H_BUCKETS,
  SHAPE_DIGITS,
  SHAPE_SECONDS,
} from './layout';
import { active, groupAt, matchForms } from './match';
import { end, section } from './window';

/** Bytes that a glance reads. */
const GLANCE: usize = 8;

// A group of numbers: its address, the forms that are wanted, and where the parts of its shapes are.
const NUMBERS_GROUP: usize = 0;
const NUMBERS_WANTED: usize = 4;
const NUMBERS_SETS: usize = 8;
const NUMBERS_HEADS: usize = 12;
const NUMBERS_ROWS: usize = 16;
const NUMBERS_CLASSES: usize = 20;
const NUMBERS_WIDTH: usize = 24;
const NUMBERS_BYTES: usize = 28;
const numbers: usize = memory.data(GROUPS_MAX * 28, 8);
let numbersEnd: usize = numbers;

/** After it is known which forms are wanted. */
export function chooseNumbers(): void {
  const list = section + <usize>load<u32>(section + H_BUCKETS + (BUCKET_DIGITS << 2));
  const stop = list + 4 + <usize>load<u32>(list) * ANCHOR_BYTES;
  numbersEnd = numbers;
  for (let anchor = list + 4; anchor != stop; anchor += ANCHOR_BYTES) {
    const g = <u32>load<u16>(anchor, ANCHOR_GROUP);
    const wanted = load<u32>(active + (g << 2));
    if (wanted == 0) continue;
    const group = groupAt(g);
    const shapes = section + <usize>load<u32>(group + GROUP_SHAPES_AT);
    const heads = shapes + 4 + ((<usize>load<u32>(shapes)) << 2);
    const dfa = section + <usize>load<u32>(group + GROUP_FORWARD_AT);
    store<u32>(numbersEnd, <u32>group, NUMBERS_GROUP);
    store<u32>(numbersEnd, wanted, NUMBERS_WANTED);
    store<u32>(numbersEnd, <u32>shapes + 4, NUMBERS_SETS);
    store<u32>(numbersEnd, <u32>heads, NUMBERS_HEADS);
    store<u32>(numbersEnd, <u32>heads + 10 * SHAPE_SECONDS, NUMBERS_ROWS);
    store<u32>(numbersEnd, <u32>section + load<u32>(dfa + DFA_CLASSES_AT), NUMBERS_CLASSES);
    store<u32>(numbersEnd, load<u16>(dfa + DFA_CLASSES), NUMBERS_WIDTH);
    numbersEnd += NUMBERS_BYTES;
  }
}

/** Matches that begin with the digit at `p`. */
export function matchNumber(p: usize): void {
  if (p + GLANCE > end) {
    for (let at = numbers; at != numbersEnd; at += NUMBERS_BYTES)
      matchForms(load<u32>(at, NUMBERS_GROUP), p, load<u32>(at, NUMBERS_WANTED));
    return;
  }
  const digits = i8x16.lt_u(i8x16.sub(v128.load64_zero(p), i8x16.splat(0x30)), i8x16.splat(10));
  const shape = ((<u32>i8x16.bitmask(digits)) >> 1) & ((1 << SHAPE_DIGITS) - 1);
  const sign = <usize>load<u8>(p + 1 + <usize>ctz(~shape));
  const second = <u32>load<u8>(p, 1) - 0x30;
  const head = <usize>((<u32>load<u8>(p) - 0x30) * SHAPE_SECONDS + (second <= 9 ? second : SHAPE_SECONDS - 1));
  for (let at = numbers; at != numbersEnd; at += NUMBERS_BYTES) {
    const cell = shape * load<u32>(at, NUMBERS_WIDTH) + <u32>load<u8>(<usize>load<u32>(at, NUMBERS_CLASSES) + sign);
    const forms =
      load<u32>(at, NUMBERS_WANTED) &
      setOf(at, load<u8>(<usize>load<u32>(at, NUMBERS_HEADS) + head)) &
      setOf(at, load<u8>(<usize>load<u32>(at, NUMBERS_ROWS) + <usize>cell));
    if (forms != 0) matchForms(load<u32>(at, NUMBERS_GROUP), p, forms);
  }
}

/** The set of forms with a number, of which there are fewer than SHAPE_ANY. */
function setOf(numbersGroup: usize, number: u32): u32 {
  return load<u32>(<usize>load<u32>(numbersGroup, NUMBERS_SETS) + ((<usize>number) << 2));
}
