/** The prompt's event: classification, limits, requirements, budgets, routes and rules, each in canonical order. */
import type { Budget as SourceBudget, Classification, Model as SourceModel, Route as SourceRoute } from "../../dsl/program.ts";
import type { Budget, Classify, FactId, ModelId, Preference, PromptEvent, Route, Rule } from "../plan/plan.ts";
import { exprsOf, overFacts, overModels, readsOf, removals, unlessCondition } from "./condition.ts";
import { type EventContext, type LoweredRule, lowerRule, readsIn } from "./rules.ts";
import { TRUE } from "./simplify.ts";
import { decidedAt, lowerable } from "./unenforced.ts";
import { Unlowerable } from "./unlowerable.ts";

export function lowerPrompt(context: EventContext, classify: readonly Classify[]): PromptEvent {
  const { program } = context;
  const lowered = program.rules.filter((rule) => decidedAt(rule.event) === "prompt").map((rule) => lowerRule(rule, context));
  const budgets = program.budgets.map((budget) => lowerBudget(budget, context));
  const kept = <T>(pick: (rule: LoweredRule) => readonly T[]): T[] => lowered.flatMap(pick);
  return {
    kind: "prompt",
    default: program.policy.defaults.prompt,
    classify,
    limits: kept((rule) => rule.limits),
    requirements: kept((rule) => rule.requirements),
    budgets: budgets.filter((budget) => budget.kind === "budget").map((budget) => budget.budget),
    routes: program.routes.map((route) => lowerRoute(route, context)),
    rules: [
      ...kept((rule) => (rule.rule === null ? [] : [rule.rule])),
      ...budgets.filter((budget) => budget.kind === "deny").map((budget) => budget.rule),
      ...denyingRates(context),
      ...context.unenforced.whole.map(({ declaration, form }) => deny(declaration, form, context)),
    ].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** Classifications of the prompt, and every fact that computing the classification reads. */
export function lowerClassify(context: EventContext): { readonly classify: readonly Classify[]; readonly reads: readonly FactId[] } {
  const classify = context.program.classifications.filter((each) => each.event === "prompt").map((each, index) => lowerClassification(each, index, context));
  return { classify, reads: [...new Set(classify.flatMap((each) => each.reads))].sort((a, b) => a - b) };
}

/** One that cannot be decided yet raises the class to the highest, always: the strictest that it could say. */
function lowerClassification(source: Classification, index: number, context: EventContext): Classify {
  const members = context.scope.enums.get(context.program.policy.classificationEnum ?? "") ?? [];
  const highest = members.at(-1) ?? "";
  const at = { name: `classify ${index + 1}`, span: source.span };
  return lowerable(
    () => {
      if (source.level === "receipts") throw new Unlowerable("receipts");
      const when = overFacts([source.where, unlessCondition(source.unless)], context.scope);
      return { ...at, member: source.level.name, reads: readsOf(when), when };
    },
    () => ({ ...at, member: highest, reads: [], when: TRUE }),
  );
}

function lowerRoute(source: SourceRoute, context: EventContext): Route {
  return {
    name: source.name,
    ...(source.title === null ? {} : { title: source.title }),
    requested: source.requested === null ? { kind: "any" } : { kind: "name", name: source.requested },
    preferences: source.preferences.map((preference): Preference => {
      const when = overModels([preference.where], context.scope);
      const target: Preference["target"] =
        preference.choice.kind === "model" ? { kind: "model", model: modelId(context.scope.models, preference.choice.model) } : { kind: preference.choice.kind };
      return { target, reads: readsIn(context, ...exprsOf(when)), when };
    }),
    span: source.span,
  };
}

type LoweredBudget = { readonly kind: "budget"; readonly budget: Budget } | { readonly kind: "deny"; readonly rule: Rule };

function lowerBudget(source: SourceBudget, context: EventContext): LoweredBudget {
  const { scope } = context;
  const form = context.unenforced.formOf(source.name);
  const denying = (why: string): LoweredBudget => ({ kind: "deny", rule: deny(source.name, why, context, source) });
  if (form !== null) return denying(form);
  return lowerable(() => {
    if (source.limit.kind !== "money") throw new Unlowerable("budget in tokens");
    if (source.forEach !== null) throw new Unlowerable("budget for each");
    const applies = overFacts([source.for, unlessCondition(source.unless)], scope);
    const thresholds = source.thresholds.map(({ percent, effect, span }) => {
      if (effect.kind === "notify") throw new Unlowerable("notify");
      const removes = removals([], effect.condition, scope);
      return { percent, reads: readsIn(context, ...exprsOf(removes)), removes, span };
    });
    const budget: Budget = {
      name: source.name,
      ...(source.title === null ? {} : { title: source.title }),
      reads: readsIn(context, applies),
      applies,
      limit: source.limit.micros,
      period: source.per,
      timeZone: source.timeZone,
      headroom: scope.facts.at(`budget.${source.name}.headroom`),
      spent: scope.facts.at(`budget.${source.name}.spent`),
      thresholds,
      message: source.reason ?? source.title ?? `the budget \`${source.name}\` has not enough left for this request`,
      span: source.span,
    };
    return { kind: "budget", budget };
  }, denying);
}

/** A rule that denies in the place of a declaration which is not enforced. Where the declaration has a condition that can be decided, it denies only there. */
function deny(name: string, form: string, context: EventContext, source?: Pick<SourceBudget, "for" | "unless" | "span">): Rule {
  const when = lowerable(
    () => overModels(source === undefined ? [] : [source.for, unlessCondition(source.unless)], context.scope),
    () => ({ kind: "all" as const, expr: TRUE }),
  );
  const message = `\`${name}\` uses \`${form}\`, which is not enforced yet, so it denies`;
  const span = source?.span ?? context.program.policy.span;
  return { name, cites: [], reads: readsIn(context, ...exprsOf(when)), when, effects: [{ kind: "deny", message }], unenforced: form, span };
}

function denyingRates(context: EventContext): Rule[] {
  return context.program.rates.map((rate) => deny(rate.name, "rate", context, rate));
}

function modelId(models: readonly SourceModel[], name: string): ModelId {
  return models.findIndex((model) => model.name === name);
}

/** Models by ascending sum of their prices per million tokens, ties by name. */
export function byPrice(models: readonly { readonly id: ModelId; readonly name: string; readonly inputPrice: number; readonly outputPrice: number }[]): ModelId[] {
  return [...models]
    .sort((a, b) => a.inputPrice + a.outputPrice - (b.inputPrice + b.outputPrice) || (a.name < b.name ? -1 : 1))
    .map((model) => model.id);
}

