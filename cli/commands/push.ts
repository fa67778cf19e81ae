/** `writ push`: releases a bundle, or a policy that it builds and signs first. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readSigningKey, readTrustedKeys } from '../../control-plane/keys/key-folder.ts';
import { type Command, CommandError, onePath, parse, type World } from '../command.ts';
import { bundleOf, compile, type CompileOptions } from '../compile.ts';
import { adminOptions, adminOptionsHelp, openAdmin } from '../connection.ts';
import { keysFolder } from '../keys-option.ts';
import { DOOR_HELP, doorOption, passedOverText, wantedDoor } from '../door-option.ts';
import { diagnosticsText } from '../diagnostics-output.ts';
import { readBytes } from '../files.ts';
import { describeRelease, pushBundle } from '../release.ts';

export const push: Command = {
  name: 'push',
  help: `usage: writ push PATH [options]

Releases PATH: a signed bundle (a file made by \`writ build --key\`), or a policy (a \`.writ\` file or a folder), which is built and signed first.
The control plane verifies it and sends it to every sidecar of the policy.

${adminOptionsHelp}
  --deployment FILE          for a policy: where models and stores are; usual: deployment.json in its folder
  --door DOOR                for a policy: ${DOOR_HELP}
  --no-traffic               release it although it has no deployment: no sidecar can govern traffic by it
  --json                     print {"policy","revision","sequence","rollback","isNew"}

exit codes: 0 released (or in force already), 1 the policy is wrong, 2 usage or operation`,
  async run(args, world) {
    const { values, positionals } = parse(this, args, {
      ...adminOptions,
      deployment: { type: 'string' },
      ...doorOption,
      'no-traffic': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    });
    const path = onePath(this, positionals, 'PATH');
    const door = wantedDoor(values.door);
    const buildsIt = await isPolicy(path, world.cwd);
    if (!buildsIt && door !== undefined)
      throw new CommandError('`--door` goes with a policy: a bundle has its door', "push the policy's folder");
    const folder = keysFolder(values, world);
    const key = readSigningKey(folder);
    const admin = openAdmin(values, world);
    try {
      const bytes = buildsIt
        ? await built(
            path,
            { deployment: values.deployment ?? null, ...(door === undefined ? {} : { door }) },
            key,
            world,
          )
        : await readBytes(path, world.cwd, 'bundle');
      if (bytes === null) return 1;
      const released = await pushBundle(admin, bytes, {
        key,
        trusted: readTrustedKeys(folder),
        mayGoBack: false,
        mayLackDeployment: values['no-traffic'],
      });
      world.out(values.json ? `${JSON.stringify(released)}\n` : `${describeRelease(released)}\n`);
      return 0;
    } finally {
      admin.close();
    }
  },
};

/** A policy is a folder or a file that ends in `.writ`; any other file is taken for a bundle. */
async function isPolicy(path: string, cwd: string): Promise<boolean> {
  const found = await stat(resolve(cwd, path)).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(
      error.code === 'ENOENT'
        ? `there is no file or folder \`${path}\``
        : `\`${path}\` cannot be read: ${error.code ?? 'unknown error'}`,
    );
  });
  return found.isDirectory() || path.endsWith('.writ');
}

/** Null where the policy is wrong; its diagnostics are then printed. */
async function built(
  path: string,
  options: Pick<CompileOptions, 'deployment' | 'door'>,
  key: ReturnType<typeof readSigningKey>,
  world: World,
): Promise<Uint8Array | null> {
  const { diagnostics, sources, compiled } = await compile({
    path,
    cwd: world.cwd,
    allowUnenforced: false,
    ...options,
  });
  if (diagnostics.length > 0) world.err(diagnosticsText(diagnostics, sources, world.colour.err));
  if (compiled === null) return null;
  const passedOver = passedOverText(compiled.door);
  if (passedOver !== null) world.err(`writ: ${passedOver}\n`);
  return bundleOf(compiled, key);
}
