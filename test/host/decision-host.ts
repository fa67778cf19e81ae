/** Drives the decision's API as a session does, in a kernel that only tests have. */
import { fileURLToPath } from 'node:url';
import type { Decision } from '../../compiler/plan/decision.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import type { Identity } from '../../compiler/tables/catalog.ts';
import { link } from '../../compiler/wasm/link.ts';
import { compileKernel } from '../../filters/kernel/build.ts';

type Exports = { readonly [name: string]: (...args: readonly (number | bigint)[]) => number | bigint } & {
  readonly memory: WebAssembly.Memory;
};

let kernel: Promise<Uint8Array> | undefined;

export interface DecisionHost {
  /** Exports of test/wasm/decision-entry.ts, by name. */
  readonly call: Exports;
  /** Calls an export that takes a text as its last two arguments. */
  withText(name: string, text: string | Uint8Array, ...before: readonly number[]): number | bigint;
  /** Frees all that `begin` and texts took. */
  end(): void;
  /** What `decision`, `reason` or `identity` has written. */
  text(): string;
  /** Reads an input document and decides. */
  decide(input: unknown): Decision;
}

export async function decisionHost(plan: Plan, identities: readonly Identity[] = []): Promise<DecisionHost> {
  kernel ??= compileKernel(fileURLToPath(new URL('../wasm/decision-entry.ts', import.meta.url)));
  const wasm = link({ kernel: await kernel, plan, identities, memory: { kind: 'own', pagesMax: 4_096 } });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm));
  const call = exports as unknown as Exports;
  /** Texts that facts point into, until `end`. */
  const lent: number[] = [];
  const end = () => {
    for (const at of lent.splice(0)) call['free']!(at);
    call['end']!();
  };
  const withText: DecisionHost['withText'] = (name, text, ...before) => {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    const at = Number(call['alloc']!(bytes.length));
    new Uint8Array(call.memory.buffer).set(bytes, at);
    const answer = call[name]!(...before, at, bytes.length);
    if (name === 'load_input' || name === 'set_text') lent.push(at);
    else {
      // What is kept of the text is in the arena: overwriting it shows if not.
      new Uint8Array(call.memory.buffer).fill(0x21, at, at + bytes.length);
      call['free']!(at);
    }
    return answer;
  };
  const text = () =>
    new TextDecoder().decode(
      new Uint8Array(call.memory.buffer, Number(call['out_at']!()), Number(call['out_length']!())),
    );
  return {
    call,
    withText,
    end,
    text,
    decide(input) {
      call['begin']!();
      withText('load_input', JSON.stringify(input));
      call['run']!(call['event']!(), call['store_position']!(), 1);
      call['decision']!();
      const decision = JSON.parse(text()) as Decision;
      end();
      return decision;
    },
  };
}
