// Stratum 1: what each type of fact takes, what an absent value becomes, and every limit at its limit and one beyond.
import { describe, expect, test } from 'vitest';
import { readFacts } from '../../compiler/interpret/read-facts.ts';
import { type Fact, SET_MEMBERS_MAX } from '../../compiler/plan/plan.ts';
import { plan } from './small-plan.ts';

const FAILED = { state: 'failed' };
const known = (value: unknown) => ({ state: 'known', value });

function read(type: Fact['type'], value: unknown, absent: Fact['absent'] = { kind: 'fails' }): unknown {
  return readAt({ group: { it: value } }, type, absent);
}

function readAt(input: object, type: Fact['type'], absent: Fact['absent'] = { kind: 'fails' }): unknown {
  const fact: Fact = { id: 0, path: ['group', 'it'], type, absent, failsClosed: false, source: { kind: 'builtin' } };
  return readFacts(plan([], { facts: [fact] }), input)[0];
}

const BOOL = { kind: 'bool' } as const;
const TEXT = { kind: 'text' } as const;
const REGION = { kind: 'enum', enum: 'region' } as const;
const TEXTS = { kind: 'text_set' } as const;
const REGIONS = { kind: 'enum_set', enum: 'region' } as const;
const number = (scale: number) => ({ kind: 'number', scale, unit: '' }) as const;

describe('absent', () => {
  test.each([[{}], [{ group: null }], [{ group: {} }], [{ group: { it: null } }]])(
    '%j takes what the fact says',
    (input) => {
      expect(readAt(input, BOOL)).toEqual(FAILED);
      expect(readAt(input, BOOL, { kind: 'unknown' })).toEqual({ state: 'unknown' });
      expect(readAt(input, BOOL, { kind: 'else', value: true })).toEqual(known(true));
    },
  );

  test.each([[{ group: 7 }], [{ group: [] }], [{ group: 'it' }], [{ group: { it: 1 } }]])(
    '%j has failed, whatever the fact says',
    (input) => {
      expect(readAt(input, BOOL, { kind: 'else', value: true })).toEqual(FAILED);
    },
  );

  test("a key of JavaScript's own is not there", () => {
    const fact: Fact = {
      id: 0,
      path: ['toString'],
      type: TEXT,
      absent: { kind: 'unknown' },
      failsClosed: false,
      source: { kind: 'builtin' },
    };
    expect(readFacts(plan([], { facts: [fact] }), {})[0]).toEqual({ state: 'unknown' });
  });
});

describe('numbers are exact integers at their scale', () => {
  test.each([
    [0, 5, known(5)],
    [0, -0, known(0)],
    [0, 1.5, FAILED],
    [2, 1.5, known(150)],
    [1, 0.1, known(1)],
    [2, 0.1 + 0.2, FAILED],
    [6, 1e-6, known(1)],
    [6, 1e-7, FAILED],
    [0, 9_007_199_254_740_991, known(9_007_199_254_740_991)],
    [0, 9_007_199_254_740_992, FAILED],
    [0, -9_007_199_254_740_992, FAILED],
    [3, 900_719_925_474.099, known(900_719_925_474_099)],
    [3, 9_007_199_254_740.992, FAILED],
    [0, 1e300, FAILED],
    [0, '5', FAILED],
    [0, true, FAILED],
  ])('scale %j, %j', (scale, value, state) => expect(read(number(scale), value)).toEqual(state));
});

test('bools, texts and enum members are of their type or have failed', () => {
  expect(read(BOOL, false)).toEqual(known(false));
  expect(read(BOOL, 0)).toEqual(FAILED);
  expect(read(TEXT, '')).toEqual(known(''));
  expect(read(TEXT, 1)).toEqual(FAILED);
  expect(read(TEXT, '\ud83d')).toEqual(FAILED);
  expect(read(REGION, 'eu')).toEqual(known('eu'));
  expect(read(REGION, 'EU')).toEqual(FAILED);
  expect(read(REGION, 'asia')).toEqual(FAILED);
});

test('sets are sorted and lose their doubles; one wrong element fails the whole', () => {
  expect(read(TEXTS, ['b', 'a', 'b'])).toEqual(known(['a', 'b']));
  expect(read(TEXTS, 'a')).toEqual(FAILED);
  expect(read(TEXTS, ['a', null])).toEqual(FAILED);
  expect(read(REGIONS, ['us', 'eu'])).toEqual(known(['eu', 'us']));
  expect(read(REGIONS, ['us', 'asia'])).toEqual(FAILED);
});

test('a set has at most 256 elements, doubles counted', () => {
  const doubles = (count: number): readonly string[] => Array.from({ length: count }, () => 'eu');
  expect(read(TEXTS, doubles(SET_MEMBERS_MAX))).toEqual(known(['eu']));
  expect(read(TEXTS, doubles(SET_MEMBERS_MAX + 1))).toEqual(FAILED);
  expect(read(REGIONS, doubles(SET_MEMBERS_MAX + 1))).toEqual(FAILED);
});

describe('collections', () => {
  const messages = {
    kind: 'collection',
    most: 2,
    fields: [
      { name: 'tokens', type: number(1) },
      { name: 'labels', type: TEXTS },
    ],
  } as const;
  const message = { tokens: 0.5, labels: ['b', 'a'], more: 'is not read' };

  test('are read field by field', () => expect(read(messages, [message])).toEqual(known([[5, ['a', 'b']]])));
  test('have at most as many elements as declared', () => {
    expect(read(messages, [message, message])).toMatchObject({ state: 'known' });
    expect(read(messages, [message, message, message])).toEqual(FAILED);
  });
  test.each([
    [{}],
    [[message, 3]],
    [[message, null]],
    [[{ labels: [] }]],
    [[{ tokens: null, labels: [] }]],
    [[{ tokens: 0.05, labels: [] }]],
    [[{ tokens: 1, labels: [1] }]],
  ])('%j has failed', (value) => {
    expect(read(messages, value)).toEqual(FAILED);
  });
});
