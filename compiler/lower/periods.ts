/** When a declaration holds, as a condition on `now`: `effective … until …`, and until when a waiver lasts. */
import type { AttributeRef, Condition, Meta } from '../../dsl/program.ts';
import type { Span } from '../../dsl/source.ts';
import { nextDay } from '../../dsl/time-zone.ts';

/** Null where it always holds. */
export function effectiveCondition({ effective, until }: Meta, span: Span): Condition | null {
  const bounds = [
    ...(effective === null ? [] : [compareNow('atLeast', effective, span)]),
    ...(until === null ? [] : [untilCondition(until, span)]),
  ];
  return bounds.length === 0 ? null : { kind: 'and', operands: bounds, span };
}

/** The day itself is included. */
export function untilCondition(date: string, span: Span): Condition {
  return compareNow('below', nextDay(date), span);
}

/** With the beginning of a day. */
function compareNow(operator: 'atLeast' | 'below', iso: string, span: Span): Condition {
  const type = { kind: 'time' } as const;
  const now: AttributeRef = {
    kind: 'attribute',
    root: 'now',
    name: '',
    type,
    optional: false,
    variable: null,
    span,
    declared: null,
  };
  return {
    kind: 'compare',
    operator,
    left: now,
    right: { kind: 'literal', value: { kind: 'time', iso }, type, span },
    span,
  };
}
