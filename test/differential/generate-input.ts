/**
 * Random input documents for a plan: mostly whole and plausible, some with one fact absent, wrong or at a limit, a few
 * that are no inputs at all.
 */
import {
  type CollectionField,
  type EventPlan,
  type Fact,
  type FactType,
  type Plan,
  SET_MEMBERS_MAX,
} from '../../compiler/plan/plan.ts';
import { numberNear } from './generate-condition.ts';
import { DATES, INSTANTS, TEXTS, TIME_UNIT } from './generate-facts.ts';
import type { Random } from './random.ts';

export function generateInput(plan: Plan, random: Random): unknown {
  if (random.chance(0.02))
    return random.pick([
      null,
      3,
      [],
      'prompt',
      {},
      { event: ['prompt'] },
      { event: 'retrieval' },
      { event: 'chunk', store: 'nowhere' },
      { event: 'ingest', store: 1 },
      { event: 'tool_call', tool: 'nothing' },
      { event: 'tool_call', tool: 7 },
    ]);
  const event = pickEvent(plan, random);
  if (event === undefined) return { event: 'prompt' };
  const input: { [key: string]: unknown } = {
    event: event.kind === 'retrieval' ? random.weighted({ retrieval: 1, chunk: 4 }) : event.kind,
  };
  if ('store' in event) input['store'] = event.store;
  if ('tool' in event) {
    if (event.tool !== null) input['tool'] = event.tool;
    else if (random.chance(0.3)) input['tool'] = null;
    if (random.chance(0.03)) input['tool'] = random.pick(['nowhere', 'pay', 7, [], {}]);
  }
  const readable = plan.facts.filter(
    (fact) =>
      (fact.path[0] !== 'chunk' || ('store' in event && fact.path[1] === event.store)) &&
      (fact.source.kind !== 'chunks' || ('store' in event && fact.source.store === event.store)) &&
      (fact.path[0] !== 'argument' || ('tool' in event && fact.path[1] === event.tool)),
  );
  // Most failures should stand alone, so that what one failure does can be seen.
  const collections = readable.filter((fact) => fact.type.kind === 'collection');
  const broken = random.chance(0.3)
    ? random.pick(collections.length > 0 && random.chance(0.2) ? collections : readable).id
    : undefined;
  for (const fact of readable) {
    const value = fact.id === broken ? wrongValue(plan, fact, random) : rightValue(plan, fact, random);
    if (value !== undefined) put(input, fact.path, value);
  }
  if (event.kind === 'prompt' && random.chance(0.15)) loseLevels(plan, input, random);
  if (random.chance(0.03)) input[random.pick(readable).path[0]!] = random.pick([null, 7, [], 'x', false]);
  return input;
}

function pickEvent(plan: Plan, random: Random): EventPlan | undefined {
  const kind = random.weighted({
    prompt: 9,
    completion: 2,
    tool_call: 1,
    retrieval: 5,
    ingest: 1,
    egress: 1,
    exchange: 1,
  });
  const events = plan.events.filter((event) => event.kind === kind);
  return events.length > 0 ? random.pick(events) : plan.events[0];
}

function put(input: { [key: string]: unknown }, path: readonly string[], value: unknown): void {
  let at = input;
  for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as { [key: string]: unknown };
  at[path.at(-1)!] = value;
}

/** No level of one budget is known, as when no lease could be had. */
function loseLevels(plan: Plan, input: { [key: string]: unknown }, random: Random): void {
  const levels = plan.facts.filter((fact) => fact.source.kind === 'budget');
  if (levels.length === 0) return;
  const [, lost] = random.pick(levels).path;
  for (const { path } of levels) if (path[1] === lost) put(input, path, random.pick([null, 'none']));
}

/** undefined where the key is left out. */
function rightValue(plan: Plan, fact: Fact, random: Random): unknown {
  if (fact.absent.kind !== 'fails' && random.chance(0.2)) return random.chance(0.5) ? undefined : null;
  const path = fact.path.join('.');
  switch (path) {
    case 'prompt.requested_model':
      return random.chance(0.08)
        ? 'nobody'
        : random.pick(['auto', 'best', ...plan.models.flatMap((model) => [model.wireName, model.wireName])]);
    case 'prompt.input_tokens_bound':
    case 'prompt.tokens_estimate':
      return random.chance(0.04)
        ? random.pick([-3, 0, 9_007_199_254_740_991])
        : random.pick([1, 5, 40, 40, 40, 300, 900, 5_000]);
    case 'prompt.output_tokens':
      return random.chance(0.04)
        ? random.pick([-1, 0, 9_007_199_254_740_991])
        : random.pick([8, 50, 50, 64, 100, 200, 900]);
    case 'prompt.choices':
      return random.chance(0.04) ? random.pick([0, -1, 4_000_000_000_000]) : random.pick([1, 1, 1, 2, 5]);
  }
  if (fact.source.kind === 'budget')
    return fact.path[2] === 'spent'
      ? random.pick([0, 499, 500, 949, 950, 4_000, 4_750, 800_000])
      : random.pick([-5, 0, 1, 400, 501, 4_000, 4_000, 1_000_000, 1_000_000, 9_007_199_254_740_991]);
  return valueOf(plan, fact.type, random);
}

function valueOf(plan: Plan, type: FactType, random: Random): unknown {
  switch (type.kind) {
    case 'bool':
      return random.chance(0.5);
    case 'number': {
      if (type.unit === TIME_UNIT) return timeNear(plan, random);
      const { numbers } = constantsOf(plan);
      const scaled =
        numbers.length > 0 && random.chance(0.3)
          ? random.pick(numbers) + random.int(-1, 1)
          : numberNear(random, type.scale);
      return Number(`${scaled}e-${type.scale}`);
    }
    case 'text':
      return random.pick(textsFor(plan));
    case 'date':
      return random.pick(DATES);
    case 'enum':
      return random.pick(membersOf(plan, type.enum));
    case 'text_set':
      return subset(textsFor(plan), random);
    case 'enum_set':
      return subset(membersOf(plan, type.enum), random);
    case 'collection':
      return Array.from({ length: random.weighted({ 1: 4, 2: 4, 0: 1, 3: 1 }) as unknown as number }, () =>
        Object.fromEntries(
          type.fields.flatMap((field: CollectionField) => {
            if (!field.optional || random.chance(0.6)) return [[field.name, valueOf(plan, field.type, random)]];
            return random.chance(0.5) ? [] : [[field.name, null]];
          }),
        ),
      );
  }
}

/** Seconds: where hours begin or end, at a change of clocks, in the weeks around one, or about 1970. */
function timeNear({ hours, zones }: Plan, random: Random): number {
  const edges = hours.flatMap(({ zone, spans }) =>
    spans.flatMap(({ start, end }) => [start, end]).map((minute) => ({ minute, offsets: zones[zone]!.offsets })),
  );
  const kind = random.weighted({ edge: edges.length > 0 ? 12 : 0, week: 3, change: 3, epoch: 1 });
  if (kind === 'epoch') return random.int(-20, 20) / 1_000;
  const around = random.pick(INSTANTS);
  if (kind === 'edge') {
    const { minute, offsets } = random.pick(edges);
    const monday = random.pick([Date.UTC(2026, 5, 29), Date.UTC(2026, 10, 30), Date.UTC(1969, 11, 29)]);
    const local = monday + minute * 60_000 + random.pick([-1, 0, 0, 59_999]);
    return Number(`${local - random.pick(offsets).minutes * 60_000}e-3`);
  }
  const instant = around + (kind === 'week' ? random.int(-30_000, 30_000) * 60_000 : random.int(-2, 2));
  return Number(`${instant}e-3`);
}

/** In no order, sometimes with a double. */
function subset(members: readonly string[], random: Random): readonly string[] {
  const some = random.some(members, random.pick([0.15, 0.4, 0.8])).map((member) => ({ member, at: random.int(0, 99) }));
  const shuffled = some.sort((a, b) => a.at - b.at).map(({ member }) => member);
  return shuffled.length > 0 && random.chance(0.2) ? [...shuffled, shuffled[0]!] : shuffled;
}

/** What is nearly a day of the calendar. */
const NO_DATES = [
  '2026-02-29',
  '1900-02-29',
  '2026-04-31',
  '2026-13-01',
  '2026-00-10',
  '2026-01-00',
  '26-01-01',
  '2026-1-1',
  '2026-01-01T00:00',
  '+002026-01-01',
  '-001-01-01',
  '２０２６-01-01',
  20_454,
] as const;

/** A value that fails, or is absent, or is barely right. */
function wrongValue(plan: Plan, fact: Fact, random: Random): unknown {
  if (fact.type.kind === 'date' && random.chance(0.6)) return random.pick(NO_DATES);
  if (random.chance(0.4)) return random.pick([undefined, null]);
  if (random.chance(0.3)) return random.pick([true, 1.5, 'x', [null], [1], {}, { value: 1 }, ['eu', 3], [[]], '']);
  const { type } = fact;
  switch (type.kind) {
    case 'bool':
      return random.pick([0, 'true', []]);
    case 'number':
      return random.pick([
        Number.MAX_SAFE_INTEGER,
        Number.MAX_SAFE_INTEGER + 1,
        -Number.MAX_SAFE_INTEGER - 1,
        1e300,
        0.1,
        0.1 + 0.2,
        1e-7,
        -0.001,
        9_007_199_254.740991,
        9_007_199_254.740993,
        123_456_789.012345,
        1.0000000000000002,
        '1',
      ]);
    case 'text':
      return random.pick([1, ['x'], {}]);
    case 'date':
      return random.pick(NO_DATES);
    case 'enum':
      return random.pick(['', 'EU', 'eu ', 0, ['eu']]);
    case 'text_set':
      return random.pick([
        Array.from({ length: SET_MEMBERS_MAX }, (_, at) => `g${at}`),
        Array.from({ length: SET_MEMBERS_MAX + 1 }, () => 'u1'),
        'u1',
        ['u1', 2],
        { u1: true },
      ]);
    case 'enum_set': {
      const [member] = membersOf(plan, type.enum);
      return random.pick([
        Array.from({ length: SET_MEMBERS_MAX }, () => member),
        Array.from({ length: SET_MEMBERS_MAX + 1 }, () => member),
        [member, 'other'],
        member,
      ]);
    }
    case 'collection': {
      const element = Object.fromEntries(type.fields.map((field) => [field.name, valueOf(plan, field.type, random)]));
      const field = random.pick(type.fields);
      const without = Object.fromEntries(Object.entries(element).filter(([name]) => name !== field.name));
      return random.pick([
        Array.from({ length: type.most }, () => element),
        Array.from({ length: type.most + 1 }, () => element),
        [element, without],
        [{ ...element, [field.name]: null }],
        [{ ...element, [field.name]: wrongValue(plan, { ...fact, type: field.type }, random) ?? null }],
        [element, 3],
        element,
        [{ ...element, more: 1 }],
      ]);
    }
  }
}

/** Constants of the plan's conditions: what inputs must be equal or near to for a condition to turn. */
interface Constants {
  readonly texts: readonly string[];
  readonly numbers: readonly number[];
}

const known = new WeakMap<Plan, Constants>();

function constantsOf(plan: Plan): Constants {
  const constants = known.get(plan) ?? collected(plan);
  known.set(plan, constants);
  return constants;
}

function collected(plan: Plan): Constants {
  const texts = new Set<string>();
  const numbers = new Set<number>();
  JSON.stringify(plan.events, (_, node: { readonly kind?: unknown; readonly value?: unknown } | null) => {
    if (node?.kind === 'text' && typeof node.value === 'string') texts.add(node.value);
    if (node?.kind === 'number' && typeof node.value === 'number') numbers.add(node.value);
    return node;
  });
  return { texts: [...texts], numbers: [...numbers] };
}

function textsFor(plan: Plan): readonly string[] {
  return [...new Set([...TEXTS, ...constantsOf(plan).texts])];
}

function membersOf(plan: Plan, name: string): readonly string[] {
  return plan.enums.find((each) => each.name === name)!.members;
}
