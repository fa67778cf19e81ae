/** One interface for everything that decides, and the comparison of two of them. */
import { isDeepStrictEqual } from 'node:util';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { generateInput } from './generate-input.ts';
import { generatePlan } from './generate-plan.ts';
import type { Random } from './random.ts';

/** A plan and inputs for it. */
export interface Case {
  readonly plan: Plan;
  readonly inputs: readonly unknown[];
}

export interface Backend {
  readonly name: string;
  /** How many of a run's policies it is given: what is slow to start sees a sample. */
  readonly policies: number;
  /** The decision documents of every case, input by input. */
  decideAll(cases: readonly Case[]): Promise<readonly (readonly unknown[])[]>;
}

export const INPUTS_EACH = 20;

export function generateCases(random: Random, policies: number): readonly Case[] {
  return Array.from({ length: policies }, () => {
    const of = random.fork();
    const plan = generatePlan(of);
    return { plan, inputs: Array.from({ length: INPUTS_EACH }, () => generateInput(plan, of)) };
  });
}

export interface Difference {
  readonly plan: Plan;
  readonly input: unknown;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** The first case on which a backend does not say what the interpreter says. */
export function firstDifference(
  cases: readonly Case[],
  decisions: readonly (readonly unknown[])[],
): Difference | undefined {
  for (const [at, { plan, inputs }] of cases.entries()) {
    for (const [place, input] of inputs.entries()) {
      const expected = decide(plan, input);
      const actual = decisions[at]?.[place];
      if (!isDeepStrictEqual(expected, actual)) return { plan, input, expected, actual };
    }
  }
  return undefined;
}
