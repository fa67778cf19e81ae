// The ext_proc door on the real Envoy, with a scripted filter in the kernel's place: every way in which a body can come
// and go, and every way in which it can go wrong. This door alone: the filter inside Envoy has no such messages.
import http2 from 'node:http2';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey } from 'jose';
import type { Mesh } from './mesh.ts';
import { startMesh } from './mesh.ts';
import type { ScriptedFilter } from './scripted-filter.ts';
import { scriptedFilter } from './scripted-filter.ts';
import type { Received, Upstream } from './upstream.ts';
import { startUpstream } from './upstream.ts';
import { settles } from './settles.ts';

const plan = {
  models: [{ name: 'small' }, { name: 'h2' }],
  stores: [{ name: 'docs' }],
  events: [{ kind: 'completion', default: 'deny', classify: [], rules: [], stream: 'early' }],
} as const;
const REQUEST_BYTES = 16 * 1024 * 1024;

let upstream: Upstream;
let upstreamH2: Upstream;
let mesh: Mesh;
let filter: ScriptedFilter;
let jwtKey: CryptoKey;

beforeAll(async () => {
  const pair = await generateKeyPair('RS256');
  jwtKey = pair.privateKey;
  upstream = await startUpstream(handler);
  upstreamH2 = await startUpstream(handler, 'http2');
  filter = scriptedFilter({ route: 'model/small' });
  mesh = await startMesh({
    plan,
    deployment: {
      models: {
        small: { url: `http://127.0.0.1:${upstream.port}` },
        h2: { url: `http://127.0.0.1:${upstreamH2.port}/base`, http: 'http2' },
      },
      stores: { docs: { url: `http://127.0.0.1:${upstream.port}` } },
      identity: {
        jwt: [
          {
            issuer: 'https://id.example',
            audiences: ['writ'],
            jwks: { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'RS256' }] },
          },
        ],
      },
    },
    // One byte says which upstream the filter routes to.
    loadFilter: (wasm) =>
      wasm[0] === 1
        ? scriptedFilter({ route: 'model/h2' })
        : wasm[0] === 2
          ? scriptedFilter({ route: 'model/nowhere' })
          : filter,
  });
});

afterAll(async () => {
  await mesh?.stop();
  await upstream?.stop();
  await upstreamH2?.stop();
});

beforeEach(() => {
  upstream.received.length = 0;
  upstreamH2.received.length = 0;
  filter.opened.length = 0;
});

function handler({ path, body, trailers }: Received): ReturnType<Parameters<typeof startUpstream>[0]> {
  const stream = { 'content-type': 'text/event-stream' };
  if (path.includes('/stream'))
    return {
      headers: stream,
      body: ['data: 1\n\n', 40, 'data: 2\n\n', 40, 'data: 3\n\n'],
      trailers: { 'x-sum': 'abc' },
    };
  if (path.includes('/cut')) return { headers: stream, body: ['data: 1\n\n', 20], cut: true };
  if (path.includes('/never')) return { headers: stream, body: ['data: 1\n\n', 5_000, 'data: 2\n\n'] };
  if (path.includes('/large')) return { body: [Buffer.alloc(5_000_000, 'x')] };
  if (path.includes('/trailers'))
    return { body: [JSON.stringify(trailers)], trailers: { 'x-sum': 'abc', 'x-card': '4111 1111 1111 1111' } };
  if (path.includes('/status')) return { status: 418, body: ['{"teapot":true}'] };
  return { body: [body] };
}

const post = (
  path: string,
  body: string | Uint8Array<ArrayBuffer> = '{"a":1}',
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(`${mesh.url}${path}`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

describe('requests', () => {
  test('pass untouched, with their length', async () => {
    const response = await post('/echo', '{"text":"ü"}');
    expect(await response.text()).toBe('{"text":"ü"}');
    expect(upstream.received).toMatchObject([
      { method: 'POST', path: '/echo', headers: { 'content-length': '13', host: `127.0.0.1:${upstream.port}` } },
    ]);
  });

  test('are edited, and the length is that of what is sent', async () => {
    const response = await post('/edit', 'body');
    expect(upstream.received[0]?.body.toString()).toBe('EDITED body');
    expect(upstream.received[0]?.headers['content-length']).toBe('11');
    expect(await response.text()).toBe('EDITED EDITED body');
    expect(response.headers.get('content-length')).toBe('18');
  });

  test('of 5 MB pass and are edited', async () => {
    const body = 'y'.repeat(5_000_000);
    expect((await (await post('/edit', body)).text()).length).toBe(5_000_000 + 14);
  });

  test('without a length, in chunks, are held whole', async () => {
    const body = new ReadableStream({
      async start(controller) {
        for (const part of ['{"a":', '1', '}']) {
          controller.enqueue(Buffer.from(part));
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        controller.close();
      },
    });
    const response = await fetch(`${mesh.url}/edit`, { method: 'POST', body, duplex: 'half' } as RequestInit);
    expect(await response.text()).toBe('EDITED EDITED {"a":1}');
    expect(upstream.received[0]?.body.toString()).toBe('EDITED {"a":1}');
  });

  test('at the limit pass, one byte above it are 413, and neither reaches further', async () => {
    expect((await post('/echo', Buffer.alloc(REQUEST_BYTES, 'z'))).status).toBe(200);
    const response = await post('/echo', Buffer.alloc(20_000_000, 'z'));
    expect(response.status).toBe(413);
    expect(upstream.received).toHaveLength(1);
  });

  test("that are denied get the filter's answer, and nothing is forwarded", async () => {
    const response = await post('/deny');
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      403,
      'application/json',
      '{"error":"denied"}',
    ]);
    expect(upstream.received).toEqual([]);
  });

  test('without a body are routed too', async () => {
    const response = await fetch(`${mesh.url}/echo`);
    expect(response.status).toBe(200);
    expect(upstream.received).toMatchObject([{ method: 'GET' }]);
  });

  test('to a route that this policy does not have are 503', async () => {
    await mesh.sidecar().offer(mesh.release(2, { wasm: Uint8Array.of(2) }));
    const response = await post('/echo');
    expect([response.status, await response.json()]).toEqual([
      503,
      { error: { message: 'no route for this request', type: 'writ_error', code: 'no_route' } },
    ]);
    await mesh.sidecar().offer(mesh.release(3));
    expect((await post('/echo')).status).toBe(200);
  });

  test('cannot name their own route, nor any header of ours, nor steer envoy', async () => {
    await post('/echo', '{}', {
      'x-writ-route': 'model/h2',
      'x-writ-anything': '1',
      x_writ_route: 'model/h2',
      'x-envoy-upstream-rq-timeout-ms': '1',
      'x-envoy-retry-on': '5xx',
      'x-forwarded-for': '10.0.0.1',
      'accept-encoding': 'gzip',
    });
    expect(upstream.received).toHaveLength(1);
    const names = Object.keys(upstream.received[0]?.headers ?? {});
    expect(names.filter((name) => /^(x[-_]writ|x-envoy|x-forwarded|accept-encoding)/.test(name))).toEqual([]);
  });

  test('with escaped slashes are refused, with dots resolved', async () => {
    expect(await rawStatus('GET /echo%2Fx HTTP/1.1')).toBe(400);
    expect(await rawStatus('GET /a/../echo//x HTTP/1.1')).toBe(200);
    expect(upstream.received).toMatchObject([{ path: '/echo/x' }]);
  });

  test('to upgrade or connect are refused', async () => {
    expect(await rawStatus('GET /echo HTTP/1.1', 'connection: upgrade\r\nupgrade: websocket\r\n')).toBe(403);
    expect(await rawStatus('CONNECT example.com:443 HTTP/1.1')).toBe(405);
    expect(upstream.received).toEqual([]);
  });

  test('may ask a store first', async () => {
    const response = await post('/call', 'body');
    expect(await response.text()).toBe('body 200');
    expect(upstream.received).toMatchObject([
      { method: 'GET', path: '/newest' },
      { method: 'POST', path: '/call' },
    ]);
  });

  test('on which the filter fails are 5xx, and the failure says nothing of them', async () => {
    const response = await post('/throw', '4111111111111111');
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('4111');
    expect(mesh.alarms.join()).not.toContain('4111');
    expect(mesh.alarms.length).toBeGreaterThan(0);
    expect((await post('/echo')).status).toBe(200);
  });
});

describe('replies', () => {
  test("are held whole: a denial by their content has an error's status", async () => {
    const response = await post('/refuse');
    expect([response.status, await response.text()]).toEqual([451, '{"error":"refused"}']);
    expect(upstream.received).toHaveLength(1);
  });

  test('keep their status', async () => {
    const response = await post('/status');
    expect([response.status, await response.text()]).toEqual([418, '{"teapot":true}']);
  });

  test('of 5 MB come whole and once', async () => {
    const response = await post('/large');
    expect(response.headers.get('content-length')).toBe('5000000');
    expect((await response.text()).length).toBe(5_000_000);
  });

  test('that stream are passed on as they come', async () => {
    const response = await post('/stream');
    const { text, gaps } = await readStream(response);
    expect(text).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n');
    expect(gaps).toBeGreaterThan(1);
    expect(response.headers.get('content-length')).toBeNull();
  });

  test('that are held back to the end lose nothing', async () => {
    const { text, gaps } = await readStream(await post('/hold/stream'));
    expect(text).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n');
    expect(gaps).toBe(1);
  });

  test('that the upstream cuts end with an error, not as if they were whole', async () => {
    await expect((async () => (await post('/cut')).text())()).rejects.toThrow();
  });

  test('of an upstream that is gone are 503', async () => {
    const gone = await startUpstream(handler);
    await gone.stop();
    await mesh.sidecar().offer(mesh.release(4, { deployment: deploymentTo(gone.port) }));
    expect((await post('/echo')).status).toBe(503);
    await mesh.sidecar().offer(mesh.release(5));
    expect((await post('/echo')).status).toBe(200);
  });
});

describe('trailers over HTTP/2', () => {
  beforeAll(async () => {
    await mesh.sidecar().offer(mesh.release(6, { wasm: Uint8Array.of(1) }));
  });
  afterAll(async () => {
    await mesh.sidecar().offer(mesh.release(7));
  });

  test("end a request's body and a reply's, and go no further", async () => {
    const reply = await exchangeH2('/trailers', 'body', { 'x-check': 'v', 'x-writ-x': 'v' });
    expect(reply.status).toBe(200);
    expect(reply.trailers).toEqual({});
    expect(upstreamH2.received[0]?.path).toBe('/base/trailers');
    expect(upstreamH2.received[0]?.trailers ?? {}).toEqual({});
  });

  test.each(['/stream', '/hold/stream'])('end a streamed reply, after all of its body: %s', async (path) => {
    expect(await exchangeH2(path, 'body', { 'x-check': 'v' })).toEqual({
      status: 200,
      body: 'data: 1\n\ndata: 2\n\ndata: 3\n\n',
      trailers: {},
    });
  });

  test('let a reply still be denied by its content', async () => {
    expect(await exchangeH2('/refuse/trailers', 'body', {})).toMatchObject({
      status: 451,
      body: '{"error":"refused"}',
    });
  });

  test('without a body cannot be routed', async () => {
    expect(await exchangeH2('/echo', '', { 'x-check': 'v' })).toMatchObject({ status: 503 });
  });
});

describe('callers', () => {
  const token = (
    claims: object,
    options: { issuer?: string; audience?: string; expires?: string } = {},
  ): Promise<string> =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .setIssuer(options.issuer ?? 'https://id.example')
      .setAudience(options.audience ?? 'writ')
      .setSubject('u1')
      .setExpirationTime(options.expires ?? '1h')
      .sign(jwtKey);

  test('are known by the payload of a valid JWT, which no upstream sees', async () => {
    const jwt = await token({ dept: 'support', groups: ['a', 'b'], level: 3 });
    expect((await post('/echo', '{}', { authorization: `Bearer ${jwt}` })).status).toBe(200);
    expect(filter.opened[0]?.evidence.jwt).toMatchObject({ sub: 'u1', dept: 'support', groups: ['a', 'b'], level: 3 });
    expect(upstream.received[0]?.headers['authorization']).toBeUndefined();
  });

  test.each([
    ['expired', { expires: '-1h' }, 401],
    ['of another issuer', { issuer: 'https://other.example' }, 401],
    ['for another audience', { audience: 'other' }, 403],
  ])('with a JWT that is %s are refused', async (_, options, status) => {
    expect((await post('/echo', '{}', { authorization: `Bearer ${await token({}, options)}` })).status).toBe(status);
    expect(upstream.received).toEqual([]);
    expect(filter.opened).toEqual([]);
  });

  test.each([
    ['a forged signature', (jwt: string) => `Bearer ${jwt.slice(0, -8)}AAAAAAAA`],
    [
      'no algorithm',
      () =>
        `Bearer ${['{"alg":"none"}', '{"sub":"root","iss":"https://id.example","aud":"writ"}', ''].map((part) => Buffer.from(part).toString('base64url')).join('.')}`,
    ],
    ['the scheme in lower case', (jwt: string) => `bearer ${jwt}x`],
  ])('with a JWT that has %s are refused', async (_, header) => {
    expect((await post('/echo', '{}', { authorization: header(await token({})) })).status).toBe(401);
    expect(upstream.received).toEqual([]);
  });

  test('without a JWT pass as nobody, whatever their headers and address say', async () => {
    const jwt = await token({});
    for (const [path, headers] of [
      ['/echo', { 'x-jwt-payload': 'e30', 'x-forwarded-client-cert': 'URI=spiffe://acme/admin', 'x-user': 'root' }],
      [`/echo?access_token=${jwt}`, {}],
      ['/echo', { authorization: 'Bearer sk-some-api-key' }],
    ] as const) {
      expect((await post(path, '{}', headers)).status).toBe(200);
    }
    expect(filter.opened.map(({ evidence }) => evidence)).toEqual([
      { jwt: undefined, san: undefined },
      { jwt: undefined, san: undefined },
      { jwt: undefined, san: undefined },
    ]);
    expect(upstream.received.map(({ headers }) => headers['authorization'])).toEqual([undefined, undefined, undefined]);
  });
});

describe('sessions are freed', () => {
  test('when a client hangs up in mid-stream', async () => {
    const abort = new AbortController();
    const response = await fetch(`${mesh.url}/never`, { method: 'POST', body: '{}', signal: abort.signal });
    await response.body?.getReader().read();
    const before = upstream.abandoned();
    abort.abort();
    await settles(() => upstream.abandoned() === before + 1);
    await settles(() => filter.open() === 0);
    expect(mesh.sidecar().status().exchanges).toBe(0);
  });

  test('after everything that this file did', async () => {
    await settles(() => filter.open() === 0 && mesh.sidecar().status().exchanges === 0);
  });
});

function deploymentTo(port: number): object {
  const url = `http://127.0.0.1:${port}`;
  return { models: { small: { url }, h2: { url } }, stores: { docs: { url } } };
}

async function readStream(response: Response): Promise<{ text: string; gaps: number }> {
  let text = '';
  let gaps = 0;
  for await (const part of response.body ?? []) {
    text += Buffer.from(part).toString();
    gaps++;
  }
  return { text, gaps };
}

function exchangeH2(
  path: string,
  body: string,
  trailers: Record<string, string>,
): Promise<{ status: number; body: string; trailers: object }> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(mesh.url);
    session.once('error', reject);
    const stream = session.request({ ':method': 'POST', ':path': path }, { waitForTrailers: true });
    const reply = { status: 0, body: '', trailers: {} };
    stream.on('response', (headers) => (reply.status = headers[':status'] ?? 0));
    stream.on('data', (part: Buffer) => (reply.body += part.toString()));
    stream.on('trailers', (received) => (reply.trailers = Object.fromEntries(Object.entries(received))));
    stream.on('error', reject);
    stream.on('close', () => {
      session.close();
      resolve(reply);
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(body);
  });
}

function rawStatus(line: string, headers = ''): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(mesh.port, '127.0.0.1', () => socket.write(`${line}\r\nhost: writ\r\n${headers}\r\n`));
    let text = '';
    socket.on('data', (part) => {
      text += part.toString('latin1');
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      if (status === undefined) return;
      resolve(Number(status));
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed without an answer')));
  });
}
