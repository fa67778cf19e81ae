/**
 * `set prompt.FIELD to VALUE`: that some protocol has the field and takes the value, and that no two rules may ask for
 * two values of one field at once. Whether two conditions exclude each other is told from what they say of the same
 * thing; where that does not show, they may both hold.
 */
import { type Diagnostic, diagnostic, help, label } from '../dsl/diagnostic.ts';
import { didYouMean } from '../dsl/did-you-mean.ts';
import type { Program } from '../dsl/program.ts';
import type { Span } from '../dsl/source.ts';
import type { Place, Protocol } from '../filters/protocols/protocol.ts';
import type { Effect, Expr, ModelExpr, Plan, Rule } from './plan/plan.ts';
import type { WireValue } from './plan/wire-value.ts';

interface Setting {
  readonly rule: Rule;
  readonly effect: Extract<Effect, { kind: 'set' }>;
  readonly span: Span;
}

export function settingDiagnostics(program: Program, plan: Plan, protocols: readonly Protocol[]): Diagnostic[] {
  const settings = plan.events
    .flatMap((event) => (event.kind === 'prompt' ? event.rules : []))
    .flatMap((rule) => settingsOf(rule, program));
  return [
    ...settings.flatMap((setting) => untaken(setting, protocols)),
    ...settings.flatMap((setting, at) => settings.slice(0, at).flatMap((other) => conflict(other, setting, plan))),
  ];
}

function settingsOf(rule: Rule, program: Program): Setting[] {
  const spans = program.rules
    .filter(({ name }) => name === rule.name)
    .flatMap(({ effects }) => effects)
    .filter(({ kind }) => kind === 'set')
    .map(({ span }) => span);
  return rule.effects
    .filter((effect) => effect.kind === 'set')
    .map((effect, at) => ({ rule, effect, span: spans[at] ?? rule.span }));
}

// -----------------------------------------------------------------------------------------------------------------
// protocols

function untaken({ effect: { field, value }, span }: Setting, protocols: readonly Protocol[]): Diagnostic[] {
  const fields = protocols.flatMap(({ title, endpoints }) =>
    endpoints.flatMap(({ settable = {} }) => Object.entries(settable).map(([name, place]) => ({ title, name, place }))),
  );
  const named = fields.filter(({ name }) => name === field);
  if (named.length === 0) {
    const names = [...new Set(fields.map(({ name }) => name))].sort();
    const meant = didYouMean(field, names);
    return [
      diagnostic('E0803', span, `no protocol has a field \`${field}\` that a rule may set`, {
        help: [help(meant === null ? `there is ${names.join(', ')}` : `did you mean \`${meant}\`?`)],
      }),
    ];
  }
  if (named.some(({ place }) => takes(place, value))) return [];
  return [
    diagnostic('E0803', span, `\`${field}\` does not take ${JSON.stringify(value)}`, {
      help: named.map(({ title, place }) => help(`in ${title} it takes ${wording(place)}`)),
    }),
  ];
}

function takes(place: Place, value: WireValue): boolean {
  if (typeof value === 'boolean') return place.bool !== undefined;
  if (typeof value === 'number') return place.number !== undefined;
  return place.string !== undefined && (place.values === undefined || place.values.includes(value));
}

function wording(place: Place): string {
  if (place.bool !== undefined) return 'true or false';
  if (place.number !== undefined) return 'a number';
  return place.values === undefined ? 'a text' : place.values.map((each) => JSON.stringify(each)).join(', ');
}

// -----------------------------------------------------------------------------------------------------------------
// conflicts

function conflict(first: Setting, second: Setting, plan: Plan): Diagnostic[] {
  const { field } = second.effect;
  if (first.effect.field !== field || first.effect.value === second.effect.value) return [];
  if (plan.models.every((_, model) => areExclusive(at(first.rule.when, model), at(second.rule.when, model)))) return [];
  return [
    diagnostic('E0804', second.span, `\`${field}\` is set to two values where both rules fire`, {
      labels: [label(first.span, `\`${first.rule.name}\` sets it here, too`)],
      help: [
        help('give the rules conditions that exclude each other, such as `where` in one and `unless` in the other'),
      ],
    }),
  ];
}

function at(when: ModelExpr, model: number): Expr {
  return when.kind === 'all' ? when.expr : when.exprs[model]!;
}

/** Whether the two conditions say opposite things of one and the same. */
function areExclusive(a: Expr, b: Expr): boolean {
  const parts = [...conjuncts(a), ...conjuncts(b)];
  return parts.some((part, index) => isNever(part) || parts.slice(0, index).some((other) => contradict(part, other)));
}

function conjuncts(expr: Expr): readonly Expr[] {
  return expr.kind === 'and' ? expr.of.flatMap(conjuncts) : [expr];
}

function isNever(expr: Expr): boolean {
  return expr.kind === 'const' && !expr.value;
}

function contradict(a: Expr, b: Expr): boolean {
  if (a.kind === 'not' && same(a.of, b)) return true;
  if (b.kind === 'not' && same(b.of, a)) return true;
  return (
    a.kind === 'text_equals' &&
    b.kind === 'text_equals' &&
    same(a.left, b.left) &&
    a.right.kind === 'text' &&
    b.right.kind === 'text' &&
    a.right.value !== b.right.value
  );
}

function same(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
