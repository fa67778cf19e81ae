// The prompt's strata, sentence by sentence.
import { describe, expect, test } from 'vitest';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Expr } from '../../compiler/plan/plan.ts';
import { readsOf } from '../../compiler/plan/reads.ts';
import {
  ALLOW,
  budget,
  classify,
  COMPLEX,
  deny,
  FALSE,
  limit,
  plan,
  prompt,
  promptInput,
  redact,
  ref,
  requirement,
  route,
  rule,
  TRUE,
  VERIFIED,
} from './small-plan.ts';

const BROKEN = { prompt: { complexity: 'much' } };

test("with nothing to say the requested model is chosen, and the output is the model's own limit", () => {
  expect(decide(plan([prompt({})]), promptInput())).toEqual({
    event: 'prompt',
    outcome: 'allow',
    model: 'dear',
    classification: 'internal',
    redact: [],
    outputTokens: 50,
    reserve: [],
    tags: [],
    set: [],
    holds: [],
    keeps: [],
    reasons: [],
    fired: [],
    failed: [],
  });
});

describe('classification', () => {
  const classifying = (...members: readonly string[]) =>
    plan([prompt({ classify: members.map((member) => classify(`as ${member}`, TRUE, member)) })]);

  test('is the highest of the base and every classify that fires', () => {
    expect(decide(classifying('restricted', 'public'), promptInput())).toMatchObject({
      classification: 'restricted',
      fired: ['as public', 'as restricted'],
    });
    expect(decide(classifying('public'), promptInput())).toMatchObject({ classification: 'internal' });
  });

  test('has failed where one that could raise it is touched', () => {
    const failing = plan([prompt({ classify: [classify('as restricted', COMPLEX, 'restricted')] })]);
    expect(decide(failing, promptInput(BROKEN))).toMatchObject({
      classification: null,
      reasons: [{ kind: 'failed', rule: 'as restricted', facts: ['prompt.complexity'] }],
    });
  });

  test('is read by rules as a rank', () => {
    const high = rule(
      'high',
      {
        kind: 'compare',
        op: 'ge',
        left: { kind: 'classification' },
        right: { kind: 'rank', enum: 'classification', member: 'restricted' },
      },
      deny(),
    );
    expect(decide(plan([prompt({ rules: [high] })]), promptInput()).outcome).toBe('allow');
    expect(
      decide(plan([prompt({ classify: [classify('c', TRUE, 'restricted')], rules: [high] })]), promptInput()).outcome,
    ).toBe('deny');
  });
});

describe('output tokens', () => {
  const outputOf = (asked: unknown, ...limits: readonly ReturnType<typeof limit>[]) =>
    decide(plan([prompt({ limits })]), promptInput({ prompt: { output_tokens: asked } }));

  test("are what the client asks for, else the model's limit, lowered by every limit that fires", () => {
    expect(outputOf(70).outputTokens).toBe(70);
    expect(outputOf(undefined, limit('l', TRUE, 20)).outputTokens).toBe(20);
    expect(outputOf(10, limit('l', TRUE, 20))).toMatchObject({ outputTokens: 10, fired: ['l'] });
    expect(outputOf(70, limit('l', FALSE, 20))).toMatchObject({ outputTokens: 70, fired: [] });
  });

  test('below zero are zero', () => expect(outputOf(-5).outputTokens).toBe(0));

  test('a limit that cannot be read denies whatever the policy says of failures', () => {
    const open = plan([prompt({ limits: [limit('l', COMPLEX, 20)] })], { onFailure: 'allow' });
    expect(decide(open, promptInput(BROKEN))).toMatchObject({
      outcome: 'deny',
      reasons: [{ kind: 'failed', rule: 'l', facts: ['prompt.complexity'] }],
    });
  });
});

describe('candidates', () => {
  const auto = route(
    'auto',
    { kind: 'name', name: 'auto' },
    [{ kind: 'model', model: 0 }, VERIFIED],
    [{ kind: 'requested' }, TRUE],
    [{ kind: 'cheapest' }, TRUE],
  );
  const any = route('any', { kind: 'any' }, [{ kind: 'requested' }, TRUE]);
  const chosen = (requested: string, verified: boolean, routes = [auto, any]) =>
    decide(plan([prompt({ routes })]), promptInput({ prompt: { requested_model: requested }, caller: { verified } }))
      .model;

  test("are a route's preferences in order, where their conditions hold", () => {
    expect(chosen('auto', true)).toBe('cheap');
    expect(
      decide(
        plan([prompt({ routes: [auto], requirements: [requirement('no cheap', TRUE, FALSE)] })]),
        promptInput({ prompt: { requested_model: 'auto' } }),
      ),
    ).toMatchObject({ model: 'dear', fired: ['no cheap'] });
  });

  test('a name without a route of its own takes the route of any name', () =>
    expect(chosen('dear-1', true)).toBe('dear'));

  test('without a route it is the requested model itself, by its name on the wire', () => {
    expect(chosen('dear-1', false, [])).toBe('dear');
    expect(chosen('dear', false, [])).toBe(null);
  });

  test('none is an unknown model', () =>
    expect(
      decide(plan([prompt({ routes: [any] })]), promptInput({ prompt: { requested_model: 'nobody' } })).reasons,
    ).toEqual([{ kind: 'unknown_model' }]));

  test('a preference that reads a failed fact is passed over and touches its route', () => {
    const routes = [
      route(
        'auto',
        { kind: 'name', name: 'auto' },
        [{ kind: 'model', model: 0 }, COMPLEX],
        [{ kind: 'model', model: 1 }, TRUE],
      ),
    ];
    const input = promptInput({ prompt: { requested_model: 'auto', complexity: null } });
    expect(decide(plan([prompt({ routes })]), input)).toMatchObject({
      outcome: 'deny',
      model: 'dear',
      reasons: [{ kind: 'failed', rule: 'route auto', facts: ['prompt.complexity'] }],
    });
    expect(decide(plan([prompt({ routes })], { onFailure: 'allow' }), input)).toMatchObject({
      outcome: 'allow',
      model: 'dear',
      failed: ['prompt.complexity'],
    });
  });

  test('without the requested name there are none, and that is denied whatever the policy says of failures', () => {
    const decision = decide(
      plan([prompt({})], { onFailure: 'allow' }),
      promptInput({ prompt: { requested_model: 7 } }),
    );
    expect(decision).toMatchObject({
      outcome: 'deny',
      model: null,
      reasons: [{ kind: 'failed', rule: 'choice of model', facts: ['prompt.requested_model'] }],
    });
  });
});

describe('what removes candidates', () => {
  const both = route('auto', { kind: 'any' }, [{ kind: 'cheapest' }, TRUE]);

  test("is named for each, in the candidates' order, when none is left: rules, then budgets, then the context window", () => {
    const event = prompt({
      routes: [both],
      requirements: [requirement('z', TRUE, TRUE), requirement('a', TRUE, FALSE)],
      budgets: [budget(TRUE)],
    });
    expect(
      decide(plan([event]), promptInput({ prompt: { tokens_estimate: 51 }, team: { headroom: 1 } })),
    ).toMatchObject({
      outcome: 'deny',
      model: null,
      reasons: [
        { kind: 'removed', model: 'cheap', by: ['a', 'z', 'budget team', 'context window'] },
        { kind: 'removed', model: 'dear', by: ['z', 'budget team'] },
      ],
      fired: ['a', 'z'],
    });
  });

  test('the context window holds the estimate and the output exactly', () => {
    const event = prompt({ routes: [both] });
    expect(decide(plan([event]), promptInput({ prompt: { tokens_estimate: 50 } })).model).toBe('cheap');
    expect(decide(plan([event]), promptInput({ prompt: { tokens_estimate: 51 } })).model).toBe('dear');
  });

  test('with none left, only denials that do not read the model give their reasons, and nothing is missing by default', () => {
    const rules = [
      rule('d', TRUE, deny('no')),
      rule('e', TRUE, redact('mask', 'email')),
      { ...rule('f', TRUE, deny('at a model')), when: { kind: 'each' as const, exprs: [TRUE, TRUE] } },
    ];
    expect(
      decide(plan([prompt({ default: 'deny', rules })]), promptInput({ prompt: { requested_model: 'nobody' } })),
    ).toMatchObject({
      reasons: [{ kind: 'unknown_model' }, { kind: 'rule', rule: 'd', message: 'no' }],
      fired: ['d'],
    });
  });
});

describe('budgets', () => {
  // dear: 40 tokens at 2.5 micro-units and 50 at 10 make 600; cheap: 90 tokens at 0.02 make 1.8, rounded up once.
  const withBudget = (
    parts: Parameters<typeof promptInput>[0],
    applies = TRUE,
    thresholds: ReturnType<typeof budget>['thresholds'] = [],
  ) => decide(plan([prompt({ budgets: [budget(applies, thresholds)] })]), promptInput(parts));

  test('reserve the worst case where it is at most what is left', () => {
    expect(withBudget({ team: { headroom: 600 } })).toMatchObject({
      outcome: 'allow',
      reserve: [{ budget: 'team', amount: 600 }],
    });
    expect(withBudget({ team: { headroom: 599 } })).toMatchObject({ outcome: 'deny', reserve: [] });
  });

  test('round up once a request, and count every choice', () => {
    expect(withBudget({ prompt: { requested_model: 'cheap-1' } }).reserve).toEqual([{ budget: 'team', amount: 2 }]);
    expect(withBudget({ prompt: { choices: 3 } }).reserve).toEqual([{ budget: 'team', amount: 1_600 }]);
  });

  test('a cost beyond 2^63−1 is more than any headroom', () => {
    expect(
      withBudget({ prompt: { choices: 9_007_199_254_740_991 }, team: { headroom: 9_007_199_254_740_991 } }).reasons,
    ).toEqual([{ kind: 'removed', model: 'dear', by: ['budget team'] }]);
  });

  test('that do not apply remove and reserve nothing', () =>
    expect(withBudget({ team: { headroom: 0 } }, FALSE)).toMatchObject({ outcome: 'allow', reserve: [] }));

  test('thresholds remove from the percent on that they name', () => {
    const thresholds = [
      {
        percent: 80,
        reads: [],
        removes: { kind: 'each' as const, exprs: [FALSE, TRUE] },
        span: { file: '', start: 0, end: 0 },
      },
    ];
    expect(withBudget({ team: { spent: 799 } }, TRUE, thresholds).model).toBe('dear');
    expect(withBudget({ team: { spent: 800 } }, TRUE, thresholds).reasons).toEqual([
      { kind: 'removed', model: 'dear', by: ['budget team'] },
    ]);
  });

  describe('that cannot be read', () => {
    const thresholds = [
      {
        percent: 80,
        reads: readsOf(COMPLEX, { classification: [] }),
        removes: { kind: 'each' as const, exprs: [FALSE, COMPLEX] },
        span: { file: '', start: 0, end: 0 },
      },
    ];
    const open = (applies: Expr) => plan([prompt({ budgets: [budget(applies, thresholds)] })], { onFailure: 'allow' });
    const failed = (...facts: readonly string[]) => ({
      outcome: 'deny',
      reserve: [],
      reasons: [{ kind: 'failed', rule: 'budget team', facts }],
      failed: facts,
    });
    const NO_LEVELS = { team: { headroom: null, spent: null } };

    test('deny where they apply, whatever the policy says of failures', () => {
      expect(decide(open(TRUE), promptInput({ team: { headroom: null } }))).toMatchObject(
        failed('budget.team.headroom'),
      );
      expect(decide(open(TRUE), promptInput({ team: { spent: null } }))).toMatchObject(failed('budget.team.spent'));
      expect(decide(open(TRUE), promptInput(NO_LEVELS))).toMatchObject(
        failed('budget.team.headroom', 'budget.team.spent'),
      );
      expect(decide(open(TRUE), promptInput({ prompt: { input_tokens_bound: null, choices: '1' } }))).toMatchObject(
        failed('prompt.choices', 'prompt.input_tokens_bound'),
      );
    });

    test('do nothing where they do not apply, and their levels are not looked at', () => {
      expect(decide(open(FALSE), promptInput(NO_LEVELS))).toMatchObject({
        outcome: 'allow',
        model: 'dear',
        reserve: [],
        reasons: [],
        failed: [],
      });
      expect(decide(open(FALSE), promptInput({ prompt: { input_tokens_bound: null, choices: '1' } }))).toMatchObject({
        outcome: 'allow',
        failed: [],
      });
      expect(decide(open(FALSE), promptInput(BROKEN))).toMatchObject({ outcome: 'allow', failed: [] });
    });

    test('deny where their own condition cannot be, and then for that alone', () => {
      const condition: Expr = { kind: 'and', of: [VERIFIED, FALSE] };
      expect(decide(open(condition), promptInput({ caller: { verified: 'yes' }, ...NO_LEVELS }))).toMatchObject(
        failed('caller.verified'),
      );
    });
  });
});

test('effects are read at the chosen model', () => {
  const onlyDear = {
    ...rule('r', TRUE, redact('mask', 'email')),
    when: { kind: 'each' as const, exprs: [FALSE, TRUE] },
  };
  expect(decide(plan([prompt({ rules: [onlyDear] })]), promptInput()).fired).toEqual(['r']);
  expect(
    decide(plan([prompt({ rules: [onlyDear] })]), promptInput({ prompt: { requested_model: 'cheap-1' } })).fired,
  ).toEqual([]);
});

test('an event whose default is deny passes if something allows and nothing denies', () => {
  const closed = (...rules: readonly ReturnType<typeof rule>[]) =>
    decide(plan([prompt({ default: 'deny', rules })]), promptInput());
  expect(closed()).toMatchObject({ outcome: 'deny', reasons: [{ kind: 'default' }] });
  expect(closed(rule('a', TRUE, ALLOW)).outcome).toBe('allow');
  expect(closed(rule('a', TRUE, ALLOW), rule('d', TRUE, deny())).reasons).toEqual([
    { kind: 'rule', rule: 'd', message: 'no' },
  ]);
  expect(closed(rule('a', FALSE, ALLOW), rule('d', TRUE, deny())).reasons).toEqual([
    { kind: 'rule', rule: 'd', message: 'no' },
    { kind: 'default' },
  ]);
});

test('failed facts of routes that do not serve the request are listed and deny nothing', () => {
  const routes = [
    route('auto', { kind: 'name', name: 'auto' }, [
      { kind: 'cheapest' },
      { kind: 'known', fact: ref('prompt.complexity') },
    ]),
  ];
  expect(decide(plan([prompt({ routes })]), promptInput(BROKEN))).toMatchObject({
    outcome: 'allow',
    failed: ['prompt.complexity'],
  });
});
