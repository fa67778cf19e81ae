// Control plane, sidecar and Envoy together, over mTLS: releases that arrive, that are refused, and a control plane
// that goes away and comes back.
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import type { NodeInfo } from '../../proto/gen/writ/v1/admin_pb.ts';
import { SignedBundleSchema } from '../../proto/gen/writ/v1/bundle_pb.ts';
import type { SignedBundle } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { DOORS } from '../../proto/door.ts';
import { unaryCall } from '../../proto/grpc-call.ts';
import { addressFor, admin, bundleKey, startTestControlPlane } from '../control-plane/fixtures.ts';
import type { TestControlPlane } from '../control-plane/fixtures.ts';
import type { Mesh } from './mesh.ts';
import { POLICY, startMesh } from './mesh.ts';
import { decidingPolicy, MARKED_DEPLOYMENT, markedPolicies } from './marked-policy.ts';
import type { PolicyWasm } from './policy-wasm.ts';
import { settles } from './settles.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';

const CALL = { timeoutMs: 10_000 };

describe.each(DOORS)('through the door %s', (door) => {
  let port: number;
  let plane: TestControlPlane;
  let marked: (mark: number) => PolicyWasm;
  let mesh: Mesh;

  beforeAll(async () => {
    port = await freePort();
    plane = await startTestControlPlane({ port });
    marked = await markedPolicies([1, 2, 4, 5, 6]);
    mesh = await startMesh({
      ...marked(1),
      deployment: MARKED_DEPLOYMENT,
      loadFilter,
      door,
      key: bundleKey,
      controlPlane: addressFor('node-1', port),
      offers: false,
    });
  });

  afterAll(async () => {
    await mesh?.stop();
    await plane?.stop();
  });

  const push = async (release: SignedBundle): Promise<void> => {
    await unaryCall(plane.client(admin), Admin.method.push, release, CALL);
  };
  const deciding = (): Promise<number> => decidingPolicy(mesh.url);
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
      expect(await deciding()).toBe(1);
      await settles(async () => (await info())?.status?.enforcing?.sequence === 1n);
      expect(await info()).toMatchObject({
        connected: true,
        status: { policy: POLICY, door, verified: { sequence: 1n } },
        quarantined: [],
      });
    });

    // How soon is measured where it can be: `npm run bench`.
    test('that follows is decided by once it was pushed', async () => {
      await push(mesh.release(2, marked(2)));
      await settles(async () => (await deciding()) === 2);
    });

    test('that the sidecar refuses is told, not sent again, and leaves the old one in force', async () => {
      await push(mesh.release(3, { wasm: Uint8Array.of(255) }));
      await settles(async () => (await info())?.status?.refused?.code === 'bad_filter');
      expect(await info()).toMatchObject({
        status: { verified: { sequence: 3n }, enforcing: { sequence: 2n } },
        quarantined: [{ resource: POLICY }],
      });
      expect(await deciding()).toBe(2);
      expect(await metrics()).toMatchObject({ connected: 1, behind: 1, refusing: 1 });
      await push(mesh.release(4, marked(4)));
      await settles(async () => (await deciding()) === 4);
      expect(mesh.sidecar().status().refused).toBeNull();
      await settles(async () => (await metrics()).behind === 0);
      expect(await metrics()).toMatchObject({ connected: 1, behind: 0, refusing: 0 });
    });
  });

  describe('a control plane that is gone', () => {
    test('changes nothing, and is found again with what it then has', async () => {
      await plane.plane.stop();
      await settles(() => mesh.sidecar().status().controlPlane === 'disconnected');
      expect(await deciding()).toBe(4);

      await mesh.stopSidecar();
      await mesh.restartSidecar();
      await mesh.enforced(4);
      await settles(async () => (await deciding()) === 4);

      plane = await startTestControlPlane({ port, stateFolder: plane.folder });
      await settles(() => mesh.sidecar().status().controlPlane === 'connected', 20_000);
      await push(mesh.release(5, marked(5)));
      await settles(async () => (await deciding()) === 5);
    });
  });

  test('what the control plane does not take, the sidecar never sees', async () => {
    const release = mesh.release(6, marked(6));
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
    expect(await deciding()).toBe(5);
  });
});
