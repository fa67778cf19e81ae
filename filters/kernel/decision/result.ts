/**
 * Reading a result block, for the sessions and for rendering. Every accessor answers the cautious value on a zeroed
 * block.
 */
import {
  FLAG_BUFFER,
  REDACT_NONE,
  OUTCOME_ALLOW,
  OUTCOME_HOLD,
  REDACT_RESTORED,
  RESULT_CLASSIFICATION,
  RESULT_FLAGS,
  RESULT_MODEL,
  RESULT_OUTCOME,
  RESULT_OUTPUT_TOKENS,
  RESULT_SITE,
  SITE_AT_REDACTIONS,
  SITE_AT_RESERVES,
  SITE_RESERVES,
} from './layout';
import { budgetRecord, textAtIs } from './tables';

export function isAllowed(result: usize): bool {
  return load<u8>(result, RESULT_OUTCOME) == OUTCOME_ALLOW;
}

/** Nothing denies it, and reviewers must approve it first. */
export function isHeld(result: usize): bool {
  return load<u8>(result, RESULT_OUTCOME) == OUTCOME_HOLD;
}

/** What was held is approved: from now on it reads as allowed. */
export function releaseHeld(result: usize): void {
  if (isHeld(result)) store<u8>(result, OUTCOME_ALLOW, RESULT_OUTCOME);
}

/**
 * The chosen model's id (its position in T_MODELS), -1 where none was chosen. Set on a denial too, if the denial has
 * other reasons.
 */
export function chosenModel(result: usize): i32 {
  return <i32>load<u8>(result, RESULT_MODEL) - 1;
}

/** The classification's rank, -1 where there is none or it has failed. */
export function classificationOf(result: usize): i32 {
  return <i32>load<u8>(result, RESULT_CLASSIFICATION) - 1;
}

/** What the reply may have at the chosen model. */
export function outputTokens(result: usize): i64 {
  return isAllowed(result) ? load<i64>(result, RESULT_OUTPUT_TOKENS) : 0;
}

/** The reply must be held whole. */
export function needsBuffer(result: usize): bool {
  return (load<u8>(result, RESULT_FLAGS) & FLAG_BUFFER) != 0;
}

/**
 * The mode of a detector (its ordinal in the policy): its position in T_REDACTIONS + 1, or REDACT_NONE; a stronger one is
 * a higher number. Meaningful on a denial too: what fired asked for it.
 */
export function redactModeOf(result: usize, detector: u32): u32 {
  const site = <usize>load<u32>(result, RESULT_SITE);
  if (site == 0) return REDACT_NONE;
  return load<u8>(result + load<u32>(site, SITE_AT_REDACTIONS) + detector) & 127;
}

/** Values that came in this exchange's own prompt are redacted too. */
export function includingRestored(result: usize, detector: u32): bool {
  const site = <usize>load<u32>(result, RESULT_SITE);
  if (site == 0) return false;
  return (load<u8>(result + load<u32>(site, SITE_AT_REDACTIONS) + detector) & REDACT_RESTORED) != 0;
}

/**
 * Micro-units to reserve in a budget (its position in T_BUDGETS); -1 where the budget does not apply or nothing is
 * allowed.
 */
export function reserveOf(result: usize, budget: u32): i64 {
  const site = <usize>load<u32>(result, RESULT_SITE);
  if (site == 0 || !isAllowed(result)) return -1;
  const name = budgetRecord(budget);
  const names = <usize>load<u32>(site, SITE_RESERVES);
  const count = load<u32>(site, SITE_RESERVES + 4);
  for (let at: u32 = 0; at < count; at++) {
    if (textAtIs(names + (at << 3), load<u32>(name), load<u32>(name, 4)))
      return load<i64>(result + load<u32>(site, SITE_AT_RESERVES) + (at << 3)) - 1;
  }
  return -1;
}
