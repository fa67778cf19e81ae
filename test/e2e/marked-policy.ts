// Policies that tell themselves apart, through whichever door: each denies the same question, by its own number.
import { createHash, randomBytes } from 'node:crypto';
import { OPEN_POLICY } from './open-policy.ts';
import type { PolicyWasm } from './policy-wasm.ts';
import { policyWasm } from './policy-wasm.ts';

const KEY = `sk-${randomBytes(16).toString('hex')}`;
/** Nobody is ever sent anything: the question is denied. */
export const MARKED_DEPLOYMENT = {
  models: { small: { url: 'http://127.0.0.1:9' } },
  identity: { apiKeys: [{ sha256: createHash('sha256').update(KEY).digest('hex'), claims: { sub: 'u1' } }] },
};

const source = (mark: number): string => `${OPEN_POLICY}caller { id : text from claim "sub" }
model small "small" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 4_000 tokens max_output: 256 tokens }
rule mark on prompt where text contains any of (email) deny "policy ${mark}"
`;

/** By mark, for `MARKED_DEPLOYMENT`. */
export async function markedPolicies(marks: readonly number[]): Promise<(mark: number) => PolicyWasm> {
  const policies = new Map<number, PolicyWasm>();
  for (const mark of marks) policies.set(mark, await policyWasm(source(mark), MARKED_DEPLOYMENT));
  return (mark) => {
    const policy = policies.get(mark);
    if (policy === undefined) throw new Error(`no policy ${mark} was made`);
    return policy;
  };
}

/** The number of the policy that decides; -1 where none has: nobody listens, or something else answers. */
export async function decidingPolicy(url: string): Promise<number> {
  const body = JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'jane@acme.example' }] });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` };
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body, headers }).catch(() => undefined);
  const text = (await response?.text()) ?? '';
  return response?.status === 403 ? Number(/policy (\d+)/.exec(text)?.[1] ?? -1) : -1;
}
