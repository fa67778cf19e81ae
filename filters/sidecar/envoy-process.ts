/**
 * Runs Envoy beside the sidecar when it is asked to: starts it, starts it again when it ends, with growing pauses, and
 * stops it. A boundary file: it spawns a process, writes its bootstrap and speaks to its admin socket.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

export interface EnvoyProcessOptions {
  readonly binary: string;
  readonly bootstrap: object;
  /** Envoy's own admin server, as the bootstrap names it. */
  readonly adminSocket: string;
  /** Where bootstrap and log go. */
  readonly folder: string;
  /** Worker threads; 0 for one a processor. */
  readonly concurrency: number;
  readonly onExit: (code: number | null) => void;
}

export interface EnvoyProcess {
  readonly pid: () => number | undefined;
  readonly restarts: () => number;
  /** Every reply from now on asks its client to leave, and no new process is started; exchanges in flight go on. */
  drain(): Promise<void>;
  /** Ends the process, by force after so many milliseconds. */
  stop(waitMs: number): Promise<void>;
}

const RESTART_MS_FIRST = 200;
const RESTART_MS_MAX = 10_000;
/** Having run for so long, an Envoy that ends is started again without a longer pause. */
const HEALTHY_MS = 60_000;
const ADMIN_MS_MAX = 1_000;
/** How long Envoy lets connections drain when listeners change. */
const DRAIN_SECONDS = 30;

export function startEnvoyProcess(options: EnvoyProcessOptions): EnvoyProcess {
  const { binary, bootstrap, adminSocket, folder, concurrency, onExit } = options;
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
    const args = [
      '-c',
      config,
      '--disable-hot-restart',
      '--drain-time-s',
      String(DRAIN_SECONDS),
      '--drain-strategy',
      'immediate',
      '--log-level',
      'warning',
      ...(concurrency > 0 ? ['--concurrency', String(concurrency)] : []),
    ];
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
    drain: () => {
      isStopped = true;
      clearTimeout(timer);
      return post(adminSocket, '/drain_listeners?graceful&skip_exit');
    },
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

/** Best effort: an Envoy that does not answer is ended all the same. */
function post(socketPath: string, path: string): Promise<void> {
  return new Promise((resolve) => {
    const sent = request({ socketPath, path, method: 'POST', timeout: ADMIN_MS_MAX }, (response) => {
      response.resume();
      response.on('close', resolve);
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve());
    sent.end();
  });
}
