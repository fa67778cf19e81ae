/** A kernel for tests: the decision's API as sessions use it, on one facts block, one result and one arena. */
import { Bytes } from '../../filters/kernel/bytes';
import {
  Arena,
  carryChoice,
  chosenModel,
  claimsOfIdentity,
  failClaims,
  includingRestored,
  isAllowed,
  loadClaims,
  loadMetadata,
  needsBuffer,
  newFacts,
  newResult,
  outputTokens,
  redactModeOf,
  renderDecision,
  renderReason,
  reserveOf,
  setBudgetLevels,
  setMember,
  setText,
  setUnknown,
  setValue,
  setBits,
} from '../../filters/kernel/decision/api';
import { inputEvent, inputStore, loadInput } from '../../filters/kernel/decision/load-facts';
import { alloc, bytesInUse, free } from '../../filters/kernel/memory';
import { decide, resultBytes } from '../../filters/kernel/policy';

export { alloc, free };

let facts: usize = 0;
let result: usize = 0;
let arena: Arena = changetype<Arena>(0);
let out: Bytes = changetype<Bytes>(0);

/** Everything begins anew, with facts that have failed. */
export function begin(): void {
  facts = newFacts();
  result = newResult();
  arena = Arena.create();
  out = Bytes.create();
}

export function end(): void {
  free(facts);
  free(result);
  arena.destroy();
  out.destroy();
}

export function in_use(): u32 {
  return bytesInUse;
}

export function load_input(json: usize, length: u32): bool {
  return loadInput<Arena>(facts, arena, json, length);
}

export function event(): i32 {
  return inputEvent;
}

export function store_position(): i32 {
  return inputStore;
}

export function load_claims(json: usize, length: u32): bool {
  return loadClaims(facts, arena, json, length);
}

export function fail_claims(): void {
  failClaims(facts);
}

export function load_metadata(store: u32, json: usize, length: u32): bool {
  return loadMetadata(facts, arena, store, json, length);
}

/** Address of the claims' text for a SHA-256 of 32 bytes; `out` then holds it. */
export function identity(hash: usize): bool {
  const claims = claimsOfIdentity(hash);
  out.clear();
  if (claims == 0) return false;
  out.append(load<u32>(claims), load<u32>(claims, 4));
  return true;
}

export function set_value(builtin: u32, value: i64): void {
  setValue(facts, builtin, value);
}

export function set_text(builtin: u32, text: usize, length: u32): void {
  setText(facts, builtin, text, length);
}

export function set_bits(builtin: u32, low: u64): void {
  setBits(facts, builtin, low, 0);
}

export function set_member(builtin: u32, name: usize, length: u32): void {
  setMember(facts, builtin, name, length);
}

export function set_unknown(builtin: u32): void {
  setUnknown(facts, builtin);
}

export function set_budget_levels(budget: u32, headroom: i64, spent: i64): void {
  setBudgetLevels(facts, budget, headroom, spent);
}

export function carry(): void {
  carryChoice(facts, result);
}

/** Decides `times` times over the same facts. */
export function run(which: i32, store: i32, times: u32): void {
  for (let n: u32 = 0; n < times; n++) {
    memory.fill(result, 0, resultBytes());
    decide(which, store, facts, result);
  }
}

export function decision(): void {
  out.clear();
  renderDecision(result, out);
}

export function reason(): void {
  out.clear();
  renderReason(result, out);
}

export function out_at(): usize {
  return out.ptr;
}

export function out_length(): u32 {
  return out.len;
}

export function allowed(): bool {
  return isAllowed(result);
}

export function model(): i32 {
  return chosenModel(result);
}

export function tokens(): i64 {
  return outputTokens(result);
}

export function reserve(budget: u32): i64 {
  return reserveOf(result, budget);
}

export function redaction(detector: u32): u32 {
  return redactModeOf(result, detector);
}

export function restored(detector: u32): bool {
  return includingRestored(result, detector);
}

export function buffered(): bool {
  return needsBuffer(result);
}
