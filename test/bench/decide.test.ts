// The policies of the peers say what ours says: without it, their times would be those of other questions.
import { beforeAll, expect, test } from 'vitest';
import type { Decider } from './decide/contender.ts';
import { contenders } from './decide/contenders.ts';
import { agreement } from './decide/questions.ts';

const [ours, ...peers] = contenders;
let own: Decider;

beforeAll(async () => void (own = await ours!.load()));

test('the prompts that all must agree on reach every rule', async () => {
  const verdicts = await Promise.all(agreement.map((facts) => own.verdict(facts)));
  expect(new Set(verdicts.flatMap(({ reasons }) => reasons))).toEqual(
    new Set(['no_model', 'no_secrets', 'no_tools_outside', 'one_choice', 'no_injected_system']),
  );
  expect(new Set(verdicts.map(({ model }) => model))).toEqual(new Set(['frontier', 'gemma', null]));
});

// A peer is installed on first use, and OPA is compiled.
test.each(peers)('$name says the same', { timeout: 900_000 }, async ({ load }) => {
  const peer = await load();
  for (const facts of agreement)
    expect({ facts, verdict: await peer.verdict(facts) }).toEqual({ facts, verdict: await own.verdict(facts) });
});
