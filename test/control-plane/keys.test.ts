// Certificates that OpenSSL and Node's TLS take, tokens that jose takes, and files that others cannot read.
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, describe, expect, test } from 'vitest';
import { signJws, verifyJws } from '../../compiler/bundle/jws.ts';
import { createAuthority, issueCertificate, roleOfUri } from '../../control-plane/keys/certificate.ts';
import type { Credential, Role } from '../../control-plane/keys/certificate.ts';
import { integer, oid, time } from '../../control-plane/keys/der.ts';
import { createJwtIssuer, signJwt } from '../../control-plane/keys/jwt-issuer.ts';
import {
  KeyFileError,
  addCertificate,
  createBundleKeyIn,
  createKeyFolder,
  readJwtIssuer,
  readRole,
  readSigningKey,
  readTrustedKeys,
} from '../../control-plane/keys/key-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'writ-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const now = Date.now();
const authority = createAuthority(now);
const server = issueCertificate(
  authority,
  { kind: 'control-plane' },
  ['localhost', '127.0.0.1', '::1', 'fe80::1:2', 'control.example'],
  now,
);
const client = issueCertificate(authority, { kind: 'node', name: 'gpu-1' }, [], now);

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('openssl', () => {
  const ca = file('ca.crt', authority.certificatePem);
  const verify = (credential: Credential, purpose: string): string =>
    execFileSync(
      'openssl',
      [
        'verify',
        '-x509_strict',
        '-check_ss_sig',
        '-purpose',
        purpose,
        '-CAfile',
        ca,
        file('leaf.crt', credential.certificatePem),
      ],
      { encoding: 'utf8', stdio: 'pipe' },
    );

  test('verifies each certificate for its own purpose, and not for the other', () => {
    expect(verify(server, 'sslserver')).toContain('OK');
    expect(verify(client, 'sslclient')).toContain('OK');
    expect(() => verify(server, 'sslclient')).toThrow();
    expect(() => verify(client, 'sslserver')).toThrow();
  });

  test('refuses a certificate of another authority, and one signed by a leaf', () => {
    expect(() =>
      verify(issueCertificate(createAuthority(now), { kind: 'node', name: 'x' }, [], now), 'sslclient'),
    ).toThrow();
    expect(() => verify(issueCertificate(client, { kind: 'admin', name: 'x' }, [], now), 'sslclient')).toThrow();
  });

  test('refuses one whose time is over', () => {
    expect(() =>
      verify(issueCertificate(authority, { kind: 'node', name: 'x' }, [], now - 900 * 86_400_000), 'sslclient'),
    ).toThrow();
  });

  test('reads the names', () => {
    const text = execFileSync(
      'openssl',
      ['x509', '-noout', '-ext', 'subjectAltName', '-in', file('names.crt', server.certificatePem)],
      { encoding: 'utf8' },
    );
    expect(text).toContain(
      'URI:spiffe://writ/control-plane, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:FE80:0:0:0:0:0:1:2, DNS:control.example',
    );
  });
});

test("Node's TLS connects both sides, each knowing the other", async () => {
  const seen = await new Promise<{ node: string | undefined; plane: string | undefined }>((resolve, reject) => {
    const tls = createServer(
      {
        key: server.privateKeyPem,
        cert: server.certificatePem,
        ca: authority.certificatePem,
        requestCert: true,
        rejectUnauthorized: true,
      },
      (socket) => {
        socket.end(new X509Certificate(socket.getPeerCertificate().raw).subjectAltName ?? '');
      },
    );
    tls.listen(0, '127.0.0.1', () => {
      const address = tls.address();
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
      const socket = connect({
        port,
        host: '127.0.0.1',
        servername: 'localhost',
        key: client.privateKeyPem,
        cert: client.certificatePem,
        ca: authority.certificatePem,
      });
      socket.on('error', reject);
      socket.on('data', (data) => {
        tls.close();
        resolve({ node: data.toString(), plane: socket.getPeerCertificate().subjectaltname });
      });
    });
  });
  expect(seen.node).toBe('URI:spiffe://writ/node/gpu-1');
  expect(seen.plane).toContain('URI:spiffe://writ/control-plane');
});

describe('a role', () => {
  test.each<[string, Role | undefined]>([
    ['spiffe://writ/node/a', { kind: 'node', name: 'a' }],
    ['spiffe://writ/admin/a.b_c-1', { kind: 'admin', name: 'a.b_c-1' }],
    ['spiffe://writ/control-plane', { kind: 'control-plane' }],
    ['spiffe://writ/node/', undefined],
    ['spiffe://writ/node/a/b', undefined],
    ['spiffe://writ/node/A', undefined],
    ['spiffe://other/node/a', undefined],
    ['spiffe://writ/root/a', undefined],
    ['xspiffe://writ/node/a', undefined],
  ])('of %s is %j', (uri, role) => expect(roleOfUri(uri)).toEqual(role));

  test('with a bad name, or a host that is none, gets no certificate', () => {
    for (const name of ['', 'A', 'a/b', 'a b', '-a', 'a'.repeat(64)])
      expect(() => issueCertificate(authority, { kind: 'node', name }, [], now)).toThrow();
    expect(() => issueCertificate(authority, { kind: 'control-plane' }, ['a b'], now)).toThrow();
  });
});

test('the encoding is distinguished', () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  expect(hex(integer(Uint8Array.of(0, 0, 0x7f)))).toBe('02017f');
  expect(hex(integer(Uint8Array.of(0x80)))).toBe('02020080');
  expect(hex(integer(Uint8Array.of(0)))).toBe('020100');
  expect(hex(oid('1.2.840.10045.4.3.2'))).toBe('06082a8648ce3d040302');
  expect(Buffer.from(time(Date.UTC(2049, 11, 31, 23, 59, 59))).toString('latin1', 2)).toBe('491231235959Z');
  expect(Buffer.from(time(Date.UTC(2050, 0, 1))).toString('latin1', 2)).toBe('20500101000000Z');
});

test('tokens verify against the key set, and not against another', async () => {
  const issuer = createJwtIssuer();
  const token = signJwt(issuer.privateKeyPem, {
    iss: 'https://acme.example',
    sub: 'u1',
    exp: Math.floor(now / 1000) + 60,
    department: 'hr',
  });
  const keys = createLocalJWKSet(JSON.parse(JSON.stringify(issuer.jwks)));
  expect((await jwtVerify(token, keys)).payload).toMatchObject({ sub: 'u1', department: 'hr' });
  await expect(
    jwtVerify(token, createLocalJWKSet(JSON.parse(JSON.stringify(createJwtIssuer().jwks)))),
  ).rejects.toThrow();
  await expect(jwtVerify(signJwt(issuer.privateKeyPem, { exp: Math.floor(now / 1000) - 60 }), keys)).rejects.toThrow(
    'exp',
  );
  expect(JSON.stringify(issuer.jwks)).not.toContain('"d"');
});

describe('the folder of keys', () => {
  const keys = join(folder, 'keys');
  const code = (action: () => unknown): string => {
    try {
      action();
    } catch (error) {
      if (error instanceof KeyFileError) return error.code;
      throw error;
    }
    return '';
  };
  createKeyFolder(keys, { hosts: ['localhost'], nodes: ['n1'], admins: ['alice'], now });

  test('keeps every private key from others, and tells them from the public ones', () => {
    const paths = readdirSync(keys, { recursive: true, encoding: 'utf8' });
    const secret = paths.filter((path) => path.endsWith('.key'));
    expect(secret.sort()).toEqual([
      'bundle/signing.key',
      'deployment.key',
      'jwt/issuer.key',
      'mtls/admin-alice.key',
      'mtls/ca.key',
      'mtls/control-plane.key',
      'mtls/node-n1.key',
    ]);
    for (const path of secret) expect(statSync(join(keys, path)).mode & 0o777).toBe(0o600);
    for (const path of ['bundle', 'mtls', 'jwt']) expect(statSync(join(keys, path)).mode & 0o777).toBe(0o700);
  });

  test('gives them back', () => {
    const [trusted] = readTrustedKeys(keys);
    expect(verifyJws(signJws({ a: 1 }, readSigningKey(keys)), trusted === undefined ? [] : [trusted])).toEqual({
      a: 1,
    });
    expect(readRole(keys, { kind: 'node', name: 'n1' }).authorityPem).toContain('CERTIFICATE');
    expect(readJwtIssuer(keys).jwks.keys).toHaveLength(1);
  });

  test('is never overwritten', () => {
    expect(code(() => createKeyFolder(keys, { hosts: [], nodes: [], admins: [], now }))).toBe('exists');
    expect(code(() => addCertificate(keys, { kind: 'node', name: 'n1' }, [], now))).toBe('exists');
  });

  test('rotates the bundle key: what the old one signed is still trusted', () => {
    const old = readSigningKey(keys);
    const signedBefore = signJws({ a: 1 }, old);
    const fresh = createBundleKeyIn(keys, { replace: true });
    expect(fresh.kid).not.toBe(old.kid);
    expect(readSigningKey(keys).kid).toBe(fresh.kid);
    expect(verifyJws(signedBefore, readTrustedKeys(keys))).toEqual({ a: 1 });
    expect(verifyJws(signJws({ a: 2 }, fresh), readTrustedKeys(keys))).toEqual({ a: 2 });
  });

  test('is refused when others can read a private key, or when it is not there', () => {
    chmodSync(join(keys, 'bundle', 'signing.key'), 0o644);
    expect(code(() => readSigningKey(keys))).toBe('readable_by_others');
    expect(code(() => readRole(keys, { kind: 'admin', name: 'nobody' }))).toBe('missing');
    expect(code(() => readTrustedKeys(join(keys, 'nowhere')))).toBe('missing');
  });
});
