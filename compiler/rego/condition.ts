/**
 * Conditions → Rego bodies. A body is a list of statements that must all hold; where Rego has no expression for a form
 * (`or` inside `and`, `not` of several statements) it becomes a helper rule. What is undefined is false, which is the
 * plan's own reading of values that are not known.
 */
import type { Expr, FactId, FactRef, Operand, SetOperand, TextOperand } from '../plan/plan.ts';
import { COMPARISONS } from '../plan/comparisons.ts';
import { readsOf } from '../plan/reads.ts';
import type { Names } from './names.ts';
import { identifier, indented, member, quoted, rule, setOf } from './text.ts';

/** Where conditions are written for: helpers are named after their owner and collected here. */
export interface ConditionScope {
  readonly names: Names;
  readonly owner: string;
  /** The rule that holds the rank of the event's classification. */
  readonly classification: string;
  readonly helpers: string[];
}

/** The alternatives of a condition: the rule that it guards is written once for each. None where it can never hold. */
export function alternatives(expr: Expr, scope: ConditionScope): readonly (readonly string[])[] {
  return alternativesWithin(expr, scope, NO_ELEMENTS);
}

/** Statements that hold together if and only if the condition does not. */
export function negation(expr: Expr, scope: ConditionScope): readonly string[] {
  return statements({ kind: 'not', of: expr }, scope, NO_ELEMENTS);
}

/** The variable that holds the element of each collection in hand; of two for one collection, the inner one. */
type Elements = ReadonlyMap<FactId, string>;
const NO_ELEMENTS: Elements = new Map();

function alternativesWithin(expr: Expr, scope: ConditionScope, elements: Elements): readonly (readonly string[])[] {
  if (expr.kind === 'or') return expr.of.flatMap((part) => alternativesWithin(part, scope, elements));
  if (expr.kind === 'const') return expr.value ? [[]] : [];
  return [statements(expr, scope, elements)];
}

/** Statements that hold together if and only if the condition holds. */
function statements(expr: Expr, scope: ConditionScope, elements: Elements): readonly string[] {
  switch (expr.kind) {
    case 'const':
      return [String(expr.value)];
    case 'and':
      return expr.of.flatMap((part) => (isTrue(part) ? [] : statements(part, scope, elements)));
    case 'or':
      return [helper('any', alternativesWithin(expr, scope, elements))];
    case 'not': {
      if (expr.of.kind === 'const') return [String(!expr.of.value)];
      if (expr.of.kind === 'not') return statements(expr.of.of, scope, elements);
      const inner = statements(expr.of, scope, elements);
      return inner.length === 1 && isNegatable(inner[0]!) && !mayBeUndefined(expr.of, scope.names)
        ? [`not ${inner[0]}`]
        : [`not ${helper('holds', [inner])}`];
    }
    case 'known':
      return [
        expr.fact.kind === 'fact' ? `${scope.names.fact(expr.fact.fact)}.state == "known"` : `_ = ${value(expr.fact)}`,
      ];
    case 'is_true':
      return [`${value(expr.fact)} == true`];
    case 'compare':
      if (expr.left.kind === 'number' && expr.right.kind === 'number')
        return [String(COMPARISONS[expr.op](expr.left.value, expr.right.value))];
      // A line that starts with a minus would go on from the line before it.
      return [
        isNegative(expr.left)
          ? `${number(expr.right)} ${MIRRORED[expr.op]} ${number(expr.left)}`
          : `${number(expr.left)} ${OPERATORS[expr.op]} ${number(expr.right)}`,
      ];
    case 'text_equals':
      return [`${text(expr.left)} == ${text(expr.right)}`];
    case 'text_contains':
      return [`contains(${value(expr.text)}, ${scope.names.text(expr.part)})`];
    case 'contains':
      return [`${text(expr.member)} in ${value(expr.set)}`];
    case 'overlaps':
      return [`count(${value(expr.left)} & ${set(expr.right)}) > 0`];
    case 'subset':
      return [`count(${value(expr.left)} - ${set(expr.right)}) == 0`];
    case 'in_hours':
      return [`in_hours(data.writ.hours[${expr.hours}], ${value(expr.time)})`];
    case 'some': {
      const element = elementName(expr.collection);
      const body = statements(expr.body, scope, new Map(elements).set(expr.collection, element));
      // A helper of its own, so that its variables end with it.
      return [
        helper('some', [[`some ${mentioned(body, element)} in ${scope.names.fact(expr.collection)}.value`, ...body]]),
      ];
    }
    case 'every': {
      const element = elementName(expr.collection);
      const body = statements(expr.body, scope, new Map(elements).set(expr.collection, element));
      const lines = body.length === 0 ? ['true'] : body;
      return [
        helper('every', [
          [
            `every ${mentioned(lines, element)} in ${scope.names.fact(expr.collection)}.value {\n${lines.map(indented).join('\n')}\n}`,
          ],
        ]),
      ];
    }
  }

  /** A rule, or a function of the elements that it mentions, that holds if one of the bodies does. */
  function helper(what: string, bodies: readonly (readonly string[])[]): string {
    const variables = [...new Set(elements.values())].filter((element) =>
      bodies.some((body) => mentions(body, element)),
    );
    const name = scope.names.helper(scope.owner, what);
    const call = variables.length === 0 ? name : `${name}(${variables.join(', ')})`;
    const all = bodies.length === 0 ? [['false']] : bodies;
    // Not every body mentions every variable: OPA's strict mode wants the others unnamed.
    const heads = all.map((body) =>
      variables.length === 0
        ? name
        : `${name}(${variables.map((variable) => (mentions(body, variable) ? variable : '_')).join(', ')})`,
    );
    scope.helpers.push(all.map((body, at) => rule(heads[at]!, body.length === 0 ? ['true'] : body)).join('\n\n'));
    return call;
  }

  function elementName(collection: FactId): string {
    const depth =
      1 + Math.max(0, ...[...elements.values()].map((name) => Number(name.slice(name.lastIndexOf('_') + 1))));
    return `${identifier('each', ...scope.names.plan.facts[collection]!.path)}_${depth}`;
  }

  function value(ref: FactRef): string {
    if (ref.kind === 'fact') return `${scope.names.fact(ref.fact)}.value`;
    const type = scope.names.plan.facts[ref.collection]!.type;
    const name = type.kind === 'collection' ? type.fields[ref.field]!.name : '';
    return `${elements.get(ref.collection)}${member(name)}`;
  }

  function number(operand: Operand): string {
    switch (operand.kind) {
      case 'number':
        return String(operand.value);
      case 'rank':
        return `ranks${member(operand.enum)}${member(operand.member)}`;
      case 'classification':
        return scope.classification;
      case 'fact':
      case 'field': {
        const enumName = enumOf(operand);
        return enumName === null ? value(operand) : `ranks${member(enumName)}[${value(operand)}]`;
      }
    }
  }

  function text(operand: TextOperand): string {
    return operand.kind === 'text' ? scope.names.text(operand.value) : value(operand);
  }

  function set(operand: SetOperand): string {
    return operand.kind === 'members' ? setOf(operand.values.map((each) => scope.names.text(each))) : value(operand);
  }

  function enumOf(ref: FactRef): string | null {
    const type = scope.names.plan.facts[ref.kind === 'fact' ? ref.fact : ref.collection]!.type;
    const read = ref.kind === 'field' && type.kind === 'collection' ? type.fields[ref.field]!.type : type;
    return read.kind === 'enum' ? read.enum : null;
  }
}

const OPERATORS = { eq: '==', lt: '<', le: '<=', gt: '>', ge: '>=' } as const;
const MIRRORED = { eq: '==', lt: '>', le: '>=', gt: '<', ge: '<=' } as const;

function isNegative(operand: Operand): boolean {
  return operand.kind === 'number' && operand.value < 0;
}

/**
 * `not` over a call or comparison with an undefined operand is itself undefined in Rego; over a rule that is not
 * defined it is true. So what may be unknown is negated through a helper rule.
 */
function mayBeUndefined(expr: Expr, names: Names): boolean {
  const isOptional = (fact: FactId): boolean => {
    const { absent, type } = names.plan.facts[fact]!;
    return absent.kind === 'unknown' || (type.kind === 'collection' && type.fields.some(({ optional }) => optional));
  };
  return (
    !(expr.kind === 'known' && expr.fact.kind === 'fact') && readsOf(expr, { classification: [] }).some(isOptional)
  );
}

function isTrue(expr: Expr): boolean {
  return expr.kind === 'const' && expr.value;
}

function isNegatable(statement: string): boolean {
  return !/^(not|some|every) /.test(statement);
}

function mentions(body: readonly string[], variable: string): boolean {
  return body.some((statement) => new RegExp(`\\b${variable}\\b`).test(statement));
}

function mentioned(body: readonly string[], variable: string): string {
  return mentions(body, variable) ? variable : '_';
}
