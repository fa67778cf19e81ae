/** Runs a `policy.wasm` in unmodified npm-opa-wasm. */
import { createRequire } from 'node:module';
import type { Decision } from '../../compiler/plan/decision.ts';

interface LoadedPolicy {
  evaluate(input: unknown, entrypoint?: number | string): readonly { readonly result: Decision }[];
  setData(data: unknown): void;
  readonly entrypoints: { readonly [name: string]: number };
  readonly mem: WebAssembly.Memory;
  readonly wasmInstance: WebAssembly.Instance;
}

const opaWasm = createRequire(import.meta.url)('@open-policy-agent/opa-wasm') as {
  loadPolicySync(wasm: Uint8Array): LoadedPolicy;
};

export interface PolicyHost {
  /** `input` is a document, or the JSON text of one as bytes. */
  decide(input: unknown): Decision;
  readonly policy: LoadedPolicy;
}

export function policyHost(wasm: Uint8Array): PolicyHost {
  const policy = opaWasm.loadPolicySync(wasm);
  return {
    policy,
    decide(input) {
      const bytes = input instanceof Uint8Array ? input.slice().buffer : input;
      const [binding, ...more] = policy.evaluate(bytes, 'writ/decision');
      if (binding === undefined || more.length > 0) throw new Error('policy.wasm does not answer with one binding');
      return binding.result;
    },
  };
}
