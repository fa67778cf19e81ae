// A bounded run of the fuzzer, from the kept corpus and with the seed of the run: no trap, no hang, no memory kept, no plain
// card number let through, JSON for every reader, and chunks make no difference. And the fuzzer itself: that its
// instrumentation changes nothing, and that it sees what is wrong.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { seedOfRun } from '../differential/random.ts';
import { filterOf, filterWasmOf, run, type Seen } from '../kernel/test-filter.ts';
import { readCorpus } from './corpus.ts';
import { Fuzzer } from './fuzzer.ts';
import { instrument } from './instrument.ts';
import { fault } from './oracle.ts';
import { KEYS, POLICY, targets } from './targets.ts';

const SEED = seedOfRun();
const RUNS = 10_000;
/** Of the points that bodies lead to; the rest is the code of doors, of OPA's documents and of want of memory. */
const POINTS_MIN = 2_200;

test(`nothing is found in ${RUNS} runs, seed ${SEED}`, { timeout: 300_000 }, async () => {
  const fuzzer = await Fuzzer.create(SEED);
  for (const input of readCorpus()) fuzzer.add(input);
  for (let i = 0; i < RUNS; i += 1) fuzzer.step();
  const { findings, reached, passed, runs } = fuzzer.progress();
  expect(findings.map(({ target, what, body }) => [target, what, Buffer.from(body).toString('latin1')])).toEqual([]);
  // It reaches what the kept corpus reached, and what it makes is neither all refused nor all let through.
  expect(reached).toBeGreaterThan(POINTS_MIN);
  expect(passed / runs).toBeGreaterThan(0.2);
  expect(passed / runs).toBeLessThan(0.9);
});

test('what is let through of the corpus is the same to Python as to us', async () => {
  const filter = await filterOf(POLICY, KEYS);
  const documents = readCorpus().flatMap(({ target: name, body }) => {
    const target = targets.find((each) => each.name === name);
    if (target === undefined || target.form !== 'json') return [];
    const seen = run(filter, target.exchange(body));
    const text = target.side === 'request' ? seen.sent : seen.status === 200 ? seen.got : null;
    return text === null || text === '' ? [] : [text];
  });
  expect(documents.length).toBeGreaterThan(20);
  const read = execFileSync('python3', ['-c', PYTHON_TEXTS], {
    input: JSON.stringify(documents),
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  expect(JSON.parse(read)).toEqual(documents.map(textsOf));
});

/** Keys and texts of each document, in order, as Python's json reads it; a document that it refuses is null. */
const PYTHON_TEXTS = `
import json, sys
def texts(value):
    if isinstance(value, str): yield value
    elif isinstance(value, list):
        for each in value: yield from texts(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from texts(each)
def read(text):
    try: return sorted(texts(json.loads(text)))
    except ValueError: return None
print(json.dumps([read(text) for text in json.load(sys.stdin)]))
`;

function textsOf(text: string): string[] {
  const found: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === 'string') found.push(value);
    else if (Array.isArray(value)) value.forEach(collect);
    else if (typeof value === 'object' && value !== null)
      for (const [key, each] of Object.entries(value)) {
        found.push(key);
        collect(each);
      }
  };
  collect(JSON.parse(text));
  // By code point, as Python sorts.
  return found.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

test('the counters change nothing, and count what runs', async () => {
  const wasm = await filterWasmOf(POLICY, KEYS);
  const { wasm: counted, points } = instrument(wasm);
  expect(points).toBeGreaterThan(1_000);
  expect(WebAssembly.Module.exports(new WebAssembly.Module(counted)).map(({ name }) => name)).toEqual([
    ...WebAssembly.Module.exports(new WebAssembly.Module(new Uint8Array(wasm))).map(({ name }) => name),
    'coverage',
  ]);
});

test.each([
  ['a number in a request', 'chat request', '{"a":"x 4111 1111 1111 1111."}', 'a card number was let through'],
  ['a number as a key', 'chat request', '{"4111111111111111":1}', 'a card number was let through'],
  ['a number as a number', 'chat request', '{"a":4111111111111111}', 'a card number was let through'],
  ['what is not JSON', 'chat request', '{"a":}', 'not JSON'],
  [
    'a number in pieces of a stream',
    'chat stream',
    'data: {"choices":[{"delta":{"content":"4111 1111"}}]}\n\ndata: {"choices":[{"delta":{"content":" 1111 1111"}}]}\n\n',
    'a card number was let through in 0 content',
  ],
  [
    'a number beside the text of a stream',
    'anthropic stream',
    'data: {"id":"4111111111111111"}\n\n',
    'a card number was let through beside',
  ],
])('%s is seen', (_, name, text, what) => {
  const target = targets.find((each) => each.name === name);
  if (target === undefined) throw new Error(`no target ${name}`);
  const nothing: Seen = {
    sent: '{}',
    sentHeaders: [],
    removed: [],
    route: undefined,
    reserve: [],
    status: 200,
    got: '{}',
    gotHeaders: [],
    records: [],
    spentMicros: undefined,
    kept: undefined,
  };
  const seen: Seen = target.side === 'request' ? { ...nothing, sent: text } : { ...nothing, got: text };
  expect(fault(target, seen)).toContain(what);
  expect(fault(target, nothing)).toBeUndefined();
});
