// Lanes: what is held back and why, what is kept, masks, caps, and that work is linear in the text whatever the text
// is.
import { describe, expect, test } from 'vitest';
import { detectors } from '../../filters/detectors/detectors.ts';
import { createScanHost } from '../host/scan-host.ts';
import { hostFor } from './engine.ts';
import { randomText, seeded } from './random-text.ts';

const host = await hostFor();
const number = (name: string): number => detectors.findIndex((detector) => detector.name === name);

describe('the hold', () => {
  const holdAfter = (text: string): number => {
    const lane = host.createLane();
    lane.append(text);
    lane.scan(false);
    const hold = lane.hold();
    lane.destroy();
    return Buffer.byteLength(text) - hold;
  };

  test.each([
    ['nothing after a sentence', 'The weather is fine. ', 0],
    ['a word that may become an address of mail', 'write to anna', 4],
    ['nothing after an address of mail that cannot grow', 'write to anna@example.com, ', 0],
    ['an address of mail that can grow', 'write to anna@example.com', 16],
    ['digits that may become a card', 'it is 4111 11', 7],
    ['nothing of digits that can become nothing', 'it is 41a ', 0],
    ['a token from its beginning', `Bearer eyJ${'a'.repeat(100)}`, 103],
  ])('%s', (_, text, held) => {
    expect(holdAfter(text)).toBe(held);
  });

  test('half a character is held until it is whole', () => {
    const lane = host.createLane();
    lane.append(new Uint8Array([0x2e, 0x20, 0xef, 0xbc]));
    lane.scan(false);
    expect(lane.hold()).toBe(2);
    lane.append(new Uint8Array([0x94]));
    lane.scan(false);
    // A full-width 4: the beginning of many things.
    expect(lane.hold()).toBe(2);
    lane.scan(true);
    expect(lane.hold()).toBe(5);
    lane.destroy();
  });

  test('prose holds back a word at most', () => {
    const lane = host.createLane();
    const words =
      'the committee met again to discuss results of northern regions while costs remained low and nobody disagreed'.split(
        ' ',
      );
    for (const word of words) {
      lane.append(`${word} `);
      lane.scan(false);
      expect(lane.length() - lane.hold(), word).toBe(0);
    }
    lane.destroy();
  });

  test('is never longer than the longest live match', () => {
    const longest = 8192 + 8;
    const lane = host.createLane();
    for (let i = 0; i < 200; i += 1) {
      lane.append(randomText(seeded(i), 4));
      lane.scan(false);
      expect(lane.length() - lane.hold()).toBeLessThanOrEqual(longest);
    }
    lane.destroy();
  });
});

test('a hit is reported once it cannot grow, and then does not change', () => {
  const lane = host.createLane();
  lane.append('mail a@example.co');
  lane.scan(false);
  expect(lane.hits()).toEqual([]);
  lane.append('m, b@example.org ');
  lane.scan(false);
  expect(lane.hits()).toEqual([
    { detector: number('email'), start: 5, end: 18 },
    { detector: number('email'), start: 20, end: 33 },
  ]);
  lane.destroy();
});

test('a discarded lane keeps what contexts need and drops the rest', () => {
  const lane = host.createLane();
  const filler = 'nothing to see here, move along. '.repeat(200);
  lane.append(filler);
  lane.scan(false);
  lane.discard(lane.hold());
  expect(lane.base()).toBeGreaterThan(filler.length - 1_000);
  expect(Buffer.from(lane.kept()).toString()).toBe(filler.slice(lane.base()));
  lane.append('Her social security number is ');
  lane.scan(false);
  lane.discard(lane.hold());
  lane.append('123456789.');
  lane.scan(true);
  expect(lane.hits()).toEqual([{ detector: number('us_ssn'), start: filler.length + 30, end: filler.length + 39 }]);
  lane.destroy();
});

test('a mask leaves only its detectors', () => {
  const lane = host.createLane();
  lane.mask(1n << BigInt(number('email')), 0n);
  lane.append('a@example.com and 4111 1111 1111 1111');
  lane.scan(true);
  expect(lane.hits().map(({ detector }) => detector)).toEqual([number('email')]);
  lane.clear();
  lane.mask(-1n, -1n);
  lane.append('a@example.com and 4111 1111 1111 1111');
  lane.scan(true);
  expect(lane.hits()).toHaveLength(2);
  lane.destroy();
});

test('without detectors everything passes at once', async () => {
  const lane = (await createScanHost(null)).createLane();
  lane.append('a@example.com');
  lane.scan(false);
  expect([lane.hold(), lane.hits().length]).toEqual([13, 0]);
});

test('a lane over its cap has failed, and not one byte earlier', () => {
  const lane = host.createLane();
  const most = 48 << 20;
  const piece = new Uint8Array(1 << 20).fill(0x20);
  for (let i = 0; i < 48; i += 1) lane.append(piece);
  expect([lane.failed(), lane.length()]).toEqual([false, most]);
  lane.append(' ');
  expect(lane.failed()).toBe(true);
  lane.clear();
  expect(lane.failed()).toBe(false);
  lane.destroy();
});

describe('work is linear in hostile text', () => {
  const floods: readonly (readonly [string, string])[] = [
    ['digits', '7'],
    ['digit groups', '4111 '],
    ['single digits', '4 '],
    ['dashes and digits', '1-2'],
    ['at signs', '@'],
    ['a@', 'a@'],
    ['dotted domains', 'a@b.co.'],
    ['dots', 'a.'],
    ['colons', '1:'],
    ['hexadecimal', 'ab12cd'],
    ['IBAN heads', 'DE89 '],
    ['token heads', 'eyJeyJ.'],
    ['context words', 'api-key '],
    ['context words and digits', 'tel 12 '],
    ['pluses', '+49(0)'],
    ['zero-width', '4\u200b'],
    ['capitals', 'C0'],
    ['slashes', '01234/'],
  ];

  test.each(floods)('%s', (_, unit) => {
    const stepsFor = (bytes: number): number => {
      const text = unit.repeat(Math.ceil(bytes / Buffer.byteLength(unit)));
      const before = host.steps();
      host.scan(text);
      return (host.steps() - before) / Buffer.byteLength(text);
    };
    const small = stepsFor(10_000);
    const large = stepsFor(200_000);
    expect(large).toBeLessThan(small * 1.2 + 1);
    expect(large).toBeLessThan(250);
  });
});
