/**
 * `sample`: a part of all exchanges is kept for review. In the plan it is a rule whose condition compares the exchange's
 * draw, which the filter makes of the exchange's own id. All rules read one draw, so that whatever a rule takes of a small
 * share, one of a larger share takes too. It has the rule's name, or, where the rule has other effects of its own,
 * `sample NAME` beside it: those are not drawn.
 */
import type { Effect as SourceEffect, Rule as SourceRule } from '../../dsl/program.ts';
import { DRAW_PATH, type Keep, SHARE_WHOLE } from '../plan/keep.ts';
import type { Expr, ModelExpr, Rule } from '../plan/plan.ts';
import { exprsOf } from './condition.ts';
import { type EventContext, readsIn } from './event-context.ts';
import { and } from './simplify.ts';
import { Unlowerable } from './unlowerable.ts';

export type SampleEffect = Extract<SourceEffect, { readonly kind: 'sample' }>;

/** None where the rule samples nothing; one for each share, the smallest first. */
export function sampleRules(
  source: SourceRule,
  samples: readonly SampleEffect[],
  where: ModelExpr,
  isAlone: boolean,
  context: EventContext,
): readonly Rule[] {
  const shares = [...new Set(samples.map(({ share }) => share))].sort((a, b) => a - b);
  return shares.map((share, at) => {
    const when = drawn(where, share, context);
    const name = isAlone && at === 0 ? source.name : `sample ${source.name}`;
    return {
      name: at === 0 ? name : `${name} ${at + 1}`,
      ...(source.title === null ? {} : { title: source.title }),
      cites: source.meta.cites,
      reads: readsIn(context, ...exprsOf(when)),
      when,
      effects: samples.filter((each) => each.share === share).map((each) => keep(each, context)),
      span: source.span,
    };
  });
}

function drawn(where: ModelExpr, share: number, { scope }: EventContext): ModelExpr {
  if (share === SHARE_WHOLE) return where;
  const fact = scope.facts.at(DRAW_PATH);
  const isDrawn: Expr = {
    kind: 'compare',
    op: 'lt',
    left: { kind: 'fact', fact },
    right: { kind: 'number', value: share },
  };
  return where.kind === 'all'
    ? { kind: 'all', expr: and([where.expr, isDrawn]) }
    : { kind: 'each', exprs: where.exprs.map((expr) => and([expr, isDrawn])) };
}

function keep({ reviewers, share }: SampleEffect, { program }: EventContext): Keep {
  const group = program.reviewers.find(({ name }) => name === reviewers)?.group;
  if (group === undefined) throw new Unlowerable('sample');
  return { kind: 'keep', reviewers, group, milliseconds: null, share };
}
