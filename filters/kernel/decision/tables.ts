/** Reading the policy's tables: names, schemas and amounts. What a rule means is code, never a table. */
import {
  NO_SLOT,
  T_BUDGETS,
  T_BUILTIN_SLOTS,
  T_ENUMS,
  T_FACTS,
  T_IDENTITIES,
  T_MODELS,
  T_REDACTIONS,
  T_STORES,
  T_TOOLS,
} from '../abi';
import { tables } from '../policy';
import {
  BUDGET_BYTES,
  FACT_RECORD_BYTES,
  FACT_TYPE,
  FACTS_RECORDS,
  FIELD_BYTES,
  FIELD_NAME,
  FIELDS_COUNT,
  FIELDS_HEAD_BYTES,
  IDENTITY_BYTES,
  IDENTITY_CLAIMS,
  KIND_COLLECTION,
  KIND_ENUM,
  MODE_BYTES,
  MODEL_BYTES,
  STORE_BYTES,
  STORE_COLLECTION,
  STORE_NAME,
  TOOL_BYTES,
  TOOL_IS_PREFIX,
  TOOL_NAME,
  TOOL_PATTERN,
  TYPE_ENUM,
  TYPE_FIELDS,
  TYPE_KIND,
} from './layout';

/** Address of a section of the directory, 0 where the policy has none. */
export function section(which: u32): usize {
  return load<u32>(tables() + (which << 2));
}

export function sameBytes(a: usize, b: usize, length: u32): bool {
  let at: u32 = 0;
  for (; at + 8 <= length; at += 8) if (load<u64>(a + at) != load<u64>(b + at)) return false;
  for (; at < length; at++) if (load<u8>(a + at) != load<u8>(b + at)) return false;
  return true;
}

/** Whether the text (address, bytes) at `place` is the given one. */
export function textAtIs(place: usize, text: usize, length: u32): bool {
  return load<u32>(place, 4) == length && sameBytes(load<u32>(place), text, length);
}

export function builtinSlot(builtin: u32): u32 {
  return load<u16>(section(T_BUILTIN_SLOTS) + (builtin << 1));
}

export function factRecord(fact: u32): usize {
  return load<u32>(section(T_FACTS), FACTS_RECORDS) + fact * FACT_RECORD_BYTES;
}

/** The enum of an enum fact; -1 where it is of another type. */
export function factEnum(fact: u32): i32 {
  if (fact == NO_SLOT) return -1;
  const type = factRecord(fact) + FACT_TYPE;
  return load<u8>(type, TYPE_KIND) == KIND_ENUM ? load<u16>(type, TYPE_ENUM) : -1;
}

/** Place of the list of an enum's members. */
export function enumMembers(which: u32): usize {
  return section(T_ENUMS) + 4 + (which << 3);
}

/** The member's position, -1 where there is none of that name. */
export function enumOrdinal(which: i32, name: usize, length: u32): i32 {
  if (which < 0) return -1;
  const list = enumMembers(which);
  const count = load<u32>(list, 4);
  let member = <usize>load<u32>(list);
  for (let at: u32 = 0; at < count; at++, member += 8) if (textAtIs(member, name, length)) return at;
  return -1;
}

/** Position of a field in a collection's elements, -1 where the fact is no collection or has no such field. */
export function collectionFieldIndex(fact: u32, name: usize, length: u32): i32 {
  const type = factRecord(fact) + FACT_TYPE;
  if (load<u8>(type, TYPE_KIND) != KIND_COLLECTION) return -1;
  return collectionFieldNamed(<usize>load<u32>(type, TYPE_FIELDS), name, length);
}

/** As `collectionFieldIndex`, from the collection's FIELDS_*. */
export function collectionFieldNamed(fields: usize, name: usize, length: u32): i32 {
  const count = load<u32>(fields, FIELDS_COUNT);
  for (let at: u32 = 0; at < count; at++)
    if (textAtIs(fields + FIELDS_HEAD_BYTES + at * FIELD_BYTES + FIELD_NAME, name, length)) return at;
  return -1;
}

/** Fields of a collection's elements, which are as many slots. */
export function collectionFieldCount(fact: u32): u32 {
  const type = factRecord(fact) + FACT_TYPE;
  return load<u8>(type, TYPE_KIND) == KIND_COLLECTION ? load<u32>(load<u32>(type, TYPE_FIELDS), FIELDS_COUNT) : 0;
}

/** Record (MODEL_*) of a model by its id. */
export function modelRecord(model: u32): usize {
  return load<u32>(section(T_MODELS)) + model * MODEL_BYTES;
}

export function storeCount(): u32 {
  return load<u32>(section(T_STORES), 4);
}

/** Record (STORE_*) of a store by its position. */
export function storeRecord(store: u32): usize {
  return load<u32>(section(T_STORES)) + store * STORE_BYTES;
}

/** Position of the store of this name in the policy, -1 where there is none. */
export function storeNamed(name: usize, length: u32): i32 {
  return findStore(STORE_NAME, name, length);
}

/** Position of the store whose collection has this name in the store itself, -1 where there is none. */
export function storeOfCollection(name: usize, length: u32): i32 {
  return findStore(STORE_COLLECTION, name, length);
}

function findStore(field: u32, name: usize, length: u32): i32 {
  const count = storeCount();
  for (let at: u32 = 0; at < count; at++) if (textAtIs(storeRecord(at) + field, name, length)) return at;
  return -1;
}

/** Whether calls of tools are decided one by one. */
export function decidesCalls(): bool {
  return section(T_TOOLS) != 0;
}

export function toolCount(): u32 {
  return decidesCalls() ? load<u32>(section(T_TOOLS), 4) : 0;
}

/** Record (TOOL_*) of a tool by its position. */
export function toolRecord(tool: u32): usize {
  return load<u32>(section(T_TOOLS)) + tool * TOOL_BYTES;
}

/** Position of the tool of this name in the policy, -1 where there is none. */
export function toolNamed(name: usize, length: u32): i32 {
  const count = toolCount();
  for (let at: u32 = 0; at < count; at++) if (textAtIs(toolRecord(at) + TOOL_NAME, name, length)) return at;
  return -1;
}

/** Whether a call of this name is one of the tool. */
export function isToolCalled(tool: u32, name: usize, length: u32): bool {
  const record = toolRecord(tool);
  const bytes = load<u32>(record, TOOL_PATTERN + 4);
  if (length < bytes || (length > bytes && load<u32>(record, TOOL_IS_PREFIX) == 0)) return false;
  return sameBytes(load<u32>(record, TOOL_PATTERN), name, bytes);
}

export function budgetCount(): u32 {
  return load<u32>(section(T_BUDGETS), 4);
}

/** Record (BUDGET_*) of a budget by its position. */
export function budgetRecord(budget: u32): usize {
  return load<u32>(section(T_BUDGETS)) + budget * BUDGET_BYTES;
}

/** Record (MODE_*) of a mode of redaction, as a result names it: its position + 1. */
export function redactionRecord(mode: u32): usize {
  return load<u32>(section(T_REDACTIONS)) + (mode - 1) * MODE_BYTES;
}

export function redactionCount(): u32 {
  return load<u32>(section(T_REDACTIONS), 4);
}

/** Place of the claims (text: a JSON object) of an API key or SAN, by its SHA-256 (32 bytes); 0 where nobody has it. */
export function claimsOfIdentity(hash: usize): usize {
  const list = section(T_IDENTITIES);
  let low: u32 = 0;
  let high = load<u32>(list, 4);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const record = <usize>load<u32>(list) + middle * IDENTITY_BYTES;
    const order = memory.compare(record, hash, 32);
    if (order == 0) return record + IDENTITY_CLAIMS;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return 0;
}
