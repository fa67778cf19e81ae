/**
 * What sessions use of the decision code. A session has one facts block and one result block for each decision, and one
 * arena for the texts of its facts:
 *
 *   const facts = newFacts(); const result = newResult(); const arena = Arena.create();
 *   loadClaims(facts, arena, json, length);                       // claims of a verified token, or of
 *   claimsOfIdentity(sha256) setValue(facts, FACT_PROMPT_BYTES, n); setText(…); setUnknown(…); setBudgetLevels(facts,
 *   budget, headroom, spent); memory.fill(result, 0, resultBytes()); decide(EVENT_PROMPT, 0, facts, result); if
 *   (!isAllowed(result)) renderReason(result, out) …
 *
 * Facts that nobody sets stay failed. Blocks and arenas that are 0 mean that memory is exhausted: fail the session.
 * `decide` itself is imported from kernel/policy.
 */
import { allocZeroed } from '../memory';
import { factsBytes, resultBytes } from '../policy';

export { Arena } from './arena';
export {
  carryChoice,
  fieldOf,
  setBits,
  setBudgetLevels,
  setCollection,
  setFailed,
  setMember,
  setText,
  setUnknown,
  setValue,
  slotOf,
  writeBits,
  writeText,
  writeValue,
} from './slots';
export {
  chosenModel,
  classificationOf,
  includingRestored,
  isAllowed,
  isHeld,
  needsBuffer,
  outputTokens,
  redactModeOf,
  releaseHeld,
  reserveOf,
} from './result';
export {
  budgetCount,
  budgetRecord,
  builtinSlot,
  claimsOfIdentity,
  collectionFieldCount,
  decidesCalls,
  isToolCalled,
  modelRecord,
  redactionRecord,
  storeCount,
  storeNamed,
  storeOfCollection,
  storeRecord,
  toolCount,
} from './tables';
export { failClaims, loadArguments, loadClaims, loadMetadata } from './load-session';
export { NO_BUDGET, budgetOfRemover, isOnlyWithheld, renderDecision, renderReason } from './render-session';

/** A facts block in which every fact has failed; 0 when memory is exhausted. Free it with the kernel's `free`. */
export function newFacts(): usize {
  return allocZeroed(factsBytes());
}

/** A result block that denies; 0 when memory is exhausted. Free it with the kernel's `free`. */
export function newResult(): usize {
  return allocZeroed(resultBytes());
}
