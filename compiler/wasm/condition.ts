/** Conditions as instructions: an `Expr` becomes an i32 that is 0 or 1. What reads a value that is not known is 0. Only texts, sets and collections loop, in the kernel's helpers or in a loop of their own. */
import { FACT_KNOWN, SLOT_AUX, SLOT_BYTES, SLOT_VALUE, SLOT_VALUE2 } from "../../filters/kernel/abi.ts";
import type { Expr, FactId, FactRef, FactType, Operand, SetOperand, TextOperand } from "../plan/plan.ts";
import { wordsOf } from "./bits.ts";
import type { Code, FunctionBuilder, Local } from "./function-builder.ts";
import { ask, every, I32, type PolicyCode, some, stateOf, valueOf } from "./policy-code.ts";

/** Where a condition is evaluated. */
export interface Scope {
  readonly code: PolicyCode;
  readonly build: FunctionBuilder;
  /** The facts block. */
  readonly facts: Local;
  /** The rank of the classification, negative where it has failed; absent outside a prompt. */
  readonly classification?: Local;
  /** The element in hand of each enclosing `some` and `every`. */
  readonly elements?: ReadonlyMap<FactId, Local>;
}

/** A fact or field: its block, its slot there, and its type. */
interface Place {
  readonly base: () => Code;
  readonly slot: number;
  readonly type: FactType;
  /** Fields of an element always have a value. */
  readonly isField: boolean;
}

export function condition(expr: Expr, scope: Scope): Code {
  const { code } = scope;
  const { module } = code;
  const { i32 } = module;
  switch (expr.kind) {
    case "const":
      return i32.const(expr.value ? 1 : 0);
    case "not":
      return i32.eqz(condition(expr.of, scope));
    case "and":
      return chain(expr.of, scope, (left, right, cheap) => (cheap ? i32.and(left, right) : module.if(left, right, i32.const(0))), 1);
    case "or":
      return chain(expr.of, scope, (left, right, cheap) => (cheap ? i32.or(left, right) : module.if(left, i32.const(1), right)), 0);
    case "known": {
      const place = placeOf(expr.fact, scope);
      return place === undefined ? i32.const(0) : known(place, scope);
    }
    case "is_true": {
      const place = placeOf(expr.fact, scope);
      if (place?.type.kind !== "bool") return i32.const(0);
      return every(code, [known(place, scope), i32.wrap(valueOf(code, place.base(), place.slot))]);
    }
    case "compare":
      return compare(expr, scope);
    case "text_equals":
      return textEquals(expr.left, expr.right, scope);
    case "text_contains":
      return textContains(expr.text, expr.part, scope);
    case "contains":
      return contains(expr.set, expr.member, scope);
    case "overlaps":
      return overlaps(expr.left, expr.right, scope);
    case "subset":
      return subset(expr.left, expr.right, scope);
    case "some":
    case "every":
      return quantified(expr, scope);
  }
}

/** Left to right; what loops or calls is only evaluated when it decides. */
function chain(parts: readonly Expr[], scope: Scope, join: (left: Code, right: Code, cheap: boolean) => Code, empty: 0 | 1): Code {
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
    case "const":
    case "known":
    case "is_true":
    case "compare":
      return true;
    case "not":
      return isStraight(expr.of);
    case "and":
    case "or":
      return expr.of.length <= 4 && expr.of.every(isStraight);
    default:
      return false;
  }
}

// ------------------------------------------------------------------------------------------------------------------ places

function placeOf(ref: FactRef, scope: Scope): Place | undefined {
  const { plan } = scope.code;
  if (ref.kind === "fact") {
    const fact = plan.facts[ref.fact];
    return fact === undefined ? undefined : { base: scope.facts.get, slot: fact.id, type: fact.type, isField: false };
  }
  const element = scope.elements?.get(ref.collection);
  const type = plan.facts[ref.collection]?.type;
  const field = type?.kind === "collection" ? type.fields[ref.field] : undefined;
  return element === undefined || field === undefined ? undefined : { base: element.get, slot: ref.field, type: field.type, isField: true };
}

function known(place: Place, { code }: Scope): Code {
  return place.isField ? code.module.i32.const(1) : code.module.i32.eq(stateOf(code, place.base(), place.slot), code.module.i32.const(FACT_KNOWN));
}

function slotAddress(place: Place, { code }: Scope): Code {
  return code.module.i32.add(place.base(), code.module.i32.const(place.slot * SLOT_BYTES));
}

function value(place: Place, { code }: Scope): Code {
  return valueOf(code, place.base(), place.slot);
}

/** The low word of the value: an address. */
function address(place: Place, { code }: Scope): Code {
  return code.module.i32.load(place.slot * SLOT_BYTES + SLOT_VALUE, 4, place.base());
}

/** Bytes of a text, members of a set, elements of a collection. */
function count(place: Place, { code }: Scope): Code {
  return code.module.i32.load(place.slot * SLOT_BYTES + SLOT_AUX, 4, place.base());
}

function highBits(place: Place, { code }: Scope): Code {
  return code.module.i64.load(place.slot * SLOT_BYTES + SLOT_VALUE2, 8, place.base());
}

function membersOf(name: string, { code }: Scope): readonly string[] {
  return code.plan.enums.find((type) => type.name === name)?.members ?? [];
}

// ------------------------------------------------------------------------------------------------------------- comparisons

const OPERATORS = { eq: "eq", lt: "lt_s", le: "le_s", gt: "gt_s", ge: "ge_s" } as const;

function compare(expr: Extract<Expr, { kind: "compare" }>, scope: Scope): Code {
  const { code } = scope;
  const left = number(expr.left, scope);
  const right = number(expr.right, scope);
  if (left === undefined || right === undefined) return code.module.i32.const(0);
  return every(code, [...left.known, ...right.known, code.module.i64[OPERATORS[expr.op]](left.value, right.value)]);
}

/** A number or rank, and what must hold for it to be one; undefined where it never is. */
function number(operand: Operand, scope: Scope): { readonly known: readonly Code[]; readonly value: Code } | undefined {
  const { module } = scope.code;
  switch (operand.kind) {
    case "number":
      return { known: [], value: module.i64.const(BigInt(operand.value)) };
    case "rank": {
      const rank = membersOf(operand.enum, scope).indexOf(operand.member);
      return rank < 0 ? undefined : { known: [], value: module.i64.const(BigInt(rank)) };
    }
    case "classification": {
      const rank = scope.classification;
      return rank === undefined ? undefined : { known: [module.i32.ge_s(rank.get(), module.i32.const(0))], value: module.i64.extend_s(rank.get()) };
    }
    case "fact":
    case "field": {
      const place = placeOf(operand, scope);
      if (place === undefined || (place.type.kind !== "number" && place.type.kind !== "enum")) return undefined;
      return { known: place.isField ? [] : [known(place, scope)], value: value(place, scope) };
    }
  }
}

// ------------------------------------------------------------------------------------------------------------------- texts

function textEquals(left: TextOperand, right: TextOperand, scope: Scope): Code {
  const { i32 } = scope.code.module;
  if (left.kind === "text") return right.kind === "text" ? i32.const(left.value === right.value ? 1 : 0) : textEquals(right, left, scope);
  const place = placeOf(left, scope);
  if (place === undefined) return i32.const(0);
  if (right.kind === "text") return every(scope.code, [known(place, scope), isConstant(place, right.value, scope)]);
  const other = placeOf(right, scope);
  if (other === undefined) return i32.const(0);
  return guarded([place, other], scope, () => isSame(place, other, scope));
}

function isConstant(place: Place, text: string, scope: Scope): Code {
  const { i32, i64 } = scope.code.module;
  if (place.type.kind === "text") {
    const constant = scope.code.writer.intern(text);
    return ask(scope.code, "text_is", [slotAddress(place, scope), i32.const(constant.address), i32.const(constant.bytes)]);
  }
  if (place.type.kind !== "enum") return i32.const(0);
  const ordinal = membersOf(place.type.enum, scope).indexOf(text);
  return ordinal < 0 ? i32.const(0) : i64.eq(value(place, scope), i64.const(BigInt(ordinal)));
}

function isSame(left: Place, right: Place, scope: Scope): Code {
  const { i32, i64 } = scope.code.module;
  if (left.type.kind === "enum" && right.type.kind === "text") return isSame(right, left, scope);
  if (left.type.kind === "text") {
    const text = textOf(right, scope);
    return text === undefined ? i32.const(0) : ask(scope.code, "text_is", [slotAddress(left, scope), text.address, text.bytes]);
  }
  if (left.type.kind !== "enum" || right.type.kind !== "enum") return i32.const(0);
  if (left.type.enum === right.type.enum) return i64.eq(value(left, scope), value(right, scope));
  return some(
    scope.code,
    shared(left.type.enum, right.type.enum, scope).map(([a, b]) =>
      i32.and(i64.eq(value(left, scope), i64.const(BigInt(a))), i64.eq(value(right, scope), i64.const(BigInt(b)))),
    ),
  );
}

/** Address and bytes of a text, or of the name of an enum's member. */
function textOf(place: Place, scope: Scope): { readonly address: Code; readonly bytes: Code } | undefined {
  const { i32 } = scope.code.module;
  if (place.type.kind === "text") return { address: address(place, scope), bytes: count(place, scope) };
  if (place.type.kind !== "enum") return undefined;
  const names = scope.code.writer.texts(membersOf(place.type.enum, scope));
  const record = () => i32.add(i32.const(names), i32.shl(address(place, scope), i32.const(3)));
  return { address: i32.load(0, 4, record()), bytes: i32.load(4, 4, record()) };
}

function textContains(ref: FactRef, part: string, scope: Scope): Code {
  const { i32, i64 } = scope.code.module;
  const place = placeOf(ref, scope);
  if (place?.type.kind === "text") {
    const constant = scope.code.writer.intern(part);
    return guarded([place], scope, () => ask(scope.code, "text_contains", [slotAddress(place, scope), i32.const(constant.address), i32.const(constant.bytes)]));
  }
  if (place?.type.kind !== "enum") return i32.const(0);
  const ordinals = membersOf(place.type.enum, scope).flatMap((member, at) => (member.includes(part) ? [at] : []));
  return every(scope.code, [known(place, scope), some(scope.code, ordinals.map((at) => i64.eq(value(place, scope), i64.const(BigInt(at)))))]);
}

/** The condition where all places are known, else 0; not evaluated otherwise, because it follows addresses. */
function guarded(places: readonly Place[], scope: Scope, holds: () => Code): Code {
  const { module } = scope.code;
  const conditions = places.filter((place) => !place.isField).map((place) => known(place, scope));
  return conditions.length === 0 ? holds() : module.if(every(scope.code, conditions), holds(), module.i32.const(0));
}

/** Ordinals, in two enums, of the members that they share by name. */
function shared(left: string, right: string, scope: Scope): readonly (readonly [number, number])[] {
  const others = membersOf(right, scope);
  return membersOf(left, scope).flatMap((member, at) => (others.includes(member) ? [[at, others.indexOf(member)] as const] : []));
}

// -------------------------------------------------------------------------------------------------------------------- sets

function contains(set: FactRef, member: TextOperand, scope: Scope): Code {
  const { i32 } = scope.code.module;
  const place = placeOf(set, scope);
  if (place === undefined) return i32.const(0);
  if (member.kind === "text") return overlaps(set, { kind: "members", values: [member.value] }, scope);
  const other = placeOf(member, scope);
  if (other === undefined) return i32.const(0);
  return guarded([place, other], scope, () => {
    const text = textOf(other, scope);
    if (text === undefined) return i32.const(0);
    if (place.type.kind === "text_set") return ask(scope.code, "set_has", [address(place, scope), count(place, scope), text.address, text.bytes]);
    return place.type.kind === "enum_set" ? ask(scope.code, "bits_have", [...bits(place, scope), ...names(place.type.enum, scope), text.address, text.bytes]) : i32.const(0);
  });
}

function overlaps(left: FactRef, right: SetOperand, scope: Scope): Code {
  const { i32, i64 } = scope.code.module;
  const place = placeOf(left, scope);
  if (place === undefined) return i32.const(0);
  if (right.kind === "members") {
    if (place.type.kind === "enum_set") {
      const [low, high] = constantBits(place.type.enum, right.values, scope);
      return every(scope.code, [known(place, scope), isAny(i64.and(value(place, scope), i64.const(low)), high === 0n ? undefined : i64.and(highBits(place, scope), i64.const(high)), scope)]);
    }
    return place.type.kind === "text_set" ? guarded([place], scope, () => ask(scope.code, "sets_overlap", [...pairs(place, scope), ...constantPairs(right.values, scope)])) : i32.const(0);
  }
  const other = placeOf(right, scope);
  if (other === undefined) return i32.const(0);
  return guarded([place, other], scope, () => {
    const [a, b] = place.type.kind === "text_set" ? [other, place] : [place, other];
    if (a.type.kind === "text_set" && b.type.kind === "text_set") return ask(scope.code, "sets_overlap", [...pairs(a, scope), ...pairs(b, scope)]);
    if (a.type.kind !== "enum_set") return i32.const(0);
    if (b.type.kind === "text_set") return ask(scope.code, "bits_overlap", [...bits(a, scope), ...names(a.type.enum, scope), ...pairs(b, scope)]);
    if (b.type.kind !== "enum_set") return i32.const(0);
    if (a.type.enum === b.type.enum) return isAny(i64.and(value(a, scope), value(b, scope)), i64.and(highBits(a, scope), highBits(b, scope)), scope);
    return some(scope.code, shared(a.type.enum, b.type.enum, scope).map(([x, y]) => i32.and(hasBit(a, x, scope), hasBit(b, y, scope))));
  });
}

function subset(left: FactRef, right: SetOperand, scope: Scope): Code {
  const { i32, i64 } = scope.code.module;
  const place = placeOf(left, scope);
  if (place === undefined) return i32.const(0);
  const isNone = (low: Code, high: Code) => i32.eqz(isAny(low, high, scope));
  if (right.kind === "members") {
    if (place.type.kind === "enum_set") {
      const [low, high] = constantBits(place.type.enum, right.values, scope);
      return every(scope.code, [known(place, scope), isNone(i64.and(value(place, scope), i64.const(~low)), i64.and(highBits(place, scope), i64.const(~high)))]);
    }
    return place.type.kind === "text_set" ? guarded([place], scope, () => ask(scope.code, "set_within", [...pairs(place, scope), ...constantPairs(right.values, scope)])) : i32.const(0);
  }
  const other = placeOf(right, scope);
  if (other === undefined) return i32.const(0);
  return guarded([place, other], scope, () => {
    if (place.type.kind === "text_set") {
      if (other.type.kind === "text_set") return ask(scope.code, "set_within", [...pairs(place, scope), ...pairs(other, scope)]);
      return other.type.kind === "enum_set" ? ask(scope.code, "set_within_bits", [...pairs(place, scope), ...bits(other, scope), ...names(other.type.enum, scope)]) : i32.const(0);
    }
    if (place.type.kind !== "enum_set") return i32.const(0);
    const own = place.type.enum;
    if (other.type.kind === "text_set") return ask(scope.code, "bits_within", [...bits(place, scope), ...names(own, scope), ...pairs(other, scope)]);
    if (other.type.kind !== "enum_set") return i32.const(0);
    const outside = (a: Code, b: Code) => i64.and(a, i64.xor(b, i64.const(-1n)));
    if (own === other.type.enum) return isNone(outside(value(place, scope), value(other, scope)), outside(highBits(place, scope), highBits(other, scope)));
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
  const [low, high] = wordsOf(values.map((each) => members.indexOf(each)).filter((at) => at >= 0), 128);
  return [low!, high!];
}

// ------------------------------------------------------------------------------------------------------------- collections

function quantified(expr: Extract<Expr, { kind: "some" | "every" }>, scope: Scope): Code {
  const { code, build } = scope;
  const { module } = code;
  const { i32 } = module;
  const place = placeOf({ kind: "fact", fact: expr.collection }, scope);
  if (place?.type.kind !== "collection") return i32.const(0);
  const width = place.type.fields.length * SLOT_BYTES;
  const isSome = expr.kind === "some";
  const element = build.local(I32);
  const left = build.local(I32);
  const result = build.local(I32);
  const label = build.label();
  const body = condition(expr.body, { ...scope, elements: new Map(scope.elements).set(expr.collection, element) });
  return guarded([place], scope, () =>
    module.block(
      null,
      [
        result.set(i32.const(isSome ? 0 : 1)),
        element.set(address(place, scope)),
        left.set(count(place, scope)),
        module.block(`${label}done`, [
          module.br_if(`${label}done`, i32.eqz(left.get())),
          module.loop(
            label,
            module.block(null, [
              module.if(isSome ? body : i32.eqz(body), module.block(null, [result.set(i32.const(isSome ? 1 : 0)), module.br(`${label}done`)])),
              element.set(i32.add(element.get(), i32.const(width))),
              left.set(i32.sub(left.get(), i32.const(1))),
              module.br_if(label, left.get()),
            ]),
          ),
        ]),
        result.get(),
      ],
      I32,
    ),
  );
}
