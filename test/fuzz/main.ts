/**
 * Fuzzes the filter for as long as it is told, and keeps what it learns in `corpus/`.
 * `npm run fuzz -- [--seconds 60] [--seed N] [--keep]`. Exit code 1 where something was found.
 */
import { parseArgs } from 'node:util';
import { readCorpus, writeCorpus } from './corpus.ts';
import { Fuzzer, type Finding } from './fuzzer.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' }, keep: { type: 'boolean' } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const fuzzer = await Fuzzer.create(seed);
for (const input of readCorpus()) fuzzer.add(input);
const began = performance.now();
const ends = began + Number(values.seconds) * 1000;
let tell = began;
let shown = 0;
while (performance.now() < ends) {
  for (let i = 0; i < 500; i += 1) fuzzer.step();
  if (performance.now() < tell) continue;
  tell = performance.now() + 5_000;
  const { findings, ...counts } = fuzzer.progress();
  process.stderr.write(`${JSON.stringify({ ...counts, findings: findings.length })}\n`);
  show(findings.slice(shown));
  shown = findings.length;
}
const { findings, ...counts } = fuzzer.progress();
process.stdout.write(`${JSON.stringify({ seed, ...counts, findings: findings.length }, null, 2)}\n`);
show(findings.slice(shown));
if (values.keep) writeCorpus(fuzzer.corpus());
process.exitCode = findings.length === 0 ? 0 : 1;

/** A run of hours tells what it finds when it finds it. */
function show(found: readonly Finding[]): void {
  for (const { target, what, body } of found)
    process.stdout.write(`${target}: ${what}\n  ${JSON.stringify(Buffer.from(body).toString('latin1'))}\n`);
}
