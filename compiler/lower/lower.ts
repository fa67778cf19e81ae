/**
 * Typed program → plan. Pure: the source's hash and the compiler's version are arguments. A program that uses forms
 * which nothing enforces yet is refused, or, with `allowUnenforced`, denies where it uses them; see unenforced.ts. What
 * the checker guarantees is not checked again.
 */
import { BUILT_IN_ENUMS } from '../../dsl/events.ts';
import type {
  Model as SourceModel,
  Program,
  Rule as SourceRule,
  Store as SourceStore,
  Value,
} from '../../dsl/program.ts';
import { TimeZone } from '../../dsl/time-zone.ts';
import {
  type Conversion,
  type DetectorUse,
  type Effect,
  type EnumType,
  type EventPlan,
  type FactId,
  type FactValue,
  type Model,
  type Plan,
  PLAN_VERSION,
  type RetrievalEvent,
  type Rule,
  type Store,
  type Tool,
} from '../plan/plan.ts';
import { operandOf } from '../plan/reads.ts';
import type { Scope } from './condition.ts';
import {
  builtinEnums,
  chunkPath,
  decidesCalls,
  factTable,
  type FactTable,
  factValue,
  governsEgress,
} from './fact-table.ts';
import { governsExchanges, lowerExchangeRules } from './exchange.ts';
import { lowerFeeds } from './feeds.ts';
import { guaranteeRules, lowerGuarantees } from './guarantees.ts';
import { lowerHours } from './hours.ts';
import { byPrice, lowerClassify, lowerPrompt } from './prompt.ts';
import type { EventContext, LoweredRule } from './event-context.ts';
import { lowerRedactions } from './redactions.ts';
import { denyingRule, lowerRule } from './rules.ts';
import { tagConflicts } from './tags.ts';
import { waiverRules } from './waivers.ts';
import { streamClass } from './stream-class.ts';
import { type Denying, unenforcedOf } from './unenforced.ts';
import { wordDetector } from './word-detector.ts';

export interface LowerOptions {
  /** SHA-256 (hex) of the canonical source. */
  readonly sourceHash: string;
  readonly compilerVersion: string;
}

/**
 * The plan of a checked program. Declarations of forms that are not enforced deny; whoever does not want that asks
 * `unenforcedDiagnostics` first.
 */
export function lower(program: Program, options: LowerOptions): Plan {
  const calendar = lowerHours(program);
  const feeds = lowerFeeds(program, new TimeZone(program.policy.timeZone), calendar);
  const facts = factTable(program, feeds);
  const detectors = detectorsOf(program);
  const models = program.models.map(lowerModel);
  const enums = [
    ...declaredEnums(program),
    ...builtinEnums(
      program,
      detectors.map((each) => each.name),
    ),
  ];
  const { policy } = program;
  const redactions = lowerRedactions(program, facts);
  const events = lowerEvents(program, {
    facts,
    models: program.models,
    enums: new Map(enums.map(({ name, members }) => [name, members])),
    calendar,
    redactions,
  });
  return {
    version: PLAN_VERSION,
    policy: policy.name,
    owner: policy.owner ?? '',
    currency: policy.currency,
    conversions: ratesThatCount(program),
    timeZone: policy.timeZone,
    sourceHash: options.sourceHash,
    compilerVersion: options.compilerVersion,
    onFailure: policy.onFailure,
    ...(policy.classificationEnum === null || policy.baseClassification === null
      ? {}
      : { classification: { enum: policy.classificationEnum, base: policy.baseClassification.name } }),
    enums,
    facts: facts.facts,
    models,
    byPrice: byPrice(models),
    stores: program.stores.map((store) => lowerStore(store, facts)),
    tools: lowerTools(program, facts),
    detectors,
    redactions,
    ...calendar,
    lists: feeds.lists,
    switches: feeds.switches,
    guarantees: lowerGuarantees(program.guarantees, events),
    imports: program.imports,
    events,
  };
}

/** Of each pair the last: they stand in the order of their days. */
function ratesThatCount({ conversions }: Program): Conversion[] {
  const latest = new Map(conversions.map(({ from, rateMillionths, date }) => [from, { from, rateMillionths, date }]));
  return [...latest.values()];
}

/** The policy's own enums. Those that the language brings along are named by the compiler, or are text on the wire. */
function declaredEnums(program: Program): EnumType[] {
  return program.enums
    .filter(({ name }) => !(name in BUILT_IN_ENUMS))
    .map(({ name, ordered, members }) => ({ name, ordered, members }));
}

function lowerEvents(
  program: Program,
  shared: Pick<Scope, 'facts' | 'models' | 'enums' | 'calendar' | 'redactions'>,
): EventPlan[] {
  const { facts } = shared;
  const unenforced = unenforcedOf(program);
  const idleDetectors = new Map(
    program.detectors
      .filter((detector) => detector.matches.kind !== 'pattern')
      .map((detector) => [detector.name, unenforced.formOf(detector.name) ?? detector.matches.kind]),
  );
  const { classificationEnum, baseClassification } = program.policy;
  const base =
    classificationEnum === null || baseClassification === null
      ? null
      : { enum: classificationEnum, member: baseClassification.name };
  const daysOff = new Map(program.hours.flatMap(({ name, except }) => (except === null ? [] : [[name, except]])));
  const contextOf = (
    classification: Scope['classification'],
    store: string | null,
    classificationReads: readonly FactId[],
  ): EventContext => ({
    program,
    scope: { ...shared, daysOff, store, tool: null, classification, idleDetectors, sent: null, base },
    unenforced,
    classificationReads,
  });
  const events: EventPlan[] = [];
  if (program.models.length > 0) {
    const ofPrompt = lowerClassify('prompt', contextOf('prompt', null, []));
    events.push(lowerPrompt(contextOf('prompt', null, ofPrompt.reads), ofPrompt));
    const { classify, reads, denying } = lowerClassify('completion', contextOf('completion', null, []));
    const rules = rulesOf('completion', null, contextOf('completion', null, reads), denying);
    const completion = { default: program.policy.defaults.completion, classify, rules };
    events.push({ kind: 'completion', ...completion, stream: streamClass(completion, facts.facts) });
    if (decidesCalls(program)) events.push(...toolCallEvents(program, contextOf(null, null, [])));
    if (governsExchanges(program)) {
      const context = contextOf(null, null, []);
      events.push({ kind: 'exchange', rules: eventRules('exchange', null, lowerExchangeRules(context), context, []) });
    }
  }
  for (const store of program.stores) {
    const context = contextOf(null, store.name, []);
    events.push(retrieval(store.name, context));
    events.push({
      kind: 'ingest',
      store: store.name,
      default: program.policy.defaults.ingest,
      rules: rulesOf('ingest', store.name, context),
    });
  }
  if (governsEgress(program)) {
    const rules = rulesOf('egress', null, contextOf(null, null, []));
    events.push({ kind: 'egress', default: program.policy.defaults.egress, rules });
  }
  return events;
}

/** One for each tool, and the one for calls of none. */
function toolCallEvents(program: Program, context: EventContext): EventPlan[] {
  return [...program.tools.map(({ name }) => name), null].map((tool) => ({
    kind: 'tool_call' as const,
    tool,
    default: program.policy.defaults.toolCall,
    rules: rulesOf('toolCall', null, { ...context, scope: { ...context.scope, tool } }),
  }));
}

function lowerTools(program: Program, facts: FactTable): Tool[] {
  if (!decidesCalls(program)) return [];
  return program.tools.map(({ name, wirePattern, span }) => ({
    name,
    pattern: wirePattern,
    facts: facts.facts
      .filter(({ source }) => source.kind === 'argument' && source.tool === name)
      .map((fact) => fact.id),
    span,
  }));
}

/** The rules of an event, `model.chosen` among what those of the completion read where they depend on the model. */
function rulesOf(
  event: GovernedEvent,
  store: string | null,
  context: EventContext,
  denying: readonly Denying[] = [],
): Rule[] {
  return eventRules(event, store, loweredRules(event, store, context), context, denying);
}

type GovernedEvent = 'completion' | 'toolCall' | 'retrieval' | 'ingest' | 'egress';
/** Where what fires may depend on the model that was chosen. */
const AFTER_CHOICE: ReadonlySet<GovernedEvent | 'exchange'> = new Set(['completion', 'toolCall', 'exchange'] as const);

function loweredRules(event: GovernedEvent, store: string | null, context: EventContext): LoweredRule[] {
  const applies = (rule: SourceRule): boolean =>
    rule.event === event &&
    (rule.store === null || store === null || rule.store === store) &&
    (rule.tool === null || rule.tool === context.scope.tool);
  return context.program.rules.filter(applies).map((rule) => lowerRule(rule, context));
}

function eventRules(
  event: GovernedEvent | 'exchange',
  store: string | null,
  lowered: readonly LoweredRule[],
  context: EventContext,
  denying: readonly Denying[],
): Rule[] {
  const denials = [...denying, ...(store === null ? [] : context.unenforced.denying(store))];
  const rules = lowered.flatMap(({ rule, requires, samples }) => [rule ?? [], requires ?? [], samples].flat());
  return [
    ...rules,
    ...(event === 'ingest' ? tagConflicts(rules) : []),
    ...waiverRules(lowered, 'when', context),
    ...guaranteeRules(event, context),
    ...denials.map(({ declaration, form }) => denyingRule(declaration, form, context)),
  ]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((rule) => {
      if (rule.when.kind === 'all' || !AFTER_CHOICE.has(event)) return rule;
      const chosen = context.scope.facts.at('model.chosen');
      return { ...rule, reads: [...new Set([...rule.reads, chosen])].sort((a, b) => a - b) };
    });
}

/** What a rule on retrieval can do before the chunks are known. */
const REQUEST_EFFECTS: ReadonlySet<Effect['kind']> = new Set(['allow', 'deny', 'tag'] as const);

function retrieval(store: string, context: EventContext): RetrievalEvent {
  const lowered = loweredRules('retrieval', store, context);
  const rules = eventRules('retrieval', store, lowered, context, []);
  const { facts } = context.scope.facts;
  const ofChunk = new Set(
    facts
      .map(({ id }) => id)
      .filter((id) => {
        const { path, source } = facts[operandOf(facts, id)]!;
        return path[0] === 'text' || source.kind === 'metadata' || source.kind === 'chunks';
      }),
  );
  const requestRules = [
    ...rules.flatMap((rule) => {
      const effects = rule.effects.filter(({ kind }) => REQUEST_EFFECTS.has(kind));
      return effects.length > 0 || rule.notify !== undefined ? [{ ...rule, effects }] : [];
    }),
    ...waiverRules(lowered, 'asked', context),
  ]
    .filter((rule) => !rule.reads.some((id) => ofChunk.has(id)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { kind: 'retrieval', store, default: context.program.policy.defaults.retrieval, requestRules, rules };
}

function lowerModel(source: SourceModel, id: number): Model {
  return {
    id,
    name: source.name,
    wireName: source.wireName,
    provider: source.provider,
    attributes: Object.fromEntries(source.attributes.map(({ name, value }) => [name, attributeForPeople(value)])),
    inputPrice: source.inputPrice,
    outputPrice: source.outputPrice,
    context: source.contextTokens,
    maxOutput: source.maxOutputTokens,
    templateOverhead: source.templateOverheadTokens,
    span: source.span,
  };
}

/** Times and dates as they are written; conditions have read them already. */
function attributeForPeople(value: Value): FactValue {
  return value.kind === 'time' || value.kind === 'date'
    ? value.iso.replace('T', ' ')
    : factValue(value, { kind: 'text' }, UTC);
}

/** Where no time is written, the zone says nothing. */
const UTC = new TimeZone('UTC');

function lowerStore(source: SourceStore, facts: FactTable): Store {
  return {
    name: source.name,
    kind: source.store,
    collection: source.collection,
    facts: facts.facts
      .filter((fact) => fact.source.kind === 'metadata' && fact.source.store === source.name)
      .map((fact) => fact.id),
    span: source.span,
  };
}

/**
 * Every detector that the policy can mention, sorted by name: those it uses, and the words that its conditions name.
 */
function detectorsOf(program: Program): DetectorUse[] {
  const own = new Map(program.detectors.map((detector) => [detector.name, detector]));
  const uses = new Map<string, DetectorUse>();
  for (const name of program.usedDetectors) {
    const detector = own.get(name);
    if (detector === undefined) uses.set(name, { name, source: { kind: 'builtin' } });
    else if (detector.matches.kind === 'pattern') {
      const near =
        detector.near === null
          ? {}
          : { near: { words: detector.near.words, within: detector.near.characters, where: side(detector.near.side) } };
      uses.set(name, {
        name,
        source: { kind: 'pattern', pattern: detector.matches.source, ignoreCase: detector.matches.ignoreCase, ...near },
      });
    }
  }
  for (const word of wordsIn(program)) uses.set(wordDetector(word).name, wordDetector(word));
  return [...uses.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function side(where: 'before' | 'after' | 'either'): 'before' | 'after' | 'around' {
  return where === 'either' ? 'around' : where;
}

/** The words of every `contains "…"`, wherever a condition stands. */
function wordsIn(program: Program): Set<string> {
  const words = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    else if (typeof node === 'object' && node !== null) {
      if ('kind' in node && node.kind === 'containsWords' && 'words' in node)
        (node.words as readonly string[]).forEach((word) => words.add(word));
      Object.values(node).forEach(visit);
    }
  };
  visit([program.rules, program.classifications, program.budgets, program.routes, program.guarantees]);
  return words;
}
