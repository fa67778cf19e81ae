/** Conditions: connectives, terms, quantifiers. Relations are in `relations.ts`. */
import { diagnostic, help } from '../diagnostic.ts';
import type { Condition } from '../program.ts';
import type { Span } from '../source.ts';
import type { ConditionNode, Name } from '../syntax-tree.ts';
import { attributeOf, isRoot, reportUnknownFact } from './attributes.ts';
import type { ConditionScope } from './condition-scope.ts';
import { report, resolve } from './context.ts';
import { knownWhen } from './known.ts';
import { checkRelation } from './relations.ts';

export const CONDITION_PARTS_MAX = 10_000;

/** Null, and reported, if something in it is wrong. */
export function checkCondition(scope: ConditionScope, node: ConditionNode): Condition | null {
  scope.size.parts += 1;
  if (scope.size.parts > CONDITION_PARTS_MAX) {
    if (scope.size.parts === CONDITION_PARTS_MAX + 1) {
      report(
        scope.context,
        diagnostic(
          'E0211',
          scope.usedAt ?? node.span,
          `this condition has more than ${CONDITION_PARTS_MAX} parts once its terms are substituted`,
        ),
      );
    }
    return null;
  }
  const span = scope.usedAt ?? node.span;
  switch (node.kind) {
    case 'and':
    case 'or': {
      if (bareAlternatives(scope, node)) return null;
      const known = new Set(scope.known);
      for (const operand of node.operands) knownWhen(scope.context, operand, node.kind === 'and', known);
      const operands = node.operands.map((operand) => checkCondition({ ...scope, known }, operand));
      const whole = operands.filter((operand) => operand !== null);
      return whole.length === operands.length ? { kind: node.kind, operands: flat(node.kind, whole), span } : null;
    }
    case 'not': {
      const operand = checkCondition(scope, node.operand);
      return operand === null ? null : { kind: 'not', operand, span };
    }
    case 'group':
      return checkCondition(scope, node.inner);
    case 'switchOn': {
      const found = resolve(scope.context, 'switch', node.name);
      if (found === null) return null;
      return { kind: 'switch', switch: node.name.text, span };
    }
    case 'quantified':
      return checkQuantified(scope, node, span);
    case 'relation': {
      const [first] = node.left.parts;
      if (
        node.relation.kind === 'holds' &&
        node.left.parts.length === 1 &&
        first !== undefined &&
        !scope.variables.has(first.text) &&
        !isRoot(first.text)
      ) {
        return substituteTerm(scope, first.text, node.left.span);
      }
      return checkRelation(scope, node);
    }
  }
}

/** `caller.branch is graz or linz`, which is no condition: each side of `or` stands by itself. Reported if so. */
function bareAlternatives(scope: ConditionScope, node: Extract<ConditionNode, { kind: 'and' | 'or' }>): boolean {
  for (const [index, head] of node.operands.entries()) {
    if (head.kind !== 'relation' || head.relation.kind !== 'compare' || head.relation.operator !== 'is') continue;
    if (node.kind === 'and' && !head.negated) continue;
    const right = head.relation.right;
    const first = right.kind === 'path' && right.parts.length === 1 ? right.parts[0] : undefined;
    const after = node.operands.slice(index + 1).map((operand) => bareName(scope, operand));
    const end = after.indexOf(null);
    const names = (end < 0 ? after : after.slice(0, end)).filter((name) => name !== null);
    const last = names.at(-1);
    const [alone] = names;
    if (first === undefined || alone === undefined || last === undefined) continue;
    const kinds = [
      scope.context.named.model,
      ...[...scope.context.typed.enums.values()].map((each) => new Set(each.members)),
    ];
    if (!kinds.some((kind) => [first, ...names].every((name) => kind.has(name.text)))) continue;
    const meant = `one of (${[first, ...names].map((name) => name.text).join(', ')})`;
    const whole = { ...right.span, end: last.span.end };
    report(
      scope.context,
      diagnostic('E0201', scope.usedAt ?? alone.span, `\`${alone.text}\` is not a condition by itself`, {
        help: [
          {
            message: `write \`is ${head.negated ? 'not ' : ''}${meant}\``,
            edits: scope.usedAt === null ? [{ span: whole, text: meant }] : [],
          },
        ],
      }),
    );
    return true;
  }
  return false;
}

/** Of a condition that is a name alone, and no term or fact. */
function bareName(scope: ConditionScope, node: ConditionNode): Name | null {
  const name =
    node.kind === 'relation' && node.relation.kind === 'holds' && node.left.parts.length === 1
      ? node.left.parts[0]
      : undefined;
  if (
    name === undefined ||
    scope.variables.has(name.text) ||
    isRoot(name.text) ||
    scope.context.named.term.has(name.text)
  )
    return null;
  return scope.context.brokenNames.has(`term ${name.text}`) ? null : name;
}

/** `a and (b and c)` is one conjunction. */
function flat(kind: 'and' | 'or', operands: readonly Condition[]): Condition[] {
  return operands.flatMap((operand) => (operand.kind === kind ? operand.operands : [operand]));
}

function substituteTerm(scope: ConditionScope, name: string, span: Span): Condition | null {
  const at = scope.usedAt ?? span;
  scope.context.used.add(`term ${name}`);
  const term = scope.context.named.term.get(name);
  if (term === undefined) {
    reportUnknownFact(scope, name, at);
    return null;
  }
  // `names.ts` reports the circle itself.
  if (scope.terms.includes(name)) return null;
  return checkCondition({ ...scope, usedAt: at, terms: [...scope.terms, name], variables: new Map() }, term.condition);
}

function checkQuantified(
  scope: ConditionScope,
  node: Extract<ConditionNode, { kind: 'quantified' }>,
  span: Span,
): Condition | null {
  const collection = attributeOf(scope, node.collection);
  if (collection === null) return null;
  const { type } = collection;
  if (type.kind !== 'collection') {
    report(
      scope.context,
      diagnostic(
        'E0314',
        scope.usedAt ?? node.collection.span,
        `\`${node.quantifier}\` runs over a collection, and this is none`,
        {
          help: [help('the collections are `prompt.messages`, `completion.tool_calls` and `retrieval.chunks`')],
        },
      ),
    );
    return null;
  }
  const name = node.variable.text;
  if (isRoot(name) || scope.context.named.term.has(name) || scope.variables.has(name)) {
    report(
      scope.context,
      diagnostic('E0204', node.variable.span, `\`${name}\` means something else already`, {
        help: [help('choose another name for each single one, such as `m`')],
      }),
    );
    return null;
  }
  const body = checkCondition({ ...scope, variables: new Map([...scope.variables, [name, type.of]]) }, node.body);
  return body === null
    ? null
    : { kind: 'quantified', quantifier: node.quantifier, variable: name, collection, body, span };
}
