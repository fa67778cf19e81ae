/**
 * Runs Envoy beside the sidecar when it is asked to: starts it, starts it again when it ends, with growing pauses, and stops it. It asks nothing of Envoy but its exit. A boundary file: it spawns a
 * process and writes its bootstrap.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface EnvoyProcessOptions {
  readonly binary: string;
  readonly bootstrap: object;
  /** Where bootstrap and log go. */
  readonly folder: string;
  /** Worker threads; 0 for one a processor. */
  readonly concurrency: number;
  readonly onExit: (code: number | null) => void;
}

export interface EnvoyProcess {
  readonly pid: () => number | undefined;
  readonly restarts: () => number;
  /** Lets exchanges in flight end for at most so many milliseconds, then ends the process. */
  stop(waitMs: number): Promise<void>;
}

const RESTART_MS_FIRST = 200;
const RESTART_MS_MAX = 10_000;
/** Having run for so long, an Envoy that ends is started again without a longer pause. */
const HEALTHY_MS = 60_000;
/** How long Envoy lets connections drain when listeners change. */
const DRAIN_SECONDS = 30;

export function startEnvoyProcess(options: EnvoyProcessOptions): EnvoyProcess {
  const { binary, bootstrap, folder, concurrency, onExit } = options;
  const config = join(folder, 'envoy.json');
  writeFileSync(config, JSON.stringify(bootstrap), { mode: 0o600 });
  let child: ChildProcess | undefined;
  let restarts = 0;
  let pauseMs = RESTART_MS_FIRST;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let exited: Promise<void> = Promise.resolve();

  const start = (): void => {
    const log = openSync(join(folder, 'envoy.log'), 'a', 0o600);
    const began = performance.now();
    const args = ['-c', config, '--disable-hot-restart', '--drain-time-s', String(DRAIN_SECONDS), '--log-level', 'warning', ...(concurrency > 0 ? ['--concurrency', String(concurrency)] : [])];
    const started = spawn(binary, args, { stdio: ['ignore', log, log] });
    child = started;
    closeSync(log);
    exited = new Promise((resolve) => {
      let isOver = false;
      const over = (code: number | null): void => {
        if (isOver) return;
        isOver = true;
        child = undefined;
        resolve();
        if (isStopped) return;
        onExit(code);
        restarts++;
        pauseMs = performance.now() - began > HEALTHY_MS ? RESTART_MS_FIRST : Math.min(pauseMs * 2, RESTART_MS_MAX);
        timer = setTimeout(start, pauseMs);
      };
      started.once('error', () => over(null));
      started.once('exit', over);
    });
  };
  const killNow = (): void => void child?.kill('SIGKILL');
  process.once('exit', killNow);
  start();
  return {
    pid: () => child?.pid,
    restarts: () => restarts,
    stop: async (waitMs) => {
      isStopped = true;
      clearTimeout(timer);
      process.off('exit', killNow);
      child?.kill('SIGTERM');
      const kill = setTimeout(() => child?.kill('SIGKILL'), waitMs);
      await exited;
      clearTimeout(kill);
    },
  };
}
