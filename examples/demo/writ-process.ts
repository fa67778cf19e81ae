/** Runs `writ` as its users do: as processes of their own, whose output is kept. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../parts/command.ts';
import { type Running, startRunning } from '../parts/running.ts';

const WRIT = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const END_WITH_PARENT = fileURLToPath(new URL('../parts/end_with_parent.py', import.meta.url));

export interface WritOptions {
  /** Of the wrapper that ends the command when the demo ends, however it ends. */
  readonly python: string;
  /** The command. */
  readonly name: string;
  readonly args: readonly string[];
  readonly isReady: () => Promise<boolean>;
  readonly readyMsMax: number;
}

export interface RunningWrit extends Running {
  /** What it has printed so far. */
  log(): string;
}

/** A command that runs until it is stopped. */
export async function startWrit({ python, name, args, isReady, readyMsMax }: WritOptions): Promise<RunningWrit> {
  const running = await startRunning({
    part: name,
    command: python,
    args: ['-B', END_WITH_PARENT, process.execPath, WRIT, name, ...args],
    folder: mkdtempSync(join(tmpdir(), 'writ-process-')),
    isReady,
    readyMsMax,
  });
  return { ...running, log: () => readFileSync(running.logFile, 'utf8') };
}

/** A command that ends; throws with what it said where it does not end well. */
export async function runWrit(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand('writ', process.execPath, [WRIT, ...args]);
  if (code !== 0) throw new Error(`\`writ ${args[0]}\` ended with code ${code}\n${stderr}`);
  return stdout;
}
