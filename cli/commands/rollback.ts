/** `writ rollback`: brings back a revision that was released before. */
import { readSigningKey } from '../../control-plane/keys/key-folder.ts';
import { type Command, onePath, parse } from '../command.ts';
import { adminOptions, adminOptionsHelp, openAdmin } from '../connection.ts';
import { keysFolder } from '../keys-option.ts';
import { describeRelease, rollBack } from '../release.ts';

export const rollback: Command = {
  name: 'rollback',
  help: `usage: writ rollback POLICY [--to REVISION] [options]

Releases an earlier revision of POLICY again, by a signed statement that this is meant. Nothing is built: the control plane has the bundle.

  --to REVISION              the revision, or at least 6 of its first digits; usual: the one before the current
${adminOptionsHelp}
  --json                     print {"policy","revision","sequence","rollback","isNew"}

exit codes: 0 released, 2 usage or operation`,
  async run(args, world) {
    const { values, positionals } = parse(this, args, {
      ...adminOptions,
      to: { type: 'string' },
      json: { type: 'boolean', default: false },
    });
    const policy = onePath(this, positionals, 'POLICY');
    const key = readSigningKey(keysFolder(values, world));
    const admin = openAdmin(values, world);
    try {
      const released = await rollBack(admin, policy, values.to, key);
      world.out(values.json ? `${JSON.stringify(released)}\n` : `${describeRelease(released)}\n`);
      return 0;
    } finally {
      admin.close();
    }
  },
};
