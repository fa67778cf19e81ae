/** Seeded texts of a million bytes for benchmarks: what people write, and floods of what detectors look at. */
import type { Random } from '../text/random-text.ts';

const BYTES = 1_000_000;
const WORDS =
  'the of and to in is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do any like my now over such our man me even most made after also did many off before must well back through years much where your way down should because long each just state those people too mr little good world make very year still see own work men day get here between both life being under three never know same last another while us might great go come since against right came take used himself few house use place during high without again home around small however found part thought went say once upon every does got number until always away something fact though water less public put think almost hand enough far took head yet system better set told nothing night end why called look going point knew next city business case group general need different program few card payment'.split(
    ' ',
  );

/** English words with sentences, names, a number in every fourth sentence, an address of mail now and then. */
export function prose(random: Random): string {
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

export function german(random: Random): string {
  return prose(random).replaceAll('oo', 'ö').replaceAll('ou', 'ü').replaceAll(' than ', ' – ');
}

export function digitFlood(random: Random): string {
  return repeatTo(() => String(Math.floor(random() * 1e9)));
}

export function digitGroups(random: Random): string {
  return repeatTo(() => `${String(Math.floor(random() * 1e4)).padStart(4, '0')}${random() < 0.9 ? ' ' : '-'}`);
}

export function singleDigits(random: Random): string {
  return repeatTo(() => `${Math.floor(random() * 10)} `);
}

export function hexFlood(random: Random): string {
  return repeatTo(() => Math.floor(random() * 2 ** 32).toString(16));
}

export function atFlood(): string {
  return repeatTo(() => 'a@');
}

export function codeText(random: Random): string {
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
