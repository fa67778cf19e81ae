// `list NAME {…}` and `switch NAME on` in a policy's own tests: prompts through the compiled filter, chunks by their facts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writ } from '../cli/run-writ.ts';

const folder = mkdtempSync(join(tmpdir(), 'writ-policy-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const POLICY = `policy p {
  owner "a@acme.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: allow
  default ingest: deny
  on failure: deny
}
caller { id : text from claim "sub" }
model m "m-1" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
store people chroma "people" { subject : optional text from metadata "subject_id" }
list erased of text from "erased-subjects" max age 5 minutes
list banned of text from "banned-callers" max age 1 hour
list days of date from "days" max age 1 day
switch stop "Stop the models" by "oncall"
hours office = monday to friday 09:00 to 18:00 except days
rule forgotten on retrieval from people
  withhold chunk unless (chunk.subject is not known or chunk.subject is not in erased)
rule banned on prompt where caller.id is in banned deny "Banned"
rule stopped on prompt where switch stop deny "Stopped"
rule closed on prompt where now is not in hours office deny "Closed"
`;
const PASSING = `
test "nobody is banned unless the test says so" {
  caller { id: "u1" }
  now 2026-12-01 10:00
  prompt to m "hello"
  expect allow
}
test "lists, then a switch" {
  caller { id: "u1" }
  now 2026-12-01 10:00
  list banned { "u2", "u1" }
  prompt to m "hello"
  expect deny by banned
  list banned { "u2" }
  prompt to m "hello"
  expect allow
  switch stop on
  prompt to m "hello"
  expect deny by stopped
}
test "a day off is the day there" {
  caller { id: "u1" }
  list days { 2026-12-25 }
  now 2026-12-25 10:00
  prompt to m "hello"
  expect deny by closed
  now 2026-12-24 10:00
  prompt to m "hello"
  expect allow
}
test "the erased are not found" {
  caller { id: "u1" }
  now 2026-12-01 10:00
  list erased { "bob" }
  chunk from people { subject: "bob"  text: "x" }
  expect withheld by forgotten
  chunk from people { subject: "ann"  text: "x" }
  expect allow
  chunk from people { text: "x" }
  expect allow
}
`;

const run = async (tests: string) => {
  writeFileSync(join(folder, 'p.writ'), POLICY + tests);
  return writ(['test', folder]);
};

test('what a test says of lists and switches holds for what follows it', async () => {
  const { code, out, err } = await run(PASSING);
  expect([code, err, out.split('\n').at(-3)]).toEqual([0, '', '4 passed, 0 failed']);
});

test('what is not so is told', async () => {
  const { code, out } = await run(PASSING.replace('list erased { "bob" }', 'list erased { "eve" }'));
  expect(code).toBe(1);
  expect(out).toContain('FAIL the erased are not found');
});
