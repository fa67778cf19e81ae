/** A seeded source of choices (mulberry32): the same seed makes the same plans and inputs on every machine. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';

export interface Random {
  /** An integer from `least` to `most`, both included. */
  int(least: number, most: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** Some of the items, in their order. */
  some<T>(items: readonly T[], probability: number): readonly T[];
  /** One key by its weight. */
  weighted<K extends string>(weights: { readonly [key in K]: number }): K;
  /** A source that goes on independently of this one. */
  fork(): Random;
}

const SEEDS = 1_000_000_007;

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const random: Random = {
    int: (least, most) => least + Math.floor(next() * (most - least + 1)),
    chance: (probability) => next() < probability,
    pick: (items) => items[Math.floor(next() * items.length)]!,
    some: (items, probability) => items.filter(() => next() < probability),
    weighted(weights) {
      const keys = Object.keys(weights) as (keyof typeof weights)[];
      let left = next() * keys.reduce((sum, key) => sum + weights[key], 0);
      for (const key of keys) {
        left -= weights[key];
        if (left < 0) return key;
      }
      return keys[keys.length - 1]!;
    },
    fork: () => randomFrom(Math.floor(next() * 4_294_967_296)),
  };
  return random;
}

/** What is tested: a commit that changes none of it is tested as the one before. */
const TESTED = ['dsl', 'compiler', 'filters', 'control-plane', 'proto'];

/**
 * The seed of a run: `WRIT_SEED`, else one made of the sources in the last commit, so that each change is tested with
 * choices of its own and its run can be repeated anywhere; outside a clone the clock's.
 */
export function seedOfRun(): number {
  const given = process.env['WRIT_SEED'];
  if (given !== undefined) return Number(given);
  try {
    const trees = execFileSync('git', ['rev-parse', ...TESTED.map((folder) => `HEAD:${folder}`)], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number.parseInt(createHash('sha256').update(trees).digest('hex').slice(0, 12), 16) % SEEDS;
  } catch {
    return Date.now() % SEEDS;
  }
}
