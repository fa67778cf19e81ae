// Faults planted in the emitter of the wasm backends: what it links is built, runs, and is caught deciding otherwise, in
// npm-opa-wasm and in the filter's host.
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { makeMutant } from '../mutants/mutant.ts';
import { type Backend, type Case, expectedOf, generateCases, isSeen } from './backend.ts';
import { INTERPRETER_MUTATIONS } from './interpreter-mutations.ts';
import { mutatedInterpreter } from './mutated-interpreter.ts';
import { randomFrom, seedOfRun } from './random.ts';
import { wasmBackendsLinkedBy } from './wasm-backends.ts';
import { WASM_MUTATIONS, type WasmMutation } from './wasm-mutations.ts';

/** Policies that a planted fault is shown at most, and at a time. */
const CASES_MOST = 300;
const CASES_STEP = 2;
/** Where the same fault in the interpreter says which policies show it. */
const CASES_TOLD = 6;

const seed = seedOfRun();
const pool = generateCases(randomFrom(seed + 2), 1_000);

test.each(WASM_MUTATIONS.map((mutation, index) => ({ ...mutation, index })))(
  `$name, seed ${seed}`,
  { timeout: 240_000 },
  async ({ index, ...mutation }) => {
    const urlOf = makeMutant(
      `emitter-${index}`,
      mutation,
      ['compiler/wasm', 'compiler/tables'],
      ['compiler/plan', 'filters'],
    );
    const { link }: typeof import('../../compiler/wasm/link.ts') = await import(
      /* @vite-ignore */ urlOf('compiler/wasm/link.ts')
    );
    const cases = await casesFor(index, mutation);
    for (const backend of wasmBackendsLinkedBy(link)) expect(await isCaught(backend, cases), backend.name).toBe(true);
  },
);

/** Linking is slow and interpreting is fast: a fault that few inputs meet is planted in the interpreter first. */
async function casesFor(index: number, { name, shows }: WasmMutation): Promise<readonly Case[]> {
  const twin = INTERPRETER_MUTATIONS.find((each) => each.name === name);
  if (twin === undefined) return pool.filter(({ plan }) => shows?.(plan) ?? true).slice(0, CASES_MOST);
  const decide = await mutatedInterpreter(`emitter-twin-${index}`, twin);
  const found: Case[] = [];
  for (const given of pool) {
    if (found.length === CASES_TOLD) break;
    const { plan, inputs } = given;
    if (expectedOf(given).some((expected, at) => !isDeepStrictEqual(expected, decide(plan, inputs[at]))))
      found.push(given);
  }
  return found;
}

async function isCaught(backend: Backend, cases: readonly Case[]): Promise<boolean> {
  for (let start = 0; start < cases.length; start += CASES_STEP) {
    const some = cases.slice(start, start + CASES_STEP);
    if (isSeen(some, await backend.decideAll(some))) return true;
  }
  return false;
}
