/** Where values stand: the facts block and the elements of collections, and how a slot is read. */
import { FACT_KNOWN, SLOT_AUX, SLOT_BYTES, SLOT_VALUE, SLOT_VALUE2 } from '../../filters/kernel/abi.ts';
import type { FactId, FactRef, FactType } from '../plan/plan.ts';
import type { FunctionBuilder, Local } from './function-builder.ts';
import { every, type PolicyCode, stateOf, valueOf } from './policy-code.ts';
import type { Code } from './instructions.ts';

/** Where a condition is evaluated. */
export interface Scope {
  readonly code: PolicyCode;
  readonly build: FunctionBuilder;
  /** The facts block. */
  readonly facts: Local;
  /** The rank of the classification, negative where it has failed; absent outside the events that are classified. */
  readonly classification?: Local;
  /** The element in hand of each enclosing `some` and `every`. */
  readonly elements?: ReadonlyMap<FactId, Local>;
}

/** A fact or field: its block, its slot there, and its type. */
export interface Place {
  readonly base: () => Code;
  readonly slot: number;
  readonly type: FactType;
  /** It always has a value: a field of an element that is not optional. */
  readonly isKnown: boolean;
}

export function placeOf(ref: FactRef, scope: Scope): Place | undefined {
  const { plan } = scope.code;
  if (ref.kind === 'fact') {
    const fact = plan.facts[ref.fact];
    return fact === undefined ? undefined : { base: scope.facts.get, slot: fact.id, type: fact.type, isKnown: false };
  }
  const element = scope.elements?.get(ref.collection);
  const type = plan.facts[ref.collection]?.type;
  const field = type?.kind === 'collection' ? type.fields[ref.field] : undefined;
  return element === undefined || field === undefined
    ? undefined
    : { base: element.get, slot: ref.field, type: field.type, isKnown: field.optional !== true };
}

export function known(place: Place, { code }: Scope): Code {
  return place.isKnown
    ? code.module.i32.const(1)
    : code.module.i32.eq(stateOf(code, place.base(), place.slot), code.module.i32.const(FACT_KNOWN));
}

export function slotAddress(place: Place, { code }: Scope): Code {
  return code.module.i32.add(place.base(), code.module.i32.const(place.slot * SLOT_BYTES));
}

export function value(place: Place, { code }: Scope): Code {
  return valueOf(code, place.base(), place.slot);
}

/** The low word of the value: an address. */
export function address(place: Place, { code }: Scope): Code {
  return code.module.i32.load(place.slot * SLOT_BYTES + SLOT_VALUE, 4, place.base());
}

/** Bytes of a text, members of a set, elements of a collection. */
export function count(place: Place, { code }: Scope): Code {
  return code.module.i32.load(place.slot * SLOT_BYTES + SLOT_AUX, 4, place.base());
}

export function highBits(place: Place, { code }: Scope): Code {
  return code.module.i64.load(place.slot * SLOT_BYTES + SLOT_VALUE2, 8, place.base());
}

export function membersOf(name: string, { code }: Scope): readonly string[] {
  return code.plan.enums.find((type) => type.name === name)?.members ?? [];
}

/** The condition where all places are known, else 0; not evaluated otherwise, because it follows addresses. */
export function guarded(places: readonly Place[], scope: Scope, holds: () => Code): Code {
  const { module } = scope.code;
  const conditions = places.filter((place) => !place.isKnown).map((place) => known(place, scope));
  return conditions.length === 0 ? holds() : module.if(every(scope.code, conditions), holds(), module.i32.const(0));
}

/** Ordinals, in two enums, of the members that they share by name. */
export function shared(left: string, right: string, scope: Scope): readonly (readonly [number, number])[] {
  const others = membersOf(right, scope);
  return membersOf(left, scope).flatMap((member, at) =>
    others.includes(member) ? [[at, others.indexOf(member)] as const] : [],
  );
}
