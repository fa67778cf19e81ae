/**
 * `writ keys`: makes and rotates the keys of an installation, and tokens of its demo issuer. It prints tokens and
 * names, never a private key.
 */
import { resolve } from 'node:path';
import { GROUPS_MAX, ROLE_NAME, roleOfUri, roleUri } from '../../control-plane/keys/certificate.ts';
import { signJwt } from '../../control-plane/keys/jwt-issuer.ts';
import {
  addCertificate,
  createBundleKeyIn,
  createKeyFolder,
  readJwtIssuer,
  readSigningKey,
} from '../../control-plane/keys/key-folder.ts';
import { createSignerKey } from '../../control-plane/keys/signer-key.ts';
import {
  type Command,
  CommandError,
  type ExitCode,
  onePath,
  parse,
  runVerb,
  type Verb,
  type World,
} from '../command.ts';
import { keysFolder, keysOption } from '../keys-option.ts';

export const DEMO_ISSUER = 'https://issuer.writ.example';
/** In every certificate of a control plane: its own machine reaches it by these. */
const HOSTS = ['localhost', '127.0.0.1', '::1'];
const TOKEN_SECONDS = 3_600;
const TOKEN_SECONDS_MAX = 366 * 86_400;

export const keys: Command = {
  name: 'keys',
  help: `usage: writ keys init DIR [--host NAME]… [--node NAME]… [--admin NAME]…
       writ keys node NAME [--keys DIR]
       writ keys admin NAME [--keys DIR]
       writ keys reviewer NAME --group GROUP… [--caller ID] [--keys DIR]
       writ keys rotate [--keys DIR]
       writ keys signer NAME [--keys DIR]
       writ keys jwt --claims JSON [--seconds N] [--issuer URL] [--keys DIR]

init    makes the key that signs bundles, the authority of our mTLS, the certificates of the control plane, of nodes and of admins, and a small issuer of JWTs for demos.
        It refuses to overwrite a key. Private keys can be read by their owner alone.
node    makes the certificate of one more sidecar
admin   makes the certificate of one more person or machine that may push
reviewer  makes the certificate of one person who may answer requests that are held for these groups
rotate  makes a new key that signs bundles; bundles of the old one are trusted until its file is removed from bundle/trusted on every machine
signer  makes the key with which NAME signs lists and switches, and prints its public half as the deployment's \`signers\` takes it
jwt     prints a token of the demo issuer with these claims

  --host NAME    a name or address at which sidecars reach the control plane, besides ${HOSTS.join(', ')}
  --node NAME    usual: sidecar
  --admin NAME   usual: admin
  --group GROUP  as \`reviewers … from group "GROUP"\` in a policy names it
  --caller ID    what the tokens of this person say they are (\`sub\`), so that they cannot answer their own requests; usual: NAME
  --claims JSON  e.g. '{"sub":"u1","dept":"finance","groups":["finance"]}'
  --seconds N    how long the token is good; usual: ${TOKEN_SECONDS}
  --issuer URL   its \`iss\`; usual: ${DEMO_ISSUER}
  --keys DIR     usual: the environment variable WRIT_KEYS
  --json         print what was made as JSON: init {"folder","bundleKey","hosts","nodes","admins"}, node, admin and reviewer {"certificate","key"} (files under DIR), rotate {"bundleKey","replaced"}, signer {"signer","keyId","publicKey"}, jwt {"token"}

A sidecar's machine needs bundle/trusted, mtls/ca.crt and its own mtls/node-NAME.*, nothing else.

exit codes: 0 done, 2 it could not be done`,
  async run(args, world) {
    return runVerb(this, verbs, args, world);
  },
};

const jsonOption = { json: { type: 'boolean', default: false } } as const;

const verbs: { readonly [verb: string]: Verb } = {
  init,
  node: (args, world) => certificate('node', args, world),
  admin: (args, world) => certificate('admin', args, world),
  reviewer,
  rotate,
  signer,
  jwt,
};

async function init(args: readonly string[], world: World): Promise<ExitCode> {
  const many = { type: 'string', multiple: true } as const;
  const { values, positionals } = parse(keys, args, { ...jsonOption, host: many, node: many, admin: many });
  const path = onePath({ name: 'keys init' }, positionals, 'DIR');
  const { host: others = [], node: nodes = ['sidecar'], admin: admins = ['admin'] } = values;
  for (const name of [...nodes, ...admins]) assertRoleName(name);
  const hosts = [...new Set([...HOSTS, ...others])];
  const folder = resolve(world.cwd, path);
  createKeyFolder(folder, { hosts, nodes, admins, now: Date.now() });
  const { kid } = readSigningKey(folder);
  if (values.json) world.out(`${JSON.stringify({ folder: path, bundleKey: kid, hosts, nodes, admins })}\n`);
  else
    world.out(
      `keys are in ${path}: bundle key ${kid}, control plane at ${hosts.join(', ')}, nodes ${nodes.join(', ')}, admins ${admins.join(', ')}\n`,
    );
  return 0;
}

async function certificate(kind: 'node' | 'admin', args: readonly string[], world: World): Promise<ExitCode> {
  const { values, positionals } = parse(keys, args, { ...keysOption, ...jsonOption });
  const name = onePath({ name: `keys ${kind}` }, positionals, 'NAME');
  assertRoleName(name);
  addCertificate(keysFolder(values, world), { kind, name }, [], Date.now());
  return made(`mtls/${kind}-${name}`, values, world);
}

async function reviewer(args: readonly string[], world: World): Promise<ExitCode> {
  const { values, positionals } = parse(keys, args, {
    ...keysOption,
    ...jsonOption,
    group: { type: 'string', multiple: true },
    caller: { type: 'string' },
  });
  const name = onePath({ name: 'keys reviewer' }, positionals, 'NAME');
  assertRoleName(name);
  const { group: groups = [], caller = name } = values;
  const role = { kind: 'reviewer', name, groups, caller } as const;
  if (roleOfUri(roleUri(role)) === undefined)
    throw new CommandError(
      `a reviewer has 1 to ${GROUPS_MAX} groups and an id, of 1 to 256 characters each`,
      'add `--group GROUP`, as the policy names it',
    );
  addCertificate(keysFolder(values, world), role, [], Date.now());
  return made(`mtls/reviewer-${name}`, values, world);
}

function made(file: string, { json }: { readonly json: boolean }, world: World): ExitCode {
  world.out(
    json
      ? `${JSON.stringify({ certificate: `${file}.crt`, key: `${file}.key` })}\n`
      : `${file}.crt and .key are made\n`,
  );
  return 0;
}

async function rotate(args: readonly string[], world: World): Promise<ExitCode> {
  const { values, positionals } = parse(keys, args, { ...keysOption, ...jsonOption });
  if (positionals.length > 0) throw new CommandError('`writ keys rotate` takes no arguments');
  const folder = keysFolder(values, world);
  const old = readSigningKey(folder).kid;
  const { kid } = createBundleKeyIn(folder, { replace: true });
  if (values.json) world.out(`${JSON.stringify({ bundleKey: kid, replaced: old })}\n`);
  else
    world.out(
      `bundle key ${kid} signs from now on\ncopy bundle/trusted/${kid}.pem to every sidecar and to the control plane, start them again, push; then remove bundle/trusted/${old}.pem everywhere\n`,
    );
  return 0;
}

async function signer(args: readonly string[], world: World): Promise<ExitCode> {
  const { values, positionals } = parse(keys, args, { ...keysOption, ...jsonOption });
  const name = onePath({ name: 'keys signer' }, positionals, 'NAME');
  assertRoleName(name);
  const { kid, publicKeyPem } = createSignerKey(keysFolder(values, world), name);
  if (values.json) world.out(`${JSON.stringify({ signer: name, keyId: kid, publicKey: publicKeyPem })}\n`);
  else
    world.out(
      `signers/${name}.key is made: key ${kid}. In the deployment:\n  "signers": { ${JSON.stringify(name)}: { "keys": [${JSON.stringify(publicKeyPem)}], "lists": [] } }\n`,
    );
  return 0;
}

async function jwt(args: readonly string[], world: World): Promise<ExitCode> {
  const text = { type: 'string' } as const;
  const { values, positionals } = parse(keys, args, {
    ...keysOption,
    ...jsonOption,
    claims: text,
    seconds: text,
    issuer: text,
  });
  if (positionals.length > 0 || values.claims === undefined)
    throw new CommandError('`writ keys jwt` takes `--claims JSON`', '`writ keys --help` shows how');
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: values.issuer ?? DEMO_ISSUER,
    iat: now,
    exp: now + seconds(values.seconds),
    ...claimsOf(values.claims),
  };
  const token = signJwt(readJwtIssuer(keysFolder(values, world)).privateKeyPem, claims);
  world.out(values.json ? `${JSON.stringify({ token })}\n` : `${token}\n`);
  return 0;
}

function assertRoleName(name: string): void {
  if (!ROLE_NAME.test(name))
    throw new CommandError(
      `\`${name}\` cannot be a name here`,
      'a name has 1 to 63 characters of a-z, 0-9, `_`, `.` and `-`, and begins with a letter or digit',
    );
}

function seconds(text: string | undefined): number {
  const number = Number(text ?? TOKEN_SECONDS);
  if (Number.isInteger(number) && number >= 1 && number <= TOKEN_SECONDS_MAX) return number;
  throw new CommandError(`\`--seconds ${text}\` is not a whole number from 1 to ${TOKEN_SECONDS_MAX}`);
}

function claimsOf(text: string): { readonly [claim: string]: unknown } {
  try {
    const claims: unknown = JSON.parse(text);
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return { ...claims };
  } catch {
    // Said below, for text that is not JSON and for JSON that is not an object alike.
  }
  throw new CommandError('the claims are not a JSON object', 'e.g. --claims \'{"sub":"u1","dept":"finance"}\'');
}
