// Child processes that serve: started with a log file, awaited until ready, ended with us.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines } from './command.ts';
import { PartError } from './part-error.ts';

export interface Running {
  readonly pid: number;
  readonly logFile: string;
  /** The exit code once the process has ended; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** SIGTERM, and SIGKILL after `stopMsMax`. Resolves when the process and its folder are gone; may be called again. */
  stop(): Promise<void>;
  /** SIGKILL at once: a crash. Resolves when the process is gone. */
  kill(): Promise<void>;
}

export interface StartOptions {
  readonly part: string;
  readonly command: string;
  readonly args: readonly string[];
  /** A temporary folder of this process alone, removed by `stop`, kept by a crash. The log is in it. */
  readonly folder: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Asked until it says true; an error means "not yet". */
  readonly isReady: () => Promise<boolean>;
  readonly readyMsMax: number;
}

const stopMsMax = 5_000;
const readyPollMs = 50;
/** A server that takes the question and never answers is not ready. */
const readyTryMsMax = 2_000;
const logTailLines = 20;

/**
 * What to end at our own end by `process.exit` or an uncaught error. A signal that ends us reaches no hook: on Linux
 * each part asks the kernel for a SIGTERM when its parent ends.
 */
const children = new Set<ChildProcess>();
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')));

/** Throws a PartError with the end of the log when the process ends early or is not ready in time. */
export async function startRunning(options: StartOptions): Promise<Running> {
  const { part, folder, isReady, readyMsMax } = options;
  const logFile = join(folder, `${part}.log`);
  const { child, exited } = launch(options, logFile);
  const running: Running = {
    pid: child.pid ?? 0,
    logFile,
    exited,
    stop: async () => {
      await end(child, exited, 'SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
    kill: () => end(child, exited, 'SIGKILL'),
  };

  if (child.pid === undefined) await exited;
  const deadline = performance.now() + readyMsMax;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new PartError(
        part,
        'exited_early',
        `ended with ${child.signalCode ?? `code ${child.exitCode}`} before it was ready\n${tail(logFile)}`,
      );
    }
    if (await Promise.race([isReady().catch(() => false), sleep(readyTryMsMax, false, { ref: false })])) return running;
    if (performance.now() > deadline) {
      await running.kill();
      throw new PartError(part, 'not_ready', `was not ready in ${readyMsMax / 1000} s\n${tail(logFile)}`);
    }
    await sleep(readyPollMs);
  }
}

function launch(
  { command, args, env = process.env, folder, part }: StartOptions,
  logFile: string,
): { child: ChildProcess; exited: Promise<number | null> } {
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(command, args, {
    env: { ...env, WRIT_PARENT_PID: String(process.pid) },
    cwd: folder,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  children.add(child);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => {
      children.delete(child);
      reject(new PartError(part, 'exited_early', `\`${command}\` cannot be run`, { cause }));
    });
    child.once('exit', (code) => {
      children.delete(child);
      resolve(code);
    });
  });
  // Whoever does not await it must not be ended by it; the early end is reported by the wait for readiness.
  exited.catch(() => undefined);
  return { child, exited };
}

async function end(child: ChildProcess, exited: Promise<number | null>, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  const killLater = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
  await exited;
  clearTimeout(killLater);
}

function tail(logFile: string): string {
  return lastLines(readFileSync(logFile, 'utf8'), logTailLines);
}
