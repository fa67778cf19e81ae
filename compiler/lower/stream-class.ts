/**
 * How a streamed reply must be governed so that it is decided as the whole reply would be. A rule is `buffered` when
 * something later in the reply could still change what it does to what was released: it reads the usage, the finish
 * reason or the tool calls, it asks for `buffer`, or it reads the text in a way that more text can turn around. It is
 * `early` when it acts, once and for all, as soon as the text shows something. All other rules are `causal`: settled
 * before the reply begins, or redactions of what a detector finds.
 *
 * A classification is read as what it is made of: its class only rises where every `classify` of it only turns true,
 * and then `at least` and `above` do as well. A `classify` that no rule reads holds nothing back, unless it reads what
 * is known at the end alone: without it the reply could not be decided on its way.
 */
import type { CompletionEvent, Expr, FactRef, Operand, Plan, Rule, StreamClass } from '../plan/plan.ts';
import { exprsOf } from './condition.ts';

/** What there is to know of the completion's event before its class is. */
type Completion = Omit<CompletionEvent, 'kind' | 'stream'>;

export function streamClass(completion: Completion, facts: Plan['facts']): StreamClass {
  if (completion.classify.some((each) => isLate(each.reads, facts))) return 'buffered';
  const classes = completion.rules.map((rule) => ruleClass(rule, completion, facts));
  return classes.includes('buffered') ? 'buffered' : classes.includes('causal') ? 'causal' : 'early';
}

function ruleClass(rule: Rule, completion: Completion, facts: Plan['facts']): StreamClass {
  if (rule.effects.some((effect) => effect.kind === 'buffer')) return 'buffered';
  if (isLate(rule.reads, facts)) return 'buffered';
  // What is only kept, or told, changes nothing of what is released.
  const isSeen = rule.effects.length > 0 || rule.notify !== undefined;
  if (isSeen && rule.effects.every((effect) => effect.kind === 'keep')) return 'early';
  const text = rule.reads.some((id) => facts[id]!.path[0] === 'text');
  if (!text) return 'causal';
  const acts = rule.effects.every(
    (effect) =>
      effect.kind === 'deny' || effect.kind === 'tag' || (effect.kind === 'allow' && completion.default === 'allow'),
  );
  return acts && exprsOf(rule.when).every((expr) => growsOnly(expr, { completion, facts })) ? 'early' : 'buffered';
}

/** Whether one of the facts is known at the reply's end alone. */
function isLate(reads: Rule['reads'], facts: Plan['facts']): boolean {
  return reads.some((id) => facts[id]!.path[0] === 'completion');
}

interface Reading {
  readonly completion: Completion;
  readonly facts: Plan['facts'];
}

/** Whether more text can only make it true, never false: the text is read, and not under a negation. */
function growsOnly(expr: Expr, reading: Reading): boolean {
  switch (expr.kind) {
    case 'and':
    case 'or':
      return expr.of.every((operand) => growsOnly(operand, reading));
    case 'not':
      return !readsText(expr.of, reading);
    case 'subset':
      return !readsText(expr, reading);
    case 'compare':
      return !readsText(expr, reading) || (risesWith(expr) && classifies(reading, growsOnly));
    default:
      return true;
  }
}

/** Whether a higher class can only make the comparison true. */
function risesWith({ op, left, right }: Expr & { kind: 'compare' }): boolean {
  const isClass = (operand: Operand) => operand.kind === 'classification';
  if (isClass(left) && isClass(right)) return true;
  return isClass(left) ? op === 'ge' || op === 'gt' : op === 'le' || op === 'lt';
}

/** Whether it is so of the condition of every `classify`. */
function classifies(reading: Reading, holds: (expr: Expr, reading: Reading) => boolean): boolean {
  return reading.completion.classify.every((each) => holds(each.when, reading));
}

function readsText(expr: Expr, reading: Reading): boolean {
  const isText = (ref: FactRef | { readonly kind: string }): boolean =>
    ref.kind === 'fact' && reading.facts[(ref as FactRef & { kind: 'fact' }).fact]!.path[0] === 'text';
  switch (expr.kind) {
    case 'not':
      return readsText(expr.of, reading);
    case 'and':
    case 'or':
      return expr.of.some((operand) => readsText(operand, reading));
    case 'contains':
      return isText(expr.set);
    case 'overlaps':
    case 'subset':
      return isText(expr.left) || isText(expr.right);
    case 'compare':
      return (
        (expr.left.kind === 'classification' || expr.right.kind === 'classification') &&
        !classifies(reading, (when) => !readsText(when, reading))
      );
    default:
      return false;
  }
}
