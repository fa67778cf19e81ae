// What an upstream is sent in place of the caller's own proof of who they are: nothing, a secret of Envoy's
// environment, or the caller's own headers where the deployment says so.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Mesh } from './mesh.ts';
import { startMesh } from './mesh.ts';
import { scriptedFilter } from './scripted-filter.ts';
import type { Received, Upstream } from './upstream.ts';
import { startUpstream } from './upstream.ts';

const VARIABLE = 'WRIT_TEST_UPSTREAM_KEY';
const names = ['none', 'forward', 'bearer', 'header'] as const;
type Name = (typeof names)[number];
const plan = {
  models: names.map((name) => ({ name })),
  stores: [],
  events: [{ kind: 'completion', default: 'deny', rules: [], stream: 'early' }],
} as const;

let upstream: Upstream;
let mesh: Mesh;
let sequence = 1;

beforeAll(async () => {
  process.env[VARIABLE] = 'the-upstream-key';
  upstream = await startUpstream(({ body }) => ({ body: [body] }));
  const url = `http://127.0.0.1:${upstream.port}`;
  mesh = await startMesh({
    plan,
    deployment: {
      models: {
        none: { url },
        forward: { url, credential: 'forward' },
        bearer: { url, credential: { variable: VARIABLE } },
        header: { url, credential: { variable: VARIABLE, header: 'X-Api-Key' } },
      },
    },
    loadFilter: (wasm) => scriptedFilter({ route: `model/${names[wasm[0] ?? 0]}` }),
  });
});

afterAll(async () => {
  delete process.env[VARIABLE];
  await mesh?.stop();
  await upstream?.stop();
});

beforeEach(() => {
  upstream.received.length = 0;
});

const CALLERS = {
  authorization: 'Bearer sk-caller',
  'x-api-key': 'sk-caller',
  'api-key': 'sk-caller',
  cookie: 'session=caller',
  'x-chroma-token': 'caller',
};

async function sentTo(name: Name): Promise<Received['headers']> {
  await mesh.sidecar().offer(mesh.release(++sequence, { wasm: Uint8Array.of(names.indexOf(name)) }));
  expect((await fetch(`${mesh.url}/echo`, { method: 'POST', body: 'x', headers: CALLERS })).status).toBe(200);
  return upstream.received[0]?.headers ?? {};
}

test.each<[Name, Record<string, string>]>([
  ['none', {}],
  ['forward', CALLERS],
  ['bearer', { authorization: 'Bearer the-upstream-key' }],
  ['header', { 'x-api-key': 'the-upstream-key' }],
])('%s', async (name, expected) => {
  const headers = await sentTo(name);
  expect(Object.fromEntries(Object.entries(headers).filter(([key]) => key in CALLERS))).toEqual(expected);
});
