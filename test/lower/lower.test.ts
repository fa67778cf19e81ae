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
    says: 'fields of the wire are set, each value once, sorted',
    policy:
      'rule a on prompt set prompt.store to false set prompt.temperature to 0.2\nrule b on prompt where model.zone is external set prompt.store to false set prompt.user to "gateway"',
    when: {},
    then: {
      outcome: 'allow',
      set: [
        { field: 'store', value: false },
        { field: 'temperature', value: 0.2 },
        { field: 'user', value: 'gateway' },
      ],
    },
  },
  {
    says: 'and none where the prompt is denied',
    policy: 'rule a on prompt set prompt.store to false\nrule b on prompt deny "no"',
    when: {},
    then: { outcome: 'deny', set: [], fired: ['a', 'b'] },
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
      'list issuers of text from "issuers" max age 1 day\ndetector issuer matches list issuers\nrule r on prompt where caller.region is us redact issuer as mask',
    when: {},
    then: { outcome: 'deny' },
  },
  {
    says: 'a rule on exchanges that only tells is none of the prompt',
    policy: 'recipient desk by webhook "desk"\nrule r on exchange where caller.region is us notify desk',
    when: {},
    then: { outcome: 'allow', fired: [] },
  },
  {
    says: 'an enforced rule on exchanges is none of the prompt',
    policy: 'rule r on exchange where caller.region is us tag seen = true',
    when: {},
    then: { outcome: 'allow', fired: [] },
  },
  {
    says: 'a rule holds for review, by the group of its reviewers',
    policy:
      'reviewers legal from group "legal-review"\nrule r on prompt where caller.region is us hold for review by 2 of legal up to 4 hours else deny',
    when: {},
    then: { outcome: 'hold', holds: [{ rule: 'r', reviewers: 'legal', approvals: 2, milliseconds: 14_400_000 }] },
  },
  {
    says: 'a rule samples what is drawn',
    policy: 'reviewers legal from group "legal-review"\nrule r on prompt sample 2 percent for review by legal',
    when: { exchange: { draw: 19_999 } },
    then: { outcome: 'allow', keeps: [{ rule: 'r', reviewers: 'legal', milliseconds: null }], fired: ['r'] },
  },
  {
    says: 'a rule does not sample what is not drawn',
    policy: 'reviewers legal from group "legal-review"\nrule r on prompt sample 2 percent for review by legal',
    when: { exchange: { draw: 20_000 } },
    then: { outcome: 'allow', keeps: [], fired: [] },
  },
  {
    says: 'where nobody draws nothing is sampled, but what each exchange is',
    policy:
      'reviewers legal from group "legal-review"\nrule p on prompt sample 2 percent for review by legal\nrule r on prompt sample 100 percent for review by legal',
    when: {},
    then: { outcome: 'allow', keeps: [{ rule: 'r', reviewers: 'legal', milliseconds: null }] },
  },
  {
    says: 'what is denied is sampled too, and other effects of the rule are not drawn',
    policy:
      'reviewers legal from group "legal-review"\nrule r on prompt deny "no" sample 2 percent for review by legal',
    when: { exchange: { draw: 0 } },
    then: {
      outcome: 'deny',
      keeps: [{ rule: 'sample r', reviewers: 'legal', milliseconds: null }],
      fired: ['r', 'sample r'],
    },
  },
  {
    says: 'a deny wins over a hold',
    policy:
      'reviewers legal from group "legal-review"\nrule d on prompt deny "no"\nrule r on prompt hold for review by 2 of legal up to 4 hours else deny',
    when: {},
    then: { outcome: 'deny', holds: [] },
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

const SECRET = 'classify completion as restricted';
const AT_LEAST = 'rule r on completion where completion.classification is at least restricted';
const DENY_AT_LEAST = `${AT_LEAST} deny "no"`;

describe('the class that the prompt has as it leaves', () => {
  const plan = planOf(`classify prompt as restricted where text contains iban
classify prompt as confidential where text contains any of (iban, email, phone)
classify prompt as confidential unless caller.region is eu
rule mask on prompt where model.zone is external redact any of (iban, email) as placeholder
rule more on prompt where caller.groups contains "masked" redact phone as mask
rule cleared on prompt use only models where model.clearance is at least prompt.sent_classification
rule secret on prompt where prompt.sent_classification is restricted deny "too secret"
rule as_it_came on prompt where prompt.sent_classification is below prompt.classification tag sent = "lower"
rule same on prompt where prompt.sent_classification is at most prompt.sent_classification tag sent = "same"`);
  const asked = (found: readonly string[], caller: object = {}, requested = 'big-1'): Decision =>
    decide(plan, promptInput({ found, caller: { region: 'eu', ...caller }, prompt: { requested_model: requested } }));

  test('does not count what is redacted for the model', () => {
    const sent = asked(['iban', 'email']);
    expect(sent).toMatchObject({ outcome: 'allow', model: 'big', classification: 'restricted' });
    expect(sent.tags).toEqual([
      { name: 'sent', value: 'lower' },
      { name: 'sent', value: 'same' },
    ]);
  });

  test('counts what is not: at another model, and of another detector', () => {
    expect(asked(['iban'], {}, 'small-1')).toMatchObject({
      outcome: 'deny',
      model: 'small',
      reasons: [{ kind: 'rule', rule: 'secret', message: 'too secret' }],
    });
    expect(asked(['email', 'phone']).reasons).toEqual([{ kind: 'removed', model: 'big', by: ['cleared'] }]);
    expect(asked(['email', 'phone'], {}, 'small-1')).toMatchObject({
      outcome: 'allow',
      fired: expect.arrayContaining(['same']),
    });
    expect(asked(['email', 'phone'], { groups: ['masked'] })).toMatchObject({ outcome: 'allow', model: 'big' });
  });

  test('counts what raises the class without any text', () => {
    expect(asked([], { region: 'us' }).reasons).toEqual([{ kind: 'removed', model: 'big', by: ['cleared'] }]);
  });

  test('fails as what it is made of fails', () => {
    const failed = decide(plan, promptInput({ caller: { region: 'mars' } }));
    expect(failed.reasons).toContainEqual({ kind: 'failed', rule: 'cleared', facts: ['caller.region'] });
  });

  test('a waiver that lifts a redaction raises it', () => {
    const waived = planOf(`classify prompt as restricted where text contains iban
rule mask on prompt redact iban as mask waivable by "dpo"
rule cleared on prompt use only models where model.clearance is at least prompt.sent_classification
waiver audit "Auditors" of mask where caller.groups contains "auditor" until 2026-12-31 owner "dpo"`);
    const now = Date.UTC(2026, 10, 1) / 1_000;
    const as = (groups: readonly string[]): string =>
      decide(waived, { ...promptInput({ found: ['iban'], caller: { groups } }), now }).outcome;
    expect([as([]), as(['auditor'])]).toEqual(['allow', 'deny']);
  });

  test('in each message, and however a condition says it', () => {
    const negated =
      planOf(`classify prompt as restricted where some m in prompt.messages has (m.role is user and m.text contains any of (iban, email))
classify prompt as confidential where not (not (text contains email))
rule mask on prompt where caller.region is eu redact iban as mask
rule cleared on prompt use only models where model.clearance is at least prompt.sent_classification`);
    const as = (found: readonly string[], region: string): string =>
      decide(
        negated,
        promptInput({
          found,
          caller: { region },
          prompt: { messages: [{ role: 'user', found }], requested_model: 'big-1' },
        }),
      ).outcome;
    expect([as(['iban'], 'eu'), as(['iban'], 'us'), as(['email'], 'eu'), as([], 'us')]).toEqual([
      'allow',
      'deny',
      'deny',
      'allow',
    ]);
  });
});

describe('the class of a reply', () => {
  const plan = planOf(`${SECRET} where text contains iban
classify completion as confidential where model.zone is external
${DENY_AT_LEAST}
rule higher on completion where completion.classification is above caller.clearance tag seen = "higher"
rule raised on completion where completion.classification is above prompt.classification tag seen = "raised"`);
  const replied = (found: readonly string[], chosen: string, clearance = 'internal'): Decision =>
    decide(plan, {
      event: 'completion',
      caller: { id: 'u', clearance },
      prompt: { classification: 'internal' },
      model: { chosen },
      text: { found },
    });

  test('is the highest of the base and every classify that fires', () => {
    expect(replied([], 'small')).toMatchObject({ outcome: 'allow', classification: 'internal', fired: [], tags: [] });
    expect(replied(['iban'], 'small')).toMatchObject({ outcome: 'deny', classification: 'restricted' });
  });

  test('is compared with what the caller and the prompt are', () => {
    expect(replied([], 'big')).toMatchObject({
      classification: 'confidential',
      fired: ['classify 1', 'higher', 'raised'],
    });
    expect(replied([], 'big', 'confidential').fired).toEqual(['classify 1', 'raised']);
  });

  test('has failed where one that reads the model does not know it', () => {
    const failed = decide(plan, { event: 'completion', caller: { id: 'u' }, text: { found: ['iban'] } });
    expect(failed).toMatchObject({ outcome: 'deny', classification: null });
    expect(failed.reasons).toContainEqual({ kind: 'failed', rule: 'classify 1', facts: ['model.chosen'] });
  });
});

describe('a streamed reply', () => {
  test.each([
    ['rule r on completion redact email as mask', 'causal'],
    ['rule r on completion where text contains email deny "no"', 'early'],
    ['rule r on completion where not (text contains email) deny "no"', 'buffered'],
    ['rule r on completion where completion.tokens is above 10 tokens deny "no"', 'buffered'],
    ['rule r on completion where text contains iban redact email as mask', 'buffered'],
    [`${SECRET} where text contains email\n${DENY_AT_LEAST}`, 'early'],
    [
      `${SECRET} where text contains email\nrule r on completion where caller.clearance is below completion.classification deny "no"`,
      'early',
    ],
    [`${SECRET} where caller.region is eu\n${DENY_AT_LEAST}`, 'causal'],
    [`${SECRET} where text contains email\nrule r on completion redact iban as mask`, 'causal'],
    [`${SECRET} where text contains email`, 'early'],
    [
      `${SECRET} where text contains email\nrule r on completion where completion.classification is at most internal deny "no"`,
      'buffered',
    ],
    [
      `${SECRET} where text contains email\nrule r on completion where completion.classification is restricted deny "no"`,
      'buffered',
    ],
    [
      `${SECRET} where text contains email\nrule r on completion where not (completion.classification is at least restricted) deny "no"`,
      'buffered',
    ],
    [`${SECRET} where text contains email\n${AT_LEAST} redact iban as mask`, 'buffered'],
    [`${SECRET} unless text contains email\n${DENY_AT_LEAST}`, 'buffered'],
    [`${SECRET} unless text contains email`, 'early'],
    [`${SECRET} where completion.tokens is above 10 tokens`, 'buffered'],
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
