// A soak of seconds through each door, and that a soak sees what is wrong. Memory is judged by the long ones: here the
// warm-up is all there is.
import { expect, test } from 'vitest';
import { DOORS } from '../../proto/door.ts';
import { seedOfRun } from '../differential/random.ts';
import { flatness } from './memory.ts';
import { expectedCharge, problemsOf, soak, type SoakResult } from './soak.ts';

const SEED = seedOfRun();
const SECONDS = 10;
const FLAT = flatness([1, 1, 1]);

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
};

test.each<[string, Partial<SoakResult>, string]>([
  ['a failed request', { failed: 1, failures: ['plain: status 500'] }, 'status 500'],
  ['a number that arrived', { leaks: 1 }, 'card numbers'],
  ['a micro-unit too much', { charged: 121 }, '121 micro-units are charged, 120 were spent'],
  ['a micro-unit too little', { charged: 119 }, '119 micro-units are charged, 120 were spent'],
  ['memory that grows', { memory: { envoy: FLAT, sidecar: flatness([0, 1 << 26, 1 << 27]) } }, 'sidecar grows'],
])('%s is seen', (_, wrong, said) => {
  expect(problemsOf(fine)).toEqual([]);
  expect(problemsOf({ ...fine, ...wrong }).join('\n')).toContain(said);
});

test('what is flat breathes, and does not climb', () => {
  const megabyte = 1 << 20;
  const around = (from: number, step: number): number[] =>
    Array.from({ length: 90 }, (_, i) => (from + step * i + (i % 7)) * megabyte);
  // The first third is warm-up, however steep.
  expect(flatness([...around(10, 3).slice(0, 30), ...around(100, 0).slice(30)]).isFlat).toBe(true);
  expect(flatness(around(100, 0.05)).isFlat).toBe(true);
  expect(flatness(around(100, 1)).isFlat).toBe(false);
});
