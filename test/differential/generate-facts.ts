/**
 * The vocabulary of a generated plan: enums, facts, models, stores, detectors. As lowering makes it: facts sorted by
 * path, ids by position.
 */
import type { Hours, Zone } from '../../compiler/plan/calendar.ts';
import {
  DETECTOR_ENUM,
  type DetectorUse,
  type EnumType,
  type Fact,
  type FactId,
  type FactType,
  type ListUse,
  MODEL_ENUM,
  type Model,
  ROLE_ENUM,
  type Store,
  type Tool,
  type SwitchUse,
  type WhenAbsent,
} from '../../compiler/plan/plan.ts';
import { compareRedactions, type RedactionMode } from '../../compiler/plan/redaction.ts';
import { dayNumber, TimeZone } from '../../dsl/time-zone.ts';
import type { Random } from './random.ts';

/** Few texts, so that equal ones meet; and odd ones, because every backend has its own idea of a string. */
export const TEXTS = [
  '',
  'u1',
  'u2',
  'alpha',
  'alphabet',
  'an alphabet of u1',
  'naïve',
  '日本',
  '😀',
  'a "b"',
  'line\nend',
  '\u00a0\u200b',
] as const;
/** Days at which calendars differ from each other, and their neighbours. */
export const DATES = [
  '1970-01-01',
  '1969-12-31',
  '2000-02-29',
  '2024-02-29',
  '2026-02-28',
  '2026-03-01',
  '2026-12-31',
  '2027-01-01',
  '2100-02-28',
  '2100-03-01',
  '0000-02-29',
  '0001-01-01',
  '9999-12-31',
] as const;
export const TIME_UNIT = 'seconds since 1970';
const TIME = { kind: 'number', scale: 3, unit: TIME_UNIT } as const;
/** About the clocks' changes in Berlin and Lord Howe of 2026, which inputs have too; milliseconds. */
export const INSTANTS = [
  Date.UTC(2026, 2, 29, 1),
  Date.UTC(2026, 9, 25, 1),
  Date.UTC(2026, 3, 4, 15),
  Date.UTC(2026, 9, 3, 15, 30),
] as const;
export const SPAN = { file: 'policy.writ', start: 0, end: 1 } as const;

/** Their facts are among the others; what they are, the input says. */
export const LISTS: readonly ListUse[] = [
  { name: 'erased', element: 'text', feed: 'erased-subjects', maxAgeMs: 60_000, most: 10 },
  { name: 'holidays', element: 'date', feed: 'holidays', maxAgeMs: 60_000, most: 10 },
];
export const SWITCHES: readonly SwitchUse[] = [{ name: 'stop', title: 'Stop', by: 'oncall', maxMs: null }];

export interface Vocabulary {
  readonly enums: readonly EnumType[];
  readonly facts: readonly Fact[];
  readonly models: readonly Model[];
  readonly byPrice: readonly number[];
  readonly stores: readonly Store[];
  readonly tools: readonly Tool[];
  readonly detectors: readonly DetectorUse[];
  readonly classification?: { readonly enum: string; readonly base: string };
  readonly budgets: readonly string[];
  readonly redactions: readonly RedactionMode[];
  readonly zones: readonly Zone[];
  readonly hours: readonly Hours[];
  readonly at: (path: string) => FactId;
}

export function generateVocabulary(random: Random): Vocabulary {
  const detectors = ['email', 'iban', 'payment_card', 'phone']
    .slice(0, random.int(1, 4))
    .map((name): DetectorUse => ({ name, source: { kind: 'builtin' } }));
  const models = generateModels(random);
  const hasClassification = random.chance(0.8);
  const enums: EnumType[] = [
    {
      name: 'classification',
      ordered: true,
      members: ['public', 'internal', 'confidential', 'restricted'].slice(0, random.int(2, 4)),
    },
    { name: 'region', ordered: false, members: ['eu', 'us', 'asia'].slice(0, random.int(2, 3)) },
    { name: DETECTOR_ENUM, ordered: false, members: detectors.map((each) => each.name) },
    { name: MODEL_ENUM, ordered: false, members: models.map((each) => each.name) },
    { name: ROLE_ENUM, ordered: false, members: ['system', 'developer', 'user', 'assistant', 'tool'] },
  ];
  const budgets = ['b1', 'b2'].slice(0, random.int(0, 2));
  const toolNames = random.some(['pay', 'search'], 0.6);
  const storeNames = ['docs', 'files'].slice(0, random.int(1, 2));
  const byPath = (left: Omit<Fact, 'id'>, right: Omit<Fact, 'id'>) =>
    left.path.join('.') < right.path.join('.') ? -1 : 1;
  const facts = [
    ...builtinFacts(random),
    ...callerFacts(random),
    ...budgets.flatMap(budgetFacts),
    ...storeNames.flatMap((store) => chunkFacts(random, store)),
    ...storeNames.map(allChunks),
    ...toolNames.flatMap((tool) => argumentFacts(random, tool)),
    ...feedFacts(random, storeNames),
  ]
    .sort(byPath)
    .map((fact, id, all): Fact => ({ id, ...fact, source: withOperand(fact, all) }));
  return {
    enums,
    facts,
    models,
    byPrice: models
      .map((model) => model.id)
      .sort(
        (a, b) =>
          models[a]!.inputPrice + models[a]!.outputPrice - models[b]!.inputPrice - models[b]!.outputPrice || a - b,
      ),
    stores: storeNames.map((name) => ({
      name,
      kind: 'chroma',
      collection: name,
      facts: facts.filter((fact) => fact.path[1] === name).map((fact) => fact.id),
      span: SPAN,
    })),
    tools: toolNames.map((name) => ({
      name,
      pattern: name === 'pay' ? 'pay_*' : name,
      facts: facts.filter(({ source }) => source.kind === 'argument' && source.tool === name).map((fact) => fact.id),
      span: SPAN,
    })),
    detectors,
    ...(hasClassification
      ? { classification: { enum: 'classification', base: random.pick(enums[0]!.members.slice(0, 2)) } }
      : {}),
    budgets,
    redactions: generateRedactions(random, facts),
    ...generateCalendar(random),
    at: (path) => facts.find((fact) => fact.path.join('.') === path)!.id,
  };
}

/** Some of the modes, at least one, among them masks that keep more or less, and pseudonyms within several facts. */
function generateRedactions(random: Random, facts: readonly Fact[]): readonly RedactionMode[] {
  const all: readonly RedactionMode[] = [
    { kind: 'placeholder' },
    { kind: 'year' },
    { kind: 'remove' },
    ...[0, 2, 4, 8].map((keepLast) => ({ kind: 'mask', keepLast }) as const),
    ...random
      .some(facts, 0.1)
      .filter((fact) => fact.source.kind === 'claim' || fact.source.kind === 'metadata')
      .map(({ id }) => ({ kind: 'pseudonym', forEach: id }) as const),
  ];
  const some = random.some(all, 0.7);
  return (some.length === 0 ? all : [...some]).toSorted(compareRedactions);
}

/** Hours in zones whose clocks change by an hour, by half of one, and never; and in one of a few made-up changes. */
function generateCalendar(random: Random): Pick<Vocabulary, 'zones' | 'hours'> {
  const [first, last] = [Date.UTC(2025, 0, 1), Date.UTC(2028, 0, 1)];
  const zones = ['Australia/Lord_Howe', 'Europe/Berlin', 'UTC'].map((name): Zone => ({
    name,
    offsets: new TimeZone(name)
      .offsets(first, last)
      .map(({ from, offset }) => ({ from, minutes: Math.round(offset / 60_000) })),
  }));
  zones.push({
    name: 'Made/Up',
    offsets: [-3, 0, 7].map((from) => ({ from, minutes: random.int(-720, 840) })),
  });
  const hours = ['h1', 'h2', 'h3'].slice(0, random.int(1, 3)).map((name): Hours => {
    const ends = Array.from({ length: 2 * random.int(0, 4) }, () => random.int(0, 10_080));
    const cuts = [...new Set(ends)].sort((a, b) => a - b);
    const spans = cuts.flatMap((start, at) =>
      at % 2 === 0 && at + 1 < cuts.length ? [{ start, end: cuts[at + 1]! }] : [],
    );
    return { name, zone: random.int(0, zones.length - 1), spans };
  });
  return { zones, hours };
}

type Draft = Omit<Fact, 'id'>;
const FAILS: WhenAbsent = { kind: 'fails' };
const UNKNOWN: WhenAbsent = { kind: 'unknown' };

function builtinFacts(random: Random): readonly Draft[] {
  const builtin = (
    path: string,
    type: FactType,
    absent: WhenAbsent = FAILS,
    failsClosed = random.chance(0.4),
  ): Draft => ({ path: path.split('.'), type, absent, failsClosed, source: { kind: 'builtin' } });
  const count = (unit: string): FactType => ({ kind: 'number', scale: 0, unit });
  return [
    builtin('text.found', { kind: 'enum_set', enum: DETECTOR_ENUM }),
    builtin('text.found_restored', { kind: 'enum_set', enum: DETECTOR_ENUM }, { kind: 'else', value: [] }),
    builtin('now', TIME),
    builtin('retrieval.limit', count('chunks'), UNKNOWN),
    builtin('egress.host', { kind: 'text' }, FAILS, true),
    builtin('prompt.requested_model', { kind: 'text' }, FAILS, true),
    builtin('prompt.input_tokens_bound', count('tokens'), FAILS, true),
    builtin('prompt.tokens_estimate', count('tokens'), FAILS, true),
    builtin('prompt.output_tokens', count('tokens'), UNKNOWN, true),
    builtin('prompt.choices', count('choices'), { kind: 'else', value: 1 }, true),
    builtin('prompt.complexity', count('points')),
    builtin('prompt.stream', { kind: 'bool' }, { kind: 'else', value: false }),
    builtin('prompt.classification', { kind: 'enum', enum: 'classification' }),
    builtin('prompt.receipts', { kind: 'enum', enum: 'classification' }, UNKNOWN),
    builtin('completion.classification', { kind: 'enum', enum: 'classification' }),
    builtin('prompt.messages', {
      kind: 'collection',
      most: 4,
      fields: [
        { name: 'role', type: { kind: 'enum', enum: ROLE_ENUM } },
        { name: 'found', type: { kind: 'enum_set', enum: DETECTOR_ENUM } },
        { name: 'tokens', type: { kind: 'number', scale: random.int(0, 2), unit: 'tokens' } },
        { name: 'level', type: { kind: 'enum', enum: 'classification' } },
        { name: 'cached', type: { kind: 'bool' } },
        { name: 'author', type: { kind: 'text' } },
        { name: 'written', type: { kind: 'date' } },
        { name: 'sent', type: TIME },
        { name: 'labels', type: { kind: 'text_set' } },
        { name: 'marks', type: { kind: 'text_set' } },
        { name: 'missed', type: { kind: 'enum_set', enum: DETECTOR_ENUM } },
      ],
    }),
    builtin(
      'prompt.calls',
      {
        kind: 'collection',
        most: 3,
        fields: [
          { name: 'name', type: { kind: 'text' } },
          { name: 'input', type: { kind: 'bool' } },
        ],
      },
      UNKNOWN,
    ),
    builtin('call.name', { kind: 'text' }),
    builtin('model.chosen', { kind: 'enum', enum: MODEL_ENUM }),
    builtin('completion.tokens', count('tokens')),
    builtin('completion.finish_reason', { kind: 'text' }, UNKNOWN),
  ];
}

function callerFacts(random: Random): readonly Draft[] {
  const claim = (name: string, type: FactType, otherwise: WhenAbsent): Draft => ({
    path: ['caller', name],
    type,
    absent: random.weighted({ fails: 2, unknown: 2, else: 2 }) === 'else' ? otherwise : random.pick([FAILS, UNKNOWN]),
    failsClosed: true,
    source: { kind: 'claim', claim: name },
  });
  const number = (scale: number): FactType => ({ kind: 'number', scale, unit: '' });
  return [
    claim('id', { kind: 'text' }, { kind: 'else', value: 'u1' }),
    claim('manager', { kind: 'text' }, { kind: 'else', value: 'naïve' }),
    claim('region', { kind: 'enum', enum: 'region' }, { kind: 'else', value: 'eu' }),
    claim('home', { kind: 'enum', enum: 'region' }, { kind: 'else', value: 'us' }),
    claim('clearance', { kind: 'enum', enum: 'classification' }, { kind: 'else', value: 'public' }),
    claim('groups', { kind: 'text_set' }, { kind: 'else', value: [] }),
    claim('teams', { kind: 'text_set' }, { kind: 'else', value: ['alpha', 'u1'] }),
    claim('regions', { kind: 'enum_set', enum: 'region' }, { kind: 'else', value: ['eu'] }),
    claim('verified', { kind: 'bool' }, { kind: 'else', value: true }),
    claim('hired', { kind: 'date' }, { kind: 'else', value: 0 }),
    claim('leaves', { kind: 'date' }, { kind: 'else', value: dayNumber('2026-12-31') }),
    claim('since', TIME, { kind: 'else', value: INSTANTS[0] }),
    claim('grade', number(0), { kind: 'else', value: 3 }),
    claim('budget', number(6), { kind: 'else', value: 2_500_000 }),
    claim('quota', number(6), { kind: 'else', value: 0 }),
    claim('ratio', number(random.int(1, 3)), { kind: 'else', value: -5 }),
  ];
}

function budgetFacts(budget: string): readonly Draft[] {
  return ['headroom', 'spent'].map((name): Draft => ({
    path: ['budget', budget, name],
    type: { kind: 'number', scale: 0, unit: 'micros' },
    absent: FAILS,
    failsClosed: true,
    source: { kind: 'budget', budget },
  }));
}

function chunkFacts(random: Random, store: string): readonly Draft[] {
  const metadata = (name: string, type: FactType, absent: WhenAbsent): Draft => ({
    path: ['chunk', store, name],
    type,
    absent,
    failsClosed: true,
    source: { kind: 'metadata', store, key: name },
  });
  return [
    metadata('source', { kind: 'text' }, FAILS),
    metadata('version', { kind: 'number', scale: 0, unit: '' }, FAILS),
    metadata('groups', { kind: 'text_set' }, random.pick([FAILS, { kind: 'else', value: [] }])),
    metadata('classification', { kind: 'enum', enum: 'classification' }, { kind: 'else', value: 'internal' }),
    metadata('subject', { kind: 'text' }, UNKNOWN),
    metadata('expires', { kind: 'date' }, random.pick([FAILS, UNKNOWN])),
    metadata('draft', { kind: 'bool' }, random.pick([FAILS, UNKNOWN])),
    metadata('owner', { kind: 'text' }, UNKNOWN),
    metadata('teams', { kind: 'text_set' }, UNKNOWN),
    metadata('regions', { kind: 'enum_set', enum: 'region' }, UNKNOWN),
    metadata('level', { kind: 'enum', enum: 'classification' }, UNKNOWN),
    metadata('read', TIME, UNKNOWN),
  ];
}

/** All chunks of an answer: what is optional of a chunk is optional here. */
function allChunks(store: string): Draft {
  return {
    path: ['retrieval', 'chunks', store],
    type: {
      kind: 'collection',
      most: 4,
      fields: [
        { name: 'source', type: { kind: 'text' } },
        { name: 'classification', type: { kind: 'enum', enum: 'classification' } },
        { name: 'groups', type: { kind: 'text_set' } },
        { name: 'subject', type: { kind: 'text' }, optional: true },
        { name: 'owner', type: { kind: 'text' }, optional: true },
        { name: 'teams', type: { kind: 'text_set' }, optional: true },
        { name: 'regions', type: { kind: 'enum_set', enum: 'region' }, optional: true },
        { name: 'level', type: { kind: 'enum', enum: 'classification' }, optional: true },
        { name: 'expires', type: { kind: 'date' }, optional: true },
        { name: 'read', type: TIME, optional: true },
        { name: 'draft', type: { kind: 'bool' }, optional: true },
      ],
    },
    absent: FAILS,
    failsClosed: true,
    source: { kind: 'chunks', store },
  };
}

/** `list.NAME.OPERAND`, `list.NAME.day_in.ZONE.OPERAND`, and switches: to a backend they are bools like others. */
function feedFacts(random: Random, stores: readonly string[]): readonly Draft[] {
  const bool = (path: readonly string[], source: Fact['source'], absent: WhenAbsent): Draft => ({
    path,
    type: { kind: 'bool' },
    absent,
    failsClosed: random.chance(0.5),
    source,
  });
  const of = { kind: 'fact', fact: 0 } as const;
  return [
    bool(['switch', 'stop'], { kind: 'switch', switch: 0 }, FAILS),
    bool(['list', 'erased', 'caller', 'id'], { kind: 'list', list: 0, of }, random.pick([FAILS, UNKNOWN])),
    bool(['list', 'erased', 'value', 'a b'], { kind: 'list', list: 0, of: { kind: 'value', value: 'a b' } }, FAILS),
    bool(
      ['list', 'holidays', 'day_in', 'Europe/Berlin', 'now'],
      { kind: 'list', list: 1, of: { kind: 'day', fact: 0, zone: 1 } },
      FAILS,
    ),
    ...stores.map((store) =>
      bool(['list', 'erased', 'chunk', store, 'subject'], { kind: 'list', list: 0, of }, UNKNOWN),
    ),
  ];
}

function withOperand({ path, source }: Draft, all: readonly Draft[]): Fact['source'] {
  if (source.kind !== 'list' || source.of.kind === 'value') return source;
  const operand = path.slice(source.of.kind === 'day' ? 4 : 2).join('.');
  return { ...source, of: { ...source.of, fact: all.findIndex((fact) => fact.path.join('.') === operand) } };
}

function argumentFacts(random: Random, tool: string): readonly Draft[] {
  const argument = (name: string, type: FactType, absent: WhenAbsent): Draft => ({
    path: ['argument', tool, name],
    type,
    absent,
    failsClosed: true,
    source: { kind: 'argument', tool, key: name },
  });
  return [
    argument('amount', { kind: 'number', scale: 6, unit: 'usd' }, FAILS),
    argument('to', { kind: 'text' }, random.pick([FAILS, UNKNOWN])),
    argument('copies', { kind: 'text_set' }, random.pick([FAILS, { kind: 'else', value: [] }])),
    argument('urgent', { kind: 'bool' }, random.pick([UNKNOWN, { kind: 'else', value: true }])),
  ];
}

/** Sorted by name. Two may share a wire name: the first is meant then. */
function generateModels(random: Random): readonly Model[] {
  const names = ['big', 'local', 'mid', 'small'].slice(0, random.int(1, 4));
  return names.map((name, id): Model => ({
    id,
    name,
    wireName: random.chance(0.1) ? 'shared' : `${name}-1`,
    provider: 'openai',
    attributes: {},
    inputPrice: random.pick([0, 20_000, 2_500_000, 2_500_000, 15_000_000]),
    outputPrice: random.pick([0, 50_000, 10_000_000, 10_000_000, 999_999]),
    context: random.pick([64, 1_000, 4_096, 128_000, 128_000]),
    maxOutput: random.pick([0, 16, 200, 1_024]),
    templateOverhead: random.pick([0, 8]),
    span: SPAN,
  }));
}
