// A soak of seconds through each door, and that a soak sees what is wrong. Memory is judged by the long ones: here the
// warm-up is all there is.
import { expect, test } from 'vitest';
import { DOORS } from '../../proto/door.ts';
import { seedOfRun } from '../differential/random.ts';
import { flatness, LIVE_RISE_MAX, RESIDENT_RISE_MAX } from './memory.ts';
import { expectedCharge, problemsOf, soak, type SoakResult } from './soak.ts';

const SEED = seedOfRun();
const SECONDS = 10;
const FLAT = flatness([1, 1, 1], 0);

test.each(DOORS)(`loses nothing through %s in ${SECONDS} s, seed ${SEED}`, { timeout: 300_000 }, async (door) => {
  const result = await soak({ door, seconds: SECONDS, clients: 8, seed: SEED, report: () => undefined });
  expect(problemsOf({ ...result, memory: { envoy: FLAT, sidecar: FLAT } })).toEqual([]);
  for (const count of Object.values(result.counts)) expect(count).toBeGreaterThan(0);
  expect(result.hung).toBeGreaterThan(0);
  expect(result.setAside).toBeGreaterThan(0);
  expect(result.charged).toBe(expectedCharge(result));
});

const fine: SoakResult = {
  door: 'in_envoy',
  seconds: 1,
  counts: { plain: 1, large: 1, stream: 1, hang: 1, denied: 1 },
  failed: 0,
  failures: [],
  leaks: 0,
  spent: 100,
  setAside: 10,
  hung: 2,
  charged: 120,
  memory: { envoy: FLAT, sidecar: FLAT },
  sidecarResident: { least: 1, most: 1 },
};

test.each<[string, Partial<SoakResult>, string]>([
  ['a failed request', { failed: 1, failures: ['plain: status 500'] }, 'status 500'],
  ['a number that arrived', { leaks: 1 }, 'card numbers'],
  ['a micro-unit too much', { charged: 121 }, '121 micro-units are charged, 120 were spent'],
  ['a micro-unit too little', { charged: 119 }, '119 micro-units are charged, 120 were spent'],
  [
    'memory that grows',
    { memory: { envoy: FLAT, sidecar: flatness([0, 1 << 26, 1 << 27], LIVE_RISE_MAX) } },
    'sidecar grows',
  ],
])('%s is seen', (_, wrong, said) => {
  expect(problemsOf(fine)).toEqual([]);
  expect(problemsOf({ ...fine, ...wrong }).join('\n')).toContain(said);
});

const MEGABYTE = 1 << 20;
const SAMPLES = 90;
const shaped = (bytes: (at: number) => number): number[] => Array.from({ length: SAMPLES }, (_, at) => bytes(at));

test('what breathes is flat, however deep and slow its breath is', () => {
  const breath = (at: number, samples: number): number =>
    150 * MEGABYTE + 45 * MEGABYTE * Math.sin((at * 2 * Math.PI) / samples);
  for (const samples of [3, 7, 20])
    expect(
      flatness(
        shaped((at) => breath(at, samples)),
        RESIDENT_RISE_MAX,
      ).isFlat,
    ).toBe(true);
  // The first third is warm-up, however steep.
  expect(
    flatness(
      shaped((at) => Math.min(at, SAMPLES / 3) * 3 * MEGABYTE),
      RESIDENT_RISE_MAX,
    ).isFlat,
  ).toBe(true);
});

test('a leak of 100 bytes a request is seen within 15 minutes, under a heap that breathes', () => {
  const requestsPerSecond = 300;
  const leak = (at: number): number => 100 * requestsPerSecond * ((at * 15 * 60) / SAMPLES);
  const live = (at: number): number => 20 * MEGABYTE + (at % 7) * MEGABYTE;
  expect(flatness(shaped(live), LIVE_RISE_MAX).isFlat).toBe(true);
  expect(
    flatness(
      shaped((at) => live(at) + leak(at)),
      LIVE_RISE_MAX,
    ).isFlat,
  ).toBe(false);
});

test('a sidecar that keeps what it should not is seen', { timeout: 300_000 }, async () => {
  const planted = { door: 'in_envoy', seconds: 9, clients: 2, seed: SEED, report: () => undefined } as const;
  const result = await soak({ ...planted, keepsPerSecond: 8 * MEGABYTE });
  expect(problemsOf({ ...result, memory: { ...result.memory, envoy: FLAT } })).toEqual([
    expect.stringContaining('sidecar grows'),
  ]);
});
