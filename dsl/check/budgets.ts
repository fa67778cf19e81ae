/** Budgets and rates: what is counted, per what time, and what happens near the end. */
import { attributesOf } from '../condition-facts.ts';
import { diagnostic, didYouMeanHelp, help, label } from '../diagnostic.ts';
import type { Budget, Condition, Rate, Threshold } from '../program.ts';
import type { Clause, Name, Quantity } from '../syntax-tree.ts';
import {
  checkForEachCaller,
  checkMeta,
  checkOnce,
  checkRequired,
  checkWhereUnless,
  clauseOf,
  clausesOf,
} from './clauses.ts';
import { conditionScope, type ConditionScope } from './condition-scope.ts';
import { checkCondition } from './conditions.ts';
import { byName, type Context, type DeclarationOf, listNames, noteUnenforced, report, resolve } from './context.ts';
import { checkTimeZone } from './policy.ts';
import { checkCount, checkValue, integer, unitWording, withSeparators } from './values.ts';
import { didYouMean } from '../did-you-mean.ts';

const BUDGET_PERIODS = ['hour', 'day', 'week', 'month', 'year'] as const;
const RATE_PERIODS = ['minute', 'hour', 'day'] as const;
const SECONDS_PER_MINUTE = 60;

export function checkBudgets(context: Context): Budget[] {
  return byName([...context.named.budget.values()].flatMap((node) => checkBudget(context, node) ?? []));
}

/** Whether a budget applies is one answer for the request, and every candidate has its own class as sent. */
function checkBeforeChoice(context: Context, condition: Condition): void {
  const read = attributesOf(condition).find((each) => each.root === 'prompt' && each.name === 'sent_classification');
  if (read === undefined) return;
  report(
    context,
    diagnostic('E0404', read.span, 'a budget or a rate applies or not before a model is chosen', {
      help: [
        {
          message: 'read `prompt.classification`, the class of what came',
          edits: [{ span: read.span, text: 'prompt.classification' }],
        },
      ],
    }),
  );
}

function checkBudget(context: Context, node: DeclarationOf<'budget'>): Budget | null {
  checkOnce(context, node.clauses);
  checkRequired(context, node, node.clauses, [
    ['limitPer', `limit 100 ${context.typed.policy?.currency ?? 'usd'} per month`],
  ]);
  const { where, unless, inner } = checkWhereUnless(
    conditionScope(context, node.name.text, 'prompt'),
    node.clauses,
    'for',
  );
  for (const condition of [where, unless]) if (condition !== null) checkBeforeChoice(context, condition);
  const each = clauseOf(node.clauses, 'forEach');
  const forEach = each === null ? null : checkForEachCaller(inner, each.path);
  const limit = clauseOf(node.clauses, 'limitPer');
  const thresholds = checkThresholds(context, inner, node.clauses);
  if (limit === null) return null;
  const amount = checkValue(
    context,
    limit.quantity,
    { kind: 'money' },
    label(node.name.span, 'a budget is an amount of money; numbers of requests or tokens are limited by a `rate`'),
  );
  const per = period(context, limit.per, BUDGET_PERIODS);
  if (limit.zone !== null) checkTimeZone(context, limit.zone.value, limit.zone.span);
  if (amount?.kind === 'money' && amount.micros <= 0) {
    report(
      context,
      diagnostic('E0304', limit.quantity.span, 'a budget is above zero', {
        help: [help('what may never be used is denied by a rule')],
      }),
    );
  }
  if (amount?.kind !== 'money' || per === null) return null;
  return {
    name: node.name.text,
    title: node.title?.value ?? null,
    for: where,
    unless,
    forEach,
    limit: amount,
    per,
    timeZone: limit.zone?.value ?? context.typed.policy?.timeZone ?? 'UTC',
    thresholds,
    reason: clauseOf(node.clauses, 'elseDeny')?.reason?.value ?? null,
    meta: checkMeta(context, node.clauses),
    span: node.span,
    nameSpan: node.name.span,
  };
}

function checkThresholds(context: Context, scope: ConditionScope, clauses: readonly Clause[]): Threshold[] {
  let before = 0;
  return clausesOf(clauses, 'at').flatMap((clause): Threshold[] => {
    const percent = Number(clause.percent.text);
    if (!Number.isInteger(percent) || percent < 1 || percent > 100) {
      report(
        context,
        diagnostic(
          'E0520',
          clause.percent.span,
          `a threshold is a whole number from 1 to 100 percent, not ${clause.percent.text}`,
        ),
      );
      return [];
    }
    if (percent < before) {
      report(
        context,
        diagnostic('E0520', clause.percent.span, `${percent} percent comes after ${before} percent`, {
          help: [help('write the thresholds in ascending order')],
        }),
      );
    }
    before = Math.max(before, percent);
    const { effect, span } = clause;
    if (effect.kind === 'notify') {
      return resolve(context, 'recipient', effect.recipient) === null
        ? []
        : [
            {
              percent,
              effect: { kind: 'notify', recipient: effect.recipient.text, span: effect.span },
              span,
            },
          ];
    }
    const condition = checkCondition({ ...scope, size: { parts: 0 } }, effect.condition);
    return condition === null
      ? []
      : [{ percent, effect: { kind: 'useOnlyModels', condition, span: effect.span }, span }];
  });
}

export function checkRates(context: Context): Rate[] {
  return byName(
    [...context.named.rate.values()].flatMap((node) => {
      checkOnce(context, node.clauses);
      checkRequired(context, node, node.clauses, [['limitPer', 'limit 60 requests per minute']]);
      const { where, unless, inner } = checkWhereUnless(
        conditionScope(context, node.name.text, 'prompt'),
        node.clauses,
        'for',
      );
      for (const condition of [where, unless]) if (condition !== null) checkBeforeChoice(context, condition);
      const each = clauseOf(node.clauses, 'forEach');
      const forEach = each === null ? null : checkForEachCaller(inner, each.path);
      const clause = clauseOf(node.clauses, 'limitPer');
      if (clause === null) return [];
      const limit = rateLimit(context, clause.quantity);
      const per = ratePeriod(context, clause, limit);
      if (clause.zone !== null) {
        report(
          context,
          diagnostic('E0113', clause.zone.span, 'a rate runs by the clock and needs no time zone', {
            help: [help('leave `in "…"` out')],
          }),
        );
      }
      if (limit === null || per === null) return [];
      return [
        {
          name: node.name.text,
          title: node.title?.value ?? null,
          for: where,
          unless,
          forEach,
          limit,
          per,
          reason: clauseOf(node.clauses, 'elseDeny')?.reason?.value ?? null,
          span: node.span,
        },
      ];
    }),
  );
}

export function rateLimit(context: Context, quantity: Quantity): Rate['limit'] | null {
  const unit = quantity.unit.text.replace(/s$/, '');
  const kind = unit === 'request' ? 'requests' : unit === 'token' ? 'tokens' : null;
  if (kind === null) {
    report(
      context,
      diagnostic(
        'E0302',
        quantity.span,
        `a rate counts requests or tokens, and \`${quantity.number.text} ${quantity.unit.text}\` is ${unitWording(quantity.unit.text)}`,
        {
          help: [help('money is limited by a `budget`')],
        },
      ),
    );
    return null;
  }
  const value = integer(context, quantity.number, quantity.span, 0, 1n);
  const positive =
    value === null
      ? null
      : value > 0
        ? value
        : checkCount(context, quantity.number, 1, Number.MAX_SAFE_INTEGER, 'a rate');
  return positive === null ? null : { kind, value: positive };
}

/**
 * A rate counts over all gateways, and what each may let through is handed out to it: within a second there is no time for
 * that. A share of a second's requests for each gateway would not be what the policy says.
 */
function ratePeriod(
  context: Context,
  { quantity, per, span }: Extract<Clause, { kind: 'limitPer' }>,
  limit: Rate['limit'] | null,
): Rate['per'] | null {
  if (per.text !== 'second') return period(context, per, RATE_PERIODS);
  const perMinute = limit === null ? NaN : limit.value * SECONDS_PER_MINUTE;
  const instead = `limit ${withSeparators(String(perMinute))} ${limit?.kind ?? quantity.unit.text} per minute`;
  report(
    context,
    diagnostic('E0521', per.span, 'a rate counts over all gateways, and these cannot agree within a second', {
      help: [
        Number.isSafeInteger(perMinute)
          ? { message: `write \`${instead}\``, edits: [{ span, text: instead }] }
          : help(`there is ${listNames(RATE_PERIODS)}`),
      ],
    }),
  );
  return null;
}

function period<P extends string>(context: Context, name: Name, periods: readonly P[]): P | null {
  const found = periods.find((each) => each === name.text);
  if (found !== undefined) return found;
  const meant = didYouMean(name.text, periods);
  report(
    context,
    diagnostic('E0521', name.span, `\`${name.text}\` is not a period here`, {
      help: [meant === null ? help(`there is ${listNames(periods)}`) : didYouMeanHelp(name.span, meant)],
    }),
  );
  return null;
}
