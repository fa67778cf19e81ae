// The real OPA with WebAssembly, compiled from the Go module proxy. It is a command here, never a server.
import { join } from 'node:path';
import { cached } from './cache.ts';
import { runCommand, runInstallCommand, type CommandOptions, type CommandResult } from './command.ts';
import { findGo, goSettings } from './go.ts';
import { PartError } from './part-error.ts';

const part = 'opa';
const version = '1.22.2';

export interface InstalledOpa {
  readonly binary: string;
}

/** Compiling takes about two minutes, once per machine. */
export async function install(): Promise<InstalledOpa> {
  const folder = await cached({
    key: `${part}-${version}-wasm-${process.platform}-${process.arch}`,
    label: `OPA ${version} with WebAssembly`,
    hint: 'compiled from source, about two minutes',
    make: async (draft) => {
      const go = await findGo();
      await runInstallCommand(
        part,
        go,
        ['install', '-trimpath', '-tags', 'opa_wasm', `github.com/open-policy-agent/opa@v${version}`],
        {
          env: { ...goSettings, GOBIN: draft, GOFLAGS: '-mod=mod' },
          cwd: draft,
        },
      );
    },
  });
  return { binary: join(folder, 'opa') };
}

/** Runs `opa` with these arguments. */
export async function run(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { binary } = await install();
  return runCommand(part, binary, args, options);
}

export interface Evaluation {
  /** Undefined when the query is undefined. */
  readonly value: unknown;
  /** Whether a policy.wasm answered, and not OPA's own interpreter. */
  readonly byWasm: boolean;
}

/**
 * Evaluates `query` (for instance `data.writ.decision`) under a bundle and an input. OPA lets the bundle's policy.wasm
 * answer for the entrypoints that its manifest names, and its own interpreter for everything else.
 */
export function evalBundle(bundleFile: string, query: string, input: unknown): Promise<Evaluation> {
  return evaluate(['--bundle', bundleFile], query, input);
}

/** Evaluates `query` under Rego and data files, or folders of them, with OPA's own interpreter. */
export function evalRego(paths: readonly string[], query: string, input: unknown): Promise<Evaluation> {
  return evaluate(
    paths.flatMap((path) => ['--data', path]),
    query,
    input,
  );
}

async function evaluate(sources: readonly string[], query: string, input: unknown): Promise<Evaluation> {
  const args = ['eval', '--format', 'json', '--metrics', ...sources, '--stdin-input', query];
  const { code, stdout, stderr } = await run(args, { stdin: JSON.stringify(input) });
  if (code !== 0) throw new PartError(part, 'command_failed', `eval ended with code ${code}\n${stdout}${stderr}`);
  const { result, metrics } = JSON.parse(stdout) as {
    readonly result?: readonly { readonly expressions: readonly { readonly value: unknown }[] }[];
    readonly metrics: Readonly<Record<string, number>>;
  };
  return { value: result?.[0]?.expressions[0]?.value, byWasm: 'timer_wasm_vm_eval_ns' in metrics };
}
