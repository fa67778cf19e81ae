/**
 * T_FACTS and T_BUILTIN_SLOTS: which JSON keys lead to which facts, of which type, and what an absent value becomes.
 * Layout: filters/kernel/decision/layout.ts.
 */
import * as abi from '../../filters/kernel/abi.ts';
import * as layout from '../../filters/kernel/decision/layout.ts';
import type { Fact, FactId, FactType, FactValue, Plan } from '../plan/plan.ts';
import { invariant } from '../plan/invariant.ts';
import type { TableWriter } from './table-writer.ts';

/** A JSON object's keys. `event`, `store` and `tool` stand at the top of the decision's input only. */
type Node = Map<
  string,
  | { readonly kind: 'node'; readonly node: Node }
  | { readonly kind: 'facts'; readonly facts: FactId[] }
  | { readonly kind: 'event' | 'store' | 'tool' }
>;

export interface FactTables {
  readonly facts: number;
  readonly builtinSlots: number;
  /** Node of the metadata of each store's chunks. */
  readonly metadata: readonly number[];
  /** Node of each tool's arguments. */
  readonly calls: readonly number[];
}

export function writeFacts(plan: Plan, writer: TableWriter): FactTables {
  const records = writer.reserve(plan.facts.length * layout.FACT_RECORD_BYTES);
  plan.facts.forEach((fact, at) => writeFact(plan, fact, records + at * layout.FACT_RECORD_BYTES, writer));
  const tracked = { count: 0 };
  const input = writeNode(inputNode(plan), writer, tracked);
  const claims = writeNode(
    keyNode(plan, (fact) => (fact.source.kind === 'claim' ? fact.source.claim : undefined)),
    writer,
    tracked,
  );
  const metadata = plan.stores.map((store) =>
    writeNode(
      keyNode(plan, (fact) =>
        fact.source.kind === 'metadata' && fact.source.store === store.name ? fact.source.key : undefined,
      ),
      writer,
      tracked,
    ),
  );
  const calls = plan.tools.map((tool) =>
    writeNode(
      keyNode(plan, (fact) =>
        fact.source.kind === 'argument' && fact.source.tool === tool.name ? fact.source.key : undefined,
      ),
      writer,
      tracked,
    ),
  );
  const facts = writer.reserve(20);
  writer.list(facts + layout.FACTS_RECORDS, records, plan.facts.length);
  writer.u32(facts + layout.FACTS_INPUT, input);
  writer.u32(facts + layout.FACTS_CLAIMS, claims);
  writer.u32(facts + layout.FACTS_NODES, tracked.count);
  return { facts, builtinSlots: writeBuiltinSlots(plan, writer), metadata, calls };
}

// --------------------------------------------------------------------------------------------------------------------
// keys

function inputNode(plan: Plan): Node {
  const root: Node = new Map([
    ['event', { kind: 'event' }],
    ['store', { kind: 'store' }],
    ...(plan.events.some(({ kind }) => kind === 'tool_call') ? [['tool', { kind: 'tool' }] as const] : []),
  ]);
  for (const fact of plan.facts) {
    let node = root;
    for (const key of fact.path.slice(0, -1)) {
      const entry = node.get(key) ?? { kind: 'node', node: new Map() };
      invariant(entry.kind === 'node', `the path of the fact ${fact.path.join('.')} leads through another fact`);
      node.set(key, entry);
      node = entry.node;
    }
    const last = fact.path.at(-1)!;
    invariant(!node.has(last), `the fact ${fact.path.join('.')} stands at a place that is taken`);
    node.set(last, { kind: 'facts', facts: [fact.id] });
  }
  return root;
}

/** One key may feed several facts. */
function keyNode(plan: Plan, keyOf: (fact: Fact) => string | undefined): Node {
  const node: Node = new Map();
  for (const fact of plan.facts) {
    const key = keyOf(fact);
    if (key === undefined) continue;
    const entry = node.get(key);
    if (entry?.kind === 'facts') entry.facts.push(fact.id);
    else node.set(key, { kind: 'facts', facts: [fact.id] });
  }
  return node;
}

const OF_DOCUMENT = { event: layout.ENTRY_EVENT, store: layout.ENTRY_STORE, tool: layout.ENTRY_TOOL } as const;

function writeNode(node: Node, writer: TableWriter, tracked: { count: number }): number {
  const entries = [...node].map(([key, entry]) => {
    if (entry.kind === 'node') return { key, kind: layout.ENTRY_NODE, target: writeNode(entry.node, writer, tracked) };
    if (entry.kind === 'facts')
      return { key, kind: layout.ENTRY_FACTS, target: writeWords([entry.facts.length, ...entry.facts], writer) };
    return { key, kind: OF_DOCUMENT[entry.kind], target: 0 };
  });
  const address = writer.reserve(layout.NODE_HEAD_BYTES + entries.length * layout.ENTRY_BYTES);
  writer.u32(address + layout.NODE_COUNT, entries.length);
  writer.u32(address + layout.NODE_TRACK, tracked.count++);
  entries.forEach(({ key, kind, target }, at) => {
    const entry = address + layout.NODE_HEAD_BYTES + at * layout.ENTRY_BYTES;
    writer.text(entry + layout.ENTRY_KEY, key);
    writer.u32(entry + layout.ENTRY_KIND, kind);
    writer.u32(entry + layout.ENTRY_TARGET, target);
  });
  return address;
}

function writeWords(words: readonly number[], writer: TableWriter): number {
  const address = writer.reserve(words.length * 4);
  words.forEach((word, at) => writer.u32(address + at * 4, word));
  return address;
}

// -------------------------------------------------------------------------------------------------------------------
// types

function writeFact(plan: Plan, fact: Fact, record: number, writer: TableWriter): void {
  writeType(plan, fact.type, record + layout.FACT_TYPE, writer);
  writer.u8(
    record + layout.FACT_ABSENT,
    { fails: layout.ABSENT_FAILS, unknown: layout.ABSENT_UNKNOWN, else: layout.ABSENT_ELSE }[fact.absent.kind],
  );
  if ('splitBy' in fact.source && fact.source.splitBy !== undefined) {
    invariant(fact.source.splitBy !== '', `the fact ${fact.path.join('.')} is split by nothing`);
    writer.text(record + layout.FACT_SPLIT, fact.source.splitBy);
  }
  if (fact.absent.kind === 'else')
    writer.u32(record + layout.FACT_DEFAULT, writeSlot(plan, fact.type, fact.absent.value, writer));
}

const KINDS: { readonly [K in FactType['kind']]: number } = {
  bool: layout.KIND_BOOL,
  number: layout.KIND_NUMBER,
  text: layout.KIND_TEXT,
  date: layout.KIND_DATE,
  enum: layout.KIND_ENUM,
  text_set: layout.KIND_TEXT_SET,
  enum_set: layout.KIND_ENUM_SET,
  collection: layout.KIND_COLLECTION,
};

function writeType(plan: Plan, type: FactType, address: number, writer: TableWriter): void {
  writer.u8(address + layout.TYPE_KIND, KINDS[type.kind]);
  if (type.kind === 'number') writer.u8(address + layout.TYPE_SCALE, type.scale);
  if (type.kind === 'enum' || type.kind === 'enum_set') writer.u16(address + layout.TYPE_ENUM, enumAt(plan, type.enum));
  if (type.kind !== 'collection') return;
  const fields = writer.reserve(layout.FIELDS_HEAD_BYTES + type.fields.length * layout.FIELD_BYTES);
  writer.u32(fields + layout.FIELDS_COUNT, type.fields.length);
  writer.u32(fields + layout.FIELDS_MOST, type.most);
  type.fields.forEach((field, at) => {
    const place = fields + layout.FIELDS_HEAD_BYTES + at * layout.FIELD_BYTES;
    writeType(plan, field.type, place + layout.FIELD_TYPE, writer);
    writer.text(place + layout.FIELD_NAME, field.name);
    writer.u32(place + layout.FIELD_OPTIONAL, field.optional ? 1 : 0);
  });
  writer.u32(address + layout.TYPE_FIELDS, fields);
}

export function enumAt(plan: Plan, name: string): number {
  const at = plan.enums.findIndex((type) => type.name === name);
  invariant(at >= 0, `the enum ${name} is not in the plan`);
  return at;
}

/** A known slot that holds a value in canonical form. */
function writeSlot(plan: Plan, type: FactType, value: FactValue, writer: TableWriter): number {
  const slot = writer.reserve(abi.SLOT_BYTES);
  writer.u8(slot + abi.SLOT_STATE, abi.FACT_KNOWN);
  const member = (name: string) => {
    const at = 'enum' in type ? (plan.enums[enumAt(plan, type.enum)]?.members.indexOf(name) ?? -1) : -1;
    invariant(at >= 0, `the default ${name} is no member of its enum`);
    return at;
  };
  if (Array.isArray(value) && (type.kind === 'text_set' || type.kind === 'collection')) {
    invariant(type.kind === 'text_set' || value.length === 0, "a collection's default is empty");
    writer.u32(slot + abi.SLOT_AUX, value.length);
    writer.u64(slot + abi.SLOT_VALUE, BigInt(writer.texts(value)));
  } else if (Array.isArray(value)) {
    const bits = value.reduce((sum: bigint, name: string) => sum | (1n << BigInt(member(name))), 0n);
    writer.u64(slot + abi.SLOT_VALUE, BigInt.asUintN(64, bits));
    writer.u64(slot + abi.SLOT_VALUE2, bits >> 64n);
  } else if (typeof value === 'string' && type.kind === 'text') {
    const text = writer.intern(value);
    writer.u32(slot + abi.SLOT_AUX, text.bytes);
    writer.u64(slot + abi.SLOT_VALUE, BigInt(text.address));
  } else if (typeof value === 'string') writer.u64(slot + abi.SLOT_VALUE, BigInt(member(value)));
  else writer.u64(slot + abi.SLOT_VALUE, BigInt(Number(value)));
  return slot;
}

// -----------------------------------------------------------------------------------------------------------------
// builtins

/** Dotted paths of the built-in facts, by their FACT_* number. */
export const BUILTIN_PATHS: { readonly [path: string]: number } = {
  'prompt.requested_model': abi.FACT_PROMPT_REQUESTED_MODEL,
  'prompt.input_tokens_bound': abi.FACT_PROMPT_INPUT_TOKENS_BOUND,
  'prompt.tokens_estimate': abi.FACT_PROMPT_TOKENS_ESTIMATE,
  'prompt.output_tokens': abi.FACT_PROMPT_OUTPUT_TOKENS,
  'prompt.choices': abi.FACT_PROMPT_CHOICES,
  'prompt.complexity': abi.FACT_PROMPT_COMPLEXITY,
  'prompt.bytes': abi.FACT_PROMPT_BYTES,
  'prompt.stream': abi.FACT_PROMPT_STREAM,
  'prompt.tools': abi.FACT_PROMPT_TOOLS,
  'prompt.messages': abi.FACT_PROMPT_MESSAGES,
  'prompt.classification': abi.FACT_PROMPT_CLASSIFICATION,
  'prompt.receipts': abi.FACT_PROMPT_RECEIPTS,
  'model.chosen': abi.FACT_MODEL_CHOSEN,
  'text.found': abi.FACT_TEXT_FOUND,
  'text.found_restored': abi.FACT_TEXT_FOUND_RESTORED,
  'completion.tokens': abi.FACT_COMPLETION_TOKENS,
  'completion.finish_reason': abi.FACT_COMPLETION_FINISH_REASON,
  'completion.tool_calls': abi.FACT_COMPLETION_TOOL_CALLS,
  'completion.classification': abi.FACT_COMPLETION_CLASSIFICATION,
  'call.name': abi.FACT_CALL_NAME,
  'retrieval.limit': abi.FACT_RETRIEVAL_LIMIT,
  now: abi.FACT_NOW,
  'egress.host': abi.FACT_EGRESS_HOST,
  'exchange.draw': abi.FACT_EXCHANGE_DRAW,
};

function writeBuiltinSlots(plan: Plan, writer: TableWriter): number {
  const slots = writer.reserve(abi.BUILTIN_FACTS * 2);
  for (let at = 0; at < abi.BUILTIN_FACTS; at++) writer.u16(slots + at * 2, abi.NO_SLOT);
  for (const fact of plan.facts) {
    const builtin = fact.source.kind === 'builtin' ? BUILTIN_PATHS[fact.path.join('.')] : undefined;
    if (builtin !== undefined) writer.u16(slots + builtin * 2, fact.id);
  }
  return slots;
}
