/** Which optional attributes certainly have a value when a condition is true, or when it is false. */
import type { ConditionNode } from '../syntax-tree.ts';
import type { Context } from './context.ts';

/** Adds to `known` the paths that have a value whenever `node` is `truth`. */
export function knownWhen(
  context: Context,
  node: ConditionNode,
  truth: boolean,
  known: Set<string>,
  terms: readonly string[] = [],
): void {
  switch (node.kind) {
    case 'group':
      return knownWhen(context, node.inner, truth, known, terms);
    case 'not':
      return knownWhen(context, node.operand, !truth, known, terms);
    case 'and':
    case 'or':
      if ((node.kind === 'and') === truth)
        for (const operand of node.operands) knownWhen(context, operand, truth, known, terms);
      return;
    case 'relation': {
      const [first] = node.left.parts;
      if (node.relation.kind === 'known' && node.negated !== truth) known.add(pathText(node));
      if (
        node.relation.kind !== 'holds' ||
        node.left.parts.length !== 1 ||
        first === undefined ||
        terms.includes(first.text)
      )
        return;
      const term = context.named.term.get(first.text);
      if (term !== undefined) knownWhen(context, term.condition, truth, known, [...terms, first.text]);
      return;
    }
    case 'quantified':
    case 'switchOn':
      return;
  }
}

function pathText(node: Extract<ConditionNode, { kind: 'relation' }>): string {
  return node.left.parts.map((part) => part.text).join('.');
}
