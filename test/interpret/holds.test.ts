// Every form of condition: when it holds, and that a comparison with what is not known is false.
import { describe, expect, test } from 'vitest';
import { holds } from '../../compiler/interpret/holds.ts';
import { readFacts } from '../../compiler/interpret/read-facts.ts';
import type { Expr } from '../../compiler/plan/plan.ts';
import { at, FALSE, plan, ref, TRUE, VERIFIED } from './small-plan.ts';

const thePlan = plan([]);

function holdsFor(expr: Expr, input: object, classification?: number): boolean {
  return holds(expr, {
    plan: thePlan,
    facts: readFacts(thePlan, input),
    ...(classification === undefined ? {} : { classification }),
  });
}

const not = (of: Expr): Expr => ({ kind: 'not', of });
const text = (value: string) => ({ kind: 'text', value }) as const;
const number = (value: number) => ({ kind: 'number', value }) as const;
const rank = (member: string) => ({ kind: 'rank', enum: 'classification', member }) as const;
const compare = (op: 'eq' | 'lt' | 'le' | 'gt' | 'ge', value: number): Expr => ({
  kind: 'compare',
  op,
  left: ref('caller.grade'),
  right: number(value),
});
const graded = (grade: unknown) => ({ caller: { grade } });

test('const, not, and, or', () => {
  expect(holdsFor(TRUE, {})).toBe(true);
  expect(holdsFor(not(TRUE), {})).toBe(false);
  expect(holdsFor({ kind: 'and', of: [TRUE, FALSE] }, {})).toBe(false);
  expect(holdsFor({ kind: 'and', of: [] }, {})).toBe(true);
  expect(holdsFor({ kind: 'or', of: [FALSE, TRUE] }, {})).toBe(true);
  expect(holdsFor({ kind: 'or', of: [] }, {})).toBe(false);
});

test('known and is_true', () => {
  const known: Expr = { kind: 'known', fact: ref('caller.verified') };
  expect(holdsFor(known, { caller: { verified: false } })).toBe(true);
  expect(holdsFor(known, {})).toBe(false);
  expect(holdsFor(VERIFIED, { caller: { verified: true } })).toBe(true);
  expect(holdsFor(VERIFIED, { caller: { verified: false } })).toBe(false);
});

describe('compare', () => {
  test.each([
    ['eq', [false, true, false]],
    ['lt', [true, false, false]],
    ['le', [true, true, false]],
    ['gt', [false, false, true]],
    ['ge', [false, true, true]],
  ] as const)('%s, one below, at, one above', (op, expected) => {
    expect([1.49, 1.5, 1.51].map((grade) => holdsFor(compare(op, 150), graded(grade)))).toEqual(expected);
  });

  test('ordered enums go by rank', () => {
    const cleared: Expr = { kind: 'compare', op: 'ge', left: ref('caller.clearance'), right: rank('internal') };
    expect(
      ['public', 'internal', 'restricted'].map((clearance) => holdsFor(cleared, { caller: { clearance } })),
    ).toEqual([false, true, true]);
  });

  test("the classification is the event's, and false where there is none", () => {
    const high: Expr = { kind: 'compare', op: 'ge', left: { kind: 'classification' }, right: rank('restricted') };
    expect(holdsFor(high, {}, 2)).toBe(true);
    expect(holdsFor(high, {}, 1)).toBe(false);
    expect(holdsFor(high, {})).toBe(false);
  });
});

test('texts are compared byte for byte', () => {
  const equals = (value: string): Expr => ({ kind: 'text_equals', left: ref('caller.id'), right: text(value) });
  expect(holdsFor(equals('naïve'), { caller: { id: 'naïve' } })).toBe(true);
  expect(holdsFor(equals('naïve'), { caller: { id: 'nai\u0308ve' } })).toBe(false);
  expect(holdsFor({ kind: 'text_contains', text: ref('caller.id'), part: 'ï' }, { caller: { id: 'naïve' } })).toBe(
    true,
  );
  expect(holdsFor({ kind: 'text_contains', text: ref('caller.id'), part: 'N' }, { caller: { id: 'naïve' } })).toBe(
    false,
  );
  expect(
    holdsFor({ kind: 'text_equals', left: ref('caller.region'), right: text('eu') }, { caller: { region: 'eu' } }),
  ).toBe(true);
});

test('sets: contains, overlaps, subset', () => {
  const groups = (...members: readonly string[]) => ({ caller: { groups: members, id: 'a' } });
  const set = ref('caller.groups');
  expect(holdsFor({ kind: 'contains', set, member: text('a') }, groups('b', 'a'))).toBe(true);
  expect(holdsFor({ kind: 'contains', set, member: ref('caller.id') }, groups('b'))).toBe(false);
  expect(
    holdsFor({ kind: 'overlaps', left: set, right: { kind: 'members', values: ['a', 'c'] } }, groups('b', 'c')),
  ).toBe(true);
  expect(holdsFor({ kind: 'overlaps', left: set, right: { kind: 'members', values: [] } }, groups('b'))).toBe(false);
  expect(holdsFor({ kind: 'subset', left: set, right: { kind: 'members', values: ['a', 'b'] } }, groups('b'))).toBe(
    true,
  );
  expect(holdsFor({ kind: 'subset', left: set, right: { kind: 'members', values: ['a'] } }, groups('a', 'b'))).toBe(
    false,
  );
  expect(holdsFor({ kind: 'subset', left: set, right: { kind: 'members', values: [] } }, groups())).toBe(true);
});

describe('some and every', () => {
  const collection = at('prompt.messages');
  const large: Expr = { kind: 'compare', op: 'gt', left: { kind: 'field', collection, field: 0 }, right: number(10) };
  const messages = (...tokens: readonly number[]) => ({
    prompt: { messages: tokens.map((each) => ({ tokens: each, labels: [String(each)] })) },
  });

  test('over elements', () => {
    expect(
      [messages(), messages(1), messages(1, 11), messages(11, 12)].map((input) =>
        holdsFor({ kind: 'some', collection, body: large }, input),
      ),
    ).toEqual([false, false, true, true]);
    expect(
      [messages(), messages(1), messages(1, 11), messages(11, 12)].map((input) =>
        holdsFor({ kind: 'every', collection, body: large }, input),
      ),
    ).toEqual([true, false, false, true]);
  });

  test('are false over a collection that is not known', () => {
    expect(holdsFor({ kind: 'some', collection, body: TRUE }, {})).toBe(false);
    expect(holdsFor({ kind: 'every', collection, body: TRUE }, {})).toBe(false);
  });

  test('nested, the inner element hides the outer', () => {
    const nested: Expr = {
      kind: 'some',
      collection,
      body: { kind: 'and', of: [not(large), { kind: 'every', collection, body: not(large) }] },
    };
    expect(holdsFor(nested, messages(1, 2))).toBe(true);
    expect(holdsFor(nested, messages(1, 12))).toBe(false);
  });
});

describe('a comparison with what is not known is false, and its negation is true', () => {
  const region = ref('caller.region');
  const comparisons: readonly Expr[] = [
    compare('le', 150),
    VERIFIED,
    { kind: 'text_equals', left: region, right: text('eu') },
    { kind: 'text_equals', left: region, right: region },
    { kind: 'contains', set: ref('caller.groups'), member: region },
  ];
  test.each(comparisons)('$kind', (expr) => {
    expect(holdsFor(expr, {})).toBe(false);
    expect(holdsFor(not(expr), {})).toBe(true);
  });
});
