// The second law for the interpreter: it is what the others are compared with, so that a fault planted in it must come
// to light on the same policies and inputs.
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { expectedOf, generateCases } from './backend.ts';
import { INTERPRETER_MUTATIONS } from './interpreter-mutations.ts';
import { mutatedInterpreter } from './mutated-interpreter.ts';
import { randomFrom, seedOfRun } from './random.ts';

/** The policies of a run of the wasm backends. */
const POLICIES = 1_000;

const seed = seedOfRun();
const cases = generateCases(randomFrom(seed), POLICIES);

test.each(INTERPRETER_MUTATIONS.map((mutation, index) => ({ ...mutation, index })))(
  `$name, seed ${seed}`,
  async ({ index, ...mutation }) => {
    const decide = await mutatedInterpreter(`interpreter-${index}`, mutation);
    const isSeen = cases.some((given) =>
      expectedOf(given).some((expected, at) => !isDeepStrictEqual(expected, decide(given.plan, given.inputs[at]))),
    );
    expect(isSeen).toBe(true);
  },
);
