/**
 * The decision's input as a JSON Schema: which events, which facts under which keys, and which of them each event
 * needs. An input that the schema takes has no failed fact; one that it does not take is still decided, as
 * compiler/plan/decision.ts says.
 */
import { decidedEvents, type DecidedEvent } from '../plan/event-reads.ts';
import { type CollectionField, type Fact, type FactType, type Plan, SET_MEMBERS_MAX } from '../plan/plan.ts';
import { DIALECT, type JsonSchema } from './json-schema.ts';

export function inputSchema(plan: Plan): JsonSchema {
  const events = decidedEvents(plan);
  const read = new Set(events.flatMap((event) => event.reads));
  const facts = plan.facts.filter((fact) => read.has(fact.id));
  return {
    $schema: DIALECT,
    title: `Input of writ/decision for policy ${plan.policy}`,
    type: 'object',
    required: ['event'],
    properties: {
      event: { description: 'What is to be decided.', enum: [...new Set(events.map((event) => event.event))] },
      store: { description: "The store's name in the policy, for retrieval, chunk and ingest." },
      ...(plan.events.some(({ kind }) => kind === 'tool_call')
        ? { tool: { description: "The tool's name in the policy, for a call of one; null or absent for one of none." } }
        : {}),
      ...properties(plan, facts, 0),
    },
    allOf: events.map((event) => needs(plan, event, events)),
  };
}

/** The facts as nested objects, by their paths from a depth on. */
function properties(plan: Plan, facts: readonly Fact[], depth: number): { readonly [name: string]: JsonSchema } {
  const keys = [...new Set(facts.map((fact) => fact.path[depth]!))];
  return Object.fromEntries(
    keys.map((key) => {
      const under = facts.filter((fact) => fact.path[depth] === key);
      const [first] = under;
      if (first !== undefined && first.path.length === depth + 1) return [key, factSchema(plan, first)];
      return [key, { type: ['object', 'null'], properties: properties(plan, under, depth + 1) }];
    }),
  );
}

/** For one event: the store or tool that goes with it, and the facts that have no value to fall back on. */
function needs(plan: Plan, { event, store, tool, reads }: DecidedEvent, all: readonly DecidedEvent[]): JsonSchema {
  const required = reads.map((id) => plan.facts[id]!).filter((fact) => fact.absent.kind === 'fails');
  const stores = all
    .filter((each) => each.event === event)
    .flatMap((each) => (each.store === undefined ? [] : [each.store]));
  const ofEvent: JsonSchema = {
    properties: { event: { const: event }, ...(store === undefined ? {} : { store: { const: store } }) },
    required: store === undefined ? ['event'] : ['event', 'store'],
  };
  const needed = requiredAt(required, 0);
  if (tool !== undefined) return needsOfCall(tool, needed, all);
  if (store === undefined) return { if: ofEvent, then: needed };
  // The first of an event's stores also says which stores there are.
  const known: JsonSchema = { properties: { store: { enum: stores } }, required: ['store'] };
  return {
    allOf: [
      { if: ofEvent, then: needed },
      { if: { properties: { event: { const: event } }, required: ['event'] }, then: known },
    ],
  };
}

/** The call of no tool also says which tools there are. */
function needsOfCall(tool: string | null, needed: JsonSchema, all: readonly DecidedEvent[]): JsonSchema {
  const isCall: JsonSchema = { properties: { event: { const: 'tool_call' } }, required: ['event'] };
  if (tool !== null)
    return {
      if: { properties: { event: { const: 'tool_call' }, tool: { const: tool } }, required: ['event', 'tool'] },
      then: needed,
    };
  const tools = all.flatMap((each) => (each.tool === undefined ? [] : [each.tool]));
  return {
    allOf: [
      { if: { allOf: [isCall, { properties: { tool: { const: null } } }] }, then: needed },
      { if: isCall, then: { properties: { tool: { enum: tools } } } },
    ],
  };
}

function requiredAt(facts: readonly Fact[], depth: number): JsonSchema {
  const keys = [...new Set(facts.map((fact) => fact.path[depth]!))];
  if (keys.length === 0) return {};
  const nested = keys.map((key): readonly [string, JsonSchema] => {
    const under = facts.filter((fact) => fact.path[depth] === key);
    return [
      key,
      under.some((fact) => fact.path.length === depth + 1) ? {} : { type: 'object', ...requiredAt(under, depth + 1) },
    ];
  });
  return { required: keys, properties: Object.fromEntries(nested) };
}

function factSchema(plan: Plan, fact: Fact): JsonSchema {
  const schema = typeSchema(plan, fact.type);
  const described = { description: describe(fact), ...schema };
  return fact.absent.kind === 'fails'
    ? described
    : { description: described.description, anyOf: [schema, { type: 'null' }] };
}

/** The days of the calendar, YYYY-MM-DD. */
const DATE =
  '^([0-9]{4}-(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])' +
  '|[0-9]{4}-(0[469]|11)-(0[1-9]|[12][0-9]|30)' +
  '|[0-9]{4}-02-(0[1-9]|1[0-9]|2[0-8])' +
  '|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)$';

function typeSchema(plan: Plan, type: FactType): JsonSchema {
  switch (type.kind) {
    case 'bool':
      return { type: 'boolean' };
    case 'number': {
      // In whole units: the exact bound of a fraction is no double.
      const most = Math.floor(Number.MAX_SAFE_INTEGER / 10 ** type.scale);
      return {
        type: type.scale === 0 ? 'integer' : 'number',
        minimum: -most,
        maximum: most,
        ...(type.scale === 0 ? {} : { multipleOf: Number(`1e-${type.scale}`) }),
      };
    }
    case 'text':
      return { type: 'string' };
    case 'date':
      return { type: 'string', pattern: DATE };
    case 'enum':
      return { enum: membersOf(plan, type.enum) };
    case 'text_set':
      return { type: 'array', items: { type: 'string' }, maxItems: SET_MEMBERS_MAX };
    case 'enum_set':
      return { type: 'array', items: { enum: membersOf(plan, type.enum) }, maxItems: SET_MEMBERS_MAX };
    case 'collection':
      return {
        type: 'array',
        maxItems: type.most,
        items: {
          type: 'object',
          required: type.fields.flatMap((field) => (field.optional ? [] : [field.name])),
          properties: Object.fromEntries(
            type.fields.map((field: CollectionField) => {
              const schema = typeSchema(plan, field.type);
              return [field.name, field.optional ? { anyOf: [schema, { type: 'null' }] } : schema];
            }),
          ),
        },
      };
  }
}

function describe({ source, type, absent }: Fact): string {
  const from = {
    builtin: 'Read from the wire',
    claim: 'From the verified identity',
    metadata: 'From the metadata of the store',
    chunks: "All chunks of the store's answer, before any is withheld",
    argument: 'From the arguments of the call',
    budget: "The budget's level",
    list: 'Whether the list has it, as its feed says',
    switch: 'Whether the switch is on, as its feed says',
  }[source.kind];
  const unit = type.kind === 'number' && type.unit !== '' ? `, in ${type.unit}` : '';
  const otherwise = { fails: '', unknown: '; may be absent', else: '; has a value where absent' }[absent.kind];
  return `${from}${unit}${otherwise}.`;
}

function membersOf(plan: Plan, name: string): readonly string[] {
  return plan.enums.find((each) => each.name === name)?.members ?? [];
}
