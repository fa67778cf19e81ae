// A child process that prints one line when it is ready.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Child {
  readonly line: string;
  readonly pid: number;
  /** Writes a line, and gives the next one that the child prints. One question at a time. */
  ask(question: string): Promise<string>;
  stop(): Promise<void>;
}

const READY_MS_MAX = 30_000;
/** A sidecar waits for its Envoy's last word, and for the control plane's. */
const STOPPED_MS_MAX = 10_000;

/** One of our own scripts, under this Node. */
export function startChild(script: string, args: readonly string[]): Promise<Child> {
  return startProgram(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), ...args]);
}

/** Its standard input stays open as long as we live: a program that reads it to its end does not outlive us. */
export function startProgram(
  command: string,
  args: readonly string[],
  env: { readonly [name: string]: string } = {},
): Promise<Child> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  const name = [command, ...args].slice(0, 2).join(' ');
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${name} was not ready in time`));
    }, READY_MS_MAX);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
    const lines = createInterface({ input: child.stdout });
    const ask = (question: string): Promise<string> =>
      new Promise((answered, failed) => {
        const ended = (): void => failed(new Error(`${name} has ended`));
        lines.once('close', ended);
        lines.once('line', (line) => {
          lines.off('close', ended);
          answered(line);
        });
        child.stdin.write(`${question}\n`);
      });
    lines.once('line', (line) => {
      clearTimeout(timer);
      resolve({ line, pid: child.pid ?? 0, ask, stop: () => stop(child) });
    });
  });
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), STOPPED_MS_MAX).unref();
  });
}
