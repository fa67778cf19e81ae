// The budgets of a policy, read from the plan inside its bundle: all that the control plane knows of a policy's
// content.
import { type NoticeRecipient, noticeRecipient } from '../../compiler/bundle/notice-terms.ts';
import { budgetOf, isOneOfMany } from '../../proto/account-name.ts';
import { windowAt } from './budget-window.ts';
import type { BudgetWindow, Period } from './budget-window.ts';

export interface BudgetTerms {
  readonly name: string;
  /**
   * Micro-units, or what a rate counts. A policy that changes it goes on in the same window; one that changes the period
   * or the zone begins another.
   */
  readonly limit: number;
  readonly period: Period;
  /** IANA name. */
  readonly timeZone: string;
  /** It has an account for each value of an attribute, each with this limit. */
  readonly each: boolean;
  /** What a rate counts; absent: money. */
  readonly counts?: 'requests' | 'tokens';
  /** Who is told when so much of the limit is spent; absent: nobody. */
  readonly notify?: readonly BudgetNotice[];
}

export interface BudgetNotice extends NoticeRecipient {
  /** 1 to 100. */
  readonly percent: number;
}

/** What stands before the window of a rate: such accounts are deleted when they are over, and those of money are kept. */
export const RATE_WINDOW = 'rate/';

/** The window of a budget or a rate that holds an instant. */
export function windowOf({ period, timeZone, counts }: BudgetTerms, instant: number): BudgetWindow {
  const window = windowAt(instant, period, timeZone);
  return counts === undefined ? window : { ...window, key: RATE_WINDOW + window.key };
}

const periods: { readonly [K in Period]: true } = {
  minute: true,
  hour: true,
  day: true,
  week: true,
  month: true,
  quarter: true,
  year: true,
};

/** Reads `events[].budgets[]` of a plan (JSON, UTF-8), by name. Throws PlanError when it is not a plan. */
export function readBudgetTerms(plan: Uint8Array): Map<string, BudgetTerms> {
  const terms = new Map<string, BudgetTerms>();
  for (const event of list(field(parse(plan), 'events'))) {
    const budgets = field(event, 'budgets');
    for (const budget of budgets === undefined ? [] : list(budgets)) {
      const read = readBudget(budget);
      terms.set(read.name, read);
    }
  }
  return terms;
}

/** What amounts of a budget are numbers of, as metrics say it. */
export type AmountUnit = 'micros' | 'requests' | 'tokens';

/** Of a budget that no policy in force has any more, what is settled late is taken for money. */
export function unitOf(terms: ReadonlyMap<string, BudgetTerms> | undefined, budget: string): AmountUnit {
  return terms?.get(budget)?.counts ?? 'micros';
}

/** The terms of an account by its name; undefined: the policy has no such account. */
export function termsOfAccount(
  terms: ReadonlyMap<string, BudgetTerms> | undefined,
  account: string,
): BudgetTerms | undefined {
  const found = terms?.get(budgetOf(account));
  return found !== undefined && found.each === isOneOfMany(account) ? found : undefined;
}

export class PlanError extends Error {
  readonly code = 'bad_plan';

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'PlanError';
  }
}

function readBudget(budget: unknown): BudgetTerms {
  const [name, limit, period, timeZone, each, counts] = [
    field(budget, 'name'),
    field(budget, 'limit'),
    field(budget, 'period'),
    field(budget, 'timeZone'),
    field(budget, 'each'),
    field(budget, 'counts'),
  ];
  if (
    typeof name !== 'string' ||
    typeof limit !== 'number' ||
    !Number.isSafeInteger(limit) ||
    limit < 0 ||
    !isPeriod(period) ||
    typeof timeZone !== 'string' ||
    (each !== undefined && typeof each !== 'number') ||
    (counts !== undefined && counts !== 'requests' && counts !== 'tokens')
  ) {
    throw new PlanError('a budget of the plan is malformed');
  }
  try {
    windowAt(0, period, timeZone);
  } catch (cause) {
    throw new PlanError('a budget of the plan names a time zone that does not exist', { cause });
  }
  return {
    name,
    limit,
    period,
    timeZone,
    each: each !== undefined,
    ...(counts === undefined ? {} : { counts }),
    ...readNotices(field(budget, 'notify')),
  };
}

function readNotices(value: unknown): Pick<BudgetTerms, 'notify'> {
  if (value === undefined) return {};
  const notify = list(value).map((each): BudgetNotice => {
    const percent = field(each, 'percent');
    if (typeof percent !== 'number' || !Number.isInteger(percent) || percent < 1 || percent > 100)
      throw new PlanError('a threshold of the plan is malformed');
    return { ...noticeRecipient(each), percent };
  });
  return { notify };
}

function isPeriod(value: unknown): value is Period {
  return typeof value === 'string' && Object.hasOwn(periods, value);
}

function parse(plan: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plan));
  } catch (cause) {
    throw new PlanError('the plan is not JSON', { cause });
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? new Map<string, unknown>(Object.entries(value)).get(name)
    : undefined;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new PlanError('the plan lacks a list');
  return value;
}
