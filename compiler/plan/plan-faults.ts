/**
 * What every plan must be beyond its types, whoever makes it: emitters rely on it and check none of it. Lowering's and
 * the generators' tests ask here.
 */
import { compareText } from './order.ts';
import {
  type Effect,
  type EventPlan,
  type Fact,
  type FactId,
  MODEL_ENUM,
  type ModelExpr,
  type Plan,
  type PromptEvent,
  type Rule,
} from './plan.ts';
import { compareRedactions, REDACTIONS_MAX } from './redaction.ts';
import { type ReadingContext, readsOf, readsOfModelExpr } from './reads.ts';

/** One line a fault; none for a sound plan. */
export function planFaults(plan: Plan): readonly string[] {
  return [
    ...factFaults(plan),
    ...catalogFaults(plan),
    ...redactionFaults(plan),
    ...plan.events.flatMap((event) => eventFaults(plan, event)),
  ];
}

function factFaults({ facts }: Plan): readonly string[] {
  return [
    ...positions('fact', facts),
    ...unsorted('facts', facts.map(pathOf)),
    ...facts
      .filter(
        (fact) => ['claim', 'metadata', 'chunks', 'argument', 'budget'].includes(fact.source.kind) && !fact.failsClosed,
      )
      .map((fact) => `${pathOf(fact)} is of the caller, a chunk or a budget and does not fail closed`),
    ...facts
      .filter(
        (fact) =>
          fact.absent.kind === 'unknown' && (COMPUTED_WITH.includes(pathOf(fact)) || fact.source.kind === 'budget'),
      )
      .map((fact) => `${pathOf(fact)} is computed with and may be unknown`),
  ];
}

/** Facts that the prompt's strata compute with themselves. */
const COMPUTED_WITH = [
  'prompt.requested_model',
  'prompt.tokens_estimate',
  'prompt.input_tokens_bound',
  'prompt.choices',
];
const STRATA = [...COMPUTED_WITH, 'prompt.output_tokens'];

function catalogFaults({ models, byPrice, enums, classification }: Plan): readonly string[] {
  const ranks = enums.find((each) => each.name === classification?.enum);
  const named = enums.find((each) => each.name === MODEL_ENUM);
  return [
    ...positions('model', models),
    ...unsorted(
      'models',
      models.map((model) => model.name),
    ),
    ...(named === undefined || String(named.members) === String(models.map((model) => model.name))
      ? []
      : ['the enum of models is not the catalog']),
    ...(String([...byPrice].sort((a, b) => a - b)) === String(models.map((model) => model.id))
      ? []
      : ['the models by price are not the catalog']),
    ...(classification === undefined || (ranks?.ordered === true && ranks.members.includes(classification.base))
      ? []
      : ["the classification's base is no member of an ordered enum"]),
  ];
}

function redactionFaults({ redactions, facts }: Plan): readonly string[] {
  return [
    ...(redactions.length > REDACTIONS_MAX ? ['there are more modes of redaction than a result can name'] : []),
    ...(redactions.some((mode, at) => at > 0 && compareRedactions(redactions[at - 1]!, mode) >= 0)
      ? ['the modes of redaction are not sorted by strength, or two are the same']
      : []),
    ...redactions
      .filter((mode) => mode.kind === 'pseudonym' && facts[mode.forEach] === undefined)
      .map(() => 'a pseudonym is for each value of no fact'),
  ];
}

function eventFaults(plan: Plan, event: EventPlan): readonly string[] {
  const where =
    'store' in event
      ? `${event.kind} of ${event.store}`
      : 'tool' in event
        ? `${event.kind} of ${event.tool ?? 'no tool'}`
        : event.kind;
  const chosenModel = plan.facts.find((fact) => pathOf(fact) === 'model.chosen')?.id;
  const context: ReadingContext =
    event.kind === 'prompt'
      ? { classification: event.classify.flatMap((each) => each.reads) }
      : {
          classification: event.kind === 'completion' ? event.classify.flatMap((each) => each.reads) : [],
          ...(chosenModel === undefined ? {} : { chosenModel }),
        };
  return [
    ...unsorted(
      `rules on ${where}`,
      event.rules.map((rule) => rule.name),
    ),
    ...event.rules.flatMap((rule) => ruleFaults(plan, rule, context)),
    ...(event.kind === 'prompt' || event.kind === 'completion'
      ? event.classify.flatMap((each) =>
          missing(plan, each.name, each.reads, readsOf(each.when, { classification: [] })),
        )
      : []),
    ...(event.kind === 'prompt' ? [] : event.rules.filter(holds).map((rule) => `${rule.name} holds on ${where}`)),
    ...(event.kind === 'exchange'
      ? event.rules.filter(changes).map((rule) => `${rule.name} changes an exchange that is over`)
      : []),
    ...(event.kind === 'prompt' || event.kind === 'completion' || event.kind === 'exchange'
      ? []
      : event.rules.filter(keeps).map((rule) => `${rule.name} keeps something of ${where}`)),
    ...(event.kind === 'prompt' ? promptFaults(plan, event, context) : []),
    ...(event.kind === 'retrieval'
      ? event.requestRules
          .filter((rule) => !event.rules.some((each) => each.name === rule.name))
          .map((rule) => `request rule ${rule.name} is no rule of ${where}`)
      : []),
  ];
}

function promptFaults(plan: Plan, event: PromptEvent, context: ReadingContext): readonly string[] {
  const requested = event.routes.map((route) =>
    route.requested.kind === 'any' ? 'any name' : JSON.stringify(route.requested.name),
  );
  return [
    ...STRATA.filter((path) => !plan.facts.some((fact) => pathOf(fact) === path)).map(
      (path) => `a prompt is decided without ${path}`,
    ),
    ...event.limits.flatMap((each) => missing(plan, each.rule, each.reads, readsOfModelExpr(each.when, context))),
    ...event.requirements.flatMap((each) =>
      missing(plan, each.rule, each.reads, readsOfModelExpr(each.removes, context)),
    ),
    ...event.budgets.flatMap((each) => [
      ...missing(plan, each.name, each.reads, readsOf(each.applies, context)),
      ...(each.each === undefined || namesAccounts(plan.facts[each.each])
        ? []
        : [`${each.name} has accounts of what is no text or enum of the caller`]),
      ...each.thresholds.flatMap((threshold) =>
        missing(
          plan,
          `${each.name} at ${threshold.percent}`,
          threshold.reads,
          readsOfModelExpr(threshold.removes, context),
        ),
      ),
    ]),
    ...event.routes.flatMap((each) =>
      each.preferences.flatMap((preference) =>
        missing(plan, each.name, preference.reads, readsOfModelExpr(preference.when, context)),
      ),
    ),
    ...requested.filter((name, at) => requested.indexOf(name) !== at).map((name) => `two routes are for ${name}`),
    ...modelExprs(event)
      .filter((when) => when.kind === 'each' && when.exprs.length !== plan.models.length)
      .map(() => 'a condition for each model is not one for every model'),
  ];
}

function ruleFaults(plan: Plan, rule: Rule, context: ReadingContext): readonly string[] {
  return [
    ...missing(plan, rule.name, rule.reads, readsOfModelExpr(rule.when, context)),
    ...rule.effects.flatMap((effect) => effectFaults(plan, rule, effect)),
  ];
}

/** Only a prompt waits for reviewers. */
function holds(rule: Rule): boolean {
  return rule.effects.some((effect) => effect.kind === 'hold');
}

/** Only of an exchange, its prompt and its completion anything is kept. */
function keeps(rule: Rule): boolean {
  return rule.effects.some((effect) => effect.kind === 'keep');
}

/** What only says something, or keeps something, changes nothing. */
function changes(rule: Rule): boolean {
  return rule.effects.some(({ kind }) => kind !== 'tag' && kind !== 'keep');
}

function effectFaults(plan: Plan, rule: Rule, effect: Effect): readonly string[] {
  if (effect.kind === 'allow_chunk')
    return missing(plan, rule.name, effect.reads, readsOf(effect.where, { classification: [] }));
  if (effect.kind === 'withhold_chunk')
    return missing(plan, rule.name, effect.reads, readsOf(effect.unless, { classification: [] }));
  if (effect.kind === 'redact')
    return [
      ...(plan.redactions[effect.as] === undefined
        ? [`${rule.name} redacts in a mode that the plan does not list`]
        : []),
      ...effect.detectors
        .filter((name) => !plan.detectors.some((each) => each.name === name))
        .map((name) => `${rule.name} redacts ${name}, which is no detector of the plan`),
    ];
  return [];
}

function modelExprs(event: PromptEvent): readonly ModelExpr[] {
  return [
    ...event.limits.map((each) => each.when),
    ...event.requirements.map((each) => each.removes),
    ...event.budgets.flatMap((each) => each.thresholds.map((threshold) => threshold.removes)),
    ...event.routes.flatMap((each) => each.preferences.map((preference) => preference.when)),
    ...event.rules.map((each) => each.when),
  ];
}

/** A condition must not read what its `reads` leave out: its failure would go unseen. */
function missing(plan: Plan, name: string, reads: readonly FactId[], read: readonly FactId[]): readonly string[] {
  return read
    .filter((fact) => !reads.includes(fact))
    .map((fact) => `${name} reads ${pathOf(plan.facts[fact]!)} without listing it`);
}

function positions(what: string, items: readonly { readonly id: number }[]): readonly string[] {
  return items.filter((item, at) => item.id !== at).map((item) => `${what} ${item.id} is not at its position`);
}

function unsorted(what: string, names: readonly string[]): readonly string[] {
  return names.some((name, at) => at > 0 && compareText(names[at - 1]!, name) >= 0)
    ? [`${what} are not sorted by name, or two have one name`]
    : [];
}

function pathOf(fact: Pick<Fact, 'path'>): string {
  return fact.path.join('.');
}

function namesAccounts(fact: Fact | undefined): boolean {
  return fact?.source.kind === 'claim' && (fact.type.kind === 'text' || fact.type.kind === 'enum');
}
