// Random patterns of a policy's own, alone and together, agree with the reference on random texts of the same few
// characters, whole and in pieces.
import { expect, test } from 'vitest';
import { compileDetectors } from '../../compiler/text/compile-detectors.ts';
import type { DetectorUse } from '../../compiler/plan/plan.ts';
import { detectors } from '../../filters/detectors/detectors.ts';
import type { Context, Detector } from '../../filters/detectors/detector.ts';
import { createScanHost } from '../host/scan-host.ts';
import { pick, seeded, type Random } from './random-text.ts';
import { referenceHits } from './reference.ts';

const policies = Number(process.env['WRIT_POLICIES'] ?? 150);
const seed = Number(process.env['WRIT_SEED'] ?? 7);
const TEXTS = 40;

test(`${policies} random policies find what the reference finds`, async () => {
  const anchors = new Set<string>();
  let hits = 0;
  for (let i = 0; i < policies; i += 1) {
    const random = seeded(seed * 1_000_003 + i);
    const uses = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, n) => randomUse(random, n));
    const { bytes, problems, report } = compileDetectors(uses, detectors);
    if (problems.length > 0) continue;
    for (const { anchor } of report) anchors.add(anchor);
    const host = await createScanHost(bytes);
    const lane = host.createLane();
    const asDetectors = uses.map(asDetector);
    for (let n = 0; n < TEXTS; n += 1) {
      const text = randomText(random);
      const about = `policy ${i}, text ${n}, seed ${seed}: ${JSON.stringify(uses)} on ${JSON.stringify(text)}`;
      const expected = referenceHits(text, asDetectors);
      hits += expected.length;
      expect(host.scan(text), about).toEqual(expected);
      lane.clear();
      for (const byte of Buffer.from(text)) {
        lane.append(new Uint8Array([byte]));
        lane.scan(false);
        if (random() < 0.2) lane.discard(lane.hold());
      }
      lane.scan(true);
      expect(lane.hits(), `byte by byte, ${about}`).toEqual(expected);
    }
  }
  expect(hits).toBeGreaterThan(policies * 10);
  expect([...anchors].join()).toMatch(/its beginning/);
  expect([...anchors].join()).toMatch(/a rare character inside/);
  expect([...anchors].join()).toMatch(/a word near it/);
  expect([...anchors].join()).toMatch(/digits/);
});

function randomUse(random: Random, n: number): DetectorUse {
  const near: Context | undefined =
    random() < 0.4
      ? {
          words: pick(random, [['key'], ['ab', 'key'], ['a b']]),
          within: 3 + Math.floor(random() * 9),
          where: pick(random, ['before', 'after', 'around'] as const),
        }
      : undefined;
  return {
    name: `d${n}`,
    source: {
      kind: 'pattern',
      pattern: pattern(random, 3),
      ignoreCase: random() < 0.2,
      ...(near === undefined ? {} : { near }),
    },
  };
}

function pattern(random: Random, depth: number): string {
  const kind = random();
  if (depth === 0 || kind < 0.35)
    return pick(random, ['a', 'b', '1', '#', '-', 'é', '[ab]', '[a-z]', '[0-9]', '[^a]', '[1é]', 'key', '\\d', '.']);
  if (kind < 0.75)
    return Array.from({ length: 2 + Math.floor(random() * 3) }, () => pattern(random, depth - 1)).join('');
  if (kind < 0.85) return `(?:${pattern(random, depth - 1)}|${pattern(random, depth - 1)})`;
  return `(?:${pattern(random, depth - 1)})${pick(random, ['?', '{2}', '{1,3}', '{0,2}'])}`;
}

function randomText(random: Random): string {
  return Array.from({ length: 4 + Math.floor(random() * 40) }, () =>
    pick(random, [
      'a',
      'b',
      'ab',
      '1',
      '12',
      '#',
      '-',
      ' ',
      ' ',
      'é',
      'key',
      'Key ',
      '１',
      '\u200b',
      'B',
      '_',
      '.',
      '\n',
    ]),
  ).join('');
}

function asDetector(use: DetectorUse): Detector {
  if (use.source.kind !== 'pattern') throw new Error('not a pattern');
  const { pattern: source, ignoreCase, near } = use.source;
  const text = ignoreCase
    ? source
        .replace(/[a-z]+(?![^[]*\])/g, (letters) =>
          [...letters].map((letter) => `[${letter}${letter.toUpperCase()}]`).join(''),
        )
        .replaceAll('[ab]', '[abAB]')
        .replaceAll('[a-z]', '[a-zA-Z]')
        .replaceAll('[^a]', '[^aA]')
        .replaceAll('\\[dD]', '\\d')
    : source;
  return {
    name: use.name,
    title: '',
    about: '',
    forms: [
      {
        pattern: text.replaceAll('.', '[^\\n]'),
        boundary: { before: 'word', after: 'word' },
        ...(near === undefined ? {} : { context: near }),
      },
    ],
    examples: [],
    lookAlikes: [],
  };
}
