// The sidecar's channel at an address: TLS asks by name, and the certificate must be the address's.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { issueCertificate } from '../../control-plane/keys/certificate.ts';
import { openChannel } from '../../filters/sidecar/control-plane-channel.ts';
import { authority, node } from './fixtures.ts';

const CONNECTED_MS_MAX = 20_000;
const REFUSED_MS = 2_000;
const own = issueCertificate(authority, node('n1'), [], Date.now());
const ca = Buffer.from(authority.certificatePem);

/** A server on 127.0.0.1 with a certificate for these hosts, while `use` runs. */
async function serving(hosts: readonly string[], use: (port: number) => Promise<void>): Promise<void> {
  const { certificatePem, privateKeyPem } = issueCertificate(authority, { kind: 'control-plane' }, hosts, Date.now());
  const pair = { cert_chain: Buffer.from(certificatePem), private_key: Buffer.from(privateKeyPem) };
  const server = new Server();
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(ca, [pair], true), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  try {
    await use(port);
  } finally {
    server.forceShutdown();
  }
}

async function connects(address: string, withinMs: number): Promise<boolean> {
  const [certificate, key] = [Buffer.from(own.certificatePem), Buffer.from(own.privateKeyPem)];
  const channel = openChannel({ address, ca, certificate, key });
  try {
    return await new Promise((resolve) =>
      channel.waitForReady(Date.now() + withinMs, (error) => resolve(error === undefined)),
    );
  } finally {
    channel.close();
  }
}

test('reaches a control plane at its address, and by its name', async () => {
  const warnings: string[] = [];
  const note = (warning: Error): void => void warnings.push(`${warning.name}: ${warning.message}`);
  process.on('warning', note);
  await serving(['localhost', '127.0.0.1'], async (port) => {
    expect(await connects(`127.0.0.1:${port}`, CONNECTED_MS_MAX)).toBe(true);
    expect(await connects(`localhost:${port}`, CONNECTED_MS_MAX)).toBe(true);
  });
  process.off('warning', note);
  // Node warns of a server that is named by its address (DEP0123) as it connects.
  expect(warnings).toEqual([]);
});

test('does not take the certificate of another address', async () => {
  await serving(['localhost', '127.0.0.2'], async (port) => {
    expect(await connects(`127.0.0.1:${port}`, REFUSED_MS)).toBe(false);
    expect(await connects(`localhost:${port}`, CONNECTED_MS_MAX)).toBe(true);
  });
});
