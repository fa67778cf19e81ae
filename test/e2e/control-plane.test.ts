// Control plane, sidecar and Envoy together, over mTLS: releases that arrive, that are refused, and a control plane
// that goes away and comes back.
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issueCertificate } from '../../control-plane/keys/certificate.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import type { NodeInfo } from '../../proto/gen/writ/v1/admin_pb.ts';
import { SignedBundleSchema } from '../../proto/gen/writ/v1/bundle_pb.ts';
import type { SignedBundle } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { unaryCall } from '../../proto/grpc-call.ts';
import { admin, authority, bundleKey, node, startTestControlPlane } from '../control-plane/fixtures.ts';
import type { TestControlPlane } from '../control-plane/fixtures.ts';
import type { Mesh } from './mesh.ts';
import { POLICY, startMesh } from './mesh.ts';
import { scriptedFilter } from './scripted-filter.ts';
import { settles } from './settles.ts';
import type { Upstream } from './upstream.ts';
import { startUpstream } from './upstream.ts';
import { freePort } from '../../examples/parts/free-port.ts';

const plan = {
  models: [{ name: 'small' }],
  stores: [],
  events: [{ kind: 'completion', default: 'deny', rules: [], stream: 'early' }],
} as const;
const CALL = { timeoutMs: 10_000 };

let port: number;
let plane: TestControlPlane;
let upstream: Upstream;
let mesh: Mesh;

beforeAll(async () => {
  upstream = await startUpstream(({ body }) => ({ body: [body] }));
  port = await freePort();
  plane = await startTestControlPlane({ port });
  const own = issueCertificate(authority, node('node-1'), [], Date.now());
  mesh = await startMesh({
    plan,
    deployment: { models: { small: { url: `http://127.0.0.1:${upstream.port}` } } },
    loadFilter: (wasm) => {
      if (wasm[0] === 255) throw new Error('no such import');
      return scriptedFilter({ route: 'model/small', mark: `${wasm[0]}:` });
    },
    wasm: Uint8Array.of(1),
    key: bundleKey,
    controlPlane: {
      address: `127.0.0.1:${port}`,
      ca: Buffer.from(authority.certificatePem),
      certificate: Buffer.from(own.certificatePem),
      key: Buffer.from(own.privateKeyPem),
    },
    offers: false,
  });
});

afterAll(async () => {
  await mesh?.stop();
  await plane?.stop();
  await upstream?.stop();
});

const push = async (release: SignedBundle): Promise<void> => {
  await unaryCall(plane.client(admin), Admin.method.push, release, CALL);
};
const ask = async (): Promise<string> => {
  const response = await fetch(`${mesh.url}/echo`, { method: 'POST', body: 'x' });
  return `${response.status} ${await response.text()}`;
};
const metrics = async (): Promise<{ readonly [state: string]: number }> => {
  const text = await (await fetch(`http://127.0.0.1:${plane.plane.ports.http}/metrics`)).text();
  return Object.fromEntries(
    [...text.matchAll(/^writ_control_plane_nodes\{state="(\w+)"\} (\d+)$/gm)].map(([, state, count]) => [
      state,
      Number(count),
    ]),
  );
};
const info = async (): Promise<NodeInfo | undefined> =>
  (await unaryCall(plane.client(admin), Admin.method.status, { policy: POLICY }, CALL)).nodes.find(
    ({ name }) => name === 'node-1',
  );

describe('a release', () => {
  test('that is pushed comes into force, and the control plane hears of it', async () => {
    expect(mesh.sidecar().status()).toMatchObject({ verified: null, enforcing: null });
    await push(mesh.release(1));
    await mesh.enforced(1);
    expect(await ask()).toBe('200 1:x');
    await settles(async () => (await info())?.status?.enforcing?.sequence === 1n);
    expect(await info()).toMatchObject({
      connected: true,
      status: { policy: POLICY, door: 'ext_proc', verified: { sequence: 1n } },
      quarantined: [],
    });
  });

  test('that follows is decided by within two seconds of its push', async () => {
    const began = performance.now();
    await push(mesh.release(2, { wasm: Uint8Array.of(2) }));
    await settles(async () => (await ask()) === '200 2:x', 2_000);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('that the sidecar refuses is told, not sent again, and leaves the old one in force', async () => {
    await push(mesh.release(3, { wasm: Uint8Array.of(255) }));
    await settles(async () => (await info())?.status?.refused?.code === 'bad_filter');
    expect(await info()).toMatchObject({
      status: { verified: { sequence: 3n }, enforcing: { sequence: 2n } },
      quarantined: [{ resource: POLICY }],
    });
    expect(await ask()).toBe('200 2:x');
    expect(await metrics()).toMatchObject({ connected: 1, behind: 1, refusing: 1 });
    await push(mesh.release(4, { wasm: Uint8Array.of(4) }));
    await settles(async () => (await ask()) === '200 4:x');
    expect(mesh.sidecar().status().refused).toBeNull();
    await settles(async () => (await metrics()).behind === 0);
    expect(await metrics()).toMatchObject({ connected: 1, behind: 0, refusing: 0 });
  });
});

describe('a control plane that is gone', () => {
  test('changes nothing, and is found again with what it then has', async () => {
    await plane.plane.stop();
    await settles(() => mesh.sidecar().status().controlPlane === 'disconnected');
    expect(await ask()).toBe('200 4:x');

    await mesh.stopSidecar();
    await mesh.restartSidecar();
    await mesh.enforced(4);
    await settles(async () => (await ask()) === '200 4:x');

    plane = await startTestControlPlane({ port, stateFolder: plane.folder });
    await settles(() => mesh.sidecar().status().controlPlane === 'connected', 20_000);
    await push(mesh.release(5, { wasm: Uint8Array.of(5) }));
    await settles(async () => (await ask()) === '200 5:x');
  });
});

test('what the control plane does not take, the sidecar never sees', async () => {
  const release = mesh.release(6, { wasm: Uint8Array.of(6) });
  for (const changes of [
    { sequence: 7n },
    { bundle: release.bundle.subarray(1) },
    { release: mesh.release(5).release },
  ]) {
    const { name, revision, sequence, rollback, release: signed, bundle } = release;
    await expect(
      push(create(SignedBundleSchema, { name, revision, sequence, rollback, release: signed, bundle, ...changes })),
    ).rejects.toMatchObject({ code: expect.any(Number) });
  }
  expect(mesh.sidecar().status()).toMatchObject({ verified: { sequence: 5 }, refused: null });
  expect(await ask()).toBe('200 5:x');
});
