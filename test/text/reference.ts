/**
 * What the text engine means, slow and obvious: every start and every end is tried with a RegExp, boundaries and
 * validators are written again in the plainest way. It shares the folding ranges with the compiler (`fold.test.ts`
 * checks these against Unicode), and nothing else.
 */
import { foldCodePoint } from '../../compiler/text/fold-ranges.ts';
import type { Context, Detector, Form, Validator } from '../../filters/detectors/detector.ts';
import type { Hit } from '../host/scan-host.ts';

interface Character {
  readonly text: string;
  /** Bytes of UTF-8 in the text as it came. */
  readonly start: number;
  readonly end: number;
}

export function referenceHits(text: string, detectors: readonly Detector[]): readonly Hit[] {
  const characters = fold(text);
  return detectors
    .flatMap(({ forms }, detector) =>
      unite(forms.flatMap((form) => spansOf(characters, form))).map(([from, to]) => ({
        detector,
        start: characters[from]!.start,
        end: characters[to - 1]!.end,
      })),
    )
    .sort((a, b) => a.start - b.start || a.detector - b.detector);
}

function fold(text: string): readonly Character[] {
  const characters: Character[] = [];
  let at = 0;
  for (const character of text) {
    const end = at + Buffer.byteLength(character);
    const code = character.codePointAt(0)!;
    const folded = code >= 0x80 ? foldCodePoint(code) : code;
    if (folded !== null) characters.push({ text: String.fromCodePoint(folded), start: at, end });
    at = end;
  }
  return characters;
}

/** Pairs of character numbers, in order of their starts. */
type Span = readonly [number, number];

function spansOf(characters: readonly Character[], form: Form): readonly Span[] {
  const whole = characters.map(({ text }) => text).join('');
  const unitAt = characters
    .map(({ text }) => text.length)
    .reduce<number[]>((sums, length) => [...sums, sums.at(-1)! + length], [0]);
  const exact = new RegExp(`^(?:${form.pattern})$`, 'u');
  const some = new RegExp(`(?:${form.pattern})`, 'uy');
  const spans: Span[] = [];
  for (let from = 0; from < characters.length; from += 1) {
    some.lastIndex = unitAt[from]!;
    if (!some.test(whole)) continue;
    for (let to = from + 1; to <= characters.length; to += 1) {
      const slice = whole.slice(unitAt[from], unitAt[to]);
      if (Buffer.byteLength(slice) > (form.longest ?? 2_000)) break;
      if (!exact.test(slice)) continue;
      const before = whole.slice(0, unitAt[from]);
      const behind = whole.slice(unitAt[to]);
      if (!BEFORE[form.boundary.before].test(before) || !AFTER[form.boundary.after].test(behind)) continue;
      if (form.validator !== undefined && !VALIDATORS[form.validator](slice)) continue;
      if (form.context !== undefined && !hasContext(form.context, characters, from, to)) continue;
      spans.push([from, to]);
    }
  }
  return spans;
}

function unite(spans: readonly Span[]): readonly Span[] {
  const united: [number, number][] = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = united.at(-1);
    if (last !== undefined && from < last[1]) last[1] = Math.max(last[1], to);
    else united.push([from, to]);
  }
  return united;
}

/** The text before a match must fit. */
const BEFORE: { readonly [B in Form['boundary']['before']]: RegExp } = {
  none: /(?:)/,
  digit: /(?<![0-9])$/,
  word: /(?<![0-9A-Za-z]|[0-9A-Za-z]_)$/,
  number: /(?<![0-9A-Za-z]|[0-9A-Za-z]_|[0-9]\.)$/,
  serial: /(?<![0-9A-Za-z]|[0-9A-Za-z]_|[0-9][.-])$/,
  address: /(?<![0-9A-Za-z]|[0-9A-Za-z]_|[0-9]\.|[0-9:]:)$/,
  list: /(?<![0-9A-Za-z]|[0-9A-Za-z]_|[0-9](?=[ \t\r\n]{1,4}$) *[\t\r\n][ \t\r\n]*)$/,
};
const AFTER: { readonly [B in Form['boundary']['after']]: RegExp } = {
  none: /(?:)/,
  digit: /^(?![0-9])/,
  word: /^(?!_?[0-9A-Za-z])/,
  number: /^(?!_?[0-9A-Za-z]|\.[0-9])/,
  serial: /^(?!_?[0-9A-Za-z]|[.-][0-9])/,
  address: /^(?!_?[0-9A-Za-z]|\.[0-9]|:[0-9A-Fa-f:])/,
  list: /^(?!_?[0-9A-Za-z]|(?=[ \t\r\n]{1,4}[0-9]) *[\t\r\n][ \t\r\n]*[0-9])/,
};

function hasContext(context: Context, characters: readonly Character[], from: number, to: number): boolean {
  const ranges: Span[] = [];
  if (context.where !== 'after') ranges.push([Math.max(0, from - context.within), from]);
  if (context.where !== 'before') ranges.push([to, Math.min(characters.length, to + context.within)]);
  const plain = characters.map(({ text }) => asWord(text));
  return ranges.some(([low, high]) => {
    for (let start = low; start < high; start += 1) {
      for (const word of context.words.map((each) => [
        ...asWord([...each].map((c) => String.fromCodePoint(foldCodePoint(c.codePointAt(0)!)!)).join('')),
      ])) {
        const end = start + word.length;
        if (end > high || word.some((character, i) => plain[start + i] !== character)) continue;
        const joinsBefore = start > 0 && /[0-9a-z]/.test(plain[start - 1]!) && /[0-9a-z]/.test(plain[start]!);
        const joinsBehind = end < plain.length && /[0-9a-z]/.test(plain[end]!) && /[0-9a-z]/.test(plain[end - 1]!);
        if (!joinsBefore && !joinsBehind) return true;
      }
    }
    return false;
  });
}

function asWord(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replace(/[\t\n\r._-]/g, ' ');
}

const VALIDATORS: { readonly [V in Validator]: (text: string) => boolean } = {
  payment_card: (text) => {
    const digits = text.replace(/\D/g, '');
    const sum = [...digits]
      .reverse()
      .reduce(
        (total, digit, i) =>
          total + (i % 2 === 0 ? Number(digit) : [...String(Number(digit) * 2)].reduce((s, d) => s + Number(d), 0)),
        0,
      );
    const issued = [
      /^4(\d{12}|\d{15}|\d{18})$/,
      /^(5[1-5]\d{14}|(222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12})$/,
      /^3[47]\d{13}$/,
      /^(30[0-5]|309(?=5)|36\d|38\d|39\d)\d{11,16}$/,
      /^(35(2[89]|[3-8]\d)|6011|65\d\d|64[4-9]\d|62\d\d)\d{12,15}$/,
      /^(50|5[678]|63|67)\d{11,17}$/,
    ];
    return sum % 10 === 0 && issued.some((network) => network.test(digits));
  },
  iban: (text) => {
    const plain = text.replace(/[^0-9A-Za-z]/g, '').toUpperCase();
    const number = (plain.slice(4) + plain.slice(0, 4)).replace(/[A-Z]/g, (letter) =>
      String(letter.charCodeAt(0) - 55),
    );
    return IBAN_LENGTHS.get(plain.slice(0, 2)) === plain.length && BigInt(number) % 97n === 1n;
  },
  us_ssn: (text) => /^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/.test(text.replace(/\D/g, '')),
  ipv4: (text) =>
    /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255),
  ipv6: (text) => {
    if (!/\d/.test(text) || /^([0-9a-f]{2}:){7}[0-9a-f]{2}$/i.test(text)) return false;
    const withoutV4 = text.replace(/(?<=:)[0-9.]*\.[0-9.]*$/, (last) => (VALIDATORS.ipv4(last) ? '1:1' : 'no'));
    const sides = withoutV4.split('::');
    const groups = sides.map((side) => (side === '' ? [] : side.split(':')));
    if (sides.length > 2 || groups.flat().some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return false;
    const count = groups.flat().length;
    return sides.length === 1 ? count === 8 : count < 8 && count > 0;
  },
  phone: (text) => {
    if (!balanced(text)) return false;
    const digits = text.replace(/\(0\)/g, '').replace(/\D/g, '').replace(/^00/, '');
    if (digits.length < 8 || digits.length > 15) return false;
    if (digits.startsWith('1')) return /^1[2-9]\d{9}$/.test(digits);
    if (/^(7|31|33|34|48|61)/.test(digits)) return digits.length === 11;
    if (digits.startsWith('44')) return digits.length === 11 || digits.length === 12;
    return /^[2-9]/.test(digits);
  },
  phone_national: (text) => {
    const digits = text.replace(/\D/g, '');
    const signs = text.replace(/\d/g, '');
    if (!balanced(text) || digits.length < 7 || digits.length > 12) return false;
    if (signs === '...' && text.split('.').every((part) => part.length <= 3)) return false;
    if (digits.length === 8 && signs.length === 2) return false;
    if (signs === '') return digits.length >= 9 && !(digits.length === 10 && digits.startsWith('1'));
    return digits.length >= 9 || digits.startsWith('0') || (digits.length === 7 && signs.length === 1);
  },
  email: (text) => {
    const domain = text.slice(text.lastIndexOf('@') + 1);
    const labels = domain.split('.');
    const fileEndings = [
      'png',
      'jpg',
      'jpeg',
      'gif',
      'svg',
      'webp',
      'bmp',
      'ico',
      'css',
      'js',
      'ts',
      'json',
      'html',
      'htm',
      'pdf',
      'txt',
    ];
    return (
      domain.length <= 253 &&
      labels.every((label) => /^(?!-).{1,63}(?<!-)$/.test(label)) &&
      !fileEndings.includes(labels.at(-1)!.toLowerCase())
    );
  },
  date: (text) => {
    const numbers = text.match(/\d+/g) ?? [];
    const years = numbers.filter((each) => each.length === 4);
    const others = numbers.filter((each) => each.length !== 4).map(Number);
    const months = (text.match(/[A-Za-z]{3,}/g) ?? []).every((word) =>
      /^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/i.test(word),
    );
    return (
      months &&
      years.length === 1 &&
      /^(19|20)/.test(years[0]!) &&
      others.every((each) => each >= 1 && each <= 31) &&
      (others.length === 1 || (others.length === 2 && Math.min(...others) <= 12))
    );
  },
  entropy: (text) => /[A-Za-z]/.test(text) && /\d/.test(text) && new Set(text).size >= 10 && !/(.)\1{4}/.test(text),
};

/** The last `)` closes the last `(`, as many as there are. */
function balanced(text: string): boolean {
  return text.split('(').length === text.split(')').length;
}

const IBAN_LENGTHS = new Map(
  'AD 24,AE 23,AL 28,AT 20,AZ 28,BA 20,BE 16,BG 22,BH 22,BI 27,BR 29,BY 28,CH 21,CR 22,CY 28,CZ 24,DE 22,DJ 27,DK 18,DO 28,EE 20,EG 29,ES 24,FI 18,FK 18,FO 18,FR 27,GB 22,GE 22,GI 23,GL 18,GR 27,GT 28,HN 28,HR 21,HU 28,IE 22,IL 23,IQ 23,IS 26,IT 27,JO 30,KW 30,KZ 20,LB 28,LC 32,LI 21,LT 20,LU 20,LV 21,LY 25,MC 27,MD 24,ME 22,MK 19,MN 20,MR 27,MT 31,MU 30,NI 28,NL 18,NO 15,OM 23,PK 24,PL 28,PS 29,PT 25,QA 29,RO 24,RS 22,RU 33,SA 24,SC 31,SD 18,SE 24,SI 19,SK 24,SM 27,SO 23,ST 25,SV 28,TL 23,TN 24,TR 26,UA 29,VA 22,VG 24,XK 20,YE 30'
    .split(',')
    .map((each) => [each.slice(0, 2), Number(each.slice(3))]),
);
