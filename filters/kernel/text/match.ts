/** Looks for the matches at one anchor: automata, then boundaries, contexts and validators; what passes is a span. */
import { accepted, cellAt, endBelow, formsAlive, formsAt, runBitset, runForward } from './automaton';
import { boundaryBefore, DIGIT, NONE } from './characters';
import {
  CONTEXT_FOUND,
  CONTEXT_UNSETTLED,
  contextAfter,
  contextBefore,
  forgetLetters,
  lettersBefore,
  wordEnd,
} from './context';
import {
  DFA_CLASSES,
  DFA_CLASSES_AT,
  DFA_FIRST_ACCEPT,
  DFA_ROWS_AT,
  DFA_START,
  DFA_WIDE,
  FORM_BYTES,
  FORM_DETECTOR,
  FORM_LONGEST,
  FORM_VALIDATOR,
  FORM_WHERE,
  FORM_WITHIN,
  GROUP_BACKWARD_AT,
  GROUP_BACKWARD_MOST,
  GROUP_BEFORE,
  GROUP_BYTES,
  GROUP_CONTEXT_BEFORE,
  GROUP_FIRST_FORM,
  GROUP_FORMS,
  GROUP_KIND,
  GROUP_TAIL_AT,
  GROUP_WITHIN_MOST,
  GROUPS_MAX,
  H_FORMS_AT,
  H_GROUPS,
  H_GROUPS_AT,
  KIND_BITSET,
  KIND_NEAR,
  KIND_PIVOT,
  KIND_PREFIX,
  KIND_RUN,
  VALIDATOR_EMAIL,
  VALIDATOR_NONE,
  WHERE_AFTER,
  WHERE_BEFORE,
  WHERE_NOWHERE,
} from './layout';
import { forgetDigits } from './card-digits';
import { validate } from './validate';
import { count, end, final, first, foundSpan, keepLive, section, wanted } from './window';

/** Starts that one anchor can have: the backward automaton's most, which the compiler holds below. */
const STARTS_MAX: u32 = 256;
const starts: usize = memory.data(STARTS_MAX * 4, 8);
/** For each group the forms whose detector is wanted. */
export const active: usize = memory.data(GROUPS_MAX * 4, 8);
/** For each group whose anchor is a context word the first place that was not tried. */
const tried: usize = memory.data(GROUPS_MAX * 4, 8);
let activeFor: usize = 0;
let activeLow: u64 = 0;
let activeHigh: u64 = 0;
/** Whether a wanted form of KIND_RUN may begin behind a letter or a digit. */
export let runsBeginInWords: bool = false;

/** Works out which forms are wanted; false where nothing has changed since the last scan. */
export function chooseForms(low: u64, high: u64): bool {
  if (activeFor == section && activeLow == low && activeHigh == high) return false;
  activeFor = section;
  activeLow = low;
  activeHigh = high;
  const groups = load<u32>(section + H_GROUPS);
  runsBeginInWords = false;
  for (let g: u32 = 0; g < groups; g += 1) {
    const group = groupAt(g);
    const forms = <u32>load<u8>(group + GROUP_FORMS);
    let mask: u32 = 0;
    for (let form: u32 = 0; form < forms; form += 1) {
      if (wanted(load<u8>(formAt(group, form) + FORM_DETECTOR))) mask |= 1 << form;
    }
    store<u32>(active + (g << 2), mask);
    if (<u32>load<u8>(group + GROUP_KIND) == KIND_RUN && (mask & formsAt(group + GROUP_BEFORE, NONE | DIGIT)) != 0)
      runsBeginInWords = true;
  }
  return true;
}

/**
 * Matches of group `g` whose anchor is at `p`; `back` is how far before it a context word begins: at least, and in the
 * second byte at most.
 */
export function matchAt(g: u32, p: usize, back: u32): void {
  const group = groupAt(g);
  let allowed = load<u32>(active + (g << 2));
  if (allowed == 0) return;
  const kind = <u32>load<u8>(group + GROUP_KIND);
  if (kind == KIND_PIVOT) matchPivot(group, p);
  else if (kind == KIND_NEAR) matchNear(g, group, p, back);
  else matchPrefix(group, kind, p, allowed);
}

/** Matches at the number at `p`, of the group's forms that a glance leaves. */
export function matchForms(group: usize, p: usize, forms: u32): void {
  if (<u32>load<u8>(group + GROUP_KIND) == KIND_PIVOT) matchPivot(group, p);
  else matchAllowed(group, KIND_PREFIX, p, forms);
}

export function isNear(g: u32): bool {
  return <u32>load<u8>(groupAt(g) + GROUP_KIND) == KIND_NEAR;
}

/** Starts before `from` are settled. */
export function beginMatching(from: usize): void {
  forgetLetters();
  forgetDigits();
  const groups = load<u32>(section + H_GROUPS);
  for (let g: u32 = 0; g < groups; g += 1) store<u32>(tried + (g << 2), <u32>from);
}

function matchPrefix(group: usize, kind: u32, p: usize, allowed: u32): void {
  // Most places are no match's beginning, and a few bytes tell.
  if (kind != KIND_BITSET) allowed &= formsAlive(group, p);
  if (allowed != 0) matchAllowed(group, kind, p, allowed);
}

function matchAllowed(group: usize, kind: u32, p: usize, allowed: u32): void {
  const contextual = load<u32>(group + GROUP_CONTEXT_BEFORE);
  if ((allowed & contextual) != 0 && !lettersBefore(p, load<u32>(group + GROUP_WITHIN_MOST))) {
    allowed &= ~contextual;
    if (allowed == 0) return;
  }
  allowed &= formsAt(group + GROUP_BEFORE, boundaryBefore(p, first));
  if (allowed == 0) return;
  const open = kind == KIND_BITSET ? runBitset(group, p, allowed) : runForward(group, p, allowed);
  if (open != 0 && keepOpen(group, p, open)) return;
  let detector: u32 = -1;
  let to: usize = 0;
  for (let rest = accepted; rest != 0; rest &= rest - 1) {
    const index = <u32>ctz(rest);
    // Of one detector's forms only a longer match tells more.
    const own = <u32>load<u8>(formAt(group, index) + FORM_DETECTOR);
    if (own != detector) to = 0;
    detector = own;
    const taken = takeLongest(group, index, p, to);
    if (taken != 0) to = taken;
  }
}

/** The anchor at `p` may lie in a context word: then every place near behind the word is tried, each once. */
function matchNear(g: u32, group: usize, p: usize, back: u32): void {
  const allowed = load<u32>(active + (g << 2));
  const form = formAt(group, 0);
  const most = <usize>(back >> 8);
  const last = p - <usize>(back & 0xff);
  for (let word = p - first > most ? p - most : first; word <= last; word += 1) {
    let at = wordEnd(form, word);
    if (at == 0) continue;
    let characters = <i32>load<u16>(form + FORM_WITHIN);
    for (let q = word; q < at; q += 1) {
      if ((load<u8>(q) & 0xc0) != 0x80) characters -= 1;
    }
    if (characters < 0) continue;
    const from = <usize>load<u32>(tried + (g << 2));
    for (; at < end; at += 1) {
      if ((load<u8>(at) & 0xc0) != 0x80) {
        if (at >= from) matchPrefix(group, KIND_PREFIX, at, allowed);
        if (characters == 0) break;
        characters -= 1;
      }
    }
    if (at + 1 > from) store<u32>(tried + (g << 2), <u32>(at < end ? at + 1 : end));
  }
}

/** Matches whose anchor may lie behind the end: what is before the end and could be their beginning stays live. */
export function matchTail(g: u32, from: usize, end: usize): void {
  const group = groupAt(g);
  if (<u32>load<u8>(group + GROUP_KIND) != KIND_PIVOT || load<u32>(active + (g << 2)) == 0) return;
  const n = runBackward(group, section + <usize>load<u32>(group + GROUP_TAIL_AT), end, from);
  for (let i: i32 = <i32>n - 1; i >= 0; i -= 1) {
    const p = <usize>load<u32>(starts + ((<usize>i) << 2));
    if (keepOpen(group, p, 1)) return;
  }
}

function matchPivot(group: usize, p: usize): void {
  if (load<u32>(group + GROUP_CONTEXT_BEFORE) != 0 && !lettersBefore(p, load<u32>(group + GROUP_WITHIN_MOST))) return;
  const n = runBackward(group, section + <usize>load<u32>(group + GROUP_BACKWARD_AT), p, first);
  if (n == 0) return;
  // The anchor's byte is the first that the forward automaton reads.
  const open = runForward(group, p, 1);
  if (open != 0) {
    for (let i: i32 = <i32>n - 1; i >= 0; i -= 1) {
      if (keepOpen(group, load<u32>(starts + ((<usize>i) << 2)), open)) return;
    }
  }
  if (accepted == 0) return;
  // Every start goes with every end: what the farthest start takes covers the others, unless the validator or the
  // context refused it for what stands before the anchor.
  const form = formAt(group, 0);
  const startMatters =
    <u32>load<u8>(form + FORM_WHERE) != WHERE_NOWHERE || readsBeforeAnchor(<u32>load<u8>(form + FORM_VALIDATOR));
  const longest = endBelow(group, 0, <usize>-1);
  for (let i: i32 = <i32>n - 1; i >= 0; i -= 1) {
    if (takeLongest(group, 0, load<u32>(starts + ((<usize>i) << 2)), 0) == longest || !startMatters) return;
  }
}

function readsBeforeAnchor(validator: u32): bool {
  return validator != VALIDATOR_NONE && validator != VALIDATOR_EMAIL;
}

/** Starts of matches that end, or go on, at `p`, nearest first. */
function runBackward(group: usize, dfa: usize, p: usize, from: usize): u32 {
  const classes = section + <usize>load<u32>(dfa + DFA_CLASSES_AT);
  const rows = section + <usize>load<u32>(dfa + DFA_ROWS_AT);
  const firstAccept = <u32>load<u16>(dfa + DFA_FIRST_ACCEPT);
  const most = <usize>load<u32>(group + GROUP_BACKWARD_MOST);
  const limit = p - from > most ? p - most : from;
  const width = <u32>load<u16>(dfa + DFA_CLASSES);
  const wide = load<u16>(dfa + DFA_WIDE) != 0;
  let state = <u32>load<u16>(dfa + DFA_START);
  let n: u32 = 0;
  let at = p;
  while (true) {
    if (state >= firstAccept && (formsAt(group + GROUP_BEFORE, boundaryBefore(at, first)) & 1) != 0 && n < STARTS_MAX) {
      store<u32>(starts + (n << 2), <u32>at);
      n += 1;
    }
    if (at == limit) break;
    state = cellAt(rows, wide, state * width + load<u8>(classes + load<u8>(at - 1)));
    if (state == 0) break;
    at -= 1;
  }
  count(p - at + 1);
  return n;
}

/** Whether a match at `p` of one of the `open` forms is still possible; then it stays live. */
function keepOpen(group: usize, p: usize, open: u32): bool {
  for (let rest = open; rest != 0; rest &= rest - 1) {
    const form = formAt(group, <u32>ctz(rest));
    if (<u32>load<u8>(form + FORM_WHERE) == WHERE_BEFORE && !contextBefore(form, p)) continue;
    keepLive(p);
    return true;
  }
  return false;
}

/**
 * Finds the longest end behind `beyond` that the form's validator and context accept for a match at `p`; answers it, or
 * 0.
 */
function takeLongest(group: usize, index: u32, p: usize, beyond: usize): usize {
  const form = formAt(group, index);
  const where = <u32>load<u8>(form + FORM_WHERE);
  const longest = load<u32>(form + FORM_LONGEST);
  const validator = <u32>load<u8>(form + FORM_VALIDATOR);
  let near = where == WHERE_NOWHERE;
  let looked = near || where == WHERE_AFTER;
  for (let to = endBelow(group, index, <usize>-1); to > p && to > beyond; to = endBelow(group, index, to)) {
    if (<u32>(to - p) > longest) continue;
    if (validator != VALIDATOR_NONE && !validate(validator, p, to)) continue;
    // The context costs most, and what stands before is the same for every end.
    if (!looked) {
      looked = true;
      near = contextBefore(form, p);
      if (!near && where == WHERE_BEFORE) return 0;
    }
    if (!near) {
      const after = contextAfter(form, to);
      if (after == CONTEXT_UNSETTLED) {
        keepLive(p);
        return 0;
      }
      if (after != CONTEXT_FOUND) continue;
    }
    foundSpan(load<u8>(form + FORM_DETECTOR), p, to);
    return to;
  }
  return 0;
}

export function groupAt(g: u32): usize {
  return section + <usize>load<u32>(section + H_GROUPS_AT) + <usize>(g * GROUP_BYTES);
}

function formAt(group: usize, index: u32): usize {
  return (
    section +
    <usize>load<u32>(section + H_FORMS_AT) +
    <usize>((load<u16>(group + GROUP_FIRST_FORM) + index) * FORM_BYTES)
  );
}
