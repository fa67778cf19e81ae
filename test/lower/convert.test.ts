// Amounts in another currency: what they are once the policy is compiled, and which of several rates counts.
import { describe, expect, test } from 'vitest';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { reportOf } from '../../compiler/report/report.ts';
import { planOf, promptInput } from './plan-of.ts';

const BUDGET = 'budget b\n  limit 100 eur per day\n  else deny "No"\n';

function limitOf(plan: Plan): number | undefined {
  const prompt = plan.events.find((event) => event.kind === 'prompt');
  return prompt?.budgets[0]?.limit;
}

test('a limit is converted', () => {
  expect(limitOf(planOf(`convert eur at 1.08 usd on 2026-01-02\n${BUDGET}`))).toBe(108_000_000);
});

test('a price is rounded up once, for a million tokens', () => {
  const plan = planOf(`convert eur at 0.92 usd on 2026-01-02
model there "there-1" {
  provider: openai zone: external region: eu clearance: internal
  input_price: 0.000_002 eur per 1 token   output_price: 0.000_001 eur per 3 tokens   context: 1_000 tokens
}`);
  const model = plan.models.find(({ name }) => name === 'there');
  expect([model?.inputPrice, model?.outputPrice]).toEqual([1_840_000, 306_667]);
});

test('a condition compares in the currency of the policy, to the micro-unit', () => {
  const plan = planOf(`convert eur at 1.000_001 usd on 2026-01-02
store contracts chroma "contracts" { worth: money from metadata "worth" }
rule r
  on retrieval from contracts
  allow chunk where chunk.worth is at most 0.000_001 eur`);
  const ofWorth = (worth: number) =>
    decide(plan, { event: 'chunk', store: 'contracts', chunk: { contracts: { worth } } }).outcome;
  expect([0.000_002, 0.000_003].map(ofWorth)).toEqual(['allow', 'deny']);
});

describe('of several rates', () => {
  const rates = [
    'convert eur at 1.08 usd on 2026-01-02',
    'convert eur at 1.10 usd on 2026-04-01',
    'convert eur at 1.09 usd on 2026-03-31',
  ];

  test.each([rates, [...rates].reverse()])(
    'the one of the latest day counts, in whatever order they stand',
    (...all) => {
      const plan = planOf(`${all.join('\n')}\n${BUDGET}`);
      expect(limitOf(plan)).toBe(110_000_000);
      expect(plan.conversions).toEqual([{ from: 'eur', rateMillionths: 1_100_000, date: '2026-04-01' }]);
    },
  );

  test('the report says which, in the policy’s currency', () =>
    expect(reportOf(planOf(`${rates.join('\n')}\n${BUDGET}`), [], new Map(), null, null).rates).toEqual([
      '1.00 eur counts as 1.10 usd, by the rate of 2026-04-01',
    ]));

  test('other currencies have theirs', () => {
    const plan = planOf(`${rates.join('\n')}\nconvert gbp at 1.25 usd on 2025-01-01\n${BUDGET.replace('eur', 'gbp')}`);
    expect(limitOf(plan)).toBe(125_000_000);
    expect(plan.conversions.map(({ from }) => from)).toEqual(['eur', 'gbp']);
  });
});
