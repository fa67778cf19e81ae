// Declarations that hold for a time: what the plan decides before, within and after, on a clock that the test sets.
import { describe, expect, test } from 'vitest';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Decision } from '../../compiler/plan/decision.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { planOf, promptInput, type PromptFacts } from './plan-of.ts';

const BERLIN = { zone: 'Europe/Berlin' } as const;

/** The decision on a prompt at an instant, an ISO time with its offset. */
function at(plan: Plan, instant: string, facts: PromptFacts = {}): Decision {
  return decide(plan, { ...promptInput(facts), now: Date.parse(instant) / 1_000 });
}

describe('effective', () => {
  const plan = planOf('rule r\n  on prompt\n  deny "No"\n  effective 2026-06-01 until 2026-12-31', BERLIN);

  test.each([
    ['2026-05-31T23:59:59.999+02:00', 'allow'],
    ['2026-06-01T00:00:00+02:00', 'deny'],
    ['2026-12-31T23:59:59.999+01:00', 'deny'],
    ['2027-01-01T00:00:00+01:00', 'allow'],
  ])('%s: %s', (instant, outcome) => expect(at(plan, instant).outcome).toBe(outcome));

  test('counts days in the zone of the policy, not where the clock stands', () =>
    expect(at(plan, '2026-05-31T22:00:00Z').outcome).toBe('deny'));

  test('is not taken for over where the time is not known', () => {
    const open = planOf('rule r\n  on prompt\n  deny "No"\n  effective 2030-01-01', { failure: 'allow' });
    const decision = decide(open, promptInput({}));
    expect([decision.outcome, decision.failed]).toEqual(['deny', ['now']]);
  });
});

describe('written times', () => {
  const plan = planOf('rule r\n  on prompt\n  where now is at least 2026-03-29 02:30\n  deny "No"', BERLIN);

  test('that the clocks skip are the jump', () => {
    expect(at(plan, '2026-03-29T00:59:59Z').outcome).toBe('allow');
    expect(at(plan, '2026-03-29T01:00:00Z').outcome).toBe('deny');
  });

  test('that come twice are the first', () => {
    const twice = planOf('rule r\n  on prompt\n  where now is at least 2026-10-25 02:30\n  deny "No"', BERLIN);
    expect(at(twice, '2026-10-25T00:29:59Z').outcome).toBe('allow');
    expect(at(twice, '2026-10-25T00:30:00Z').outcome).toBe('deny');
  });
});

describe('hours', () => {
  const plan = planOf(
    `hours office = monday to friday 09:00 to 18:00 in "Europe/Berlin"
rule r
  on prompt
  where now is not in hours office
  deny "Ask us on a working day"`,
  );

  test.each([
    ['a Monday morning', '2026-11-30T09:00:00+01:00', 'allow'],
    ['a minute before', '2026-11-30T08:59:59.999+01:00', 'deny'],
    ['the last minute', '2026-12-04T17:59:59.999+01:00', 'allow'],
    ['closing', '2026-12-04T18:00:00+01:00', 'deny'],
    ['a Saturday', '2026-12-05T12:00:00+01:00', 'deny'],
    ['a Monday in summer, which begins an hour earlier', '2026-06-29T07:00:00Z', 'allow'],
    ['the same hour in winter', '2026-11-30T07:00:00Z', 'deny'],
    ['long before', '1969-12-29T09:00:00+01:00', 'allow'],
  ])('%s (%s): %s', (_, instant, outcome) => expect(at(plan, instant).outcome).toBe(outcome));
});

describe('a waiver', () => {
  const plan = planOf(
    `rule residency
  on prompt
  where caller.region is eu
  use only models where model.region is eu
  waivable by "dpo@b.example"
rule quiet
  on prompt
  where text contains iban
  deny "No IBAN"
  waivable by "dpo@b.example"
rule short
  on prompt
  limit prompt.output_tokens to 10 tokens
  waivable by "dpo@b.example"
rule classified
  on retrieval from docs
  allow chunk where chunk.groups overlaps caller.groups
  withhold chunk unless chunk.classification is at most caller.clearance
  waivable by "dpo@b.example"
waiver audit "External auditors see more" of residency, quiet, short, classified
  where caller.groups contains "auditors"
  until 2026-12-31
  owner "dpo@b.example"`,
    { zone: 'Pacific/Auckland' },
  );
  const auditor = { region: 'eu', groups: ['auditors'] };
  const within = '2026-12-31T10:59:59.999Z';
  const after = '2026-12-31T11:00:00Z';

  test('lifts what its rules narrow, for those it covers, and says so', () => {
    const decision = at(plan, within, { caller: auditor, found: ['iban'] });
    expect([decision.outcome, decision.model, decision.outputTokens]).toEqual(['allow', 'big', 500]);
    expect(decision.fired).toEqual(['waiver audit']);
  });

  test('lifts nothing for others', () => {
    const decision = at(plan, within, { caller: { region: 'eu', groups: [] }, found: ['iban'] });
    expect(decision.outcome).toBe('deny');
    expect(decision.fired).not.toContain('waiver audit');
  });

  test('ends with its last day, where the policy is', () => {
    const decision = at(plan, after, { caller: auditor, found: ['iban'] });
    expect(decision.outcome).toBe('deny');
    expect(decision.fired).not.toContain('waiver audit');
  });

  test('is not used where nothing was to lift', () =>
    expect(
      at(plan, within, { caller: { region: 'us', groups: ['auditors'] }, prompt: { output_tokens: 5 } }).fired,
    ).toEqual(['waiver audit']));

  test('never allows', () => {
    const chunk = (groups: readonly string[], classification: string) =>
      decide(plan, {
        event: 'chunk',
        store: 'docs',
        now: Date.parse(within) / 1_000,
        caller: { id: 'u1', ...auditor },
        chunk: { docs: { groups, classification, source: 's', version: 1 } },
      });
    expect(chunk(['auditors'], 'restricted')).toMatchObject({
      outcome: 'allow',
      fired: ['classified', 'waiver audit'],
    });
    expect(chunk(['auditors'], 'public')).toMatchObject({ outcome: 'allow', fired: ['classified'] });
    expect(chunk(['others'], 'restricted').outcome).toBe('deny');
  });

  test('tells whom it names, each time that it lifts something', () => {
    const told = planOf(`recipient dpo by webhook "dpo"
rule r
  on prompt
  deny "No"
  waivable by "dpo@b.example"
waiver w "Everybody" of r
  until 2026-12-31
  owner "dpo@b.example"
  notify dpo`);
    expect(at(told, within)).toMatchObject({ outcome: 'allow', fired: ['waiver w'] });
    expect(told.events[0]!.rules.map(({ name, notify }) => [name, notify])).toEqual([
      ['r', undefined],
      ['waiver w', [{ recipient: 'dpo', webhook: 'dpo' }]],
    ]);
  });
});
