/**
 * T_ENUMS, T_MODELS, T_STORES, T_TOOLS, T_BUDGETS, T_REDACTIONS and T_IDENTITIES: what the policy declares, by name. Layout:
 * filters/kernel/decision/layout.ts.
 */
import * as abi from '../../filters/kernel/abi.ts';
import * as layout from '../../filters/kernel/decision/layout.ts';
import { compareText } from '../plan/order.ts';
import { invariant } from '../plan/invariant.ts';
import { type RedactionMode, redactionName } from '../plan/redaction.ts';
import type { Counted } from '../plan/budget.ts';
import type { Budget, Plan, Store } from '../plan/plan.ts';
import { lengthPrefixed } from './length-prefixed.ts';
import type { TableWriter } from './table-writer.ts';

/** Who an API key or a certificate's SAN belongs to. */
export interface Identity {
  /** SHA-256 (hex, 64 digits) of the key's bytes, or of a zero and the SAN's bytes. */
  readonly sha256: string;
  /** Claims as a token would have them. */
  readonly claims: { readonly [claim: string]: unknown };
}

export function writeEnums(plan: Plan, writer: TableWriter): number {
  const enums = writer.reserve(4 + plan.enums.length * 8);
  writer.u32(enums, plan.enums.length);
  plan.enums.forEach((type, at) => writer.list(enums + 4 + at * 8, writer.texts(type.members), type.members.length));
  return enums;
}

export function writeModels(plan: Plan, writer: TableWriter): number {
  const records = writer.reserve(plan.models.length * layout.MODEL_BYTES);
  plan.models.forEach((model, at) => {
    const record = records + at * layout.MODEL_BYTES;
    writer.text(record + layout.MODEL_NAME, model.name);
    writer.text(record + layout.MODEL_WIRE_NAME, model.wireName);
    writer.text(record + layout.MODEL_PROVIDER, model.provider);
    writer.u64(record + layout.MODEL_INPUT_PRICE, BigInt(model.inputPrice));
    writer.u64(record + layout.MODEL_OUTPUT_PRICE, BigInt(model.outputPrice));
    writer.u64(record + layout.MODEL_MAX_OUTPUT, BigInt(model.maxOutput));
  });
  const byPrice = writer.block(Uint8Array.from(plan.byPrice));
  const models = writer.reserve(12);
  writer.list(models + layout.MODELS_RECORDS, records, plan.models.length);
  writer.u32(models + layout.MODELS_BY_PRICE, byPrice);
  return models;
}

/**
 * `metadata` are the key nodes of writeFacts; `filters` the addresses of the pushed-down filters' tables, 0 where a
 * store has none.
 */
export function writeStores(
  plan: Plan,
  metadata: readonly number[],
  filters: readonly number[],
  writer: TableWriter,
): number {
  const records = writer.reserve(plan.stores.length * layout.STORE_BYTES);
  plan.stores.forEach((store, at) => {
    const record = records + at * layout.STORE_BYTES;
    writer.text(record + layout.STORE_NAME, store.name);
    writer.text(record + layout.STORE_KIND, store.kind);
    writer.text(record + layout.STORE_COLLECTION, store.collection);
    writer.u32(record + layout.STORE_METADATA, metadata[at]!);
    writer.u32(record + layout.STORE_FILTER, filters[at] ?? 0);
    writer.u32(record + layout.STORE_CHUNKS, writeAllChunks(plan, store, writer));
  });
  const stores = writer.reserve(8);
  writer.list(stores, records, plan.stores.length);
  return stores;
}

/** 0 where no condition is over all chunks of the store. */
function writeAllChunks(plan: Plan, store: Store, writer: TableWriter): number {
  const all = plan.facts.find(({ source }) => source.kind === 'chunks' && source.store === store.name);
  if (all?.type.kind !== 'collection') return 0;
  const facts = all.type.fields.map(({ name }) => {
    const fact = store.facts.find((id) => plan.facts[id]!.path.at(-1) === name);
    invariant(fact !== undefined, `the store ${store.name} has no attribute ${name}`);
    return fact;
  });
  const words = [all.id, facts.length, ...facts];
  const address = writer.reserve(words.length * 4);
  words.forEach((word, i) => writer.u32(address + i * 4, word));
  return address;
}

/** `calls` are the key nodes of writeFacts. 0 where no call is decided. */
export function writeTools(plan: Plan, calls: readonly number[], writer: TableWriter): number {
  if (!plan.events.some(({ kind }) => kind === 'tool_call')) return 0;
  const records = writer.reserve(plan.tools.length * layout.TOOL_BYTES);
  plan.tools.forEach(({ name, pattern }, at) => {
    const record = records + at * layout.TOOL_BYTES;
    const isPrefix = pattern.endsWith('*');
    writer.text(record + layout.TOOL_NAME, name);
    writer.text(record + layout.TOOL_PATTERN, isPrefix ? pattern.slice(0, -1) : pattern);
    writer.u32(record + layout.TOOL_IS_PREFIX, isPrefix ? 1 : 0);
    writer.u32(record + layout.TOOL_ARGUMENTS, calls[at]!);
  });
  const tools = writer.reserve(8);
  writer.list(tools, records, plan.tools.length);
  return tools;
}

const REDACTION_KINDS: { readonly [K in RedactionMode['kind']]: number } = {
  placeholder: abi.REDACT_PLACEHOLDER,
  pseudonym: abi.REDACT_PSEUDONYM,
  year: abi.REDACT_YEAR,
  mask: abi.REDACT_MASK,
  remove: abi.REDACT_REMOVE,
};

export function writeRedactions(plan: Plan, writer: TableWriter): number {
  const records = writer.reserve(plan.redactions.length * layout.MODE_BYTES);
  plan.redactions.forEach((mode, at) => {
    const record = records + at * layout.MODE_BYTES;
    writer.u32(record + layout.MODE_KIND, REDACTION_KINDS[mode.kind]);
    writer.u32(record + layout.MODE_KEEPS, mode.kind === 'mask' ? mode.keepLast : 0);
    writer.text(record + layout.MODE_NAME, redactionName(mode, plan.facts));
    if (mode.kind !== 'pseudonym') return;
    const { path, source } = plan.facts[mode.forEach]!;
    writer.u32(record + layout.MODE_FACT, mode.forEach);
    writer.u32(record + layout.MODE_STAYS, source.kind === 'claim' ? 1 : 0);
    // What a pseudonym's hash begins with: what it is for, the policy, and PATH.
    const prefix = lengthPrefixed(['writ pseudonym 1', plan.policy, path.join('.')]);
    writer.list(record + layout.MODE_PREFIX, writer.block(prefix), prefix.length);
  });
  const redactions = writer.reserve(8);
  writer.list(redactions, records, plan.redactions.length);
  return redactions;
}

const PERIODS: { readonly [K in Budget['period']]: number } = {
  minute: layout.PERIOD_MINUTE,
  hour: layout.PERIOD_HOUR,
  day: layout.PERIOD_DAY,
  week: layout.PERIOD_WEEK,
  month: layout.PERIOD_MONTH,
  quarter: layout.PERIOD_QUARTER,
  year: layout.PERIOD_YEAR,
};

const COUNTS: { readonly [K in Counted]: number } = {
  requests: layout.COUNTS_REQUESTS,
  tokens: layout.COUNTS_TOKENS,
};

export function writeBudgets(plan: Plan, writer: TableWriter): number {
  const budgets = plan.events.flatMap((event) => (event.kind === 'prompt' ? event.budgets : []));
  const records = writer.reserve(budgets.length * layout.BUDGET_BYTES);
  budgets.forEach((budget, at) => {
    const record = records + at * layout.BUDGET_BYTES;
    writer.text(record + layout.BUDGET_NAME, budget.name);
    writer.text(record + layout.BUDGET_MESSAGE, budget.message);
    writer.text(record + layout.BUDGET_TIME_ZONE, budget.timeZone);
    writer.u64(record + layout.BUDGET_LIMIT, BigInt(budget.limit));
    writer.u32(record + layout.BUDGET_HEADROOM, budget.headroom);
    writer.u32(record + layout.BUDGET_SPENT, budget.spent);
    writer.u32(record + layout.BUDGET_PERIOD, PERIODS[budget.period]);
    if (budget.counts !== undefined) writer.u32(record + layout.BUDGET_COUNTS, COUNTS[budget.counts]);
    if (budget.each === undefined) return;
    writer.u32(record + layout.BUDGET_EACH, budget.each + 1);
    writer.text(record + layout.BUDGET_SALT, `writ account 1\0${plan.policy}\0${budget.name}\0`);
  });
  const table = writer.reserve(8);
  writer.list(table, records, budgets.length);
  return table;
}

export function writeIdentities(identities: readonly Identity[], writer: TableWriter): number {
  const sorted = identities.toSorted((a, b) => compareText(a.sha256, b.sha256));
  const records = writer.reserve(sorted.length * layout.IDENTITY_BYTES);
  sorted.forEach((identity, at) => {
    invariant(/^[0-9a-f]{64}$/.test(identity.sha256), 'an identity is named by a SHA-256 in lower-case hex');
    invariant(identity.sha256 !== sorted[at - 1]?.sha256, 'an identity is listed twice');
    const record = records + at * layout.IDENTITY_BYTES;
    for (let byte = 0; byte < 32; byte++)
      writer.u8(
        record + layout.IDENTITY_HASH + byte,
        Number.parseInt(identity.sha256.slice(byte * 2, byte * 2 + 2), 16),
      );
    writer.text(record + layout.IDENTITY_CLAIMS, JSON.stringify(identity.claims));
  });
  const table = writer.reserve(8);
  writer.list(table, records, sorted.length);
  return table;
}
