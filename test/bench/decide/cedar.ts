// Cedar over policy.cedar, in its wasm for Node: policies parsed before, one question for each model that is tried. Its
// time includes what its binding needs to hand over facts and answer.
import { readFileSync } from 'node:fs';
import { npmPeer } from '../npm-peers.ts';
import { candidates, MODELS, type Contender, type PromptFacts, type Verdict } from './contender.ts';
import { microsecondsPerCall } from '../time-calls.ts';

const POLICY = new URL('policy.cedar', import.meta.url);
const POLICY_SET = 'peer';
/** Rules that deny whatever the model; the others take one model away. */
const DENIES: readonly string[] = ['no_injected_system', 'no_secrets', 'no_tools_outside', 'one_choice'];

/** What of `@cedar-policy/cedar-wasm` is used. */
interface Cedar {
  preparsePolicySet(id: string, policies: { staticPolicies: string }): { readonly type: string };
  statefulIsAuthorized(call: object): CedarAnswer;
}

interface CedarAnswer {
  readonly type: 'success' | 'failure';
  readonly errors?: readonly { readonly message: string }[];
  readonly response?: {
    readonly decision: 'allow' | 'deny';
    readonly diagnostics: { readonly reason: readonly string[]; readonly errors: readonly unknown[] };
  };
}

export const cedar: Contender = {
  id: 'cedar',
  name: 'Cedar’s wasm, allow or deny only',
  isPeer: true,
  load: async () => {
    const engine = (await npmPeer('@cedar-policy/cedar-wasm/nodejs')) as Cedar;
    const parsed = engine.preparsePolicySet(POLICY_SET, { staticPolicies: readFileSync(POLICY, 'utf8') });
    if (parsed.type !== 'success') throw new Error(`policy.cedar cannot be read: ${JSON.stringify(parsed)}`);
    const names = policyNames(readFileSync(POLICY, 'utf8'));
    return {
      verdict: async (facts) => decide(engine, names, callsFor(facts)),
      microseconds: async (facts, seconds) => {
        const calls = callsFor(facts);
        return microsecondsPerCall(() => decide(engine, names, calls), seconds);
      },
    };
  },
};

/** Policies are numbered in their order unless they are named by the caller; reasons come as these numbers. */
function policyNames(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(/@id\("(\w+)"\)/g)].map((match, at) => [`policy${at}`, match[1] ?? '']));
}

function decide(
  engine: Cedar,
  names: ReadonlyMap<string, string>,
  calls: readonly { readonly model: string; readonly call: object }[],
): Verdict {
  const denials = new Set<string>();
  for (const { model, call } of calls) {
    const { response, errors } = engine.statefulIsAuthorized(call);
    if (response === undefined || response.diagnostics.errors.length > 0)
      throw new Error(`cedar does not decide: ${JSON.stringify(errors ?? response?.diagnostics.errors)}`);
    if (response.decision === 'allow') return { outcome: 'allow', model, reasons: [] };
    const fired = response.diagnostics.reason.map((id) => names.get(id) ?? id);
    const always = fired.filter((name) => DENIES.includes(name));
    // What denies whatever the model is not changed by another model.
    if (always.length > 0 && always.length === fired.length)
      return { outcome: 'deny', model: null, reasons: always.sort() };
    for (const name of always) denials.add(name);
  }
  return { outcome: 'deny', model: null, reasons: [...denials, 'no_model'].sort() };
}

function callsFor(facts: PromptFacts): readonly { readonly model: string; readonly call: object }[] {
  const { caller, prompt, text, budget } = facts;
  const principal = { type: 'User', id: 'u1' };
  const entity = (uid: object, attrs: object): object => ({ uid, attrs, parents: [] });
  const entities = [
    entity(principal, { department: caller.department, region: caller.region, groups: caller.groups ?? [] }),
    ...MODELS.map(({ name, wire, ...attributes }) => entity({ type: 'Model', id: name }, attributes)),
  ];
  const context = {
    found: text.found,
    roles: prompt.messages.map(({ role }) => role),
    choices: prompt.choices ?? 1,
    tools: prompt.tools ?? 0,
    input_tokens_bound: prompt.input_tokens_bound,
    tokens_estimate: prompt.tokens_estimate,
    ...(prompt.output_tokens === undefined ? {} : { output_tokens: prompt.output_tokens }),
    marketing_headroom: budget.marketing_month.headroom,
    marketing_spent: budget.marketing_month.spent,
    trial_headroom: budget.trial_day.headroom,
  };
  return candidates(facts).map(({ name }) => ({
    model: name,
    call: {
      principal,
      action: { type: 'Action', id: 'prompt' },
      resource: { type: 'Model', id: name },
      context,
      entities,
      preparsedPolicySetId: POLICY_SET,
    },
  }));
}
