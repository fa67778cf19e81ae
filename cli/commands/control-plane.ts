/** `writ control-plane`: runs the control plane in the foreground. */
import { isIPv6 } from 'node:net';
import { join, resolve } from 'node:path';
import type { Door } from '../../proto/door.ts';
import {
  deploymentKeyIn,
  KeyFileError,
  readPrivate,
  readRole,
  readSigningKey,
  readTrustedKeys,
} from '../../control-plane/keys/key-folder.ts';
import { readWebhooks, type Webhooks, WebhooksError } from '../../control-plane/notices/webhook.ts';
import { startControlPlane } from '../../control-plane/main.ts';
import { type Command, CommandError, parse, type World } from '../command.ts';
import { hostAndPort, openAdminAt, portNumber } from '../connection.ts';
import { keysFolder, keysOption } from '../keys-option.ts';
import { DOOR_HELP, wantedDoor } from '../door-option.ts';
import { describeRelease, pushBundle } from '../release.ts';
import { untilAborted } from '../until-aborted.ts';
import { watchPolicy } from '../watched-policy.ts';

const text = { type: 'string' } as const;
const NEW_KEY_HELP =
  'bring it back from its backup; `--new-deployment-key` takes a new one, and then no pseudonym matches an older one';
const LISTEN_ADDRESS = '127.0.0.1:8443';

export const controlPlane: Command = {
  name: 'control-plane',
  help: `usage: writ control-plane [options]

Runs until Ctrl-C: takes releases, sends them to sidecars, keeps budgets. Everybody who calls it shows a certificate of the same authority.

  --listen HOST:PORT   usual: ${LISTEN_ADDRESS}; port 0 takes a free one
  --data DIR           its database; usual: .writ/control-plane
  --keys DIR           made by \`writ keys init\`; usual: the environment variable WRIT_KEYS
  --metrics-port PORT  of /metrics and /healthz on 127.0.0.1; usual: 9901; 0 takes a free one
  --webhooks FILE      where recipients of policies are told (\`notify\`): {"NAME": {"url": "https://…", "secret": "whsec_…"}}, for this user alone
  --watch DIR          build, sign and release the policy in DIR now and on every change (needs the signing key and the certificate of an admin)
  --deployment FILE    for --watch; usual: deployment.json in DIR
  --door DOOR          for --watch: ${DOOR_HELP}
  --admin NAME         for --watch: whose certificate releases; usual: admin
  --new-deployment-key take a \`deployment.key\` that is not the one used before: no pseudonym matches an older one, and receipts of before have failed

exit codes: 0 stopped by Ctrl-C or SIGTERM, 2 it could not run`,
  async run(args, world) {
    const { values, positionals } = parse(this, args, {
      ...keysOption,
      listen: text,
      data: text,
      'metrics-port': text,
      webhooks: text,
      watch: text,
      deployment: text,
      door: text,
      admin: text,
      'new-deployment-key': { type: 'boolean', default: false },
    });
    if (positionals.length > 0)
      throw new CommandError('`writ control-plane` takes no arguments', '`writ control-plane --help` shows how');
    for (const name of ['deployment', 'door'] as const)
      if (values.watch === undefined && values[name] !== undefined)
        throw new CommandError(`\`--${name}\` goes with \`--watch\``);
    const door = wantedDoor(values.door);
    const keys = keysFolder(values, world);
    const { host, port } = hostAndPort(values.listen ?? LISTEN_ADDRESS);
    const webhooks =
      values.webhooks === undefined ? undefined : webhooksIn(resolve(world.cwd, values.webhooks), values.webhooks);
    const plane = await startControlPlane({
      deploymentKey: (usedMark) => deploymentKeyIn(keys, { usedMark, mayBeNew: values['new-deployment-key'] }),
      ...(webhooks === undefined ? {} : { webhooks }),
      stateFolder: resolve(world.cwd, values.data ?? join('.writ', 'control-plane')),
      credential: readRole(keys, { kind: 'control-plane' }),
      trustedKeys: () => readTrustedKeys(keys),
      host,
      port,
      httpPort: portNumber(values['metrics-port'] ?? '9901', '--metrics-port'),
      log: (message) => world.err(`writ: ${message}\n`),
    }).catch((error: unknown) => {
      if (error instanceof KeyFileError && (error.code === 'another' || error.code === 'missing'))
        throw new CommandError(error.message, NEW_KEY_HELP);
      throw inUse(error)
        ? new CommandError(`\`${host}:${port}\`, or the metrics' port, is in use`, 'is another control plane running?')
        : error;
    });
    try {
      world.out(
        `control plane on ${bracketed(host)}:${plane.ports.grpc}, metrics on http://127.0.0.1:${plane.ports.http}/metrics\n`,
      );
      const address = `${reachable(host)}:${plane.ports.grpc}`;
      if (values.watch === undefined) await untilAborted(world.signal);
      else
        await watch(
          resolve(world.cwd, values.watch),
          {
            address,
            keys,
            admin: values.admin ?? 'admin',
            deployment: values.deployment === undefined ? null : resolve(world.cwd, values.deployment),
            ...(door === undefined ? {} : { door }),
          },
          world,
        );
    } finally {
      await plane.stop();
    }
    return 0;
  },
};

/** Signed with what stands there, so it is read as keys are. */
function webhooksIn(path: string, shown: string): Webhooks {
  try {
    return readWebhooks(readPrivate(path));
  } catch (error) {
    if (error instanceof WebhooksError) throw new CommandError(`\`${shown}\`: ${error.message}`);
    throw error;
  }
}

interface WatchSettings {
  readonly address: string;
  readonly keys: string;
  readonly admin: string;
  readonly deployment: string | null;
  readonly door?: Door;
}

/**
 * A policy that is wrong, or a push that fails, leaves what is in force in force: it is said, and the next change is a
 * new try.
 */
async function watch(
  folder: string,
  { address, keys, admin: name, ...how }: WatchSettings,
  world: World,
): Promise<void> {
  const admin = openAdminAt(address, keys, { kind: 'admin', name });
  try {
    await watchPolicy({
      folder,
      ...how,
      privateKeyPem: readSigningKey(keys).privateKeyPem,
      colour: world.colour.err,
      signal: world.signal,
      onBuilt: async ({ bundle, said }) => {
        world.err(said);
        if (bundle === null) return world.err('writ: nothing is released: what was in force stays in force\n');
        try {
          // What stands in the folder is what is meant, also where it stood there before.
          const released = await pushBundle(admin, bundle, {
            key: readSigningKey(keys),
            trusted: readTrustedKeys(keys),
            mayGoBack: true,
            mayLackDeployment: false,
          });
          world.out(`${describeRelease(released)}\n`);
        } catch (error) {
          if (!(error instanceof CommandError)) throw error;
          world.err(`writ: nothing is released: ${error.message}\n`);
        }
      },
    });
  } finally {
    admin.close();
  }
}

function inUse(error: unknown): boolean {
  return error instanceof Error && /EADDRINUSE|address (already )?in use/i.test(error.message);
}

/** How this machine reaches what listens there. A loopback address by its name: TLS names no addresses. */
function reachable(host: string): string {
  return ['127.0.0.1', '::1', '0.0.0.0', '::'].includes(host) ? 'localhost' : bracketed(host);
}

function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
