// Numbers are ruled out by a glance at their digits and separators, and cards by all of their check digits at once. In
// texts full of numbers: the engine finds what the reference finds, and a glance never rules out a pattern that matches.
import { expect, test } from 'vitest';
import { automatonOf } from '../../compiler/text/automaton.ts';
import { digitShapes } from '../../compiler/text/digit-shapes.ts';
import { positionsOf } from '../../compiler/text/positions.ts';
import { parsePattern } from '../../dsl/pattern.ts';
import { detectors } from '../../filters/detectors/detectors.ts';
import { SHAPE_DIGITS, SHAPE_SECONDS } from '../../filters/kernel/text/layout.ts';
import { hostFor } from './engine.ts';
import { pick, seeded, type Random } from './random-text.ts';
import { referenceHits } from './reference.ts';

const texts = Number(process.env['WRIT_TEXTS'] ?? 400);
const seed = Number(process.env['WRIT_SEED'] ?? 13);
const SEPARATORS = [' ', ' ', ' ', '-', '.', '/', '_', '\n', '\t', '\r\n', ' - ', '  ', ', ', ':', ' (', ') ', ''];

test(`the engine agrees with the reference on ${texts} texts of numbers, whole and in pieces`, async () => {
  const host = await hostFor();
  const lane = host.createLane();
  const found = new Set<string>();
  for (let i = 0; i < texts; i += 1) {
    const random = seeded(seed * 1_000_003 + i);
    const text = numbers(random);
    const about = `text ${i} of seed ${seed}: ${JSON.stringify(text)}`;
    const expected = referenceHits(text, detectors);
    expected.forEach(({ detector }) => found.add(detectors[detector]?.name ?? ''));
    expect(host.scan(text), about).toEqual(expected);
    lane.clear();
    const raw = Buffer.from(text);
    const most = pick(random, [1, 4, 30]);
    for (let at = 0; at < raw.length;) {
      const size = 1 + Math.floor(random() * most);
      lane.append(raw.subarray(at, at + size));
      at += size;
      lane.scan(false);
      if (random() < 0.2) lane.discard(lane.hold());
    }
    lane.scan(true);
    expect(lane.hits(), `in pieces, ${about}`).toEqual(expected);
  }
  expect([...found]).toEqual(expect.arrayContaining(['payment_card', 'phone', 'us_ssn']));
});

test('a glance rules out no pattern that matches', () => {
  const patterns = [
    '[0-9]{4}-[0-9]{2}',
    '[0-9]{3}',
    '[0-9]',
    '[0-9]{1,2}(?:st|nd) May',
    '4[0-9]{3} [0-9]{4}',
    '1(?:[./][0-9]{1,3}){2,3}',
    '[0-9] [0-9] [0-9] [0-9]x',
    '[0-9]{7,9}',
  ];
  const positions = patterns.map((pattern) => {
    const parsed = parsePattern(pattern);
    if ('error' in parsed) throw new Error(parsed.error.message);
    return positionsOf([parsed.pattern], false);
  });
  const automaton = automatonOf(positions, 1_000);
  if (automaton === null) throw new Error('too large');
  const { heads, rows, signs, masks } = digitShapes(automaton);
  const random = seeded(seed);
  let matched = 0;
  let ruledOut = 0;
  for (let i = 0; i < 20_000; i += 1) {
    const text = Array.from({ length: 4 }, () => `${Math.floor(random() * 10 ** (1 + Math.floor(random() * 4)))}`)
      .join(pick(random, [' ', '-', '.', '/', 'st May', 'x', '']))
      .padEnd(SHAPE_DIGITS + 3, '#');
    const bytes = Buffer.from(text);
    const isDigit = Array.from({ length: SHAPE_DIGITS }, (_, at) => /[0-9]/.test(text[at + 1] ?? ''));
    const shape = isDigit.reduce((bits, digit, at) => bits | (digit ? 1 << at : 0), 0);
    const signAt = 1 + (isDigit.includes(false) ? isDigit.indexOf(false) : SHAPE_DIGITS);
    const sign = automaton.classes[bytes[signAt] ?? 0] ?? 0;
    const behind = automaton.classes[bytes[signAt + 1] ?? 0] ?? 0;
    const number = rows[shape * automaton.classCount + sign] ?? 0;
    const second = /[0-9]/.test(text[1] ?? '') ? Number(text[1]) : SHAPE_SECONDS - 1;
    const mask =
      (masks[number] ?? 0) &
      (masks[heads[Number(text[0]) * SHAPE_SECONDS + second] ?? 0] ?? 0) &
      (masks[signs[sign * automaton.classCount + behind] ?? 0] ?? 0);
    patterns.forEach((pattern, form) => {
      const matches = new RegExp(`^(?:${pattern})`, 'u').test(text);
      if (matches) {
        matched += 1;
        expect((mask >> form) & 1, `${pattern} on ${text}`).toBe(1);
      } else if (((mask >> form) & 1) === 0) ruledOut += 1;
    });
  }
  expect(matched).toBeGreaterThan(10_000);
  expect(ruledOut).toBeGreaterThan(50_000);
});

/** Numbers of every length, cards with a right check digit among them, with one separator or several. */
function numbers(random: Random): string {
  const separator = random() < 0.7 ? pick(random, SEPARATORS) : null;
  return Array.from({ length: 1 + Math.floor(random() * 12) }, () => {
    const kind = random();
    const value =
      kind < 0.25
        ? grouped(card(random), separator ?? pick(random, SEPARATORS))
        : kind < 0.35
          ? pick(random, ['call ', 'ssn ', 'born ', 'passport ', 'x', 'tel. ', '+', '(', '00'])
          : String(Math.floor(random() * 10 ** (1 + Math.floor(random() * 9))));
    return value + (separator ?? pick(random, SEPARATORS));
  }).join('');
}

function card(random: Random): string {
  const head = pick(random, [
    '4',
    '4111',
    '51',
    '2221',
    '2720',
    '34',
    '37',
    '3005',
    '3095',
    '36',
    '3528',
    '6011',
    '62',
    '5018',
    '6759',
    '2719',
    '30',
  ]);
  const length = pick(random, [13, 14, 15, 16, 16, 16, 17, 18, 19]);
  const body = head + Array.from({ length: length - head.length - 1 }, () => Math.floor(random() * 10)).join('');
  const sum = [...body].reverse().reduce((total, digit, at) => {
    const value = Number(digit) * (at % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return body + String((10 - (sum % 10)) % 10);
}

function grouped(digits: string, separator: string): string {
  return (digits.match(digits.length === 15 ? /^.{4}|.{6}|.{5}$/g : /.{1,4}/g) ?? []).join(separator);
}
