/**
 * What really runs: `policy.wasm` in unmodified npm-opa-wasm, and `writ_decide` of `filter.wasm` in its host. Each
 * policy is linked anew; the kernels are compiled once a run.
 */
import { policyWasm } from '../../compiler/wasm/policy-wasm.ts';
import { link } from '../../compiler/wasm/link.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { compileKernel, kernelEntry, kernelFlags, type KernelName } from '../../filters/kernel/build.ts';
import { policyHost } from '../host/policy-host.ts';
import type { Backend } from './backend.ts';

/** What the linked module of a plan says to an input. Errors of a host are answers that no interpreter gives. */
type Decider = (input: unknown) => unknown;

/**
 * Optimising a module takes ten times as long as linking it: one in so many is linked exactly as `writ build` links it,
 * the rest without binaryen's optimiser.
 */
const OPTIMIZED_EVERY = 50;

export function policyWasmBackend(policies: number): Backend {
  return wasmBackend('policy.wasm in npm-opa-wasm', policies, 'opa', (kernel, plan, optimized) => {
    const host = policyHost(
      optimized ? policyWasm(kernel, plan) : link({ kernel, plan, memory: { kind: 'imported' }, unoptimized: true }),
    );
    return (input) => host.decide(input);
  });
}

export function filterWasmBackend(policies: number): Backend {
  return wasmBackend('decide in filter.wasm', policies, 'session', (kernel, plan, optimized) => {
    const memory = { kind: 'own', pagesMax: 1_024 } as const;
    const filter = loadFilter(link(optimized ? { kernel, plan, memory } : { kernel, plan, memory, unoptimized: true }));
    return (input) => JSON.parse(filter.decide(JSON.stringify(input))) as unknown;
  });
}

function wasmBackend(
  name: string,
  policies: number,
  kernelName: KernelName,
  load: (kernel: Uint8Array, plan: Plan, optimized: boolean) => Decider,
): Backend {
  return {
    name,
    policies,
    async decideAll(cases) {
      const kernel = await kernelOf(kernelName);
      return cases.map(({ plan, inputs }, at) => {
        const decide = load(kernel, plan, at % OPTIMIZED_EVERY === 0);
        return inputs.map((input) => answer(decide, input));
      });
    },
  };
}

function answer(decide: Decider, input: unknown): unknown {
  try {
    return decide(input);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

const kernels = new Map<KernelName, Promise<Uint8Array>>();

function kernelOf(name: KernelName): Promise<Uint8Array> {
  const known = kernels.get(name) ?? compileKernel(kernelEntry(name), kernelFlags(name));
  kernels.set(name, known);
  return known;
}
