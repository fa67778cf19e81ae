/**
 * Conditions, effects and facts as English that an auditor can read. It states what the plan says, nothing that the
 * plan does not hold.
 */
import type { Effect, Expr, FactRef, ModelExpr, Operand, Plan, SetOperand, TextOperand } from '../plan/plan.ts';

const OPERATORS = { eq: 'is', lt: 'is below', le: 'is at most', gt: 'is above', ge: 'is at least' } as const;

export function describeCondition(condition: ModelExpr, plan: Plan): string {
  if (condition.kind === 'all') return describeExpr(condition.expr, plan);
  const groups = new Map<string, string[]>();
  condition.exprs.forEach((expr, model) => {
    const text = describeExpr(expr, plan);
    groups.set(text, [...(groups.get(text) ?? []), plan.models[model]!.name]);
  });
  const parts = [...groups]
    .filter(([text]) => text !== 'never')
    .map(([text, models]) => `for ${list(models, 'and')} ${text === 'always' ? 'always' : `when ${text}`}`);
  return parts.length === 0 ? 'never' : parts.join('; ');
}

export function describeExpr(expr: Expr, plan: Plan): string {
  switch (expr.kind) {
    case 'const':
      return expr.value ? 'always' : 'never';
    case 'not':
      return `not (${describeExpr(expr.of, plan)})`;
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
      return `${reference(expr.fact, plan)} is true`;
    case 'compare':
      return `${operand(expr.left, plan)} ${OPERATORS[expr.op]} ${operand(expr.right, plan)}`;
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
        : `${reference(expr.left, plan)} shares a member with ${set(expr.right, plan, 'and')}`;
    case 'subset':
      return `every member of ${reference(expr.left, plan)} is in ${set(expr.right, plan, 'and')}`;
    case 'some':
    case 'every':
      return `${expr.kind} element of ${pathOf(plan, expr.collection)} has (${describeExpr(expr.body, plan)})`;
  }
}

export function describeEffect(effect: Effect, plan: Plan): string {
  switch (effect.kind) {
    case 'allow':
      return 'allow';
    case 'deny':
      return `deny: ${effect.message}`;
    case 'redact':
      return `redact ${list(effect.detectors, 'and')} as ${effect.as}${effect.includingRestored ? ', restored values too' : ''}`;
    case 'tag':
      return `tag ${effect.name} = ${effect.value}`;
    case 'buffer':
      return 'hold the reply until it is whole';
    case 'allow_chunk':
      return `a chunk may pass where ${describeExpr(effect.where, plan)}`;
    case 'withhold_chunk':
      return `a chunk is withheld unless ${describeExpr(effect.unless, plan)}`;
    case 'keep_newest':
      return `only the newest ${pathOf(plan, effect.version)} for each ${pathOf(plan, effect.key)} passes`;
  }
}

export function list(words: readonly string[], conjunction: 'and' | 'or'): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)!}`;
}

/** Micro-units as an amount: 2500000 and `usd` → `2.50 usd`. */
export function money(micros: number, currency: string): string {
  const digits = String(Math.abs(micros)).padStart(7, '0');
  const fraction = digits.slice(-6).replace(/0{1,4}$/, '');
  return `${micros < 0 ? '-' : ''}${digits.slice(0, -6)}.${fraction} ${currency}`;
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

function operand(value: Operand, plan: Plan): string {
  switch (value.kind) {
    case 'number':
      return String(value.value);
    case 'rank':
      return value.member;
    case 'classification':
      return "the prompt's classification";
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
