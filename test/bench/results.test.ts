// What the benchmark makes of its measurements: medians, the document, tables, the chart, the README's numbers.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { chart } from './chart.ts';
import { rowsOf } from './envoy/measure-envoy.ts';
import { chatRequest, loadCases, type LoadResult } from './envoy/load-case.ts';
import { BARE, targetKinds } from './envoy/targets.ts';
import { BEGIN, END, withNumbers } from './readme.ts';
import { digits, resultTables } from './result-tables.ts';
import { readResults, type EnvoyRow, type Results } from './results.ts';
import { inTurn, ratios, spread } from './statistics.ts';
import { textReport } from './text-report.ts';

const same = (value: number) => ({ median: value, low: value, high: value });

function envoyRow(changes: Partial<EnvoyRow>): EnvoyRow {
  return {
    target: 'bare',
    name: 'bare Envoy',
    bodyBytes: 1_800,
    streamed: false,
    concurrency: 16,
    perSecond: { median: 9_512.4, low: 9_000, high: 10_000 },
    share: same(1),
    p50: same(1.634),
    p99: same(4.2),
    first: same(1.6),
    requests: 100,
    failed: 0,
    ...changes,
  };
}

const results: Results = {
  version: 1,
  date: '2030-01-02T03:04:05.678Z',
  commit: '0123456789ab',
  command: 'npm run bench',
  isQuick: false,
  rounds: 5,
  machine: { processors: '2 × A | B', memoryGigabytes: 8, system: 'Linux 6', versions: { node: 'v24' } },
  sections: {
    envoy: [
      envoyRow({}),
      envoyRow({ bodyBytes: 225_000 }),
      envoyRow({ target: 'x-door', name: 'a <door>', share: { median: 0.8234, low: 0.8, high: 0.9 } }),
      envoyRow({ target: 'x-door', name: 'a <door>', share: same(0.0456), bodyBytes: 225_000 }),
      envoyRow({ target: 'x-door', name: 'a <door>', streamed: true, share: same(0.7) }),
    ],
    decide: [
      { contender: 'writ', name: 'ours', question: 'allow', microseconds: same(0.05), times: same(1) },
      { contender: 'b', name: 'theirs', question: 'allow', microseconds: same(21.4), times: same(428) },
      { contender: 'writ', name: 'ours', question: 'deny', microseconds: same(0.0712), times: same(1) },
    ],
    scan: [
      { contender: 'writ', name: 'ours', text: 'prose', megabytesPerSecond: same(1_234.5), share: same(1), hits: 3 },
    ],
    sizes: [{ id: 'filter', name: 'filter.wasm', unit: 'KB', value: { median: 178.26, low: 178.26, high: 178.26 } }],
  },
  missing: [{ section: 'scan', name: 'RE2', reason: 'no wheel\nfor this machine' }],
};
const text = JSON.stringify(results);

describe('statistics', () => {
  test.each([
    [[3, 1, 2], { median: 2, low: 1, high: 3 }],
    [[4, 1, 3, 2], { median: 2.5, low: 1, high: 4 }],
    [[7], { median: 7, low: 7, high: 7 }],
  ])('the spread of %j', (values, expected) => expect(spread(values)).toEqual(expected));

  test('of nothing there is none', () => expect(() => spread([])).toThrow('median of nothing'));

  test('ratios are taken round by round', () => {
    // The second round was slow for both.
    expect(ratios([90, 45, 80], [100, 50, 100])).toEqual({ median: 0.9, low: 0.8, high: 0.9 });
    expect(() => ratios([1, 2], [1])).toThrow('both runs');
  });

  test('every round begins with another contender', () => {
    expect([0, 1, 2, 3].map((round) => inTurn(['a', 'b', 'c'], round).join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
    expect(inTurn([], 1)).toEqual([]);
  });
});

describe('the document', () => {
  test('is read back', () => expect(readResults(text)).toEqual(results));

  test.each([
    ['a version that is not ours', { ...results, version: 2 }, 'results.version'],
    ['a key too many', { ...results, more: 1 }, 'results.more'],
    ['a key too few', { ...results, commit: undefined }, 'results.commit'],
    ['no number', { ...results, rounds: '5' }, 'results.rounds'],
    ['a part that is not known', { ...results, sections: { envoys: [] } }, 'results.sections.envoys'],
    [
      'a number that was none',
      { ...results, sections: { envoy: [envoyRow({ share: same(NaN) })] } },
      'results.sections.envoy[0].share.median',
    ],
    [
      'a median outside of its rounds',
      { ...results, sections: { envoy: [envoyRow({ p50: { median: 3, low: 1, high: 2 } })] } },
      'results.sections.envoy[0].p50',
    ],
  ])('%s is refused', (_, document, path) => {
    expect(() => readResults(JSON.stringify(document))).toThrow(path);
  });
});

describe('tables', () => {
  const tables = resultTables(results);

  test('show each part that was measured, with a column for each load', () => {
    expect(tables.map(({ head, rows }) => [head, ...rows])).toEqual([
      [
        ['target', '1.8 KB × 16', '225 KB × 16', '1.8 KB SSE × 16'],
        ['bare Envoy', '1 (9,512/s)', '1 (9,512/s)', '–'],
        ['a <door>', '0.82', '0.046', '0.7'],
      ],
      [
        ['target', '1.8 KB × 16', '225 KB × 16', '1.8 KB SSE × 16'],
        ['bare Envoy', '1.63 / 4.2', '1.63 / 4.2', '–'],
        ['a <door>', '1.63 / 4.2', '1.63 / 4.2', '1.63 / 4.2'],
      ],
      [
        ['way', 'allow', 'deny'],
        ['ours', '0.05', '0.071'],
        ['theirs', '21.4 (428 ×)', '–'],
      ],
      [
        ['way', 'prose'],
        ['ours', '1,235'],
      ],
      [
        ['what', 'measured'],
        ['filter.wasm', '178 KB'],
      ],
    ]);
    expect(resultTables({ ...results, sections: {} })).toEqual([]);
  });

  test.each([
    [0, '0'],
    [0.00456, '0.0046'],
    [0.999, '1'],
    [1.006, '1.01'],
    [99.94, '99.9'],
    [99.96, '100'],
    [1_234_567.8, '1,234,568'],
  ])('%d is written %s', (value, expected) => expect(digits(value)).toBe(expected));

  test('for a terminal, with what is missing', () => {
    expect(textReport(results)).toContain('bare Envoy  1 (9,512/s)  1 (9,512/s)  –');
    expect(textReport(results)).toContain('not measured: RE2: no wheel');
    expect(textReport({ ...results, isQuick: true })).toContain('a quick run');
  });
});

test('the rows of a load hold every round and every failure', () => {
  const loads = loadCases[0];
  const run = (perSecond: number, failed: number): LoadResult => ({
    ...{ count: 10, failed, failures: [], perSecond, p50: 1, p99: 2, first: 1, busy: 0.5 },
  });
  const [door] = targetKinds.filter(({ id }) => id === 'ext-proc-door');
  const rows = rowsOf(
    loads!,
    new Map([
      [BARE, [run(100, 0), run(200, 0)]],
      [door!, [run(50, 1), run(50, 2)]],
    ]),
  );
  expect(rows.map(({ share, requests, failed }) => ({ share, requests, failed }))).toEqual([
    { share: same(1), requests: 20, failed: 0 },
    { share: { median: 0.375, low: 0.25, high: 0.5 }, requests: 20, failed: 3 },
  ]);
});

test.each(loadCases)('a request of $name has its size, and asks for what it says', ({ bodyBytes, streamed }) => {
  const body = chatRequest(bodyBytes, streamed);
  expect(Buffer.byteLength(body)).toBe(bodyBytes);
  expect(JSON.parse(body)).toMatchObject({ model: 'frontier-1', messages: [{ role: 'user' }] });
  expect('stream' in JSON.parse(body)).toBe(streamed);
});

describe('the chart', () => {
  const svg = chart(results);

  test('has a bar for each size of body and each target, as long as its share', () => {
    const widths = [...svg.matchAll(/<rect class="size\d" x="380" y="[\d.]+" width="([\d.]+)" height="14"/g)];
    expect(widths.map((match) => Number(match[1]))).toEqual([14, 460, 460, 378.8, 21]);
  });

  test('escapes names, and has colours for dark pages', () => {
    expect(svg).toContain('a &lt;door&gt;');
    expect(svg).not.toContain('<door>');
    expect(svg).toContain('prefers-color-scheme:dark');
  });
});

describe('the README', () => {
  const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  const readme = readFileSync(file('../../README.md'), 'utf8');

  test('gets its numbers between the markers, and nothing else changes', () => {
    const written = withNumbers(`before\n${BEGIN}\nold\n${END}\nafter`, results);
    expect(written).toMatch(
      /^before\n<!-- numbers[^\n]*-->\n\nMeasured by `npm run bench` at 0123456789ab on 2030-01-02/,
    );
    expect(written).toContain('\n| one decision, in µs (times ours) | allow | deny |\n| --- | ---: | ---: |\n| ours |');
    expect(written).toContain('Not measured: RE2 (no wheel).');
    expect(written).not.toContain('old');
    expect(written.endsWith(`\n\n${END}\nafter`)).toBe(true);
    expect(withNumbers(written, results)).toBe(written);
  });

  test.each(['', BEGIN, `${END}${BEGIN}`, `${BEGIN}${BEGIN}${END}`, `${BEGIN}${END}${END}`])(
    '%j has no place',
    (text) => {
      expect(() => withNumbers(text, results)).toThrow('no place for the numbers');
    },
  );

  test('says what results.json says', () => {
    // The README's place for numbers is there whether they have been measured yet or not.
    expect(() => withNumbers(readme, results)).not.toThrow();
    if (!existsSync(file('results.json'))) return;
    const measured = readResults(readFileSync(file('results.json'), 'utf8'));
    expect(measured.isQuick).toBe(false);
    expect(withNumbers(readme, measured)).toBe(readme);
    expect(chart(measured)).toBe(readFileSync(file('results.svg'), 'utf8'));
  });
});
