// Detectors that a policy declares itself: patterns, contexts, both automata, and what is refused.
import { describe, expect, test } from 'vitest';
import { compileDetectors } from '../../compiler/text/compile-detectors.ts';
import type { DetectorUse } from '../../compiler/plan/plan.ts';
import { detectors } from '../../filters/detectors/detectors.ts';
import { hostFor } from './engine.ts';

type Own = Extract<DetectorUse['source'], { kind: 'pattern' }>;
const own = (pattern: string, more: Partial<Own> = {}): DetectorUse => ({
  name: 'own',
  source: { kind: 'pattern', pattern, ignoreCase: false, ...more },
});

async function found(use: DetectorUse, text: string): Promise<readonly string[]> {
  const bytes = Buffer.from(text);
  return (await hostFor([use])).scan(text).map(({ start, end }) => bytes.subarray(start, end).toString());
}

describe('finds', () => {
  const near = { words: ['employee', 'badge'], within: 40, where: 'before' } as const;
  test.each<readonly [string, DetectorUse, string, readonly string[]]>([
    [
      'a number in its context',
      own('EMP-[0-9]{6}', { near }),
      'Employee EMP-123456 and EMP-654321',
      ['EMP-123456', 'EMP-654321'],
    ],
    ['none without the context', own('EMP-[0-9]{6}', { near }), 'number EMP-123456', []],
    [
      'none where the context is too far',
      own('EMP-[0-9]{6}', { near: { ...near, within: 10 } }),
      'badge of the year: EMP-123456',
      [],
    ],
    [
      'a context behind',
      own('EMP-[0-9]{6}', { near: { ...near, where: 'after' } }),
      'EMP-123456 (badge); EMP-123457',
      ['EMP-123456'],
    ],
    [
      'a context on either side',
      own('EMP-[0-9]{6}', { near: { ...near, within: 12, where: 'around' } }),
      'badge EMP-000001, EMP-123456 badge. And so EMP-123457',
      ['EMP-000001', 'EMP-123456'],
    ],
    ['a word in any case', own('merger', { ignoreCase: true }), 'The MERGER, a Merger; mergers', ['MERGER', 'Merger']],
    ['a word in its case only', own('merger'), 'The MERGER, a merger', ['merger']],
    ['words of other scripts', own('机密|Größe'), '这是机密文件, Größe 12', ['机密', 'Größe']],
    ['classes of other scripts', own('[а-я]{3}-[0-9]'), 'код абв-7.', ['абв-7']],
    ['a negated class', own('"[^"]{1,12}"'), 'say "grüß dich" now', ['"grüß dich"']],
    ['a pattern written as the text is', own('A–[０-９]{3}'), 'A–123 and A-４５６', ['A–123', 'A-４５６']],
    ['a pattern with a rare character inside', own('[a-z]{1,20}#[0-9]{3}'), 'see ab#123, x#12', ['ab#123']],
    [
      'the longest of several',
      own('[A-Z]{2}(?:-[0-9]{2}){1,3}'),
      'AB-12-34 AB-12-34-56-78',
      ['AB-12-34', 'AB-12-34-56'],
    ],
    ['one character', own('§'), 'see § 5', ['§']],
    ['none that touches a letter or digit', own('[0-9]{2}%'), '12%34%, 56%', ['34%', '56%']],
    ['a pattern written with invisible characters', own('a\u200bb1'), 'ab1 a\u00adb1', ['ab1', 'a\u00adb1']],
  ])('%s', async (_, use, text, expected) => {
    expect(await found(use, text)).toEqual(expected);
  });
});

test('a pattern whose deterministic automaton explodes is found by the bitset one', async () => {
  const use = own('[a-z]{1,30}[a-m][a-z]{20}[0-9]');
  expect(compileDetectors([use], []).report).toMatchObject([{ states: 0, anchor: 'its beginning' }]);
  const text = `${'q'.repeat(10)}b${'z'.repeat(20)}7`;
  expect(await found(use, `zz ${text.replace('b', 'y')}!`)).toEqual([]);
  expect(await found(use, `see ${text}, ${text}q`)).toEqual([text]);
  const lane = (await hostFor([use])).createLane();
  for (const byte of Buffer.from(`see ${text}, or`)) {
    lane.append(new Uint8Array([byte]));
    lane.scan(false);
  }
  lane.scan(true);
  expect(lane.hits()).toEqual([{ detector: 0, start: 4, end: 4 + text.length }]);
});

test('many detectors share the engine', async () => {
  const words = Array.from(
    { length: 128 },
    (_, i) => `word${String.fromCharCode(97 + (i % 26), 97 + Math.floor(i / 26))}`,
  );
  const uses = words.map((word): DetectorUse => ({
    name: word,
    source: { kind: 'pattern', pattern: word, ignoreCase: true },
  }));
  const host = await hostFor(uses);
  const hits = host.scan(words.join(' '));
  expect(hits.map(({ detector }) => detector)).toEqual(words.map((_, i) => i));
});

describe('refuses', () => {
  const problemOf = (use: DetectorUse): string | undefined => compileDetectors([use], detectors).problems[0]?.message;
  test.each<readonly [string, DetectorUse, RegExp]>([
    ['an unknown detector', { name: 'emial', source: { kind: 'builtin' } }, /no detector `emial`/],
    ['a pattern without bound', own('a+'), /without bound/],
    ['the empty text', own('a?'), /empty text/],
    ['a longest match over 1,024 bytes', own('[^a]{256}x'), /256/],
    ['too large an automaton', own('([ab]{0,60}c[a-z]{0,60}d){1,2}'), /too large/],
    ['an empty context word', own('a1', { near: { words: [' '], within: 5, where: 'before' } }), /empty/],
    ['a context wider than 256 characters', own('a1', { near: { words: ['x'], within: 257, where: 'before' } }), /256/],
    [
      'a context that no word fits into',
      own('a1', { near: { words: ['employee'], within: 7, where: 'before' } }),
      /no word/,
    ],
    [
      'a match of every end over 512 bytes',
      own('x[^a]{200}', { near: { words: ['x'], within: 5, where: 'after' } }),
      /512/,
    ],
    ['invisible characters only', own('\u200b'), /matches no text/],
  ])('%s', (_, use, message) => {
    expect(problemOf(use)).toMatch(message);
  });

  test('a 129th detector, and not the 128th', () => {
    const uses = Array.from({ length: 129 }, (_, i): DetectorUse => ({
      name: `d${i}`,
      source: { kind: 'pattern', pattern: `d${i}x`, ignoreCase: false },
    }));
    expect(compileDetectors(uses.slice(0, 128), detectors).problems).toEqual([]);
    expect(compileDetectors(uses, detectors).problems[0]?.message).toMatch(/at most 128/);
  });
});

test('the same uses make the same bytes', () => {
  const uses = detectors.map(({ name }): DetectorUse => ({ name, source: { kind: 'builtin' } }));
  const bytes = compileDetectors(uses, detectors).bytes;
  expect(Buffer.compare(bytes, compileDetectors(uses, detectors).bytes)).toBe(0);
  expect(bytes.length).toBeLessThan(44 * 1024);
});
