/**
 * The modes of redaction: what stands in a value's place. A plan lists those that its rules use, the weakest first; an
 * effect and a decision's result name one by its position in that list.
 *
 * - `placeholder`: a name and a number, which the reply to the same exchange turns back.
 * - `pseudonym`: the detector's name and a keyed hash, the same for equal values at equal values of the fact `forEach`;
 *   nothing turns it back. Where the fact has failed or is unknown, or no key is there, it is a whole mask.
 * - `year`: the detector's name and the one year that a date shows; a whole mask where the value is no such date.
 * - `mask`: the detector's name, and of the value's letters and digits the last `keepLast`, but never more than half.
 * - `remove`: nothing.
 */

export type RedactionMode =
  | { readonly kind: 'placeholder' }
  /** `forEach` is a position in `Plan.facts`. */
  | { readonly kind: 'pseudonym'; readonly forEach: number }
  | { readonly kind: 'year' }
  /** `keepLast` 0: nothing is kept. */
  | { readonly kind: 'mask'; readonly keepLast: number }
  | { readonly kind: 'remove' };

/** Weakest first: where several apply to one detector or one span, the last wins. */
export const REDACTION_KINDS = [
  'placeholder',
  'pseudonym',
  'year',
  'mask',
  'remove',
] as const satisfies readonly RedactionMode['kind'][];

/** A result holds a position, 0 for none, and one bit more, in a byte. */
export const REDACTIONS_MAX = 126;

/** Below 0 where `a` is weaker. A mask that keeps less is stronger; pseudonyms stand in the order of their facts. */
export function compareRedactions(a: RedactionMode, b: RedactionMode): number {
  return REDACTION_KINDS.indexOf(a.kind) - REDACTION_KINDS.indexOf(b.kind) || withinKind(a) - withinKind(b);
}

function withinKind(mode: RedactionMode): number {
  if (mode.kind === 'mask') return -mode.keepLast;
  return mode.kind === 'pseudonym' ? mode.forEach : 0;
}

type Facts = readonly { readonly path: readonly string[] }[];

/** As a decision shows it: `mask keeping last 4`, `pseudonym for each caller.branch`. */
export function redactionName(mode: RedactionMode, facts: Facts): string {
  switch (mode.kind) {
    case 'placeholder':
    case 'year':
    case 'remove':
      return mode.kind;
    case 'mask':
      return mode.keepLast === 0 ? 'mask' : `mask keeping last ${mode.keepLast}`;
    case 'pseudonym':
      return `pseudonym for each ${facts[mode.forEach]!.path.join('.')}`;
  }
}

export function redactionNames({
  redactions,
  facts,
}: {
  readonly redactions: readonly RedactionMode[];
  readonly facts: Facts;
}): readonly string[] {
  return redactions.map((mode) => redactionName(mode, facts));
}
