/**
 * Guarantees, kept as the last word: a rule `guarantee NAME` denies what would break it, after all other rules have had
 * their say. What the policy's own rules see to leaves a condition that never holds, and no rule. `X is unredacted` is
 * settled here: X is in the text, and no rule that redacts it fires; `is approved by` likewise: a rule that asks these
 * reviewers fires, for what waits is not sent.
 */
import type { Condition, Guarantee as SourceGuarantee, Rule as SourceRule } from '../../dsl/program.ts';
import type { Span } from '../../dsl/source.ts';
import type { Guarantee } from '../plan/governance.ts';
import type { EventPlan, ModelExpr, Rule } from '../plan/plan.ts';
import { exprsOf, overFacts, overModels } from './condition.ts';
import { type EventContext, readsIn } from './event-context.ts';
import { conditionsOf, denyingRule } from './rules.ts';
import { not } from './simplify.ts';
import { lowerable } from './unenforced.ts';

const PREFIX = 'guarantee ';
const EVENT_OF = { prompt: 'prompt', completion: 'completion', chunk: 'retrieval' } as const;

/** The rules that keep the guarantees of an event. A touched one denies: what cannot be told is not kept. */
export function guaranteeRules(event: SourceRule['event'], context: EventContext): Rule[] {
  return context.program.guarantees
    .filter(({ subject }) => EVENT_OF[subject] === event)
    .flatMap((guarantee) =>
      lowerable<Rule[]>(
        () => keepingRule(guarantee, context),
        (form) => [denyingRule(`${PREFIX}${guarantee.name}`, form, context)],
      ),
    );
}

/** What the plan says of each guarantee, for people and for tools. */
export function lowerGuarantees(guarantees: readonly SourceGuarantee[], events: readonly EventPlan[]): Guarantee[] {
  const checked = new Set(events.flatMap(({ rules }) => rules.map(({ name }) => name)));
  return guarantees.map((source) => ({
    ...head(source),
    subject: source.subject,
    kept: checked.has(`${PREFIX}${source.name}`) ? 'at_run_time' : 'by_its_rules',
    span: source.span,
  }));
}

function keepingRule(guarantee: SourceGuarantee, context: EventContext): Rule[] {
  const { scope } = context;
  const broken = settled(guarantee.condition, EVENT_OF[guarantee.subject], context);
  const message = guarantee.title ?? `this would break the guarantee \`${guarantee.name}\``;
  const rule = { ...head(guarantee), name: `${PREFIX}${guarantee.name}`, failsClosed: true, span: guarantee.span };
  if (guarantee.subject !== 'chunk') {
    const when = overModels([broken], scope);
    return isNever(when)
      ? []
      : [{ ...rule, reads: readsIn(context, ...exprsOf(when)), when, effects: [{ kind: 'deny', message }] }];
  }
  const unless = not(overFacts([broken], scope));
  if (unless.kind === 'const' && unless.value) return [];
  const reads = readsIn(context, unless);
  const when: ModelExpr = { kind: 'all', expr: { kind: 'const', value: true } };
  return [{ ...rule, reads: [], when, effects: [{ kind: 'withhold_chunk', unless, reads }] }];
}

function head(source: SourceGuarantee): Pick<Guarantee, 'name' | 'title' | 'cites'> {
  return {
    name: source.name,
    ...(source.title === null ? {} : { title: source.title }),
    cites: source.meta.cites,
  };
}

function isNever(when: ModelExpr): boolean {
  return exprsOf(when).every((expr) => expr.kind === 'const' && !expr.value);
}

/** The condition without `unredacted` and `approvedBy`. */
function settled(condition: Condition, event: SourceRule['event'], context: EventContext): Condition {
  const { span } = condition;
  switch (condition.kind) {
    case 'and':
    case 'or':
      return { ...condition, operands: condition.operands.map((operand) => settled(operand, event, context)) };
    case 'not':
      return { ...condition, operand: settled(condition.operand, event, context) };
    case 'unredacted':
      return anyOfThese(
        condition.detectors.map((detector) => {
          const hides = (rule: SourceRule): boolean =>
            rule.effects.some((effect) => effect.kind === 'redact' && effect.detectors.includes(detector));
          const found: Condition = { ...FOUND, text: { ...TEXT, span }, detectors: [detector], span };
          const redacted = someFires(hides, event, context, span);
          return { kind: 'and', operands: [found, { kind: 'not', operand: redacted, span }], span };
        }),
        span,
      );
    case 'approvedBy':
      return someFires(
        (rule) => rule.effects.some((effect) => effect.kind === 'hold' && effect.reviewers === condition.reviewers),
        condition.event,
        context,
        span,
      );
    default:
      return condition;
  }
}

/** Some rule of the event and of this kind fires. */
function someFires(
  isMeant: (rule: SourceRule) => boolean,
  event: SourceRule['event'],
  context: EventContext,
  span: Span,
): Condition {
  const { scope } = context;
  const rules = context.program.rules.filter(
    (rule) =>
      rule.event === event &&
      (rule.store === null || rule.store === scope.store) &&
      context.unenforced.formOf(rule.name) === null &&
      isMeant(rule),
  );
  return anyOfThese(
    rules.map((rule) => {
      const operands = conditionsOf(rule, context).narrowing.filter((condition) => condition !== null);
      return { kind: 'and', operands, span };
    }),
    span,
  );
}

/** Of none of them: never. */
function anyOfThese(operands: readonly Condition[], span: Span): Condition {
  return { kind: 'or', operands, span };
}

const TEXT = {
  kind: 'attribute',
  root: 'text',
  name: '',
  type: { kind: 'content' },
  optional: false,
  variable: null,
  declared: null,
} as const;
const FOUND = { kind: 'containsDetector', includingRestored: false } as const;
