// What an upstream is sent in place of the caller's own proof of who they are: nothing, a secret of Envoy's
// environment, or the caller's own headers where the deployment says so.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { DOORS } from '../../proto/door.ts';
import type { Mesh } from './mesh.ts';
import { startMesh } from './mesh.ts';
import { OPEN_POLICY } from './open-policy.ts';
import { policyWasm } from './policy-wasm.ts';
import type { Received, Upstream } from './upstream.ts';
import { startUpstream } from './upstream.ts';

const VARIABLE = 'WRIT_TEST_UPSTREAM_KEY';
const names = ['none', 'forward', 'bearer', 'header'] as const;
type Name = (typeof names)[number];
const MODEL =
  'provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 4_000 tokens max_output: 256 tokens';
const SOURCE = `${OPEN_POLICY}caller { id : text from claim "sub" }
${names.map((name) => `model m_${name} "${name}" { ${MODEL} }`).join('\n')}
`;

describe.each(DOORS)('through the door %s', (door) => {
  let upstream: Upstream;
  let mesh: Mesh;

  beforeAll(async () => {
    process.env[VARIABLE] = 'the-upstream-key';
    upstream = await startUpstream(() => ({ status: 503, body: ['{"error":{"message":"busy"}}'] }));
    const url = `http://127.0.0.1:${upstream.port}`;
    const deployment = {
      models: {
        m_none: { url },
        m_forward: { url, credential: 'forward' },
        m_bearer: { url, credential: { variable: VARIABLE } },
        m_header: { url, credential: { variable: VARIABLE, header: 'X-Api-Key' } },
      },
      identity: {
        apiKeys: [{ sha256: createHash('sha256').update('sk-caller').digest('hex'), claims: { sub: 'u1' } }],
      },
    };
    mesh = await startMesh({ ...(await policyWasm(SOURCE, deployment)), deployment, loadFilter, door });
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
    await fetch(`${mesh.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: name, messages: [{ role: 'user', content: 'Hello' }] }),
      headers: { 'content-type': 'application/json', ...CALLERS },
    });
    expect(upstream.received).toHaveLength(1);
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
});
