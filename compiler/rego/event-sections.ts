/**
 * Events that are decided by their rules alone, and the rules and effects of any event. One section an event, one
 * paragraph a rule.
 */
import type {
  Classify,
  CompletionEvent,
  Effect,
  EgressEvent,
  ExchangeEvent,
  IngestEvent,
  ModelExpr,
  RetrievalEvent,
  Rule,
  ToolCallEvent,
} from '../plan/plan.ts';
import type { DecisionEvent } from '../plan/decision.ts';
import { addClassification, classifiesThatFired } from './classification-section.ts';
import { alternatives, negation } from './condition.ts';
import type { Names } from './names.ts';
import { alwaysDenies, newSection, readable, type SectionInProgress } from './section.ts';
import { comment, heading, identifier, lines, quoted, rule, setOfTexts } from './text.ts';
import type { WireValue } from '../plan/wire-value.ts';

export interface Section {
  readonly event: DecisionEvent;
  readonly store?: string;
  /** Tool call: of which tool, null for one of none. */
  readonly tool?: string | null;
  /** The rule that holds the event's decision. */
  readonly decision: string;
  readonly text: string;
}

export function completionSection(event: CompletionEvent, names: Names): Section {
  return rulesSection('completion', undefined, event.rules, passing(event.default), names, event.classify);
}

export function toolCallSection(event: ToolCallEvent, names: Names): Section {
  const { tool } = event;
  const section = rulesSection('tool_call', tool ?? undefined, event.rules, passing(event.default), names);
  const { store: _, ...rest } = section;
  return { ...rest, tool };
}

export function ingestSection(event: IngestEvent, names: Names): Section {
  return rulesSection('ingest', event.store, event.rules, passing(event.default), names);
}

export function egressSection(event: EgressEvent, names: Names): Section {
  return rulesSection('egress', undefined, event.rules, passing(event.default), names);
}

export function exchangeSection(event: ExchangeEvent, names: Names): Section {
  return rulesSection('exchange', undefined, event.rules, 'always', names);
}

export function retrievalSections(event: RetrievalEvent, names: Names): readonly Section[] {
  const requestRules = new Set(event.requestRules.map((each) => each.name));
  const chunksMayPass = event.rules.some((each) =>
    each.effects.some(
      (effect) => effect.kind === 'allow_chunk' || (effect.kind === 'allow' && !requestRules.has(each.name)),
    ),
  );
  return [
    rulesSection(
      'retrieval',
      event.store,
      event.requestRules,
      chunksMayPass ? 'always' : passing(event.default),
      names,
    ),
    rulesSection('chunk', event.store, event.rules, passing(event.default), names),
  ];
}

type Passing = 'always' | 'if allowed';

function passing(standard: 'allow' | 'deny'): Passing {
  return standard === 'allow' ? 'always' : 'if allowed';
}

function rulesSection(
  event: Exclude<DecisionEvent, 'prompt'>,
  store: string | undefined,
  rules: readonly Rule[],
  passes: Passing,
  names: Names,
  classify?: readonly Classify[],
): Section {
  const prefix = store !== undefined ? identifier(event, store) : event === 'tool_call' ? 'call_of_no_tool' : event;
  const section = newSection(prefix, names);
  if (classify !== undefined) addClassification(section, classify);
  const chosen = names.plan.facts.find((fact) => names.path(fact.id) === 'model.chosen');
  for (const each of rules) {
    section.reads(each.name, each.reads, alwaysDenies(each));
    section.titled(
      each,
      firing(section, each, [], (models) =>
        chosen === undefined ? 'false' : `${names.fact(chosen.id)}.value in ${models}`,
      ),
    );
    if (event === 'chunk' || event === 'tool_call')
      for (const effect of each.effects) addChunkEffect(section, each, effect);
  }
  const reasons = [
    // Nothing denies an exchange that is over.
    ...(event === 'exchange' ? [] : [`failed_reasons(${prefix}_readers)`]),
    ...section.listed('denies', 'rule_reasons'),
    ...section.listed('withholds', 'withheld_reasons'),
    ...(passes === 'always' ? [] : [`default_reasons(${prefix}_passes)`]),
  ];
  if (passes === 'if allowed')
    section.text.push(
      `default ${prefix}_passes := false`,
      ...(section.has('allows') ? [rule(`${prefix}_passes`, [`count(${prefix}_allows) > 0`])] : []),
    );
  const classifies = classifiesThatFired(section);
  section.text.push(
    readersRule(section),
    decisionRule(section, event, {
      reasons,
      fired:
        classifies.length === 0 ? section.set('fires') : `union({${[section.set('fires'), ...classifies].join(', ')}})`,
      model: 'null',
      classification: classify === undefined ? 'null' : `${prefix}_classification`,
      outputTokens: 'null',
      reserve: '[]',
      failed: `failed_among(${prefix}_readers)`,
    }),
  );
  const title = store === undefined ? event : `${event}, ${event === 'tool_call' ? 'tool' : 'store'} ${store}`;
  return {
    event,
    ...(store === undefined ? {} : { store }),
    decision: `${prefix}_decision`,
    text: [heading(title), ...section.text].join('\n\n'),
  };
}

/**
 * Conditions by the models at which they are read: one for all, or one for each group of models that share it. Those
 * that can never hold are left out.
 */
export function byModels(
  names: Names,
  when: ModelExpr,
): readonly {
  readonly models: readonly string[] | 'all';
  readonly expr: Extract<ModelExpr, { kind: 'all' }>['expr'];
}[] {
  if (when.kind === 'all') return [{ models: 'all', expr: when.expr }];
  const groups = new Map<string, { models: string[]; expr: (typeof when.exprs)[number] }>();
  when.exprs.forEach((expr, model) => {
    const key = JSON.stringify(expr);
    const group = groups.get(key) ?? { models: [], expr };
    group.models.push(names.model(model));
    groups.set(key, group);
  });
  return [...groups.values()];
}

// -------------------------------------------------------------------------------------------------------------------
// rules

/**
 * When a rule fires, and what it asks for then. `before` are statements that stand first; `atModels` says that the
 * model in question is one of a set.
 */
export function firing(
  section: SectionInProgress,
  each: Rule,
  before: readonly string[],
  atModels: (models: string) => string,
): readonly string[] {
  const scope = section.scope(each.name);
  const fires = byModels(section.names, each.when).flatMap(({ models, expr }) =>
    alternatives(expr, scope).map((body) =>
      section.adds('fires', quoted(each.name), [
        ...readable(section.names, each.reads),
        ...before,
        ...(models === 'all' ? [] : [atModels(setOfTexts(models))]),
        ...body,
      ]),
    ),
  );
  if (fires.length === 0) return [comment('It never fires.')];
  return [...fires, ...scope.helpers, ...each.effects.flatMap((effect) => asked(section, each, effect))];
}

/** The effects of a rule that fires. What chunks pass is another matter: `addChunkEffect`. */
function asked(section: SectionInProgress, each: Rule, effect: Effect): readonly string[] {
  const fires = `${quoted(each.name)} in ${section.prefix}_fires`;
  switch (effect.kind) {
    case 'allow':
      return [section.adds('allows', quoted(each.name), [fires])];
    case 'deny':
      return [section.adds('denies', `[${quoted(each.name)}, ${section.names.text(effect.message)}]`, [fires])];
    case 'redact': {
      const entry = (detector: string) =>
        `[${detector}, ${section.names.redaction(effect.as)}, ${effect.includingRestored}, ${quoted(each.name)}]`;
      if (effect.detectors.length === 0) return [];
      if (effect.detectors.length === 1) return [section.adds('redacts', entry(quoted(effect.detectors[0]!)), [fires])];
      return [section.adds('redacts', entry('detector'), [fires, `some detector in ${setOfTexts(effect.detectors)}`])];
    }
    case 'tag':
      return [
        section.adds('tags', `[${section.names.text(effect.name)}, ${section.names.text(effect.value)}]`, [fires]),
      ];
    case 'set':
      return [
        section.adds('sets', `[${section.names.text(effect.field)}, ${wireValue(effect.value, section)}]`, [fires]),
      ];
    case 'hold':
      return [
        section.adds(
          'holds',
          `[${quoted(each.name)}, ${quoted(effect.reviewers)}, ${effect.approvals}, ${effect.milliseconds}]`,
          [fires],
        ),
      ];
    case 'keep':
      return [
        section.adds(
          'keeps',
          `[${quoted(each.name)}, ${effect.reviewers === null ? 'null' : quoted(effect.reviewers)}, ${effect.milliseconds}]`,
          [fires],
        ),
      ];
    case 'buffer':
    case 'allow_chunk':
    case 'withhold_chunk':
    case 'keep_newest':
      return [];
  }
}

function wireValue(value: WireValue, { names }: SectionInProgress): string {
  return typeof value === 'string' ? names.text(value) : String(value);
}

function addChunkEffect(section: SectionInProgress, each: Rule, effect: Effect): void {
  const { names, prefix } = section;
  const fires = `${quoted(each.name)} in ${prefix}_fires`;
  const scope = section.scope(each.name);
  const canFire = section.has('fires');
  switch (effect.kind) {
    case 'allow_chunk': {
      section.reads(each.name, effect.reads, alwaysDenies(each));
      if (!canFire) return;
      const bodies = alternatives(effect.where, scope).map((body) =>
        section.adds('allows', quoted(each.name), [fires, ...readable(names, effect.reads), ...body]),
      );
      section.text.push(...bodies, ...scope.helpers);
      return;
    }
    case 'withhold_chunk': {
      section.reads(each.name, effect.reads, alwaysDenies(each));
      if (!canFire) return;
      section.text.push(
        section.adds('withholds', quoted(each.name), [
          fires,
          ...readable(names, effect.reads),
          ...negation(effect.unless, scope),
        ]),
        ...scope.helpers,
      );
      return;
    }
    case 'keep_newest':
      section.reads(each.name, [effect.version, effect.key]);
      return;
    case 'allow':
    case 'deny':
    case 'redact':
    case 'tag':
    case 'set':
    case 'buffer':
    case 'hold':
    case 'keep':
      return;
  }
}

// ----------------------------------------------------------------------------------------------------------------
// decision

export function readersRule(section: SectionInProgress): string {
  const { prefix, readers } = section;
  return `${comment('Who reads which facts, and whether it always denies when one has failed.')}\n${prefix}_readers := ${lines('[', [...new Set(readers)], ']')}`;
}

/** Rego for each part of the decision. */
export interface DecisionParts {
  /** Lists of reasons, in their order. */
  readonly reasons: readonly string[];
  readonly fired: string;
  readonly model: string;
  readonly classification: string;
  readonly outputTokens: string;
  readonly reserve: string;
  readonly failed: string;
}

export function decisionRule(section: SectionInProgress, event: DecisionEvent, parts: DecisionParts): string {
  const entries = [
    `"event": ${quoted(event)}`,
    `"model": ${parts.model}`,
    `"classification": ${parts.classification}`,
    `"redacts": ${section.set('redacts')}`,
    `"output_tokens": ${parts.outputTokens}`,
    `"reserve": ${parts.reserve}`,
    `"tags": ${section.set('tags')}`,
    `"sets": ${section.set('sets')}`,
    `"holds": ${section.set('holds')}`,
    `"keeps": ${section.set('keeps')}`,
    `"reasons": joined([${parts.reasons.join(', ')}])`,
    `"fired": ${parts.fired}`,
    `"failed": ${parts.failed}`,
  ];
  return `${section.prefix}_decision := decided(${lines('{', entries, '}')})`;
}
