// The differential test can fail: every planted fault, in a plan or in emitted Rego, is caught by generated cases in every backend.
import { expect, describe, test } from "vitest";
import { decide } from "../../compiler/interpret/decide.ts";
import type { Plan } from "../../compiler/plan/plan.ts";
import { type RegoFiles, emitRego } from "../../compiler/rego/emit-rego.ts";
import { type Backend, type Case, firstDifference, generateCases } from "./backend.ts";
import { BACKENDS } from "./backends.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import { MUTATIONS } from "./mutations.ts";
import { randomFrom, seedOfRun } from "./random.ts";
import { regoBackend } from "./rego-backend.ts";
import { REGO_MUTATIONS, type RegoMutation } from "./rego-mutations.ts";

/** The pool from which mutants are taken. */
const POLICIES = 400;
const seed = seedOfRun();
const cases: readonly Case[] = generateCases(randomFrom(seed), POLICIES);
const mutants: readonly Mutant[] = MUTATIONS.flatMap((mutation) => mutantsOf(mutation, cases, 1));

test("every planted fault can be told from the original by generated inputs", () => {
  const told = new Set(mutants.map((mutant) => mutant.name));
  expect(MUTATIONS.map((mutation) => mutation.name).filter((name) => !told.has(name)), `seed ${seed}`).toEqual([]);
  expect(told.size).toBeGreaterThanOrEqual(20);
});

describe.each(BACKENDS)("$name", (backend) => {
  test("is caught with each of them", { timeout: 300_000 }, async () => {
    const survived = await survivors(backend, mutants);
    expect(survived, `seed ${seed}`).toEqual([]);
  });
});

describe("Rego that is emitted wrong", () => {
  test("is caught", { timeout: 300_000 }, async () => {
    const survived: string[] = [];
    for (const mutation of REGO_MUTATIONS) if (!(await isCaughtInRego(mutation))) survived.push(mutation.name);
    expect(survived, `seed ${seed}`).toEqual([]);
  });
});

/** Cases at a time, and at most, that a planted fault in Rego is shown. */
const CASES_STEP = 4;
const CASES_MOST = 24;

async function isCaughtInRego({ edit, shows }: RegoMutation): Promise<boolean> {
  const emitWrong = (plan: Plan): RegoFiles => edit(emitRego(plan));
  const backend = regoBackend(CASES_MOST, emitWrong);
  const apt = cases.filter(({ plan, inputs }) => inputs.some((input) => shows?.(input, decide(plan, input), plan) ?? true) && JSON.stringify(emitWrong(plan)) !== JSON.stringify(emitRego(plan)));
  for (let start = 0; start < Math.min(apt.length, CASES_MOST); start += CASES_STEP) {
    const some = apt.slice(start, start + CASES_STEP);
    if (await isCaught(backend, some, some)) return true;
  }
  return false;
}

/** The names of the mutants with which the backend still says what the originals say. All at once; one by one where a mutant cannot even be built, which is caught too. */
async function survivors(backend: Backend, planted: readonly Mutant[]): Promise<readonly string[]> {
  const given = planted.map(({ plan, original }): Case => ({ plan, inputs: original.inputs }));
  const decisions = await backend.decideAll(given).catch(() => undefined);
  const survived: string[] = [];
  for (const [at, { name, original }] of planted.entries()) {
    const caught = decisions === undefined ? await isCaught(backend, [given[at]!], [original]) : firstDifference([original], [decisions[at]!]) !== undefined;
    if (!caught) survived.push(name);
  }
  return survived;
}

async function isCaught(backend: Backend, given: readonly Case[], originals: readonly Case[]): Promise<boolean> {
  const decisions = await backend.decideAll(given).catch(() => undefined);
  return decisions === undefined || firstDifference(originals, decisions) !== undefined;
}
