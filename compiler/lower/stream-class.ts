/**
 * How a streamed reply must be governed so that it is decided as the whole reply would be. A rule is `buffered` when
 * something later in the reply could still change what it does to what was released: it reads the usage, the finish
 * reason or the tool calls, it asks for `buffer`, or it reads the text in a way that more text can turn around. It is
 * `early` when it acts, once and for all, as soon as the text shows something. All other rules are `causal`: settled
 * before the reply begins, or redactions of what a detector finds.
 */
import type { Expr, FactRef, Plan, Rule, StreamClass } from '../plan/plan.ts';
import { exprsOf } from './condition.ts';

export function streamClass(rules: readonly Rule[], fallback: 'allow' | 'deny', facts: Plan['facts']): StreamClass {
  const classes = rules.map((rule) => ruleClass(rule, fallback, facts));
  return classes.includes('buffered') ? 'buffered' : classes.includes('causal') ? 'causal' : 'early';
}

export function ruleClass(rule: Rule, fallback: 'allow' | 'deny', facts: Plan['facts']): StreamClass {
  if (rule.effects.some((effect) => effect.kind === 'buffer')) return 'buffered';
  const late = rule.reads.some((id) => facts[id]!.path[0] === 'completion');
  if (late) return 'buffered';
  const text = rule.reads.some((id) => facts[id]!.path[0] === 'text');
  if (!text) return 'causal';
  const acts = rule.effects.every(
    (effect) => effect.kind === 'deny' || effect.kind === 'tag' || (effect.kind === 'allow' && fallback === 'allow'),
  );
  return acts && exprsOf(rule.when).every((expr) => growsOnly(expr, facts)) ? 'early' : 'buffered';
}

/** Whether more text can only make it true, never false: the text is read, and not under a negation. */
function growsOnly(expr: Expr, facts: Plan['facts']): boolean {
  switch (expr.kind) {
    case 'and':
    case 'or':
      return expr.of.every((operand) => growsOnly(operand, facts));
    case 'not':
      return !readsText(expr.of, facts);
    case 'subset':
      return !readsText(expr, facts);
    default:
      return true;
  }
}

function readsText(expr: Expr, facts: Plan['facts']): boolean {
  const isText = (ref: FactRef | { readonly kind: string }): boolean =>
    ref.kind === 'fact' && facts[(ref as FactRef & { kind: 'fact' }).fact]!.path[0] === 'text';
  switch (expr.kind) {
    case 'not':
      return readsText(expr.of, facts);
    case 'and':
    case 'or':
      return expr.of.some((operand) => readsText(operand, facts));
    case 'contains':
      return isText(expr.set);
    case 'overlaps':
    case 'subset':
      return isText(expr.left) || isText(expr.right);
    default:
      return false;
  }
}
