/** Comparisons of texts and of the names of enum members. */
import type { FactRef, TextOperand } from '../plan/plan.ts';
import {
  address,
  count,
  guarded,
  known,
  membersOf,
  type Place,
  placeOf,
  type Scope,
  shared,
  slotAddress,
  value,
} from './place.ts';
import { ask, every, some } from './policy-code.ts';
import type { Code } from './instructions.ts';

export function textEquals(left: TextOperand, right: TextOperand, scope: Scope): Code {
  const { i32 } = scope.code.module;
  if (left.kind === 'text')
    return right.kind === 'text' ? i32.const(left.value === right.value ? 1 : 0) : textEquals(right, left, scope);
  const place = placeOf(left, scope);
  if (place === undefined) return i32.const(0);
  if (right.kind === 'text') return every(scope.code, [known(place, scope), isConstant(place, right.value, scope)]);
  const other = placeOf(right, scope);
  if (other === undefined) return i32.const(0);
  return guarded([place, other], scope, () => isSame(place, other, scope));
}

function isConstant(place: Place, text: string, scope: Scope): Code {
  const { i32, i64 } = scope.code.module;
  if (place.type.kind === 'text') {
    const constant = scope.code.writer.intern(text);
    return ask(scope.code, 'text_is', [
      slotAddress(place, scope),
      i32.const(constant.address),
      i32.const(constant.bytes),
    ]);
  }
  if (place.type.kind !== 'enum') return i32.const(0);
  const ordinal = membersOf(place.type.enum, scope).indexOf(text);
  return ordinal < 0 ? i32.const(0) : i64.eq(value(place, scope), i64.const(BigInt(ordinal)));
}

function isSame(left: Place, right: Place, scope: Scope): Code {
  const { i32, i64 } = scope.code.module;
  if (left.type.kind === 'enum' && right.type.kind === 'text') return isSame(right, left, scope);
  if (left.type.kind === 'text') {
    const text = textOf(right, scope);
    return text === undefined
      ? i32.const(0)
      : ask(scope.code, 'text_is', [slotAddress(left, scope), text.address, text.bytes]);
  }
  if (left.type.kind !== 'enum' || right.type.kind !== 'enum') return i32.const(0);
  if (left.type.enum === right.type.enum) return i64.eq(value(left, scope), value(right, scope));
  return some(
    scope.code,
    shared(left.type.enum, right.type.enum, scope).map(([a, b]) =>
      i32.and(i64.eq(value(left, scope), i64.const(BigInt(a))), i64.eq(value(right, scope), i64.const(BigInt(b)))),
    ),
  );
}

/** Address and bytes of a text, or of the name of an enum's member. */
export function textOf(place: Place, scope: Scope): { readonly address: Code; readonly bytes: Code } | undefined {
  const { i32 } = scope.code.module;
  if (place.type.kind === 'text') return { address: address(place, scope), bytes: count(place, scope) };
  if (place.type.kind !== 'enum') return undefined;
  const names = scope.code.writer.texts(membersOf(place.type.enum, scope));
  const record = () => i32.add(i32.const(names), i32.shl(address(place, scope), i32.const(3)));
  return { address: i32.load(0, 4, record()), bytes: i32.load(4, 4, record()) };
}

export function textContains(ref: FactRef, part: string, scope: Scope): Code {
  const { i32, i64 } = scope.code.module;
  const place = placeOf(ref, scope);
  if (place?.type.kind === 'text') {
    const constant = scope.code.writer.intern(part);
    return guarded([place], scope, () =>
      ask(scope.code, 'text_contains', [
        slotAddress(place, scope),
        i32.const(constant.address),
        i32.const(constant.bytes),
      ]),
    );
  }
  if (place?.type.kind !== 'enum') return i32.const(0);
  const ordinals = membersOf(place.type.enum, scope).flatMap((member, at) => (member.includes(part) ? [at] : []));
  return every(scope.code, [
    known(place, scope),
    some(
      scope.code,
      ordinals.map((at) => i64.eq(value(place, scope), i64.const(BigInt(at)))),
    ),
  ]);
}
