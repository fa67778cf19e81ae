/**
 * The prompt's strata: classification, output tokens, candidates, what removes them, choice, effects. Each reads only
 * those before it.
 */
import { capName } from '../plan/budget.ts';
import type { Budget, FactId, ModelId, Plan, PromptEvent, Route, Rule } from '../plan/plan.ts';
import type { Decision, Reason } from '../plan/decision.ts';
import { isJudgedWithoutModel } from '../plan/keep.ts';
import { compareText, sortedSet } from '../plan/order.ts';
import { atModel, byDefault, conclude, denials, readerOfRule } from './decide-rules.ts';
import { classified, readerOfClassify } from './classified.ts';
import { holds, type Situation } from './holds.ts';
import type { FactState } from './read-facts.ts';
import { isTouched, type Reader } from './touched.ts';

export function decidePrompt(plan: Plan, event: PromptEvent, facts: readonly FactState[]): Decision {
  const classification = classified(plan, event.classify, facts);
  const situation: Situation = {
    plan,
    facts,
    ...(classification.rank === null ? {} : { classification: classification.rank }),
  };

  const candidates = candidateModels(event, situation);
  const removedBy = new Map(candidates.map((model) => [model, removers(event, situation, model)]));
  const chosen = candidates.find((model) => removedBy.get(model)!.length === 0) ?? null;

  const judged = chosen === null ? event.rules.filter(isJudgedWithoutModel) : event.rules;
  const fired = judged.filter((rule) => !isTouched(rule.reads, facts) && holds(atModel(rule.when, chosen), situation));
  const allowed = fired.some((rule) => rule.effects.some((effect) => effect.kind === 'allow'));
  const reasons = [
    ...(chosen === null && !choiceFailed(situation) ? noModelReasons(plan, candidates, removedBy) : []),
    ...denials(fired),
    ...(chosen === null ? [] : byDefault(event.default, allowed)),
  ];

  return conclude(plan, 'prompt', facts, readersOf(plan, event, situation), fired, reasons, {
    model: chosen === null ? null : plan.models[chosen]!.name,
    classification: classification.member,
    outputTokens: chosen === null ? null : outputTokens(event, situation, chosen),
    reserve: chosen === null ? [] : reservations(event, situation, chosen),
    bystanders: event.routes.flatMap(readersOfRoute),
    alsoFired: [
      ...classification.fired,
      ...(chosen === null ? [] : firedLimits(event, situation, chosen).map((limit) => limit.rule)),
      ...event.requirements
        .filter((requirement) => [...removedBy.values()].some((names) => names.includes(requirement.rule)))
        .map((requirement) => requirement.rule),
    ],
  });
}

// ------------------------------------------------------------------------------------------------------------------
// output tokens

function firedLimits(event: PromptEvent, situation: Situation, model: ModelId): PromptEvent['limits'] {
  return event.limits.filter(
    (limit) => !isTouched(limit.reads, situation.facts) && holds(atModel(limit.when, model), situation),
  );
}

/**
 * What the reply may have at a model: what the client asked for, else the model's own limit, lowered by every limit
 * that fires.
 */
function outputTokens(event: PromptEvent, situation: Situation, model: ModelId): number {
  const asked = count(situation, 'prompt.output_tokens') ?? situation.plan.models[model]!.maxOutput;
  return Math.max(0, Math.min(asked, ...firedLimits(event, situation, model).map((limit) => limit.tokens)));
}

// ------------------------------------------------------------------------------------------------------------
// candidates

/** Best first. None where the facts that the choice itself reads have failed. */
function candidateModels(event: PromptEvent, situation: Situation): readonly ModelId[] {
  if (choiceFailed(situation)) return [];
  const { plan, facts } = situation;
  const requested = requestedModel(plan, facts);
  const route = servingRoute(event, plan, facts);
  if (route === undefined) return requested;
  const preferred = route.preferences
    .filter((preference) => !isTouched(preference.reads, facts))
    .flatMap(({ target, when }) => {
      const models = target.kind === 'model' ? [target.model] : target.kind === 'requested' ? requested : plan.byPrice;
      return models.filter((model) => holds(atModel(when, model), situation));
    });
  return [...new Set(preferred)];
}

/** The route of the requested name, else the route of any name. None where the requested name is not known. */
function servingRoute(event: PromptEvent, plan: Plan, facts: readonly FactState[]): Route | undefined {
  const requested = known(plan, facts, 'prompt.requested_model');
  if (requested === undefined) return undefined;
  return (
    event.routes.find((route) => route.requested.kind === 'name' && route.requested.name === requested) ??
    event.routes.find((route) => route.requested.kind === 'any')
  );
}

/** The catalog's model of the requested name, as a list of one or none. */
function requestedModel(plan: Plan, facts: readonly FactState[]): readonly ModelId[] {
  const requested = known(plan, facts, 'prompt.requested_model');
  return plan.models
    .filter((model) => model.wireName === requested)
    .slice(0, 1)
    .map((model) => model.id);
}

// ---------------------------------------------------------------------------------------------------------------
// removal

/** What removes a candidate: rules, then budgets, then the context window. */
function removers(event: PromptEvent, situation: Situation, model: ModelId): readonly string[] {
  const { plan, facts } = situation;
  const requirements = event.requirements.filter(
    (each) => !isTouched(each.reads, facts) && holds(atModel(each.removes, model), situation),
  );
  const budgets = readableBudgets(event, situation).filter((budget) => isBeyond(event, situation, budget, model));
  const needed = Math.max(0, count(situation, 'prompt.tokens_estimate') ?? 0) + outputTokens(event, situation, model);
  return [
    ...sortedSet(requirements.map((each) => each.rule)),
    ...sortedSet(budgets.map((budget) => capName(budget))),
    ...(needed > plan.models[model]!.context ? ['context window'] : []),
  ];
}

/** Budgets whose condition holds: only their levels are looked at. */
function applyingBudgets(event: PromptEvent, situation: Situation): readonly Budget[] {
  return event.budgets.filter(
    (budget) => !isTouched(budget.reads, situation.facts) && holds(budget.applies, situation),
  );
}

/** Those of them that can be judged. */
function readableBudgets(event: PromptEvent, situation: Situation): readonly Budget[] {
  return applyingBudgets(event, situation).filter(
    (budget) => !isTouched(costReads(situation.plan, budget), situation.facts),
  );
}

/** The worst case is more than what is left, or a threshold that is reached removes the model. */
function isBeyond(event: PromptEvent, situation: Situation, budget: Budget, model: ModelId): boolean {
  const headroom = numberAt(situation, budget.headroom);
  const spent = numberAt(situation, budget.spent);
  if (headroom === undefined || worstCase(budget, event, situation, model) > BigInt(headroom)) return true;
  return budget.thresholds.some(
    (threshold) =>
      !isTouched([...threshold.reads, budget.spent], situation.facts) &&
      spent !== undefined &&
      BigInt(spent) * 100n >= BigInt(budget.limit) * BigInt(threshold.percent) &&
      holds(atModel(threshold.removes, model), situation),
  );
}

const SUM_MAX = 2n ** 63n - 1n;

/** In what the budget counts: money is rounded up. A sum above 2^63−1 is more than any headroom. */
function worstCase({ counts }: Budget, event: PromptEvent, situation: Situation, model: ModelId): bigint {
  if (counts === 'requests') return 1n;
  // A token for each token.
  const { inputPrice, outputPrice } =
    counts === 'tokens' ? { inputPrice: 1_000_000, outputPrice: 1_000_000 } : situation.plan.models[model]!;
  const input = BigInt(Math.max(0, count(situation, 'prompt.input_tokens_bound') ?? 0));
  const choices = BigInt(Math.max(0, count(situation, 'prompt.choices') ?? 0));
  const output = BigInt(outputTokens(event, situation, model));
  const sum = input * BigInt(inputPrice) + choices * output * BigInt(outputPrice);
  return sum > SUM_MAX ? SUM_MAX : (sum + 999_999n) / 1_000_000n;
}

function reservations(event: PromptEvent, situation: Situation, model: ModelId): Decision['reserve'] {
  return readableBudgets(event, situation)
    .map((budget) => ({ budget: budget.name, amount: Number(worstCase(budget, event, situation, model)) }))
    .sort((a, b) => compareText(a.budget, b.budget));
}

function noModelReasons(
  plan: Plan,
  candidates: readonly ModelId[],
  removedBy: ReadonlyMap<ModelId, readonly string[]>,
): readonly Reason[] {
  if (candidates.length === 0) return [{ kind: 'unknown_model' }];
  return candidates.map((model) => ({ kind: 'removed', model: plan.models[model]!.name, by: removedBy.get(model)! }));
}

/** With no model left only these rules are still judged, so that all reasons for the denial are given. */

// ---------------------------------------------------------------------------------------------------------------
// reading

/** What the choice itself reads: without these there are no candidates. */
const CHOICE_PATHS = ['prompt.requested_model', 'prompt.output_tokens', 'prompt.tokens_estimate'];

function choiceFailed({ plan, facts }: Situation): boolean {
  return isTouched(
    CHOICE_PATHS.flatMap((path) => factsAt(plan, path)),
    facts,
  );
}

/** What a budget that applies reads to compare the worst case with what is left. */
function costReads(plan: Plan, budget: Budget): readonly FactId[] {
  if (budget.counts === 'requests') return [budget.headroom];
  return [budget.headroom, ...factsAt(plan, 'prompt.input_tokens_bound'), ...factsAt(plan, 'prompt.choices')];
}

/** All that reads facts and has a say in this request. */
function readersOf(plan: Plan, event: PromptEvent, situation: Situation): readonly Reader[] {
  const { facts } = situation;
  const serving = servingRoute(event, plan, facts);
  return [
    { name: 'choice of model', reads: CHOICE_PATHS.flatMap((path) => factsAt(plan, path)), failsClosed: true },
    ...event.classify.map(readerOfClassify),
    ...event.limits.map((limit) => ({ name: limit.rule, reads: limit.reads, failsClosed: true })),
    ...event.requirements.map((requirement) => ({
      name: requirement.rule,
      reads: requirement.reads,
      failsClosed: false,
    })),
    ...event.budgets.map((budget) => ({ name: capName(budget), reads: budget.reads, failsClosed: true })),
    ...applyingBudgets(event, situation).flatMap((budget) => [
      { name: capName(budget), reads: costReads(plan, budget), failsClosed: true },
      ...budget.thresholds.map((threshold) => ({
        name: capName(budget),
        reads: [...threshold.reads, budget.spent],
        failsClosed: true,
      })),
    ]),
    ...(serving === undefined ? [] : readersOfRoute(serving)),
    ...event.rules.map(readerOfRule),
  ];
}

function readersOfRoute(route: Route): readonly Reader[] {
  return route.preferences.map((preference) => ({
    name: `route ${route.name}`,
    reads: preference.reads,
    failsClosed: false,
  }));
}

function factsAt(plan: Plan, path: string): readonly FactId[] {
  return plan.facts.filter((fact) => fact.path.join('.') === path).map((fact) => fact.id);
}

function known(plan: Plan, facts: readonly FactState[], path: string): unknown {
  const fact = factsAt(plan, path)[0];
  const state = fact === undefined ? undefined : facts[fact];
  return state?.state === 'known' ? state.value : undefined;
}

function count({ plan, facts }: Situation, path: string): number | undefined {
  const value = known(plan, facts, path);
  return typeof value === 'number' ? value : undefined;
}

function numberAt({ facts }: Situation, fact: FactId): number | undefined {
  const state = facts[fact];
  return state?.state === 'known' && typeof state.value === 'number' ? state.value : undefined;
}
