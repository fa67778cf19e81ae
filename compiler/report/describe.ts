/**
 * Conditions, effects and facts as English that an auditor can read. It states what the plan says, nothing that the
 * plan does not hold.
 */
import { dateOfDay, TimeZone, writtenIn } from '../../dsl/time-zone.ts';
import { WEEKDAYS } from '../../dsl/units.ts';
import type { Hours } from '../plan/calendar.ts';
import { MINUTES_OF_DAY } from '../plan/hours.ts';
import { SHARE_WHOLE } from '../plan/keep.ts';
import type { Notified } from '../plan/notify.ts';
import type { RedactionMode } from '../plan/redaction.ts';
import type {
  Effect,
  Expr,
  FactRef,
  FactType,
  ModelExpr,
  Operand,
  Plan,
  SetOperand,
  TextOperand,
} from '../plan/plan.ts';

const OPERATORS = { eq: 'is', lt: 'is below', le: 'is at most', gt: 'is above', ge: 'is at least' } as const;
const OPPOSITES = { eq: 'is not', lt: 'is at least', le: 'is above', gt: 'is at most', ge: 'is below' } as const;

/** Where a condition holds: for which models (null: it reads none), and when; `always` for a condition that holds. */
export interface Case {
  readonly models: readonly string[] | null;
  readonly when: string;
}

/** The cases of a condition, models with the same one together; none where it never holds. */
export function casesOf(condition: ModelExpr, plan: Plan): Case[] {
  const all =
    condition.kind === 'all'
      ? [{ models: null, when: describeExpr(condition.expr, plan) }]
      : [...byText(condition.exprs, plan)].map(([when, models]) => ({ models, when }));
  return all.filter(({ when }) => when !== 'never');
}

function byText(exprs: readonly Expr[], plan: Plan): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  exprs.forEach((expr, model) => {
    const when = describeExpr(expr, plan);
    groups.set(when, [...(groups.get(when) ?? []), plan.models[model]!.name]);
  });
  return groups;
}

export function describeExpr(expr: Expr, plan: Plan): string {
  switch (expr.kind) {
    case 'const':
      return expr.value ? 'always' : 'never';
    case 'not':
      return describeNot(expr.of, plan);
    case 'and':
    case 'or':
      return expr.of
        .map((operand) =>
          operand.kind === 'and' || operand.kind === 'or'
            ? `(${describeExpr(operand, plan)})`
            : describeExpr(operand, plan),
        )
        .join(` ${expr.kind} `);
    case 'known':
      return `${reference(expr.fact, plan)} is known`;
    case 'is_true':
      return feedText(expr.fact, true, plan) ?? `${reference(expr.fact, plan)} is true`;
    case 'compare':
      return comparison(expr, OPERATORS[expr.op], plan);
    case 'in_hours':
      return `${reference(expr.time, plan)} is in hours ${plan.hours[expr.hours]!.name}`;
    case 'text_equals':
      return `${text(expr.left, plan)} is ${text(expr.right, plan)}`;
    case 'text_contains':
      return `${reference(expr.text, plan)} contains ${JSON.stringify(expr.part)}`;
    case 'contains':
      return isFound(expr.set, plan)
        ? `the text contains ${bare(expr.member)}`
        : `${reference(expr.set, plan)} contains ${text(expr.member, plan)}`;
    case 'overlaps':
      return isFound(expr.left, plan)
        ? `the text contains ${set(expr.right, plan, 'or')}`
        : `${reference(expr.left, plan)} and ${set(expr.right, plan, 'and')} have one in common`;
    case 'subset':
      return `every one of ${reference(expr.left, plan)} is in ${set(expr.right, plan, 'and')}`;
    case 'some':
    case 'every':
      return `${expr.kind === 'some' ? 'one' : 'every one'} of ${pathOf(plan, expr.collection)} has (${describeExpr(expr.body, plan)})`;
  }
}

/** The opposite in plain words where there is one. */
function describeNot(expr: Expr, plan: Plan): string {
  switch (expr.kind) {
    case 'compare':
      return comparison(expr, OPPOSITES[expr.op], plan);
    case 'known':
      return `${reference(expr.fact, plan)} is not known`;
    case 'is_true':
      return feedText(expr.fact, false, plan) ?? `${reference(expr.fact, plan)} is not true`;
    case 'text_equals':
      return `${text(expr.left, plan)} is not ${text(expr.right, plan)}`;
    case 'text_contains':
      return `${reference(expr.text, plan)} does not contain ${JSON.stringify(expr.part)}`;
    case 'contains':
      return isFound(expr.set, plan)
        ? `the text contains no ${bare(expr.member)}`
        : `${reference(expr.set, plan)} does not contain ${text(expr.member, plan)}`;
    case 'overlaps':
      return isFound(expr.left, plan)
        ? `the text contains none of ${set(expr.right, plan, 'and')}`
        : `${reference(expr.left, plan)} and ${set(expr.right, plan, 'and')} have none in common`;
    case 'in_hours':
      return `${reference(expr.time, plan)} is not in hours ${plan.hours[expr.hours]!.name}`;
    default:
      return `it is not so that (${describeExpr(expr, plan)})`;
  }
}

/** What a fact of a feed says, or its opposite; null for other facts. */
function feedText(ref: FactRef, holds: boolean, plan: Plan): string | null {
  const source = ref.kind === 'fact' ? plan.facts[ref.fact]!.source : null;
  if (source?.kind === 'switch') return `switch ${plan.switches[source.switch]!.name} is ${holds ? 'on' : 'off'}`;
  if (source?.kind !== 'list') return null;
  const { of } = source;
  const operand =
    of.kind === 'value'
      ? JSON.stringify(of.value)
      : of.kind === 'fact'
        ? pathOf(plan, of.fact)
        : `the day of ${pathOf(plan, of.fact)} in ${plan.zones[of.zone]!.name}`;
  return `${operand} is ${holds ? '' : 'not '}in list ${plan.lists[source.list]!.name}`;
}

function comparison(expr: Expr & { readonly kind: 'compare' }, operator: string, plan: Plan): string {
  const type = typeOf(expr.left, plan) ?? typeOf(expr.right, plan);
  return `${operand(expr.left, plan, type)} ${operator} ${operand(expr.right, plan, type)}`;
}

export function describeEffect(effect: Effect, plan: Plan): string {
  switch (effect.kind) {
    case 'allow':
      return 'allow';
    case 'deny':
      return `deny: ${JSON.stringify(effect.message)}`;
    case 'redact':
      return `${describeRedaction(plan.redactions[effect.as]!, plan)} ${list(effect.detectors, 'and')}${effect.includingRestored ? ', restored values too' : ''}`;
    case 'tag':
      return `write the tag ${effect.name} = ${effect.value} into the decision's record`;
    case 'set':
      return `send the field ${effect.field} as ${JSON.stringify(effect.value)}, where the request's protocol has it`;
    case 'hold':
      return `wait until ${effect.approvals} of ${effect.reviewers} (group ${JSON.stringify(effect.group)}) approve it, for ${describeDuration(effect.milliseconds)} at most; else deny`;
    case 'keep':
      if (effect.milliseconds !== null)
        return `keep a masked record of the exchange for ${describeDuration(effect.milliseconds)}; where that cannot be, deny`;
      return `keep a masked copy of ${effect.share === SHARE_WHOLE ? 'each exchange' : `${shareText(effect.share)} of all exchanges`} for review by ${effect.reviewers} (group ${JSON.stringify(effect.group)})`;
    case 'buffer':
      return 'hold the answer back until it is whole';
    case 'allow_chunk':
      return `a chunk may pass where ${describeExpr(effect.where, plan)}`;
    case 'withhold_chunk':
      return `a chunk is withheld unless ${describeExpr(effect.unless, plan)}${effect.say === undefined ? '' : `, and the client is told ${JSON.stringify(effect.say)}`}`;
    case 'keep_newest':
      return `only chunks with the highest ${pathOf(plan, effect.version)} of their ${pathOf(plan, effect.key)} pass`;
  }
}

export function describeNotified({ recipient, webhook }: Notified): string {
  return `tell ${recipient}, by the webhook ${JSON.stringify(webhook)} of the control plane, afterwards`;
}

/** `drop call`, save for those whom a waiver covers. */
export function describeDroppedCall({ unless }: Effect & { readonly kind: 'withhold_chunk' }, plan: Plan): string {
  const what = 'the call is taken out of the answer, and the others pass';
  return unless.kind === 'const' ? what : `${what}, unless ${describeExpr(unless, plan)}`;
}

/** `monday 09:00 to 18:00, tuesday 09:00 to 18:00; in Europe/Berlin`: day by day, as clocks there show it. */
export function describeHours({ spans, zone }: Hours, plan: Plan): string {
  const days = spans.flatMap(({ start, end }) =>
    WEEKDAYS.flatMap((day, at) => {
      const from = Math.max(start - at * MINUTES_OF_DAY, 0);
      const to = Math.min(end - at * MINUTES_OF_DAY, MINUTES_OF_DAY);
      return from < to ? [`${day} ${clock(from)} to ${clock(to)}`] : [];
    }),
  );
  return `${days.join(', ')}; in ${plan.zones[zone]!.name}`;
}

function clock(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');
}

export function list(words: readonly string[], conjunction: 'and' | 'or'): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)!}`;
}

function describeRedaction(mode: RedactionMode, plan: Plan): string {
  switch (mode.kind) {
    case 'placeholder':
      return 'put a placeholder, which the answer to the same caller turns back, in place of:';
    case 'pseudonym':
      return `put the detector's name and a keyed hash, the same within one ${pathOf(plan, mode.forEach)}, for good, in place of:`;
    case 'year':
      return "put the detector's name and the year, for good, in place of:";
    case 'mask':
      return mode.keepLast === 0
        ? "put the detector's name, for good, in place of:"
        : `put the detector's name and the last ${mode.keepLast} letters and digits (at most half of them), for good, in place of:`;
    case 'remove':
      return 'take out:';
  }
}

/** `4000` → `4,000`. */
export function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

function shareText(share: number): string {
  return `${(share * 100) / SHARE_WHOLE}%`;
}

const DURATIONS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** In the largest unit that says it exactly: 14400000 → `4 hours`. */
export function describeDuration(milliseconds: number): string {
  const [unit, factor] = DURATIONS.find(([, each]) => milliseconds % each === 0) ?? ['millisecond', 1];
  const count = milliseconds / factor;
  return `${grouped(String(count))} ${unit}${count === 1 ? '' : 's'}`;
}

/** Micro-units as an amount: 2500000 and `usd` → `2.50 usd`. */
export function money(micros: number, currency: string): string {
  const digits = String(Math.abs(micros)).padStart(7, '0');
  const fraction = digits.slice(-6).replace(/0{1,4}$/, '');
  return `${micros < 0 ? '-' : ''}${grouped(digits.slice(0, -6))}.${fraction} ${currency}`;
}

function pathOf(plan: Plan, fact: number): string {
  const path = plan.facts[fact]!.path;
  return path[0] === 'chunk' ? `chunk.${path.slice(2).join('.')}` : path.join('.');
}

function reference(ref: FactRef, plan: Plan): string {
  if (ref.kind === 'fact') return pathOf(plan, ref.fact);
  const type = plan.facts[ref.collection]!.type;
  return type.kind === 'collection' ? `its ${type.fields[ref.field]!.name}` : pathOf(plan, ref.collection);
}

function isFound(ref: FactRef, plan: Plan): boolean {
  return ref.kind === 'fact' ? plan.facts[ref.fact]!.path[0] === 'text' : reference(ref, plan) === 'its found';
}

function typeOf(value: Operand, plan: Plan): FactType | undefined {
  if (value.kind === 'fact') return plan.facts[value.fact]!.type;
  if (value.kind !== 'field') return undefined;
  const { type } = plan.facts[value.collection]!;
  return type.kind === 'collection' ? type.fields[value.field]!.type : type;
}

/** A number with its unit: the plan holds integers at the fact's scale. Times are those of the policy's zone. */
export function quantity(value: number, type: FactType | undefined, plan: Plan): string {
  if (type?.kind === 'date') return dateOfDay(value);
  if (type?.kind !== 'number') return String(value);
  if (type.unit === 'money') return money(value, plan.currency);
  if (type.unit === TIME_UNIT) return writtenIn(new TimeZone(plan.timeZone), value);
  const digits = String(Math.abs(value)).padStart(type.scale + 1, '0');
  const whole = grouped(type.scale === 0 ? digits : digits.slice(0, -type.scale));
  const fraction = type.scale === 0 ? '' : digits.slice(-type.scale).replace(/0+$/, '');
  // `prompt.choices is above 4 choices` would say it twice.
  const unit = UNITS.includes(type.unit) ? ` ${type.unit}` : '';
  return `${value < 0 ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}${unit}`;
}

const TIME_UNIT = 'seconds since 1970';
const UNITS: readonly string[] = ['tokens', 'bytes', 'seconds'];

function operand(value: Operand, plan: Plan, type: FactType | undefined): string {
  switch (value.kind) {
    case 'number':
      return quantity(value.value, type, plan);
    case 'rank':
      return value.member;
    case 'classification':
      return 'the classification';
    case 'fact':
    case 'field':
      return reference(value, plan);
  }
}

function text(value: TextOperand, plan: Plan): string {
  return value.kind === 'text' ? JSON.stringify(value.value) : reference(value, plan);
}

function bare(value: TextOperand): string {
  return value.kind === 'text' ? value.value : 'it';
}

function set(value: SetOperand, plan: Plan, conjunction: 'and' | 'or'): string {
  return value.kind === 'members' ? list(value.values, conjunction) : reference(value, plan);
}
