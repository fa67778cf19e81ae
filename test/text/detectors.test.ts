// The contract of every detector: each example is found, each look-alike is not, however the text is written, cut and
// surrounded.
import { describe, expect, test } from 'vitest';
import { detectors } from '../../filters/detectors/detectors.ts';
import type { Detector } from '../../filters/detectors/detector.ts';
import type { Hit } from '../host/scan-host.ts';
import { hostFor, marked } from './engine.ts';
import { fullWidth } from './random-text.ts';

const host = await hostFor();
const ZERO_WIDTH = '\u200b';

test('the list is sorted by name, and each name is its file’s', () => {
  const names = detectors.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)].sort());
});

describe.each(detectors.map((detector, number) => ({ ...detector, number })))('$name', (detector) => {
  const spansIn = (text: string | Uint8Array): readonly (readonly [number, number])[] =>
    own(host.scan(text), detector.number);

  test('says what it is', () => {
    expect(detector.title).not.toBe('');
    expect(detector.about).not.toBe('');
    expect(detector.examples.length).toBeGreaterThan(1);
    expect(detector.lookAlikes.length).toBeGreaterThan(2);
    for (const example of detector.examples) expect(marked(example).spans.length, example).toBeGreaterThan(0);
  });

  test.each(detector.examples)('finds %j', (example) => {
    const { text, spans } = marked(example);
    expect(spansIn(text)).toEqual(spans);
  });

  test.each(detector.lookAlikes)('does not find %j', (text) => {
    expect(spansIn(text)).toEqual([]);
    expect(spansIn(`${text}.`)).toEqual([]);
  });

  test.each(detector.examples)('finds %j in full-width characters, and with zero-width ones inside', (example) => {
    for (const write of [
      fullWidth,
      (value: string) => [...value].join(ZERO_WIDTH),
      (value: string) => value.replaceAll('-', '‑').replaceAll(' ', '\u00a0'),
      (value: string) => value.replace(/[0-9]/g, (digit) => String.fromCodePoint(0x660 + Number(digit))),
    ]) {
      const { text, spans } = marked(example.replace(/⟦(.*?)⟧/gsu, (_, value: string) => `⟦${write(value)}⟧`));
      expect(spansIn(text), text).toEqual(spans);
    }
  });

  test.each(detector.examples)('finds %j at both ends, twice, and amid other text', (example) => {
    const { text, spans } = marked(example);
    const shifted = (by: number): readonly (readonly number[])[] => spans.map(([start, end]) => [start + by, end + by]);
    const before = 'Zwölf Boxkämpfer, 谢谢. ';
    const gap = `. ${'all work and no play '.repeat(5)}`;
    expect(spansIn(`${before}${text} … and so on`)).toEqual(shifted(Buffer.byteLength(before)));
    expect(spansIn(`${text}${gap}${text}`)).toEqual([...spans, ...shifted(Buffer.byteLength(text + gap))]);
  });

  test.each(detector.examples)('finds %j cut at every byte', (example) => {
    const { text, spans } = marked(`x ${example}, ${fullWidth('A')}.`);
    const bytes = new TextEncoder().encode(text);
    const lane = host.createLane();
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      lane.clear();
      lane.append(bytes.subarray(0, cut));
      lane.scan(false);
      lane.append(bytes.subarray(cut));
      lane.scan(true);
      expect(own(lane.hits(), detector.number), `cut at ${cut}`).toEqual(spans);
    }
    lane.destroy();
  });
});

test('a new detector is a file and a line', () => {
  const fields: readonly (keyof Detector)[] = ['name', 'title', 'about', 'forms', 'examples', 'lookAlikes'];
  for (const detector of detectors) expect(Object.keys(detector).sort()).toEqual([...fields].sort());
});

function own(hits: readonly Hit[], detector: number): readonly (readonly [number, number])[] {
  return hits.filter((hit) => hit.detector === detector).map(({ start, end }) => [start, end] as const);
}
