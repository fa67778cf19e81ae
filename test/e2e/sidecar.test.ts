// The sidecar with the real Envoy: what it takes and refuses, what it keeps, what happens when a part is gone, and
// policies that change under load. With a scripted filter, which only the sidecar can run: what it decides of releases is
// the same for both doors, and what a change does to traffic is in policy-change.test.ts through both.
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SignedBundleSchema } from '../../proto/gen/writ/v1/bundle_pb.ts';
import type { SignedBundle } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { liveBytes } from '../bench/live-bytes.ts';
import type { Mesh } from './mesh.ts';
import { startMesh } from './mesh.ts';
import { loadInChild } from './load-in-child.ts';
import { scriptedFilter } from './scripted-filter.ts';
import { settles } from './settles.ts';
import { makeKeyPair, makeRelease } from './signed-release.ts';
import type { Upstream } from './upstream.ts';
import { startUpstream } from './upstream.ts';

const model = (name: string) =>
  ({
    models: [{ name }],
    stores: [],
    events: [{ kind: 'completion', default: 'deny', classify: [], rules: [], stream: 'early' }],
  }) as const;
const plan = model('small');

let upstream: Upstream;
let mesh: Mesh;

/** The first byte is the policy's number, which its replies begin with; 255 cannot be loaded. */
function loadFilter(wasm: Uint8Array): ReturnType<typeof scriptedFilter> {
  if (wasm[0] === 255) throw new Error('no such import');
  return scriptedFilter({ route: wasm[0] === 9 ? 'model/other' : 'model/small', mark: `${wasm[0]}:` });
}

beforeAll(async () => {
  upstream = await startUpstream(({ body, path }) =>
    path.includes('slow') ? { body: [600, body] } : { body: [body] },
  );
});

afterAll(async () => {
  await upstream?.stop();
});

const deployment = (names: readonly string[] = ['small']): object => ({
  models: Object.fromEntries(names.map((name) => [name, { url: `http://127.0.0.1:${upstream.port}` }])),
});
const ask = async (path = '/echo'): Promise<string> => {
  const response = await fetch(`${mesh.url}${path}`, { method: 'POST', body: 'x' });
  return `${response.status} ${await response.text()}`;
};

describe('releases', () => {
  beforeAll(async () => {
    mesh = await startMesh({ plan, deployment: deployment(), loadFilter, wasm: Uint8Array.of(1) });
  });
  afterAll(() => mesh.stop());
  afterEach(async () => {
    // Whatever a test did, its policy is not in force.
    expect(await ask()).toBe('200 1:x');
  });

  const refused = async (release: SignedBundle, code: string): Promise<void> => {
    await expect(mesh.sidecar().offer(release)).rejects.toMatchObject({ code });
    expect(mesh.sidecar().status()).toMatchObject({
      enforcing: { sequence: 1 },
      refused: { code: code === 'envoy_refused' ? 'envoy_nack' : code },
    });
  };
  const fields = (release: SignedBundle) => ({
    name: release.name,
    revision: release.revision,
    sequence: release.sequence,
    rollback: release.rollback,
    release: release.release,
    bundle: release.bundle,
  });

  test('of which one byte was changed are refused', async () => {
    const release = mesh.release(2, { wasm: Uint8Array.of(2) });
    for (const at of [0, 700, release.bundle.length >> 1, release.bundle.length - 1]) {
      const bundle = Uint8Array.from(release.bundle);
      bundle[at] = (bundle[at] ?? 0) ^ 1;
      await expect(
        mesh.sidecar().offer(create(SignedBundleSchema, { ...fields(release), bundle })),
      ).rejects.toMatchObject({ name: 'BundleError' });
    }
    expect(mesh.sidecar().status().verified).toMatchObject({ sequence: 1 });
  });

  test('signed with another key are refused', async () => {
    const { name } = mesh.release(2);
    await refused(
      makeRelease({
        policy: name,
        sequence: 2,
        plan,
        deployment: { listener: { port: mesh.port }, ...deployment() },
        wasm: Uint8Array.of(2),
        key: makeKeyPair(),
      }),
      'unknown_key',
    );
  });

  test('of another policy set are refused', async () => {
    await refused(
      makeRelease({
        policy: 'other',
        sequence: 2,
        plan,
        deployment: { listener: { port: mesh.port }, ...deployment() },
        wasm: Uint8Array.of(2),
        key: mesh.key,
      }),
      'options',
    );
  });

  test('whose copies disagree with what was signed are refused', async () => {
    await refused(create(SignedBundleSchema, { ...fields(mesh.release(2)), sequence: 3n }), 'wrong_release');
  });

  test('whose filter cannot be loaded are refused', async () => {
    await refused(mesh.release(3, { wasm: Uint8Array.of(255) }), 'bad_filter');
    expect(mesh.sidecar().status().verified).toMatchObject({ sequence: 3 });
  });

  test('that envoy refuses leave it with what it had', async () => {
    const listener = {
      address: '127.0.0.1',
      port: mesh.port,
      tls: { certificate: '/nowhere/c.pem', key: '/nowhere/k.pem' },
    };
    await refused(
      mesh.release(4, { wasm: Uint8Array.of(4), deployment: { ...deployment(), listener } }),
      'envoy_refused',
    );
  });

  test('that are older are refused, unless they are a signed rollback', async () => {
    await refused(mesh.release(2), 'old_sequence');
    await mesh.sidecar().offer(mesh.release(5, { wasm: Uint8Array.of(5) }));
    expect(await ask()).toBe('200 5:x');
    await mesh.sidecar().offer(mesh.release(6, { rollback: true }));
    expect(mesh.sidecar().status()).toMatchObject({
      verified: { sequence: 6 },
      enforcing: { sequence: 6 },
      refused: null,
    });
  });
});

describe('without a control plane', () => {
  test('the last good release is in force after a restart, and history does not begin anew', async () => {
    mesh = await startMesh({ plan, deployment: deployment(), loadFilter, wasm: Uint8Array.of(1) });
    try {
      await mesh.sidecar().offer(mesh.release(2, { wasm: Uint8Array.of(2) }));
      await mesh.stopSidecar();
      expect(await ask()).toMatch(/^5\d\d /);
      await mesh.restartSidecar();
      await mesh.enforced(2);
      await settles(async () => (await ask()) === '200 2:x');
      await expect(mesh.sidecar().offer(mesh.release(1))).rejects.toMatchObject({ code: 'old_sequence' });
    } finally {
      await mesh.stop();
    }
  });

  test('nothing is in force before the first release, and what the disk holds is verified again', async () => {
    mesh = await startMesh({ plan, deployment: deployment(), loadFilter, wasm: Uint8Array.of(1) });
    try {
      await mesh.stopSidecar();
      const kept = join(mesh.stateFolder, 'release.bin');
      const bytes = readFileSync(kept);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(kept, bytes);
      await mesh.restartSidecar();
      expect(mesh.sidecar().status()).toMatchObject({ enforcing: null, verified: { sequence: 1 } });
      expect(mesh.sidecar().status().refused).not.toBeNull();
      await settles(() => mesh.sidecar().status().envoys === 1);
      expect(await ask().catch(() => '503 no listener')).toMatch(/^5\d\d /);
      // The same release again, undamaged.
      await mesh.sidecar().offer(mesh.release(1));
      await settles(async () => (await ask().catch(() => '')) === '200 1:x');
    } finally {
      await mesh.stop();
    }
  });

  test("the state folder and its sockets are this user's alone", async () => {
    mesh = await startMesh({ plan, deployment: deployment(), loadFilter, wasm: Uint8Array.of(1) });
    try {
      const modeOf = (path: string): string => (statSync(join(mesh.stateFolder, path)).mode & 0o777).toString(8);
      expect(
        ['.', 'envoy', 'envoy/sidecar.sock', 'envoy/processor.sock', 'admin.sock', 'release.bin'].map(modeOf),
      ).toEqual(['700', '700', '600', '600', '600', '600']);
    } finally {
      await mesh.stop();
    }
  });
});

describe('under load', () => {
  beforeAll(async () => {
    mesh = await startMesh({ plan, deployment: deployment(), loadFilter, wasm: Uint8Array.of(1) });
  });
  afterAll(() => mesh.stop());

  test('10,000 requests at concurrency 32: none fails, and memory is flat', async () => {
    const body = JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'x'.repeat(1_700) }] });
    const round = async (count: number): ReturnType<typeof bytesHeld> => {
      const result = await loadInChild({
        port: mesh.port,
        path: '/echo',
        body,
        concurrency: 32,
        count,
        contains: '1:{"model"',
      });
      expect(result).toMatchObject({ count, failed: 0, failures: [] });
      await settles(() => mesh.sidecar().status().exchanges === 0);
      upstream.received.length = 0;
      return bytesHeld();
    };
    const warm = await round(3_000);
    const after = await round(10_000);
    expect(after.here - warm.here).toBeLessThan(8 * 1024 * 1024);
    expect(after.envoy - warm.envoy).toBeLessThan(32 * 1024 * 1024);
  }, 120_000);

  test('policies that change, with new models and without old ones, fail no request', async () => {
    const running = loadInChild({
      port: mesh.port,
      path: '/echo',
      body: 'x',
      concurrency: 16,
      count: 6_000,
      contains: ':x',
    });
    let sequence = 1;
    let isOver = false;
    void running.finally(() => (isOver = true));
    while (!isOver) {
      sequence++;
      // Even: another model takes the place of the first, and its cluster and route go with it.
      await mesh.sidecar().offer(
        sequence % 2 === 0
          ? mesh.release(sequence, {
              plan: model('other'),
              deployment: deployment(['other']),
              wasm: Uint8Array.of(9),
            })
          : mesh.release(sequence, { wasm: Uint8Array.of(1) }),
      );
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    expect(await running).toMatchObject({ failed: 0, failures: [] });
    expect(sequence).toBeGreaterThan(5);
    upstream.received.length = 0;
    await mesh.sidecar().offer(mesh.release(sequence + 1));
  }, 120_000);

  test('an exchange in flight ends with the policy that it began with', async () => {
    upstream.received.length = 0;
    const slow = ask('/slow');
    await settles(() => upstream.received.some(({ path }) => path === '/slow'));
    const { sequence } = mesh.sidecar().status().verified ?? { sequence: 0 };
    await mesh
      .sidecar()
      .offer(
        mesh.release(sequence + 1, { plan: model('other'), deployment: deployment(['other']), wasm: Uint8Array.of(9) }),
      );
    expect(await ask()).toBe('200 9:x');
    expect(await slow).toBe('200 1:x');
    await mesh.sidecar().offer(mesh.release(sequence + 2));
  });

  test('a sidecar that stops lets exchanges in flight end', async () => {
    upstream.received.length = 0;
    const slow = ask('/slow');
    await settles(() => upstream.received.some(({ path }) => path === '/slow'));
    await mesh.stopSidecar();
    expect(await slow).toBe('200 1:x');
    expect(await ask()).toMatch(/^5\d\d /);
    await mesh.restartSidecar();
    await settles(async () => (await ask()) === '200 1:x');
  });
});

describe('a filter that traps', () => {
  test('fails that exchange alone, and is loaded anew', async () => {
    let loads = 0;
    mesh = await startMesh({
      plan,
      deployment: deployment(),
      loadFilter: () => scriptedFilter({ route: 'model/small', mark: `${++loads}:` }),
      wasm: Uint8Array.of(1),
    });
    try {
      expect(await ask()).toBe('200 1:x');
      const slow = ask('/slow');
      expect(await ask('/trap')).toMatch(/^5\d\d /);
      await settles(async () => (await ask()) === '200 2:x');
      expect(await slow).toBe('200 1:x');
      expect(mesh.alarms).toEqual(['an exchange failed: RuntimeError']);
      // At most one a second.
      await Promise.all([ask('/trap'), ask('/trap'), ask('/trap')]);
      expect(loads).toBeLessThanOrEqual(3);
      expect(mesh.alarms).toHaveLength(1);
    } finally {
      await mesh.stop();
    }
  });
});

describe('what a sidecar tells', () => {
  beforeAll(async () => {
    mesh = await startMesh({ plan, deployment: deployment(), loadFilter, wasm: Uint8Array.of(1) });
    appendFileSync(join(mesh.stateFolder, 'decisions.log'), '');
  });
  afterAll(() => mesh.stop());

  const page = async (path: string): Promise<{ status: number; text: string }> => {
    const response = await fetch(`http://127.0.0.1:${mesh.sidecar().adminPort}${path}`);
    return { status: response.status, text: await response.text() };
  };

  test("decisions are logged, a line each, without the exchange's content", async () => {
    await fetch(`${mesh.url}/echo?q=4111111111111111`, {
      method: 'POST',
      body: '4111 1111 1111 1111',
      headers: { 'x-user': 'jane@example.com' },
    });
    const log = (): string => readFileSync(join(mesh.stateFolder, 'decisions.log'), 'utf8');
    await settles(() => log() !== '');
    const line: unknown = JSON.parse(log().trim().split('\n').at(-1) ?? '');
    expect(line).toMatchObject({
      labels: { id: 'node-1' },
      path: 'writ/decision',
      bundles: { acme: { revision: mesh.sidecar().status().enforcing?.revision } },
      result: { event: 'prompt', outcome: 'allow' },
    });
    expect(log()).not.toMatch(/4111|jane/);
  });

  test('metrics, health and status', async () => {
    const metrics = await page('/metrics');
    expect(metrics.text).toMatch(/writ_exchanges_total\{end="complete"\} [1-9]/);
    expect(metrics.text).toMatch(/writ_decisions_total\{event="prompt",outcome="allow"\} [1-9]/);
    expect(metrics.text).toMatch(/writ_release_enforcing 1\n/);
    expect(metrics.text).not.toMatch(/4111|jane/);
    expect(await page('/healthz')).toEqual({ status: 200, text: 'ok\n' });
    expect(JSON.parse((await page('/status')).text)).toEqual(mesh.sidecar().status());
    expect((await page('/quitquitquit')).status).toBe(404);
  });
});

/**
 * What is alive in this process (sidecar, upstream and test) after a collection, and what Envoy has of the machine's
 * memory.
 */
async function bytesHeld(): Promise<{ readonly here: number; readonly envoy: number }> {
  let here = 0;
  for (let i = 0; i < 3; i++) {
    // Streams that have ended are let go of in later turns.
    await new Promise((resolve) => setTimeout(resolve, 300));
    here = await liveBytes();
  }
  const status = readFileSync(`/proc/${mesh.envoy.pid}/status`, 'utf8');
  return { here, envoy: Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024 };
}
