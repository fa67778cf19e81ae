// Completion, tool call, retrieval, chunk and ingest; what rules add up to; failure. Sentence by sentence.
import { describe, expect, test } from 'vitest';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Effect, Expr, RetrievalEvent, Rule } from '../../compiler/plan/plan.ts';
import { readsOf } from '../../compiler/plan/reads.ts';
import { ALLOW, at, COMPLEX, deny, FALSE, plan, redact, ref, rule, TRUE, VERIFIED } from './small-plan.ts';

const completion = (
  rules: readonly Rule[],
  standard: 'allow' | 'deny' = 'allow',
  onFailure: 'allow' | 'deny' = 'deny',
) => plan([{ kind: 'completion', default: standard, classify: [], rules, stream: 'buffered' }], { onFailure });
const completed = (rules: readonly Rule[], input: object = {}) =>
  decide(completion(rules), { event: 'completion', ...input });

describe('an input that cannot be decided is denied', () => {
  const denied = {
    event: null,
    outcome: 'deny',
    model: null,
    classification: null,
    redact: [],
    outputTokens: null,
    reserve: [],
    tags: [],
    set: [],
    holds: [],
    keeps: [],
    reasons: [{ kind: 'input' }],
    fired: [],
    failed: [],
  };
  test.each([
    null,
    7,
    'completion',
    [],
    {},
    { event: 'egress' },
    { event: 'prompt' },
    { event: ['completion'] },
    { event: 'chunk' },
    { event: 'chunk', store: 'nowhere' },
  ])('%j', (input) => {
    expect(decide(completion([]), input)).toEqual(denied);
  });
});

describe('rules add up', () => {
  test('deny absorbs: what is denied is neither redacted nor tagged', () => {
    const rules = [
      rule('d', TRUE, deny('no')),
      rule('r', TRUE, redact('mask', 'email'), { kind: 'tag', name: 'team', value: 'a' }),
    ];
    expect(completed(rules)).toMatchObject({ outcome: 'deny', redact: [], tags: [], fired: ['d', 'r'] });
  });

  test('the strongest redaction of a detector counts, with everyone who asked', () => {
    const rules = [
      rule('a', TRUE, redact('remove', 'email')),
      rule('b', TRUE, { ...redact('placeholder', 'iban', 'email'), includingRestored: true } as Effect),
      rule('c', TRUE, redact('mask', 'iban')),
    ];
    expect(completed(rules).redact).toEqual([
      { detector: 'email', as: 'remove', includingRestored: true, rules: ['a', 'b'] },
      { detector: 'iban', as: 'mask', includingRestored: true, rules: ['b', 'c'] },
    ]);
  });

  test('tags and denials unite, sorted and without doubles', () => {
    const tag = (value: string): Effect => ({ kind: 'tag', name: 'team', value });
    expect(completed([rule('b', TRUE, tag('z'), tag('a')), rule('c', TRUE, tag('z'))]).tags).toEqual([
      { name: 'team', value: 'a' },
      { name: 'team', value: 'z' },
    ]);
    expect(completed([rule('b', TRUE, deny('z'), deny('a'), deny('z'))]).reasons).toEqual([
      { kind: 'rule', rule: 'b', message: 'a' },
      { kind: 'rule', rule: 'b', message: 'z' },
    ]);
  });

  test('texts are sorted by code point, not by UTF-16 unit', () => {
    const tag = (value: string): Effect => ({ kind: 'tag', name: 'team', value });
    expect(completed([rule('a', TRUE, tag('\u{1f600}'), tag('\uffee'))]).tags.map(({ value }) => value)).toEqual([
      '\uffee',
      '\u{1f600}',
    ]);
  });

  test('a condition for each model is read at the model that was chosen', () => {
    const each: Rule = {
      ...rule('e', TRUE, deny()),
      when: { kind: 'each', exprs: [TRUE, FALSE] },
      reads: [at('model.chosen')],
    };
    expect(completed([each], { model: { chosen: 'cheap' } }).outcome).toBe('deny');
    expect(completed([each], { model: { chosen: 'dear' } }).outcome).toBe('allow');
  });
});

describe('failure is not a value', () => {
  const denyComplex = [rule('c', COMPLEX, deny())];

  test('a touched rule does not fire, and the policy says what then', () => {
    expect(
      decide(completion(denyComplex, 'allow', 'deny'), { event: 'completion', prompt: { complexity: 'x' } }),
    ).toMatchObject({
      outcome: 'deny',
      reasons: [{ kind: 'failed', rule: 'c', facts: ['prompt.complexity'] }],
      fired: [],
    });
    expect(
      decide(completion(denyComplex, 'allow', 'allow'), { event: 'completion', prompt: { complexity: 'x' } }),
    ).toMatchObject({ outcome: 'allow', reasons: [], failed: ['prompt.complexity'] });
  });

  test('allowing on failure does not allow what others deny, nor stand for an allow', () => {
    const open = (standard: 'allow' | 'deny', ...rules: readonly Rule[]) =>
      decide(completion(rules, standard, 'allow'), { event: 'completion' });
    expect(open('allow', ...denyComplex, rule('d', TRUE, deny())).outcome).toBe('deny');
    expect(open('deny', rule('a', COMPLEX, ALLOW)).reasons).toEqual([{ kind: 'default' }]);
  });

  test('a fact that fails closed denies whatever the policy says', () => {
    const open = completion(
      [
        rule(
          'c',
          {
            kind: 'and',
            of: [COMPLEX, { kind: 'text_equals', left: ref('caller.id'), right: { kind: 'text', value: 'u1' } }],
          },
          deny(),
        ),
      ],
      'allow',
      'allow',
    );
    expect(decide(open, { event: 'completion', caller: {} }).reasons).toEqual([
      { kind: 'failed', rule: 'c', facts: ['caller.id', 'prompt.complexity'] },
    ]);
  });

  test("a failed fact that no rule of the event reads is nobody's concern", () =>
    expect(completed([rule('d', VERIFIED, deny())])).toMatchObject({ outcome: 'allow', failed: [] }));
});

describe('retrieval', () => {
  const SECRET: Expr = { kind: 'is_true', fact: ref('chunk.docs.secret') };
  const allowChunk = (where: Expr): Effect => ({
    kind: 'allow_chunk',
    where,
    reads: readsOf(where, { classification: [] }),
  });
  const withholdUnless = (unless: Expr): Effect => ({
    kind: 'withhold_chunk',
    unless,
    reads: readsOf(unless, { classification: [] }),
  });
  const retrieval = (
    standard: 'allow' | 'deny',
    rules: readonly Rule[],
    requestRules: readonly Rule[] = [],
    onFailure: 'allow' | 'deny' = 'deny',
  ) =>
    plan([{ kind: 'retrieval', store: 'docs', default: standard, requestRules, rules } satisfies RetrievalEvent], {
      onFailure,
    });
  const request = { event: 'retrieval', store: 'docs' };
  const chunk = (secret: unknown, more: object = {}) => ({
    event: 'chunk',
    store: 'docs',
    chunk: { docs: { secret, version: 1 } },
    ...more,
  });

  test('a request passes by default deny where an allow fires, or where only chunks can tell', () => {
    expect(decide(retrieval('deny', []), request).reasons).toEqual([{ kind: 'default' }]);
    const open = [rule('a', TRUE, ALLOW)];
    expect(decide(retrieval('deny', open, open), request)).toMatchObject({
      event: 'retrieval',
      outcome: 'allow',
      fired: ['a'],
    });
    expect(decide(retrieval('deny', [rule('a', VERIFIED, allowChunk(SECRET))]), request).outcome).toBe('allow');
    expect(decide(retrieval('deny', [rule('a', SECRET, ALLOW)]), request).outcome).toBe('allow');
  });

  test('a request is denied by its own rules', () => {
    const closed = [rule('d', TRUE, deny('closed'))];
    expect(decide(retrieval('allow', closed, closed), request).reasons).toEqual([
      { kind: 'rule', rule: 'd', message: 'closed' },
    ]);
  });

  test('a chunk passes if some allow holds and every withhold is satisfied: roles add up, restrictions cut', () => {
    const rules = [
      rule('a', TRUE, allowChunk(FALSE)),
      rule('b', TRUE, allowChunk(TRUE)),
      rule('w', TRUE, withholdUnless({ kind: 'not', of: SECRET })),
    ];
    expect(decide(retrieval('deny', rules), chunk(false))).toMatchObject({
      event: 'chunk',
      outcome: 'allow',
      fired: ['a', 'b', 'w'],
    });
    expect(decide(retrieval('deny', rules), chunk(true)).reasons).toEqual([{ kind: 'withheld', rule: 'w' }]);
    expect(decide(retrieval('deny', [rules[0]!]), chunk(false)).reasons).toEqual([{ kind: 'default' }]);
  });

  test('a rule that does not fire neither allows nor withholds', () => {
    expect(decide(retrieval('allow', [rule('w', FALSE, withholdUnless(FALSE))]), chunk(true)).outcome).toBe('allow');
    expect(decide(retrieval('deny', [rule('a', FALSE, allowChunk(TRUE))]), chunk(true)).outcome).toBe('deny');
  });

  test('a failed fact of the chunk withholds it, whatever the policy says of failures and whether or not the rule fires', () => {
    const open = retrieval('allow', [rule('w', FALSE, withholdUnless(SECRET))], [], 'allow');
    expect(decide(open, chunk('yes')).reasons).toEqual([{ kind: 'failed', rule: 'w', facts: ['chunk.docs.secret'] }]);
  });

  test('keep newest reads its facts, and leaves the comparison to the door', () => {
    const keep = [
      rule('k', TRUE, { kind: 'keep_newest', version: at('chunk.docs.version'), key: at('chunk.docs.secret') }),
    ];
    expect(decide(retrieval('allow', keep), chunk(true)).outcome).toBe('allow');
    expect(decide(retrieval('allow', keep), { ...chunk(true), chunk: { docs: { secret: true } } }).reasons).toEqual([
      { kind: 'failed', rule: 'k', facts: ['chunk.docs.version'] },
    ]);
  });
});

test('ingest is decided by its rules and its default', () => {
  const ingest = (standard: 'allow' | 'deny', rules: readonly Rule[]) =>
    decide(plan([{ kind: 'ingest', store: 'docs', default: standard, rules }]), { event: 'ingest', store: 'docs' });
  expect(ingest('allow', []).outcome).toBe('allow');
  expect(ingest('deny', []).reasons).toEqual([{ kind: 'default' }]);
  expect(ingest('deny', [rule('a', TRUE, ALLOW, redact('remove', 'email'))])).toMatchObject({
    event: 'ingest',
    outcome: 'allow',
    redact: [{ detector: 'email', as: 'remove' }],
  });
});

describe('a call of a tool', () => {
  const called = (input: object, rules: readonly Rule[], standard: 'allow' | 'deny' = 'allow') =>
    decide(
      plan([
        { kind: 'tool_call', tool: 'pay', default: standard, rules },
        { kind: 'tool_call', tool: null, default: 'deny', rules: [] },
      ]),
      { event: 'tool_call', ...input },
    );
  const drop: Effect = { kind: 'withhold_chunk', unless: FALSE, reads: [] };

  test('is decided as one of its tool, and by default', () => {
    expect(called({ tool: 'pay' }, [])).toMatchObject({ event: 'tool_call', outcome: 'allow' });
    expect(called({ tool: 'pay' }, [], 'deny').reasons).toEqual([{ kind: 'default' }]);
    expect(called({ tool: 'pay' }, [rule('a', TRUE, ALLOW)], 'deny').outcome).toBe('allow');
  });

  test('of no tool is another event, and of one that is not declared none', () => {
    for (const input of [{}, { tool: null }]) expect(called(input, []).reasons).toEqual([{ kind: 'default' }]);
    for (const tool of ['mail', 7, []]) expect(called({ tool }, []).reasons).toEqual([{ kind: 'input' }]);
  });

  test('that is dropped is withheld; a denial is another reason', () => {
    expect(called({ tool: 'pay' }, [rule('a', TRUE, drop)]).reasons).toEqual([{ kind: 'withheld', rule: 'a' }]);
    expect(called({ tool: 'pay' }, [rule('a', FALSE, drop)]).outcome).toBe('allow');
    expect(called({ tool: 'pay' }, [rule('a', TRUE, drop), rule('b', TRUE, deny('No'))]).reasons).toEqual([
      { kind: 'rule', rule: 'b', message: 'No' },
      { kind: 'withheld', rule: 'a' },
    ]);
  });
});

describe('an exchange that is over', () => {
  const over = (rules: readonly Rule[], input: object = {}, onFailure: 'allow' | 'deny' = 'deny') =>
    decide(plan([{ kind: 'exchange', rules }], { onFailure }), { event: 'exchange', ...input });
  const record: Effect = { kind: 'keep', reviewers: null, group: null, milliseconds: 1_000, share: 1_000_000 };

  test('what fires tags and keeps', () => {
    const rules = [
      rule('a', TRUE, record),
      rule('b', TRUE, { kind: 'tag', name: 'team', value: 'x' }),
      rule('c', FALSE),
    ];
    expect(over(rules)).toMatchObject({
      event: 'exchange',
      outcome: 'allow',
      tags: [{ name: 'team', value: 'x' }],
      keeps: [{ rule: 'a', reviewers: null, milliseconds: 1_000 }],
      reasons: [],
      fired: ['a', 'b'],
      failed: [],
    });
  });

  test.each(['allow', 'deny'] as const)(
    'a touched rule does nothing, and denies nothing: on failure %s',
    (onFailure) => {
      const rules = [rule('a', COMPLEX, record), { ...rule('b', COMPLEX, record), failsClosed: true }, rule('c', TRUE)];
      expect(over(rules, {}, onFailure)).toMatchObject({
        outcome: 'allow',
        keeps: [],
        reasons: [],
        fired: ['c'],
        failed: ['prompt.complexity'],
      });
    },
  );
});
