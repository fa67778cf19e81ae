// Real policies in the real kernel behind the real Envoy: what is decided, edited, restored, streamed and refused, on
// what the upstream received and what the client got.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DOORS } from '../../proto/door.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import type { Filter } from '../../filters/host/load-filter.ts';
import { loadInChild } from './load-in-child.ts';
import type { Mesh } from './mesh.ts';
import { startMesh } from './mesh.ts';
import type { PolicyWasm } from './policy-wasm.ts';
import { policyWasm } from './policy-wasm.ts';
import { settles } from './settles.ts';
import type { Answer, Received, Upstream } from './upstream.ts';
import { startUpstream } from './upstream.ts';

const CARD = '4111 1111 1111 1111';
const KEY = `sk-${randomBytes(16).toString('hex')}`;
const OTHER_KEY = `sk-${randomBytes(16).toString('hex')}`;

const source = (rules: string): string => `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
department = support | hr
zone = onprem | external
caller { id : text from claim "sub"  department : department from claim "dept" }
models { zone: zone }
model local "local-1" { provider: llama_cpp zone: onprem input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
model far "far-1" { provider: openai zone: external input_price: 2 usd per 1M tokens output_price: 2 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
${rules}`;

const RULES = `
rule mask_cards on prompt where model.zone is external redact payment_card as placeholder
rule no_ids on prompt where text contains any of (us_ssn) deny "No social security numbers"
rule hr_stays on prompt where caller.department is hr use only models where model.zone is onprem
rule leaked on completion redact payment_card as mask
rule leaked_mail on completion where text contains any of (email) deny "The answer named somebody"
route elsewhere for requested any prefer requested prefer any by price
`;

let upstream: Upstream;
let mesh: Mesh;
let policy: PolicyWasm;
let second: PolicyWasm;
let answer: (request: Received) => Answer;
let filter: Filter;

/** All that is said of traffic anywhere, by Envoy and by the sidecar. */
async function everythingTold(): Promise<string> {
  const pages = [`http://127.0.0.1:${mesh.sidecar().adminPort}/metrics`, `${mesh.envoy.adminUrl}/stats/prometheus`];
  const [metrics = '', stats = ''] = await Promise.all(pages.map(async (page) => (await fetch(page)).text()));
  const files = [mesh.envoy.logFile, join(mesh.stateFolder, 'decisions.log')];
  return [metrics, stats, ...mesh.alarms, ...files.map((file) => readFileSync(file, 'utf8'))].join('\n');
}

describe.each(DOORS)('through the door %s', (door) => {
  const deployment = (): object => ({
    models: {
      local: { url: `http://127.0.0.1:${upstream.port}/local` },
      far: { url: `http://127.0.0.1:${upstream.port}/far` },
    },
    identity: {
      apiKeys: [
        { sha256: createHash('sha256').update(KEY).digest('hex'), claims: { sub: 'u1', dept: 'support' } },
        { sha256: createHash('sha256').update(OTHER_KEY).digest('hex'), claims: { sub: 'u2', dept: 'hr' } },
      ],
    },
  });

  beforeAll(async () => {
    upstream = await startUpstream((request) => answer(request));
    policy = await policyWasm(source(RULES), deployment());
    second = await policyWasm(
      source(`${RULES}rule closed on prompt where text contains any of (email) deny "No addresses"\n`),
      deployment(),
    );
    mesh = await startMesh({
      plan: policy.plan,
      deployment: deployment(),
      wasm: policy.wasm,
      door,
      loadFilter: (wasm) => (filter = loadFilter(wasm)),
    });
  });

  afterAll(async () => {
    await mesh?.stop();
    await upstream?.stop();
  });

  beforeEach(() => {
    upstream.received.length = 0;
    answer = completes('Hello.');
  });

  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
  const completes = (content: string) => (): Answer => ({
    body: [
      JSON.stringify({
        id: 'c',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
        usage,
      }),
    ],
  });
  const streams =
    (...deltas: readonly string[]) =>
    (): Answer => {
      const frame = (choice: object, more: object = {}): string =>
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, finish_reason: null, ...choice }], ...more })}\n\n`;
      return {
        headers: { 'content-type': 'text/event-stream' },
        body: [
          frame({ delta: { role: 'assistant', content: '' } }),
          ...deltas.flatMap((content) => [frame({ delta: { content } }), 15]),
          frame({ delta: {}, finish_reason: 'stop' }),
          `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage })}\n\n`,
          'data: [DONE]\n\n',
        ],
      };
    };
  const chat = (content: string, more: object = {}): string =>
    JSON.stringify({ model: 'far-1', messages: [{ role: 'user', content }], ...more });
  const post = (
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
    path = '/v1/chat/completions',
  ): Promise<Response> =>
    fetch(`${mesh.url}${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}`, ...headers },
    });
  const sent = (): string => upstream.received[0]?.body.toString() ?? '';
  const contentOf = async (response: Response): Promise<string> => {
    const body: { choices: { message: { content: string } }[] } = JSON.parse(await response.text());
    return body.choices[0]?.message.content ?? '';
  };

  describe('a prompt', () => {
    test('that no rule touches leaves byte for byte, to the model that was asked for', async () => {
      const body = '{ "model" : "far-1", "messages":[{"role":"user","content":"Gr\\u00fc\\u00dfe \\ud83d\\ude00"}]  }';
      const response = await post(body);
      expect([response.status, await contentOf(response)]).toEqual([200, 'Hello.']);
      expect(upstream.received).toMatchObject([{ path: '/far/v1/chat/completions' }]);
      expect(sent()).toBe(body);
    });

    test('with a card to the external model has a placeholder, and the reply restores it', async () => {
      answer = ({ body }) => completes(`You said ${/\[PAYMENT_CARD_1_[a-z2-7]+\]/.exec(body.toString())?.[0]}.`)();
      const response = await post(chat(`My card is ${CARD}.`));
      expect(sent()).not.toMatch(/4111/);
      expect(await contentOf(response)).toBe(`You said ${CARD}.`);
      expect(response.headers.get('content-length')).not.toBeNull();
    });

    test("that is denied is answered in the protocol's form, with the rule and its reason, and goes nowhere", async () => {
      const response = await post(chat('SSN 078-05-1120'));
      const text = await response.text();
      expect(response.status).toBe(403);
      expect(JSON.parse(text)).toMatchObject({
        error: { type: 'policy_denied', message: expect.stringContaining('No social security numbers') },
      });
      expect(text).toContain('no_ids');
      expect(text).not.toContain('078');
      expect(upstream.received).toEqual([]);
    });

    test('of a caller who may not use the model goes to one that they may, under its name', async () => {
      await post(chat('Hello'), { authorization: `Bearer ${OTHER_KEY}` });
      expect(upstream.received).toMatchObject([{ path: '/local/v1/chat/completions' }]);
      expect(JSON.parse(sent())).toMatchObject({ model: 'local-1' });
    });

    test.each([
      ['nobody', {}],
      ['a key that nobody has', { authorization: 'Bearer sk-unknown' }],
      [
        'forged headers',
        {
          'x-jwt-payload': '{"dept":"support"}',
          'x-writ-route': 'model/far',
          'x-dept': 'support',
          'x-forwarded-client-cert': 'URI=spiffe://acme',
        },
      ],
    ])('of %s is denied where a rule reads the caller', async (_, headers) => {
      const response = await fetch(`${mesh.url}/v1/chat/completions`, {
        method: 'POST',
        body: chat('Hello'),
        headers: { 'content-type': 'application/json', ...headers },
      });
      expect(response.status).toBeGreaterThanOrEqual(401);
      expect(response.status).toBeLessThanOrEqual(403);
      expect(upstream.received).toEqual([]);
    });

    test('of 5 MB passes', async () => {
      const response = await post(chat('many words '.repeat(30_000)));
      expect(response.status).toBe(200);
    });
  });

  describe('a reply', () => {
    test('has its own cards masked', async () => {
      answer = completes(`Try ${CARD}.`);
      expect(await contentOf(await post(chat('A card?')))).not.toMatch(/4111/);
    });

    test("that is denied by its content has an error's status", async () => {
      answer = completes('Ask jane@example.com.');
      const response = await post(chat('Who?'));
      const text = await response.text();
      expect(response.status).toBe(403);
      expect(text).toContain('leaked_mail');
      expect(text).not.toContain('jane');
    });

    test('that streams has a card masked that comes in pieces', async () => {
      answer = streams('Try 4111 ', '1111', ' 11', '11 1111', ' or cash.');
      const text = await (await post(chat('A card?', { stream: true }))).text();
      const said = text
        .split('\n')
        .filter((line) => line.startsWith('data: {'))
        .map((line) => JSON.parse(line.slice(6)).choices[0]?.delta?.content ?? '')
        .join('');
      expect(said).toMatch(/^Try .* or cash\.$/);
      expect(said).not.toMatch(/4111|1111/);
      expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
    });

    test('that streams restores a placeholder that comes in pieces', async () => {
      answer = ({ body }) => {
        const placeholder = /\[PAYMENT_CARD_1_[a-z2-7]+\]/.exec(body.toString())?.[0] ?? '';
        return streams('It is ', placeholder.slice(0, 7), placeholder.slice(7), '.')();
      };
      const text = await (await post(chat(`My card is ${CARD}.`, { stream: true }))).text();
      const said = text
        .split('\n')
        .filter((line) => line.startsWith('data: {'))
        .map((line) => JSON.parse(line.slice(6)).choices[0]?.delta?.content ?? '')
        .join('');
      expect(said).toBe(`It is ${CARD}.`);
    });

    test("that streams is denied in mid-stream, by the protocol's own end, before the first byte of what denied it", async () => {
      answer = streams('Ask ', 'jane@', 'example', '.com', ' now');
      const response = await post(chat('Who?', { stream: true }));
      const text = await response.text();
      expect(response.status).toBe(200);
      expect(text).toContain('Ask');
      expect(text).not.toMatch(/jane|example\.com/);
      expect(text).toContain('leaked_mail');
    });

    test('that streams begins before it has ended', async () => {
      answer = () => {
        const { headers = {}, body } = streams('one two three. ', 'four')();
        return {
          headers,
          body: body.flatMap((part) => (typeof part === 'string' && part.includes('four') ? [700, part] : [part])),
        };
      };
      const began = performance.now();
      const response = await post(chat('Count', { stream: true }));
      let text = '';
      let first = 0;
      for await (const part of response.body ?? []) {
        text += Buffer.from(part).toString();
        if (first === 0 && text.includes('one')) first = performance.now() - began;
      }
      expect(first).toBeGreaterThan(0);
      expect(first).toBeLessThan(600);
      expect(text).toContain('four');
    });

    test('of an upstream that fails keeps its failure, and of one that breaks off is none', async () => {
      answer = () => ({ status: 500, body: ['{"error":{"message":"boom"}}'] });
      expect((await post(chat('Hello'))).status).toBeGreaterThanOrEqual(500);
      answer = () => ({ body: ['{"id":"c","choices":[{"ind'], cut: true });
      const response = await post(chat('Hello')).then(
        async (each) => ({ status: each.status, text: await each.text() }),
        () => ({ status: 0, text: '' }),
      );
      expect(response.status === 0 || response.status >= 500).toBe(true);
    });
  });

  describe('bad input', () => {
    const nested = (depth: number): string =>
      `{"model":"far-1","messages":[{"role":"user","content":"x"}],"metadata":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    test.each<[string, string | Uint8Array<ArrayBuffer>, Record<string, string>, number]>([
      ['no JSON', 'hello', {}, 400],
      ['nothing', '', {}, 400],
      ['truncated JSON', chat('Hello').slice(0, -5), {}, 400],
      ['two documents', `${chat('Hello')}{}`, {}, 400],
      ['deep nesting', nested(200), {}, 400],
      ['a key twice', '{"model":"far-1","model":"local-1","messages":[{"role":"user","content":"x"}]}', {}, 400],
      ['a key in two cases', '{"model":"far-1","messages":[{"role":"user","content":"x"}],"Messages":[]}', {}, 400],
      ['a wrong type', '{"model":"far-1","messages":{"role":"user"}}', {}, 400],
      [
        'invalid UTF-8',
        Buffer.concat([
          Buffer.from('{"model":"far-1","messages":[{"role":"user","content":"'),
          Buffer.of(0xff, 0xfe),
          Buffer.from('"}]}'),
        ]),
        {},
        400,
      ],
      ['half a surrogate pair', '{"model":"far-1","messages":[{"role":"user","content":"\\ud83d"}]}', {}, 400],
      ['a compressed body', gzipSync(chat('Hello')), { 'content-encoding': 'gzip' }, 415],
      [
        'an image',
        JSON.stringify({
          model: 'far-1',
          messages: [
            { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }] },
          ],
        }),
        {},
        400,
      ],
      ['an unknown field', chat('Hello', { secret_channel: 'x' }), {}, 400],
    ])('%s is refused, and reaches no upstream', async (_, body, headers, status) => {
      const response = await post(body, headers);
      const text = await response.text();
      expect([response.status, text.includes('"error"')]).toEqual([status, true]);
      expect(upstream.received).toEqual([]);
    });

    test('token ids are refused', async () => {
      expect((await post('{"model":"far-1","input":[1,2,3]}', {}, '/v1/embeddings')).status).toBe(400);
      expect(upstream.received).toEqual([]);
    });

    test('an endpoint that is not known is refused', async () => {
      for (const path of [
        '/v1/unknown',
        '/',
        '/v1/chat/completions/../../admin',
        '/V1/chat/completions',
        '/v1/completions;x',
      ]) {
        expect([403, 404]).toContain((await post(chat('Hello'), {}, path)).status);
      }
      expect(
        (
          await fetch(`${mesh.url}/v1/chat/completions`, {
            method: 'DELETE',
            headers: { authorization: `Bearer ${KEY}` },
          })
        ).status,
      ).toBeGreaterThanOrEqual(403);
      expect(upstream.received).toEqual([]);
    });

    test('a body of 20 MB is 413', async () => {
      expect((await post(chat('x'.repeat(20_000_000)))).status).toBe(413);
      expect(upstream.received).toEqual([]);
    });

    test('a body without a length is decided like any other', async () => {
      const body = new ReadableStream({
        start(controller) {
          for (const part of chat(`My card is ${CARD}.`).match(/.{1,20}/gs) ?? [])
            controller.enqueue(Buffer.from(part));
          controller.close();
        },
      });
      const response = await fetch(`${mesh.url}/v1/chat/completions`, {
        method: 'POST',
        body,
        duplex: 'half',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
      } as RequestInit);
      expect(response.status).toBe(200);
      expect(sent()).toContain('[PAYMENT_CARD_1_');
    });

    test("leaves nothing in the filter's memory", async () => {
      await settles(() => mesh.sidecar().status().exchanges === 0);
      expect(filter.bytesInUse()).toBeLessThan(4 * 1024 * 1024);
    });

    test('leaves nothing of it in log, metrics or alarms', async () => {
      await post(chat(`My card is ${CARD}, SSN 078-05-1120`));
      answer = completes('Ask jane@example.com.');
      await post(chat('Who?'));
      const log = join(mesh.stateFolder, 'decisions.log');
      await settles(() => existsSync(log) && readFileSync(log, 'utf8').includes('leaked_mail'));
      const told = await everythingTold();
      expect(told).not.toMatch(/4111.?1111|078-05-1120|jane|Hello|sk-/);
      if (door === 'in_envoy') expect(told).toMatch(/writ_exchanges_answered_total\{\} [1-9]/);
      expect(told).toMatch(/writ_decisions_total\{event="prompt",outcome="deny"\} [1-9]/);
      expect(told).toMatch(/writ_redactions_total\{detector="payment_card"\} [1-9]/);
    });
  });

  describe('a client that hangs up in mid-stream', () => {
    test("ends the upstream's work and the session", async () => {
      answer = () => {
        const { headers = {}, body } = streams('one ', 'two ')();
        return { headers, body: [...body.slice(0, 3), 5_000, ...body.slice(3)] };
      };
      const abort = new AbortController();
      const response = await fetch(`${mesh.url}/v1/chat/completions`, {
        method: 'POST',
        body: chat('Count', { stream: true }),
        signal: abort.signal,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
      });
      await response.body?.getReader().read();
      const before = upstream.abandoned();
      abort.abort();
      await settles(() => upstream.abandoned() === before + 1 && mesh.sidecar().status().exchanges === 0);
    });
  });

  describe('under load', () => {
    const body = chat(`My card is ${CARD}. ${'The weather is fine today, and tomorrow too. '.repeat(35)}`);
    const headers = { authorization: `Bearer ${KEY}` };

    test("10,000 requests at concurrency 32: none fails, and the filter's memory is flat", async () => {
      await loadInChild({
        port: mesh.port,
        path: '/v1/chat/completions',
        body,
        headers,
        concurrency: 32,
        count: 2_000,
        contains: 'Hello.',
      });
      upstream.received.length = 0;
      const before = filter.memoryBytes();
      const result = await loadInChild({
        port: mesh.port,
        path: '/v1/chat/completions',
        body,
        headers,
        concurrency: 32,
        count: 10_000,
        contains: 'Hello.',
      });
      expect(result).toMatchObject({ count: 10_000, failed: 0, failures: [] });
      await settles(() => mesh.sidecar().status().exchanges === 0);
      expect(filter.memoryBytes()).toBe(before);
      expect(upstream.received).toHaveLength(10_000);
      expect(
        upstream.received.every(
          (request) => request.body.includes('[PAYMENT_CARD_1_') && !request.body.includes('4111'),
        ),
      ).toBe(true);
      upstream.received.length = 0;
    }, 180_000);

    test('a policy that changes fails no request, and decides the next', async () => {
      const running = loadInChild({
        port: mesh.port,
        path: '/v1/chat/completions',
        body,
        headers,
        concurrency: 16,
        count: 4_000,
        contains: 'Hello.',
      });
      let isOver = false;
      void running.finally(() => (isOver = true));
      let sequence = 1;
      while (!isOver) {
        sequence++;
        const next = sequence % 2 === 0 ? second : policy;
        await mesh.sidecar().offer(mesh.release(sequence, { plan: next.plan, wasm: next.wasm }));
        expect((await post(chat('jane@example.com'))).status).toBe(sequence % 2 === 0 ? 403 : 200);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(await running).toMatchObject({ failed: 0, failures: [] });
      expect(sequence).toBeGreaterThan(5);
    }, 180_000);
  });
});
