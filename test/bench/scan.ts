/**
 * Prints how fast the text engine reads, beside the same patterns as RegExps one after another. The best of rounds that
 * take turns: what else the machine does only slows them. `node test/bench/scan.ts`
 */
import { detectors } from '../../filters/detectors/detectors.ts';
import { hostFor } from '../text/engine.ts';
import { seeded } from '../text/random-text.ts';
import { atFlood, codeText, digitFlood, digitGroups, german, hexFlood, prose, singleDigits } from './scan-texts.ts';

const BYTES = 1_000_000;
const ROUNDS = 9;

const host = await hostFor();
const patterns = detectors.flatMap(({ forms }) =>
  forms.map(({ pattern }) => new RegExp(`(?<![0-9A-Za-z_])(?:${pattern})(?![0-9A-Za-z_])`, 'gu')),
);

const rows = [];
for (const [name, make] of Object.entries({
  prose,
  'prose, 1.8 KB': prose,
  'German prose': german,
  'digit flood': digitFlood,
  'digit groups': digitGroups,
  'single digits': singleDigits,
  'hex flood': hexFlood,
  'at flood': atFlood,
  'source text': codeText,
})) {
  const text = make(seeded(1)).slice(0, name.includes('1.8') ? 1_800 : BYTES);
  const length = host.write(text);
  const repeats = Math.max(1, Math.round(4_000_000 / length));
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = cpuMs();
    for (let i = 0; i < repeats; i += 1) host.scanOnly(length);
    ours.push((length * repeats) / (cpuMs() - start) / 1000);
    if (round >= 3) continue;
    const sample = text.slice(0, 100_000);
    const from = cpuMs();
    for (const pattern of patterns) for (const _ of sample.matchAll(pattern));
    theirs.push(Buffer.byteLength(sample) / (cpuMs() - from) / 1000);
  }
  const before = host.steps();
  host.scanOnly(length);
  rows.push({
    text: name,
    'MB/s': Math.round(best(ours)),
    'RegExp MB/s': Math.round(best(theirs) * 10) / 10,
    'steps a byte': Math.round(((host.steps() - before) / length) * 100) / 100,
    hits: host.scanWritten(length).length,
  });
}
for (const row of rows) console.log(JSON.stringify(row));

/** Processor time of this process, so that what else runs on the machine counts little. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function best(numbers: readonly number[]): number {
  return Math.max(...numbers);
}
