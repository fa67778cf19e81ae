// The compiled `decide`: whole decisions of small plans, every pair of operands of the comparisons that loop, and where
// words of 64 bits end.
import { beforeAll, describe, expect, test } from 'vitest';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Decision } from '../../compiler/plan/decision.ts';
import type { CollectionField, Expr, Fact, FactRef, Plan } from '../../compiler/plan/plan.ts';
import { readsOf } from '../../compiler/plan/reads.ts';
import { policyWasm } from '../../compiler/wasm/policy-wasm.ts';
import { policyHost } from '../host/policy-host.ts';
import {
  ALLOW,
  at,
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
} from '../interpret/small-plan.ts';
import { opaKernel } from './kernel.ts';

beforeAll(async () => void (await opaKernel()));

async function decider(thePlan: Plan): Promise<(input: unknown) => Decision> {
  return policyHost(policyWasm(await opaKernel(), thePlan)).decide;
}

const ALLOWED: Decision = {
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
};

describe('whole decisions', () => {
  test('a policy without rules allows the requested model', async () => {
    expect((await decider(plan([prompt({})])))(promptInput())).toEqual(ALLOWED);
  });

  test('redaction takes the strongest mode, names all rules, and is empty on a denial', async () => {
    const rules = [
      rule('a', TRUE, redact('placeholder', 'email', 'iban')),
      rule('b', TRUE, redact('remove', 'iban')),
      rule('c', FALSE, redact('remove', 'email')),
      rule('z', VERIFIED, deny('not you')),
    ];
    const ask = await decider(plan([prompt({ rules })]));
    const redacted = [
      { detector: 'email', as: 'placeholder', includingRestored: false, rules: ['a'] },
      { detector: 'iban', as: 'remove', includingRestored: false, rules: ['a', 'b'] },
    ] as const;
    expect(ask(promptInput())).toEqual({ ...ALLOWED, redact: redacted, fired: ['a', 'b'] });
    expect(ask(promptInput({ caller: { verified: true } }))).toEqual({
      ...ALLOWED,
      outcome: 'deny',
      outputTokens: null,
      fired: ['a', 'b', 'z'],
      reasons: [{ kind: 'rule', rule: 'z', message: 'not you' }],
    });
  });

  test('a route falls to the next preference when a requirement, a budget or the context removes a model', async () => {
    const any = route('any', { kind: 'any' }, [{ kind: 'requested' }, TRUE], [{ kind: 'cheapest' }, TRUE]);
    const ask = await decider(
      plan([prompt({ routes: [any], requirements: [requirement('stay', FALSE, VERIFIED)], budgets: [budget(TRUE)] })]),
    );
    // cheap: (40 + 50) · 0.02 = 1.8 micros; dear: 40 · 2.5 + 50 · 10 = 600.
    expect(ask(promptInput())).toEqual({ ...ALLOWED, reserve: [{ budget: 'team', amount: 600 }] });
    expect(ask(promptInput({ caller: { verified: true } }))).toEqual({
      ...ALLOWED,
      model: 'cheap',
      reserve: [{ budget: 'team', amount: 2 }],
      fired: ['stay'],
    });
    expect(ask(promptInput({ team: { headroom: 599 } }))).toEqual({
      ...ALLOWED,
      model: 'cheap',
      reserve: [{ budget: 'team', amount: 2 }],
    });
    expect(ask(promptInput({ team: { headroom: 1 } }))).toEqual({
      ...ALLOWED,
      outcome: 'deny',
      model: null,
      outputTokens: null,
      reasons: [
        { kind: 'removed', model: 'dear', by: ['budget team'] },
        { kind: 'removed', model: 'cheap', by: ['budget team'] },
      ],
    });
    expect(ask(promptInput({ prompt: { tokens_estimate: 51, requested_model: 'cheap-1' } })).model).toBe('dear');
    expect(ask(promptInput({ prompt: { tokens_estimate: 50, requested_model: 'cheap-1' } })).model).toBe('cheap');
  });

  test('costs are exact to the last integer, and beyond 2^63−1 more than any headroom', async () => {
    const ask = await decider(plan([prompt({ budgets: [budget(TRUE)] })]));
    const big = Number.MAX_SAFE_INTEGER;
    const cost = (input: number, choices: number, headroom: number) =>
      ask(
        promptInput({
          prompt: { requested_model: 'cheap-1', input_tokens_bound: input, choices, tokens_estimate: 0 },
          team: { headroom },
        }),
      );
    // (400,000,000,000,025 + 1 · 50) · 20,000 / 1,000,000 = 8,000,000,000,001.5
    expect(cost(400_000_000_000_025, 1, 8_000_000_000_002).reserve).toEqual([
      { budget: 'team', amount: 8_000_000_000_002 },
    ]);
    expect(cost(400_000_000_000_025, 1, 8_000_000_000_001).outcome).toBe('deny');
    expect(cost(big, 1, big).outcome).toBe('deny');
    expect(cost(1, big, big).outcome).toBe('deny');
    expect(cost(-5, -7, 0).reserve).toEqual([{ budget: 'team', amount: 0 }]);
  });

  test('limits lower the output, a threshold removes, classification rises, tags unite', async () => {
    const threshold = {
      percent: 80,
      reads: [],
      removes: { kind: 'each', exprs: [FALSE, TRUE] } as const,
      span: { file: 'f', start: 0, end: 1 },
    };
    const ask = await decider(
      plan([
        prompt({
          classify: [classify('raise', COMPLEX, 'restricted'), classify('stay', TRUE, 'public')],
          limits: [limit('short', TRUE, 20), limit('longer', TRUE, 30)],
          budgets: [budget(TRUE, [threshold])],
          routes: [
            route('any', { kind: 'any' }, [{ kind: 'model', model: 1 }, TRUE], [{ kind: 'model', model: 0 }, TRUE]),
          ],
          rules: [
            rule('t', TRUE, { kind: 'tag', name: 'b', value: '2' }, { kind: 'tag', name: 'a', value: 'x"\n\u0001é' }),
            rule('u', TRUE, { kind: 'tag', name: 'b', value: '2' }),
          ],
        }),
      ]),
    );
    const fired = ['longer', 'short', 'stay', 't', 'u'];
    const tags = [
      { name: 'a', value: 'x"\n\u0001é' },
      { name: 'b', value: '2' },
    ];
    // 40 · 2.5 + 20 · 10 = 300 micros
    expect(ask(promptInput({ team: { spent: 799 } }))).toEqual({
      ...ALLOWED,
      outputTokens: 20,
      reserve: [{ budget: 'team', amount: 300 }],
      tags,
      fired,
    });
    expect(ask(promptInput({ team: { spent: 800 }, prompt: { complexity: 500 } }))).toEqual({
      ...ALLOWED,
      model: 'cheap',
      classification: 'restricted',
      outputTokens: 20,
      reserve: [{ budget: 'team', amount: 2 }],
      tags,
      fired: ['longer', 'raise', 'short', 'stay', 't', 'u'],
    });
  });

  test('what cannot be read denies where it matters, and names the facts', async () => {
    const rules = [
      rule('open', COMPLEX, redact('mask', 'email')),
      rule('who', { kind: 'text_equals', left: ref('caller.id'), right: { kind: 'text', value: 'u1' } }, ALLOW),
    ];
    const ask = await decider(plan([prompt({ default: 'deny', rules })], { onFailure: 'allow' }));
    const failed = ask(promptInput({ prompt: { complexity: 'high' }, caller: { id: 1 } }));
    expect(failed.reasons).toEqual([{ kind: 'failed', rule: 'who', facts: ['caller.id'] }, { kind: 'default' }]);
    expect(failed.failed).toEqual(['caller.id', 'prompt.complexity']);
    expect(ask(promptInput({ prompt: { complexity: 'high' } })).outcome).toBe('allow');
    const lost = ask(promptInput({ prompt: { requested_model: 5 } }));
    expect(lost.reasons).toEqual([{ kind: 'failed', rule: 'choice of model', facts: ['prompt.requested_model'] }]);
    expect(lost.model).toBeNull();
  });

  test("a budget's levels are looked at where it applies, and only there", async () => {
    const threshold = {
      percent: 80,
      reads: readsOf(COMPLEX, { classification: [] }),
      removes: { kind: 'all', expr: COMPLEX } as const,
      span: { file: 'f', start: 0, end: 1 },
    };
    const ask = await decider(
      plan(
        [
          prompt({
            budgets: [
              budget({ kind: 'and', of: [{ kind: 'known', fact: ref('caller.verified') }, VERIFIED] }, [threshold]),
            ],
          }),
        ],
        { onFailure: 'allow' },
      ),
    );
    const lost = (caller: { readonly [claim: string]: unknown }, complexity: unknown = 100) =>
      ask(promptInput({ caller, prompt: { complexity }, team: { headroom: null, spent: 'none' } }));
    const denied = (...facts: readonly string[]) => ({
      ...ALLOWED,
      outcome: 'deny',
      outputTokens: null,
      reasons: [{ kind: 'failed', rule: 'budget team', facts }],
      failed: facts,
    });
    expect(lost({ verified: false }, 'high')).toEqual(ALLOWED);
    expect(lost({})).toEqual(ALLOWED);
    expect(lost({ verified: true })).toEqual(denied('budget.team.headroom', 'budget.team.spent'));
    expect(lost({ verified: true }, 'high')).toEqual(
      denied('budget.team.headroom', 'budget.team.spent', 'prompt.complexity'),
    );
    expect(lost({ verified: 'yes' })).toEqual(denied('caller.verified'));
  });

  test('chunks pass where something allows, nothing denies and nothing withholds', async () => {
    const secret: Expr = { kind: 'is_true', fact: ref('chunk.docs.secret') };
    const newer: Expr = {
      kind: 'compare',
      op: 'ge',
      left: ref('chunk.docs.version'),
      right: { kind: 'number', value: 2 },
    };
    const reads = (expr: Expr) => readsOf(expr, { classification: [] });
    const rules = [
      rule('allow_new', TRUE, { kind: 'allow_chunk', where: newer, reads: reads(newer) }),
      rule('no_secret', TRUE, { kind: 'withhold_chunk', unless: { kind: 'not', of: secret }, reads: reads(secret) }),
      rule('requests', VERIFIED, deny('ask first')),
    ];
    const thePlan = plan([{ kind: 'retrieval', store: 'docs', default: 'deny', rules, requestRules: rules.slice(2) }]);
    const ask = await decider(thePlan);
    const chunk = (secretly: unknown, version: unknown) =>
      ask({ event: 'chunk', store: 'docs', chunk: { docs: { secret: secretly, version } } });
    const decision = {
      ...ALLOWED,
      event: 'chunk',
      model: null,
      classification: null,
      outputTokens: null,
      fired: ['allow_new', 'no_secret'],
    };
    expect(chunk(false, 2)).toEqual(decision);
    expect(chunk(true, 1)).toEqual({
      ...decision,
      outcome: 'deny',
      reasons: [{ kind: 'withheld', rule: 'no_secret' }, { kind: 'default' }],
    });
    expect(chunk(null, 2)).toEqual({
      ...decision,
      outcome: 'deny',
      reasons: [{ kind: 'failed', rule: 'no_secret', facts: ['chunk.docs.secret'] }],
      failed: ['chunk.docs.secret'],
    });
    expect(ask({ event: 'retrieval', store: 'docs' }).outcome).toBe('allow');
    expect(ask({ event: 'retrieval', store: 'docs', caller: { verified: true } }).reasons).toEqual([
      { kind: 'rule', rule: 'requests', message: 'ask first' },
    ]);
    expect(ask({ event: 'chunk', store: 'none' }).reasons).toEqual([{ kind: 'input' }]);
  });

  test('after the prompt a condition for each model is read at the chosen one', async () => {
    const rules = [
      {
        ...rule('at_dear', TRUE, deny('dear')),
        when: { kind: 'each', exprs: [FALSE, TRUE] } as const,
        reads: [at('model.chosen')],
      },
    ];
    const ask = await decider(plan([{ kind: 'completion', default: 'allow', classify: [], rules, stream: 'causal' }]));
    const at_ = (chosen: unknown) => ask({ event: 'completion', model: { chosen } }).reasons;
    expect([at_('dear'), at_('cheap'), at_('other')]).toEqual([
      [{ kind: 'rule', rule: 'at_dear', message: 'dear' }],
      [],
      [{ kind: 'failed', rule: 'at_dear', facts: ['model.chosen'] }],
    ]);
  });
});

// ------------------------------------------------------------------------------------------------------- pairs of
// operands

const ENUMS = [
  { name: 'place', ordered: false, members: ['eu', 'us', 'apac'] },
  { name: 'zone', ordered: false, members: ['us', 'moon', 'eu'] },
  { name: 'many', ordered: false, members: [...Array.from({ length: 126 }, (_, n) => `m${n}`), 'eu', 'us'] },
];
const FIELDS: readonly CollectionField[] = [
  { name: 'text', type: { kind: 'text' } },
  { name: 'place', type: { kind: 'enum', enum: 'place' } },
  { name: 'zone', type: { kind: 'enum', enum: 'zone' } },
  { name: 'many', type: { kind: 'enum', enum: 'many' } },
  { name: 'texts', type: { kind: 'text_set' } },
  { name: 'places', type: { kind: 'enum_set', enum: 'place' } },
  { name: 'zones', type: { kind: 'enum_set', enum: 'zone' } },
  { name: 'manies', type: { kind: 'enum_set', enum: 'many' } },
];

/** Each type as an optional fact, and as a field of a collection. */
function pairPlan(): Plan {
  const more = { absent: { kind: 'unknown' }, failsClosed: false, source: { kind: 'builtin' } } as const;
  const facts: Fact[] = FIELDS.map(({ name, type }, id) => ({ id, path: [name], type, ...more }));
  facts.push({ id: FIELDS.length, path: ['items'], type: { kind: 'collection', fields: FIELDS, most: 4 }, ...more });
  const isSet = (field: number) => FIELDS[field]!.type.kind.endsWith('_set');
  const all = FIELDS.map((_, field) => field);
  const constants = [['eu'], ['us', 'moon'], ['apac', 'eu', 'us'], ['m70', 'us'], []];
  const exprs: Expr[] = [];
  const pair = (ref_: (field: number) => FactRef) => {
    const list: Expr[] = [];
    for (const left of all) {
      for (const right of all) {
        if (!isSet(left) && !isSet(right)) list.push({ kind: 'text_equals', left: ref_(left), right: ref_(right) });
        if (isSet(left) && !isSet(right)) list.push({ kind: 'contains', set: ref_(left), member: ref_(right) });
        if (isSet(left) && isSet(right))
          list.push(
            { kind: 'overlaps', left: ref_(left), right: ref_(right) },
            { kind: 'subset', left: ref_(left), right: ref_(right) },
          );
      }
      for (const values of constants) {
        if (isSet(left))
          list.push(
            { kind: 'overlaps', left: ref_(left), right: { kind: 'members', values } },
            { kind: 'subset', left: ref_(left), right: { kind: 'members', values } },
          );
        for (const value of values) {
          list.push(
            isSet(left)
              ? { kind: 'contains', set: ref_(left), member: { kind: 'text', value } }
              : { kind: 'text_equals', left: { kind: 'text', value }, right: ref_(left) },
          );
          if (!isSet(left)) list.push({ kind: 'text_contains', text: ref_(left), part: value.slice(0, 1) });
        }
      }
    }
    return list;
  };
  exprs.push(...pair((field) => ({ kind: 'fact', fact: field })));
  const inElements = pair((field) => ({ kind: 'field', collection: FIELDS.length, field }));
  exprs.push(
    ...inElements.map((body): Expr => ({ kind: 'some', collection: FIELDS.length, body })),
    ...inElements.map((body): Expr => ({ kind: 'every', collection: FIELDS.length, body })),
  );
  const rules = exprs.map((expr, n) =>
    rule(`r${String(n).padStart(4, '0')}`, expr, { kind: 'tag', name: String(n), value: '' }),
  );
  return plan(
    [
      {
        kind: 'ingest',
        store: 'docs',
        default: 'allow',
        rules: rules.map((each) => ({
          ...each,
          reads: readsOf((each.when as { expr: Expr }).expr, { classification: [] }),
        })),
      },
    ],
    {
      facts,
      enums: ENUMS,
      detectors: [],
      models: [],
      byPrice: [],
      stores: [{ name: 'docs', kind: 'chroma', collection: 'd', facts: [], span: { file: 'f', start: 0, end: 1 } }],
    },
  );
}

test('every pair of operands: texts, enums and sets of one kind and of different kinds, as facts and in elements', async () => {
  const thePlan = pairPlan();
  const ask = await decider(thePlan);
  const values: readonly { readonly [field: string]: unknown }[] = [
    {},
    { text: 'eu', place: 'eu', zone: 'eu', many: 'eu', texts: ['eu'], places: ['eu'], zones: ['eu'], manies: ['eu'] },
    {
      text: 'us',
      place: 'apac',
      zone: 'moon',
      many: 'm70',
      texts: ['us', 'moon', 'apac'],
      places: ['us', 'apac'],
      zones: ['us', 'moon'],
      manies: ['us', 'm70', 'm3'],
    },
    { text: '', place: 'us', zone: 'us', many: 'us', texts: [], places: [], zones: [], manies: [] },
    {
      text: 'm63',
      place: 'eu',
      zone: 'moon',
      many: 'm63',
      texts: ['m63', 'm64', 'us'],
      places: ['eu', 'us', 'apac'],
      zones: ['us', 'moon', 'eu'],
      manies: ['m63', 'm64'],
    },
    {
      text: 'é',
      place: 'us',
      zone: 'eu',
      many: 'm64',
      texts: ['', 'é'],
      places: ['us'],
      zones: ['moon'],
      manies: ['m0', 'm125', 'eu', 'us'],
    },
  ];
  const items = [[], values.slice(1, 2), values.slice(1), values.slice(2, 6)];
  let fired = 0;
  for (const value of values) {
    for (const list of [undefined, ...items]) {
      const input = { event: 'ingest', store: 'docs', ...value, ...(list === undefined ? {} : { items: list }) };
      const expected = decide(thePlan, input);
      fired += expected.fired.length;
      expect(ask(input)).toEqual(expected);
    }
  }
  expect(fired).toBeGreaterThan(1_000);
});

test.each([63, 64, 65, 128, 130])('%i rules, facts and effects: no word is one bit short', async (count) => {
  const facts: Fact[] = Array.from({ length: count }, (_, id) => ({
    id,
    path: [`f${String(id).padStart(3, '0')}`],
    type: { kind: 'bool' },
    absent: { kind: 'fails' },
    failsClosed: false,
    source: { kind: 'builtin' },
  }));
  const rules = facts.map(({ id }) => {
    const expr: Expr = { kind: 'is_true', fact: { kind: 'fact', fact: id } };
    return rule(`r${String(id).padStart(3, '0')}`, TRUE, { kind: 'withhold_chunk', unless: expr, reads: [id] }, ALLOW);
  });
  const thePlan = plan([{ kind: 'retrieval', store: 'docs', default: 'deny', rules, requestRules: [] }], {
    facts,
    stores: [
      { name: 'docs', kind: 'chroma', collection: 'd', facts: [count - 1], span: { file: 'f', start: 0, end: 1 } },
    ],
  });
  for (const onFailure of ['allow', 'deny'] as const) {
    const ask = await decider({ ...thePlan, onFailure });
    for (const wrong of [0, 62, 63, 64, count - 1].filter((each) => each < count)) {
      for (const value of [false, 'no']) {
        const input = {
          event: 'chunk',
          store: 'docs',
          ...Object.fromEntries(facts.map(({ id, path }) => [path[0]!, id === wrong ? value : true])),
        };
        expect(ask(input)).toEqual(decide({ ...thePlan, onFailure }, input));
      }
    }
  }
});

describe('limits', () => {
  const models = (count: number) => {
    const base = plan([]).models[0]!;
    const all = Array.from({ length: count }, (_, id) => ({
      ...base,
      id,
      name: `m${String(id).padStart(2, '0')}`,
      wireName: `wire-${id}`,
    }));
    const enums = plan([]).enums.map((each) =>
      each.name === 'writ.model' ? { ...each, members: all.map(({ name }) => name) } : each,
    );
    const cheapest = route('any', { kind: 'any' }, [{ kind: 'cheapest' }, TRUE]);
    return plan([prompt({ routes: [cheapest] })], { models: all, enums, byPrice: all.map(({ id }) => id).reverse() });
  };

  test('64 models, and no more', async () => {
    const thePlan = models(64);
    expect((await decider(thePlan))(promptInput())).toEqual(decide(thePlan, promptInput()));
    const denied = promptInput({ prompt: { tokens_estimate: 1_000 } });
    expect((await decider(thePlan))(denied)).toEqual(decide(thePlan, denied));
    await expect(decider(models(65))).rejects.toThrow('at most 64 models');
  });

  test('an enum of 128 members, and no more', async () => {
    const members = (count: number) =>
      plan([prompt({})], {
        enums: [
          ...plan([]).enums,
          { name: 'long', ordered: false, members: Array.from({ length: count }, (_, n) => `m${n}`) },
        ],
      });
    expect((await decider(members(128)))(promptInput()).outcome).toBe('allow');
    await expect(decider(members(129))).rejects.toThrow('at most 128 members');
  });
});

test.each([63, 64, 65, 130])('%i budgets: each level counts for its own budget alone', async (count) => {
  const base = plan([]);
  const first = base.facts.length;
  const name = (place: number) => `b${String(place).padStart(3, '0')}`;
  const facts: Fact[] = Array.from({ length: 3 * count }, (_, at) => {
    const place = Math.floor(at / 3);
    const fact = { id: first + at, absent: { kind: 'fails' } as const, failsClosed: true };
    if (at % 3 === 0)
      return {
        ...fact,
        path: ['caller', name(place)],
        type: { kind: 'bool' },
        source: { kind: 'claim', claim: name(place) },
      };
    return {
      ...fact,
      path: ['budget', name(place), at % 3 === 1 ? 'headroom' : 'spent'],
      type: { kind: 'number', scale: 0, unit: '' },
      source: { kind: 'budget', budget: name(place) },
    };
  });
  const budgets = Array.from({ length: count }, (_, place) => {
    const own = first + 3 * place;
    const applies: Expr = { kind: 'is_true', fact: { kind: 'fact', fact: own } };
    return { ...budget(applies), name: name(place), reads: [own], headroom: own + 1, spent: own + 2 };
  });
  const thePlan = plan([prompt({ budgets })], { facts: [...base.facts, ...facts] });
  const ask = await decider(thePlan);
  for (const lost of [0, 62, 63, 64, count - 1].filter((place) => place < count)) {
    for (const applying of [[lost], [lost === 0 ? 1 : 0], [0, lost, count - 1], []]) {
      const who = Object.fromEntries(budgets.map((each, place) => [each.name, applying.includes(place)]));
      const levels = Object.fromEntries(
        budgets.map((each, place) => [each.name, place === lost ? {} : { headroom: 1_000_000, spent: 0 }]),
      );
      const input = { ...(promptInput({ caller: who }) as object), budget: levels };
      const expected = decide(thePlan, input);
      expect(expected.outcome).toBe(applying.includes(lost) ? 'deny' : 'allow');
      expect(ask(input)).toEqual(expected);
    }
  }
});
