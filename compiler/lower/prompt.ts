/** The prompt's event: classification, limits, requirements, budgets, routes and rules, each in canonical order. */
import type {
  Budget as SourceBudget,
  Classification,
  Model as SourceModel,
  Rate,
  Route as SourceRoute,
} from '../../dsl/program.ts';
import type { Budget, Classify, Expr, FactId, ModelId, Preference, PromptEvent, Route, Rule } from '../plan/plan.ts';
import { compareText } from '../plan/order.ts';
import { RECEIPTS_PATH } from '../plan/receipts.ts';
import { atChosen, exprsOf, overFacts, overModels, removals, unlessCondition } from './condition.ts';
import { refusedExchangeRules } from './exchange.ts';
import { guaranteeRules } from './guarantees.ts';
import { type EventContext, type LoweredRule, readsIn } from './event-context.ts';
import { notifiedAt } from './notices.ts';
import { denyingRule, lowerRule, redactionsOf } from './rules.ts';
import { waiverRules } from './waivers.ts';
import { type Denying, lowerable } from './unenforced.ts';
import { Unlowerable } from './unlowerable.ts';

export function lowerPrompt(before: EventContext, { classify, denying }: LoweredClassify): PromptEvent {
  const { program } = before;
  const context = { ...before, scope: { ...before.scope, sent: { classify, redacts: redactionsOf(before) } } };
  const lowered = [...program.rules.filter(({ event }) => event === 'prompt'), ...refusedExchangeRules(before)].map(
    (rule) => lowerRule(rule, context),
  );
  const budgets = [
    ...program.budgets.map((budget) => lowerBudget(budget, context)),
    ...program.rates.map((rate) => lowerRate(rate, context)),
  ];
  const routes = program.routes.map((route) => lowerRoute(route, context));
  const kept = <T>(pick: (rule: LoweredRule) => readonly T[]): T[] => lowered.flatMap(pick);
  const denials = [...denying, ...routes.flatMap((route) => route.denying)];
  return {
    kind: 'prompt',
    default: program.policy.defaults.prompt,
    classify,
    limits: kept((rule) => rule.limits),
    requirements: kept((rule) => rule.requirements),
    budgets: budgets
      .filter((budget) => budget.kind === 'budget')
      .map((budget) => budget.budget)
      .sort((a, b) => compareText(a.name, b.name)),
    routes: routes.map((route) => route.route),
    rules: [
      ...kept((rule) => (rule.rule === null ? [] : [rule.rule])),
      ...kept((rule) => rule.samples),
      ...waiverRules(lowered, 'when', context),
      ...guaranteeRules('prompt', context),
      ...budgets.filter((budget) => budget.kind === 'deny').map((budget) => budget.rule),
      ...denials.map(({ declaration, form }) => denyingRule(declaration, form, context)),
    ].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

export interface LoweredClassify {
  readonly classify: readonly Classify[];
  /** Every fact that computing the classification reads. */
  readonly reads: readonly FactId[];
  readonly denying: readonly Denying[];
}

/** Every `classify` of an event, numbered in the order of what they say. */
export function lowerClassify(event: 'prompt' | 'completion', context: EventContext): LoweredClassify {
  const denying: Denying[] = [];
  const classify = context.program.classifications
    .filter((each) => each.event === event)
    .flatMap((each, index) => {
      const name = `classify ${index + 1}`;
      return lowerable<readonly Classify[]>(
        () => lowerClassification(name, each, context),
        (form) => {
          denying.push({ declaration: name, form });
          return [];
        },
      );
    });
  return { classify, reads: [...new Set(classify.flatMap((each) => each.reads))].sort((a, b) => a - b), denying };
}

/** Of receipts, one for each class that raises the base, all of one name: what the receipts say is a fact. */
function lowerClassification(name: string, source: Classification, context: EventContext): readonly Classify[] {
  const conditions = [source.where, unlessCondition(source.unless)];
  const when = source.event === 'prompt' ? overFacts(conditions, context.scope) : atChosen(conditions, context.scope);
  const { level, span } = source;
  if (level !== 'receipts') return [{ name, member: level.name, reads: readsIn(context, when), when, span }];
  return receiptClasses(context).map(({ member, is }) => {
    const both: Expr = { kind: 'and', of: [is, when] };
    return { name, member, reads: readsIn(context, both), when: both, span };
  });
}

function receiptClasses({ program, scope }: EventContext): readonly { readonly member: string; readonly is: Expr }[] {
  const { classificationEnum: name, baseClassification: base } = program.policy;
  if (name === null) return [];
  const left = { kind: 'fact', fact: scope.facts.at(RECEIPTS_PATH) } as const;
  const members = scope.enums.get(name) ?? [];
  // The highest is there even where it is the base: a receipt that is not to be believed must be seen.
  const raising = Math.min(members.indexOf(base?.name ?? '') + 1, members.length - 1);
  return members.slice(raising).map((member) => ({
    member,
    is: { kind: 'compare', op: 'eq', left, right: { kind: 'rank', enum: name, member } },
  }));
}

/** A preference that cannot be decided is no preference, and the route denies. */
function lowerRoute(
  source: SourceRoute,
  context: EventContext,
): { readonly route: Route; readonly denying: readonly Denying[] } {
  const denying: Denying[] = [];
  const preferences = source.preferences.flatMap((preference) =>
    lowerable<readonly Preference[]>(
      () => [lowerPreference(preference, context)],
      (form) => {
        denying.push({ declaration: source.name, form });
        return [];
      },
    ),
  );
  const route: Route = {
    name: source.name,
    ...(source.title === null ? {} : { title: source.title }),
    requested: source.requested === null ? { kind: 'any' } : { kind: 'name', name: source.requested },
    preferences,
    span: source.span,
  };
  return { route, denying };
}

function lowerPreference(source: SourceRoute['preferences'][number], context: EventContext): Preference {
  const when = overModels([source.where], context.scope);
  const target: Preference['target'] =
    source.choice.kind === 'model'
      ? { kind: 'model', model: modelId(context.scope.models, source.choice.model) }
      : { kind: source.choice.kind };
  return { target, reads: readsIn(context, ...exprsOf(when)), when };
}

type LoweredBudget =
  { readonly kind: 'budget'; readonly budget: Budget } | { readonly kind: 'deny'; readonly rule: Rule };

function lowerBudget(source: SourceBudget, context: EventContext): LoweredBudget {
  const { scope } = context;
  const form = context.unenforced.formOf(source.name);
  const denying = (why: string): LoweredBudget => ({
    kind: 'deny',
    rule: denyingRule(source.name, why, context, source),
  });
  if (form !== null) return denying(form);
  return lowerable(() => {
    if (source.limit.kind !== 'money') throw new Unlowerable('budget in tokens');
    const applies = overFacts([source.for, unlessCondition(source.unless)], scope);
    const thresholds = source.thresholds.flatMap(({ percent, effect, span }) => {
      if (effect.kind === 'notify') return [];
      const removes = removals([], effect.condition, scope);
      return [{ percent, reads: readsIn(context, ...exprsOf(removes)), removes, span }];
    });
    const notify = notifiedAt(source.thresholds, context.program);
    const budget: Budget = {
      name: source.name,
      ...(source.title === null ? {} : { title: source.title }),
      ...(source.meta.cites.length === 0 ? {} : { cites: source.meta.cites }),
      reads: readsIn(context, applies),
      applies,
      ...(source.forEach === null ? {} : { each: scope.facts.at(`caller.${source.forEach.name}`) }),
      limit: source.limit.micros,
      period: source.per,
      timeZone: source.timeZone,
      headroom: scope.facts.at(`budget.${source.name}.headroom`),
      spent: scope.facts.at(`budget.${source.name}.spent`),
      thresholds,
      ...(notify.length === 0 ? {} : { notify }),
      message: source.reason ?? source.title ?? `the budget \`${source.name}\` does not cover this request`,
      span: source.span,
    };
    return { kind: 'budget', budget };
  }, denying);
}

function lowerRate(source: Rate, context: EventContext): LoweredBudget {
  const { scope } = context;
  const { per } = source;
  const denying = (why: string): LoweredBudget => ({
    kind: 'deny',
    rule: denyingRule(source.name, why, context, source),
  });
  return lowerable(() => {
    const applies = overFacts([source.for, unlessCondition(source.unless)], scope);
    const budget: Budget = {
      name: source.name,
      ...(source.title === null ? {} : { title: source.title }),
      reads: readsIn(context, applies),
      applies,
      ...(source.forEach === null ? {} : { each: scope.facts.at(`caller.${source.forEach.name}`) }),
      counts: source.limit.kind,
      limit: source.limit.value,
      period: per,
      timeZone: 'UTC',
      headroom: scope.facts.at(`budget.${source.name}.headroom`),
      spent: scope.facts.at(`budget.${source.name}.spent`),
      thresholds: [],
      message: source.reason ?? source.title ?? `more than the rate \`${source.name}\` allows`,
      span: source.span,
    };
    return { kind: 'budget', budget };
  }, denying);
}

function modelId(models: readonly SourceModel[], name: string): ModelId {
  return models.findIndex((model) => model.name === name);
}

/** Models by ascending sum of their prices per million tokens, ties by name. */
export function byPrice(
  models: readonly {
    readonly id: ModelId;
    readonly name: string;
    readonly inputPrice: number;
    readonly outputPrice: number;
  }[],
): ModelId[] {
  return [...models]
    .sort((a, b) => a.inputPrice + a.outputPrice - (b.inputPrice + b.outputPrice) || (a.name < b.name ? -1 : 1))
    .map((model) => model.id);
}
