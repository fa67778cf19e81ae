/**
 * `require`: a document that does not meet the condition is not stored. In the plan it is a rule that denies where the
 * condition does not hold; what it cannot read touches it. It has the rule's name, or, where the rule has other effects
 * of its own, `require NAME` beside it.
 */
import type { Condition, Rule as SourceRule } from '../../dsl/program.ts';
import type { Rule } from '../plan/plan.ts';
import { exprsOf, overModels } from './condition.ts';
import { type EventContext, readsIn } from './event-context.ts';

/** Null where the rule requires nothing. `narrowing` is where it applies. */
export function requirementRule(
  source: SourceRule,
  required: readonly Condition[],
  narrowing: readonly (Condition | null)[],
  isAlone: boolean,
  context: EventContext,
): Rule | null {
  const [first] = required;
  if (first === undefined) return null;
  const when = overModels([...narrowing, unmet(required, first)], context.scope);
  return {
    name: isAlone ? source.name : `require ${source.name}`,
    ...(source.title === null ? {} : { title: source.title }),
    cites: source.meta.cites,
    reads: readsIn(context, ...exprsOf(when)),
    when,
    effects: [{ kind: 'deny', message: source.title ?? `the document does not meet what \`${source.name}\` requires` }],
    span: source.span,
  };
}

/** Not all of the conditions hold. */
export function unmet(required: readonly Condition[], { span }: Pick<Condition, 'span'>): Condition {
  return { kind: 'not', operand: { kind: 'and', operands: required, span }, span };
}
