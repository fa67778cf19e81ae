/**
 * Events that are decided by their rules alone: completion, retrieval, chunk, ingest, egress, exchange. And what the rules of any
 * event add up to.
 */
import {
  type CompletionEvent,
  type Effect,
  type EgressEvent,
  type ExchangeEvent,
  type Expr,
  type FactId,
  type IngestEvent,
  MODEL_ENUM,
  type ModelExpr,
  type Plan,
  type RetrievalEvent,
  type Rule,
  type ToolCallEvent,
} from '../plan/plan.ts';
import type { Decision, DecisionEvent, Reason } from '../plan/decision.ts';
import { compareHolds } from '../plan/hold.ts';
import { compareKeeps } from '../plan/keep.ts';
import { compareText, sortedSet } from '../plan/order.ts';
import { redactionName } from '../plan/redaction.ts';
import { classified, readerOfClassify } from './classified.ts';
import { holds, type Situation } from './holds.ts';
import type { FactState } from './read-facts.ts';
import { failedPaths, failedReasons, isTouched, type Reader } from './touched.ts';
import { compareWireValues } from '../plan/wire-value.ts';

export function decideCompletion(plan: Plan, event: CompletionEvent, facts: readonly FactState[]): Decision {
  const { rank, member, fired: raising } = classified(plan, event.classify, facts);
  const fired = firedRules(event.rules, { plan, facts, ...(rank === null ? {} : { classification: rank }) });
  const readers = [...event.classify.map(readerOfClassify), ...event.rules.map(readerOfRule)];
  const reasons = [...denials(fired), ...byDefault(event.default, fired.some(allows))];
  return conclude(plan, 'completion', facts, readers, fired, reasons, {
    ...NO_PROMPT,
    classification: member,
    alsoFired: raising,
  });
}

export function decideIngest(plan: Plan, event: IngestEvent, facts: readonly FactState[]): Decision {
  return decideByRules(plan, event, facts);
}

export function decideEgress(plan: Plan, event: EgressEvent, facts: readonly FactState[]): Decision {
  return decideByRules(plan, event, facts);
}

function decideByRules(plan: Plan, event: IngestEvent | EgressEvent, facts: readonly FactState[]): Decision {
  const fired = firedRules(event.rules, { plan, facts });
  return conclude(plan, event.kind, facts, event.rules.map(readerOfRule), fired, [
    ...denials(fired),
    ...byDefault(event.default, fired.some(allows)),
  ]);
}

/** An exchange that is over: no failure denies it, so all who read have no say. */
export function decideExchange(plan: Plan, event: ExchangeEvent, facts: readonly FactState[]): Decision {
  const fired = firedRules(event.rules, { plan, facts });
  return conclude(plan, 'exchange', facts, [], fired, [], { ...NO_PROMPT, bystanders: event.rules.map(readerOfRule) });
}

/**
 * The request to the store. By default deny it passes where an `allow` fires, or where what allows cannot be known
 * before the chunks are there.
 */
export function decideRetrieval(plan: Plan, event: RetrievalEvent, facts: readonly FactState[]): Decision {
  const fired = firedRules(event.requestRules, { plan, facts });
  const isRequestRule = (rule: Rule) => event.requestRules.some((each) => each.name === rule.name);
  const chunksMayPass = event.rules.some(
    (rule) => rule.effects.some((effect) => effect.kind === 'allow_chunk') || (allows(rule) && !isRequestRule(rule)),
  );
  return conclude(plan, 'retrieval', facts, event.requestRules.map(readerOfRule), fired, [
    ...denials(fired),
    ...byDefault(event.default, chunksMayPass || fired.some(allows)),
  ]);
}

/** One chunk of the store's answer. */
export function decideChunk(plan: Plan, event: RetrievalEvent, facts: readonly FactState[]): Decision {
  const storeFacts = plan.stores.find((store) => store.name === event.store)?.facts ?? [];
  const readers = readersOf(event.rules).map((reader) => ({
    ...reader,
    failsClosed:
      reader.failsClosed ||
      isTouched(
        reader.reads.filter((fact) => storeFacts.includes(fact)),
        facts,
      ),
  }));
  return decideOne(plan, 'chunk', event, facts, readers);
}

/** One call of a tool. */
export function decideToolCall(plan: Plan, event: ToolCallEvent, facts: readonly FactState[]): Decision {
  return decideOne(plan, 'tool_call', event, facts, readersOf(event.rules));
}

function readersOf(rules: readonly Rule[]): readonly Reader[] {
  return rules.flatMap((rule) => [readerOfRule(rule), ...rule.effects.map((effect) => readerOfEffect(rule, effect))]);
}

/** One of several, which may be withheld while the others pass. */
function decideOne(
  plan: Plan,
  kind: 'chunk' | 'tool_call',
  event: RetrievalEvent | ToolCallEvent,
  facts: readonly FactState[],
  readers: readonly Reader[],
): Decision {
  const situation = { plan, facts };
  const fired = firedRules(event.rules, situation);
  const effects = fired.flatMap((rule) =>
    rule.effects.filter((effect) => !isTouched(readsOfEffect(effect), facts)).map((effect) => ({ rule, effect })),
  );
  const passes =
    fired.some(allows) || effects.some(({ effect }) => effect.kind === 'allow_chunk' && holds(effect.where, situation));
  const withholding = effects
    .filter(({ effect }) => effect.kind === 'withhold_chunk' && !holds(effect.unless, situation))
    .map(({ rule }) => rule.name);
  const withheld = sortedSet(withholding).map((rule): Reason => ({ kind: 'withheld', rule }));
  return conclude(plan, kind, facts, readers, fired, [
    ...denials(fired),
    ...withheld,
    ...byDefault(event.default, passes),
  ]);
}

/** What not every decision has: only a prompt's, or of the classification only a prompt's and a completion's. */
interface PromptParts {
  readonly model: string | null;
  readonly classification: string | null;
  readonly outputTokens: number | null;
  readonly reserve: Decision['reserve'];
  /** Names that stand in `fired` beside the rules with effects. */
  readonly alsoFired: readonly string[];
  /** What has no say in this request but is part of the event: its failed facts are listed. */
  readonly bystanders: readonly Reader[];
}

const NO_PROMPT: PromptParts = {
  model: null,
  classification: null,
  outputTokens: null,
  reserve: [],
  alsoFired: [],
  bystanders: [],
};

/**
 * The decision: denied if there is any reason to, else held if a rule that fired asks for it, else allowed; with what
 * the rules that fired ask for. `reasons` are those beside failure, in their order.
 */
export function conclude(
  plan: Plan,
  event: DecisionEvent,
  facts: readonly FactState[],
  readers: readonly Reader[],
  fired: readonly Rule[],
  reasons: readonly Reason[],
  prompt: PromptParts = NO_PROMPT,
): Decision {
  const allReasons = [...failedReasons(plan, readers, facts), ...reasons];
  const allowed = allReasons.length === 0;
  const held = allowed ? holdsOf(fired) : [];
  return {
    event,
    outcome: !allowed ? 'deny' : held.length > 0 ? 'hold' : 'allow',
    model: prompt.model,
    classification: prompt.classification,
    redact: allowed ? redactions(plan, fired) : [],
    outputTokens: allowed ? prompt.outputTokens : null,
    reserve: allowed ? prompt.reserve : [],
    tags: allowed ? tags(fired) : [],
    set: allowed ? settings(fired) : [],
    holds: held,
    keeps: keepsOf(fired),
    reasons: allReasons,
    fired: sortedSet([...fired.map((rule) => rule.name), ...prompt.alsoFired]),
    failed: failedPaths(plan, [...readers, ...prompt.bystanders], facts),
  };
}

export function firedRules(rules: readonly Rule[], situation: Situation): readonly Rule[] {
  return rules.filter(
    (rule) => !isTouched(rule.reads, situation.facts) && holds(atModel(rule.when, chosenModel(situation)), situation),
  );
}

/** The condition at one model; false at none where it reads the model. */
export function atModel(when: ModelExpr, model: number | null): Expr {
  if (when.kind === 'all') return when.expr;
  return (model === null ? undefined : when.exprs[model]) ?? { kind: 'const', value: false };
}

/** After the prompt: the model that was chosen for it, as the fact `model.chosen` says. */
function chosenModel({ plan, facts }: Situation): number | null {
  const id = plan.facts.findIndex(
    (fact) => fact.type.kind === 'enum' && fact.type.enum === MODEL_ENUM && fact.path.join('.') === 'model.chosen',
  );
  const chosen = facts[id];
  if (chosen?.state !== 'known') return null;
  return plan.models.find((model) => model.name === chosen.value)?.id ?? null;
}

export function readerOfRule(rule: Rule): Reader {
  return { name: rule.name, reads: rule.reads, failsClosed: rule.failsClosed ?? false };
}

function readerOfEffect(rule: Rule, effect: Effect): Reader {
  return { name: rule.name, reads: readsOfEffect(effect), failsClosed: rule.failsClosed ?? false };
}

function readsOfEffect(effect: Effect): readonly FactId[] {
  if (effect.kind === 'keep_newest') return [effect.version, effect.key];
  return effect.kind === 'allow_chunk' || effect.kind === 'withhold_chunk' ? effect.reads : [];
}

function allows(rule: Rule): boolean {
  return rule.effects.some((effect) => effect.kind === 'allow');
}

export function byDefault(standard: 'allow' | 'deny', allowed: boolean): readonly Reason[] {
  return standard === 'deny' && !allowed ? [{ kind: 'default' }] : [];
}

/** Sorted by rule, then message, without doubles. */
export function denials(fired: readonly Rule[]): readonly Reason[] {
  return sortedSet(fired.map((rule) => rule.name)).flatMap((name) => {
    const effects = fired.filter((rule) => rule.name === name).flatMap((rule) => rule.effects);
    return sortedSet(effects.flatMap((effect) => (effect.kind === 'deny' ? [effect.message] : []))).map(
      (message): Reason => ({ kind: 'rule', rule: name, message }),
    );
  });
}

function redactions(plan: Plan, fired: readonly Rule[]): Decision['redact'] {
  const asked = fired.flatMap((rule) =>
    rule.effects.flatMap((effect) => (effect.kind === 'redact' ? [{ rule: rule.name, effect }] : [])),
  );
  return sortedSet(asked.flatMap(({ effect }) => effect.detectors)).map((detector) => {
    const ofThis = asked.filter(({ effect }) => effect.detectors.includes(detector));
    const strongest = Math.max(...ofThis.map(({ effect }) => effect.as));
    return {
      detector,
      as: redactionName(plan.redactions[strongest]!, plan.facts),
      includingRestored: ofThis.some(({ effect }) => effect.includingRestored),
      rules: sortedSet(ofThis.map(({ rule }) => rule)),
    };
  });
}

function settings(fired: readonly Rule[]): Decision['set'] {
  const all = fired.flatMap((rule) =>
    rule.effects.flatMap((effect) => (effect.kind === 'set' ? [{ field: effect.field, value: effect.value }] : [])),
  );
  const distinct = all.filter(
    (each, at) => all.findIndex((other) => other.field === each.field && other.value === each.value) === at,
  );
  return distinct.sort((a, b) => compareText(a.field, b.field) || compareWireValues(a.value, b.value));
}

function holdsOf(fired: readonly Rule[]): Decision['holds'] {
  const all = fired.flatMap((rule) =>
    rule.effects.flatMap((effect) =>
      effect.kind === 'hold'
        ? [
            {
              rule: rule.name,
              reviewers: effect.reviewers,
              approvals: effect.approvals,
              milliseconds: effect.milliseconds,
            },
          ]
        : [],
    ),
  );
  return all.sort(compareHolds).filter((hold, at) => at === 0 || compareHolds(all[at - 1]!, hold) !== 0);
}

function keepsOf(fired: readonly Rule[]): Decision['keeps'] {
  const all = fired.flatMap((rule) =>
    rule.effects.flatMap((effect) =>
      effect.kind === 'keep'
        ? [{ rule: rule.name, reviewers: effect.reviewers, milliseconds: effect.milliseconds }]
        : [],
    ),
  );
  return all.sort(compareKeeps).filter((keep, at) => at === 0 || compareKeeps(all[at - 1]!, keep) !== 0);
}

function tags(fired: readonly Rule[]): Decision['tags'] {
  const all = fired.flatMap((rule) =>
    rule.effects.flatMap((effect) => (effect.kind === 'tag' ? [{ name: effect.name, value: effect.value }] : [])),
  );
  const distinct = all.filter(
    (tag, at) => all.findIndex((other) => other.name === tag.name && other.value === tag.value) === at,
  );
  return distinct.sort((a, b) => compareText(a.name, b.name) || compareText(a.value, b.value));
}
