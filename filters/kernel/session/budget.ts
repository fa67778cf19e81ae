/**
 * Budgets: which levels the policy needs, what to reserve for the worst case, and what the exchange cost. Micro-units
 * of the policy's currency throughout.
 */
import {
  ACTION_LEVELS,
  FACT_PROMPT_INPUT_TOKENS_BOUND,
  LEVEL_UNKNOWN,
  LEVEL_WHOLE,
  SLOT_VALUE,
  T_BUDGETS,
} from '../abi';
import { Bytes } from '../bytes';
import {
  NO_BUDGET,
  budgetCount,
  budgetRecord,
  budgetOfRemover,
  modelRecord,
  reserveOf,
  setBudgetLevels,
  slotOf,
} from '../decision/api';
import {
  BUDGET_COUNTS,
  BUDGET_PERIOD,
  COUNTS_MONEY,
  COUNTS_REQUESTS,
  COUNTS_TOKENS,
  MODEL_INPUT_PRICE,
  MODEL_OUTPUT_PRICE,
  FLAG_NO_MODEL,
  PERIOD_HOUR,
  PERIOD_MINUTE,
  RESULT_CANDIDATES,
  RESULT_FLAGS,
  RESULT_SITE,
  SITE_AT_REMOVED,
  SITE_REMOVERS,
} from '../decision/layout';
import { section } from '../decision/tables';
import { FLAG_NO_OUTPUT } from '../protocol/places';
import { hasFlag } from '../http/endpoint';
import { putAccounts } from './accounts';
import { Output } from './output';
import { PHASE_LEVELS, Session } from './session-state';

/**
 * What the host answers for each budget asked: i64 headroom, i64 spent, u32 LEVEL_*, u32 seconds until it begins anew (0: not
 * known).
 */
const LEVEL_BYTES: u32 = 24;
const MILLION: u64 = 1_000_000;

export function needsLevels(s: Session): bool {
  return section(T_BUDGETS) != 0 && budgetCount() > 0;
}

/** Asks for the levels of all budgets. */
export function askLevels(s: Session): i32 {
  const budgets = s.out().budgetsRun();
  const count = budgetCount();
  for (let i: u32 = 0; i < count; i += 1) budgets.u32(i);
  putAccounts(s);
  s.phase = PHASE_LEVELS;
  return ACTION_LEVELS;
}

/** Takes the levels; a budget that is not answered stays failed. */
export function takeLevels(s: Session, ptr: usize, length: u32): void {
  const count = budgetCount();
  const kept = changetype<Bytes>(s.levels);
  kept.clear();
  kept.append(ptr, length);
  for (let i: u32 = 0; i < count && (i + 1) * LEVEL_BYTES <= length; i += 1) {
    const level = ptr + i * LEVEL_BYTES;
    if (load<u32>(level, 16) != LEVEL_UNKNOWN) setBudgetLevels(s.facts, i, load<i64>(level), load<i64>(level, 8));
  }
}

/** Nothing was left in a budget when the host was asked, nor could more be had by asking again. */
export function hadNothingLeft(s: Session, position: u32): bool {
  const level = levelOf(s, position);
  return level != 0 && load<u32>(level, 16) == LEVEL_WHOLE && load<i64>(level) <= 0;
}

/** Seconds until a budget begins anew; 0 where that is not known. A rate begins anew by the clock. */
export function secondsLeftOf(s: Session, position: u32): u32 {
  const record = budgetRecord(position);
  if (load<u32>(record, BUDGET_COUNTS) != COUNTS_MONEY) return secondsToNext(s.now, load<u32>(record, BUDGET_PERIOD));
  const level = levelOf(s, position);
  return level == 0 ? 0 : load<u32>(level, 20);
}

function secondsToNext(now: i64, period: u32): u32 {
  const length = lengthOf(period);
  return <u32>((length - (now % length) + 999) / 1_000);
}

/** Of a rate's window. */
function lengthOf(period: u32): i64 {
  return period == PERIOD_MINUTE ? 60_000 : period == PERIOD_HOUR ? 3_600_000 : 86_400_000;
}

/** What was said of a rate then was said of a window that is over. */
export function isOfEarlierWindow(position: u32, at: i64, now: i64): bool {
  const record = budgetRecord(position);
  if (load<u32>(record, BUDGET_COUNTS) == COUNTS_MONEY) return false;
  const length = lengthOf(load<u32>(record, BUDGET_PERIOD));
  return at / length != now / length;
}

function levelOf(s: Session, position: u32): usize {
  const kept = changetype<Bytes>(s.levels);
  return (position + 1) * LEVEL_BYTES > kept.len ? 0 : kept.ptr + position * LEVEL_BYTES;
}

/** Tells the host what to reserve. */
export function putReserves(s: Session): void {
  if (!needsLevels(s)) return;
  const reserves = s.out().reservesRun();
  reserves.clear();
  const count = budgetCount();
  for (let i: u32 = 0; i < count; i += 1) {
    const amount = reserveOf(s.result, i);
    if (amount < 0) continue;
    reserves.u32(i);
    reserves.u32(0);
    reserves.u32(<u32>amount);
    reserves.u32(<u32>(amount >> 32));
    s.reserved = true;
  }
}

/**
 * Whether a status says that the upstream has made no output. Statuses of a client's mistake do, and so do those of a
 * server that did not begin (501, 503, and 529 of Anthropic). One that failed (500, 502), ran out of time (408, 504, 524)
 * or was left (499) may have made all of it, and providers differ in what they bill then.
 */
export function hasRefused(status: u32): bool {
  if (status >= 400 && status < 500) return status != 408 && status != 499;
  return status == 501 || status == 503 || status == 529;
}

/**
 * What a refusal costs: nothing, but for 400. That is also the status of a content filter which has read the prompt, and
 * Azure bills what it read: the most that the input can be.
 */
function costOfRefusal(s: Session): i64 {
  const bound = slotOf(s.facts, FACT_PROMPT_INPUT_TOKENS_BOUND);
  if (s.status != 400 || s.chosen < 0 || bound == 0) return 0;
  return costOf(<u64>load<i64>(bound, SLOT_VALUE), load<u64>(modelRecord(s.chosen), MODEL_INPUT_PRICE), 0, 0);
}

/**
 * Ends the exchange's cost: what the upstream told at its reply's end, else nothing is known and the reservation is
 * charged. Once.
 */
export function settle(s: Session, upstreamRefused: bool): void {
  const o = s.out();
  if (o.settled != 0) return;
  o.settled = 1;
  o.inputTokens = s.inputTokens;
  o.outputTokens = s.outputTokens;
  o.tokens = -1;
  if (upstreamRefused && s.inputTokens < 0 && s.outputTokens < 0) {
    const cost = costOfRefusal(s);
    if (cost < 0) return;
    o.usageKnown = 1;
    o.cost = cost;
    if (cost == 0) o.tokens = 0;
    return;
  }
  // What a stream counts before its end is less than what it will have cost: who hangs up then must not pay less.
  if (s.inputTokens < 0 || s.chosen < 0 || !s.usageIsFinal) return;
  if (s.outputTokens < 0 && !hasFlag(s.endpoint, FLAG_NO_OUTPUT)) return;
  const model = modelRecord(s.chosen);
  const output = s.outputTokens < 0 ? 0 : s.outputTokens;
  const cost = costOf(
    <u64>s.inputTokens,
    load<u64>(model, MODEL_INPUT_PRICE),
    <u64>output,
    load<u64>(model, MODEL_OUTPUT_PRICE),
  );
  if (cost < 0) return;
  o.usageKnown = 1;
  o.cost = cost;
  o.tokens = s.inputTokens + output;
}

/**
 * What a budget or a rate is charged of what was set aside in it. What is not known to be less is all of it. A request
 * counts once it has left.
 */
export function chargedOf(o: Output, position: u32, reserved: i64): i64 {
  if (o.unsent) return 0;
  const counts = load<u32>(budgetRecord(position), BUDGET_COUNTS);
  if (counts == COUNTS_REQUESTS) return reserved;
  if (counts == COUNTS_TOKENS) return o.tokens < 0 ? reserved : o.tokens;
  return o.usageKnown == 0 ? reserved : o.cost;
}

/** ceil((input · inputPrice + output · outputPrice) / 1,000,000); -1 where that does not fit. */
function costOf(input: u64, inputPrice: u64, output: u64, outputPrice: u64): i64 {
  const most: u64 = 0x3fffffffffffffff;
  if (inputPrice != 0 && input > most / inputPrice) return -1;
  if (outputPrice != 0 && output > most / outputPrice) return -1;
  const sum = input * inputPrice + output * outputPrice;
  return <i64>((sum + MILLION - 1) / MILLION);
}

/** Whether some model was left but for budgets: then money, and nothing else, is the reason. */
export function deniedByBudget(result: usize): bool {
  if ((load<u8>(result, RESULT_FLAGS) & FLAG_NO_MODEL) == 0) return false;
  const site = <usize>load<u32>(result, RESULT_SITE);
  if (site == 0) return false;
  const removers = <usize>load<u32>(site, SITE_REMOVERS);
  const count = load<u32>(site, SITE_REMOVERS + 4);
  const removed = result + load<u32>(site, SITE_AT_REMOVED);
  let others: u64 = 0;
  let budgets: u64 = 0;
  for (let i: u32 = 0; i < count; i += 1) {
    const name = removers + (i << 3);
    const bits = load<u64>(removed + (i << 3));
    if (budgetOfRemover(name) != NO_BUDGET) budgets |= bits;
    else others |= bits;
  }
  return (load<u64>(result, RESULT_CANDIDATES) & budgets & ~others) != 0;
}

/** Position of the first budget that removed a model; NO_BUDGET where none did. */
export function budgetThatDenied(result: usize): u32 {
  const site = <usize>load<u32>(result, RESULT_SITE);
  if (site == 0) return NO_BUDGET;
  const removers = <usize>load<u32>(site, SITE_REMOVERS);
  const count = load<u32>(site, SITE_REMOVERS + 4);
  const removed = result + load<u32>(site, SITE_AT_REMOVED);
  for (let i: u32 = 0; i < count; i += 1) {
    if (load<u64>(removed + (i << 3)) == 0) continue;
    const position = budgetOfRemover(removers + (i << 3));
    if (position != NO_BUDGET) return position;
  }
  return NO_BUDGET;
}

/** The request never left: it cost nothing. */
export function settleNothing(s: Session): void {
  const o = s.out();
  if (o.settled != 0) return;
  o.settled = 1;
  o.usageKnown = 1;
  o.cost = 0;
  o.unsent = true;
  o.reservesRun().clear();
}
