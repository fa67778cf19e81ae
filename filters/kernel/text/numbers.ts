/**
 * Numbers: what begins with a digit that no letter or digit precedes. A glance at each, at its first two digits, at
 * which of the next bytes are digits and at what follows these, leaves few forms that it may be of, mostly none.
 */
import { mayBeCard } from './card-digits';
import { lettersBefore } from './context';
import {
  GLANCE_CLASSES,
  GLANCE_CLASSES_AT,
  GLANCE_GROUPS,
  GLANCE_GROUPS_AT,
  GLANCE_HEADS_AT,
  GLANCE_ROWS_AT,
  GLANCE_SETS_AT,
  GLANCE_SIGNS_AT,
  GROUP_CONTEXT_BEFORE,
  GROUP_FORWARD_MOST,
  GROUP_HEADS,
  GROUP_WITHIN_MOST,
  GROUPS_MAX,
  H_GLANCES_AT,
  SHAPE_DIGITS,
  SHAPE_SECONDS,
} from './layout';
import { active, groupAt, matchForms } from './match';
import { end, final, section } from './window';

/** Bytes that a glance reads. */
const GLANCE: usize = 8;

/** A glance's tables, and what its groups have in common. Sets of forms are u64. */
@unmanaged
class Numbers {
  /** Forms that are wanted; those that letters must stand before; those whose digits tell most. */
  wanted: u64;
  contextual: u64;
  cards: u64;
  /** Characters before a number in which those letters stand. */
  within: u32;
  /** Bytes of the longest number of `cards`. */
  most: u32;
  groups: usize;
  groupsEnd: usize;
  width: u32;
  classes: usize;
  heads: usize;
  signs: usize;
  rows: usize;
  sets: usize;
}

const NUMBERS_BYTES: usize = 64;
const first: usize = memory.data(GROUPS_MAX * 64, 8);
let behindLast: usize = first;

/** After it is known which forms are wanted. */
export function chooseNumbers(): void {
  const glances = section + <usize>load<u32>(section + H_GLANCES_AT);
  const stop = glances + 4 + ((<usize>load<u32>(glances)) << 2);
  behindLast = first;
  for (let at = glances + 4; at != stop; at += 4) {
    const numbers = changetype<Numbers>(behindLast);
    readGlance(numbers, section + <usize>load<u32>(at));
    if (numbers.wanted != 0) behindLast += NUMBERS_BYTES;
  }
}

function readGlance(numbers: Numbers, glance: usize): void {
  numbers.wanted = 0;
  numbers.contextual = 0;
  numbers.cards = 0;
  numbers.within = 0;
  numbers.most = 0;
  numbers.groups = section + <usize>load<u32>(glance + GLANCE_GROUPS_AT);
  numbers.groupsEnd = numbers.groups + ((<usize>load<u32>(glance + GLANCE_GROUPS)) << 2);
  numbers.width = load<u32>(glance + GLANCE_CLASSES);
  numbers.classes = section + <usize>load<u32>(glance + GLANCE_CLASSES_AT);
  numbers.heads = section + <usize>load<u32>(glance + GLANCE_HEADS_AT);
  numbers.signs = section + <usize>load<u32>(glance + GLANCE_SIGNS_AT);
  numbers.rows = section + <usize>load<u32>(glance + GLANCE_ROWS_AT);
  numbers.sets = section + <usize>load<u32>(glance + GLANCE_SETS_AT);
  for (let at = numbers.groups; at != numbers.groupsEnd; at += 4) {
    const g = <u32>load<u16>(at);
    const group = groupAt(g);
    const bit = <u64>load<u8>(at, 2);
    const contextual = load<u32>(group + GROUP_CONTEXT_BEFORE);
    const cards = load<u32>(group + GROUP_HEADS);
    numbers.wanted |= (<u64>load<u32>(active + (g << 2))) << bit;
    numbers.contextual |= (<u64>contextual) << bit;
    numbers.cards |= (<u64>cards) << bit;
    if (contextual != 0) numbers.within = max(numbers.within, load<u32>(group + GROUP_WITHIN_MOST));
    if (cards != 0) numbers.most = max(numbers.most, load<u32>(group + GROUP_FORWARD_MOST));
  }
}

/** Matches that begin with the digit at `p`. */
export function matchNumber(p: usize): void {
  if (p + GLANCE > end) {
    for (let at = first; at != behindLast; at += NUMBERS_BYTES) {
      const numbers = changetype<Numbers>(at);
      matchGroups(numbers, p, numbers.wanted);
    }
    return;
  }
  const digits = i8x16.lt_u(i8x16.sub(v128.load64_zero(p), i8x16.splat(0x30)), i8x16.splat(10));
  const shape = ((<u32>i8x16.bitmask(digits)) >> 1) & ((1 << SHAPE_DIGITS) - 1);
  const sign = p + 1 + <usize>ctz(~shape);
  const second = min(<u32>load<u8>(p, 1) - 0x30, SHAPE_SECONDS - 1);
  const head = (<u32>load<u8>(p) - 0x30) * SHAPE_SECONDS + second;
  for (let at = first; at != behindLast; at += NUMBERS_BYTES) {
    const numbers = changetype<Numbers>(at);
    const signClass = <u32>load<u8>(numbers.classes + <usize>load<u8>(sign));
    const behindClass = <u32>load<u8>(numbers.classes + <usize>load<u8>(sign, 1));
    let forms =
      numbers.wanted &
      setAt(numbers, numbers.heads + <usize>head) &
      setAt(numbers, numbers.rows + <usize>(shape * numbers.width + signClass)) &
      setAt(numbers, numbers.signs + <usize>(signClass * numbers.width + behindClass));
    if ((forms & numbers.cards) != 0 && !mayBeCard(p, end, numbers.most, final)) forms &= ~numbers.cards;
    if ((forms & numbers.contextual) != 0 && !lettersBefore(p, numbers.within)) forms &= ~numbers.contextual;
    if (forms != 0) matchGroups(numbers, p, forms);
  }
}

/** The set whose number stands there. */
function setAt(numbers: Numbers, number: usize): u64 {
  return load<u64>(numbers.sets + ((<usize>load<u8>(number)) << 3));
}

function matchGroups(numbers: Numbers, p: usize, forms: u64): void {
  for (let at = numbers.groups; at != numbers.groupsEnd; at += 4) {
    const own = (<u32>(forms >> (<u64>load<u8>(at, 2)))) & ((1 << load<u8>(at, 3)) - 1);
    if (own != 0) matchForms(groupAt(load<u16>(at)), p, own);
  }
}
