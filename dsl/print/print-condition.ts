/** Conditions and the leaves as text. Parentheses are those that were written: they are nodes. */
import { quote } from '../lexer.ts';
import type * as Tree from '../syntax-tree.ts';

export const LINE_WIDTH = 100;

type Printers<N extends { readonly kind: string }> = {
  readonly [K in N['kind']]: (node: Extract<N, { readonly kind: K }>) => string;
};

export function printWith<N extends { readonly kind: string }>(printers: Printers<N>, node: N): string {
  const print: (node: never) => string = printers[node.kind as N['kind']];
  return print(node as never);
}

/**
 * `first` is the width that stands before it on its line; a condition that does not fit is broken at its `and` or `or`.
 */
export function printCondition(node: Tree.ConditionNode, first: number): string {
  const text = condition(node);
  if (first + text.length <= LINE_WIDTH || (node.kind !== 'and' && node.kind !== 'or')) return text;
  return node.operands
    .map((operand, index) => (index === 0 ? condition(operand) : `  ${node.kind} ${condition(operand)}`))
    .join('\n');
}

function condition(node: Tree.ConditionNode): string {
  return printWith<Tree.ConditionNode>(CONDITIONS, node);
}

const CONDITIONS: Printers<Tree.ConditionNode> = {
  and: (node) => node.operands.map(condition).join(' and '),
  or: (node) => node.operands.map(condition).join(' or '),
  not: (node) => `not (${condition(node.operand)})`,
  group: (node) => `(${condition(node.inner)})`,
  quantified: (node) =>
    `${node.quantifier} ${node.variable.text} in ${path(node.collection)} has (${condition(node.body)})`,
  switchOn: (node) => `switch ${node.name.text}`,
  relation: (node) => {
    const right = printWith<Tree.Relation>(RELATIONS, node.relation);
    if (node.relation.kind === 'holds') return path(node.left);
    if (node.relation.kind === 'contains' || node.relation.kind === 'overlaps') return `${path(node.left)} ${right}`;
    return `${path(node.left)} is ${node.negated ? 'not ' : ''}${right}`;
  },
};

const OPERATORS = { is: '', atLeast: 'at least ', atMost: 'at most ', above: 'above ', below: 'below ' } as const;

const RELATIONS: Printers<Tree.Relation> = {
  holds: () => '',
  known: () => 'known',
  unredacted: () => 'unredacted',
  oneOf: (node) => `one of (${node.values.map(literal).join(', ')})`,
  inList: (node) => `in ${node.list.text}`,
  inHours: (node) => `in hours ${node.hours.text}`,
  approvedBy: (node) => `approved by ${node.reviewers.text}`,
  compare: (node) => OPERATORS[node.operator] + literal(node.right),
  subsetOf: (node) => `subset of ${literal(node.right)}`,
  contains: (node) => {
    const values = node.any ? `any of (${node.values.map(literal).join(', ')})` : node.values.map(literal).join(', ');
    return `contains ${values}${node.includingRestored ? ' including restored' : ''}`;
  },
  overlaps: (node) => `overlaps ${literal(node.right)}`,
};

const LITERALS: Printers<Tree.Literal | Tree.Path> = {
  name: (node) => node.text,
  text: (node) => quote(node.value),
  number: (node) => node.text,
  boolean: (node) => String(node.value),
  date: (node) => node.text,
  quantity: (node) => `${node.number.text} ${node.unit.text}`,
  price: (node) => `${literal(node.amount)} per ${literal(node.per)}`,
  set: (node) => `{${node.elements.map(literal).join(', ')}}`,
  path: (node) => path(node),
};

export function literal(node: Tree.Literal | Tree.Path): string {
  return printWith<Tree.Literal | Tree.Path>(LITERALS, node);
}

export function path(node: Tree.Path): string {
  return node.parts.map((part) => part.text).join('.');
}
