// Limits of the whole path, each at its limit and one above; callers known by their certificates; and a sidecar that is
// killed. Through the ext_proc door, with a scripted filter in the kernel's place, which shows what the door itself does;
// the same limits inside Envoy are in in-envoy.test.ts, a killed sidecar through both in cold-start.test.ts.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBinary } from '@bufbuild/protobuf';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { start as startEnvoy } from '../../examples/parts/envoy.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import { createAuthority, issueCertificate, roleUri } from '../../control-plane/keys/certificate.ts';
import type { Credential } from '../../control-plane/keys/certificate.ts';
import { DecisionLog, FILES_MAX } from '../../filters/sidecar/decision-log.ts';
import { CALL_REPLY_BYTES_MAX, callStore } from '../../filters/sidecar/store-client.ts';
import { createGrpcServer, listen } from '../../filters/door/grpc-server.ts';
import { SignedBundleSchema } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { startChild } from '../bench/child.ts';
import type { Mesh } from './mesh.ts';
import { POLICY, startMesh } from './mesh.ts';
import { scriptedFilter } from './scripted-filter.ts';
import type { ScriptedFilter } from './scripted-filter.ts';
import { settles } from './settles.ts';
import { makeKeyPair, makeRelease } from './signed-release.ts';
import type { Upstream } from './upstream.ts';
import { startUpstream } from './upstream.ts';

const plan = {
  models: [{ name: 'small' }],
  stores: [],
  events: [{ kind: 'completion', default: 'deny', classify: [], rules: [], stream: 'early' }],
} as const;
const loadFilter = (): ScriptedFilter => scriptedFilter({ route: 'model/small' });

let upstream: Upstream;
let mesh: Mesh | undefined;

beforeAll(async () => {
  upstream = await startUpstream(({ body, path }) =>
    path.includes('/still')
      ? { headers: { 'content-type': 'text/event-stream' }, body: ['data: 1\n\n', 8_000, 'data: 2\n\n'] }
      : { body: path.includes('/slow') ? [700, body] : [body] },
  );
});
afterAll(() => upstream.stop());
afterEach(async () => {
  await mesh?.stop();
  mesh = undefined;
});

const deployment = (): object => ({ models: { small: { url: `http://127.0.0.1:${upstream.port}` } } });
const post = (url: string, body = 'x'): Promise<Response> => fetch(url, { method: 'POST', body });

describe("a deployment's limits", () => {
  test('exchanges at one time', async () => {
    mesh = await startMesh({ plan, deployment: { ...deployment(), limits: { exchanges: 2 } }, loadFilter });
    const { url, sidecar } = mesh;
    const slow = [post(`${url}/slow`), post(`${url}/slow`)];
    await settles(() => sidecar().status().exchanges === 2);
    expect((await post(`${url}/echo`)).status).toBe(503);
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await post(`${url}/echo`)).status).toBe(200);
  });

  test('bytes of a request', async () => {
    mesh = await startMesh({ plan, deployment: { ...deployment(), limits: { requestBytes: 1_024 } }, loadFilter });
    expect((await post(`${mesh.url}/echo`, 'x'.repeat(1_024))).status).toBe(200);
    expect((await post(`${mesh.url}/echo`, 'x'.repeat(100_000))).status).toBe(413);
  });

  test('bytes of a reply that is held whole', async () => {
    mesh = await startMesh({ plan, deployment: { ...deployment(), limits: { replyBytes: 2_048 } }, loadFilter });
    expect((await post(`${mesh.url}/echo`, 'x'.repeat(2_048))).status).toBe(200);
    expect((await post(`${mesh.url}/echo`, 'x'.repeat(2_049))).status).toBe(503);
    expect(await fetch(`http://127.0.0.1:${mesh.sidecar().adminPort}/metrics`).then((page) => page.text())).toMatch(
      /writ_errors_total\{code="reply_too_large"\} 1/,
    );
    const { sidecar } = mesh;
    await settles(() => sidecar().status().exchanges === 0);
  });

  test('seconds that a stream may stand still', async () => {
    mesh = await startMesh({ plan, deployment: { ...deployment(), limits: { idleSeconds: 1 } }, loadFilter });
    const began = performance.now();
    const response = await post(`${mesh.url}/still`);
    await expect(response.text()).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(5_000);
    const { sidecar } = mesh;
    await settles(() => sidecar().status().exchanges === 0);
  });

  test('kibibytes of headers', async () => {
    mesh = await startMesh({ plan, deployment: { ...deployment(), limits: { headerKibibytes: 8 } }, loadFilter });
    // Envoy answers 431 or closes the connection, as its parser was ahead or not.
    const ask = (bytes: number): Promise<number> =>
      fetch(`${mesh?.url}/echo`, { headers: { 'x-long': 'y'.repeat(bytes) } }).then(
        ({ status }) => status,
        () => 431,
      );
    const before = upstream.received.length;
    expect(await ask(4_000)).toBe(200);
    expect(await ask(9_000)).toBe(431);
    expect(upstream.received).toHaveLength(before + 1);
  });
});

describe('certificates', () => {
  test('name their callers; one of another authority is none, and a header that says one is nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'writ-tls-'));
    const authority = createAuthority(Date.now());
    const stranger = createAuthority(Date.now());
    const role = { kind: 'node', name: 'robot' } as const;
    const files = Object.fromEntries(
      Object.entries({
        certificate: issueCertificate(authority, { kind: 'control-plane' }, ['localhost'], Date.now()).certificatePem,
        clientCa: authority.certificatePem,
      }).map(([name, text]) => {
        writeFileSync(join(folder, name), text);
        return [name, join(folder, name)];
      }),
    );
    const server = issueCertificate(authority, { kind: 'control-plane' }, ['localhost'], Date.now());
    writeFileSync(join(folder, 'certificate'), server.certificatePem);
    writeFileSync(join(folder, 'key'), server.privateKeyPem);
    const filter = loadFilter();
    mesh = await startMesh({
      plan,
      deployment: { ...deployment(), identity: { sans: [{ san: roleUri(role), claims: { sub: 'robot' } }] } },
      listener: { tls: { ...files, key: join(folder, 'key') } },
      loadFilter: () => filter,
    });
    const { port } = mesh;
    const ask = (own?: Credential): Promise<number> =>
      new Promise((resolve, reject) => {
        const tls = own === undefined ? {} : { cert: own.certificatePem, key: own.privateKeyPem };
        https
          .request(
            {
              port,
              host: '127.0.0.1',
              servername: 'localhost',
              ca: authority.certificatePem,
              method: 'GET',
              path: '/echo',
              agent: false,
              headers: { 'x-forwarded-client-cert': `URI=${roleUri(role)}` },
              ...tls,
            },
            (response) => {
              response.resume();
              resolve(response.statusCode ?? 0);
            },
          )
          .on('error', reject)
          .end();
      });
    expect(await ask(issueCertificate(authority, role, [], Date.now()))).toBe(200);
    expect(await ask()).toBe(200);
    await expect(ask(issueCertificate(stranger, role, [], Date.now()))).rejects.toThrow();
    // The first session is the one that tries the filter.
    expect(filter.opened.slice(1).map(({ evidence }) => evidence.san)).toEqual([roleUri(role), undefined]);
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('a sidecar that is killed', () => {
  test('lets nothing pass while it is gone, and goes on when it is back', async () => {
    const stateFolder = mkdtempSync(join(tmpdir(), 'writ-kill-'));
    const key = makeKeyPair();
    const port = await freePort();
    const releaseFile = join(stateFolder, 'given.bin');
    writeFileSync(
      releaseFile,
      toBinary(
        SignedBundleSchema,
        makeRelease({
          policy: POLICY,
          sequence: 1,
          plan,
          deployment: { listener: { port }, ...deployment() },
          wasm: Uint8Array.of(0),
          key,
        }),
      ),
    );
    const options = JSON.stringify({
      stateFolder,
      policy: POLICY,
      ...key.verification,
      releaseFile,
      echo: true,
      route: 'model/small',
    });
    let child = await startChild('envoy/sidecar-child.ts', [options]);
    const envoy = await startEnvoy({ config: JSON.parse(child.line), concurrency: 1 });
    const ask = async (path: string): Promise<number> =>
      (await post(`http://127.0.0.1:${port}${path}`).catch(() => ({ status: 0 }))).status;
    try {
      await settles(async () => (await ask('/echo')) === 200);
      const before = upstream.received.length;
      const inFlight = ask('/slow');
      await settles(() => upstream.received.length === before + 1);
      process.kill(child.pid, 'SIGKILL');
      // Its reply cannot be governed any more.
      expect(await inFlight).toBeGreaterThanOrEqual(500);
      const governed = upstream.received.length;
      for (let count = 0; count < 5; count++) expect(await ask('/echo')).toBeGreaterThanOrEqual(500);
      expect(upstream.received.length).toBe(governed);
      child = await startChild('envoy/sidecar-child.ts', [options]);
      await settles(async () => (await ask('/echo')) === 200, 20_000);
    } finally {
      await envoy.stop();
      await child.stop();
      rmSync(stateFolder, { recursive: true, force: true });
    }
  });
});

describe('the decision log', () => {
  test('drops and counts what does not fit into its queue, and keeps no more files than it says', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'writ-log-'));
    const log = new DecisionLog({
      path: join(folder, 'd.log'),
      node: 'n',
      policy: POLICY,
      now: () => new Date(0),
      alarm: () => undefined,
      queueMax: 3,
      fileBytesMax: 300,
    });
    const entry = { exchange: 'e', revision: 'r', record: '{"event":"prompt"}' };
    // The first two are half of the queue and are being written; three wait behind them.
    for (let count = 0; count < 6; count++) log.add(entry);
    expect(log.dropped).toBe(1);
    for (let count = 0; count < 20; count++) {
      await settles(() => log.written === 5 + count);
      log.add(entry);
    }
    await log.close();
    expect([log.written, log.dropped]).toEqual([25, 1]);
    expect(readdirSync(folder)).toHaveLength(FILES_MAX);
    rmSync(folder, { recursive: true, force: true });
  });

  test('that cannot be written loses its lines, says so once, and stops nothing', async () => {
    const alarms: string[] = [];
    const log = new DecisionLog({
      path: '/nowhere/d.log',
      node: 'n',
      policy: POLICY,
      now: () => new Date(0),
      alarm: (message) => alarms.push(message),
    });
    for (const _ of [1, 2]) {
      log.add({ exchange: 'e', revision: 'r', record: '{}' });
      const dropped = log.dropped;
      await settles(() => log.dropped > dropped);
    }
    expect([log.dropped, alarms.length]).toEqual([2, 1]);
  });
});

describe('a call to a store', () => {
  const answers = async (body: Buffer): Promise<{ baseUrl: string; stop: () => void }> => {
    const server = createServer((_, response) => void response.end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => void server.close() };
  };
  const call = { method: 'POST', path: '/get', body: Buffer.from('{}') } as const;

  test('takes a reply at its limit, and none above it', async () => {
    const fits = await answers(Buffer.alloc(CALL_REPLY_BYTES_MAX, 'x'));
    const tooLarge = await answers(Buffer.alloc(CALL_REPLY_BYTES_MAX + 1, 'x'));
    expect((await callStore({ ...call, baseUrl: fits.baseUrl }))?.body.length).toBe(CALL_REPLY_BYTES_MAX);
    expect(await callStore({ ...call, baseUrl: tooLarge.baseUrl })).toBeUndefined();
    fits.stop();
    tooLarge.stop();
  });

  test('to a store that is gone has no answer', async () => {
    expect(await callStore({ ...call, baseUrl: `http://127.0.0.1:${await freePort()}` })).toBeUndefined();
  });
});

test("a socket's path has a limit", async () => {
  const server = createGrpcServer({ messageBytesMax: 1_024 });
  await expect(listen(server, `/tmp/${'x'.repeat(103)}`)).rejects.toMatchObject({ code: 'socket_path' });
});
