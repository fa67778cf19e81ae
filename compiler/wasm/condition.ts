/**
 * Conditions as instructions: an `Expr` becomes an i32 that is 0 or 1. What reads a value that is not known is 0. Only
 * texts, sets and collections loop, in the kernel's helpers or in a loop of their own.
 */
import { SLOT_BYTES } from '../../filters/kernel/abi.ts';
import type { Expr, FactType, Operand } from '../plan/plan.ts';
import { address, count, guarded, known, membersOf, placeOf, type Scope, value } from './place.ts';
import { ask, every, valueOf } from './policy-code.ts';
import { contains, overlaps, subset } from './set-conditions.ts';
import { textContains, textEquals } from './text-conditions.ts';
import { type Code, I32 } from './instructions.ts';

export function condition(expr: Expr, scope: Scope): Code {
  const { code } = scope;
  const { module } = code;
  const { i32 } = module;
  switch (expr.kind) {
    case 'const':
      return i32.const(expr.value ? 1 : 0);
    case 'not':
      return i32.eqz(condition(expr.of, scope));
    case 'and':
      return chain(
        expr.of,
        scope,
        (left, right, cheap) => (cheap ? i32.and(left, right) : module.if(left, right, i32.const(0))),
        1,
      );
    case 'or':
      return chain(
        expr.of,
        scope,
        (left, right, cheap) => (cheap ? i32.or(left, right) : module.if(left, i32.const(1), right)),
        0,
      );
    case 'known': {
      const place = placeOf(expr.fact, scope);
      return place === undefined ? i32.const(0) : known(place, scope);
    }
    case 'is_true': {
      const place = placeOf(expr.fact, scope);
      if (place?.type.kind !== 'bool') return i32.const(0);
      return every(code, [known(place, scope), i32.wrap(valueOf(code, place.base(), place.slot))]);
    }
    case 'compare':
      return compare(expr, scope);
    case 'text_equals':
      return textEquals(expr.left, expr.right, scope);
    case 'text_contains':
      return textContains(expr.text, expr.part, scope);
    case 'contains':
      return contains(expr.set, expr.member, scope);
    case 'overlaps':
      return overlaps(expr.left, expr.right, scope);
    case 'subset':
      return subset(expr.left, expr.right, scope);
    case 'in_hours':
      return inHours(expr, scope);
    case 'some':
    case 'every':
      return quantified(expr, scope);
  }
}

/** Left to right; what loops or calls is only evaluated when it decides. */
function chain(
  parts: readonly Expr[],
  scope: Scope,
  join: (left: Code, right: Code, cheap: boolean) => Code,
  empty: 0 | 1,
): Code {
  const { module } = scope.code;
  const [first, ...rest] = parts;
  if (first === undefined) return module.i32.const(empty);
  // Grouped to the right, so that a call is skipped by everything before it.
  if (rest.length === 0) return condition(first, scope);
  const isCheap = rest.every(isStraight);
  return join(condition(first, scope), chain(rest, scope, join, empty), isCheap);
}

/** Whether the condition is a few instructions without a call or a loop. */
function isStraight(expr: Expr): boolean {
  switch (expr.kind) {
    case 'const':
    case 'known':
    case 'is_true':
    case 'compare':
      return true;
    case 'not':
      return isStraight(expr.of);
    case 'and':
    case 'or':
      return expr.of.length <= 4 && expr.of.every(isStraight);
    default:
      return false;
  }
}

// -------------------------------------------------------------------------------------------------------------
// comparisons

const OPERATORS = { eq: 'eq', lt: 'lt_s', le: 'le_s', gt: 'gt_s', ge: 'ge_s' } as const;

function compare(expr: Extract<Expr, { kind: 'compare' }>, scope: Scope): Code {
  const { code } = scope;
  const left = number(expr.left, scope);
  const right = number(expr.right, scope);
  if (left === undefined || right === undefined) return code.module.i32.const(0);
  return every(code, [...left.known, ...right.known, code.module.i64[OPERATORS[expr.op]](left.value, right.value)]);
}

const COMPARABLE: ReadonlySet<FactType['kind']> = new Set(['number', 'date', 'enum']);

/** A number or rank, and what must hold for it to be one; undefined where it never is. */
function number(operand: Operand, scope: Scope): { readonly known: readonly Code[]; readonly value: Code } | undefined {
  const { module } = scope.code;
  switch (operand.kind) {
    case 'number':
      return { known: [], value: module.i64.const(BigInt(operand.value)) };
    case 'rank': {
      const rank = membersOf(operand.enum, scope).indexOf(operand.member);
      return rank < 0 ? undefined : { known: [], value: module.i64.const(BigInt(rank)) };
    }
    case 'classification': {
      const rank = scope.classification;
      return rank === undefined
        ? undefined
        : { known: [module.i32.ge_s(rank.get(), module.i32.const(0))], value: module.i64.extend_s(rank.get()) };
    }
    case 'fact':
    case 'field': {
      const place = placeOf(operand, scope);
      if (place === undefined || !COMPARABLE.has(place.type.kind)) return undefined;
      return { known: place.isKnown ? [] : [known(place, scope)], value: value(place, scope) };
    }
  }
}

function inHours({ time, hours }: Extract<Expr, { kind: 'in_hours' }>, scope: Scope): Code {
  const { code } = scope;
  const { i32 } = code.module;
  const place = placeOf(time, scope);
  const { zone, spans } = code.plan.hours[hours]!;
  const { offsets } = code.plan.zones[zone]!;
  const words = (values: readonly number[]): Code => i32.const(code.writer.longs(values));
  return place?.type.kind !== 'number'
    ? i32.const(0)
    : every(code, [
        known(place, scope),
        ask(code, 'in_hours', [
          value(place, scope),
          words(offsets.flatMap(({ from, minutes }) => [from, minutes])),
          i32.const(offsets.length),
          words(spans.flatMap(({ start, end }) => [start, end])),
          i32.const(spans.length),
        ]),
      ]);
}

// -------------------------------------------------------------------------------------------------------------
// collections

function quantified(expr: Extract<Expr, { kind: 'some' | 'every' }>, scope: Scope): Code {
  const { code, build } = scope;
  const { module } = code;
  const { i32 } = module;
  const place = placeOf({ kind: 'fact', fact: expr.collection }, scope);
  if (place?.type.kind !== 'collection') return i32.const(0);
  const width = place.type.fields.length * SLOT_BYTES;
  const isSome = expr.kind === 'some';
  const element = build.local(I32);
  const left = build.local(I32);
  const result = build.local(I32);
  const label = build.label();
  const body = condition(expr.body, { ...scope, elements: new Map(scope.elements).set(expr.collection, element) });
  return guarded([place], scope, () =>
    module.block(null, [
      result.set(i32.const(isSome ? 0 : 1)),
      element.set(address(place, scope)),
      left.set(count(place, scope)),
      module.block(`${label}done`, [
        module.br_if(`${label}done`, i32.eqz(left.get())),
        module.loop(
          label,
          module.block(null, [
            module.if(
              isSome ? body : i32.eqz(body),
              module.block(null, [result.set(i32.const(isSome ? 1 : 0)), module.br(`${label}done`)]),
            ),
            element.set(i32.add(element.get(), i32.const(width))),
            left.set(i32.sub(left.get(), i32.const(1))),
            module.br_if(label, left.get()),
          ]),
        ),
      ]),
      result.get(),
    ]),
  );
}
