// What is said of documents and receipts, as a policy's own tests see it: through the compiled wasm.
import { beforeAll, describe, expect, test } from 'vitest';
import { runTest, type TestResult } from '../../cli/policy-test/run-test.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { checkProgram } from '../../dsl/check.ts';
import { sourceFile } from '../../dsl/source.ts';
import { detectors } from '../../filters/detectors/detectors.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { filterWasmOf } from '../kernel/test-filter.ts';

const POLICY = `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: allow
  default ingest: allow
  on failure: deny
  base classification: internal
}
classification = open < internal < secret
classify prompt as highest of receipts
rule secrets on prompt where prompt.classification is secret deny "secret"
caller { id : text from claim "sub" }
model m "m-1" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens }
store files chroma "files" { source : optional text from metadata "source"  year : optional int from metadata "year" }
rule asked on prompt where text contains iban tag bank = true
rule answered on completion tag weight = 1.50
rule sourced on ingest into files require chunk.source is known tag checked = "yes"
rule old on ingest into files where chunk.year is known and chunk.year is below 2000 tag age = "old"
rule ancient on ingest into files where chunk.year is known and chunk.year is below 1000 tag age = "ancient"
reviewers quality from group "quality"
rule contracts on prompt where text contains "contract" record exchange for 90 days
rule drawn on prompt where caller.id is "u1" sample 1 percent for review by quality tag drawn = true
rule over on exchange where completion.tokens is at least 1 tokens and prompt.tokens_estimate is at least 1 tokens tag over = true
rule late on exchange where prompt.tokens_estimate is below 12 tokens record exchange for 1 days
rule seen on retrieval from files tag read = 7 withhold chunk unless chunk.source is known else say "Withheld"
`;
const DATA = 'caller { id: "u1" }';
const policyTest = (title: string, ...steps: readonly string[]): string =>
  `test "${title}" {\n  ${[DATA, ...steps].join('\n  ')}\n}\n`;

const PASSING = [
  policyTest(
    'of an exchange',
    'prompt to m "DE89 3704 0044 0532 0130 00"',
    'expect tag bank = true',
    'completion "Hello"',
    'expect tag weight = 1.50',
  ),
  policyTest(
    'of what is kept',
    'prompt to m "the contract, and what else there is to say of it"',
    'expect record by contracts',
    'expect sample by drawn',
    'completion "Signed"',
    'exchange ends',
    'expect tag over = true',
  ),
  policyTest('kept when it is over', 'prompt to m "x"', 'expect sample', 'exchange ends', 'expect record by late'),
  policyTest(
    'of a document',
    'document into files { source: "s"  year: 1999  text: "x" }',
    'expect tag checked = "yes"',
    'expect tag age = "old"',
  ),
  policyTest('required', 'document into files { text: "x" }', 'expect deny by sourced'),
  policyTest('of two values', 'document into files { source: "s"  year: 900  text: "x" }', 'expect deny'),
  policyTest(
    'of a chunk',
    'chunk from files { source: "s"  text: "x" }',
    'expect tag read = 7',
    'chunk from files { text: "x" }',
    'expect withheld by seen',
  ),
  policyTest(
    'of receipts',
    'prompt to m "x" { receipts: open }',
    'expect classification internal',
    'prompt to m "x" { receipts: secret }',
    'expect deny by secrets',
    'expect classification secret',
    'prompt to m "x"',
    'expect allow',
  ),
];
const FAILING = [
  policyTest('receipts of nobody', 'caller { }', 'prompt to m "x" { receipts: open }', 'expect allow'),
  policyTest('another value', 'document into files { source: "s"  text: "x" }', 'expect tag checked = "no"'),
  policyTest('another number', 'prompt to m "x"', 'completion "Hello"', 'expect tag weight = 1.5'),
  policyTest('not recorded', 'prompt to m "x"', 'expect record'),
  policyTest('recorded by another', 'prompt to m "contract"', 'expect record by asked'),
  policyTest('over without a reply', 'prompt to m "x"', 'exchange ends', 'expect tag over = true'),
  policyTest('over twice', 'prompt to m "x"', 'exchange ends', 'exchange ends', 'expect record'),
  policyTest('not denied', 'document into files { source: "s"  text: "x" }', 'expect deny by sourced'),
];

let results: readonly TestResult[];
beforeAll(async () => {
  const source = [POLICY, ...PASSING, ...FAILING].join('\n');
  const { program, diagnostics } = checkProgram([sourceFile('test.writ', source)], detectors);
  if (program === null) throw new Error(diagnostics.map(({ code, message }) => `${code} ${message}`).join('\n'));
  const plan = lower(program, { sourceHash: '0'.repeat(64), compilerVersion: 'test' });
  const filter = await loadFilter(await filterWasmOf(source));
  results = program.tests.map((each) => runTest(each, { program, plan, filter }));
});

const titled = (sources: readonly string[]): readonly string[] =>
  sources.map((source) => /"([^"]+)"/.exec(source)?.[1] ?? '');

describe("a policy's own tests", () => {
  test.each(titled(PASSING))('%s', (title) => {
    expect(results.find((result) => result.title === title)?.failures).toEqual([]);
  });

  test.each(titled(FAILING))('%s is seen', (title) => {
    expect(results.find((result) => result.title === title)?.failures).toHaveLength(1);
  });
});
