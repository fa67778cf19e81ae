/**
 * Random plans, well-formed as lowering makes them: every kind of event, rule and effect, reads as `readsOf` says,
 * everything without an order of its own sorted by name.
 */
import type {
  Budget,
  Classify,
  Effect,
  EventPlan,
  FactId,
  OutputLimit,
  Plan,
  Preference,
  Requirement,
  Route,
  Rule,
} from '../../compiler/plan/plan.ts';
import { HOLD_APPROVALS_MAX } from '../../compiler/plan/hold.ts';
import { PLAN_VERSION } from '../../compiler/plan/plan.ts';
import type { WireValue } from '../../compiler/plan/wire-value.ts';
import { type ReadingContext, readsOf, readsOfModelExpr } from '../../compiler/plan/reads.ts';
import { type ConditionSource, generateCondition, generateModelCondition } from './generate-condition.ts';
import { generateVocabulary, LISTS, SPAN, SWITCHES, TEXTS, type Vocabulary } from './generate-facts.ts';
import type { Random } from './random.ts';

export function generatePlan(random: Random): Plan {
  const vocabulary = generateVocabulary(random);
  const context: Generating = { random, vocabulary, taken: new Set() };
  return {
    version: PLAN_VERSION,
    policy: 'generated',
    owner: 'owner@example.org',
    currency: 'usd',
    timeZone: 'Europe/Berlin',
    sourceHash: Array.from({ length: 64 }, () => random.int(0, 15).toString(16)).join(''),
    compilerVersion: '0.0.0',
    onFailure: random.pick(['allow', 'deny']),
    ...(vocabulary.classification === undefined ? {} : { classification: vocabulary.classification }),
    enums: vocabulary.enums,
    facts: vocabulary.facts,
    models: vocabulary.models,
    byPrice: vocabulary.byPrice,
    stores: vocabulary.stores,
    tools: vocabulary.tools,
    detectors: vocabulary.detectors,
    conversions: [],
    redactions: vocabulary.redactions,
    zones: vocabulary.zones,
    hours: vocabulary.hours,
    lists: LISTS,
    switches: SWITCHES,
    guarantees: [],
    imports: [],
    events: generateEvents(context),
  };
}

interface Generating {
  readonly random: Random;
  readonly vocabulary: Vocabulary;
  readonly taken: Set<string>;
}

function generateEvents(context: Generating): readonly EventPlan[] {
  const { random, vocabulary } = context;
  const events: EventPlan[] = [];
  if (random.chance(0.97)) events.push(generatePrompt(context));
  if (random.chance(0.95)) events.push(generateCompletion(context));
  if (random.chance(0.8)) {
    for (const tool of [...vocabulary.tools.map(({ name }) => name), null])
      events.push({
        kind: 'tool_call',
        tool,
        default: standard(random, 0.4),
        rules: generateRules(
          context,
          'tool_call',
          [
            ...factsOf(vocabulary, ['now', 'text', 'caller', 'prompt', 'model', 'call']),
            ...vocabulary.facts.filter(({ path }) => path[0] === 'argument' && path[1] === tool).map(({ id }) => id),
          ].sort((a, b) => a - b),
        ),
      });
  }
  if (random.chance(0.8))
    events.push({
      kind: 'exchange',
      rules: generateRules(
        context,
        'exchange',
        factsOf(vocabulary, ['now', 'list', 'switch', 'caller', 'prompt', 'model', 'completion']),
      ),
    });
  for (const store of vocabulary.stores) {
    if (random.chance(0.95)) events.push(generateRetrieval(context, store.name));
    if (random.chance(0.9))
      events.push({
        kind: 'ingest',
        store: store.name,
        default: standard(random, 0.4),
        rules: generateRules(
          context,
          'ingest',
          factsOf(vocabulary, ['now', 'text', 'list', 'switch', 'caller'], store.name),
        ),
      });
  }
  if (random.chance(0.8))
    events.push({
      kind: 'egress',
      default: standard(random, 0.5),
      rules: generateRules(context, 'egress', factsOf(vocabulary, ['now', 'list', 'switch', 'egress'])),
    });
  return events;
}

function standard(random: Random, deny: number): 'allow' | 'deny' {
  return random.chance(deny) ? 'deny' : 'allow';
}

/** Facts under the groups named, and those of a store's chunks. */
function factsOf(vocabulary: Vocabulary, groups: readonly string[], store?: string): readonly FactId[] {
  return vocabulary.facts
    .filter(({ path }) => {
      if (path[0] === 'retrieval' && path[1] === 'chunks') return path[2] === store;
      const at = path[0] === 'list' ? 2 : 0;
      return path[at] === 'chunk' ? path[at + 1] === store : groups.includes(path[0]!);
    })
    .map((fact) => fact.id);
}

function nameFor({ random, taken }: Generating, words: string): string {
  for (;;) {
    const name = `${random.pick(['a', 'b', 'm', 'z'])}_${words}_${random.int(1, 99)}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}

function byName<T extends { readonly name: string } | { readonly rule: string }>(items: readonly T[]): readonly T[] {
  const nameOf = (item: T): string => ('name' in item ? item.name : item.rule);
  return [...items].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0));
}

function listOf<T>(random: Random, most: number, make: () => T): readonly T[] {
  return Array.from({ length: random.int(0, most) }, make);
}

// -----------------------------------------------------------------------------------------------------------------
// prompt

function generatePrompt(context: Generating): EventPlan {
  const { random, vocabulary } = context;
  const facts = factsOf(vocabulary, ['now', 'text', 'list', 'switch', 'caller', 'prompt']).filter(
    (fact) => fact !== vocabulary.at('prompt.classification'),
  );
  const plain: ConditionSource = { vocabulary, random, facts, classification: false };
  const classify = vocabulary.classification === undefined ? [] : generateClassifies(context, plain);
  const source: ConditionSource = { ...plain, classification: vocabulary.classification !== undefined };
  const reading: ReadingContext = { classification: [...new Set(classify.flatMap((each) => each.reads))] };
  const limits = listOf(random, 2, (): OutputLimit => {
    const when = generateModelCondition(source);
    return {
      rule: nameFor(context, 'limit'),
      reads: readsOfModelExpr(when, reading),
      when,
      tokens: random.pick([0, 8, 100, 300]),
      span: SPAN,
    };
  });
  const generated = generateRules(context, 'prompt', facts, source.classification, reading);
  // Of what nothing denies much is to be held: most conditions seldom hold.
  const rules = byName([...generated, ...(random.chance(0.5) ? [generateHolding(context)] : [])]);
  const requirements = listOf(random, random.pick([0, 1, 2]), (): Requirement => {
    const removes = generateModelCondition(source, 0.6);
    const rule = random.chance(0.15) && rules.length > 0 ? random.pick(rules).name : nameFor(context, 'use');
    return {
      rule,
      ...(random.chance(0.5) ? { title: 'Only some' } : {}),
      reads: readsOfModelExpr(removes, reading),
      removes,
      span: SPAN,
    };
  });
  return {
    kind: 'prompt',
    default: standard(random, 0.25),
    classify: byName(classify),
    limits: byName(limits),
    requirements: byName(requirements),
    budgets: vocabulary.budgets.map((name) => generateBudget(context, name, source, reading)),
    routes: generateRoutes(context, source, reading),
    rules,
  };
}

function generateCompletion(context: Generating): EventPlan {
  const { random, vocabulary } = context;
  const facts = factsOf(vocabulary, [
    'now',
    'text',
    'list',
    'switch',
    'caller',
    'prompt',
    'model',
    'completion',
  ]).filter((fact) => fact !== vocabulary.at('completion.classification'));
  const isClassified = vocabulary.classification !== undefined;
  const classify = isClassified
    ? generateClassifies(context, { vocabulary, random, facts, classification: false })
    : [];
  const reading: ReadingContext = { classification: [...new Set(classify.flatMap((each) => each.reads))] };
  return {
    kind: 'completion',
    default: standard(random, 0.35),
    classify: byName(classify),
    stream: random.pick(['early', 'causal', 'buffered']),
    rules: generateRules(context, 'completion', facts, isClassified, reading),
  };
}

/** Of two some have one name, as those that come of receipts. */
function generateClassifies(context: Generating, source: ConditionSource): readonly Classify[] {
  const { random } = context;
  const classify = listOf(random, 2, () => generateClassify(context, source));
  return random.chance(0.4) ? classify.map((each) => ({ ...each, name: classify[0]!.name })) : classify;
}

function generateClassify(context: Generating, source: ConditionSource): Classify {
  const { random, vocabulary } = context;
  const when = generateCondition(source);
  return {
    name: nameFor(context, 'classify'),
    member: random.pick(vocabulary.enums[0]!.members),
    reads: readsOf(when, { classification: [] }),
    when,
    span: SPAN,
  };
}

function generateBudget(
  { random, vocabulary }: Generating,
  name: string,
  source: ConditionSource,
  reading: ReadingContext,
): Budget {
  const applies = generateCondition(source);
  return {
    name,
    ...(random.chance(0.5) ? { title: 'Spend' } : {}),
    reads: readsOf(applies, reading),
    applies,
    ...(random.chance(0.4) ? { each: random.pick(accountFacts(vocabulary)) } : {}),
    ...(random.chance(0.45) ? { counts: random.pick(['requests', 'tokens'] as const) } : {}),
    limit: random.pick([1_000, 5_000, 1_000_000, Number.MAX_SAFE_INTEGER]),
    period: random.pick(['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year']),
    timeZone: 'Europe/Berlin',
    headroom: vocabulary.at(`budget.${name}.headroom`),
    spent: vocabulary.at(`budget.${name}.spent`),
    thresholds: listOf(random, 2, () => {
      const removes = generateModelCondition(source, 0.6);
      return { percent: random.pick([0, 50, 80, 95]), reads: readsOfModelExpr(removes, reading), removes, span: SPAN };
    }),
    message: 'used up',
    span: SPAN,
  };
}

/** What may have accounts of its own. */
function accountFacts({ facts }: Vocabulary): readonly FactId[] {
  return facts
    .filter(({ source, type }) => source.kind === 'claim' && (type.kind === 'text' || type.kind === 'enum'))
    .map(({ id }) => id);
}

function generateRoutes(context: Generating, source: ConditionSource, reading: ReadingContext): readonly Route[] {
  const { random, vocabulary } = context;
  const names: Route['requested'][] = random
    .some(['auto', 'best', vocabulary.models[0]!.wireName], 0.35)
    .map((name) => ({ kind: 'name', name }));
  if (random.chance(0.35)) names.push({ kind: 'any' });
  return byName(
    names.map((requested): Route => ({
      name: nameFor(context, 'route'),
      ...(random.chance(0.5) ? { title: 'Where it goes' } : {}),
      requested,
      preferences: Array.from({ length: random.int(1, 3) }, (): Preference => {
        const when = random.chance(0.5)
          ? ({ kind: 'all', expr: { kind: 'const', value: true } } as const)
          : generateModelCondition(source, 0.5);
        const target = random.pick([
          { kind: 'model', model: random.pick(vocabulary.models).id },
          { kind: 'requested' },
          { kind: 'cheapest' },
        ] as const);
        return { target, reads: readsOfModelExpr(when, reading), when };
      }),
      span: SPAN,
    })),
  );
}

// ------------------------------------------------------------------------------------------------------------------
// rules

type RuleEvent = 'prompt' | 'completion' | 'tool_call' | 'retrieval' | 'ingest' | 'egress' | 'exchange';
/** Where what fires may depend on the model that was chosen. */
const AFTER_CHOICE: ReadonlySet<RuleEvent> = new Set(['completion', 'tool_call', 'exchange'] as const);

function generateRules(
  context: Generating,
  event: RuleEvent,
  facts: readonly FactId[],
  classification = false,
  reading: ReadingContext = { classification: [] },
): readonly Rule[] {
  const { random, vocabulary } = context;
  const source: ConditionSource = { vocabulary, random, facts, classification };
  const chosen = AFTER_CHOICE.has(event) ? { ...reading, chosenModel: vocabulary.at('model.chosen') } : reading;
  return byName(
    listOf(random, 4, (): Rule => {
      const when =
        event === 'prompt' || AFTER_CHOICE.has(event)
          ? generateModelCondition(source)
          : ({ kind: 'all', expr: generateCondition(source) } as const);
      return {
        name: nameFor(context, 'rule'),
        ...(random.chance(0.3) ? { title: `Titled\nin "two" lines` } : {}),
        cites: random.chance(0.2) ? ['GDPR Art. 32'] : [],
        reads: readsOfModelExpr(when, chosen),
        when,
        effects: withDouble(random, [
          ...Array.from({ length: random.int(1, 2) }, () => generateEffect(context, event, source)),
          ...(event === 'prompt' && random.chance(0.4) ? [generateHold(random)] : []),
        ]),
        ...(random.chance(0.25) ? { notify: [{ recipient: 'desk', webhook: 'desk-hook' }] } : {}),
        ...(random.chance(0.05) ? { unenforced: 'hold' } : {}),
        ...(random.chance(0.1) ? { failsClosed: true } : {}),
        span: SPAN,
      };
    }),
  );
}

/** What is asked for twice is asked for once. */
function withDouble(random: Random, effects: readonly Effect[]): readonly Effect[] {
  const twice = effects.find(({ kind }) => kind === 'keep' || kind === 'hold');
  return twice !== undefined && random.chance(0.3) ? [...effects, twice] : effects;
}

const WIRE_VALUES: readonly WireValue[] = [false, true, 0, -1, 0.25, 17, 1_000_000, '', 'flex', ...TEXTS];

function generateEffect({ random, vocabulary }: Generating, event: RuleEvent, source: ConditionSource): Effect {
  const isOver = event === 'exchange';
  const onText = event === 'egress' || isOver ? 0 : event === 'retrieval' ? 1 : 4;
  const onChunk = event === 'retrieval' ? 5 : 0;
  const kind = random.weighted({
    allow: isOver ? 0 : 2.5,
    deny: isOver ? 0 : 1.5,
    redact: onText,
    tag: 1,
    buffer: isOver ? 0 : 0.4,
    set: event === 'prompt' ? 1.5 : 0,
    hold: event === 'prompt' ? 1 : 0,
    keep: event === 'prompt' || event === 'completion' || isOver ? 1.5 : 0,
    allow_chunk: onChunk,
    withhold_chunk: onChunk * 1.5 + (event === 'tool_call' ? 3 : 0),
    keep_newest: onChunk / 5,
  });
  switch (kind) {
    case 'allow':
      return { kind };
    case 'deny':
      return { kind, message: random.pick(['Not here', 'Nicht für Sie', ...TEXTS.slice(5, 10)]) };
    case 'redact':
      return {
        kind,
        detectors: random.some(vocabulary.detectors, 0.6).map((each) => each.name),
        includingRestored: random.chance(0.4),
        as: random.int(0, vocabulary.redactions.length - 1),
      };
    case 'tag':
      return { kind, name: random.pick(['team', 'cost', 'Ö']), value: random.pick(TEXTS) };
    case 'buffer':
      return { kind };
    case 'set':
      return { kind, field: random.pick(['store', 'temperature', 'Ö']), value: random.pick(WIRE_VALUES) };
    case 'hold':
      return generateHold(random);
    case 'keep': {
      const reviewers = random.pick(['legal', 'security']);
      if (random.chance(0.5))
        return { kind, reviewers: null, group: null, milliseconds: random.pick([1, 60_000]), share: 1_000_000 };
      return {
        kind,
        reviewers,
        group: `${reviewers}-review`,
        milliseconds: null,
        share: random.pick([1, 20_000, 1_000_000]),
      };
    }
    case 'allow_chunk': {
      const where = generateCondition(source);
      return { kind, where, reads: readsOf(where, { classification: [] }) };
    }
    case 'withhold_chunk': {
      const unless = generateCondition(source);
      return { kind, unless, reads: readsOf(unless, { classification: [] }) };
    }
    case 'keep_newest': {
      const store = vocabulary.stores.find((each) => each.facts.some((fact) => source.facts.includes(fact)));
      return store === undefined
        ? { kind: 'buffer' }
        : {
            kind,
            version: vocabulary.at(`chunk.${store.name}.version`),
            key: vocabulary.at(`chunk.${store.name}.source`),
          };
    }
  }
}

/** A rule that holds whatever is not denied. */
function generateHolding(context: Generating): Rule {
  return {
    name: nameFor(context, 'rule'),
    cites: [],
    reads: [],
    when: { kind: 'all', expr: { kind: 'const', value: true } },
    effects: [generateHold(context.random)],
    span: SPAN,
  };
}

function generateHold(random: Random): Effect {
  const reviewers = random.pick(['legal', 'security']);
  return {
    kind: 'hold',
    reviewers,
    group: `${reviewers}-review`,
    approvals: random.pick([1, 2, HOLD_APPROVALS_MAX]),
    milliseconds: random.pick([60_000, 14_400_000]),
  };
}

// --------------------------------------------------------------------------------------------------------------
// retrieval

function generateRetrieval(context: Generating, store: string): EventPlan {
  const { random, vocabulary } = context;
  const withChunk = generateRules(
    context,
    'retrieval',
    factsOf(vocabulary, ['now', 'list', 'switch', 'caller', 'retrieval'], store),
  );
  const withoutChunk = generateRules(
    context,
    'retrieval',
    factsOf(vocabulary, ['now', 'list', 'switch', 'caller', 'retrieval']),
  ).slice(0, 2);
  const ofChunk = factsOf(vocabulary, [], store);
  const rules = byName([...withChunk, ...withoutChunk]);
  return {
    kind: 'retrieval',
    store,
    default: standard(random, 0.5),
    requestRules: rules.filter(
      (rule) =>
        !rule.reads.some((fact) => ofChunk.includes(fact)) &&
        rule.effects.some((effect) => effect.kind === 'allow' || effect.kind === 'deny'),
    ),
    rules,
  };
}
