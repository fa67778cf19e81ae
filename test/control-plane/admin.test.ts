// Pushing, rolling back, who may do what, and what survives a restart: through the real gRPC server over mTLS.
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthority, issueCertificate } from '../../control-plane/keys/certificate.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import { Leases } from '../../proto/gen/writ/v1/leases_pb.ts';
import { Nodes } from '../../proto/gen/writ/v1/nodes_pb.ts';
import { unaryCall } from '../../proto/grpc-call.ts';
import { admin, node, startTestControlPlane, strangersKey, testBundle, testRelease } from './fixtures.ts';
import type { ReleaseFixture, TestControlPlane } from './fixtures.ts';

const options = { timeoutMs: 10_000 };
let control: TestControlPlane;
beforeAll(async () => {
  control = await startTestControlPlane();
});
afterAll(() => control.stop());

const push = (message: ReleaseFixture) => unaryCall(control.client(admin), Admin.method.push, message, options);
const rollback = (message: ReleaseFixture) => unaryCall(control.client(admin), Admin.method.rollback, message, options);
const first = testBundle('first');
const second = testBundle('second');

describe('push', () => {
  test('refuses what is not signed by a trusted key, before anything is stored', async () => {
    await expect(push(testRelease(testBundle('x', [], strangersKey), 1))).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('unknown_key'),
    });
    await expect(push(testRelease(first, 1, false, strangersKey))).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('unknown_key'),
    });
    const replies = await unaryCall(control.client(admin), Admin.method.revisions, { name: 'acme' }, options);
    expect(replies).toMatchObject({ revisions: [], nextSequence: 1n });
  });

  test('refuses a changed byte, a swapped bundle, changed copies, a plan that is none', async () => {
    const good = testRelease(first, 1);
    const changed = Uint8Array.from(first);
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1;
    for (const bad of [
      { ...good, bundle: changed },
      { ...good, bundle: second },
      { ...good, sequence: 2n },
      { ...good, rollback: true },
      { ...good, name: 'other' },
      { ...good, bundle: first.slice(0, 900) },
    ]) {
      await expect(push(bad)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    }
    await expect(push(testRelease(testBundle('no limit', [{ name: 'b', limit: -1 }]), 1))).rejects.toMatchObject({
      details: expect.stringContaining('bad_plan'),
    });
  });

  test('takes releases in order, and the last one again', async () => {
    await expect(push(testRelease(first, 2))).rejects.toMatchObject({ code: status.ABORTED });
    await expect(push(testRelease(first, 1))).resolves.toMatchObject({ sequence: 1n });
    await expect(push(testRelease(first, 1))).resolves.toMatchObject({ sequence: 1n });
    await expect(push(testRelease(second, 1))).rejects.toMatchObject({ code: status.ABORTED });
    await expect(push(testRelease(second, 2))).resolves.toMatchObject({ sequence: 2n });
    await expect(push(testRelease(first, 1))).rejects.toMatchObject({ code: status.ABORTED });
  });

  test('brings an old revision back only by a signed rollback', async () => {
    await expect(push(testRelease(first, 3))).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: expect.stringContaining('was_released'),
    });
    await expect(rollback(testRelease(testBundle('never'), 3, true))).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
    });
    await expect(rollback(testRelease(first, 3, false))).rejects.toMatchObject({ code: status.FAILED_PRECONDITION });
    await expect(rollback(testRelease(first, 3, true))).resolves.toMatchObject({ sequence: 3n });
  });

  test('keeps the history, also over a restart', async () => {
    await control.restart();
    const history = await unaryCall(control.client(admin), Admin.method.revisions, { name: 'acme' }, options);
    expect(history.nextSequence).toBe(4n);
    expect(
      history.revisions.map(({ sequence, rollback: isRollback, pushedBy }) => [sequence, isRollback, pushedBy]),
    ).toEqual([
      [3n, true, 'admin/alice'],
      [2n, false, 'admin/alice'],
      [1n, false, 'admin/alice'],
    ]);
  });
});

describe('a certificate', () => {
  test('of a node cannot administer, one of an admin cannot be a node', async () => {
    await expect(
      unaryCall(control.client(node('n1')), Admin.method.push, testRelease(second, 4), options),
    ).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    await expect(unaryCall(control.client(node('n1')), Admin.method.status, {}, options)).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    });
    await expect(unaryCall(control.client(admin), Nodes.method.report, {}, options)).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    });
    await expect(unaryCall(control.client(admin), Leases.method.take, {}, options)).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    });
  });

  test('of the control plane, of another authority, or none at all is nobody', async () => {
    const stranger = issueCertificate(createAuthority(Date.now()), admin, [], Date.now());
    for (const credential of [undefined, stranger]) {
      await expect(unaryCall(control.clientWith(credential), Admin.method.status, {}, options)).rejects.toMatchObject({
        code: status.UNAVAILABLE,
      });
    }
    await expect(
      unaryCall(control.client({ kind: 'control-plane' }), Admin.method.status, {}, options),
    ).rejects.toBeDefined();
  });
});

describe('status', () => {
  test('shows what each node reported, by the name in its certificate', async () => {
    const state = { revision: 'a'.repeat(64), sequence: 3n };
    const refused = { revision: 'b'.repeat(64), sequence: 4n, code: 'wrong_hash', message: 'x'.repeat(5_000) };
    await unaryCall(
      control.client(node('n1')),
      Nodes.method.report,
      { policy: 'acme', door: 'ext_proc', verified: state, enforcing: state, refused },
      options,
    );
    const all = await unaryCall(control.client(admin), Admin.method.status, {}, options);
    expect(all.nodes).toMatchObject([
      {
        name: 'n1',
        connected: false,
        status: { door: 'ext_proc', enforcing: { sequence: 3n }, refused: { code: 'wrong_hash' } },
      },
    ]);
    expect(all.nodes[0]?.status?.refused?.message).toHaveLength(1_000);
    expect((await unaryCall(control.client(admin), Admin.method.status, { policy: 'other' }, options)).nodes).toEqual(
      [],
    );
  });
});

describe('a history that was lost', () => {
  test('goes on after what nodes have verified; where there is a history, nodes cannot move it', async () => {
    const report = (policy: string, sequence: bigint) =>
      unaryCall(
        control.client(node('n2')),
        Nodes.method.report,
        { policy, verified: { revision: 'a'.repeat(64), sequence } },
        options,
      );
    const next = async (name: string) =>
      (await unaryCall(control.client(admin), Admin.method.revisions, { name }, options)).nextSequence;
    const bundle = testBundle('found again', [], undefined, 'lost');
    await report('lost', 41n);
    expect(await next('lost')).toBe(42n);
    await expect(push(testRelease(bundle, 1))).rejects.toMatchObject({ code: status.ABORTED });
    await expect(push(testRelease(bundle, 42))).resolves.toMatchObject({ sequence: 42n });
    await report('lost', 1_000n);
    expect(await next('lost')).toBe(43n);
    await report('other', 2n ** 63n - 1n);
    expect(await next('other')).toBe(1n);
  });
});

describe('over plain HTTP', () => {
  test('metrics and health answer, anything else does not', async () => {
    const get = (path: string) => fetch(`http://127.0.0.1:${control.plane.ports.http}${path}`);
    expect((await get('/healthz')).status).toBe(200);
    const metrics = (await (await get('/metrics')).text()).split('\n');
    expect(metrics).toContain('writ_control_plane_release_sequence{policy="acme"} 3');
    expect(metrics).toContain('writ_control_plane_nodes{state="connected"} 0');
    expect(metrics.find((line) => line.startsWith('writ_control_plane_pushes_total{result="accepted"}'))).toMatch(
      / [1-9]/,
    );
    expect(metrics.find((line) => line.startsWith('writ_control_plane_pushes_total{result="refused"}'))).toMatch(
      / [1-9]/,
    );
    expect((await get('/constructor')).status).toBe(404);
  });
});
