/**
 * Comparisons of sets: enum members are bits, texts are pairs of address and bytes that the kernel's helpers run over.
 */
import type { FactRef, SetOperand, TextOperand } from '../plan/plan.ts';
import { wordsOf } from './bits.ts';
import {
  address,
  count,
  guarded,
  highBits,
  known,
  membersOf,
  type Place,
  placeOf,
  type Scope,
  shared,
  value,
} from './place.ts';
import { ask, every, some } from './policy-code.ts';
import { textOf } from './text-conditions.ts';
import type { Code } from './instructions.ts';

export function contains(set: FactRef, member: TextOperand, scope: Scope): Code {
  const { i32 } = scope.code.module;
  const place = placeOf(set, scope);
  if (place === undefined) return i32.const(0);
  if (member.kind === 'text') return overlaps(set, { kind: 'members', values: [member.value] }, scope);
  const other = placeOf(member, scope);
  if (other === undefined) return i32.const(0);
  return guarded([place, other], scope, () => {
    const text = textOf(other, scope);
    if (text === undefined) return i32.const(0);
    if (place.type.kind === 'text_set')
      return ask(scope.code, 'set_has', [address(place, scope), count(place, scope), text.address, text.bytes]);
    return place.type.kind === 'enum_set'
      ? ask(scope.code, 'bits_have', [
          ...bits(place, scope),
          ...names(place.type.enum, scope),
          text.address,
          text.bytes,
        ])
      : i32.const(0);
  });
}

export function overlaps(left: FactRef, right: SetOperand, scope: Scope): Code {
  const { i32, i64 } = scope.code.module;
  const place = placeOf(left, scope);
  if (place === undefined) return i32.const(0);
  if (right.kind === 'members') {
    if (place.type.kind === 'enum_set') {
      const [low, high] = constantBits(place.type.enum, right.values, scope);
      return every(scope.code, [
        known(place, scope),
        isAny(
          i64.and(value(place, scope), i64.const(low)),
          high === 0n ? undefined : i64.and(highBits(place, scope), i64.const(high)),
          scope,
        ),
      ]);
    }
    return place.type.kind === 'text_set'
      ? guarded([place], scope, () =>
          ask(scope.code, 'sets_overlap', [...pairs(place, scope), ...constantPairs(right.values, scope)]),
        )
      : i32.const(0);
  }
  const other = placeOf(right, scope);
  if (other === undefined) return i32.const(0);
  return guarded([place, other], scope, () => {
    const [a, b] = place.type.kind === 'text_set' ? [other, place] : [place, other];
    if (a.type.kind === 'text_set' && b.type.kind === 'text_set')
      return ask(scope.code, 'sets_overlap', [...pairs(a, scope), ...pairs(b, scope)]);
    if (a.type.kind !== 'enum_set') return i32.const(0);
    if (b.type.kind === 'text_set')
      return ask(scope.code, 'bits_overlap', [...bits(a, scope), ...names(a.type.enum, scope), ...pairs(b, scope)]);
    if (b.type.kind !== 'enum_set') return i32.const(0);
    if (a.type.enum === b.type.enum)
      return isAny(i64.and(value(a, scope), value(b, scope)), i64.and(highBits(a, scope), highBits(b, scope)), scope);
    return some(
      scope.code,
      shared(a.type.enum, b.type.enum, scope).map(([x, y]) => i32.and(hasBit(a, x, scope), hasBit(b, y, scope))),
    );
  });
}

export function subset(left: FactRef, right: SetOperand, scope: Scope): Code {
  const { i32, i64 } = scope.code.module;
  const place = placeOf(left, scope);
  if (place === undefined) return i32.const(0);
  const isNone = (low: Code, high: Code) => i32.eqz(isAny(low, high, scope));
  if (right.kind === 'members') {
    if (place.type.kind === 'enum_set') {
      const [low, high] = constantBits(place.type.enum, right.values, scope);
      return every(scope.code, [
        known(place, scope),
        isNone(i64.and(value(place, scope), i64.const(~low)), i64.and(highBits(place, scope), i64.const(~high))),
      ]);
    }
    return place.type.kind === 'text_set'
      ? guarded([place], scope, () =>
          ask(scope.code, 'set_within', [...pairs(place, scope), ...constantPairs(right.values, scope)]),
        )
      : i32.const(0);
  }
  const other = placeOf(right, scope);
  if (other === undefined) return i32.const(0);
  return guarded([place, other], scope, () => {
    if (place.type.kind === 'text_set') {
      if (other.type.kind === 'text_set')
        return ask(scope.code, 'set_within', [...pairs(place, scope), ...pairs(other, scope)]);
      return other.type.kind === 'enum_set'
        ? ask(scope.code, 'set_within_bits', [
            ...pairs(place, scope),
            ...bits(other, scope),
            ...names(other.type.enum, scope),
          ])
        : i32.const(0);
    }
    if (place.type.kind !== 'enum_set') return i32.const(0);
    const own = place.type.enum;
    if (other.type.kind === 'text_set')
      return ask(scope.code, 'bits_within', [...bits(place, scope), ...names(own, scope), ...pairs(other, scope)]);
    if (other.type.kind !== 'enum_set') return i32.const(0);
    const outside = (a: Code, b: Code) => i64.and(a, i64.xor(b, i64.const(-1n)));
    if (own === other.type.enum)
      return isNone(
        outside(value(place, scope), value(other, scope)),
        outside(highBits(place, scope), highBits(other, scope)),
      );
    const twins = new Map(shared(own, other.type.enum, scope));
    return every(
      scope.code,
      membersOf(own, scope).map((_, at) => {
        const twin = twins.get(at);
        const isIn = twin === undefined ? i32.const(0) : hasBit(other, twin, scope);
        return i32.or(i32.eqz(hasBit(place, at, scope)), isIn);
      }),
    );
  });
}

/** Some bit of one or two words is set. */
function isAny(low: Code, high: Code | undefined, { code }: Scope): Code {
  const { i64 } = code.module;
  return i64.ne(high === undefined ? low : i64.or(low, high), i64.const(0n));
}

function hasBit(place: Place, at: number, scope: Scope): Code {
  const { i32, i64 } = scope.code.module;
  const word = at < 64 ? value(place, scope) : highBits(place, scope);
  return i32.and(i32.wrap(i64.shr_u(word, i64.const(BigInt(at & 63)))), i32.const(1));
}

function bits(place: Place, scope: Scope): readonly [Code, Code] {
  return [value(place, scope), highBits(place, scope)];
}

function pairs(place: Place, scope: Scope): readonly [Code, Code] {
  return [address(place, scope), count(place, scope)];
}

/** The members of an enum, for helpers that compare names. */
function names(name: string, { code }: Scope): readonly [Code, Code] {
  const members = code.plan.enums.find((type) => type.name === name)?.members ?? [];
  return [code.module.i32.const(code.writer.texts(members)), code.module.i32.const(members.length)];
}

function constantPairs(values: readonly string[], { code }: Scope): readonly [Code, Code] {
  return [code.module.i32.const(code.writer.texts(values)), code.module.i32.const(values.length)];
}

function constantBits(name: string, values: readonly string[], scope: Scope): readonly [bigint, bigint] {
  const members = membersOf(name, scope);
  const [low, high] = wordsOf(
    values.map((each) => members.indexOf(each)).filter((at) => at >= 0),
    128,
  );
  return [low!, high!];
}
