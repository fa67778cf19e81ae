/**
 * Makes a failing case small enough to read: drops parts of the plan and of the input as long as the backend still
 * differs.
 */
import { isDeepStrictEqual } from 'node:util';
import { decide } from '../../compiler/interpret/decide.ts';
import type { EventPlan, Plan } from '../../compiler/plan/plan.ts';
import type { Backend, Difference } from './backend.ts';

/** Tries of the backend before what is there is shown as it is. */
const TRIES_MAX = 200;

export async function minimised(backend: Backend, difference: Difference): Promise<Difference> {
  let smallest = difference;
  let tries = 0;
  const stillDiffers = async (plan: Plan, input: unknown): Promise<boolean> => {
    if (++tries > TRIES_MAX) return false;
    try {
      const [decisions] = await backend.decideAll([{ plan, inputs: [input] }]);
      const expected = decide(plan, input);
      if (isDeepStrictEqual(expected, decisions?.[0])) return false;
      smallest = { plan, input, expected, actual: decisions?.[0] };
      return true;
    } catch {
      // A plan that cannot be built is another failure than the one at hand.
      return false;
    }
  };
  for (let shrinking = true; shrinking;) {
    shrinking = false;
    for (const plan of smallerPlans(smallest.plan)) {
      if (await stillDiffers(plan, smallest.input)) {
        shrinking = true;
        break;
      }
    }
  }
  return smallest;
}

/** Printed so that it can be pasted into a fixture. */
export function asFixture(seed: number, backend: string, { plan, input, expected, actual }: Difference): string {
  return [
    `seed ${seed}: ${backend} differs from the interpreter`,
    `input: ${JSON.stringify(input)}`,
    `interpreter: ${JSON.stringify(expected)}`,
    `${backend}: ${JSON.stringify(actual)}`,
    `plan: ${JSON.stringify(plan)}`,
  ].join('\n');
}

function* smallerPlans(plan: Plan): Generator<Plan> {
  for (const [at, event] of plan.events.entries()) {
    yield { ...plan, events: without(plan.events, at) };
    for (const smaller of smallerEvents(event)) yield { ...plan, events: plan.events.with(at, smaller) };
  }
}

function* smallerEvents(event: EventPlan): Generator<EventPlan> {
  for (const [at, rule] of event.rules.entries()) {
    const requestRules =
      event.kind === 'retrieval' ? { requestRules: event.requestRules.filter((each) => each.name !== rule.name) } : {};
    yield { ...event, rules: without(event.rules, at), ...requestRules };
    if (rule.effects.length > 1) {
      for (const place of rule.effects.keys())
        yield { ...event, rules: event.rules.with(at, { ...rule, effects: without(rule.effects, place) }) };
    }
  }
  if (event.kind === 'prompt' || event.kind === 'completion')
    for (const at of event.classify.keys()) yield { ...event, classify: without(event.classify, at) };
  if (event.kind !== 'prompt') return;
  for (const list of ['limits', 'requirements', 'budgets', 'routes'] as const) {
    for (const at of event[list].keys()) yield { ...event, [list]: event[list].filter((_, place) => place !== at) };
  }
}

function without<T>(items: readonly T[], at: number): readonly T[] {
  return items.filter((_, place) => place !== at);
}
