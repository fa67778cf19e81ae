/**
 * Constructors of conditions that fold constants as they build, so that what a model or a literal settles leaves no
 * trace in the plan. Nothing else rewrites conditions: what remains reads as it was written.
 */
import type { Expr } from '../plan/plan.ts';

export const TRUE: Expr = { kind: 'const', value: true };
export const FALSE: Expr = { kind: 'const', value: false };

export function constant(value: boolean): Expr {
  return value ? TRUE : FALSE;
}

export function not(of: Expr): Expr {
  if (of.kind === 'const') return constant(!of.value);
  if (of.kind === 'not') return of.of;
  return { kind: 'not', of };
}

export function and(operands: readonly Expr[]): Expr {
  return join('and', operands, false);
}

export function or(operands: readonly Expr[]): Expr {
  return join('or', operands, true);
}

/**
 * `absorbing` is the constant that settles the whole; the other one is left out. Nested joins of the same kind are
 * flattened, doubles dropped.
 */
function join(kind: 'and' | 'or', operands: readonly Expr[], absorbing: boolean): Expr {
  const kept = new Map<string, Expr>();
  for (const operand of operands) {
    const parts = operand.kind === kind ? operand.of : [operand];
    for (const part of parts) {
      if (part.kind !== 'const') kept.set(JSON.stringify(part), part);
      else if (part.value === absorbing) return part;
    }
  }
  const of = [...kept.values()];
  return of.length === 0 ? constant(!absorbing) : of.length === 1 ? of[0]! : { kind, of };
}
