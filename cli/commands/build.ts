/** `writ build`: a policy in, a bundle out. */
import { BundleError } from '../../compiler/bundle/bundle-error.ts';
import { keyId, type SigningKey } from '../../compiler/bundle/jws.ts';
import { readBundle } from '../../compiler/bundle/read-bundle.ts';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { createPublicKey } from 'node:crypto';
import { type Command, CommandError, onePath, parse } from '../command.ts';
import { bundleOf, compile } from '../compile.ts';
import { DOOR_HELP, doorOption, passedOverText, wantedDoor } from '../door-option.ts';
import { diagnosticsJson, diagnosticsText } from '../diagnostics-output.ts';
import { readText, writeWhole } from '../files.ts';
import { TODAY_HELP, todayFrom, todayOption } from '../today-option.ts';

export const build: Command = {
  name: 'build',
  help: `usage: writ build PATH -o FILE.tar.gz [options]

Compiles the policy in PATH, a \`.writ\` file or a folder of them, to a bundle: Rego, data, policy.wasm for any OPA, filter.wasm and Envoy resources for a sidecar, and a report.
The same policy and the same key give the same bytes.

  -o, --output FILE     where the bundle goes
  --key FILE            sign with this private key (\`writ keys\` makes one); without it no sidecar takes the bundle
  --deployment FILE     where models and stores are; default: deployment.json in the policy's folder, if there is one
  --door DOOR           how Envoy asks the policy: ${DOOR_HELP}
  --today DAY           ${TODAY_HELP}
  --allow-unenforced    build although the policy uses forms that are not enforced yet: such rules deny
  --report              print the report on standard output
  --json                print {"diagnostics":[…],"bundle":{…}} on standard output

exit codes: 0 built, 1 the policy is wrong, 2 usage or operation`,
  async run(args, world) {
    const { values, positionals } = parse(this, args, {
      output: { type: 'string', short: 'o' },
      key: { type: 'string' },
      deployment: { type: 'string' },
      ...doorOption,
      ...todayOption,
      'allow-unenforced': { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    });
    const path = onePath(this, positionals, 'PATH');
    if (values.output === undefined)
      throw new CommandError('`writ build` needs to know where the bundle goes', 'add `-o FILE.tar.gz`');
    const key = values.key === undefined ? null : signingKey(await readText(values.key, world.cwd, 'key'));
    const door = wantedDoor(values.door);
    const { diagnostics, sources, compiled } = await compile({
      path,
      cwd: world.cwd,
      allowUnenforced: values['allow-unenforced'],
      deployment: values.deployment ?? null,
      today: todayFrom(values.today),
      ...(door === undefined ? {} : { door }),
    });
    if (!values.json && diagnostics.length > 0) world.err(diagnosticsText(diagnostics, sources, world.colour.err));
    if (compiled === null) {
      if (values.json) world.out(diagnosticsJson(diagnostics, sources));
      return 1;
    }
    const bundle = bundleOf(compiled, key);
    await writeWhole(values.output, world.cwd, bundle);
    const facts = {
      file: values.output,
      bytes: bundle.length,
      revision: revisionOf(bundle),
      signedBy: key?.kid ?? null,
      governsTraffic: compiled.files.has(BUNDLE_PATHS.envoy),
      ...compiled.door,
    };
    if (values.json) {
      world.out(
        `${JSON.stringify({ ...JSON.parse(diagnosticsJson(diagnostics, sources)), bundle: facts }, null, 2)}\n`,
      );
      return 0;
    }
    if (values.report) world.out(new TextDecoder().decode(compiled.files.get(BUNDLE_PATHS.reportText)));
    const notes = [
      key === null ? 'unsigned: no sidecar takes it; sign it with --key' : `signed by ${key.kid}`,
      facts.governsTraffic
        ? (passedOverText(compiled.door) ?? `door ${facts.door}`)
        : 'without a deployment file: it decides for OPA, and governs no traffic',
    ];
    world.err(
      `${values.output}: ${bundle.length} bytes, revision ${facts.revision.slice(0, 12)}, ${notes.join('; ')}\n`,
    );
    return 0;
  },
};

export function signingKey(privateKeyPem: string): SigningKey {
  try {
    const publicKeyPem = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'pem' }).toString();
    return { kid: keyId(publicKeyPem), privateKeyPem };
  } catch (error) {
    throw new CommandError(error instanceof BundleError ? error.message : 'the key is not a private key in PEM form');
  }
}

function revisionOf(bundle: Uint8Array): string {
  const manifest: unknown = JSON.parse(new TextDecoder().decode(readBundle(bundle).get('/.manifest')));
  return typeof manifest === 'object' && manifest !== null && 'revision' in manifest ? String(manifest.revision) : '';
}
