/** Which facts a condition reads: the one definition behind every `reads` of a plan. */
import type { Expr, Fact, FactId, FactRef, ModelExpr, Operand, SetOperand, TextOperand } from './plan.ts';

/**
 * Facts that reading the classification reads: those of every `classify`. And the fact `model.chosen`, which a
 * condition for each model reads in events after the prompt.
 */
export interface ReadingContext {
  readonly classification: readonly FactId[];
  readonly chosenModel?: FactId;
}

/** The fact whose value the fact is about: itself, or what is looked up in a list. */
export function operandOf(facts: readonly Fact[], id: FactId): FactId {
  const { source } = facts[id]!;
  return source.kind === 'list' && source.of.kind !== 'value' ? source.of.fact : id;
}

/** Sorted, without doubles. A field counts as its collection. */
export function readsOf(expr: Expr, context: ReadingContext): readonly FactId[] {
  const facts = new Set<FactId>();
  collect(expr, context, facts);
  return sorted(facts);
}

export function readsOfModelExpr(when: ModelExpr, context: ReadingContext): readonly FactId[] {
  if (when.kind === 'all') return readsOf(when.expr, context);
  const facts = new Set<FactId>();
  if (context.chosenModel !== undefined) facts.add(context.chosenModel);
  for (const expr of when.exprs) collect(expr, context, facts);
  return sorted(facts);
}

function sorted(facts: ReadonlySet<FactId>): readonly FactId[] {
  return [...facts].sort((a, b) => a - b);
}

function collect(expr: Expr, context: ReadingContext, facts: Set<FactId>): void {
  switch (expr.kind) {
    case 'const':
      return;
    case 'not':
      return collect(expr.of, context, facts);
    case 'and':
    case 'or':
      for (const part of expr.of) collect(part, context, facts);
      return;
    case 'known':
    case 'is_true':
      return operand(expr.fact);
    case 'compare':
    case 'text_equals':
    case 'overlaps':
    case 'subset':
      operand(expr.left);
      return operand(expr.right);
    case 'text_contains':
      return operand(expr.text);
    case 'in_hours':
      return operand(expr.time);
    case 'contains':
      operand(expr.set);
      return operand(expr.member);
    case 'some':
    case 'every':
      facts.add(expr.collection);
      return collect(expr.body, context, facts);
  }

  function operand(read: FactRef | Operand | TextOperand | SetOperand): void {
    if (read.kind === 'fact') facts.add(read.fact);
    else if (read.kind === 'field') facts.add(read.collection);
    else if (read.kind === 'classification') for (const fact of context.classification) facts.add(fact);
  }
}
