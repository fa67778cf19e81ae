/**
 * The policy's facts: which exist, under which path, of which type. Built before any condition is lowered, so that ids
 * depend on the declarations alone and two orders of the same rules give the same plan.
 */
import type { Attribute, Program, Type, Value } from '../../dsl/program.ts';
import { dayNumber, instantIn, TimeZone } from '../../dsl/time-zone.ts';
import {
  type CollectionField,
  DETECTOR_ENUM,
  type EnumType,
  type Fact,
  type FactId,
  type FactRef,
  type FactType,
  type FactValue,
  type ListOperand,
  type ListUse,
  MODEL_ENUM,
  ROLE_ENUM,
  type SwitchUse,
  type WhenAbsent,
} from '../plan/plan.ts';
import { DRAW_PATH, SHARE_WHOLE } from '../plan/keep.ts';
import { RECEIPTS_PATH } from '../plan/receipts.ts';
import { lowerable } from './unenforced.ts';
import { Unlowerable } from './unlowerable.ts';

/** Messages beyond this fail the fact `prompt.messages`; the kernel's protocol tables hold the same number. */
export const MESSAGES_MAX = 4_096;
/** Tool calls of one reply; the kernel holds the same number. */
export const TOOL_CALLS_MAX = 1_024;
/** Chunks of one answer, over all of its queries; the kernel holds the same number. */
export const CHUNKS_MAX = 4_096;
export const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'] as const;
export const NOW_PATH = 'now';
export const CLASSIFICATION_PATH = 'prompt.classification';
export const CALL_NAME_PATH = 'call.name';

export interface FactTable {
  readonly facts: readonly Fact[];
  /** In which written times and dates are meant. */
  readonly zone: TimeZone;
  /**
   * The fact at a dotted path. Throws `Unlowerable` where the language has the attribute but nothing supplies it yet.
   */
  at(path: string): FactId;
  /** A field of the collection at a dotted path. */
  field(path: string, name: string): FactRef;
}

/** A fact that says whether a value is in a list; operands are named by their paths until all facts have ids. */
export interface ListQuestion {
  readonly path: readonly string[];
  readonly list: string;
  readonly of:
    | { readonly kind: 'fact'; readonly path: string }
    | { readonly kind: 'value'; readonly value: FactValue }
    | { readonly kind: 'day'; readonly path: string; readonly zone: number };
}

/** What conditions ask of feeds. */
export interface FeedFacts {
  readonly lists: readonly ListUse[];
  readonly switches: readonly SwitchUse[];
  readonly questions: readonly ListQuestion[];
}

export function factTable(program: Program, feeds: FeedFacts): FactTable {
  const zone = new TimeZone(program.policy.timeZone);
  const plain = [
    ...builtins(program),
    ...callerFacts(program, zone),
    ...budgetFacts(program),
    ...chunkFacts(program, zone),
    ...allChunks(program),
    ...argumentFacts(program, zone),
  ];
  const drafts: Later[] = [
    ...plain.map((draft) => ({ path: draft.path, as: () => draft })),
    ...feeds.switches.map(({ name }, at) => {
      const draft = boolFact(switchFactPath(name), { kind: 'switch', switch: at }, undefined);
      return { path: draft.path, as: () => draft };
    }),
    ...feeds.questions.flatMap((question) => listFact(question, feeds.lists, plain)),
  ];
  const sorted = drafts.sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
  const places = new Map(sorted.map((draft, id) => [pathOf(draft), id]));
  const facts = sorted.map((draft, id): Fact => ({ id, ...draft.as((path) => places.get(path)!) }));
  const ids = new Map(facts.map((fact) => [pathOf(fact), fact.id]));

  const at = (path: string): FactId => {
    const id = ids.get(path);
    if (id === undefined) throw new Unlowerable(path);
    return id;
  };
  return {
    facts,
    zone,
    at,
    field(path, name) {
      const collection = at(path);
      const type = facts[collection]!.type;
      const field = type.kind === 'collection' ? type.fields.findIndex((candidate) => candidate.name === name) : -1;
      if (field < 0) throw new Unlowerable(`${path} ${name}`);
      return { kind: 'field', collection, field };
    },
  };
}

/** The path of a chunk's attribute: stores have attributes of their own, so the store's name is part of it. */
export function chunkPath(store: string, attribute: string): string {
  return `chunk.${store}.${attribute}`;
}

/** The path of all chunks of a store's answer. */
export function allChunksPath(store: string): string {
  return `retrieval.chunks.${store}`;
}

export function switchFactPath(name: string): readonly string[] {
  return ['switch', name];
}

/** The path of a tool's argument. */
export function argumentPath(tool: string, attribute: string): string {
  return `argument.${tool}.${attribute}`;
}

/** Whether calls of tools are decided one by one: some rule speaks of them, or they are denied by default. */
export function decidesCalls({ models, rules, policy }: Program): boolean {
  return models.length > 0 && (policy.defaults.toolCall === 'deny' || rules.some(({ event }) => event === 'toolCall'));
}

type Draft = Omit<Fact, 'id'>;
/** A fact that may name others, once they have ids. */
interface Later {
  readonly path: readonly string[];
  as(idOf: (path: string) => FactId): Draft;
}

/** None where nothing supplies the operand: what asks it cannot be lowered either. */
function listFact({ path, list, of }: ListQuestion, lists: readonly ListUse[], facts: readonly Draft[]): Later[] {
  const operand = of.kind === 'value' ? undefined : facts.find((fact) => pathOf(fact) === of.path);
  if (of.kind !== 'value' && operand === undefined) return [];
  const at = lists.findIndex(({ name }) => name === list);
  const as = (idOf: (path: string) => FactId): Draft => {
    const asked: ListOperand =
      of.kind === 'value'
        ? of
        : of.kind === 'fact'
          ? { kind: 'fact', fact: idOf(of.path) }
          : { kind: 'day', fact: idOf(of.path), zone: of.zone };
    return boolFact(path, { kind: 'list', list: at, of: asked }, operand);
  };
  return [{ path, as }];
}

/** Of a list and its operand nobody can tell which has failed: the stricter of the two counts. */
function boolFact(path: readonly string[], source: Fact['source'], operand: Draft | undefined): Draft {
  return {
    path,
    type: { kind: 'bool' },
    absent: { kind: operand?.absent.kind === 'unknown' ? 'unknown' : 'fails' },
    failsClosed: operand?.failsClosed ?? false,
    source,
  };
}

function pathOf(fact: Pick<Fact, 'path'>): string {
  return fact.path.join('.');
}

/**
 * Facts that the kernel reads from the wire. Each costs a slot only; a policy that has no model has no prompt facts.
 */
function builtins(program: Program): Draft[] {
  const fails: WhenAbsent = { kind: 'fails' };
  const builtin = (path: string, type: FactType, absent: WhenAbsent, failsClosed = true): Draft => ({
    path: path.split('.'),
    type,
    absent,
    failsClosed,
    source: { kind: 'builtin' },
  });
  const count = (unit: string): FactType => ({ kind: 'number', scale: 0, unit });
  const facts = [
    ...(samples(program) ? [builtin(DRAW_PATH, count('millionths'), { kind: 'else', value: SHARE_WHOLE }, false)] : []),
    ...(readsNow(program) ? [builtin(NOW_PATH, factType({ kind: 'time' }), fails)] : []),
    builtin('text.found', { kind: 'enum_set', enum: DETECTOR_ENUM }, fails),
    builtin('text.found_restored', { kind: 'enum_set', enum: DETECTOR_ENUM }, fails),
    builtin('retrieval.limit', count('chunks'), { kind: 'unknown' }),
  ];
  if (program.models.length > 0) {
    facts.push(
      builtin('prompt.requested_model', { kind: 'text' }, fails),
      builtin('prompt.input_tokens_bound', count('tokens'), fails),
      builtin('prompt.tokens_estimate', count('tokens'), fails),
      builtin('prompt.output_tokens', count('tokens'), { kind: 'unknown' }),
      builtin('prompt.choices', count('choices'), { kind: 'else', value: 1 }),
      builtin('prompt.complexity', count('points'), fails),
      builtin('prompt.bytes', count('bytes'), fails),
      builtin('prompt.stream', { kind: 'bool' }, { kind: 'else', value: false }),
      builtin('prompt.tools', count('tools'), { kind: 'else', value: 0 }),
      builtin(
        'prompt.messages',
        {
          kind: 'collection',
          most: MESSAGES_MAX,
          fields: [
            { name: 'role', type: { kind: 'enum', enum: ROLE_ENUM } },
            { name: 'found', type: { kind: 'enum_set', enum: DETECTOR_ENUM } },
          ],
        },
        fails,
      ),
      builtin('model.chosen', { kind: 'enum', enum: MODEL_ENUM }, fails),
      builtin('completion.tokens', count('tokens'), fails, false),
      builtin('completion.finish_reason', { kind: 'text' }, fails, false),
      ...(decidesCalls(program) ? [builtin(CALL_NAME_PATH, { kind: 'text' }, fails)] : []),
      ...(reads(program, ({ root, name }) => root === 'completion' && name === 'tool_calls')
        ? [
            builtin(
              'completion.tool_calls',
              {
                kind: 'collection',
                most: TOOL_CALLS_MAX,
                fields: [
                  { name: 'name', type: { kind: 'text' } },
                  { name: 'found', type: { kind: 'enum_set', enum: DETECTOR_ENUM } },
                  { name: 'found_restored', type: { kind: 'enum_set', enum: DETECTOR_ENUM } },
                ],
              },
              fails,
            ),
          ]
        : []),
    );
  }
  if (governsEgress(program)) facts.push(builtin('egress.host', { kind: 'text' }, fails));
  const classification = program.policy.classificationEnum;
  if (classification !== null) {
    const type: FactType = { kind: 'enum', enum: classification };
    facts.push(builtin(CLASSIFICATION_PATH, type, fails));
    if (program.classifications.some(({ level }) => level === 'receipts'))
      facts.push(builtin(RECEIPTS_PATH, type, { kind: 'unknown' }));
    if (readsClassOfReply(program)) facts.push(builtin('completion.classification', type, fails, false));
  }
  return facts;
}

/** Without a rule on it nothing of the policy is about what goes out. */
export function governsEgress({ rules }: Program): boolean {
  return rules.some(({ event }) => event === 'egress');
}

/** Whether a rule on exchanges reads it: to those on completions it is what they compute. */
function readsClassOfReply({ models, rules }: Program): boolean {
  const ofExchanges = rules.filter(({ event }) => event === 'exchange');
  return (
    models.length > 0 && mentions(ofExchanges, ({ root, name }) => root === 'completion' && name === 'classification')
  );
}

/** Whether some rule samples a part of all exchanges. */
function samples({ rules }: Program): boolean {
  return rules.some(({ effects }) => effects.some((each) => each.kind === 'sample' && each.share < SHARE_WHOLE));
}

/** Whether some condition reads the time, or something holds for a time only. */
function readsNow({ rules, classifications, budgets, rates, routes, waivers, guarantees }: Program): boolean {
  return (
    waivers.length > 0 ||
    rules.some(({ meta }) => meta.effective !== null) ||
    mentions([rules, classifications, budgets, rates, routes, guarantees], ({ root }) => root === 'now')
  );
}

/** Whether some condition of the completion's event reads the attribute. */
function reads({ rules, classifications, guarantees }: Program, is: (attribute: Mentioned) => boolean): boolean {
  return mentions([rules, classifications, guarantees], is);
}

interface Mentioned {
  readonly root: unknown;
  readonly name?: unknown;
}

function mentions(node: unknown, is: (attribute: Mentioned) => boolean): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if ('root' in node && is(node)) return true;
  return Object.values(node).some((below) => mentions(below, is));
}

function callerFacts(program: Program, zone: TimeZone): Draft[] {
  return program.caller.attributes.flatMap((attribute) =>
    declared(attribute, zone, ['caller', attribute.name], {
      kind: 'claim',
      claim: attribute.source?.name ?? attribute.name,
      ...splitOf(attribute),
    }),
  );
}

function chunkFacts(program: Program, zone: TimeZone): Draft[] {
  return program.stores.flatMap((store) =>
    store.attributes.flatMap((attribute) =>
      declared(attribute, zone, ['chunk', store.name, attribute.name], {
        kind: 'metadata',
        store: store.name,
        key: attribute.source?.name ?? attribute.name,
        ...splitOf(attribute),
      }),
    ),
  );
}

/**
 * For each store of which a condition over all chunks speaks: of each chunk the attributes that such conditions read,
 * so that what none of them reads fails none of them.
 */
function allChunks(program: Program): Draft[] {
  const quantified = program.rules.filter(({ event, ...rule }) => event === 'retrieval' && mentions(rule, isOfAll));
  return program.stores.flatMap((store) => {
    const rules = quantified.filter((rule) => rule.store === null || rule.store === store.name);
    if (rules.length === 0) return [];
    const read = store.attributes.filter(({ name }) =>
      mentions(rules, (each) => each.root === 'variable' && each.name === name),
    );
    const fields = lowerable(
      () =>
        read.map(({ name, type, absence }): CollectionField => ({
          name,
          type: factType(type),
          ...(absence.kind === 'optional' ? { optional: true } : {}),
        })),
      () => null,
    );
    if (fields === null) return [];
    return [
      {
        path: allChunksPath(store.name).split('.'),
        type: { kind: 'collection', most: CHUNKS_MAX, fields },
        absent: { kind: 'fails' },
        failsClosed: true,
        source: { kind: 'chunks', store: store.name },
      },
    ];
  });
}

function isOfAll({ root, name }: Mentioned): boolean {
  return root === 'retrieval' && name === 'chunks';
}

function argumentFacts(program: Program, zone: TimeZone): Draft[] {
  if (!decidesCalls(program)) return [];
  return program.tools.flatMap((tool) =>
    tool.attributes.flatMap((attribute) =>
      declared(attribute, zone, ['argument', tool.name, attribute.name], {
        kind: 'argument',
        tool: tool.name,
        key: attribute.source?.name ?? attribute.name,
        ...splitOf(attribute),
      }),
    ),
  );
}

/** An attribute whose type no fact can have yet is left out: what reads it cannot be lowered, and therefore denies. */
function declared(attribute: Attribute, zone: TimeZone, path: readonly string[], source: Fact['source']): Draft[] {
  return lowerable(
    () => [
      {
        path,
        type: factType(attribute.type),
        absent: absence(attribute, zone),
        failsClosed: true,
        source,
        span: attribute.span,
      },
    ],
    () => [],
  );
}

function budgetFacts(program: Program): Draft[] {
  const levels = [
    ...program.budgets.map((budget) => ({ ...budget, unit: 'micros' })),
    ...program.rates.map((rate) => ({ ...rate, unit: rate.limit.kind })),
  ];
  return levels.flatMap((budget) =>
    ['headroom', 'spent'].map((name): Draft => ({
      path: ['budget', budget.name, name],
      type: { kind: 'number', scale: 0, unit: budget.unit },
      absent: { kind: 'fails' },
      failsClosed: true,
      source: { kind: 'budget', budget: budget.name },
      span: budget.span,
    })),
  );
}

function splitOf(attribute: Attribute): { splitBy?: string } {
  const splitBy = attribute.source?.splitBy ?? null;
  return splitBy === null ? {} : { splitBy };
}

function absence(attribute: Attribute, zone: TimeZone): WhenAbsent {
  switch (attribute.absence.kind) {
    case 'required':
      return { kind: 'fails' };
    case 'optional':
      return { kind: 'unknown' };
    case 'else':
      return { kind: 'else', value: factValue(attribute.absence.value, attribute.type, zone) };
  }
}

/**
 * The run-time type of a declared type. Durations and times come as JSON numbers of seconds (as JWT's NumericDate, RFC
 * 7519 §2) and are milliseconds inside; money comes in units of the currency and is micro-units inside.
 */
export function factType(type: Type): Exclude<FactType, { kind: 'collection' }> {
  switch (type.kind) {
    case 'bool':
    case 'text':
    case 'date':
      return { kind: type.kind };
    case 'int':
      return { kind: 'number', scale: 0, unit: '' };
    case 'decimal':
      return { kind: 'number', scale: type.scale, unit: '' };
    case 'money':
      return { kind: 'number', scale: 6, unit: 'money' };
    case 'tokens':
    case 'bytes':
      return { kind: 'number', scale: 0, unit: type.kind };
    case 'duration':
      return { kind: 'number', scale: 3, unit: 'seconds' };
    case 'time':
      return { kind: 'number', scale: 3, unit: 'seconds since 1970' };
    case 'enum':
      return { kind: 'enum', enum: type.name };
    case 'set': {
      const element = factType(type.element);
      if (element.kind === 'enum') return { kind: 'enum_set', enum: element.enum };
      if (element.kind === 'text') return { kind: 'text_set' };
      throw new Unlowerable(`set of ${type.element.kind}`);
    }
    case 'content':
    case 'collection':
      throw new Unlowerable(type.kind);
  }
}

/**
 * A literal in canonical form: integers at the type's scale, members by name, sets sorted without doubles. `zone` is
 * the one in which written times are meant.
 */
export function factValue(value: Value, type: Type, zone: TimeZone): FactValue {
  switch (value.kind) {
    case 'bool':
    case 'int':
    case 'tokens':
    case 'bytes':
    case 'text':
      return value.value;
    case 'money':
      return value.micros;
    case 'duration':
      return value.milliseconds;
    case 'decimal':
      return value.digits * 10 ** ((type.kind === 'decimal' ? type.scale : value.scale) - value.scale);
    case 'member':
      return value.name;
    case 'set': {
      const element = type.kind === 'set' ? type.element : type;
      return [...new Set(value.elements.map((each) => String(factValue(each, element, zone))))].sort();
    }
    case 'time':
      return instantIn(zone, value.iso);
    case 'date':
      return dayNumber(value.iso);
  }
}

/** The enums that the plan needs besides the declared ones. */
export function builtinEnums(program: Program, detectors: readonly string[]): EnumType[] {
  return [
    { name: DETECTOR_ENUM, ordered: false, members: detectors },
    { name: MODEL_ENUM, ordered: false, members: program.models.map((model) => model.name) },
    { name: ROLE_ENUM, ordered: false, members: ROLES },
  ];
}
