// What a policy's source means, from the text to the interpreter's decision.
import { describe, expect, test } from 'vitest';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Decision } from '../../compiler/plan/decision.ts';
import { planOf, type PolicySettings, promptInput, type PromptFacts } from './plan-of.ts';

interface Case {
  readonly says: string;
  readonly policy: string;
  readonly settings?: PolicySettings;
  readonly when: PromptFacts;
  readonly then: Partial<Decision>;
}

const cases: readonly Case[] = [
  {
    says: 'nothing forbids, so it passes',
    policy: '',
    when: {},
    then: { outcome: 'allow', model: 'big', classification: 'internal' },
  },
  {
    says: 'a deny rule fires where its condition holds',
    policy: 'rule r on prompt where caller.region is eu deny "no"',
    when: { caller: { region: 'eu' } },
    then: { outcome: 'deny', reasons: [{ kind: 'rule', rule: 'r', message: 'no' }] },
  },
  {
    says: 'and not elsewhere',
    policy: 'rule r on prompt where caller.region is eu deny "no"',
    when: {},
    then: { outcome: 'allow', fired: [] },
  },
  {
    says: 'unless takes back',
    policy: 'rule r on prompt unless caller.groups contains "x" deny "no"',
    when: { caller: { groups: ['x'] } },
    then: { outcome: 'allow' },
  },
  {
    says: 'is not',
    policy: 'rule r on prompt where caller.region is not eu deny "no"',
    when: {},
    then: { outcome: 'deny' },
  },
  {
    says: 'one of',
    policy: 'rule r on prompt where caller.id is one of ("u1", "u2") deny "no"',
    when: {},
    then: { outcome: 'deny' },
  },
  {
    says: 'a term stands for its condition',
    policy: 'term t = caller.groups contains "x"\nrule r on prompt where t deny "no"',
    when: { caller: { groups: ['x'] } },
    then: { outcome: 'deny' },
  },
  {
    says: 'an absent value takes its else',
    policy: 'rule r on prompt where caller.clearance is public deny "no"',
    when: {},
    then: { outcome: 'deny' },
  },
  {
    says: 'an unknown optional is not known',
    policy: 'rule r on prompt where caller.manager is not known deny "no"',
    when: {},
    then: { outcome: 'deny' },
  },
  {
    says: 'a known one can be read',
    policy: 'rule r on prompt where caller.manager is known and caller.manager is "m" deny "no"',
    when: { caller: { manager: 'm' } },
    then: { outcome: 'deny' },
  },
  {
    says: 'a failed fact of the caller denies even where failure allows',
    policy: 'rule r on prompt where caller.region is eu deny "no"',
    settings: { failure: 'allow' },
    when: { caller: { region: 'mars' } },
    then: { outcome: 'deny', failed: ['caller.region'] },
  },
  {
    says: 'a condition on the model is settled for each model',
    policy: 'rule r on prompt where model.zone is external redact email as placeholder',
    when: { found: ['email'] },
    then: {
      outcome: 'allow',
      redact: [{ detector: 'email', as: 'placeholder', includingRestored: false, rules: ['r'] }],
    },
  },
  {
    says: 'and does not hold for another model',
    policy: 'rule r on prompt where model.zone is external redact email as placeholder',
    when: { found: ['email'], prompt: { requested_model: 'small-1' } },
    then: { model: 'small', redact: [] },
  },
  {
    says: 'use only models removes the rest',
    policy: 'rule r on prompt where caller.region is eu use only models where model.region is eu',
    when: { caller: { region: 'eu' } },
    then: { outcome: 'deny', reasons: [{ kind: 'removed', model: 'big', by: ['r'] }] },
  },
  {
    says: 'a route offers another',
    policy:
      'rule r on prompt where caller.region is eu use only models where model.region is eu\nroute any for requested any prefer requested prefer any by price',
    when: { caller: { region: 'eu' } },
    then: { outcome: 'allow', model: 'small' },
  },
  {
    says: 'a model’s attribute against the computed classification',
    policy:
      'classify prompt as restricted where text contains iban\nrule r on prompt use only models where model.clearance is at least prompt.classification',
    when: { found: ['iban'] },
    then: { outcome: 'deny', classification: 'restricted' },
  },
  {
    says: 'the route of a requested name, by condition',
    policy: 'route auto for requested "auto" prefer small where prompt.complexity is below 400 prefer big',
    when: { prompt: { requested_model: 'auto', complexity: 900 } },
    then: { outcome: 'allow', model: 'big' },
  },
  {
    says: 'an unknown name is denied',
    policy: '',
    when: { prompt: { requested_model: 'x' } },
    then: { outcome: 'deny', reasons: [{ kind: 'unknown_model' }] },
  },
  {
    says: 'a limit lowers the output',
    policy: 'rule r on prompt limit prompt.output_tokens to 50 tokens',
    when: {},
    then: { outcome: 'allow', outputTokens: 50 },
  },
  {
    says: 'a budget reserves the worst case',
    policy: 'budget b for caller.region is us limit 1 usd per day in "UTC" else deny "spent"',
    when: { budget: { b: { headroom: 1_000_000, spent: 0 } } },
    then: { outcome: 'allow', reserve: [{ budget: 'b', amount: 5_250 }] },
  },
  {
    says: 'and removes what does not fit',
    policy: 'budget b for caller.region is us limit 1 usd per day in "UTC" else deny "spent"',
    when: { budget: { b: { headroom: 5_249, spent: 994_751 } } },
    then: { outcome: 'deny', reasons: [{ kind: 'removed', model: 'big', by: ['budget b'] }] },
  },
  {
    says: 'who is not the budget’s passes, although no level is known',
    policy:
      'budget b for caller.region is us limit 1 usd per day in "UTC" at 80 percent use only models where model.zone is onprem else deny "spent"',
    when: { caller: { region: 'eu' } },
    then: { outcome: 'allow', model: 'big', reserve: [], reasons: [], failed: [] },
  },
  {
    says: 'and who is, is denied, even where failure allows',
    policy:
      'budget b for caller.region is us limit 1 usd per day in "UTC" at 80 percent use only models where model.zone is onprem else deny "spent"',
    settings: { failure: 'allow' },
    when: {},
    then: {
      outcome: 'deny',
      reserve: [],
      reasons: [{ kind: 'failed', rule: 'budget b', facts: ['budget.b.headroom', 'budget.b.spent'] }],
      failed: ['budget.b.headroom', 'budget.b.spent'],
    },
  },
  {
    says: 'and so is one of whom that is not known',
    policy: 'budget b for caller.region is us limit 1 usd per day in "UTC" else deny "spent"',
    when: { caller: { region: 'mars' }, budget: { b: { headroom: 1_000_000, spent: 0 } } },
    then: {
      outcome: 'deny',
      reasons: [{ kind: 'failed', rule: 'budget b', facts: ['caller.region'] }],
      failed: ['caller.region'],
    },
  },
  {
    says: 'some message',
    policy: 'rule r on prompt where some m in prompt.messages has (m.role is user and m.text contains email) deny "no"',
    when: { found: ['email'] },
    then: { outcome: 'deny' },
  },
  {
    says: 'a word is found as a detector finds it',
    policy: 'rule r on prompt where text contains "merger" deny "no"',
    when: { found: ['"merger"'] },
    then: { outcome: 'deny' },
  },
  {
    says: 'a rule of a form that is not enforced denies where its condition holds',
    policy:
      'reviewers legal from group "legal"\nrule r on prompt where caller.region is us hold for review by 1 of legal up to 4 hours else deny',
    when: {},
    then: { outcome: 'deny' },
  },
  {
    says: 'default deny needs an allow',
    policy: 'rule r on prompt where caller.region is eu allow',
    settings: { prompt: 'deny' },
    when: {},
    then: { outcome: 'deny', reasons: [{ kind: 'default' }] },
  },
  {
    says: 'and passes with one',
    policy: 'rule r on prompt where caller.region is us allow',
    settings: { prompt: 'deny' },
    when: {},
    then: { outcome: 'allow' },
  },
];

describe('a prompt', () => {
  test.each(cases)('$says', ({ policy, settings, when, then }) => {
    expect(decide(planOf(policy, settings), promptInput(when))).toMatchObject(then);
  });
});

const chunk = (metadata: object, caller: object = {}): object => ({
  event: 'chunk',
  store: 'docs',
  caller: { id: 'u1', region: 'us', groups: ['hr'], clearance: 'confidential', ...caller },
  text: { found: [], found_restored: [] },
  chunk: { docs: { groups: ['hr'], classification: 'internal', source: 'a', version: 1, ...metadata } },
});

describe('a chunk', () => {
  const plan = planOf(`rule need on retrieval from docs
  allow chunk where chunk.groups overlaps caller.groups
  withhold chunk unless chunk.classification is at most caller.clearance`);
  test.each([
    ['passes where an allow holds and no withhold is missed', {}, {}, 'allow'],
    ['is withheld where nothing allows', { groups: ['it'] }, {}, 'deny'],
    ['is withheld above the caller’s clearance', { classification: 'restricted' }, {}, 'deny'],
    ['takes its else where the store says nothing', { classification: undefined }, {}, 'deny'],
    ['is withheld where its facts have failed', { groups: 'hr' }, {}, 'deny'],
  ] as const)('%s', (_, metadata, caller, outcome) => {
    expect(decide(plan, chunk(metadata, caller)).outcome).toBe(outcome);
  });
});

describe('a streamed reply', () => {
  test.each([
    ['rule r on completion redact email as mask', 'causal'],
    ['rule r on completion where text contains email deny "no"', 'early'],
    ['rule r on completion where not (text contains email) deny "no"', 'buffered'],
    ['rule r on completion where completion.tokens is above 10 tokens deny "no"', 'buffered'],
    ['rule r on completion where text contains iban redact email as mask', 'buffered'],
  ] as const)('%s: %s', (policy, stream) => {
    const event = planOf(policy).events.find((each) => each.kind === 'completion');
    expect(event?.kind === 'completion' && event.stream).toBe(stream);
  });
});

test('the order of declarations and their files does not change the plan', () => {
  const a = 'rule a on prompt where caller.region is eu deny "x"';
  const b = 'rule b on prompt where caller.id is "u" deny "y"';
  const withoutSpans = (text: string): unknown =>
    JSON.parse(JSON.stringify(planOf(text), (key, value: unknown) => (key === 'span' ? undefined : value)));
  expect(withoutSpans(`${a}\n${b}`)).toEqual(withoutSpans(`${b}\n${a}`));
});
