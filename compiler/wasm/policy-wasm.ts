/**
 * `policy.wasm`: the plan behind OPA's WASM ABI (filters/kernel/opa.ts), for any OPA SDK. Entrypoint `writ/decision`.
 */
import type { Plan } from '../plan/plan.ts';
import { link } from './link.ts';

/** `kernel` is the built `opa` kernel. Memory is the host's. */
export function policyWasm(kernel: Uint8Array, plan: Plan): Uint8Array {
  return link({ kernel, plan, memory: { kind: 'imported' } });
}
