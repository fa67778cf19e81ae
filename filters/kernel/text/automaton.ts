/**
 * Runs a group's automata from one place, and keeps which forms accept where with their right boundary. It knows no
 * validator and no context.
 */
import { ALL, boundaryAfter, isDigit, NONE, UNSETTLED } from './characters';
import {
  BITSET_CLASSES_AT,
  BITSET_FIRST,
  BITSET_FOLLOW_AT,
  BITSET_LAST,
  BITSET_READS_AT,
  BOUNDARY_NONE,
  DFA_CLASSES,
  DFA_CLASSES_AT,
  DFA_FIRST_ACCEPT,
  DFA_INFO_NUMBERS_AT,
  DFA_INFOS_AT,
  DFA_ROWS_AT,
  DFA_START,
  DFA_WIDE,
  ENDS_MAX,
  FORMS_IN_GROUP_MAX,
  GROUP_AFTER,
  GROUP_ALL_ENDS,
  GROUP_FORWARD_AT,
  GROUP_FORWARD_MOST,
} from './layout';
import { count, end, final, section } from './window';

/** Accepted ends of forms whose every end matters, shortest first: pairs of address and forms. */
const ends: usize = memory.data(ENDS_MAX * 8, 8);
let endCount: u32 = 0;
/** The last accepted end of each other form. */
const lasts: usize = memory.data(FORMS_IN_GROUP_MAX * 4, 8);
/** Bytes after which most forms are out. */
const DECIDING: usize = 5;
/** Forms that accepted somewhere in the last run. */
export let accepted: u32 = 0;

/** Forms of a group whose boundary kinds, listed at `masks`, hold; bits of no form may be set, too. */
export function formsAt(masks: usize, kinds: u32): u32 {
  if (kinds == ALL) return -1;
  if (kinds == NONE) return load<u32>(masks + (BOUNDARY_NONE << 2));
  // Each form has one boundary, and mostly few do not hold.
  let out: u32 = 0;
  for (let rest = kinds ^ ALL; rest != 0; rest &= rest - 1) out |= load<u32>(masks + (ctz(rest) << 2));
  return ~out;
}

/**
 * Forms that match something at `p` or may still do so, as far as the first DECIDING bytes tell; all where fewer are
 * left.
 */
export function formsAlive(group: usize, p: usize): u32 {
  if (p + DECIDING > end) return -1;
  const dfa = section + <usize>load<u32>(group + GROUP_FORWARD_AT);
  const classes = section + <usize>load<u32>(dfa + DFA_CLASSES_AT);
  const rows = section + <usize>load<u32>(dfa + DFA_ROWS_AT);
  const width = <u32>load<u16>(dfa + DFA_CLASSES);
  const wide = load<u16>(dfa + DFA_WIDE) != 0;
  const firstAccept = <u32>load<u16>(dfa + DFA_FIRST_ACCEPT);
  let state = <u32>load<u16>(dfa + DFA_START);
  let seen: u32 = 0;
  for (let i: usize = 0; i < DECIDING; i += 1) {
    state = cellAt(rows, wide, state * width + load<u8>(classes + load<u8>(p + i)));
    // Dead leads to dead: there is no branch to guess.
    if (state >= firstAccept) seen |= load<u32>(infoOf(dfa, state));
  }
  return seen | load<u32>(infoOf(dfa, state) + 4);
}

/** What stands in a cell of rows or numbers. */
export function cellAt(rows: usize, wide: bool, cell: u32): u32 {
  return wide ? <u32>load<u16>(rows + ((<usize>cell) << 1)) : <u32>load<u8>(rows + <usize>cell);
}

/**
 * Reads from `p` with the forms in `allowed`. Answers the forms that more text could still change; `accepted` and the
 * ends are then incomplete for these.
 */
export function runForward(group: usize, p: usize, allowed: u32): u32 {
  accepted = 0;
  endCount = 0;
  const dfa = section + <usize>load<u32>(group + GROUP_FORWARD_AT);
  const classes = section + <usize>load<u32>(dfa + DFA_CLASSES_AT);
  const rows = section + <usize>load<u32>(dfa + DFA_ROWS_AT);
  const width = <u32>load<u16>(dfa + DFA_CLASSES);
  const wide = load<u16>(dfa + DFA_WIDE) != 0;
  const firstAccept = <u32>load<u16>(dfa + DFA_FIRST_ACCEPT);
  const most = p + <usize>load<u32>(group + GROUP_FORWARD_MOST);
  const limit = most < end ? most : end;
  // Where a digit follows only these forms may end: in a run of digits mostly none.
  const beforeDigit = load<u32>(group + GROUP_AFTER) & allowed;
  let state = <u32>load<u16>(dfa + DFA_START);
  let open: u32 = 0;
  let at = p;
  if (state >= firstAccept) open |= accept(group, infoOf(dfa, state), at, allowed);
  while (at < limit) {
    state = cellAt(rows, wide, state * width + load<u8>(classes + load<u8>(at)));
    if (state == 0) {
      count(at - p + 1);
      return open;
    }
    at += 1;
    if (state >= firstAccept && (beforeDigit != 0 || at == end || !isDigit(load<u8>(at))))
      open |= accept(group, infoOf(dfa, state), at, allowed);
  }
  count(at - p);
  if (at == end && !final && at < most) open |= load<u32>(infoOf(dfa, state) + 4) & allowed;
  return open;
}

/** As `runForward`, for a group of one form with a bitset automaton. */
export function runBitset(group: usize, p: usize, allowed: u32): u32 {
  accepted = 0;
  endCount = 0;
  const bitset = section + <usize>load<u32>(group + GROUP_FORWARD_AT);
  const classes = section + <usize>load<u32>(bitset + BITSET_CLASSES_AT);
  const reads = section + <usize>load<u32>(bitset + BITSET_READS_AT);
  const follow = section + <usize>load<u32>(bitset + BITSET_FOLLOW_AT);
  const lastLow = load<u64>(bitset + BITSET_LAST);
  const lastHigh = load<u64>(bitset + BITSET_LAST + 8);
  const most = p + <usize>load<u32>(group + GROUP_FORWARD_MOST);
  const limit = most < end ? most : end;
  let low = load<u64>(bitset + BITSET_FIRST);
  let high = load<u64>(bitset + BITSET_FIRST + 8);
  let open: u32 = 0;
  let at = p;
  while (at < limit) {
    const read = reads + ((<usize>load<u8>(classes + load<u8>(at))) << 4);
    let hereLow = low & load<u64>(read);
    let hereHigh = high & load<u64>(read + 8);
    count(1);
    if ((hereLow | hereHigh) == 0) return open;
    at += 1;
    if (((hereLow & lastLow) | (hereHigh & lastHigh)) != 0) open |= acceptForms(group, 1, at, allowed);
    low = 0;
    high = 0;
    for (; hereLow != 0; hereLow &= hereLow - 1) {
      const next = follow + ((<usize>ctz(hereLow)) << 4);
      low |= load<u64>(next);
      high |= load<u64>(next + 8);
    }
    for (; hereHigh != 0; hereHigh &= hereHigh - 1) {
      const next = follow + ((64 + <usize>ctz(hereHigh)) << 4);
      low |= load<u64>(next);
      high |= load<u64>(next + 8);
    }
  }
  if (at == end && !final && at < most && (low | high) != 0) open |= allowed & 1;
  return open;
}

/** The longest accepted end of a form below `before`, or 0. */
export function endBelow(group: usize, form: u32, before: usize): usize {
  if (((load<u32>(group + GROUP_ALL_ENDS) >> form) & 1) == 0) {
    const last = <usize>load<u32>(lasts + (form << 2));
    return last < before ? last : 0;
  }
  for (let i = <i32>endCount - 1; i >= 0; i -= 1) {
    const at = ends + ((<usize>i) << 3);
    if (<usize>load<u32>(at) < before && ((load<u32>(at + 4) >> form) & 1) != 0) return load<u32>(at);
  }
  return 0;
}

function infoOf(dfa: usize, state: u32): usize {
  const numbers = section + <usize>load<u32>(dfa + DFA_INFO_NUMBERS_AT);
  const info = <usize>cellAt(numbers, load<u16>(dfa + DFA_WIDE) != 0, state);
  return section + <usize>load<u32>(dfa + DFA_INFOS_AT) + (info << 3);
}

function accept(group: usize, info: usize, at: usize, allowed: u32): u32 {
  return acceptForms(group, load<u32>(info), at, allowed);
}

/** Keeps the end `at` for those of `forms` whose right boundary holds; answers those whose boundary is not settled. */
function acceptForms(group: usize, forms: u32, at: usize, allowed: u32): u32 {
  let here = forms & allowed;
  if (here == 0) return 0;
  const kinds = boundaryAfter(at, end, final);
  const settled = here & formsAt(group + GROUP_AFTER, kinds & 0xff);
  const open = kinds >> UNSETTLED == 0 ? 0 : here & formsAt(group + GROUP_AFTER, kinds >> UNSETTLED);
  if (settled == 0) return open;
  accepted |= settled;
  const all = settled & load<u32>(group + GROUP_ALL_ENDS);
  if (all != 0 && endCount < <u32>ENDS_MAX) {
    const slot = ends + ((<usize>endCount) << 3);
    store<u32>(slot, <u32>at);
    store<u32>(slot + 4, all);
    endCount += 1;
  }
  for (let rest = settled & ~all; rest != 0; rest &= rest - 1) store<u32>(lasts + (ctz(rest) << 2), <u32>at);
  return open;
}
