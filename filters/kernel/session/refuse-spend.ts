/**
 * The host could not set aside what a request may cost: between the levels that were told and the reservation, someone
 * else took it.
 */
import { ACTION_HOLD } from '../abi';
import { budgetCount, budgetRecord } from '../decision/api';
import { BUDGET_MESSAGE, BUDGET_NAME } from '../decision/layout';
import { messageOf, reply } from './denial';
import { put } from '../http/literal';
import { PHASE_SENT, Session } from './session-state';
import { needsLevels, settleNothing } from './budget';

export function refuseSpend(s: Session, position: u32): i32 {
  if (s.phase != PHASE_SENT) return ACTION_HOLD;
  const message = messageOf(s);
  if (needsLevels(s) && position < budgetCount()) {
    const budget = budgetRecord(position);
    if (load<u32>(budget, BUDGET_MESSAGE + 4) > 0)
      message.append(<usize>load<u32>(budget, BUDGET_MESSAGE), load<u32>(budget, BUDGET_MESSAGE + 4));
    else put(message, 'not enough is left for this request');
    put(message, ' (budget ');
    message.append(<usize>load<u32>(budget, BUDGET_NAME), load<u32>(budget, BUDGET_NAME + 4));
    put(message, ')');
  } else put(message, 'not enough is left for this request');
  settleNothing(s);
  return reply(s, 429, message);
}
