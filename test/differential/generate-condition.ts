/**
 * Random conditions over a vocabulary's facts: every kind of expression, mostly over facts that are known, sometimes
 * over optional ones without the guard that the checker would ask for.
 */
import type { Expr, Fact, FactId, FactRef, FactType, ModelExpr, Operand } from '../../compiler/plan/plan.ts';
import { dayNumber } from '../../dsl/time-zone.ts';
import { DATES, TEXTS, TIME_UNIT, type Vocabulary } from './generate-facts.ts';
import type { Random } from './random.ts';

export interface ConditionSource {
  readonly vocabulary: Vocabulary;
  readonly random: Random;
  /** Facts that the conditions may read. */
  readonly facts: readonly FactId[];
  /** Whether the event computes a classification that may be read. */
  readonly classification: boolean;
}

const DEPTH_MAX = 3;

export function generateCondition(source: ConditionSource, depth = 0, elements: readonly FactId[] = []): Expr {
  const { random } = source;
  const kind =
    depth >= DEPTH_MAX ? 'leaf' : random.weighted({ leaf: 10, not: 2, and: 3, or: 3, quantifier: 1.5, const: 0.4 });
  switch (kind) {
    case 'const':
      return { kind: 'const', value: random.chance(0.7) };
    case 'not':
      return { kind: 'not', of: generateCondition(source, depth + 1, elements) };
    case 'and':
    case 'or':
      return {
        kind: kind === 'and' ? 'and' : 'or',
        of: Array.from({ length: random.weighted({ 2: 6, 3: 3, 1: 0.5, 0: 0.3 }) as unknown as number }, () =>
          generateCondition(source, depth + 1, elements),
        ),
      };
    case 'quantifier': {
      const collections = source.facts.filter((fact) => source.vocabulary.facts[fact]!.type.kind === 'collection');
      if (collections.length === 0) return leaf(source, elements);
      const collection = random.pick(collections);
      return {
        kind: random.pick(['some', 'every']),
        collection,
        body: generateCondition(source, depth + 1, [...elements, collection]),
      };
    }
    case 'leaf':
      return leaf(source, elements);
  }
}

export function generateModelCondition(source: ConditionSource, eachProbability = 0.35): ModelExpr {
  const { random, vocabulary } = source;
  if (!random.chance(eachProbability)) return { kind: 'all', expr: generateCondition(source) };
  const shared = [
    generateCondition(source),
    { kind: 'const', value: true },
    { kind: 'const', value: false },
  ] satisfies Expr[];
  return { kind: 'each', exprs: vocabulary.models.map(() => random.pick(shared)) };
}

type ScalarType = Exclude<FactType, { kind: 'collection' }>;

function leaf(source: ConditionSource, elements: readonly FactId[]): Expr {
  const { random, vocabulary } = source;
  const candidates = references(source, elements);
  // Few facts are times, and hours turn only at their edges.
  const times = candidates.filter(({ type }) => type.kind === 'number' && type.unit === TIME_UNIT);
  const { ref, type, optional } = random.pick(
    elements.length > 0 && random.chance(0.8)
      ? candidates.filter((each) => each.ref.kind === 'field')
      : times.length > 0 && random.chance(0.08)
        ? times
        : candidates,
  );
  const read = comparison(source, ref, type, candidates);
  if (optional && random.chance(0.1)) return { kind: 'known', fact: ref };
  return optional && random.chance(0.6) ? { kind: 'and', of: [{ kind: 'known', fact: ref }, read] } : read;

  function comparison(from: ConditionSource, left: FactRef, of: ScalarType, all: readonly Reference[]): Expr {
    const others = all
      .filter(
        (each) => JSON.stringify(each.type) === JSON.stringify(of) && JSON.stringify(each.ref) !== JSON.stringify(left),
      )
      .map((each) => each.ref);
    const other = others.length > 0 && random.chance(elements.length > 0 ? 0.5 : 0.3) ? random.pick(others) : undefined;
    switch (of.kind) {
      case 'bool':
        return { kind: 'is_true', fact: left };
      case 'number':
        if (of.unit === TIME_UNIT && random.chance(0.6))
          return { kind: 'in_hours', time: left, hours: random.int(0, vocabulary.hours.length - 1) };
        return {
          kind: 'compare',
          op: random.pick(OPERATORS),
          ...sides(random, left, other ?? { kind: 'number', value: numberNear(random, of.scale) }),
        };
      case 'date':
        return {
          kind: 'compare',
          op: random.pick(OPERATORS),
          ...sides(random, left, other ?? { kind: 'number', value: dayNumber(random.pick(DATES)) }),
        };
      case 'text':
        if (random.chance(0.25)) return { kind: 'text_contains', text: left, part: random.pick(TEXTS.slice(1)) };
        return { kind: 'text_equals', left, right: other ?? { kind: 'text', value: random.pick(TEXTS) } };
      case 'enum': {
        const declared = vocabulary.enums.find((each) => each.name === of.enum)!;
        const member = random.pick(declared.members);
        if (!declared.ordered) return { kind: 'text_equals', left, right: other ?? { kind: 'text', value: member } };
        const right: Operand =
          from.classification && random.chance(0.5)
            ? { kind: 'classification' }
            : (other ?? { kind: 'rank', enum: of.enum, member });
        return { kind: 'compare', op: random.pick(OPERATORS), ...sides(random, left, right) };
      }
      case 'text_set':
      case 'enum_set':
        return aboutSet(left, of, all, other);
    }
  }

  function aboutSet(
    left: FactRef,
    of: ScalarType & { kind: 'text_set' | 'enum_set' },
    all: readonly Reference[],
    other: FactRef | undefined,
  ): Expr {
    const members: readonly string[] =
      of.kind === 'text_set' ? TEXTS : vocabulary.enums.find((each) => each.name === of.enum)!.members;
    const scalars = all
      .filter(({ type: each }) =>
        of.kind === 'text_set' ? each.kind === 'text' : each.kind === 'enum' && each.enum === of.enum,
      )
      .map((each) => each.ref);
    const kind = random.pick(['contains', 'overlaps', 'subset'] as const);
    if (kind === 'contains') {
      return {
        kind,
        set: left,
        member:
          scalars.length > 0 && random.chance(0.3)
            ? random.pick(scalars)
            : { kind: 'text', value: random.pick(members) },
      };
    }
    return {
      kind,
      left,
      right: other ?? { kind: 'members', values: [...random.some(members, kind === 'subset' ? 0.6 : 0.3)].sort() },
    };
  }
}

interface Reference {
  readonly ref: FactRef;
  readonly type: ScalarType;
  readonly optional: boolean;
}

function references(source: ConditionSource, elements: readonly FactId[]): readonly Reference[] {
  const { facts } = source.vocabulary;
  const scalar = source.facts.flatMap((id): Reference[] => {
    const fact: Fact = facts[id]!;
    return fact.type.kind === 'collection'
      ? []
      : [{ ref: { kind: 'fact', fact: id }, type: fact.type, optional: fact.absent.kind === 'unknown' }];
  });
  const fields = elements.flatMap((collection): Reference[] => {
    const { type } = facts[collection]!;
    return type.kind === 'collection'
      ? type.fields.map((field, at) => ({
          ref: { kind: 'field', collection, field: at },
          type: field.type,
          optional: field.optional === true,
        }))
      : [];
  });
  return [...scalar, ...fields];
}

const OPERATORS = ['eq', 'lt', 'le', 'gt', 'ge'] as const;

function sides(random: Random, left: Operand, right: Operand): { readonly left: Operand; readonly right: Operand } {
  return random.chance(0.8) ? { left, right } : { left: right, right: left };
}

/** The numbers that inputs have too: small ones at the fact's scale, and the ends of the range. */
export function numberNear(random: Random, scale: number): number {
  const kind = random.weighted({ small: 10, scaled: 6, end: 0.5 });
  if (kind === 'end') return random.pick([Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 0]);
  return kind === 'small' ? random.int(-2, 6) : random.int(0, 5) * 10 ** scale;
}
