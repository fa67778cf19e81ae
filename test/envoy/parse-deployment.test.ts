// Deployments that are refused, and why; each line of the table is one mistake in a deployment that is else right.
import { describe, expect, test } from 'vitest';
import type { Deployment } from '../../compiler/deployment/deployment.ts';
import { DEPLOYMENT_BYTES_MAX, ISSUERS_MAX, LIMIT_RANGES } from '../../compiler/deployment/deployment.ts';
import type { Problem } from '../../compiler/deployment/json-reader.ts';
import { PROBLEMS_MAX } from '../../compiler/deployment/json-reader.ts';
import { parseDeployment } from '../../compiler/deployment/parse-deployment.ts';

const plan = { models: [{ name: 'small' }, { name: 'frontier' }], stores: [{ name: 'hr_docs' }] };
const good = {
  listener: { port: 10_000 },
  models: { small: { url: 'http://127.0.0.1:8080' }, frontier: { url: 'https://api.example.com/v1/' } },
  stores: { hr_docs: { url: 'http://[::1]:8000' } },
};

test('what is not said has its usual value', () => {
  expect(parsed(good)).toMatchObject({
    listener: { address: '127.0.0.1', port: 10_000 },
    models: {
      small: {
        scheme: 'http',
        host: '127.0.0.1',
        port: 8080,
        pathPrefix: '',
        http: 'http1',
        credential: { kind: 'none' },
      },
      frontier: { scheme: 'https', host: 'api.example.com', port: 443, pathPrefix: '/v1' },
    },
    stores: { hr_docs: { host: '::1', port: 8000 } },
    identity: { jwt: [], apiKeys: [], sans: [] },
    limits: { requestBytes: 16_777_216, exchanges: 1024 },
  });
});

const upstream = (more: object): object => ({
  ...good,
  models: { ...good.models, small: { url: 'http://127.0.0.1:1', ...more } },
});
const identity = (value: object): object => ({ ...good, identity: value });
const claims = { sub: 'a' };
const sha256 = 'A'.repeat(64);

describe('mistakes', () => {
  test.each<[string, unknown, Problem]>([
    ['no JSON', 'x', { path: '', message: expect.stringContaining('this is not JSON') }],
    ['a list', [], { path: '', message: 'an object is wanted here, this is a list' }],
    [
      'an unknown key',
      { ...good, modles: {} },
      { path: 'modles', message: 'unknown key `modles`', help: 'did you mean `models`?' },
    ],
    [
      'a way out for a policy that says nothing of it',
      { ...good, egress: { port: 8443 } },
      { path: 'egress', message: 'the policy has no rule on egress, so nothing could go out here' },
    ],
    ['no listener', { ...good, listener: undefined }, { path: '', message: '`listener` is missing' }],
    [
      'a model without an address',
      { ...good, models: { small: good.models.small } },
      {
        path: 'models',
        message: "the policy's model `frontier` has no address",
        help: 'add `"frontier": { "url": "http://127.0.0.1:8080" }`',
      },
    ],
    [
      'a model that the policy lacks',
      { ...good, models: { ...good.models, fronteir: good.models.small } },
      { path: 'models.fronteir', message: 'the policy has no model `fronteir`', help: 'did you mean `frontier`?' },
    ],
    [
      'a store without an address',
      { ...good, stores: {} },
      { path: 'stores', message: "the policy's store `hr_docs` has no address", help: expect.any(String) },
    ],
    [
      'a port that is text',
      { ...good, listener: { port: '80' } },
      { path: 'listener.port', message: 'a whole number from 1 to 65535 is wanted here, this is the text `80`' },
    ],
    [
      'a port that is none',
      { ...good, listener: { port: 65_536 } },
      { path: 'listener.port', message: 'a whole number from 1 to 65535 is wanted here, this is `65536`' },
    ],
    [
      'a listener by name',
      { ...good, listener: { port: 1, address: 'localhost' } },
      {
        path: 'listener.address',
        message: '`localhost` is not an IP address',
        help: 'to listen on every interface, write `0.0.0.0`',
      },
    ],
    [
      'an address that is none',
      { ...good, listener: { port: 1, address: '1.2.3.256' } },
      { path: 'listener.address', message: '`1.2.3.256` is not an IP address', help: expect.any(String) },
    ],
    [
      'a URL of another kind',
      upstream({ url: 'ftp://x' }),
      { path: 'models.small.url', message: '`ftp://x` is not a URL of http or https' },
    ],
    [
      'a secret in a URL',
      upstream({ url: 'http://u:p@x' }),
      {
        path: 'models.small.url',
        message: 'a URL here has a host, a port and a path, and nothing else',
        help: 'name a secret by `credential`',
      },
    ],
    [
      'a secret as a credential',
      upstream({ credential: 'sk-very-secret-key' }),
      {
        path: 'models.small.credential',
        message: '`sk-very-` is none of `none`, `forward` and an object',
        help: 'a secret does not stand here: name the environment variable that has it',
      },
    ],
    [
      'a variable with a space',
      upstream({ credential: { variable: 'A B' } }),
      { path: 'models.small.credential.variable', message: '`A B` is not the name of an environment variable' },
    ],
    [
      'a prefix that Envoy would expand',
      upstream({ credential: { variable: 'A', prefix: '%ENV%' } }),
      { path: 'models.small.credential.prefix', message: 'a prefix is printable ASCII without `%`' },
    ],
    ['another HTTP', upstream({ http: 'h3' }), { path: 'models.small.http', message: 'write `http1` or `http2`' }],
    [
      'a private key',
      identity({ jwt: [{ issuer: 'a', jwks: { keys: [{ kty: 'RSA', d: 'x' }] } }] }),
      { path: 'identity.jwt.0.jwks.keys', message: 'a private key stands here', help: 'give the public part alone' },
    ],
    [
      'neither keys nor file',
      identity({ jwt: [{ issuer: 'a', jwks: {} }] }),
      { path: 'identity.jwt.0.jwks', message: 'give either `keys` (a JSON Web Key Set) or `file`' },
    ],
    [
      'one issuer twice',
      identity({ jwt: [1, 2].map(() => ({ issuer: 'a', jwks: { file: '/k' } })) }),
      { path: 'identity.jwt', message: '`a` stands here twice' },
    ],
    [
      'an API key itself',
      identity({ apiKeys: [{ sha256: 'sk-key', claims }] }),
      {
        path: 'identity.apiKeys.0.sha256',
        message: 'a SHA-256 has 64 hexadecimal digits',
        help: 'the key itself does not stand here',
      },
    ],
    [
      'one key in two cases',
      identity({
        apiKeys: [
          { sha256, claims },
          { sha256: sha256.toLowerCase(), claims },
        ],
      }),
      { path: 'identity.apiKeys', message: expect.stringContaining('stands here twice') },
    ],
    [
      'a claim that is an object',
      identity({ apiKeys: [{ sha256, claims: { a: {} } }] }),
      { path: 'identity.apiKeys.0.claims.a', message: 'a claim is a text, a number, true, false, or a list of texts' },
    ],
    [
      'names of certificates that nobody checks',
      identity({ sans: [{ san: 'spiffe://a', claims }] }),
      {
        path: 'identity.sans',
        message: 'certificates name callers here, and the listener asks clients for none',
        help: 'add `listener.tls.clientCa`',
      },
    ],
    [
      'a limit below its least',
      { ...good, limits: { requestBytes: 1 } },
      { path: 'limits.requestBytes', message: expect.stringContaining('a whole number from 1024 to') },
    ],
    [
      'an unknown limit',
      { ...good, limits: { requestByte: 1 } },
      { path: 'limits.requestByte', message: 'unknown key `requestByte`', help: 'did you mean `requestBytes`?' },
    ],
  ])('%s', (_, document, problem) => {
    expect(problemsOf(document)).toContainEqual(problem);
  });
});

describe('limits', () => {
  test.each(Object.entries(LIMIT_RANGES))('%s', (name, { most }) => {
    expect(parsed({ ...good, limits: { [name]: most } }).limits).toMatchObject({ [name]: most });
    expect(problemsOf({ ...good, limits: { [name]: most + 1 } })).toHaveLength(1);
  });

  test('issuers', () => {
    const issuers = (count: number): object =>
      identity({ jwt: Array.from({ length: count }, (_, at) => ({ issuer: `i${at}`, jwks: { file: '/k' } })) });
    expect(parsed(issuers(ISSUERS_MAX)).identity.jwt).toHaveLength(ISSUERS_MAX);
    expect(problemsOf(issuers(ISSUERS_MAX + 1))).toEqual([
      { path: 'identity.jwt', message: 'the list has 17 entries, at most 16 are allowed' },
    ]);
  });

  test('the file', () => {
    expect(problemsOf(' '.repeat(DEPLOYMENT_BYTES_MAX + 1))).toEqual([
      { path: '', message: 'the file is larger than 4194304 bytes' },
    ]);
  });

  test('problems told', () => {
    const many = Object.fromEntries(Array.from({ length: PROBLEMS_MAX + 1 }, (_, at) => [`key${at}`, 1]));
    expect(problemsOf({ ...good, ...many })).toHaveLength(PROBLEMS_MAX);
  });
});

test('a hash is kept in lower case', () => {
  expect(parsed(identity({ apiKeys: [{ sha256, claims }] })).identity.apiKeys).toEqual([
    { sha256: 'a'.repeat(64), claims },
  ]);
});

function parsed(document: unknown): Deployment {
  const result = parseDeployment(JSON.stringify(document), plan);
  if (result.kind === 'problems') throw new Error(JSON.stringify(result.problems));
  return result.deployment;
}

function problemsOf(document: unknown): readonly Problem[] {
  const result = parseDeployment(typeof document === 'string' ? document : JSON.stringify(document), plan);
  return result.kind === 'problems' ? result.problems : [];
}
