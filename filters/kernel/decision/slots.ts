/**
 * Writing built-in facts into a facts block. Each setter takes a `FACT_*` number and does nothing where no rule of the
 * policy reads that fact. A block starts as zeros, which is: all facts have failed.
 */
import {
  FACT_FAILED,
  FACT_KNOWN,
  FACT_MODEL_CHOSEN,
  FACT_PROMPT_CLASSIFICATION,
  FACT_UNKNOWN,
  NO_SLOT,
  SLOT_AUX,
  SLOT_BYTES,
  SLOT_STATE,
  SLOT_VALUE,
  SLOT_VALUE2,
} from '../abi';
import { BUDGET_HEADROOM, BUDGET_SPENT } from './layout';
import { budgetRecord, builtinSlot, collectionFieldIndex, enumOrdinal, factEnum } from './tables';
import { chosenModel, classificationOf } from './result';

/** Address of the slot of a built-in fact in `facts`, or 0 where no rule reads it. */
export function slotOf(facts: usize, builtin: u32): usize {
  const slot = builtinSlot(builtin);
  return slot == NO_SLOT ? 0 : facts + slot * SLOT_BYTES;
}

export function setFailed(facts: usize, builtin: u32): void {
  const slot = slotOf(facts, builtin);
  if (slot != 0) store<u8>(slot, FACT_FAILED, SLOT_STATE);
}

export function setUnknown(facts: usize, builtin: u32): void {
  const slot = slotOf(facts, builtin);
  if (slot != 0) store<u8>(slot, FACT_UNKNOWN, SLOT_STATE);
}

/** Bool (0 or 1), number at the fact's scale, time, or an enum's ordinal. */
export function setValue(facts: usize, builtin: u32, value: i64): void {
  const slot = slotOf(facts, builtin);
  if (slot != 0) writeValue(slot, value);
}

/** The bytes must live as long as the facts block is used. */
export function setText(facts: usize, builtin: u32, text: usize, length: u32): void {
  const slot = slotOf(facts, builtin);
  if (slot != 0) writeText(slot, text, length);
}

/** A set of enum members: bit n is ordinal n. */
export function setBits(facts: usize, builtin: u32, low: u64, high: u64): void {
  const slot = slotOf(facts, builtin);
  if (slot != 0) writeBits(slot, low, high);
}

/** An enum by its member's name; failed if there is no such member. */
export function setMember(facts: usize, builtin: u32, name: usize, length: u32): void {
  const slot = slotOf(facts, builtin);
  if (slot == 0) return;
  const ordinal = enumOrdinal(factEnum(builtinSlot(builtin)), name, length);
  if (ordinal < 0) store<u8>(slot, FACT_FAILED, SLOT_STATE);
  else writeValue(slot, ordinal);
}

/**
 * `elements` is the address of `count` elements, each one slot a declared field (see `fieldOf`); it must live as long
 * as the facts block is used.
 */
export function setCollection(facts: usize, builtin: u32, elements: usize, count: u32): void {
  const slot = slotOf(facts, builtin);
  if (slot != 0) writeText(slot, elements, count);
}

/** Position of the field in the elements of a built-in collection; -1 where no rule reads it. */
export function fieldOf(builtin: u32, name: usize, length: u32): i32 {
  const slot = builtinSlot(builtin);
  return slot == NO_SLOT ? -1 : collectionFieldIndex(slot, name, length);
}

/** The levels of a budget (its position in T_BUDGETS), in micro-units. */
export function setBudgetLevels(facts: usize, budget: u32, headroom: i64, spent: i64): void {
  const record = budgetRecord(budget);
  writeValue(facts + load<u32>(record, BUDGET_HEADROOM) * SLOT_BYTES, headroom);
  writeValue(facts + load<u32>(record, BUDGET_SPENT) * SLOT_BYTES, spent);
}

/**
 * What the prompt's decision settled, as facts of the later events of the exchange: the chosen model and the
 * classification.
 */
export function carryChoice(facts: usize, result: usize): void {
  const model = chosenModel(result);
  if (model < 0) setFailed(facts, FACT_MODEL_CHOSEN);
  else setValue(facts, FACT_MODEL_CHOSEN, model);
  const rank = classificationOf(result);
  if (rank < 0) setFailed(facts, FACT_PROMPT_CLASSIFICATION);
  else setValue(facts, FACT_PROMPT_CLASSIFICATION, rank);
}

export function writeValue(slot: usize, value: i64): void {
  store<u8>(slot, FACT_KNOWN, SLOT_STATE);
  store<i64>(slot, value, SLOT_VALUE);
}

export function writeText(slot: usize, text: usize, length: u32): void {
  store<u8>(slot, FACT_KNOWN, SLOT_STATE);
  store<u32>(slot, length, SLOT_AUX);
  store<i64>(slot, text, SLOT_VALUE);
}

export function writeBits(slot: usize, low: u64, high: u64): void {
  store<u8>(slot, FACT_KNOWN, SLOT_STATE);
  store<u64>(slot, low, SLOT_VALUE);
  store<u64>(slot, high, SLOT_VALUE2);
}
