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

type Link = typeof link;

export function policyWasmBackend(policies: number): Backend {
  return wasmBackend('policy.wasm in npm-opa-wasm', policies, 'opa', (kernel, plan) =>
    policyDecider(policyWasm(kernel, plan)),
  );
}

export function filterWasmBackend(policies: number): Backend {
  return wasmBackend('decide in filter.wasm', policies, 'session', (kernel, plan) =>
    filterDecider(linkedFilter(kernel, plan, link)),
  );
}

/** Both, as another linker makes them: one with a fault in it. */
export function wasmBackendsLinkedBy(wrong: Link): readonly Backend[] {
  return [
    wasmBackend('policy.wasm', 0, 'opa', (kernel, plan) => policyDecider(linkedPolicy(kernel, plan, wrong))),
    wasmBackend('filter.wasm', 0, 'session', (kernel, plan) => filterDecider(linkedFilter(kernel, plan, wrong))),
  ];
}

const OWN_MEMORY = { kind: 'own', pagesMax: 1_024 } as const;

function linkedPolicy(kernel: Uint8Array, plan: Plan, by: Link): Uint8Array {
  return by({ kernel, plan, memory: { kind: 'imported' } });
}

function linkedFilter(kernel: Uint8Array, plan: Plan, by: Link): Uint8Array {
  return by({ kernel, plan, memory: OWN_MEMORY });
}

function policyDecider(wasm: Uint8Array): Decider {
  const host = policyHost(wasm);
  return (input) => host.decide(input);
}

function filterDecider(wasm: Uint8Array): Decider {
  const filter = loadFilter(wasm);
  return (input) => JSON.parse(filter.decide(JSON.stringify(input))) as unknown;
}

function wasmBackend(
  name: string,
  policies: number,
  kernelName: KernelName,
  load: (kernel: Uint8Array, plan: Plan) => Decider,
): Backend {
  return {
    name,
    policies,
    async decideAll(cases) {
      const kernel = await kernelOf(kernelName);
      return cases.map(({ plan, inputs }) => {
        const decide = load(kernel, plan);
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
