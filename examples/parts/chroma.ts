// The real Chroma, from PyPI: its own server, with its HTTP API v2.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { pythonEnvironment } from './python-environment.ts';
import { startRunning, type Running } from './running.ts';

const part = 'chroma';
const readyMsMax = 60_000;

export interface InstalledChroma {
  readonly python: string;
}

export interface ChromaOptions {
  /** The folder of its data; a new temporary one when not given. */
  readonly path?: string;
}

export interface RunningChroma extends Running {
  /** `http://127.0.0.1:PORT`; the API is under `/api/v2/`. */
  readonly url: string;
  readonly port: number;
  readonly path: string;
}

export async function install(): Promise<InstalledChroma> {
  const { python } = await pythonEnvironment({ part, label: 'Chroma 1.5.9' });
  return { python };
}

export async function start(options: ChromaOptions = {}): Promise<RunningChroma> {
  const { python } = await install();
  const folder = mkdtempSync(join(tmpdir(), 'writ-chroma-'));
  // Its working folder is not ours.
  const path = options.path === undefined ? join(folder, 'data') : resolve(options.path);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const script = fileURLToPath(new URL('chroma-server.py', import.meta.url));
  const running = await startRunning({
    part,
    command: python,
    args: ['-B', script, 'run', '--path', path, '--host', '127.0.0.1', '--port', String(port)],
    env: { ...process.env, ANONYMIZED_TELEMETRY: 'False' },
    folder,
    isReady: async () => (await fetch(`${url}/api/v2/heartbeat`)).status === 200,
    readyMsMax,
  });
  return { ...running, url, port, path };
}
