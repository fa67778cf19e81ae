// The schemas of a decision's input and result, against what the interpreter takes and gives on generated cases.
import { describe, expect, test } from 'vitest';
import { decide } from '../../compiler/interpret/decide.ts';
import { decisionSchema } from '../../compiler/schema/decision-schema.ts';
import { inputSchema } from '../../compiler/schema/input-schema.ts';
import { generateCases } from '../differential/backend.ts';
import { randomFrom, seedOfRun } from '../differential/random.ts';
import { budget, plan, prompt, promptInput, TRUE } from '../interpret/small-plan.ts';
import { validates } from './validates.ts';

const seed = seedOfRun();
const cases = generateCases(randomFrom(seed), 150).map(({ plan: generated, inputs }) => ({
  input: inputSchema(generated),
  result: decisionSchema(generated),
  decided: inputs.map((input) => ({ input, decision: decide(generated, input) })),
}));

test('every decision is as the schema of the result says', () => {
  const wrong = cases.flatMap(({ result, decided }) => decided.filter(({ decision }) => !validates(result, decision)));
  expect(wrong.slice(0, 1), `seed ${seed}`).toEqual([]);
});

test('an input that is as the schema says can be decided, and nothing that its event reads has failed', () => {
  const all = cases.flatMap(({ input: schema, decided }) =>
    decided.map(({ input, decision }) => ({ input, decision, taken: validates(schema, input) })),
  );
  const wrong = all.filter(({ decision, taken }) => taken && (decision.event === null || decision.failed.length > 0));
  expect(wrong.slice(0, 1), `seed ${seed}`).toEqual([]);
  expect(all.filter(({ taken }) => taken).length).toBeGreaterThan(all.length / 3);
  expect(all.filter(({ taken }) => !taken).length).toBeGreaterThan(all.length / 20);
});

describe('of a small plan', () => {
  const schema = inputSchema(plan([prompt({ budgets: [budget(TRUE)] })]));

  test('what is whole is taken', () => expect(validates(schema, promptInput())).toBe(true));
  test('an optional fact may be null or missing', () =>
    expect(validates(schema, promptInput({ prompt: { output_tokens: null } }))).toBe(true));
  test('what must be there is asked for', () =>
    expect(validates(schema, { event: 'prompt', prompt: { requested_model: 'dear-1' } })).toBe(false));
  test('a wrong type is refused', () =>
    expect(validates(schema, promptInput({ prompt: { requested_model: 7 } }))).toBe(false));
  test('an event that the plan does not have is refused', () =>
    expect(validates(schema, { ...(promptInput() as object), event: 'completion' })).toBe(false));
  test('names its dialect', () => expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema'));
});

test('a decision with a key more, a key less or another name is not as the schema says', () => {
  const small = plan([prompt({})]);
  const schema = decisionSchema(small);
  const decision = decide(small, promptInput());
  expect(validates(schema, decision)).toBe(true);
  expect(validates(schema, { ...decision, more: 1 })).toBe(false);
  expect(validates(schema, { ...decision, model: 'other' })).toBe(false);
  expect(validates(schema, Object.fromEntries(Object.entries(decision).filter(([key]) => key !== 'failed')))).toBe(
    false,
  );
});
