// Our own ways to a decision: with the facts in memory, as sessions of filter.wasm decide, and as `policy.wasm` in the
// npm host of OPA, with the same JSON as OPA's.
import { BUNDLE_PATHS } from '../../../compiler/bundle/bundle-paths.ts';
import type { Decision } from '../../../compiler/plan/decision.ts';
import { EVENT_PROMPT } from '../../../filters/kernel/abi.ts';
import { decisionHost } from '../../host/decision-host.ts';
import { policyHost } from '../../host/policy-host.ts';
import { examplePolicy } from '../example-policy.ts';
import type { Contender, Verdict } from './contender.ts';
import { microsecondsPerCall } from '../time-calls.ts';

/** A call from JavaScript is no part of what a session does: so many decisions share one. */
const DECISIONS_A_CALL = 100;

export const writInMemory: Contender = {
  id: 'writ',
  name: 'ours, facts in memory',
  isPeer: false,
  load: async () => {
    const host = await decisionHost((await examplePolicy()).plan);
    const run = host.call['run'];
    if (run === undefined) throw new Error('the kernel of the tests has no `run`');
    return {
      verdict: async (facts) => verdictOf(host.decide(facts)),
      microseconds: async (facts, seconds) => {
        host.call['begin']?.();
        if (Number(host.withText('load_input', JSON.stringify(facts))) !== 1) throw new Error('the facts are not read');
        const time = microsecondsPerCall(() => run(EVENT_PROMPT, 0, DECISIONS_A_CALL), seconds) / DECISIONS_A_CALL;
        host.end();
        return time;
      },
    };
  },
};

export const writInOpaHost: Contender = {
  id: 'writ-opa-host',
  name: 'ours, policy.wasm in npm’s opa-wasm, JSON in and out',
  isPeer: false,
  load: async () => {
    const wasm = (await examplePolicy()).files.get(BUNDLE_PATHS.policyWasm);
    if (wasm === undefined) throw new Error('the bundle has no policy.wasm');
    const { decide } = policyHost(wasm);
    return {
      verdict: async (facts) => verdictOf(decide(facts)),
      microseconds: async (facts, seconds) => microsecondsPerCall(() => decide(facts), seconds),
    };
  },
};

export function verdictOf({ outcome, model, reasons }: Decision): Verdict {
  const names = reasons.flatMap((reason) =>
    reason.kind === 'rule' ? [reason.rule] : reason.kind === 'removed' ? ['no_model'] : [`unexpected: ${reason.kind}`],
  );
  // The example policy holds nothing.
  return {
    outcome: outcome === 'allow' ? 'allow' : 'deny',
    model: outcome === 'allow' ? model : null,
    reasons: [...new Set(names)].sort(),
  };
}
