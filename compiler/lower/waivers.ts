/**
 * Waivers: what a rule narrows is lifted for those whom a waiver covers, for as long as it lasts; that it was lifted
 * stands in the decision, as a rule `waiver NAME` that fired and does nothing. A waiver never allows: an `allow` of its
 * rule stays as it is, and the checker refuses rules of which that cannot be told apart.
 */
import type { Condition, Effect as SourceEffect, Rule as SourceRule, Waiver } from '../../dsl/program.ts';
import type { Span } from '../../dsl/source.ts';
import type { Effect, ModelExpr, Rule } from '../plan/plan.ts';
import { anyOf, exprsOf, overModels, removals, type Scope, unlessCondition } from './condition.ts';
import { WAIVER_PREFIX } from '../plan/waiver.ts';
import { told } from './notices.ts';
import { unmet } from './requirements.ts';
import { untilCondition } from './periods.ts';
import { type EventContext, type LoweredRule, readsIn } from './event-context.ts';

/** The waivers of a rule, by name. One that cannot be enforced as written lifts nothing. */
export function waiversOf(rule: SourceRule, { program, unenforced }: EventContext): readonly Waiver[] {
  return program.waivers.filter(({ name, of }) => of.includes(rule.name) && unenforced.formOf(name) === null);
}

/** Null: nobody's. */
export function liftedBy(waivers: readonly Waiver[], span: Span): Condition | null {
  return waivers.length === 0 ? null : { kind: 'or', operands: waivers.map(covers), span };
}

export function eitherOf(condition: Condition, other: Condition | null): Condition {
  return other === null ? condition : { kind: 'or', operands: [condition, other], span: condition.span };
}

/** Effects that have no condition of their own: where they are lifted the rule does not fire. */
export function isLiftedWhole({ kind }: { readonly kind: Effect['kind'] | SourceEffect['kind'] }): boolean {
  return kind === 'deny' || kind === 'redact' || kind === 'hold' || kind === 'keep_newest' || kind === 'keepNewest';
}

/** Whether the waiver lifts something that the rule, with these conditions, would have done. */
export function liftedWhen(
  waiver: Waiver,
  where: readonly (Condition | null)[],
  effects: readonly SourceEffect[],
  scope: Scope,
): ModelExpr {
  const covered = [...where, covers(waiver)];
  return anyOf(
    effects.flatMap((effect): ModelExpr[] => {
      switch (effect.kind) {
        case 'deny':
        case 'redact':
        case 'hold':
        case 'keepNewest':
        case 'dropCall':
        case 'limit':
          return [overModels(covered, scope)];
        case 'useOnlyModels':
          return [removals(covered, effect.condition, scope)];
        case 'require':
          return [overModels([...covered, unmet([effect.condition], effect)], scope)];
        case 'withholdChunk':
          return [overModels([...covered, unlessCondition(effect.unless)], scope)];
        default:
          return [];
      }
    }),
  );
}

/** Whom the waiver covers where the rule applies, whether or not it lifts something. */
export function coversOf(waiver: Waiver, where: readonly (Condition | null)[], scope: Scope): ModelExpr {
  return overModels([...where, covers(waiver)], scope);
}

export function waiverName({ name }: Waiver): string {
  return `${WAIVER_PREFIX}${name}`;
}

/**
 * One rule for each waiver that bears on rules of the event. `asked`: those of the request to a store, before anything
 * is found.
 */
export function waiverRules(lowered: readonly LoweredRule[], which: 'when' | 'asked', context: EventContext): Rule[] {
  const uses = lowered.flatMap(({ waived }) => waived);
  return context.program.waivers.flatMap((waiver): Rule[] => {
    const own = uses.filter((use) => use.waiver.name === waiver.name).map((use) => use[which]);
    if (own.length === 0) return [];
    const when = anyOf(own);
    return [
      {
        name: waiverName(waiver),
        title: waiver.title,
        cites: [],
        reads: readsIn(context, ...exprsOf(when)),
        when,
        effects: [],
        ...told(waiver.notify === null ? [] : [waiver.notify], context.program),
        span: waiver.span,
      },
    ];
  });
}

function covers({ where, until, span }: Waiver): Condition {
  const lasts = untilCondition(until, span);
  return where === null ? lasts : { kind: 'and', operands: [where, lasts], span };
}
