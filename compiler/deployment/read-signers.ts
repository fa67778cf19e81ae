/** Who may sign the feeds of a policy: the public keys of its signers, and the lists that each may sign. */
import { BundleError } from '../bundle/bundle-error.ts';
import { keyId } from '../bundle/jws.ts';
import type { Places, Signer } from './deployment.ts';
import { SIGNER_KEYS_MAX } from './deployment.ts';
import type { JsonReader } from './json-reader.ts';
import { join, quoted } from './json-reader.ts';

export function readSigners(
  read: JsonReader,
  value: unknown,
  { lists = [], switches = [] }: Places,
): { readonly [name: string]: Signer } {
  const feeds = lists.map(({ feed }) => feed);
  const entries = value === undefined ? {} : (read.record(value, 'signers') ?? {});
  const signers: { [name: string]: Signer } = {};
  for (const [name, each] of Object.entries(entries)) {
    const signer = readSigner(read, each, join('signers', name), feeds);
    if (signer !== undefined) signers[name] = signer;
  }
  for (const { name, feed } of lists)
    if (!Object.values(signers).some((signer) => signer.lists.includes(feed)))
      read.problem(
        'signers',
        `nobody may sign the feed ${quoted(feed)} of the list ${quoted(name)}`,
        `add \`"privacy-office": { "keys": ["-----BEGIN PUBLIC KEY…"], "lists": [${JSON.stringify(feed)}] }\`; \`writ keys signer\` makes the key`,
      );
  for (const { name, by } of switches)
    if (!Object.hasOwn(signers, by))
      read.problem(
        'signers',
        `the switch ${quoted(name)} is by ${quoted(by)}, who is no signer`,
        `add \`${JSON.stringify(by)}: { "keys": ["-----BEGIN PUBLIC KEY…"] }\`; \`writ keys signer\` makes the key`,
      );
  return signers;
}

function readSigner(read: JsonReader, value: unknown, path: string, feeds: readonly string[]): Signer | undefined {
  const fields = read.object(value, path, { required: ['keys'], optional: ['lists'] });
  if (fields === undefined) return undefined;
  const keys = read
    .list(fields['keys'], join(path, 'keys'), SIGNER_KEYS_MAX)
    .map((key, at) => readKey(read, key, `${path}.keys.${at}`));
  if (keys.length === 0) read.problem(join(path, 'keys'), 'a signer has at least one key');
  const lists = read
    .list(fields['lists'], join(path, 'lists'), feeds.length + 1)
    .map((list, at) => read.text(list, `${path}.lists.${at}`));
  for (const list of lists)
    if (list !== undefined && !feeds.includes(list))
      read.problem(join(path, 'lists'), `no rule of the policy reads a list from the feed ${quoted(list)}`);
  return {
    keys: keys.filter((key) => key !== undefined),
    lists: lists.filter((list) => list !== undefined),
  };
}

function readKey(read: JsonReader, value: unknown, path: string): Signer['keys'][number] | undefined {
  const publicKeyPem = read.text(value, path);
  if (publicKeyPem === undefined) return undefined;
  try {
    return { kid: keyId(publicKeyPem), publicKeyPem };
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    read.problem(path, 'this is no public key of RSA in PEM', '`writ keys signer NAME` prints one in this form');
    return undefined;
  }
}
