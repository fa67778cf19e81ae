/**
 * Reads `deployment.json` against a plan. It opens no file: certificates and keys are named by paths of the machine
 * that runs Envoy.
 */
import { didYouMean } from '../../dsl/did-you-mean.ts';
import type {
  Claims,
  Credential,
  Deployment,
  Identity,
  JwtIssuer,
  Limits,
  ListenerAddress,
  OutboundListener,
  Places,
  Upstream,
} from './deployment.ts';
import { DEPLOYMENT_BYTES_MAX, IDENTITIES_MAX, ISSUERS_MAX, LIMIT_RANGES, SYSTEM_CA } from './deployment.ts';
import type { Problem } from './json-reader.ts';
import { JsonReader, join, quoted } from './json-reader.ts';
import { readSigners } from './read-signers.ts';

export type ParsedDeployment =
  | { readonly kind: 'deployment'; readonly deployment: Deployment }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] };

export function parseDeployment(text: string, plan: Places): ParsedDeployment {
  const read = new JsonReader();
  const deployment = readDeployment(read, text, plan);
  return deployment === undefined || read.problems.length > 0
    ? { kind: 'problems', problems: read.problems }
    : { kind: 'deployment', deployment };
}

function readDeployment(read: JsonReader, text: string, plan: Places): Deployment | undefined {
  const document = readJson(read, text);
  if (document === undefined) return undefined;
  const keys = {
    required: [
      'listener',
      ...(plan.models.length > 0 ? ['models'] : []),
      ...(plan.stores.length > 0 ? ['stores'] : []),
    ],
    optional: ['egress', 'models', 'stores', 'identity', 'signers', 'limits'],
  };
  const fields = read.object(document, '', keys);
  if (fields === undefined) return undefined;
  const listener = readListener(read, fields['listener']);
  const egress = readEgress(read, fields['egress'], listener, plan);
  const models = readUpstreams(read, fields['models'], {
    path: 'models',
    what: 'model',
    names: plan.models.map((model) => model.name),
  });
  const stores = readUpstreams(read, fields['stores'], {
    path: 'stores',
    what: 'store',
    names: plan.stores.map((store) => store.name),
  });
  const identity = readIdentity(read, fields['identity']);
  const signers = readSigners(read, fields['signers'], plan);
  const limits = readLimits(read, fields['limits']);
  if (identity.sans.length > 0 && listener !== undefined && listener.tls?.clientCa === undefined) {
    read.problem(
      'identity.sans',
      'certificates name callers here, and the listener asks clients for none',
      'add `listener.tls.clientCa`',
    );
  }
  if (listener === undefined) return undefined;
  return { listener, ...(egress === undefined ? {} : { egress }), models, stores, identity, signers, limits };
}

function readJson(read: JsonReader, text: string): unknown {
  if (text.length > DEPLOYMENT_BYTES_MAX) {
    read.problem('', `the file is larger than ${DEPLOYMENT_BYTES_MAX} bytes`);
    return undefined;
  }
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch (error) {
    read.problem('', `this is not JSON: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
    return undefined;
  }
}

function readListener(read: JsonReader, value: unknown): ListenerAddress | undefined {
  if (value === undefined) return undefined;
  const fields = read.object(value, 'listener', { required: ['port'], optional: ['address', 'tls'] });
  if (fields === undefined) return undefined;
  const port = read.integer(fields['port'], 'listener.port', { least: 1, most: 65_535 });
  const address = readIpAddress(read, fields['address'] ?? '127.0.0.1', 'listener.address');
  if (port === undefined || address === undefined) return undefined;
  if (fields['tls'] === undefined) return { address, port };
  const tls = read.object(fields['tls'], 'listener.tls', { required: ['certificate', 'key'], optional: ['clientCa'] });
  if (tls === undefined) return undefined;
  const certificate = read.text(tls['certificate'], 'listener.tls.certificate');
  const key = read.text(tls['key'], 'listener.tls.key');
  const clientCa = read.text(tls['clientCa'], 'listener.tls.clientCa');
  if (certificate === undefined || key === undefined) return undefined;
  return { address, port, tls: clientCa === undefined ? { certificate, key } : { certificate, key, clientCa } };
}

/** Without the policy's rules nothing may pass there, and without the listener they govern nothing. */
function readEgress(
  read: JsonReader,
  value: unknown,
  listener: ListenerAddress | undefined,
  { events = [] }: Places,
): OutboundListener | undefined {
  const isGoverned = events.some(({ kind }) => kind === 'egress');
  if (value === undefined) {
    if (isGoverned)
      read.problem(
        'egress',
        'the policy has rules on egress, and there is no listener for what goes out',
        'add `"egress": { "port": 8443 }`, and send connections to the outside there',
      );
    return undefined;
  }
  if (!isGoverned) read.problem('egress', 'the policy has no rule on egress, so nothing could go out here');
  const fields = read.object(value, 'egress', { required: ['port'], optional: ['address', 'upstreamPort'] });
  if (fields === undefined) return undefined;
  const port = read.integer(fields['port'], 'egress.port', { least: 1, most: 65_535 });
  const upstreamPort = read.integer(fields['upstreamPort'] ?? 443, 'egress.upstreamPort', { least: 1, most: 65_535 });
  const address = readIpAddress(read, fields['address'] ?? '127.0.0.1', 'egress.address');
  if (port !== undefined && port === listener?.port)
    read.problem('egress.port', `the port ${port} is the one of \`listener\``);
  return port === undefined || upstreamPort === undefined || address === undefined
    ? undefined
    : { address, port, upstreamPort };
}

function readIpAddress(read: JsonReader, value: unknown, path: string): string | undefined {
  const address = read.text(value, path);
  if (address !== undefined && !isIpAddress(address))
    read.problem(path, `${quoted(address)} is not an IP address`, 'to listen on every interface, write `0.0.0.0`');
  return address;
}

function readUpstreams(
  read: JsonReader,
  value: unknown,
  wanted: { readonly path: string; readonly what: string; readonly names: readonly string[] },
): { [name: string]: Upstream } {
  const found: { [name: string]: Upstream } = {};
  const entries = value === undefined ? {} : read.record(value, wanted.path);
  if (entries === undefined) return found;
  for (const name of Object.keys(entries)) {
    if (wanted.names.includes(name)) continue;
    const meant = didYouMean(name, wanted.names);
    read.problem(
      join(wanted.path, name),
      `the policy has no ${wanted.what} ${quoted(name)}`,
      meant === null ? undefined : `did you mean ${quoted(meant)}?`,
    );
  }
  for (const name of wanted.names) {
    const path = join(wanted.path, name);
    if (!Object.hasOwn(entries, name)) {
      read.problem(
        wanted.path,
        `the policy's ${wanted.what} ${quoted(name)} has no address`,
        `add \`"${name}": { "url": "http://127.0.0.1:8080" }\``,
      );
      continue;
    }
    const upstream = readUpstream(read, entries[name], path);
    if (upstream !== undefined) found[name] = upstream;
  }
  return found;
}

function readUpstream(read: JsonReader, value: unknown, path: string): Upstream | undefined {
  const fields = read.object(value, path, { required: ['url'], optional: ['http', 'credential', 'ca'] });
  if (fields === undefined) return undefined;
  const written = read.text(fields['url'], join(path, 'url'));
  const http = fields['http'] ?? 'http1';
  if (http !== 'http1' && http !== 'http2') {
    read.problem(join(path, 'http'), 'write `http1` or `http2`');
    return undefined;
  }
  const credential = readCredential(read, fields['credential'], join(path, 'credential'));
  const ca = fields['ca'] === undefined ? SYSTEM_CA : read.text(fields['ca'], join(path, 'ca'));
  if (written === undefined || credential === undefined || ca === undefined) return undefined;
  const url = URL.parse(written);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    read.problem(join(path, 'url'), `${quoted(written)} is not a URL of http or https`);
    return undefined;
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    read.problem(
      join(path, 'url'),
      'a URL here has a host, a port and a path, and nothing else',
      'name a secret by `credential`',
    );
    return undefined;
  }
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port);
  return {
    scheme,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    pathPrefix: url.pathname.replace(/\/+$/, ''),
    http,
    credential,
    ca,
  };
}

function readCredential(read: JsonReader, value: unknown, path: string): Credential | undefined {
  if (value === undefined || value === 'none') return { kind: 'none' };
  if (value === 'forward') return { kind: 'forward' };
  if (typeof value === 'string') {
    read.problem(
      path,
      `${quoted(value.slice(0, 8))} is none of \`none\`, \`forward\` and an object`,
      'a secret does not stand here: name the environment variable that has it',
    );
    return undefined;
  }
  const fields = read.object(value, path, { required: ['variable'], optional: ['header', 'prefix'] });
  if (fields === undefined) return undefined;
  const variable = read.text(fields['variable'], join(path, 'variable'));
  const header = read.text(fields['header'] ?? 'authorization', join(path, 'header'))?.toLowerCase();
  const prefix = fields['prefix'] ?? (header === 'authorization' ? 'Bearer ' : '');
  if (variable === undefined || header === undefined) return undefined;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable))
    read.problem(join(path, 'variable'), `${quoted(variable)} is not the name of an environment variable`);
  if (!/^[a-z0-9-]+$/.test(header)) read.problem(join(path, 'header'), `${quoted(header)} is not the name of a header`);
  if (typeof prefix !== 'string' || /[^\x20-\x7e]|%/.test(prefix)) {
    read.problem(join(path, 'prefix'), 'a prefix is printable ASCII without `%`');
    return undefined;
  }
  return { kind: 'environment', variable, header, prefix };
}

function readIdentity(read: JsonReader, value: unknown): Identity {
  if (value === undefined) return { jwt: [], apiKeys: [], sans: [] };
  const fields = read.object(value, 'identity', { required: [], optional: ['jwt', 'apiKeys', 'sans'] });
  if (fields === undefined) return { jwt: [], apiKeys: [], sans: [] };
  const jwt = read
    .list(fields['jwt'], 'identity.jwt', ISSUERS_MAX)
    .map((entry, at) => readIssuer(read, entry, `identity.jwt.${at}`));
  const apiKeys = read
    .list(fields['apiKeys'], 'identity.apiKeys', IDENTITIES_MAX)
    .map((entry, at) => readApiKey(read, entry, `identity.apiKeys.${at}`));
  const sans = read
    .list(fields['sans'], 'identity.sans', IDENTITIES_MAX)
    .map((entry, at) => readSan(read, entry, `identity.sans.${at}`));
  const identity = { jwt: present(jwt), apiKeys: present(apiKeys), sans: present(sans) };
  refuseTwins(
    read,
    'identity.jwt',
    identity.jwt.map((entry) => entry.issuer),
  );
  refuseTwins(
    read,
    'identity.apiKeys',
    identity.apiKeys.map((entry) => entry.sha256),
  );
  refuseTwins(
    read,
    'identity.sans',
    identity.sans.map((entry) => entry.san),
  );
  return identity;
}

function readIssuer(read: JsonReader, value: unknown, path: string): JwtIssuer | undefined {
  const fields = read.object(value, path, { required: ['issuer', 'jwks'], optional: ['audiences'] });
  if (fields === undefined) return undefined;
  const issuer = read.text(fields['issuer'], join(path, 'issuer'));
  const audiences = present(
    read
      .list(fields['audiences'], join(path, 'audiences'), 64)
      .map((audience, at) => read.text(audience, `${path}.audiences.${at}`)),
  );
  const jwks = read.object(fields['jwks'] ?? {}, join(path, 'jwks'), { required: [], optional: ['file', 'keys'] });
  if (issuer === undefined || jwks === undefined) return undefined;
  const file = read.text(jwks['file'], join(path, 'jwks.file'));
  if (file !== undefined && jwks['keys'] === undefined)
    return { issuer, audiences, jwks: { kind: 'file', path: file } };
  if (file === undefined && Array.isArray(jwks['keys'])) {
    if (holdsPrivateKey(jwks['keys']))
      read.problem(join(path, 'jwks.keys'), 'a private key stands here', 'give the public part alone');
    return { issuer, audiences, jwks: { kind: 'inline', text: JSON.stringify({ keys: jwks['keys'] }) } };
  }
  read.problem(join(path, 'jwks'), 'give either `keys` (a JSON Web Key Set) or `file`');
  return undefined;
}

/** RFC 7518 section 6: `d` is the private part of every asymmetric key, `k` is a symmetric key. */
function holdsPrivateKey(keys: readonly unknown[]): boolean {
  return keys.some((key) => typeof key === 'object' && key !== null && ('d' in key || 'k' in key));
}

function readApiKey(read: JsonReader, value: unknown, path: string): { sha256: string; claims: Claims } | undefined {
  const fields = read.object(value, path, { required: ['sha256', 'claims'], optional: [] });
  if (fields === undefined) return undefined;
  const sha256 = read.text(fields['sha256'], join(path, 'sha256'))?.toLowerCase();
  const claims = readClaims(read, fields['claims'], join(path, 'claims'));
  if (sha256 === undefined || claims === undefined) return undefined;
  if (!/^[0-9a-f]{64}$/.test(sha256))
    read.problem(join(path, 'sha256'), 'a SHA-256 has 64 hexadecimal digits', 'the key itself does not stand here');
  return { sha256, claims };
}

function readSan(read: JsonReader, value: unknown, path: string): { san: string; claims: Claims } | undefined {
  const fields = read.object(value, path, { required: ['san', 'claims'], optional: [] });
  if (fields === undefined) return undefined;
  const san = read.text(fields['san'], join(path, 'san'));
  const claims = readClaims(read, fields['claims'], join(path, 'claims'));
  return san === undefined || claims === undefined ? undefined : { san, claims };
}

function readClaims(read: JsonReader, value: unknown, path: string): Claims | undefined {
  const entries = value === undefined ? undefined : read.record(value, path);
  if (entries === undefined) return undefined;
  const claims: { [claim: string]: Claims[string] } = {};
  for (const [claim, each] of Object.entries(entries)) {
    if (typeof each === 'string' || typeof each === 'boolean' || typeof each === 'number') claims[claim] = each;
    else if (Array.isArray(each) && each.every((member): member is string => typeof member === 'string'))
      claims[claim] = each;
    else read.problem(join(path, claim), 'a claim is a text, a number, true, false, or a list of texts');
  }
  return claims;
}

function readLimits(read: JsonReader, value: unknown): Limits {
  const names = Object.keys(LIMIT_RANGES);
  const fields =
    (value === undefined ? undefined : read.object(value, 'limits', { required: [], optional: names })) ?? {};
  const limit = (name: keyof Limits): number =>
    read.integer(fields[name], `limits.${name}`, LIMIT_RANGES[name]) ?? LIMIT_RANGES[name].usual;
  return {
    requestBytes: limit('requestBytes'),
    replyBytes: limit('replyBytes'),
    headerKibibytes: limit('headerKibibytes'),
    exchanges: limit('exchanges'),
    idleSeconds: limit('idleSeconds'),
    connectSeconds: limit('connectSeconds'),
  };
}

function refuseTwins(read: JsonReader, path: string, values: readonly string[]): void {
  const seen = new Set<string>();
  for (const value of values) {
    if (seen.has(value)) read.problem(path, `${quoted(value)} stands here twice`);
    seen.add(value);
  }
}

function present<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined);
}

export function isIpAddress(host: string): boolean {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) return host.split('.').every((part) => Number(part) <= 255);
  return host.includes(':') && URL.canParse(`http://[${host}]/`);
}
