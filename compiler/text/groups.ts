/**
 * Forms to groups: what is found together, and by which automata. Forms that begin with a digit share one automaton,
 * because digits are common and their patterns alike; others only where that saves room.
 */
import * as L from '../../filters/kernel/text/layout.ts';
import { automatonOf, leadingBytes, type Automaton } from './automaton.ts';
import { DIGITS, isWithin } from './byte-set.ts';
import { anchorFrequency, type Anchor, type PlacedAnchor } from './anchor.ts';
import type { CompiledForm, Problem } from './compiled-form.ts';
import { beginnings, reversed, type Positions } from './positions.ts';

export type Group = {
  readonly forms: readonly CompiledForm[];
  /** Each of them may announce a match. */
  readonly anchors: readonly PlacedAnchor[];
  readonly frequency: number;
  /** What is looked for is a number's first digit, which no letter or digit precedes. */
  readonly digits: boolean;
} & (
  | { readonly kind: 'prefix'; readonly forward: Automaton }
  | { readonly kind: 'near' | 'run'; readonly forward: Automaton }
  | { readonly kind: 'bitset'; readonly positions: Positions }
  | {
      readonly kind: 'pivot';
      readonly forward: Automaton;
      readonly backward: Automaton;
      readonly tail: Automaton;
      readonly beforeMost: number;
    }
);

/** States of one form's automaton before minimising. */
const FORM_STATES_MAX = 20_000;
/** Bytes of rows of one automaton. */
const FORM_BYTES_MAX = 24_576;
const SHARED_BYTES_MAX = 16_384;
/** Bits of a number, one a form. */
const SHARED_FORMS_MAX = 30;

type PrefixGroup = Extract<Group, { kind: 'prefix' }>;
type NearGroup = Extract<Group, { kind: 'near' | 'run' }>;

export function groupForms(
  forms: readonly CompiledForm[],
): readonly (Group | { readonly form: CompiledForm; readonly problem: Problem })[] {
  const result: (Group | { readonly form: CompiledForm; readonly problem: Problem })[] = [];
  const shared: PrefixGroup[] = [];
  const near: NearGroup[] = [];
  for (const form of forms) {
    const group = groupOf(form);
    if ('problem' in group) {
      result.push(group);
      continue;
    }
    if (group.kind === 'near') {
      const at = near.findIndex(
        (candidate) => JSON.stringify(contextOf(candidate)) === JSON.stringify(contextOf(group)),
      );
      const merged = at === -1 ? null : mergeNear(near[at]!, group);
      if (merged === null) near.push(group);
      else near[at] = merged;
      continue;
    }
    if (group.kind !== 'prefix') {
      result.push(group);
      continue;
    }
    const at = shared.findLastIndex((candidate) => sameKind(candidate, group));
    const merged = at === -1 ? null : merge(shared[at]!, group);
    if (merged === null) shared.push(group);
    else shared[at] = merged;
  }
  return [...shared, ...near, ...result];
}

/** Bytes of an automaton in the tables. */
export function automatonBytes({ states, classCount }: Automaton): number {
  return states.length * (classCount + 1) * (states.length > L.DFA_NARROW_STATES_MAX ? 2 : 1) + 256;
}

function groupOf(form: CompiledForm): Group | { readonly form: CompiledForm; readonly problem: Problem } {
  const common = {
    forms: [form],
    anchors: [notPlaced(form.anchor)],
    frequency: form.frequency,
    digits: beginsWithDigit(form),
  };
  if (form.how.kind === 'pivot') {
    const forward = smallEnough(automatonOf([form.how.from], FORM_STATES_MAX));
    const backward = smallEnough(automatonOf([reversed(form.how.before)], FORM_STATES_MAX));
    const tail = smallEnough(automatonOf([reversed(beginnings(form.how.before))], FORM_STATES_MAX));
    if (forward !== null && backward !== null && tail !== null)
      return {
        ...common,
        digits: form.how.digits,
        kind: 'pivot',
        forward,
        backward,
        tail,
        beforeMost: form.how.beforeMost,
      };
    return { form, problem: TOO_LARGE };
  }
  const forward = smallEnough(automatonOf([form.how.positions], FORM_STATES_MAX));
  if (form.how.kind === 'near')
    return forward === null
      ? { form, problem: TOO_LARGE }
      : { ...common, anchors: form.how.anchors, digits: false, kind: 'near', forward };
  if (forward !== null) return { ...common, kind: form.how.kind, forward };
  if (form.how.positions.reads.length <= L.BITSET_POSITIONS_MAX)
    return { ...common, digits: false, kind: 'bitset', positions: form.how.positions };
  return { form, problem: TOO_LARGE };
}

const TOO_LARGE: Problem = {
  message: 'the pattern needs too large an automaton',
  help: 'begin it with characters that tell it from other text, make its counts smaller, or make two detectors of its alternatives',
};

function smallEnough(automaton: Automaton | null): Automaton | null {
  return automaton !== null && automatonBytes(automaton) <= FORM_BYTES_MAX ? automaton : null;
}

/**
 * Digit forms go with digit forms; those that need a context word before them are kept apart, because most text is
 * ruled out at once.
 */
function sameKind(a: PrefixGroup, b: PrefixGroup): boolean {
  return a.digits === b.digits && needsContext(a) === needsContext(b);
}

function needsContext({ forms }: PrefixGroup): boolean {
  return forms.every(({ source }) => source.context?.where === 'before');
}

function contextOf({ forms }: NearGroup): CompiledForm['source']['context'] {
  return forms[0]?.source.context;
}

/** Forms with the same context: its words are looked for once. */
function mergeNear(a: NearGroup, b: NearGroup): NearGroup | null {
  const forms = [...a.forms, ...b.forms];
  const forward =
    forms.length > SHARED_FORMS_MAX
      ? null
      : automatonOf(
          forms.flatMap(({ how }) => (how.kind === 'near' ? [how.positions] : [])),
          FORM_STATES_MAX,
        );
  if (forward === null || automatonBytes(forward) > SHARED_BYTES_MAX) return null;
  return { ...a, forms, forward };
}

function merge(a: PrefixGroup, b: PrefixGroup): PrefixGroup | null {
  const forms = [...a.forms, ...b.forms];
  if (forms.length > SHARED_FORMS_MAX) return null;
  const positions = forms.flatMap(({ how }) => (how.kind === 'prefix' ? [how.positions] : []));
  const forward = automatonOf(positions, FORM_STATES_MAX);
  if (forward === null) return null;
  // Wide cells would cost more than a second automaton.
  if (a.digits && forward.states.length > L.DFA_NARROW_STATES_MAX) return null;
  const most = a.digits
    ? SHARED_BYTES_MAX
    : Math.min(SHARED_BYTES_MAX, automatonBytes(a.forward) + automatonBytes(b.forward));
  if (automatonBytes(forward) > most) return null;
  const anchor = leadingBytes(positions);
  if (!a.digits && anchorFrequency(anchor) > (a.frequency + b.frequency) * 2) return null;
  return {
    kind: 'prefix',
    forms,
    anchors: [notPlaced(anchor)],
    frequency: anchorFrequency(anchor),
    digits: a.digits,
    forward,
  };
}

function beginsWithDigit({ anchor, source }: CompiledForm): boolean {
  return isWithin(anchor[0], DIGITS) && source.boundary.before !== 'none' && source.boundary.before !== 'digit';
}

function notPlaced(bytes: Anchor): PlacedAnchor {
  return { bytes, backLeast: 0, backMost: 0 };
}
