/**
 * Prints how fast the text engine reads, beside the same patterns as RegExps one after another. The best of rounds that
 * take turns: what else the machine does only slows them. `node test/bench/scan.ts`
 */
import { detectors } from '../../filters/detectors/detectors.ts';
import { hostFor } from '../text/engine.ts';
import { seeded, type Random } from '../text/random-text.ts';

const BYTES = 1_000_000;
const ROUNDS = 9;
const WORDS =
  'the of and to in is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do any like my now over such our man me even most made after also did many off before must well back through years much where your way down should because long each just state those people too mr little good world make very year still see own work men day get here between both life being under three never know same last another while us might great go come since against right came take used himself few house use place during high without again home around small however found part thought went say once upon every does got number until always away something fact though water less public put think almost hand enough far took head yet system better set told nothing night end why called look going point knew next city business case group general need different program few card payment'.split(
    ' ',
  );

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
  'source text': sourceText,
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

/** English words with sentences, names, a number in every fourth sentence, an address of mail now and then. */
function prose(random: Random): string {
  return repeatTo(() => {
    const sentence = Array.from(
      { length: 6 + Math.floor(random() * 14) },
      () => WORDS[Math.floor(random() * WORDS.length)],
    ).join(' ');
    const extra = random();
    const tail =
      extra < 0.01
        ? ' anna@example.com'
        : extra < 0.25
          ? ` ${1900 + Math.floor(random() * 130)}`
          : extra < 0.28
            ? ` ${Math.floor(random() * 1e5) / 100} usd`
            : '';
    return `${sentence[0]?.toUpperCase()}${sentence.slice(1)}${tail}. `;
  });
}

function german(random: Random): string {
  return prose(random).replaceAll('oo', 'ö').replaceAll('ou', 'ü').replaceAll(' than ', ' – ');
}

function digitFlood(random: Random): string {
  return repeatTo(() => String(Math.floor(random() * 1e9)));
}

function digitGroups(random: Random): string {
  return repeatTo(() => `${String(Math.floor(random() * 1e4)).padStart(4, '0')}${random() < 0.9 ? ' ' : '-'}`);
}

function singleDigits(random: Random): string {
  return repeatTo(() => `${Math.floor(random() * 10)} `);
}

function hexFlood(random: Random): string {
  return repeatTo(() => Math.floor(random() * 2 ** 32).toString(16));
}

function atFlood(): string {
  return repeatTo(() => 'a@');
}

function sourceText(random: Random): string {
  return repeatTo(
    () =>
      `    const value_${Math.floor(random() * 100)} = list.map((x) => x.id + ${Math.floor(random() * 1000)}); // see #${Math.floor(random() * 10000)}\n`,
  );
}

function repeatTo(part: () => string): string {
  const parts: string[] = [];
  for (let length = 0; length < BYTES;) {
    const next = part();
    parts.push(next);
    length += next.length;
  }
  return parts.join('');
}
