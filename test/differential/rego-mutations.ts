/** Faults planted in the emitted Rego itself: what an emitter or the shared library could have wrong. */
import { isDeepStrictEqual } from 'node:util';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Decision } from '../../compiler/plan/decision.ts';
import type { Budget, Fact, FactType, Plan } from '../../compiler/plan/plan.ts';
import type { RegoFiles } from '../../compiler/rego/emit-rego.ts';
import { levelsIgnored } from './outcomes.ts';

/** As compiler/plan/plan.ts has it; written again, because a test of a limit should not follow it. */
const SET_MEMBERS_MAX = 256;

export interface RegoMutation {
  readonly name: string;
  readonly edit: (files: RegoFiles) => RegoFiles;
  /** For a fault that few inputs meet: those that may. */
  readonly shows?: (input: unknown, decision: Decision, plan: Plan) => boolean;
}

export const REGO_MUTATIONS: readonly RegoMutation[] = [
  inLibrary('numbers are not checked to be exact', '\tinteger / factor == number\n', '', (input, { failed }, plan) =>
    failed.some((path) => isInexact(plan, path, valueAt(input, path))),
  ),
  inLibrary('numbers have no bound', '\tabs(integer) <= integer_max\n', ''),
  inLibrary('sets have no bound', '\tcount(list) <= set_members_max\n', '', (input, { failed }) =>
    failed.some((path) => lengthAt(input, path) === SET_MEMBERS_MAX + 1),
  ),
  inLibrary('a path runs through what is no object', '\tnot is_object(parent)\n', '\tis_null(parent)\n'),
  inLibrary('members are not checked', '\tvalue in object.keys(ranks[enum])\n', '', (input, { failed }, plan) =>
    failed.some((path) => isEnum(plan, path) && typeof valueAt(input, path) === 'string'),
  ),
  inLibrary(
    'what is not known of an element is null',
    '; value != null}',
    '}',
    (input, decision, plan) =>
      isKnownAskedOfFields(plan) &&
      plan.facts.some((fact) => {
        const path = fact.path.join('.');
        const told = withNullsTold(fact, valueAt(input, path), plan);
        return (
          !decision.failed.includes(path) &&
          told !== undefined &&
          !isDeepStrictEqual(decide(plan, withValue(input, fact.path, told)), decision)
        );
      }),
  ),
  inLibrary(
    'failure is never always denied',
    '\talways\n',
    '\talways == null\n',
    (_, { reasons }, plan) =>
      plan.onFailure === 'allow' &&
      reasons.some((reason) => reason.kind === 'failed' && !reason.facts.some((path) => failsClosed(plan, path))),
  ),
  inLibrary(
    'failure never closes',
    'denies([_, reads, _]) if count((reads & failed_facts) & facts_failing_closed) > 0',
    'denies([_, reads, _]) if count((reads & failed_facts) & facts_failing_closed) > 99',
  ),
  inLibrary(
    'costs are rounded down',
    '(sum + 999999) - ((sum + 999999) % 1000000)',
    'sum - (sum % 1000000)',
    (_, { reserve }) => reserve.length > 0,
  ),
  inLibrary(
    'negative counts count',
    'max([0, number])',
    'number',
    (input, { model }) => model !== null && /"(output_tokens|tokens_estimate|choices)":-/.test(JSON.stringify(input)),
  ),
  inLibrary(
    'the weakest mode of redaction counts',
    'data.writ.redaction_modes[max({at |',
    'data.writ.redaction_modes[min({at |',
    (_, { redact }) => redact.some(({ rules }) => rules.length > 1),
  ),
  inLibrary(
    'any day is one of the calendar',
    '\tday_of_month <= days_of_month(year, month)\n',
    '',
    (input, { failed }) => failed.some((path) => /^\d{4}-\d{2}-(29|30|31)$/.test(String(valueAt(input, path)))),
  ),
  inLibrary('no century leaps', 'leaps(year) if year % 400 == 0', 'leaps(year) if year % 400 == 1', (input) =>
    JSON.stringify(input).includes('"2000-02-29"'),
  ),
  inLibrary('a year begins in April', '(month + 9) % 12', '(month + 8) % 12'),
  inLibrary('clocks are never changed', '\tpassed > 0\n', '\tpassed > 99\n', (input, decision, plan) =>
    decidesElse(input, decision, {
      ...plan,
      zones: plan.zones.map((zone) => ({ ...zone, offsets: zone.offsets.slice(0, 1) })),
    }),
  ),
  inLibrary('a week begins on a Sunday', ' + 4320', ' + 5760'),
  inLibrary(
    'hours are closed at both ends',
    '\tminute < span.end\n',
    '\tminute <= span.end\n',
    (input, decision, plan) =>
      decidesElse(input, decision, {
        ...plan,
        hours: plan.hours.map((hours) => ({
          ...hours,
          spans: hours.spans.map(({ start, end }) => ({ start, end: end + 1 })),
        })),
      }),
  ),
  inLibrary(
    'what is denied is redacted',
    '[redaction | count(parts.reasons) == 0; some',
    '[redaction | count(parts.reasons) < 9; some',
  ),
  inLibrary(
    'what is held is allowed',
    '} else := "hold" if {\n\tcount(holds) > 0',
    '} else := "hold" if {\n\tcount(holds) > 9',
  ),
  inLibrary(
    'nothing is kept of what is denied',
    'some [rule, reviewers, milliseconds] in sort(parts.keeps)',
    'count(parts.reasons) == 0; some [rule, reviewers, milliseconds] in sort(parts.keeps)',
    (_, decision) => decision.outcome === 'deny' && decision.keeps.length > 0,
  ),
  inLibrary(
    'restored values are never included',
    '"includingRestored": true in',
    '"includingRestored": "true" in',
    (_, decision) => decision.redact.some(({ includingRestored }) => includingRestored),
  ),
  inPolicy('touched rules fire', /\tnot touched\(.*\n/g, ''),
  // Those of conditions: without that of a route of any name, two routes would serve, which OPA refuses to decide.
  inPolicy(
    'what failed denies an exchange that is over',
    /("event": "exchange",[^}]*"reasons": joined\(\[)\]/,
    '$1failed_reasons(exchange_readers)]',
    (_, { event, failed }) => event === 'exchange' && failed.length > 0,
  ),
  inPolicy('whatever goes out passes', 'default egress_passes := false', 'default egress_passes := true'),
  inPolicy('negations are lost', /\tnot (?=if_|fact_(?!prompt_requested_model\.value in )|"|count)/g, '\t'),
  inPolicy('at least is above', / >= /g, ' > '),
  inPolicy('overlap is always', /\) > 0\n/g, ') >= 0\n'),
  inPolicy('the last eligible model is chosen', 'prompt_eligible[0]', 'prompt_eligible[count(prompt_eligible) - 1]'),
  inPolicy('the context window is not looked at', ' > entry.context', ' > entry.context * 1000000000000'),
  inPolicy('limits are not looked at', ' | {limit[2] | some limit in prompt_limits; limit[0] == model}', ''),
  inPolicy('classifications never raise', / \| \{ranks.*prompt_classifies\}/, ''),
  inPolicy(
    'classifications of one name raise alike',
    /(classifies contains (\["[^"]+", ))"([^"]+)"(\][^]*?classifies contains \2)"[^"]+"/,
    '$1"$3"$4"$3"',
  ),
  inPolicy('classifications of completions never raise', / \| \{ranks.*completion_classifies\}/, ''),
  inPolicy(
    'classifications of completions do not fire',
    /\{each\[0\] \| some each in completion_classifies\}/,
    'set()',
  ),
  inPolicy('the order of preferences is lost', 'in sort(prompt_prefers)', 'in array.reverse(sort(prompt_prefers))'),
  inPolicy(
    'a call of no tool says that it is of none',
    'object.get(input, "tool", null) == null',
    'input.tool == null',
  ),
  inPolicy('the first reader is forgotten', /(_readers := \[\n)\t.*\n/g, '$1'),
  inPolicy(
    'levels of budgets that do not apply are looked at',
    'some budget in prompt_applies\n\tsome reader in prompt_level_readers[budget]',
    'some readers in prompt_level_readers\n\tsome reader in readers',
    levelsIgnored,
  ),
  inPolicy(
    'levels are not looked at',
    '\tsome budget in prompt_applies\n',
    '\tsome budget in prompt_applies\n\tfalse\n',
    (_, { failed }) => failed.some((path) => /^budget\./.test(path)),
  ),
  inPolicy('requests are not counted', /\t1 > /g, '\t0 > ', (input, { reasons }, plan) =>
    budgetsOf(plan).some(
      ({ name, counts }) =>
        counts === 'requests' &&
        valueAt(input, `budget.${name}.headroom`) === 0 &&
        reasons.some((reason) => reason.kind === 'removed' && reason.by.includes(`rate ${name}`)),
    ),
  ),
  inPolicy(
    'tokens of replies are not counted',
    'micro_units((input_tokens + output_tokens) *',
    'micro_units((input_tokens + output_tokens - output_tokens) *',
  ),
  inPolicy('a request sets more aside than itself', /(prompt_worst := \{[^}]*?": )1\b/, '$12'),
  inPolicy('whatever is denied by default passes', /default (\w+)_passes := false/g, 'default $1_passes := true'),
];

function inLibrary(name: string, from: string, to: string, shows?: RegoMutation['shows']): RegoMutation {
  return {
    name,
    edit: (files) => ({ ...files, library: files.library.replaceAll(from, to) }),
    ...(shows === undefined ? {} : { shows }),
  };
}

function lengthAt(input: unknown, path: string): number {
  const value = valueAt(input, path);
  return Array.isArray(value) ? value.length : 0;
}

/** Whether the plan that the fault stands for decides otherwise. */
function decidesElse(input: unknown, decision: Decision, faulty: Plan): boolean {
  return !isDeepStrictEqual(decide(faulty, input), decision);
}

function valueAt(input: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (at, key) =>
        typeof at === 'object' && at !== null ? (at as { readonly [key: string]: unknown })[key] : undefined,
      input,
    );
}

function isEnum(plan: Plan, path: string): boolean {
  return plan.facts.some((fact) => fact.path.join('.') === path && fact.type.kind === 'enum');
}

function isInexact(plan: Plan, path: string, value: unknown): boolean {
  const type = plan.facts.find((fact) => fact.path.join('.') === path)?.type;
  return type?.kind === 'number' && typeof value === 'number' && !Number.isInteger(value * 10 ** type.scale);
}

function budgetsOf(plan: Plan): readonly Budget[] {
  return plan.events.flatMap((event) => (event.kind === 'prompt' ? event.budgets : []));
}

function isKnownAskedOfFields(plan: Plan): boolean {
  return JSON.stringify(plan.events).includes('"kind":"known","fact":{"kind":"field"');
}

/** The elements, with a value for each null of what they need not say; undefined where there is none. */
function withNullsTold({ type }: Fact, elements: unknown, plan: Plan): readonly unknown[] | undefined {
  if (type.kind !== 'collection' || !Array.isArray(elements)) return undefined;
  const optional = type.fields.filter((field) => field.optional === true);
  const nullsOf = (element: unknown): typeof optional => optional.filter(({ name }) => valueAt(element, name) === null);
  if (!elements.some((element) => nullsOf(element).length > 0)) return undefined;
  return elements.map((element: object) => ({
    ...element,
    ...Object.fromEntries(nullsOf(element).map((field) => [field.name, someValue(field.type, plan)])),
  }));
}

function someValue(type: FactType, plan: Plan): unknown {
  switch (type.kind) {
    case 'bool':
      return true;
    case 'number':
      return 1;
    case 'text':
      return 'x';
    case 'date':
      return '2026-01-01';
    case 'enum':
      return plan.enums.find(({ name }) => name === type.enum)?.members[0];
    case 'text_set':
    case 'enum_set':
    case 'collection':
      return [];
  }
}

function withValue(input: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const at = typeof input === 'object' && input !== null ? input : {};
  return { ...at, [key]: withValue(valueAt(input, key), rest, value) };
}

function failsClosed(plan: Plan, path: string): boolean {
  return plan.facts.some((fact) => fact.path.join('.') === path && fact.failsClosed);
}

function inPolicy(name: string, from: string | RegExp, to: string, shows?: RegoMutation['shows']): RegoMutation {
  return {
    name,
    edit: (files) => ({ ...files, policy: files.policy.replace(from, to) }),
    ...(shows === undefined ? {} : { shows }),
  };
}
