/**
 * Lists and switches: which of them conditions mention, and the bool facts that say whether a value is in a list or a
 * switch is on. What depends on a model is asked for each model of the catalog, and what is a member of an enum for each
 * member, so that every question to a list is about one value or one fact.
 */
import type { AttributeRef, Condition, List, Program, ScalarType, Type } from '../../dsl/program.ts';
import type { TimeZone } from '../../dsl/time-zone.ts';
import type { FactValue, ListUse, SwitchUse } from '../plan/plan.ts';
import {
  argumentPath,
  CALL_NAME_PATH,
  chunkPath,
  factType,
  factValue,
  type ListQuestion,
  NOW_PATH,
} from './fact-table.ts';
import type { LoweredHours } from './hours.ts';

export interface LoweredFeeds {
  readonly lists: readonly ListUse[];
  readonly switches: readonly SwitchUse[];
  /** Each is a fact. */
  readonly questions: readonly ListQuestion[];
}

export function lowerFeeds(program: Program, zone: TimeZone, calendar: LoweredHours): LoweredFeeds {
  const { lists, switches } = mentioned(program);
  return {
    lists: program.lists
      .filter(({ name }) => lists.has(name))
      .map(({ name, element, feed, maxAgeMilliseconds, maxEntries }) => ({
        name,
        element: elementText(element),
        feed,
        maxAgeMs: maxAgeMilliseconds,
        most: maxEntries,
      })),
    switches: program.switches
      .filter(({ name }) => switches.has(name))
      .map(({ name, title, by, maxMilliseconds }) => ({ name, title, by, maxMs: maxMilliseconds })),
    questions: questionsOf(program, zone, calendar),
  };
}

/** Every question that conditions put to lists. */
function questionsOf(program: Program, zone: TimeZone, calendar: LoweredHours): readonly ListQuestion[] {
  const drafts = new Map<string, ListQuestion>();
  const add = (list: string, draft: Omit<ListQuestion, 'list'>): void => {
    drafts.set(draft.path.join('.'), { list, ...draft });
  };
  visitConditions(program, (condition) => {
    if (condition.kind === 'inList') {
      const list = program.lists.find(({ name }) => name === condition.list)!;
      for (const draft of questions(condition.attribute, list, program, zone)) add(list.name, draft);
    } else if (condition.kind === 'inHours') {
      const hours = program.hours.find(({ name }) => name === condition.hours);
      if (hours === undefined || hours.except === null) return;
      const at = calendar.zones.findIndex(({ name }) => name === hours.timeZone);
      for (const path of factPaths(condition.attribute, program))
        add(hours.except, {
          path: dayFactPath(hours.except, hours.timeZone, path),
          of: { kind: 'day', path, zone: at },
        });
      for (const value of modelValues(condition.attribute, program, zone)) {
        const day = dayIn(calendar, at, Number(value));
        add(hours.except, { path: valueFactPath(hours.except, day), of: { kind: 'value', value: day } });
      }
    }
  });
  return [...drafts.values()];
}

/** Whether the fact's value is in the list: `list.erased.chunk.hr_docs.subject`. */
export function listFactPath(list: string, path: string): readonly string[] {
  return ['list', list, ...path.split('.')];
}

export function valueFactPath(list: string, value: FactValue): readonly string[] {
  return ['list', list, 'value', String(value)];
}

export function dayFactPath(list: string, zone: string, path: string): readonly string[] {
  return ['list', list, 'day_in', zone, ...path.split('.')];
}

/** As `ListUse.element` says. */
export function elementText(type: ScalarType): string {
  const fact = factType(type);
  switch (fact.kind) {
    case 'enum':
      return `enum ${fact.enum}`;
    case 'number':
      return `number ${fact.scale} ${fact.unit}`.trimEnd();
    default:
      return fact.kind;
  }
}

/** Days since 1970-01-01 on which the instant falls in a zone of the plan. */
export function dayIn({ zones }: Pick<LoweredHours, 'zones'>, zone: number, time: number): number {
  const { offsets } = zones[zone]!;
  const { minutes } = offsets.findLast(({ from }) => from <= time) ?? offsets[0]!;
  return Math.floor((Math.floor(time / 60_000) + minutes) / 1_440);
}

function questions(
  attribute: AttributeRef,
  list: List,
  program: Program,
  zone: TimeZone,
): Omit<ListQuestion, 'list'>[] {
  const ofValue = (value: FactValue): Omit<ListQuestion, 'list'> => ({
    path: valueFactPath(list.name, value),
    of: { kind: 'value', value },
  });
  if (attribute.root === 'model') return modelValues(attribute, program, zone).map(ofValue);
  return [
    ...factPaths(attribute, program).map((path): Omit<ListQuestion, 'list'> => ({
      path: listFactPath(list.name, path),
      of: { kind: 'fact', path },
    })),
    ...(isAskedByMember(attribute) ? membersOf(attribute.type, program).map(ofValue) : []),
  ];
}

/**
 * Whether the condition asks for each member of an enum: of an element of a collection, and of classifications, which a
 * decision computes itself.
 */
function isAskedByMember({ root, name, type }: AttributeRef): boolean {
  const isClass = (root === 'prompt' || root === 'completion') && /^(sent_)?classification$/.test(name);
  return type.kind === 'enum' && (root === 'variable' || isClass);
}

function membersOf(type: Type, program: Program): readonly string[] {
  return type.kind === 'enum' ? (program.enums.find(({ name }) => name === type.name)?.members ?? []) : [];
}

/** Paths of the facts that the attribute may be: a chunk's has one in each store that declares it so. */
function factPaths(attribute: AttributeRef, program: Program): readonly string[] {
  if (attribute.root === 'model' || attribute.root === 'variable') return [];
  if (attribute.root === 'now') return [NOW_PATH];
  const declares = ({ attributes }: { readonly attributes: readonly Pick<AttributeRef, 'name' | 'type'>[] }): boolean =>
    attributes.some(
      ({ name, type }) => name === attribute.name && JSON.stringify(type) === JSON.stringify(attribute.type),
    );
  if (attribute.root === 'tool')
    return attribute.declared === null
      ? [CALL_NAME_PATH]
      : program.tools.filter(declares).map((tool) => argumentPath(tool.name, attribute.name));
  if (attribute.root !== 'chunk') return [`${attribute.root}.${attribute.name}`];
  return program.stores.filter(declares).map((store) => chunkPath(store.name, attribute.name));
}

/** What the attribute is at each model, without doubles. */
function modelValues(attribute: AttributeRef, program: Program, zone: TimeZone): FactValue[] {
  if (attribute.root !== 'model') return [];
  const values = program.models.map((model) => {
    const declared = model.attributes.find(({ name }) => name === attribute.name);
    return declared === undefined ? ownOf(model, attribute.name) : factValue(declared.value, attribute.type, zone);
  });
  return [...new Set(values.filter((value) => value !== undefined))];
}

/** What every model has beside its declared attributes. */
export function ownOf(model: Program['models'][number], name: string): FactValue | undefined {
  const own: { readonly [name: string]: FactValue } = {
    name: model.name,
    provider: model.provider,
    context: model.contextTokens,
    max_output: model.maxOutputTokens,
  };
  return own[name];
}

function mentioned(program: Program): { readonly lists: ReadonlySet<string>; readonly switches: ReadonlySet<string> } {
  const lists = new Set<string>();
  const switches = new Set<string>();
  visitConditions(program, (condition) => {
    if (condition.kind === 'inList') lists.add(condition.list);
    if (condition.kind === 'switch') switches.add(condition.switch);
    if (condition.kind !== 'inHours') return;
    const except = program.hours.find(({ name }) => name === condition.hours)?.except;
    if (except != null) lists.add(except);
  });
  return { lists, switches };
}

type Mention = Extract<Condition, { kind: 'inList' | 'inHours' | 'switch' }>;
const MENTIONS: ReadonlySet<unknown> = new Set(['inList', 'inHours', 'switch']);

/** Every such condition, wherever it stands. */
function visitConditions(program: Program, visit: (condition: Mention) => void): void {
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(walk);
    else if (typeof node === 'object' && node !== null) {
      if ('kind' in node && MENTIONS.has(node.kind) && 'span' in node) visit(node as Mention);
      Object.values(node).forEach(walk);
    }
  };
  const { rules, classifications, budgets, rates, routes, waivers, guarantees, delegations } = program;
  walk([rules, classifications, budgets, rates, routes, waivers, guarantees, delegations]);
}
