// The text engine finds exactly what the slow reference finds, on seeded texts, however they are cut into pieces.
import { expect, test } from 'vitest';
import { detectors } from '../../filters/detectors/detectors.ts';
import type { Hit } from '../host/scan-host.ts';
import { hostFor } from './engine.ts';
import { pick, randomText, seeded, type Random } from './random-text.ts';
import { referenceHits } from './reference.ts';

const host = await hostFor();
const texts = Number(process.env['WRIT_TEXTS'] ?? 1_500);
const seed = Number(process.env['WRIT_SEED'] ?? 7);

test(`the engine agrees with the reference on ${texts} texts`, () => {
  const found = new Set<number>();
  for (let i = 0; i < texts; i += 1) {
    const text = randomText(seeded(seed * 1_000_003 + i), 1 + (i % 9));
    const expected = referenceHits(text, detectors);
    expect(named(host.scan(text), text), `text ${i} of seed ${seed}: ${JSON.stringify(text)}`).toEqual(
      named(expected, text),
    );
    for (const { detector } of expected) found.add(detector);
  }
  expect(found.size).toBe(detectors.length);
});

test('pieces make no difference', () => {
  const lane = host.createLane();
  for (let i = 0; i < texts; i += 1) {
    const random = seeded(seed * 2_000_003 + i);
    const text = randomText(random, 1 + (i % 12));
    const whole = host.scan(text);
    const { hits, problems } = inPieces(lane, new TextEncoder().encode(text), random);
    expect(problems, `text ${i} of seed ${seed}: ${JSON.stringify(text)}`).toEqual([]);
    expect(named(hits, text), `text ${i} of seed ${seed}: ${JSON.stringify(text)}`).toEqual(named(whole, text));
  }
  lane.destroy();
});

test('a value is found wherever it stands in a block of sixteen bytes', () => {
  for (const { name, examples } of detectors) {
    const example = (examples[0] ?? '').replace(/[⟦⟧]/g, '');
    for (let before = 0; before < 16; before += 1) {
      for (const after of [0, 3, 17]) {
        const text = `${'- '.repeat(before).slice(0, before)}${example}${' -'.repeat(after).slice(0, after)}`;
        const expected = referenceHits(text, detectors);
        expect(named(host.scan(text), text), `${name} behind ${before} bytes`).toEqual(named(expected, text));
      }
    }
  }
});

/** Appends, scans and discards at random; reports a hold that goes back, or that a later hit starts before. */
function inPieces(
  lane: ReturnType<typeof host.createLane>,
  bytes: Uint8Array,
  random: Random,
): { readonly hits: readonly Hit[]; readonly problems: readonly string[] } {
  lane.clear();
  const problems: string[] = [];
  let hold = 0;
  let reported = 0;
  const most = pick(random, [1, 2, 5, 20, 100]);
  const scanAndLook = (final: boolean): void => {
    lane.scan(final);
    const hits = lane.hits();
    for (const hit of hits.slice(reported))
      if (hit.start < hold) problems.push(`hit at ${hit.start} before the hold ${hold}`);
    if (lane.hold() < hold) problems.push(`hold went back from ${hold} to ${lane.hold()}`);
    reported = hits.length;
    hold = lane.hold();
  };
  for (let at = 0; at < bytes.length;) {
    const size = 1 + Math.floor(random() * most);
    lane.append(bytes.subarray(at, at + size));
    at += size;
    if (random() < 0.6) scanAndLook(false);
    if (random() < 0.3) lane.discard(hold);
    if (lane.failed()) problems.push('failed');
  }
  scanAndLook(true);
  if (lane.hold() !== bytes.length) problems.push('the end does not lift the hold');
  if (Buffer.compare(lane.kept(), bytes.subarray(lane.base())) !== 0)
    problems.push('the text that is kept is not the text');
  return { hits: lane.hits(), problems };
}

function named(hits: readonly Hit[], text: string): readonly string[] {
  const bytes = Buffer.from(text);
  return hits.map(
    ({ detector, start, end }) =>
      `${detectors[detector]?.name} ${start}–${end} ${bytes.subarray(start, end).toString()}`,
  );
}
