// What emitters rely on: generated plans and the example's plan have no faults, and each fault is seen.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Plan } from '../../compiler/plan/plan.ts';
import { planFaults } from '../../compiler/plan/plan-faults.ts';
import { generateCases } from '../differential/backend.ts';
import { randomFrom, seedOfRun } from '../differential/random.ts';
import { planOfFolder } from '../differential/source-plan.ts';

const acme = planOfFolder(fileURLToPath(new URL('../../examples/acme', import.meta.url)));

test('generated plans have none', () => {
  const seed = seedOfRun();
  expect(
    generateCases(randomFrom(seed), 100).flatMap(({ plan }) => planFaults(plan)),
    `seed ${seed}`,
  ).toEqual([]);
});

test('what lowering makes of the example has none', () => expect(planFaults(acme)).toEqual([]));

test.each<readonly [string, Partial<Plan>, RegExp]>([
  ['facts out of order', { facts: acme.facts.toReversed() }, /not at its position/],
  [
    'a claim that does not fail closed',
    { facts: acme.facts.map((fact) => ({ ...fact, failsClosed: false })) },
    /does not fail closed/,
  ],
  [
    'a count that may be unknown',
    { facts: acme.facts.map((fact) => ({ ...fact, absent: { kind: 'unknown' } })) },
    /may be unknown/,
  ],
  ['models by price that are not all', { byPrice: acme.byPrice.slice(1) }, /by price/],
  ['a base that is no member', { classification: { enum: 'classification', base: 'nothing' } }, /base/],
  [
    'rules out of order',
    { events: acme.events.map((event) => ({ ...event, rules: event.rules.toReversed() })) },
    /not sorted by name/,
  ],
  [
    'reads that are not listed',
    { events: acme.events.map((event) => ({ ...event, rules: event.rules.map((rule) => ({ ...rule, reads: [] })) })) },
    /without listing it/,
  ],
  [
    'a denial of what is over',
    {
      events: [
        { kind: 'exchange', rules: [{ ...acme.events[0]!.rules[0]!, effects: [{ kind: 'deny', message: '' }] }] },
      ],
    },
    /changes an exchange that is over/,
  ],
  ['a detector that is none', { detectors: [] }, /no detector of the plan/],
])('%s', (_, change, fault) => {
  expect(planFaults({ ...acme, ...change }).join('\n')).toMatch(fault);
});
