// The Envoy that a sidecar starts itself: it serves, is started again when it dies, and ends with the sidecar.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { install } from '../../examples/parts/envoy.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import type { Sidecar } from '../../filters/sidecar/start-sidecar.ts';
import { startSidecar } from '../../filters/sidecar/start-sidecar.ts';
import { scriptedFilter } from './scripted-filter.ts';
import { settles } from './settles.ts';
import { makeKeyPair, makeRelease } from './signed-release.ts';
import type { Upstream } from './upstream.ts';
import { startUpstream } from './upstream.ts';

const plan = {
  models: [{ name: 'small' }],
  stores: [],
  events: [{ kind: 'completion', default: 'deny', classify: [], rules: [], stream: 'early' }],
} as const;
const folder = mkdtempSync(join(tmpdir(), 'writ-envoy-process-'));
const alarms: string[] = [];
let upstream: Upstream;
let sidecar: Sidecar;
let port: number;

beforeAll(async () => {
  upstream = await startUpstream(({ body, path }) => ({ body: path === '/slow' ? [500, body] : [body] }));
  port = await freePort();
  const key = makeKeyPair();
  const { binary } = await install();
  sidecar = await startSidecar({
    stateFolder: folder,
    node: 'n',
    policy: 'acme',
    keys: [key.verification],
    loadFilter: () => scriptedFilter({ route: 'model/small' }),
    adminPort: 0,
    envoy: { binary, concurrency: 1 },
    version: '0.1.0',
    alarm: (message) => alarms.push(message),
  });
  await sidecar.offer(
    makeRelease({
      policy: 'acme',
      sequence: 1,
      plan,
      deployment: { listener: { port }, models: { small: { url: `http://127.0.0.1:${upstream.port}` } } },
      wasm: Uint8Array.of(0),
      key,
    }),
  );
});

afterAll(async () => {
  await sidecar?.stop();
  await upstream?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (path = '/echo'): Promise<number> =>
  fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: 'x' }).then(
    ({ status }) => status,
    () => 0,
  );
/** The process whose command line names our bootstrap. */
const envoyPid = (): number =>
  Number(
    readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8')
      .trim()
      .split(' ')
      .find((pid) => pid !== '' && commandOf(pid).includes(folder)) ?? 0,
  );
const commandOf = (pid: string): string =>
  existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';

test('serves, and is started again when it dies', async () => {
  await settles(async () => (await ask()) === 200);
  const first = envoyPid();
  expect(first).toBeGreaterThan(0);
  process.kill(first, 'SIGKILL');
  await settles(() => alarms.length === 1);
  expect(alarms).toEqual(['envoy ended (by a signal) and is started again']);
  await settles(async () => (await ask()) === 200, 20_000);
  expect(envoyPid()).not.toBe(first);
  expect(sidecar.status().enforcing).toMatchObject({ sequence: 1 });
});

test('ends with the sidecar, once the exchanges in flight have ended', async () => {
  const pid = envoyPid();
  const slow = ask('/slow');
  await settles(() => upstream.received.some(({ path }) => path === '/slow'));
  await sidecar.stop();
  expect(await slow).toBe(200);
  expect(commandOf(String(pid))).toBe('');
  expect(await ask()).toBe(0);
});
