// What the tests of the control plane share: keys in memory, bundles with budgets, a running control plane, and clients
// with certificates.
import { Client, credentials } from '@grpc/grpc-js';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { signRelease } from '../../compiler/bundle/release.ts';
import { verifyBundle } from '../../compiler/bundle/verify-bundle.ts';
import { writeBundle } from '../../compiler/bundle/write-bundle.ts';
import { createBundleKey } from '../../control-plane/keys/bundle-key.ts';
import { createAuthority, issueCertificate } from '../../control-plane/keys/certificate.ts';
import type { Credential, Role } from '../../control-plane/keys/certificate.ts';
import { startControlPlane } from '../../control-plane/main.ts';
import type { ControlPlane, ControlPlaneOptions } from '../../control-plane/main.ts';
import type { ControlPlaneAddress } from '../../filters/sidecar/control-plane-channel.ts';

export const bundleKey = createBundleKey();
export const strangersKey = createBundleKey();
export const authority = createAuthority(Date.now());
export const controlPlaneCredential = issueCertificate(
  authority,
  { kind: 'control-plane' },
  ['localhost', '127.0.0.1'],
  Date.now(),
);

export interface BudgetFixture {
  readonly name: string;
  readonly limit: number;
}

/** A bundle whose plan has these budgets, per day in Berlin. `note` makes it differ from others. */
export function testBundle(
  note: string,
  budgets: readonly BudgetFixture[] = [],
  key = bundleKey,
  policy = 'acme',
): Uint8Array {
  const plan = {
    events: [
      { kind: 'prompt', budgets: budgets.map((budget) => ({ ...budget, period: 'day', timeZone: 'Europe/Berlin' })) },
    ],
  };
  const text = (content: string): Uint8Array => Buffer.from(content, 'utf8');
  const files = new Map([
    [BUNDLE_PATHS.data, text('{"writ":{}}')],
    [BUNDLE_PATHS.plan, text(JSON.stringify(plan))],
    [BUNDLE_PATHS.rego, text(`package writ\n\n# ${note}\ndecision := {"outcome": "deny"}\n`)],
  ]);
  return writeBundle(files, {
    policy,
    compilerVersion: '0.1.0',
    sourceHash: '0'.repeat(64),
    planVersion: 1,
    key: key.signing,
  });
}

export interface ReleaseFixture {
  readonly name: string;
  readonly revision: string;
  readonly sequence: bigint;
  readonly rollback: boolean;
  readonly release: string;
  readonly bundle: Uint8Array;
}

/** The message that `writ push` sends. */
export function testRelease(bundle: Uint8Array, sequence: number, rollback = false, key = bundleKey): ReleaseFixture {
  const { revision, digest, policy } = verifyBundle(bundle, [bundleKey.verification, strangersKey.verification]);
  const release = signRelease({ name: policy, revision, digest, sequence, rollback }, key.signing);
  return { name: policy, revision, sequence: BigInt(sequence), rollback, release, bundle };
}

/** How a sidecar named `name` reaches a control plane on this port: with a certificate of its own. */
export function addressFor(name: string, port: number): ControlPlaneAddress {
  const own = issueCertificate(authority, node(name), [], Date.now());
  return {
    address: `127.0.0.1:${port}`,
    ca: Buffer.from(authority.certificatePem),
    certificate: Buffer.from(own.certificatePem),
    key: Buffer.from(own.privateKeyPem),
  };
}

export interface TestControlPlane {
  readonly plane: ControlPlane;
  readonly folder: string;
  readonly logged: readonly string[];
  /** A channel with a certificate of a role, made at the first use. */
  client(role: Role): Client;
  /** A channel with any certificate, or none. */
  clientWith(credential: Credential | undefined): Client;
  /** Stops and starts on the same folder. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startTestControlPlane(changes: Partial<ControlPlaneOptions> = {}): Promise<TestControlPlane> {
  const folder = changes.stateFolder ?? mkdtempSync(join(tmpdir(), 'writ-control-plane-'));
  const logged: string[] = [];
  const start = (): Promise<ControlPlane> =>
    startControlPlane({
      stateFolder: folder,
      credential: { ...controlPlaneCredential, authorityPem: authority.certificatePem },
      trustedKeys: () => [bundleKey.verification],
      host: '127.0.0.1',
      port: 0,
      httpPort: 0,
      log: (message) => logged.push(message),
      ...changes,
    });
  let plane = await start();
  let isRunning = true;
  /** Nothing where the last start has failed. */
  const stopPlane = async (): Promise<void> => {
    closeClients();
    if (isRunning) await plane.stop();
    isRunning = false;
  };
  const clients = new Set<Client>();
  const closeClients = (): void => {
    for (const client of clients) client.close();
    clients.clear();
  };
  const clientWith = (credential: Credential | undefined): Client => {
    const root = Buffer.from(authority.certificatePem);
    const own =
      credential === undefined ? [] : [Buffer.from(credential.privateKeyPem), Buffer.from(credential.certificatePem)];
    const client = new Client(`127.0.0.1:${plane.ports.grpc}`, credentials.createSsl(root, ...own), {
      'grpc.max_receive_message_length': 72 * 1024 * 1024,
      'grpc.ssl_target_name_override': 'localhost',
    });
    clients.add(client);
    return client;
  };
  return {
    get plane() {
      return plane;
    },
    folder,
    logged,
    client: (role) => clientWith(issueCertificate(authority, role, [], Date.now())),
    clientWith,
    restart: async () => {
      await stopPlane();
      plane = await start();
      isRunning = true;
    },
    stop: async () => {
      await stopPlane();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const admin: Role = { kind: 'admin', name: 'alice' };

export function node(name: string): Role {
  return { kind: 'node', name };
}
