/** A filter whose memory runs out refuses what it cannot hold, and goes on with the rest. */
import { beforeAll, expect, test } from 'vitest';
import { FilterError } from '../../filters/host/filter-error.ts';
import type { Filter } from '../../filters/host/load-filter.ts';
import { random } from '../protocols/chunking.ts';
import { POLICY } from '../protocols/policy.ts';
import { filterOf, KEYS, run } from './test-filter.ts';

/** 2 MiB in all. */
const PAGES_MAX = 32;

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY, KEYS, PAGES_MAX);
});

test('sizes around what fits never trap, and small requests always pass', { timeout: 120_000 }, () => {
  const small = '{"model":"gpt-4o","max_tokens":5,"messages":[{"role":"user","content":"EMP-123456"}]}';
  const seen = new Map<number, number>();
  for (let seed = 1; seed <= 400; seed += 1) {
    const next = random(seed);
    const unit = ['a ', 'a@b.example ', `u${seed}@b.example `, '\\\\u00e9', '{'][Math.floor(next() * 5)] ?? 'a';
    const content = unit.repeat(Math.floor((next() * 700_000) / unit.length));
    const body = `{"model":"gpt-4o","max_tokens":5,"stream":true,"messages":[{"role":"user","content":"${content}"}]}`;
    const upstream = {
      type: 'text/event-stream',
      body: `data: {"choices":[{"index":0,"delta":{"content":"${content.slice(0, 400_000).replaceAll('\\\\', '')}"}}]}\n\ndata: [DONE]\n\n`,
    };
    const chunk = 1 + Math.floor(next() * 60_000);
    const cut = (bytes: Uint8Array): readonly Uint8Array[] =>
      Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, i) => bytes.subarray(i * chunk, (i + 1) * chunk));
    try {
      const { status } = run(filter, { body: seed % 2 === 0 ? body : small, upstream, cut });
      seen.set(status, (seen.get(status) ?? 0) + 1);
    } catch (error) {
      // The host has nowhere to put the bytes: the door answers 503.
      if (!(error instanceof FilterError)) throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
      seen.set(-1, (seen.get(-1) ?? 0) + 1);
    }
    expect([seed, run(filter, { body: small }).sent?.includes('EMPLOYEE_ID_1')]).toEqual([seed, true]);
  }
  expect(filter.memoryBytes()).toBeLessThanOrEqual(PAGES_MAX * 65_536);
  expect([...seen.keys()].some((status) => status === 413 || status === 503 || status === -1)).toBe(true);
  expect(seen.get(200) ?? 0).toBeGreaterThan(20);
});
