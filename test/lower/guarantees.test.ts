// Guarantees: what the rules see to leaves nothing to check; what they do not is denied, whatever else allows it.
import { describe, expect, test } from 'vitest';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { planOf, promptInput } from './plan-of.ts';

const GUARANTEE =
  'guarantee cards_stay "No card leaves in the clear"\n  never prompt sent where payment_card is unredacted';
const CARD = { text: { found: ['payment_card'] } };

const kept = (plan: Plan): string[] => plan.guarantees.map((each) => `${each.name}: ${each.kept}`);

describe('on prompts', () => {
  test('what a rule always redacts needs no check', () => {
    const plan = planOf(`${GUARANTEE}\nrule r\n  on prompt\n  redact payment_card as mask`);
    expect(kept(plan)).toEqual(['cards_stay: by_its_rules']);
    expect(decide(plan, { ...promptInput({}), ...CARD }).fired).toEqual(['r']);
  });

  test('what no rule redacts is denied', () => {
    const plan = planOf(GUARANTEE);
    expect(kept(plan)).toEqual(['cards_stay: at_run_time']);
    expect(decide(plan, { ...promptInput({}), ...CARD })).toMatchObject({
      outcome: 'deny',
      reasons: [{ kind: 'rule', rule: 'guarantee cards_stay', message: 'No card leaves in the clear' }],
    });
    expect(decide(plan, { ...promptInput({}), text: { found: [] } }).outcome).toBe('allow');
  });

  test('what a rule redacts for some is denied for the others', () => {
    const plan = planOf(`${GUARANTEE}\nrule r\n  on prompt\n  where prompt.stream\n  redact payment_card as remove`);
    const ask = (stream: boolean) => decide(plan, { ...promptInput({ prompt: { stream } }), ...CARD }).outcome;
    expect([ask(true), ask(false)]).toEqual(['allow', 'deny']);
  });

  test('a rule whose time is over redacts no more', () => {
    const rule = 'rule r\n  on prompt\n  redact payment_card as mask\n  effective 2026-01-01 until 2026-06-30';
    const plan = planOf(`${GUARANTEE}\n${rule}`);
    const ask = (instant: string) =>
      decide(plan, { ...promptInput({}), ...CARD, now: Date.parse(instant) / 1_000 }).outcome;
    expect([ask('2026-06-30T12:00:00Z'), ask('2026-07-02T12:00:00Z')]).toEqual(['allow', 'deny']);
  });

  test('what cannot be told is denied, though failures are allowed', () => {
    const rule = 'rule r\n  on prompt\n  where prompt.stream\n  redact payment_card as mask';
    const plan = planOf(`${GUARANTEE}\n${rule}`, { failure: 'allow' });
    const decision = decide(plan, { ...promptInput({ prompt: { stream: 'yes' } }), ...CARD });
    expect(decision).toMatchObject({ outcome: 'deny' });
    expect(decision.reasons.map((each) => ('rule' in each ? each.rule : each.kind))).toContain('guarantee cards_stay');
  });

  test('holds at each model', () => {
    const plan = planOf(
      `guarantee g\n  never prompt sent where model.zone is external and payment_card is unredacted
rule r\n  on prompt\n  where model.zone is external\n  redact payment_card as placeholder`,
    );
    expect(kept(plan)).toEqual(['g: by_its_rules']);
  });

  test('words of its condition are looked for', () => {
    const plan = planOf('guarantee g\n  never prompt sent where text contains "project tulip"');
    expect(plan.detectors.map(({ name }) => name)).toHaveLength(1);
    expect(decide(plan, { ...promptInput({}), text: { found: [plan.detectors[0]!.name] } }).outcome).toBe('deny');
  });
});

describe('on answers and chunks', () => {
  const completion = (plan: Plan, found: readonly string[]) =>
    decide(plan, { ...promptInput({}), event: 'completion', text: { found, found_restored: found } });

  test('an answer is denied where it holds what no rule redacts', () => {
    const plan = planOf('guarantee g\n  never completion sent where iban is unredacted');
    expect(completion(plan, ['iban']).outcome).toBe('deny');
    expect(completion(plan, []).outcome).toBe('allow');
    expect(plan.events.find((event) => event.kind === 'completion')).toMatchObject({ stream: 'early' });
  });

  test('a chunk is withheld, whoever allows it', () => {
    const plan = planOf(
      'rule all\n  on retrieval from docs\n  allow chunk where chunk.version is at least 0\nguarantee g\n  never chunk sent where chunk.classification is restricted',
    );
    const chunk = (classification: string) =>
      decide(plan, {
        event: 'chunk',
        store: 'docs',
        caller: { id: 'u1', region: 'us' },
        chunk: { docs: { groups: [], classification, source: 's', version: 1 } },
        text: { found: [] },
      });
    expect(chunk('restricted')).toMatchObject({
      outcome: 'deny',
      reasons: [{ kind: 'withheld', rule: 'guarantee g' }],
    });
    expect(chunk('public').outcome).toBe('allow');
  });
});
