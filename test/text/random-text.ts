/** Seeded texts, dense with what detectors look for and with what only looks like it. */
import { detectors } from '../../filters/detectors/detectors.ts';

export type Random = () => number;

/** Mulberry32: numbers in [0, 1). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)]!;
}

const values = detectors.flatMap(({ examples, lookAlikes }) => [
  ...examples.flatMap((example) => [...example.matchAll(/⟦(.*?)⟧/gsu)].map((match) => match[1]!)),
  ...lookAlikes,
  ...examples.map((each) => each.replace(/[⟦⟧]/g, '')),
]);
const glue = [
  ' ',
  ' ',
  ' ',
  '',
  '.',
  ',',
  '-',
  ':',
  '_',
  '/',
  '@',
  '+',
  '(',
  ')',
  '\n',
  '\r\n',
  '\t',
  '  ',
  'é',
  '谢',
  '😀',
  '\u200b',
  '\u00ad',
  '０',
  '１',
  '４',
  '－',
  '\u00a0',
  '．',
  '٣',
  '1',
  '12',
  '4',
  'a',
  'Z',
];
const words = [
  'tel',
  'call',
  'phone',
  'SSN',
  'born',
  'passport',
  'api key',
  'social security',
  'secret access key',
  'the',
  'order',
  'geb.',
  'DOB',
];

export function randomText(random: Random, parts: number): string {
  let text = '';
  for (let i = 0; i < parts; i += 1) {
    const kind = random();
    if (kind < 0.45) text += mutated(random, pick(random, values));
    else if (kind < 0.6) text += digits(random);
    else if (kind < 0.75) text += pick(random, words);
    text += pick(random, glue);
    if (random() < 0.3) text += pick(random, glue);
  }
  return text;
}

/** Unchanged, or with one to three characters gone, doubled, replaced, swapped, or in another script. */
function mutated(random: Random, value: string): string {
  const characters = [...value];
  for (let n = Math.floor(random() * 4); n > 0; n -= 1) {
    const at = Math.floor(random() * characters.length);
    const kind = Math.floor(random() * 6);
    const here = characters[at] ?? '';
    if (kind === 0) characters.splice(at, 1);
    else if (kind === 1) characters.splice(at, 0, here);
    else if (kind === 2) characters[at] = pick(random, glue);
    else if (kind === 3) characters.splice(at, 0, pick(random, ['\u200b', '\u2060', '\ufe0f', '\u00ad']));
    else if (kind === 4) characters[at] = fullWidth(here);
    else characters.splice(at, 2, characters[at + 1] ?? '', here);
  }
  return characters.join('');
}

function digits(random: Random): string {
  const groups = 1 + Math.floor(random() * 5);
  const separator = pick(random, ['', ' ', '-', '.', '/', ':', ' - ']);
  return Array.from({ length: groups }, () => String(Math.floor(random() * 10 ** (1 + Math.floor(random() * 6))))).join(
    separator,
  );
}

/** ASCII as full-width forms. */
export function fullWidth(text: string): string {
  return text
    .replace(/[!-~]/g, (character) => String.fromCodePoint(character.charCodeAt(0) + 0xfee0))
    .replaceAll(' ', '\u3000');
}
