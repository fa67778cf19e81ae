/** What the parts of an event's lowering share: what they are lowered for, and what a rule comes to. */
import type { Program, Waiver } from '../../dsl/program.ts';
import type { Expr, FactId, ModelExpr, OutputLimit, Requirement, Rule } from '../plan/plan.ts';
import { readsOf } from '../plan/reads.ts';
import type { Scope } from './condition.ts';
import type { Unenforced } from './unenforced.ts';

export interface LoweredRule {
  readonly rule: Rule | null;
  /** What a document must meet, as a rule that denies. */
  readonly requires: Rule | null;
  /** What is drawn for review, as rules whose condition reads the draw. */
  readonly samples: readonly Rule[];
  readonly limits: readonly OutputLimit[];
  readonly requirements: readonly Requirement[];
  /** When which waiver lifts something of it, and whom it covers where it applies, whether it does or not. */
  readonly waived: readonly { readonly waiver: Waiver; readonly when: ModelExpr; readonly asked: ModelExpr }[];
}

/** What every part of an event's lowering needs besides the scope. */
export interface EventContext {
  readonly program: Program;
  readonly scope: Scope;
  readonly unenforced: Unenforced;
  /** What reading the computed classification reads. */
  readonly classificationReads: readonly FactId[];
}

/** `reads` of some expressions, with those of the classification where they read it. */
export function readsIn({ classificationReads: classification }: EventContext, ...exprs: readonly Expr[]): FactId[] {
  return [...new Set(exprs.flatMap((expr) => readsOf(expr, { classification })))].sort((a, b) => a - b);
}
