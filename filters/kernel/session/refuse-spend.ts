/**
 * Denials for want of money. The officer's own text comes first; then which budget it was, and whether nothing is left in
 * it or something that is not enough for this request. Amounts are not told: they say what others have spent.
 */
import { ACTION_HOLD, BUDGET_SHORT, BUDGET_UNREADABLE, BUDGET_NOTHING_LEFT } from '../abi';
import { NO_BUDGET, budgetCount, budgetRecord, renderReason } from '../decision/api';
import { BUDGET_COUNTS, BUDGET_MESSAGE, BUDGET_NAME, COUNTS_MONEY } from '../decision/layout';
import { Bytes } from '../bytes';
import { deny, messageOf, reply } from './denial';
import { put } from '../http/literal';
import { PHASE_SENT, Session } from './session-state';
import { budgetThatDenied, hadNothingLeft, needsLevels, secondsLeftOf, settleNothing } from './budget';

/** No model was left, and but for budgets there would have been one. */
export function denyByBudget(s: Session): i32 {
  const message = messageOf(s);
  renderReason(s.result, message);
  const position = budgetThatDenied(s.result);
  if (position == NO_BUDGET) return reply(s, 429, message);
  appendState(message, position, hadNothingLeft(s, position) ? BUDGET_NOTHING_LEFT : BUDGET_SHORT);
  s.retrySeconds = secondsLeftOf(s, position);
  s.overRate = isRate(position);
  return reply(s, 429, message);
}

/** Between the levels that were told and the reservation, someone else took what was left, or the accounts failed. */
export function refuseSpend(s: Session, position: u32, state: u32): i32 {
  if (s.phase != PHASE_SENT) return ACTION_HOLD;
  settleNothing(s);
  if (!needsLevels(s) || position >= budgetCount()) return deny(s, 429, 'not enough left for this request');
  const message = messageOf(s);
  if (state == BUDGET_UNREADABLE) {
    put(
      message,
      isRate(position)
        ? 'a rate cannot be read at the moment'
        : 'what is left of a budget cannot be read at the moment',
    );
    appendState(message, position, state);
    return reply(s, 503, message);
  }
  const text = budgetRecord(position) + BUDGET_MESSAGE;
  if (load<u32>(text, 4) > 0) message.append(<usize>load<u32>(text), load<u32>(text, 4));
  else put(message, 'denied');
  appendState(message, position, state);
  s.retrySeconds = secondsLeftOf(s, position);
  s.overRate = isRate(position);
  return reply(s, 429, message);
}

function isRate(position: u32): bool {
  return load<u32>(budgetRecord(position), BUDGET_COUNTS) != COUNTS_MONEY;
}

function appendState(message: Bytes, position: u32, state: u32): void {
  const name = budgetRecord(position) + BUDGET_NAME;
  put(message, isRate(position) ? ' (rate ' : ' (budget ');
  message.append(<usize>load<u32>(name), load<u32>(name, 4));
  if (state == BUDGET_SHORT) put(message, ': not enough left for this request');
  else if (state == BUDGET_NOTHING_LEFT) put(message, ': nothing left');
  put(message, ')');
}
