// `writ keys`: what it makes, who can read it, and what it refuses.
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { X509Certificate } from 'node:crypto';
import { roleOfUri } from '../../control-plane/keys/certificate.ts';
import { writ } from './run-writ.ts';

let folder = '';
const inKeys = (...path: string[]): string => join(folder, 'keys', ...path);
const keys = (...args: string[]) => writ(['keys', ...args], { cwd: folder });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-keys-'));
  expect(await keys('init', 'keys', '--node', 'berlin-1', '--host', 'plane.acme.example')).toMatchObject({
    code: 0,
    err: '',
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('keys init', () => {
  test('private keys can be read by their owner alone', () => {
    const files = readdirSync(inKeys(), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.key'));
    expect(files.sort()).toEqual([
      'bundle/signing.key',
      'deployment.key',
      'jwt/issuer.key',
      'mtls/admin-admin.key',
      'mtls/ca.key',
      'mtls/control-plane.key',
      'mtls/node-berlin-1.key',
    ]);
    for (const file of files) expect(statSync(inKeys(file)).mode & 0o777, file).toBe(0o600);
  });

  test("the control plane's certificate holds the given host and this machine's names", () => {
    const names = new X509Certificate(readFileSync(inKeys('mtls', 'control-plane.crt'))).subjectAltName ?? '';
    for (const name of [
      'DNS:plane.acme.example',
      'DNS:localhost',
      'IP Address:127.0.0.1',
      'URI:spiffe://writ/control-plane',
    ])
      expect(names).toContain(name);
  });

  test('refuses to overwrite, and leaves what is there', async () => {
    const before = readFileSync(inKeys('bundle', 'signing.key'), 'utf8');
    const { code, err } = await keys('init', 'keys');
    expect(code).toBe(2);
    expect(err).toMatch(/^writ: `.*signing\.key` exists already, and a key is never overwritten\n$/);
    expect(readFileSync(inKeys('bundle', 'signing.key'), 'utf8')).toBe(before);
  });
});

describe('keys node, keys admin', () => {
  test.each([
    ['node', 'paris-1', 'spiffe://writ/node/paris-1'],
    ['admin', 'alice', 'spiffe://writ/admin/alice'],
  ])('%s makes a certificate of that role under the same authority', async (kind, name, uri) => {
    expect(await keys(kind, name, '--keys', 'keys')).toMatchObject({ code: 0 });
    const certificate = new X509Certificate(readFileSync(inKeys('mtls', `${kind}-${name}.crt`)));
    expect(certificate.subjectAltName).toBe(`URI:${uri}`);
    expect(certificate.verify(new X509Certificate(readFileSync(inKeys('mtls', 'ca.crt'))).publicKey)).toBe(true);
  });

  test('a name that a certificate cannot have is refused', async () => {
    const { code, err } = await keys('node', '../evil', '--keys', 'keys');
    expect(code).toBe(2);
    expect(err).toContain('`../evil` cannot be a name here');
  });
});

describe('keys reviewer', () => {
  test('makes a certificate that names the groups, and who it is as a caller', async () => {
    const made = await keys(
      'reviewer',
      'lea',
      '--group',
      'legal-review',
      '--group',
      'Büro 1, 2',
      '--caller',
      'lea@acme.example',
      '--keys',
      'keys',
    );
    expect(made).toMatchObject({ code: 0, out: 'mtls/reviewer-lea.crt and .key are made\n' });
    const certificate = new X509Certificate(readFileSync(inKeys('mtls', 'reviewer-lea.crt')));
    const uri = (certificate.subjectAltName ?? '').replace(/^URI:/, '');
    expect(roleOfUri(uri)).toEqual({
      kind: 'reviewer',
      name: 'lea',
      groups: ['legal-review', 'Büro 1, 2'],
      caller: 'lea@acme.example',
    });
  });

  test.each([
    ['no group', []],
    ['an empty one', ['--group', '']],
    ['one without end', ['--group', 'x'.repeat(257)]],
    ['a caller without a name', ['--group', 'g', '--caller', '']],
    ['too many', Array.from({ length: 33 }, (_, at) => ['--group', `g${at}`]).flat()],
  ])('%s is refused', async (_, args) => {
    const { code, err } = await keys('reviewer', 'max', ...args, '--keys', 'keys');
    expect(code).toBe(2);
    expect(err).toContain('1 to 32 groups');
  });

  test.each([
    'spiffe://writ/reviewer/lea',
    'spiffe://writ/reviewer/lea/lea',
    'spiffe://writ/reviewer/LEA/lea/g',
    'spiffe://writ/reviewer/lea//g',
    'spiffe://writ/reviewer/lea/lea/%FF',
    'spiffe://writ/reviewer/lea/lea/a?b',
  ])('%s is no reviewer', (uri) => expect(roleOfUri(uri)).toBeUndefined());
});

test('--json says what was made, and holds no private key', async () => {
  const made = async (...args: string[]): Promise<unknown> => {
    const { code, out, err } = await keys(...args, '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).not.toContain('PRIVATE');
    return JSON.parse(out);
  };
  const bundleKey = expect.stringMatching(/^[0-9a-f]{8,}$/);
  const first = await made('init', 'json-keys', '--node', 'a', '--node', 'b');
  expect(first).toEqual({
    folder: 'json-keys',
    bundleKey,
    hosts: ['localhost', '127.0.0.1', '::1'],
    nodes: ['a', 'b'],
    admins: ['admin'],
  });
  expect(await made('node', 'c', '--keys', 'json-keys')).toEqual({
    certificate: 'mtls/node-c.crt',
    key: 'mtls/node-c.key',
  });
  expect(statSync(join(folder, 'json-keys', 'mtls', 'node-c.crt')).isFile()).toBe(true);
  expect(await made('rotate', '--keys', 'json-keys')).toEqual({
    bundleKey,
    replaced: (first as { bundleKey: string }).bundleKey,
  });
  expect(await made('jwt', '--keys', 'json-keys', '--claims', '{"sub":"u1"}')).toEqual({
    token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
  });
});

describe('keys jwt', () => {
  test("prints a token that the issuer's public key verifies", async () => {
    const { code, out } = await keys(
      'jwt',
      '--keys',
      'keys',
      '--claims',
      '{"sub":"u1","groups":["hr"]}',
      '--seconds',
      '60',
    );
    expect(code).toBe(0);
    const jwks = createLocalJWKSet(JSON.parse(readFileSync(inKeys('jwt', 'jwks.json'), 'utf8')));
    const { payload } = await jwtVerify(out.trim(), jwks, { issuer: 'https://issuer.writ.example' });
    expect(payload).toMatchObject({ sub: 'u1', groups: ['hr'] });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
  });

  test.each([
    [['--claims', 'sub=u1'], 'the claims are not a JSON object'],
    [['--claims', '[]'], 'the claims are not a JSON object'],
    [['--claims', '{}', '--seconds', '1.5'], '`--seconds 1.5` is not a whole number'],
    [[], 'takes `--claims JSON`'],
  ])('%j is refused', async (args, message) => {
    const { code, err } = await keys('jwt', '--keys', 'keys', ...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

test('keys rotate: a new key signs, the old one is trusted still', async () => {
  const before = readdirSync(inKeys('bundle', 'trusted'));
  const { code, out } = await keys('rotate', '--keys', 'keys');
  expect(code).toBe(0);
  const after = readdirSync(inKeys('bundle', 'trusted'));
  expect(after).toHaveLength(before.length + 1);
  expect(after).toEqual(expect.arrayContaining(before));
  const added = after.find((name) => !before.includes(name)) ?? '';
  expect(out).toContain(`bundle key ${added.replace('.pem', '')} signs from now on`);
  expect(statSync(inKeys('bundle', 'signing.key')).mode & 0o777).toBe(0o600);
});

describe('keys', () => {
  test('a key that others can read is refused, with the remedy', async () => {
    chmodSync(inKeys('jwt', 'issuer.key'), 0o644);
    const { code, err } = await keys('jwt', '--keys', 'keys', '--claims', '{}');
    chmodSync(inKeys('jwt', 'issuer.key'), 0o600);
    expect(code).toBe(2);
    expect(err).toContain('chmod 600');
  });

  test.each([
    [[], 'but none is given'],
    [['make'], 'but `make` is none of them'],
    [['node', 'x'], 'no keys are given'],
    [['init'], '`writ keys init` takes one DIR, but none is given'],
    [['init', 'x', '--hots', 'y'], 'unknown option `--hots`'],
  ])('%j: one line and a hint', async (args, message) => {
    const { code, err } = await keys(...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(err.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  });
});
