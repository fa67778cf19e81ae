// A policy that changes under load, through both doors: no request fails, what is decided next is decided by the new
// policy, and streams that are open end under the policy they began with, over as many changes as there are. Inside
// Envoy each change is one swap of the filter by ECDS, and of nothing else.
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { DOORS } from '../../proto/door.ts';
import { loadInChild } from './load-in-child.ts';
import type { Mesh } from './mesh.ts';
import { startMesh } from './mesh.ts';
import { OPEN_POLICY } from './open-policy.ts';
import type { PolicyWasm } from './policy-wasm.ts';
import { policyWasm } from './policy-wasm.ts';
import type { Answer, Received, Upstream } from './upstream.ts';
import { startUpstream } from './upstream.ts';

const KEY = `sk-${randomBytes(16).toString('hex')}`;
const CARD = '4111 1111 1111 1111';
const MAIL = 'jane@acme.example';
/** What each of the two policies hides in answers. */
const HIDES = ['payment_card', 'email'] as const;
const source = (hidden: string): string => `${OPEN_POLICY}caller { id : text from claim "sub" }
model m "m" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
rule hide on completion redact ${hidden} as mask
`;
const CHANGES = 6;
/** A stream is open over three changes and more. */
const PAUSE_MS = 500;
const STREAM_PAUSES = 12;
const TOTAL = 'nothing was lost';

const base = { id: 'c', object: 'chat.completion', created: 1, model: 'm' };
const frame = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

function answer({ body }: Received): Answer {
  if (!body.includes('"stream":true'))
    return {
      body: [
        JSON.stringify({
          ...base,
          choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
        }),
      ],
    };
  const pieces = Array.from({ length: STREAM_PAUSES }, (_, at) => [frame({ content: `${at} ` }), PAUSE_MS]).flat();
  // What the two policies treat differently comes last, in pieces.
  const secrets = [...`${CARD}, ${MAIL}; ${TOTAL}`].map((content) => frame({ content }));
  return {
    headers: { 'content-type': 'text/event-stream' },
    body: [...pieces, ...secrets, frame({}, 'stop'), 'data: [DONE]\n\n'],
  };
}

describe.each(DOORS)('through the door %s', (door) => {
  let upstream: Upstream;
  let mesh: Mesh;
  let policies: readonly PolicyWasm[];

  beforeAll(async () => {
    upstream = await startUpstream(answer);
    const deployment = {
      models: { m: { url: `http://127.0.0.1:${upstream.port}` } },
      identity: { apiKeys: [{ sha256: createHash('sha256').update(KEY).digest('hex'), claims: { sub: 'u1' } }] },
    };
    policies = await Promise.all(HIDES.map((hidden) => policyWasm(source(hidden), deployment)));
    const [first] = policies;
    mesh = await startMesh({ plan: first!.plan, wasm: first!.wasm, deployment, loadFilter, door, concurrency: 2 });
  });
  afterAll(async () => {
    await mesh?.stop();
    await upstream?.stop();
  });

  const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` };
  /** Resolves when the stream has begun; `said` when it has ended. */
  async function openStream(hides: number): Promise<{ readonly hides: number; readonly said: Promise<string> }> {
    const response = await fetch(`${mesh.url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'Tell.' }] }),
    });
    expect(response.status).toBe(200);
    const said = response.text().then((text) => {
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
      const frames = [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, json = '']): unknown => JSON.parse(json));
      return frames.map((each) => contentOf(each)).join('');
    });
    // Looked at in the end; until then it is nobody's.
    said.catch(() => undefined);
    return { hides, said };
  }

  async function envoyCounts(): Promise<{
    readonly filters: number;
    readonly listeners: number;
    readonly routes: number;
  }> {
    const text = await (await fetch(`${mesh.envoy.adminUrl}/stats`)).text();
    const count = (pattern: RegExp): number =>
      [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
    return {
      filters: count(/^extension_config_discovery\.http_filter\.writ_filter\.config_reload: (\d+)$/gm),
      listeners: count(/^listener_manager\.listener_(?:added|modified|removed|in_place_updated): (\d+)$/gm),
      routes: count(/^http\.writ\.rds\.writ_routes\.config_reload: (\d+)$/gm),
    };
  }

  test('open streams end under the policy they began with, and no request fails', async () => {
    const before = await envoyCounts();
    const load = loadInChild({
      port: mesh.port,
      path: '/v1/chat/completions',
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] }),
      headers: { authorization: headers.authorization },
      concurrency: 4,
      count: 3_000,
      contains: 'Hello.',
    });
    const streams = [await openStream(0), await openStream(0)];
    for (let change = 1; change <= CHANGES; change++) {
      const next = policies[change % 2]!;
      await mesh.sidecar().offer(mesh.release(change + 1, { plan: next.plan, wasm: next.wasm }));
      await mesh.enforced(change + 1);
      streams.push(await openStream(change % 2), await openStream(change % 2));
    }
    const after = await envoyCounts();
    for (const { hides, said } of streams) {
      const text = await said;
      expect(text.startsWith('0 1 2 3 ')).toBe(true);
      expect(text).toContain(TOTAL);
      expect([text.includes(CARD), text.includes(MAIL)]).toEqual([hides === 1, hides === 0]);
    }
    expect(await load).toMatchObject({ failed: 0, failures: [] });
    expect({
      filters: after.filters - before.filters,
      listeners: after.listeners - before.listeners,
      routes: after.routes - before.routes,
    }).toEqual({ filters: door === 'in_envoy' ? CHANGES : 0, listeners: 0, routes: 0 });
  }, 180_000);
});

/** What a frame of a stream says. */
function contentOf(value: unknown): string {
  const { choices }: { choices?: readonly { delta?: { content?: string } }[] } = Object(value);
  return choices?.[0]?.delta?.content ?? '';
}
