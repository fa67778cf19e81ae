// Runs a finite command of a part and keeps what it printed.
import { spawn } from 'node:child_process';
import { PartError } from './part-error.ts';

export interface CommandResult {
  /** -1 when a signal ended the command, as at its time limit. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
}

/** Never rejects for an exit code; throws a PartError when the command cannot be started at all. */
export function runCommand(
  part: string,
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { stdin, cwd, env = process.env, timeoutMs = 120_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...(cwd === undefined ? {} : { cwd }), env, stdio: 'pipe' });
    // Not spawn's own time limit: its timer outlives a command that could not be started.
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(new PartError(part, 'command_failed', `\`${command}\` cannot be run`, { cause }));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
    // A command that ends without reading its input is not an error of ours.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
  });
}

/** Like runCommand, and an exit code other than 0 is an `install_failed` with the end of what was printed. */
export async function runInstallCommand(
  part: string,
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const result = await runCommand(part, command, args, { timeoutMs: 20 * 60_000, ...options });
  if (result.code === 0) return result;
  const printed = lastLines(`${result.stdout}${result.stderr}`, 20);
  throw new PartError(
    part,
    'install_failed',
    `\`${command} ${args.slice(0, 3).join(' ')}\` ended with code ${result.code}\n${printed}`,
  );
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
