/** `writ sidecar`: runs a sidecar in the foreground, with an Envoy if asked to. */
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readDeploymentKey, readTrustedKeys } from '../../control-plane/keys/key-folder.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { startSidecar } from '../../filters/sidecar/start-sidecar.ts';
import { type Command, CommandError, parse } from '../command.ts';
import { controlPlaneAddress, CONTROL_PLANE_ADDRESS, portNumber, roleCredentials } from '../connection.ts';
import { keysFolder, keysOption } from '../keys-option.ts';
import { untilAborted } from '../until-aborted.ts';
import { VERSION } from '../version.ts';

const text = { type: 'string' } as const;
/** A socket's path has at most 107 bytes on Linux, and the longest of ours adds this many to the folder's. */
const SOCKET_NAME_BYTES = 17;
const SOCKET_PATH_BYTES_MAX = 107;

export const sidecar: Command = {
  name: 'sidecar',
  help: `usage: writ sidecar --policy NAME [options]

Runs until Ctrl-C, beside one Envoy: takes releases of the policy from the control plane, verifies them, configures Envoy and decides its exchanges. It starts without the control plane, with the last
release that it enforced; before the first one, everything is denied.

  --policy NAME              the policy to enforce, as its \`policy\` declaration names it
  --name NAME                this sidecar's name, for which it has a certificate (\`writ keys node NAME\`); usual: sidecar
  --control-plane HOST:PORT  usual: the environment variable WRIT_CONTROL_PLANE, else ${CONTROL_PLANE_ADDRESS}
  --keys DIR                 its certificate, the authority's, and the trusted bundle keys; usual: the environment variable WRIT_KEYS
  --policy-key FILE          make pseudonyms of the key in FILE, 64 hex digits, 0600; usual: of the one that the control plane tells
  --state DIR                what it keeps between starts; usual: .writ/NAME
  --admin-port PORT          of /metrics, /healthz and /status on 127.0.0.1; usual: 9902; 0 takes a free one
  --envoy PATH               start this Envoy and keep it running; without it, start one with the bootstrap in DIR/envoy/bootstrap.json
  --concurrency N            worker threads of that Envoy; usual: one a processor

exit codes: 0 stopped by Ctrl-C or SIGTERM, 2 it could not run`,
  async run(args, world) {
    const { values, positionals } = parse(this, args, {
      ...keysOption,
      policy: text,
      name: text,
      'control-plane': text,
      state: text,
      'policy-key': text,
      'admin-port': text,
      envoy: text,
      concurrency: text,
    });
    if (positionals.length > 0)
      throw new CommandError('`writ sidecar` takes no arguments', '`writ sidecar --help` shows how');
    const { policy, name = 'sidecar' } = values;
    if (policy === undefined)
      throw new CommandError('`writ sidecar` needs to know which policy it enforces', 'add `--policy NAME`');
    const keys = keysFolder(values, world);
    const stateFolder = stateFolderAt(resolve(world.cwd, values.state ?? join('.writ', name)));
    const envoy =
      values.envoy === undefined
        ? undefined
        : { binary: executable(resolve(world.cwd, values.envoy)), concurrency: concurrency(values.concurrency) };
    const running = await startSidecar({
      stateFolder,
      node: name,
      policy,
      keys: readTrustedKeys(keys),
      loadFilter,
      controlPlane: {
        address: controlPlaneAddress(values['control-plane'], world),
        ...roleCredentials(keys, { kind: 'node', name }),
      },
      ...(values['policy-key'] === undefined
        ? {}
        : { policyKey: readDeploymentKey(resolve(world.cwd, values['policy-key'])) }),
      adminPort: portNumber(values['admin-port'] ?? '9902', '--admin-port'),
      ...(envoy === undefined ? {} : { envoy }),
      version: VERSION,
      alarm: (message) => world.err(`writ: ${message}\n`),
    });
    try {
      const bootstrap = join(stateFolder, 'envoy', 'bootstrap.json');
      mkdirSync(join(stateFolder, 'envoy'), { recursive: true, mode: 0o700 });
      writeFileSync(bootstrap, `${JSON.stringify(running.bootstrap, null, 2)}\n`, { mode: 0o600 });
      world.out(`sidecar ${name} of ${policy}, status on http://127.0.0.1:${running.adminPort}/status\n`);
      if (envoy === undefined) world.out(`start Envoy with: envoy -c ${bootstrap} --disable-hot-restart\n`);
      await untilAborted(world.signal);
    } finally {
      await running.stop();
    }
    return 0;
  },
};

function stateFolderAt(path: string): string {
  if (Buffer.byteLength(path) + SOCKET_NAME_BYTES + 1 <= SOCKET_PATH_BYTES_MAX) return path;
  throw new CommandError(`the path \`${path}\` is too long for the sockets in it`, 'give a shorter one with `--state`');
}

function executable(path: string): string {
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    throw new CommandError(
      `\`${path}\` is not a program that can be run`,
      '`--envoy` takes the path of an Envoy of version 1.40',
    );
  }
}

function concurrency(given: string | undefined): number {
  const number = Number(given ?? 0);
  if (Number.isInteger(number) && number >= 0 && number <= 1_024) return number;
  throw new CommandError(`\`--concurrency ${given}\` is not a whole number from 0 to 1024`);
}
