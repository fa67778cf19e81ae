// What is peculiar to the filter that runs in Envoy, on the real one: who Envoy says is calling, trailers in both
// directions, the deployment's limits, a module that is bad, and a policy that changes its door.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey } from 'jose';
import { createAuthority, issueCertificate, roleUri } from '../../control-plane/keys/certificate.ts';
import type { Credential } from '../../control-plane/keys/certificate.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { loadInChild } from './load-in-child.ts';
import type { Mesh, MeshOptions } from './mesh.ts';
import { startMesh } from './mesh.ts';
import { policyWasm } from './policy-wasm.ts';
import { settles } from './settles.ts';
import type { Answer, Received, Upstream } from './upstream.ts';
import { startUpstream } from './upstream.ts';

const KEY = `sk-${randomBytes(16).toString('hex')}`;
const CARD = '4111 1111 1111 1111';
const ROBOT = { kind: 'node', name: 'robot' } as const;
const SOURCE = `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
caller { id : text from claim "sub"  department : text from claim "dept" }
model m "m" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 4_000_000 tokens max_output: 256 tokens }
rule mask_cards on prompt redact payment_card as placeholder
rule leaked on completion where text contains any of (email) deny "The answer named somebody"
rule no_temps on prompt where caller.department is "temps" deny "Not for temps"
`;

let upstream: Upstream;
let upstreamH2: Upstream;
let jwtKey: CryptoKey;
let identity: object;
let answer: (request: Received) => Answer;
let mesh: Mesh | undefined;

beforeAll(async () => {
  const pair = await generateKeyPair('RS256');
  jwtKey = pair.privateKey;
  identity = {
    jwt: [
      {
        issuer: 'https://id.example',
        audiences: ['writ'],
        jwks: { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'RS256' }] },
      },
    ],
    apiKeys: [{ sha256: createHash('sha256').update(KEY).digest('hex'), claims: { sub: 'u1', dept: 'support' } }],
  };
  upstream = await startUpstream((request) => answer(request));
  upstreamH2 = await startUpstream((request) => answer(request), 'http2');
});

afterAll(async () => {
  await upstream?.stop();
  await upstreamH2?.stop();
});

beforeEach(() => {
  upstream.received.length = 0;
  upstreamH2.received.length = 0;
  answer = completes('Hello.');
});

afterEach(async () => {
  await mesh?.stop();
  mesh = undefined;
});

const reply = (content: string): string =>
  JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  });
const completes = (content: string) => (): Answer => ({
  body: [reply(content)],
  trailers: { 'x-sum': 'abc', 'x-card': CARD },
});
const frame = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const chat = (content: string, more: object = {}): string =>
  JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], ...more });
const deployment = (more: object = {}, h2 = false): object => ({
  models: { m: { url: `http://127.0.0.1:${(h2 ? upstreamH2 : upstream).port}`, ...(h2 ? { http: 'http2' } : {}) } },
  identity,
  ...more,
});

async function start(given: object, more: Partial<MeshOptions> = {}): Promise<{ mesh: Mesh }> {
  const policy = await policyWasm(SOURCE, { ...given, listener: { port: 1, ...more.listener } });
  const options = { plan: policy.plan, wasm: policy.wasm, deployment: given, loadFilter, door: 'in_envoy', ...more };
  mesh = await startMesh(options as MeshOptions);
  return { mesh };
}

const post = (body: string, headers: Record<string, string> = { authorization: `Bearer ${KEY}` }): Promise<Response> =>
  fetch(`${mesh?.url}/v1/chat/completions`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });

async function token(claims: { readonly [claim: string]: unknown }): Promise<string> {
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k' }).setIssuer('https://id.example');
  return jwt.setAudience('writ').setExpirationTime('5m').sign(jwtKey);
}

describe('a caller', () => {
  test('is whom the verified token names, and no header of a client says so', async () => {
    await start(deployment());
    const bearer = async (claims: object): Promise<Record<string, string>> => ({
      authorization: `Bearer ${await token({ ...claims })}`,
    });
    expect((await post(chat('Hello'), await bearer({ sub: 'ü', dept: 'hr' }))).status).toBe(200);
    expect(Object.keys(upstream.received[0]?.headers ?? {})).not.toContain('x-writ-jwt');
    expect((await post(chat('Hello'), await bearer({ sub: 'u', dept: 'temps' }))).status).toBe(403);
    // A claim of another type than the policy says fails the fact.
    expect((await post(chat('Hello'), await bearer({ sub: 'u', dept: 7 }))).status).toBe(403);
    const payload = Buffer.from(JSON.stringify({ sub: 'u', dept: 'hr' })).toString('base64url');
    const forged = { 'x-writ-jwt': payload, x_writ_jwt: payload };
    expect((await post(chat('Hello'), forged)).status).toBe(401);
    // Nor does it change who a verified token names.
    const both = { ...(await bearer({ sub: 'u', dept: 'temps' })), ...forged };
    expect((await post(chat('Hello'), both)).status).toBe(403);
    expect(upstream.received).toHaveLength(1);
  });

  test('is whom the certificate names', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'writ-tls-'));
    const authority = createAuthority(Date.now());
    const server = issueCertificate(authority, { kind: 'control-plane' }, ['localhost'], Date.now());
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const tls = {
      certificate: write('certificate', server.certificatePem),
      key: write('key', server.privateKeyPem),
      clientCa: write('ca', authority.certificatePem),
    };
    const sans = [{ san: roleUri(ROBOT), claims: { sub: 'robot', dept: 'temps' } }];
    const given = deployment({ identity: { ...identity, sans } });
    const { port } = (await start(given, { listener: { tls } })).mesh;
    const ask = (own?: Credential): Promise<number> =>
      new Promise((resolve, reject) => {
        const request = https.request(
          {
            port,
            host: '127.0.0.1',
            servername: 'localhost',
            ca: authority.certificatePem,
            method: 'POST',
            path: '/v1/chat/completions',
            agent: false,
            headers: {
              'content-type': 'application/json',
              'x-forwarded-client-cert': `URI=${roleUri(ROBOT)}`,
            },
            ...(own === undefined ? {} : { cert: own.certificatePem, key: own.privateKeyPem }),
          },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        );
        request.on('error', reject).end(chat('Hello'));
      });
    // The robot is of the temps.
    expect(await ask(issueCertificate(authority, ROBOT, [], Date.now()))).toBe(403);
    expect(await ask(issueCertificate(authority, { kind: 'node', name: 'other' }, [], Date.now()))).toBe(401);
    expect(await ask()).toBe(401);
    expect(upstream.received).toEqual([]);
    rmSync(folder, { recursive: true, force: true });
  });
});

/** A request over HTTP/2 that ends by trailers. */
function postWithTrailers(port: number, body: string): Promise<{ status: number; text: string; trailers: object }> {
  return new Promise((resolve, reject) => {
    const client = http2.connect(`http://127.0.0.1:${port}`);
    const stream = client.request(
      {
        ':method': 'POST',
        ':path': '/v1/chat/completions',
        'content-type': 'application/json',
        authorization: `Bearer ${KEY}`,
      },
      { waitForTrailers: true },
    );
    let status = 0;
    let text = '';
    let trailers = {};
    stream.on('trailers', (received) => (trailers = { ...received }));
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-note': CARD }));
    stream.on('response', (headers) => (status = Number(headers[':status'])));
    stream.on('data', (part: Buffer) => (text += part.toString()));
    stream.on('error', reject);
    stream.on('close', () => {
      client.close();
      resolve({ status, text, trailers });
    });
    stream.end(body);
  });
}

describe('trailers', () => {
  test("end a request's body, and none goes on, a client's or an upstream's", async () => {
    const { port } = (await start(deployment({}, true))).mesh;
    const { status, trailers } = await postWithTrailers(port, chat(`My card is ${CARD}.`));
    expect(status).toBe(200);
    expect(trailers).toEqual({});
    expect(upstreamH2.received[0]?.body.toString()).toContain('[PAYMENT_CARD_1_');
    expect(JSON.stringify([upstreamH2.received[0]?.trailers, upstreamH2.received[0]?.headers])).not.toContain('4111');
  });

  test("end a reply's body: it is edited, or denied", async () => {
    await start(deployment({}, true));
    answer = ({ body }) => completes(`You said ${/\[PAYMENT_CARD_1_[a-z2-7]+\]/.exec(body.toString())?.[0]}.`)();
    expect(await (await post(chat(`My card is ${CARD}.`))).text()).toContain(`You said ${CARD}.`);
    answer = completes('Ask jane@example.com.');
    const denied = await post(chat('Who?'));
    expect([denied.status, (await denied.text()).includes('jane')]).toEqual([403, false]);
  });

  test('end a stream: whole where it was whole, and cut where something was held', async () => {
    await start(deployment({}, true));
    const headers = { 'content-type': 'text/event-stream' };
    const trailers = { 'x-sum': 'abc' };
    answer = () => ({
      headers,
      trailers,
      body: [frame({ content: 'one ' }), frame({ content: 'two' }), frame({}, 'stop'), 'data: [DONE]\n\n'],
    });
    const whole = await (await post(chat('Count', { stream: true }))).text();
    expect(whole).toContain('two');
    expect(whole.endsWith('data: [DONE]\n\n')).toBe(true);
    // The end of this text may be the beginning of an address: it waits, and no chunk comes that it could go with.
    answer = () => ({ headers, trailers, body: [frame({ content: 'one ' }), frame({ content: 'ask jane' })] });
    const held = post(chat('Count', { stream: true })).then((response) => response.text());
    await expect(held).rejects.toThrow();
  });
});

describe("a deployment's limits", () => {
  test('bytes of a request and of a reply that is held whole', async () => {
    await start(deployment({ limits: { requestBytes: 4_096, replyBytes: 2_048 } }));
    const sized = (text: (content: string) => string, bytes: number): string =>
      text('x'.repeat(bytes - Buffer.byteLength(text(''))));
    expect((await post(sized(chat, 4_096))).status).toBe(200);
    expect((await post(sized(chat, 4_097))).status).toBe(413);
    answer = () => ({ body: [sized(reply, 2_048)] });
    expect((await post(chat('Hello'))).status).toBe(200);
    answer = () => ({ body: [sized(reply, 2_049)] });
    expect((await post(chat('Hello'))).status).toBe(502);
  });

  test('exchanges at one time', async () => {
    await start(deployment({ limits: { exchanges: 2 } }));
    answer = () => ({ body: [700, reply('late')] });
    const slow = [post(chat('1')), post(chat('2'))];
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await post(chat('3'))).status).toBe(503);
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200]);
    answer = completes('Hello.');
    expect((await post(chat('4'))).status).toBe(200);
  });

  test('seconds that a stream may stand still', async () => {
    await start(deployment({ limits: { idleSeconds: 1 } }));
    answer = () => ({
      headers: { 'content-type': 'text/event-stream' },
      body: [frame({ content: 'one ' }), 8_000, frame({ content: 'two' })],
    });
    const began = performance.now();
    const still = await post(chat('Count', { stream: true }));
    await expect(still.text()).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(5_000);
    await settles(() => upstream.abandoned() === 1);
  });

  test('kibibytes of headers', async () => {
    await start(deployment({ limits: { headerKibibytes: 8 } }));
    // Envoy answers 431 or closes the connection, as its parser was ahead or not.
    const ask = (bytes: number): Promise<number> =>
      post(chat('Hello'), { authorization: `Bearer ${KEY}`, 'x-long': 'y'.repeat(bytes) }).then(
        ({ status }) => status,
        () => 431,
      );
    expect([await ask(4_000), await ask(9_000)]).toEqual([200, 431]);
    expect(upstream.received).toHaveLength(1);
  });
});

describe('a release', () => {
  test('whose module Envoy cannot run is refused, and the one before keeps deciding', async () => {
    // The sidecar's own trial of the filter is left out: what is tried here is Envoy's.
    const { wasm } = await policyWasm(SOURCE, deployment());
    const { mesh: running } = await start(deployment(), { loadFilter: () => loadFilter(wasm) });
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    await expect(running.sidecar().offer(running.release(2, { wasm: empty }))).rejects.toMatchObject({
      code: 'envoy_refused',
    });
    expect((await post(chat('Hello'))).status).toBe(200);
    await running.sidecar().offer(running.release(3));
    expect((await post(chat('Hello'))).status).toBe(200);
    await running.enforced(3);
  });

  test('that changes the door fails no request, there and back', async () => {
    const { mesh: running } = await start(deployment());
    const body = chat(`My card is ${CARD}. ${'The weather is fine today. '.repeat(40)}`);
    const load = loadInChild({
      port: running.port,
      path: '/v1/chat/completions',
      body,
      headers: { authorization: `Bearer ${KEY}` },
      concurrency: 8,
      count: 3_000,
      contains: 'Hello.',
    });
    let isOver = false;
    void load.finally(() => (isOver = true));
    let sequence = 1;
    while (!isOver) {
      sequence++;
      await running.sidecar().offer(running.release(sequence, { door: sequence % 2 === 0 ? 'ext_proc' : 'in_envoy' }));
      expect(running.sidecar().status().door).toBe(sequence % 2 === 0 ? 'ext_proc' : 'in_envoy');
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(await load).toMatchObject({ failed: 0, failures: [] });
    expect(sequence).toBeGreaterThan(2);
  }, 120_000);
});
