// What passes while parts are missing, on the real Envoy: before the sidecar is there, before it has a policy, before
// Envoy has the filter, and after the sidecar was killed under load. The rule of both doors: nothing passes without a
// policy. Then they differ: inside Envoy the filter goes on without the sidecar, the external processor cannot.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBinary } from '@bufbuild/protobuf';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { verifyBundle } from '../../compiler/bundle/verify-bundle.ts';
import { start as startEnvoy } from '../../examples/parts/envoy.ts';
import type { RunningEnvoy } from '../../examples/parts/envoy.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import { createGrpcServer, listen } from '../../filters/door/grpc-server.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { envoyBootstrap } from '../../filters/sidecar/envoy-bootstrap.ts';
import { readEnvoyDocument } from '../../filters/sidecar/envoy-document.ts';
import { startSidecar } from '../../filters/sidecar/start-sidecar.ts';
import { LocalAds } from '../../filters/sidecar/xds/local-ads.ts';
import { DOORS } from '../../proto/door.ts';
import { SignedBundleSchema } from '../../proto/gen/writ/v1/bundle_pb.ts';
import type { SignedBundle } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { JWT_FILTER } from '../../proto/route-key.ts';
import { startChild } from '../bench/child.ts';
import { loadInChild } from './load-in-child.ts';
import { POLICY } from './mesh.ts';
import { OPEN_POLICY } from './open-policy.ts';
import { policyWasm } from './policy-wasm.ts';
import { settles } from './settles.ts';
import { makeKeyPair, makeRelease } from './signed-release.ts';
import type { Upstream } from './upstream.ts';
import { startUpstream } from './upstream.ts';

const KEY = `sk-${randomBytes(16).toString('hex')}`;
const CARD = '4111 1111 1111 1111';
const SOURCE = `${OPEN_POLICY}caller { id : text from claim "sub" }
model m "m" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
rule mask_cards on prompt redact payment_card as mask
`;
const BODY = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: `My card is ${CARD}.` }] });
const HEADERS = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` };
/** Long enough for what would pass to pass. */
const WATCH_MS = 600;

describe.each(DOORS)('through the door %s', (door) => {
  let upstream: Upstream;
  let stateFolder: string;
  let port: number;
  let release: SignedBundle;
  let envoy: RunningEnvoy | undefined;
  const key = makeKeyPair();

  beforeAll(async () => {
    upstream = await startUpstream(() => ({
      body: [
        JSON.stringify({
          id: 'c',
          object: 'chat.completion',
          created: 1,
          model: 'm',
          choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
        }),
      ],
    }));
  });
  afterAll(() => upstream?.stop());

  beforeEach(async () => {
    upstream.received.length = 0;
    stateFolder = mkdtempSync(join(tmpdir(), 'writ-cold-'));
    mkdirSync(join(stateFolder, 'envoy'), { mode: 0o700 });
    port = await freePort();
    const deployment = {
      listener: { port },
      models: { m: { url: `http://127.0.0.1:${upstream.port}` } },
      identity: { apiKeys: [{ sha256: createHash('sha256').update(KEY).digest('hex'), claims: { sub: 'u1' } }] },
    };
    const { plan, wasm } = await policyWasm(SOURCE, deployment);
    release = makeRelease({ policy: POLICY, sequence: 1, plan, deployment, wasm, door, key });
  });
  afterEach(async () => {
    await envoy?.stop();
    envoy = undefined;
    rmSync(stateFolder, { recursive: true, force: true });
  });

  /** The status; 0 where nobody listens. */
  const ask = (): Promise<number> =>
    fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: 'POST', body: BODY, headers: HEADERS }).then(
      ({ status }) => status,
      () => 0,
    );
  /** Every answer within a time. */
  async function watched(): Promise<Set<number>> {
    const seen = new Set<number>();
    for (const end = performance.now() + WATCH_MS; performance.now() < end; await new Promise((r) => setTimeout(r, 50)))
      seen.add(await ask());
    return seen;
  }

  test('nothing passes before sidecar, policy and filter are there; then it works', async () => {
    const at = (socket: string): string => join(stateFolder, 'envoy', socket);
    envoy = await startEnvoy({
      config: envoyBootstrap({
        socketPath: at('sidecar.sock'),
        processorPath: at('processor.sock'),
        nodeId: 'node-1',
        policy: POLICY,
        admin: { kind: 'socket', path: at('admin.sock') },
      }),
      concurrency: 1,
      needsNoConfiguration: true,
    });
    // No sidecar.
    expect(await watched()).toEqual(new Set([0]));

    // Somebody who serves xDS, and brings one thing after another.
    const { files, revision } = verifyBundle(release.bundle, [key.verification]);
    const document = readEnvoyDocument(new TextDecoder().decode(files.get(BUNDLE_PATHS.envoy)), {
      wasm: files.get(BUNDLE_PATHS.filterWasm) ?? new Uint8Array(),
      name: POLICY,
      revision,
    });
    const server = createGrpcServer({ messageBytesMax: 64 * 1024 * 1024 });
    const ads = new LocalAds(() => undefined);
    ads.addTo(server);
    await listen(server, at('sidecar.sock'));
    await settles(() => ads.connected === 1, 30_000);
    // No policy.
    expect(await watched()).toEqual(new Set([0]));
    ads.set('cluster', document.cluster);
    ads.set('route', document.route);
    ads.set('listener', document.listener);
    const jwt = document.extension.get(JWT_FILTER);
    if (jwt === undefined) throw new Error('the bundle has no filter for tokens');
    ads.set('extension', new Map([[JWT_FILTER, jwt]]));
    // Everything but what decides: the listener does not open.
    expect(await watched()).toEqual(new Set([0]));
    expect(upstream.received).toEqual([]);
    // What decides, which inside Envoy needs no sidecar; and gone again: its place is held by what denies all.
    ads.set('extension', document.extension);
    await settles(async () => (await ask()) === (door === 'in_envoy' ? 200 : 503), 20_000);
    ads.set('extension', new Map([[JWT_FILTER, jwt]]));
    await settles(async () => (await ask()) !== 200);
    upstream.received.length = 0;
    expect(await watched()).toEqual(new Set([door === 'in_envoy' ? 403 : 500]));
    expect(upstream.received).toEqual([]);
    server.forceShutdown();

    const sidecar = await startSidecar({
      stateFolder,
      node: 'node-1',
      policy: POLICY,
      keys: [key.verification],
      loadFilter,
      adminPort: 0,
      version: '0.1.0',
      alarm: () => undefined,
    });
    try {
      await settles(() => sidecar.status().envoys === 1, 30_000);
      expect(await watched()).not.toContain(200);
      expect(upstream.received).toEqual([]);
      await sidecar.offer(release);
      await settles(async () => (await ask()) === 200, 20_000);
      expect(upstream.received.at(-1)?.body.toString()).toContain('[PAYMENT_CARD]');
    } finally {
      await sidecar.stop();
    }
  }, 120_000);

  test('a sidecar that is killed under load', async () => {
    const releaseFile = join(stateFolder, 'given.bin');
    writeFileSync(releaseFile, toBinary(SignedBundleSchema, release));
    const options = JSON.stringify({
      stateFolder,
      policy: POLICY,
      ...key.verification,
      releaseFile,
      echo: false,
      route: '',
    });
    let sidecar = await startChild('envoy/sidecar-child.ts', [options]);
    try {
      envoy = await startEnvoy({ config: JSON.parse(sidecar.line), concurrency: 2 });
      await settles(async () => (await ask()) === 200);
      upstream.received.length = 0;
      const load = loadInChild({
        port,
        path: '/v1/chat/completions',
        body: BODY,
        headers: { authorization: HEADERS.authorization },
        concurrency: 8,
        count: 3_000,
        contains: 'Hello.',
      });
      await settles(() => upstream.received.length > 500, 30_000);
      process.kill(sidecar.pid, 'SIGKILL');
      const { failed, failures } = await load;
      if (door === 'in_envoy') {
        expect({ failed, failures }).toEqual({ failed: 0, failures: [] });
        expect(await ask()).toBe(200);
      } else {
        // What was in flight and whatever came after it is refused, and nothing goes on.
        expect(failed).toBeGreaterThan(0);
        const governed = upstream.received.length;
        expect(await watched()).toEqual(new Set([503]));
        expect(upstream.received).toHaveLength(governed);
      }
      expect(upstream.received.filter(({ body }) => body.includes('4111'))).toEqual([]);
      sidecar = await startChild('envoy/sidecar-child.ts', [options]);
      await settles(async () => (await ask()) === 200, 30_000);
    } finally {
      await sidecar.stop();
    }
  }, 120_000);
});
