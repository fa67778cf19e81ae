/** One interface for everything that decides, and the comparison of two of them. */
import { isDeepStrictEqual } from 'node:util';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Decision } from '../../compiler/plan/decision.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { generateInput } from './generate-input.ts';
import { generatePlan } from './generate-plan.ts';
import { asFile, generateSource } from './generate-source.ts';
import type { Random } from './random.ts';
import { planOfFiles } from './source-plan.ts';

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
/** The share of policies that are generated as text and pass the whole front; the others are generated as plans. */
const FROM_SOURCE = 0.2;

export function generateCases(random: Random, policies: number): readonly Case[] {
  return Array.from({ length: policies }, () => {
    const of = random.fork();
    const plan = of.chance(FROM_SOURCE) ? planOfFiles([asFile(generateSource(of), 'plain')]) : generatePlan(of);
    return { plan, inputs: Array.from({ length: INPUTS_EACH }, () => generateInput(plan, of)) };
  });
}

export interface Difference {
  readonly plan: Plan;
  readonly input: unknown;
  readonly expected: unknown;
  readonly actual: unknown;
}

const decided = new WeakMap<Case, readonly Decision[]>();

/** What the interpreter says to a case's inputs; worked out once. */
export function expectedOf(given: Case): readonly Decision[] {
  const known = decided.get(given) ?? given.inputs.map((input) => decide(given.plan, input));
  decided.set(given, known);
  return known;
}

/** The first case on which a backend does not say what the interpreter says. */
export function firstDifference(
  cases: readonly Case[],
  decisions: readonly (readonly unknown[])[],
): Difference | undefined {
  for (const [at, given] of cases.entries()) {
    for (const [place, expected] of expectedOf(given).entries()) {
      const actual = decisions[at]?.[place];
      if (!isDeepStrictEqual(expected, actual)) {
        return { plan: given.plan, input: given.inputs[place], expected, actual };
      }
    }
  }
  return undefined;
}

/**
 * Whether a backend with something wrong in it is seen: one of its decisions is another. A backend that trapped, or
 * gave no decision, would be seen by anybody and proves nothing of these inputs.
 */
export function isSeen(cases: readonly Case[], decisions: readonly (readonly unknown[])[]): boolean {
  return cases.some((given, at) =>
    expectedOf(given).some((expected, place) => {
      const actual = decisions[at]?.[place];
      return isDecision(actual) && !isDeepStrictEqual(expected, actual);
    }),
  );
}

function isDecision(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'outcome' in answer && 'reasons' in answer;
}
