/**
 * What of a retrieval's rules the store itself can filter by. The filter may let through more than the policy does
 * (every chunk is verified afterwards), never less: what cannot be said exactly in the store's language is left out.
 * Layout: filters/kernel/protocol/store-filter.ts.
 */
import * as F from '../../filters/kernel/protocol/store-filter.ts';
import type { Effect, Expr, Fact, FactId, Operand, Plan, RetrievalEvent, Rule, Store } from '../plan/plan.ts';
import { operandOf } from '../plan/reads.ts';
import { classFacts } from '../plan/receipts.ts';
import { SectionBytes } from './section-bytes.ts';

/** A condition as the store understands it; `null` stands for "all chunks". */
type Clause =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Clause[] }
  /** Asked where the request's decision fired none of the waivers. */
  | { readonly kind: 'unless_fired'; readonly names: readonly string[]; readonly of: Clause }
  | { readonly kind: 'overlaps' | 'fact'; readonly key: string; readonly fact: FactId }
  | { readonly kind: 'contains'; readonly key: string; readonly literal: string }
  | { readonly kind: 'constant'; readonly key: string; readonly operator: string; readonly literal: string }
  | {
      readonly kind: 'ranks';
      readonly key: string;
      readonly compare: number;
      readonly fact: FactId | null;
      readonly rank: number;
      readonly members: readonly string[];
      readonly absentRank: number | null;
    };

/** One table a store of the plan, in its order; undefined where no rule speaks of the store's chunks. */
export function storeFilters(plan: Plan): readonly (Uint8Array | undefined)[] {
  return plan.stores.map((store) => {
    const event = plan.events.find(
      (each): each is RetrievalEvent => each.kind === 'retrieval' && each.store === store.name,
    );
    return event === undefined ? undefined : filterTable(plan, store, event);
  });
}

/** For people: what the store is asked, and whether that is all of the policy. */
export function describePushDown(
  plan: Plan,
  store: string,
): { readonly clauses: number; readonly isComplete: boolean } {
  const event = plan.events.find((each): each is RetrievalEvent => each.kind === 'retrieval' && each.store === store);
  if (event === undefined) return { clauses: 0, isComplete: true };
  const effects = event.rules.flatMap((rule) =>
    rule.effects.filter(({ kind }) => kind === 'allow_chunk' || kind === 'withhold_chunk'),
  );
  const clauses = clausesOf(plan, event);
  return { clauses: clauses.length, isComplete: effects.length === 0 || clauses.length >= effects.length };
}

function filterTable(plan: Plan, store: Store, event: RetrievalEvent): Uint8Array {
  const writer = new Writer();
  const head = writer.reserve(F.FILTER_HEAD_BYTES);
  const keeps = event.rules.flatMap((rule) =>
    rule.effects.flatMap((effect) => (effect.kind === 'keep_newest' ? [{ rule, effect }] : [])),
  );
  const entries = writer.reserve(keeps.length * F.KEEP_BYTES);
  keeps.forEach(({ rule, effect }, i) => {
    const at = entries + i * F.KEEP_BYTES;
    writer.text(at + F.KEEP_RULE, rule.name);
    writer.u32(at + F.KEEP_VERSION, effect.version);
    writer.u32(at + F.KEEP_KEY, effect.key);
    writer.text(at + F.KEEP_METADATA, metadataKey(plan, effect.key) ?? '');
  });
  writer.u32(head + F.FILTER_KEEPS, keeps.length);
  writer.u32(head + F.FILTER_KEEPS + 4, entries);
  const clauses = clausesOf(plan, event).map((clause) => writeClause(writer, clause));
  writer.u32(head + F.FILTER_CLAUSES, clauses.length);
  writer.u32(head + F.FILTER_CLAUSES + 4, writer.list(clauses));
  const reads = event.rules.some((rule) =>
    readsOf(plan, rule).some((fact) => store.facts.includes(fact) || isOfAll(plan.facts[fact])),
  );
  const signed = classFacts(plan, store).length > 0;
  writer.u32(head + F.FILTER_READS, reads || signed || keeps.length > 0 ? 1 : 0);
  const text = event.rules.some(
    (rule) =>
      rule.effects.some(({ kind }) => kind === 'redact') ||
      readsOf(plan, rule).some((fact) => isText(plan.facts[fact])),
  );
  writer.u32(head + F.FILTER_TEXT, text ? 1 : 0);
  const declared = store.facts.flatMap((fact) => metadataKey(plan, fact) ?? []);
  const keys = writer.reserve(declared.length * 8);
  declared.forEach((key, i) => writer.text(keys + i * 8, key));
  writer.u32(head + F.FILTER_KEYS, declared.length);
  writer.u32(head + F.FILTER_KEYS + 4, keys);
  writer.u32(head + F.FILTER_LOOSE, event.rules.every((rule) => isPushed(plan, store, rule)) ? 0 : 1);
  return writer.finish();
}

/** Whether the store is asked for all that the rule says of chunks, so that none is taken out afterwards. */
function isPushed(plan: Plan, store: Store, rule: Rule): boolean {
  const ofChunks = rule.effects.flatMap((effect) =>
    effect.kind === 'allow_chunk'
      ? [effect.where]
      : effect.kind === 'withhold_chunk'
        ? [effect.waived?.otherwise ?? effect.unless]
        : [],
  );
  const reads = readsOf(plan, rule).some((fact) => store.facts.includes(fact) || isText(plan.facts[fact]));
  if (asksOfAll(plan, store.name)) return false;
  if (rule.effects.every(({ kind }) => kind === 'tag')) return true;
  const others = rule.effects.some(
    (effect) =>
      effect.kind === 'redact' ||
      effect.kind === 'keep_newest' ||
      (effect.kind === 'withhold_chunk' && effect.say !== undefined),
  );
  if (others || (ofChunks.length === 0 && reads)) return false;
  return ofChunks.length === 0 || (isAlways(rule) && ofChunks.every((expr) => isSaid(plan, expr)));
}

/** Whether the store's language says all of the condition. */
function isSaid(plan: Plan, expr: Expr): boolean {
  if (expr.kind === 'and' || expr.kind === 'or') return expr.of.every((each) => isSaid(plan, each));
  const clause = clauseOf(plan, expr);
  return clause !== null && !(clause.kind === 'ranks' && clause.absentRank !== null);
}

function isAlways(rule: Rule): boolean {
  return rule.when.kind === 'all' && rule.when.expr.kind === 'const' && rule.when.expr.value;
}

function isOfAll(fact: Fact | undefined): boolean {
  return fact?.source.kind === 'chunks';
}

/** Whether a condition is over all chunks of the store. */
function asksOfAll({ facts }: Plan, store: string): boolean {
  return facts.some(({ source }) => source.kind === 'chunks' && source.store === store);
}

/** What was found in the chunk's text. */
function isText(fact: Fact | undefined): boolean {
  return fact?.source.kind === 'builtin' && fact.path[0] === 'text';
}

function readsOf({ facts }: Plan, rule: Rule): readonly FactId[] {
  const reads = [
    ...rule.reads,
    ...rule.effects.flatMap((effect) =>
      effect.kind === 'allow_chunk' || effect.kind === 'withhold_chunk' ? effect.reads : [],
    ),
  ];
  return reads.map((fact) => operandOf(facts, fact));
}

/**
 * What every chunk that may pass meets: each restriction that always applies, and, by default deny, some one of what
 * allows. Nothing where a condition is over all chunks: what the store left out it would not see.
 */
function clausesOf(plan: Plan, event: RetrievalEvent): Clause[] {
  if (asksOfAll(plan, event.store)) return [];
  const restrictions = event.rules
    .filter(isAlways)
    .flatMap((rule) => rule.effects.flatMap((effect) => (withholds(effect) ? [restrictionOf(plan, effect)] : [])));
  const allowsAny =
    event.default === 'allow' || event.rules.some((rule) => rule.effects.some(({ kind }) => kind === 'allow'));
  const roles = event.rules.flatMap((rule) =>
    rule.effects.flatMap((effect) => (effect.kind === 'allow_chunk' ? [clauseOf(plan, effect.where)] : [])),
  );
  const allowed = allowsAny || roles.length === 0 ? null : anyOf(roles);
  return [...restrictions, allowed].filter((clause) => clause !== null);
}

/**
 * Whether the store is asked to leave out what the effect withholds. Where the client is to be told, it is not: of what
 * the store leaves out nobody knows whether it is there.
 */
function withholds(effect: Effect): effect is Extract<Effect, { kind: 'withhold_chunk' }> {
  return effect.kind === 'withhold_chunk' && effect.say === undefined;
}

/** What the chunk must meet. Whom a waiver covers is not asked it: of what is left out for all, nothing could be lifted. */
function restrictionOf(plan: Plan, { unless, waived }: Extract<Effect, { kind: 'withhold_chunk' }>): Clause | null {
  if (waived === undefined) return clauseOf(plan, unless);
  const of = clauseOf(plan, waived.otherwise);
  return of === null ? null : { kind: 'unless_fired', names: waived.by, of };
}

function anyOf(clauses: readonly (Clause | null)[]): Clause | null {
  const known = clauses.filter((clause) => clause !== null);
  return known.length < clauses.length ? null : known.length === 1 ? (known[0] ?? null) : { kind: 'or', of: known };
}

function clauseOf(plan: Plan, expr: Expr): Clause | null {
  switch (expr.kind) {
    case 'and': {
      const known = expr.of.map((each) => clauseOf(plan, each)).filter((clause) => clause !== null);
      return known.length === 0 ? null : known.length === 1 ? (known[0] ?? null) : { kind: 'and', of: known };
    }
    case 'or':
      return anyOf(expr.of.map((each) => clauseOf(plan, each)));
    case 'overlaps': {
      if (expr.left.kind !== 'fact') return null;
      const key = listKey(plan, expr.left.fact);
      if (key === null) return null;
      if (expr.right.kind === 'members')
        return anyOf(
          expr.right.values.map((value): Clause => ({ kind: 'contains', key, literal: JSON.stringify(value) })),
        );
      return expr.right.kind === 'fact' && plan.facts[expr.right.fact]?.type.kind === 'text_set'
        ? { kind: 'overlaps', key, fact: expr.right.fact }
        : null;
    }
    case 'contains': {
      if (expr.set.kind !== 'fact') return null;
      const key = listKey(plan, expr.set.fact);
      return key !== null && expr.member.kind === 'text'
        ? { kind: 'contains', key, literal: JSON.stringify(expr.member.value) }
        : null;
    }
    case 'text_equals':
      return equalsOf(plan, expr.left, expr.right) ?? equalsOf(plan, expr.right, expr.left);
    case 'compare':
      return (
        compareOf(plan, expr.op, expr.left, expr.right) ?? compareOf(plan, FLIPPED[expr.op], expr.right, expr.left)
      );
    case 'const':
    case 'not':
    case 'text_contains':
    case 'known':
    case 'is_true':
    case 'in_hours':
    case 'subset':
    case 'some':
    case 'every':
      return null;
  }
}

type TextOperand = Extract<Expr, { kind: 'text_equals' }>['left'];

function equalsOf(plan: Plan, chunk: TextOperand, other: TextOperand): Clause | null {
  if (chunk.kind !== 'fact') return null;
  const key = exactKey(plan, chunk.fact);
  if (key === null) return null;
  if (other.kind === 'text') return { kind: 'constant', key, operator: '$eq', literal: JSON.stringify(other.value) };
  if (other.kind !== 'fact') return null;
  const type = plan.facts[other.fact]?.type.kind;
  return isCallers(plan, other.fact) && (type === 'text' || type === 'enum')
    ? { kind: 'fact', key, fact: other.fact }
    : null;
}

const FLIPPED = { eq: 'eq', lt: 'gt', le: 'ge', gt: 'lt', ge: 'le' } as const;
const COMPARISONS = {
  eq: F.COMPARE_EQ,
  lt: F.COMPARE_LT,
  le: F.COMPARE_LE,
  gt: F.COMPARE_GT,
  ge: F.COMPARE_GE,
} as const;
const OPERATORS = { eq: '$eq', lt: '$lt', le: '$lte', gt: '$gt', ge: '$gte' } as const;

function compareOf(plan: Plan, op: keyof typeof COMPARISONS, chunk: Operand, other: Operand): Clause | null {
  if (chunk.kind !== 'fact') return null;
  const fact = plan.facts[chunk.fact];
  if (fact === undefined || fact.source.kind !== 'metadata') return null;
  if (fact.type.kind === 'number' && other.kind === 'number' && fact.type.scale === 0) {
    const key = exactKey(plan, fact.id);
    return key === null ? null : { kind: 'constant', key, operator: OPERATORS[op], literal: String(other.value) };
  }
  if (fact.type.kind !== 'enum') return null;
  const type = fact.type.enum;
  const members = plan.enums.find(({ name }) => name === type)?.members ?? [];
  const absentRank = fact.absent.kind === 'else' ? members.indexOf(String(fact.absent.value)) : null;
  const base = { kind: 'ranks', key: fact.source.key, compare: COMPARISONS[op], members, absentRank } as const;
  if (other.kind === 'rank') return { ...base, fact: null, rank: members.indexOf(other.member) };
  return other.kind === 'fact' && isCallers(plan, other.fact) ? { ...base, fact: other.fact, rank: 0 } : null;
}

function isCallers(plan: Plan, fact: FactId): boolean {
  return plan.facts[fact]?.source.kind === 'claim';
}

/** The metadata key of a fact of the chunk whose absence can never satisfy a comparison. */
function exactKey(plan: Plan, id: FactId): string | null {
  const fact = plan.facts[id];
  return fact?.source.kind === 'metadata' && fact.absent.kind !== 'else' ? fact.source.key : null;
}

/** As `exactKey`, of a list: a text that is cut into a set cannot be filtered by. */
function listKey(plan: Plan, id: FactId): string | null {
  const fact = plan.facts[id];
  if (fact?.source.kind !== 'metadata' || fact.source.splitBy !== undefined) return null;
  return isEmptyOrNone(fact) ? fact.source.key : null;
}

function isEmptyOrNone(fact: Fact): boolean {
  return fact.absent.kind !== 'else' || (Array.isArray(fact.absent.value) && fact.absent.value.length === 0);
}

function metadataKey(plan: Plan, id: FactId): string | null {
  const source = plan.facts[id]?.source;
  return source?.kind === 'metadata' ? source.key : null;
}

function writeClause(writer: Writer, clause: Clause): number {
  switch (clause.kind) {
    case 'and':
    case 'or': {
      const children = clause.of.map((child) => writeClause(writer, child));
      const at = writer.reserve(12);
      writer.u32(at, clause.kind === 'and' ? F.CLAUSE_AND : F.CLAUSE_OR);
      writer.u32(at + 4, children.length);
      writer.u32(at + 8, writer.list(children));
      return at;
    }
    case 'unless_fired': {
      const child = writeClause(writer, clause.of);
      const at = writer.reserve(16);
      const names = writer.reserve(clause.names.length * 8);
      clause.names.forEach((name, i) => writer.text(names + i * 8, name));
      writer.u32(at, F.CLAUSE_UNLESS_FIRED);
      writer.u32(at + 4, clause.names.length);
      writer.u32(at + 8, names);
      writer.u32(at + 12, child);
      return at;
    }
    case 'overlaps':
    case 'fact': {
      const at = writer.reserve(16);
      writer.u32(at, clause.kind === 'overlaps' ? F.CLAUSE_OVERLAPS : F.CLAUSE_FACT);
      writer.text(at + 4, JSON.stringify(clause.key));
      writer.u32(at + 12, clause.fact);
      return at;
    }
    case 'contains': {
      const at = writer.reserve(20);
      writer.u32(at, F.CLAUSE_CONTAINS);
      writer.text(at + 4, JSON.stringify(clause.key));
      writer.text(at + 12, clause.literal);
      return at;
    }
    case 'constant': {
      const at = writer.reserve(28);
      writer.u32(at, F.CLAUSE_CONSTANT);
      writer.text(at + 4, JSON.stringify(clause.key));
      writer.text(at + 12, JSON.stringify(clause.operator));
      writer.text(at + 20, clause.literal);
      return at;
    }
    case 'ranks': {
      const at = writer.reserve(36);
      writer.u32(at, F.CLAUSE_RANKS);
      writer.text(at + 4, JSON.stringify(clause.key));
      writer.u32(at + 12, clause.compare);
      writer.u32(at + 16, clause.fact ?? F.NO_FACT);
      writer.u32(at + 20, clause.rank);
      const members = writer.reserve(clause.members.length * 8);
      clause.members.forEach((member, i) => writer.text(members + i * 8, JSON.stringify(member)));
      writer.u32(at + 24, clause.members.length);
      writer.u32(at + 28, members);
      writer.u32(at + 32, clause.absentRank === null ? 0 : clause.absentRank + 1);
      return at;
    }
  }
}

/** Strings stand where there is room, their place and length where they are named. */
class Writer extends SectionBytes {
  text(at: number, text: string): void {
    const encoded = new TextEncoder().encode(text);
    const place = this.reserve(encoded.length);
    this.put(place, encoded);
    this.u32(at, place);
    this.u32(at + 4, encoded.length);
  }

  list(values: readonly number[]): number {
    const at = this.reserve(values.length * 4);
    values.forEach((value, i) => this.u32(at + i * 4, value));
    return at;
  }
}
