// The second law: on random policies and random inputs every backend says what the interpreter says. A failure prints its seed (`WRIT_SEED` runs it again) and a small case.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decide } from "../../compiler/interpret/decide.ts";
import { type Case, firstDifference, generateCases } from "./backend.ts";
import { BACKENDS } from "./backends.ts";
import { countKinds, KINDS_EXPECTED } from "./coverage.ts";
import { asFixture, minimised } from "./minimise.ts";
import { sharesOf } from "./outcomes.ts";
import { randomFrom, seedOfRun } from "./random.ts";

const POLICIES = 1_000;
const SHARE_LEAST = 0.05;
const NODES_LEAST = 20;

const seed = seedOfRun();
let cases: readonly Case[] = [];

beforeAll(() => {
  cases = generateCases(randomFrom(seed), POLICIES);
});

afterAll(() => {
  console.log(`differential test: seed ${seed}, ${POLICIES} policies`);
});

test("the policies hold every kind of node", () => {
  const counts = new Map<string, number>();
  for (const { plan } of cases) countKinds(plan, counts);
  const rare = KINDS_EXPECTED.filter((kind) => (counts.get(kind) ?? 0) < NODES_LEAST);
  expect(rare, `seed ${seed}`).toEqual([]);
});

test("the inputs reach every outcome in at least 5% of the cases", () => {
  const shares = sharesOf(cases.flatMap(({ plan, inputs }) => inputs.map((input) => decide(plan, input))));
  const rare = Object.entries(shares).filter(([, share]) => share < SHARE_LEAST);
  expect(rare, `seed ${seed}`).toEqual([]);
});

describe.each(BACKENDS)("$name", (backend) => {
  test("decides as the interpreter does", { timeout: 300_000 }, async () => {
    const sample = cases.slice(0, backend.policies);
    const difference = firstDifference(sample, await backend.decideAll(sample));
    if (difference === undefined) return;
    expect.fail(asFixture(seed, backend.name, await minimised(backend, difference)));
  });
});
