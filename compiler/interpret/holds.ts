/**
 * Whether a condition holds, given the states of the facts. A comparison that reads a value which is not known is
 * false.
 */
import type { Expr, FactId, FactRef, Operand, Plan, SetOperand, TextOperand } from '../plan/plan.ts';
import { COMPARISONS } from '../plan/comparisons.ts';
import { isInHours } from '../plan/hours.ts';
import type { Element, FactState, Scalar } from './read-facts.ts';

export interface Situation {
  readonly plan: Plan;
  readonly facts: readonly FactState[];
  /** The rank of the event's classification: of a prompt or a completion, and there only where it could be computed. */
  readonly classification?: number;
}

export function holds(expr: Expr, situation: Situation): boolean {
  return holdsWithin(expr, situation, new Map());
}

/** The element that each enclosing `some` and `every` has in hand, by collection; the innermost counts. */
type Elements = ReadonlyMap<FactId, Element>;

function holdsWithin(expr: Expr, situation: Situation, elements: Elements): boolean {
  switch (expr.kind) {
    case 'const':
      return expr.value;
    case 'not':
      return !holdsWithin(expr.of, situation, elements);
    case 'and':
      return expr.of.every((part) => holdsWithin(part, situation, elements));
    case 'or':
      return expr.of.some((part) => holdsWithin(part, situation, elements));
    case 'known':
      return scalar(expr.fact) !== undefined;
    case 'is_true':
      return scalar(expr.fact) === true;
    case 'compare': {
      const left = number(expr.left);
      const right = number(expr.right);
      return left !== undefined && right !== undefined && COMPARISONS[expr.op](left, right);
    }
    case 'text_equals': {
      const left = text(expr.left);
      return left !== undefined && left === text(expr.right);
    }
    case 'text_contains':
      return text(expr.text)?.includes(expr.part) ?? false;
    case 'contains': {
      const member = text(expr.member);
      return member !== undefined && (set(expr.set)?.includes(member) ?? false);
    }
    case 'overlaps': {
      const right = set(expr.right);
      return right !== undefined && (set(expr.left)?.some((member) => right.includes(member)) ?? false);
    }
    case 'subset': {
      const right = set(expr.right);
      return right !== undefined && (set(expr.left)?.every((member) => right.includes(member)) ?? false);
    }
    case 'in_hours': {
      const time = scalar(expr.time);
      return typeof time === 'number' && isInHours(time, expr.hours, situation.plan);
    }
    case 'some':
      return (
        collection(expr.collection)?.some((element) =>
          holdsWithin(expr.body, situation, new Map(elements).set(expr.collection, element)),
        ) ?? false
      );
    case 'every':
      return (
        collection(expr.collection)?.every((element) =>
          holdsWithin(expr.body, situation, new Map(elements).set(expr.collection, element)),
        ) ?? false
      );
  }

  function scalar(ref: FactRef): Scalar | readonly Element[] | undefined {
    if (ref.kind === 'field') return elements.get(ref.collection)?.[ref.field];
    const fact = situation.facts[ref.fact];
    return fact?.state === 'known' ? fact.value : undefined;
  }

  function number(operand: Operand): number | undefined {
    switch (operand.kind) {
      case 'number':
        return operand.value;
      case 'rank':
        return rankOf(situation.plan, operand.enum, operand.member);
      case 'classification':
        return situation.classification;
      case 'fact':
      case 'field': {
        const value = scalar(operand);
        if (typeof value === 'number') return value;
        const name = enumOf(situation.plan, operand);
        return typeof value === 'string' && name !== undefined ? rankOf(situation.plan, name, value) : undefined;
      }
    }
  }

  function text(operand: TextOperand): string | undefined {
    const value = operand.kind === 'text' ? operand.value : scalar(operand);
    return typeof value === 'string' ? value : undefined;
  }

  function set(operand: SetOperand): readonly string[] | undefined {
    const value = operand.kind === 'members' ? operand.values : scalar(operand);
    return Array.isArray(value) ? value : undefined;
  }

  function collection(fact: FactId): readonly Element[] | undefined {
    const value = scalar({ kind: 'fact', fact });
    return Array.isArray(value) ? value : undefined;
  }
}

/** The position of a member in its enum. */
export function rankOf(plan: Plan, name: string, member: string): number | undefined {
  const rank = plan.enums.find((type) => type.name === name)?.members.indexOf(member) ?? -1;
  return rank < 0 ? undefined : rank;
}

function enumOf(plan: Plan, ref: FactRef): string | undefined {
  const type = plan.facts[ref.kind === 'fact' ? ref.fact : ref.collection]?.type;
  const read = ref.kind === 'field' && type?.kind === 'collection' ? type.fields[ref.field]?.type : type;
  return read?.kind === 'enum' ? read.enum : undefined;
}
