// Open Policy Agent over policy.rego: its own wasm in its npm host, and its interpreter in Go.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readBundle } from '../../../compiler/bundle/read-bundle.ts';
import { evalRego, run as runOpa } from '../../../examples/parts/opa.ts';
import { policyHost } from '../../host/policy-host.ts';
import { microsecondsPerCall } from '../time-calls.ts';
import type { Contender, PromptFacts, Verdict } from './contender.ts';

const POLICY = fileURLToPath(new URL('policy.rego', import.meta.url));
const ENTRYPOINT = 'peer/decision';
const QUERY = 'data.peer.decision';

/** What policy.rego says. */
interface PeerDecision {
  readonly outcome: 'allow' | 'deny';
  readonly model?: string;
  readonly reasons?: readonly string[];
}

export const opaWasm: Contender = {
  id: 'opa-wasm',
  name: 'OPA’s wasm in npm’s opa-wasm, JSON in and out',
  isPeer: true,
  load: async () => {
    const { policy } = policyHost(await buildPeerWasm());
    const decide = (facts: PromptFacts): unknown => policy.evaluate(facts, ENTRYPOINT)[0]?.result;
    return {
      verdict: async (facts) => verdictOf(decide(facts)),
      microseconds: async (facts, seconds) => microsecondsPerCall(() => decide(facts), seconds),
    };
  },
};

export const opaGo: Contender = {
  id: 'opa-go',
  name: 'OPA in Go (`opa bench`)',
  isPeer: true,
  load: async () => ({
    verdict: async (facts) => verdictOf((await evalRego([POLICY], QUERY, facts)).value),
    microseconds: bench,
  }),
};

/** How long, is Go's to choose: about a second. */
async function bench(facts: PromptFacts): Promise<number> {
  const args = ['bench', '--data', POLICY, '--stdin-input', '--format', 'json', '--metrics=false', QUERY];
  const { code, stdout, stderr } = await runOpa(args, { stdin: JSON.stringify(facts) });
  if (code !== 0) throw new Error(`opa bench ended with ${code}: ${stderr}`);
  const { N: count, T: nanoseconds } = JSON.parse(stdout) as { readonly N: number; readonly T: number };
  return nanoseconds / count / 1000;
}

/** OPA’s own `policy.wasm` of policy.rego. */
export async function buildPeerWasm(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'writ-bench-opa-'));
  try {
    const file = join(folder, 'bundle.tar.gz');
    // By its name alone: a bundle has no paths of this machine.
    writeFileSync(join(folder, 'policy.rego'), readFileSync(POLICY));
    const args = ['build', '--target', 'wasm', '--entrypoint', ENTRYPOINT, '--output', file, 'policy.rego'];
    const { code, stderr } = await runOpa(args, { cwd: folder });
    if (code !== 0) throw new Error(`opa build ended with ${code}: ${stderr}`);
    const wasm = readBundle(readFileSync(file)).get('/policy.wasm');
    if (wasm === undefined) throw new Error('opa build made no policy.wasm');
    return wasm;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function verdictOf(value: unknown): Verdict {
  const { outcome, model, reasons = [] } = value as PeerDecision;
  return { outcome, model: model ?? null, reasons: [...reasons].sort() };
}
