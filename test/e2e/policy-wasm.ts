// The filter of a policy that a test writes, from source text to wasm, with the kernel that the build step made.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { identitiesOf } from '../../compiler/artefacts.ts';
import { parseDeployment } from '../../compiler/deployment/parse-deployment.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { protocolTable } from '../../compiler/tables/protocols.ts';
import { compileDetectors } from '../../compiler/text/compile-detectors.ts';
import { filterWasm } from '../../compiler/wasm/filter-wasm.ts';
import { detectors } from '../../filters/detectors/detectors.ts';
import { protocols } from '../../filters/protocols/protocols.ts';
import { planOf } from '../kernel/test-filter.ts';

const KERNEL = fileURLToPath(new URL('../../build/kernel/session.wasm', import.meta.url));

export interface PolicyWasm {
  readonly plan: Plan;
  readonly wasm: Uint8Array;
}

/**
 * `deployment` as a user writes it, without a listener: what it says of API keys and certificates goes into the filter.
 */
export async function policyWasm(source: string, deployment: object): Promise<PolicyWasm> {
  const plan = { ...planOf(source), sourceHash: createHash('sha256').update(source).digest('hex') };
  const parsed = parseDeployment(JSON.stringify({ listener: { port: 1 }, ...deployment }), plan);
  if (parsed.kind === 'problems') throw new Error(JSON.stringify(parsed.problems));
  const compiled = compileDetectors(plan.detectors, detectors);
  if (compiled.problems.length > 0) throw new Error(JSON.stringify(compiled.problems));
  const wasm = filterWasm({
    kernel: await readFile(KERNEL),
    plan,
    detectors: compiled.bytes,
    protocols: protocolTable(protocols),
    identities: identitiesOf(parsed.deployment),
  });
  return { plan, wasm };
}
