// Patterns that begin with a long run of token characters are looked for inside of such runs only: what is found is what
// the reference finds, wherever a run begins, ends and is cut, and a text of nothing else costs as much a byte.
import { expect, test } from 'vitest';
import { compileDetectors } from '../../compiler/text/compile-detectors.ts';
import type { DetectorUse } from '../../compiler/plan/plan.ts';
import { bytesOf, TOKEN_BYTES } from '../../compiler/text/byte-set.ts';
import { RUN_LEAST, TOKEN_LEAST } from '../../filters/kernel/text/layout.ts';
import type { Context } from '../../filters/detectors/detector.ts';
import { createScanHost } from '../host/scan-host.ts';
import { hostFor } from './engine.ts';
import { pick, seeded, type Random } from './random-text.ts';
import { referenceHits } from './reference.ts';

const policies = Number(process.env['WRIT_POLICIES'] ?? 60);
const seed = Number(process.env['WRIT_SEED'] ?? 11);
const TEXTS = 30;

test(`${policies} policies of long patterns find what the reference finds`, async () => {
  let hits = 0;
  for (let i = 0; i < policies; i += 1) {
    const random = seeded(seed * 1_000_003 + i);
    const patterns = Array.from({ length: 1 + Math.floor(random() * 3) }, () => longPattern(random));
    const near: Context | undefined =
      random() < 0.4 ? { words: ['key', 'ab'], within: 6 + Math.floor(random() * 12), where: 'before' } : undefined;
    const uses = patterns.map((pattern, n): DetectorUse => ({
      name: `d${n}`,
      source: { kind: 'pattern', pattern, ignoreCase: false, ...(near === undefined ? {} : { near }) },
    }));
    const { bytes, problems, report } = compileDetectors(uses, []);
    expect(problems).toEqual([]);
    expect(report.map(({ anchor }) => anchor)).toContain('a long run of letters, digits and their signs');
    const host = await createScanHost(bytes);
    const lane = host.createLane();
    const asDetectors = patterns.map((pattern, n) => ({
      name: `d${n}`,
      title: '',
      about: '',
      forms: [
        {
          pattern,
          boundary: { before: 'word', after: 'word' } as const,
          ...(near === undefined ? {} : { context: near }),
        },
      ],
      examples: [],
      lookAlikes: [],
    }));
    for (let n = 0; n < TEXTS; n += 1) {
      const text = runs(random);
      const about = `policy ${i}, text ${n}, seed ${seed}: ${JSON.stringify(uses)} on ${JSON.stringify(text)}`;
      const expected = referenceHits(text, asDetectors);
      hits += expected.length;
      expect(host.scan(text), about).toEqual(expected);
      lane.clear();
      const most = pick(random, [1, 3, 40]);
      const raw = Buffer.from(text);
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
  }
  expect(hits).toBeGreaterThan(policies * 5);
});

test('a key is found wherever it stands in a block, and whatever runs up to it', async () => {
  const host = await hostFor();
  for (const key of ['xoxb-0123456789', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789', 'AKIAIOSFODNN7EXAMPLE']) {
    for (const before of ['', '-', 'a b-', 'path/to/', '.../----']) {
      for (let n = 0; n < 16; n += 1) {
        const text = `${' '.repeat(n)}${before}${key}${' '.repeat(n)}`;
        const start = n + before.length;
        expect(
          host.scan(text).map((hit) => [hit.start, hit.end]),
          JSON.stringify(text),
        ).toContainEqual([start, start + key.length]);
      }
    }
  }
});

test('a long run costs as much a byte as a short one', async () => {
  const host = await hostFor();
  const stepsFor = (bytes: number): number => {
    const text = 'AKIAIOSFODNN7EXAMPLE/1.1.1.1/'.repeat(bytes / 29);
    const before = host.steps();
    host.scan(text);
    return (host.steps() - before) / text.length;
  };
  const small = stepsFor(10_000);
  expect(stepsFor(200_000)).toBeLessThan(small * 1.2);
});

/** At least RUN_LEAST characters of tokens, in one of the ways in which a pattern says so. */
function longPattern(random: Random): string {
  const class_ = pick(random, ['[ab1]', '[ab1_-]', '[a-z0-9/]', '[ab.]', 'a']);
  const least = RUN_LEAST + Math.floor(random() * 4);
  return pick(random, [
    `[ab]${class_}{${least},${least + 6}}`,
    `ab-?${class_}{${least},${least + 20}}`,
    `(?:aa|b_)${class_}{${least}}[1b]`,
    `b(?:${class_}{2}-){${least}}`,
  ]);
}

function runs(random: Random): string {
  return Array.from({ length: 1 + Math.floor(random() * 6) }, () => {
    const length = Math.floor(random() * 45);
    const signs = pick(random, ['ab', 'ab1', 'ab1-', 'a_b-./', 'aab1b-']);
    const run = Array.from({ length }, () => pick(random, [...signs])).join('');
    return `${pick(random, ['', '', 'ab-', 'aa', 'b_', 'key ', 'ab '])}${run}${pick(random, [' ', '', '!', ' key: ', 'é', '\n', '１'])}`;
  }).join('');
}

test('no character of tokens is less than the least, nor above ASCII', () => {
  const bytes = bytesOf(TOKEN_BYTES);
  expect(Math.min(...bytes)).toBe(TOKEN_LEAST);
  expect(Math.max(...bytes)).toBeLessThan(0x80);
});
