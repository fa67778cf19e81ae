// How often rules fire, from the sidecar's end: only those that tell somebody, as totals that a lost call does not lose
// and a repeated one does not double.
import { describe, expect, test } from 'vitest';
import { Firings, FIRINGS_MS } from '../../filters/sidecar/firings.ts';

function bench() {
  let next: { readonly action: () => void; readonly ms: number } | undefined;
  const calls: Readonly<Record<string, number>>[] = [];
  const incarnations = new Set<string>();
  const state = { isAway: false, pending: [] as (() => void)[] };
  const firings = new Firings({
    collect: () => state.pending.splice(0).forEach((tell) => tell()),
    tell: async ({ incarnation, firings: told }) => {
      incarnations.add(incarnation);
      calls.push(Object.fromEntries(told.map(({ rule, total }) => [rule, Number(total)])));
      if (state.isAway) throw new Error('away');
    },
    later: (action, ms) => {
      next = { action, ms };
      return () => (next = undefined);
    },
  });
  return {
    firings,
    calls,
    incarnations,
    state,
    due: () => next?.ms,
    tick: async () => {
      next?.action();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('firings', () => {
  test('of a policy that tells nobody cost nothing', () => {
    const { firings, due } = bench();
    firings.watch([]);
    firings.add({ event: 'prompt', rules: ['a'] }, 1);
    expect(due()).toBeUndefined();
  });

  test('are told a second later, as totals, and only what is new', async () => {
    const { firings, calls, incarnations, state, due, tick } = bench();
    firings.watch(['a', 'waiver w']);
    expect(due()).toBe(FIRINGS_MS);
    // What is counted is told when it is asked for.
    state.pending.push(() => firings.add({ event: 'prompt', rules: ['a', 'b'] }, 3));
    await tick();
    await tick();
    firings.add({ event: 'completion', rules: ['a'] }, 1);
    firings.add({ event: 'chunk', rules: ['waiver w'] }, 2);
    // The request to a store lists waivers that have lifted nothing yet.
    firings.add({ event: 'retrieval', rules: ['waiver w'] }, 1);
    await tick();
    expect(calls).toEqual([{ a: 3 }, { a: 4, 'waiver w': 2 }]);
    expect(incarnations.size).toBe(1);
    expect([...incarnations][0]).toMatch(/^[0-9a-f]{32}$/);
  });

  test('that could not be told are told again, later each time', async () => {
    const { firings, calls, state, due, tick } = bench();
    firings.watch(['a']);
    firings.add({ event: 'prompt', rules: ['a'] }, 1);
    state.isAway = true;
    const waits = [];
    for (let turn = 0; turn < 4; turn++) {
      await tick();
      waits.push(due());
    }
    expect(waits).toEqual([1_000, 5_000, 15_000, 15_000]);
    state.isAway = false;
    firings.add({ event: 'prompt', rules: ['a'] }, 1);
    await tick();
    expect(calls.at(-1)).toEqual({ a: 2 });
    expect(due()).toBe(FIRINGS_MS);
  });

  test('are told at the end, and so are those of a policy that is no longer in force', async () => {
    const { firings, calls, state } = bench();
    firings.watch(['a']);
    firings.add({ event: 'prompt', rules: ['a'] }, 2);
    firings.watch(['c']);
    state.pending.push(() => firings.add({ event: 'prompt', rules: ['c'] }, 1));
    await firings.stop();
    expect(calls).toEqual([{ a: 2, c: 1 }]);
  });

  test('of more rules than one call names are told in several', async () => {
    const { firings, calls, tick } = bench();
    const rules = Array.from({ length: 257 }, (_, at) => `rule-${at}`);
    firings.watch(rules);
    firings.add({ event: 'prompt', rules }, 1);
    await tick();
    await tick();
    expect(calls.map((call) => Object.keys(call).length)).toEqual([256, 1]);
  });
});
