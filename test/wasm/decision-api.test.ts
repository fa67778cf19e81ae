// The decision as sessions use it: claims, chunk metadata, built-in facts, identities, the choice carried on, the
// sentence for the client, and that no memory is lost.
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import * as abi from '../../filters/kernel/abi.ts';
import { REDACT_NONE } from '../../filters/kernel/decision/layout.ts';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Fact, Plan } from '../../compiler/plan/plan.ts';
import { decisionHost, type DecisionHost } from '../host/decision-host.ts';
import {
  ALLOW,
  at,
  budget,
  deny,
  FALSE,
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

const CLAIMS: { readonly [name: string]: Fact['source'] } = {
  groups: { kind: 'claim', claim: 'roles', splitBy: ',' },
  id: { kind: 'claim', claim: 'sub' },
  region: { kind: 'claim', claim: 'https://acme.example/region' },
};

function claimsPlan(): Plan {
  const groups = { kind: 'contains', set: ref('caller.groups'), member: { kind: 'text', value: 'staff' } } as const;
  const isSub = { kind: 'text_equals', left: ref('caller.id'), right: { kind: 'text', value: 'u\u00e91' } } as const;
  const base = plan([
    prompt({
      rules: [
        rule('is_staff', groups, redact('mask', 'email')),
        rule('is_u1', isSub, { kind: 'tag', name: 'who', value: 'u1' }),
        rule('held', TRUE, { kind: 'buffer' }),
      ],
      budgets: [budget(TRUE)],
    }),
    {
      kind: 'completion',
      default: 'allow',
      classify: [],
      stream: 'causal',
      rules: [
        {
          ...rule('at_dear', TRUE, deny('dear')),
          when: { kind: 'each', exprs: [FALSE, TRUE] },
          reads: [at('model.chosen')],
        },
      ],
    },
    {
      kind: 'retrieval',
      store: 'docs',
      default: 'deny',
      requestRules: [],
      rules: [rule('open', { kind: 'not', of: { kind: 'is_true', fact: ref('chunk.docs.secret') } }, ALLOW)],
    },
  ]);
  return {
    ...base,
    facts: base.facts.map((fact) => ({
      ...fact,
      source: (fact.path[0] === 'caller' ? CLAIMS[fact.path[1]!] : undefined) ?? fact.source,
    })),
  };
}

const IDENTITY = createHash('sha256').update('key-1').digest('hex');
let host: DecisionHost;

beforeAll(async () => {
  host = await decisionHost(claimsPlan(), [
    { sha256: IDENTITY, claims: { sub: 'u\u00e91', roles: 'staff' } },
    { sha256: 'f'.repeat(64), claims: {} },
    { sha256: '0'.repeat(64), claims: { sub: 'zero' } },
  ]);
});

/** A prompt's facts that have not failed, and these claims. */
function given(claims: string | Uint8Array): boolean {
  const { call, withText } = host;
  call['begin']!();
  const isRead = withText('load_claims', claims) === 1;
  withText('set_text', 'dear-1', abi.FACT_PROMPT_REQUESTED_MODEL);
  for (const [fact, value] of [
    [abi.FACT_PROMPT_INPUT_TOKENS_BOUND, 40n],
    [abi.FACT_PROMPT_TOKENS_ESTIMATE, 30n],
    [abi.FACT_PROMPT_CHOICES, 1n],
  ] as const)
    call['set_value']!(fact, value);
  call['set_unknown']!(abi.FACT_PROMPT_OUTPUT_TOKENS);
  call['set_budget_levels']!(0, 1_000_000n, 0n);
  return isRead;
}

function decided(event: number = abi.EVENT_PROMPT, store = 0): ReturnType<DecisionHost['decide']> {
  host.call['run']!(event, store, 1);
  host.call['decision']!();
  return JSON.parse(host.text());
}

describe('claims', () => {
  test.each([
    ['{"sub":"u\\u00e91","roles":" admin , staff ,"}', ['held', 'is_staff', 'is_u1']],
    ['{"sub":"u\u00e91","roles":["staff"]}', ['held', 'is_staff', 'is_u1']],
    ['{"sub":"other","roles":"staffer"}', ['held']],
    ['{"sub":"other","roles":"","exp":1,"nested":{"sub":"u1"}}', ['held']],
    ['{"sub":"other"}', ['held']],
  ])('%s', (claims, fired) => {
    expect(given(claims)).toBe(true);
    expect(decided().fired).toEqual(fired);
    host.end();
  });

  test.each([
    ['not JSON', '{'],
    ['no object', '["sub"]'],
    ['invalid UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
  ])('%s: every fact of the caller has failed', (_, claims) => {
    expect(given(claims)).toBe(false);
    expect(decided().failed).toEqual(['caller.groups', 'caller.id']);
    host.end();
  });

  test('nobody identified: even those with an else have failed', () => {
    given('{}');
    expect(decided().failed).toEqual(['caller.id']);
    host.call['fail_claims']!();
    expect(decided().failed).toEqual(['caller.groups', 'caller.id']);
    host.end();
  });
});

test("an identity's claims are found by its hash, and no other", () => {
  host.call['begin']!();
  const claimsOf = (hex: string) => {
    const bytes = Buffer.from(hex, 'hex');
    const place = Number(host.call['alloc']!(32));
    new Uint8Array(host.call.memory.buffer).set(bytes, place);
    const isFound = host.call['identity']!(place) === 1;
    host.call['free']!(place);
    return isFound ? host.text() : null;
  };
  expect(claimsOf(IDENTITY)).toBe('{"sub":"u\u00e91","roles":"staff"}');
  expect(claimsOf('f'.repeat(64))).toBe('{}');
  expect(claimsOf('0'.repeat(64))).toBe('{"sub":"zero"}');
  expect(claimsOf(`${'0'.repeat(63)}1`)).toBeNull();
  host.end();
});

test('what the session does with a decision', () => {
  given('{"sub":"u1","roles":"staff"}');
  expect(decided().outcome).toBe('allow');
  const { call } = host;
  expect([
    call['allowed']!(),
    call['model']!(),
    call['tokens']!(),
    call['reserve']!(0),
    call['redaction']!(0),
    call['redaction']!(1),
    call['restored']!(0),
    call['buffered']!(),
  ]).toEqual([1, 1, 50n, 600n, 5, REDACT_NONE, 0, 1]);
  call['carry']!();
  expect(decided(abi.EVENT_COMPLETION).reasons).toEqual([{ kind: 'rule', rule: 'at_dear', message: 'dear' }]);
  expect([call['allowed']!(), call['tokens']!(), call['reserve']!(0)]).toEqual([0, 0n, -1n]);
  host.end();
});

test.each([
  ['{"secret":false}', 'allow', []],
  ['{"secret":true}', 'deny', []],
  ['{"secret":"no"}', 'deny', ['chunk.docs.secret']],
  ['[]', 'deny', ['chunk.docs.secret']],
])('a chunk with the metadata %s', (metadata, outcome, failed) => {
  host.call['begin']!();
  host.withText('load_metadata', metadata, 0);
  expect(decided(abi.EVENT_CHUNK)).toMatchObject({ outcome, failed });
  host.end();
});

test('a result that nothing was decided into denies', () => {
  host.call['begin']!();
  expect(host.call['allowed']!()).toBe(0);
  expect(decided(9)).toEqual(decide(claimsPlan(), null));
  expect(decided(abi.EVENT_CHUNK, 1)).toEqual(decide(claimsPlan(), null));
  host.end();
});

describe('the sentence for the client', () => {
  const catchAll = [route('any', { kind: 'any' }, [{ kind: 'cheapest' }, TRUE])];
  test.each([
    [
      'a rule and its message',
      plan([prompt({ rules: [rule('no', TRUE, deny('cards stay home'))] })]),
      promptInput(),
      'cards stay home (rule no)',
    ],
    [
      'an unknown model',
      plan([prompt({})]),
      promptInput({ prompt: { requested_model: 'gpt-9' } }),
      'no model of this name may be used',
    ],
    ['a budget alone', plan([prompt({ budgets: [budget(TRUE)] })]), promptInput({ team: { headroom: 1 } }), 'used up'],
    [
      'all that removed',
      plan([
        prompt({ routes: catchAll, budgets: [budget(TRUE)], requirements: [requirement('eu_only', FALSE, TRUE)] }),
      ]),
      promptInput({ team: { headroom: 1 } }),
      'used up (removed by eu_only, budget team)',
    ],
    [
      'what is not known',
      plan([prompt({ rules: [rule('who', VERIFIED, deny('x'))] })]),
      promptInput({ caller: { verified: 'secret-value' } }),
      'something that a rule reads is not known (who)',
    ],
    ['the default', plan([prompt({ default: 'deny' })]), promptInput(), 'no rule of the policy allows this'],
  ] as const)('%s', async (_, thePlan, input, sentence) => {
    const other = await decisionHost(thePlan);
    other.call['begin']!();
    other.withText('load_input', JSON.stringify(input));
    other.call['run']!(abi.EVENT_PROMPT, 0, 1);
    other.call['reason']!();
    expect(other.text()).toBe(sentence);
  });
});

test('a session gives back all memory that it took', () => {
  const used = () => Number(host.call['in_use']!());
  const round = (claims: string) => {
    given(claims);
    decided();
    host.end();
  };
  round('{}');
  const before = used();
  for (const claims of [
    '{}',
    '{',
    '{"sub":1}',
    JSON.stringify({ sub: 'u1', roles: Array.from({ length: 256 }, (_, n) => `group-${n}-${'x'.repeat(200)}`) }),
  ])
    round(claims);
  expect(used()).toBe(before);
});

test("claims beyond the session's arena fail, and nothing is lost", () => {
  const before = Number(host.call['in_use']!());
  const long = (bytes: number) => given(JSON.stringify({ sub: 'x'.repeat(bytes), roles: 'staff' }));
  expect(long(4_000_000)).toBe(true);
  expect(decided().failed).toEqual([]);
  host.end();
  expect(long(5_000_000)).toBe(true);
  expect(decided().failed).toEqual(['caller.id']);
  host.end();
  expect(Number(host.call['in_use']!())).toBe(before);
});
