// Every mode of redaction on the wire of both doors; pseudonyms before and after their key is there; and that the key
// stands nowhere that people read.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { DeploymentKey } from '../../proto/deployment-key.ts';
import { DOORS } from '../../proto/door.ts';
import { type Mesh, startMesh } from './mesh.ts';
import { policyWasm } from './policy-wasm.ts';
import { settles } from './settles.ts';
import { startUpstream, type Upstream } from './upstream.ts';

const POLICY = `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
caller { id : text from claim "sub" }
model m "m-1" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
detector code matches \`CODE-[0-9]{4}\`
rule mail on prompt redact email as pseudonym for each caller.id
rule card on prompt redact payment_card as mask keeping last 4
rule born on prompt redact date_of_birth as year
rule codes on prompt redact code as remove
rule spoken on completion redact email as pseudonym for each caller.id
`;
const CALLERS = ['ann', 'bob'] as const;
const KEY = DeploymentKey.random();
const ASKED = 'a@b.example, 4012 8888 8888 1881, born 1980-01-31, CODE-1234.';
const SHOWN = /^(\[EMAIL(?::[a-z]{19})?\]), \[PAYMENT_CARD ending in 1881\], born \[DATE_OF_BIRTH 1980\], \.$/;

let upstream: Upstream;
let mesh: Mesh;

describe.each(DOORS)('through the door %s', (door) => {
  beforeAll(async () => {
    const delta = (content: string): string =>
      `data: {"choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}}]}\n\n`;
    upstream = await startUpstream(({ body }) =>
      body.includes('"stream":true')
        ? {
            headers: { 'content-type': 'text/event-stream' },
            body: [delta('to a@b.ex'), delta('ample!'), 'data: [DONE]\n\n'],
          }
        : { body: [JSON.stringify({ object: 'chat.completion', choices: [] })] },
    );
    const deployment = {
      models: { m: { url: `http://127.0.0.1:${upstream.port}/m` } },
      identity: {
        apiKeys: CALLERS.map((name) => ({
          sha256: createHash('sha256').update(name).digest('hex'),
          claims: { sub: name },
        })),
      },
    };
    const { plan, wasm } = await policyWasm(POLICY, deployment);
    mesh = await startMesh({ plan, deployment, wasm, door, loadFilter });
  });

  afterAll(async () => {
    await mesh?.stop();
    await upstream?.stop();
  });

  const ask = async (caller: (typeof CALLERS)[number], content: string, stream = false): Promise<string> => {
    const response = await fetch(`${mesh.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm-1', messages: [{ role: 'user', content }], ...(stream && { stream }) }),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${caller}` },
    });
    return await response.text();
  };
  /** The pseudonym, or the mask, of what was sent. */
  const sentAs = async (caller: (typeof CALLERS)[number]): Promise<string> => {
    await ask(caller, ASKED);
    const { messages } = JSON.parse(upstream.received.at(-1)!.body.toString()) as { messages: { content: string }[] };
    expect(messages[0]!.content).toMatch(SHOWN);
    return SHOWN.exec(messages[0]!.content)![1]!;
  };
  const metrics = async (): Promise<string> => {
    const [sidecar, envoy] = await Promise.all([
      fetch(`http://127.0.0.1:${mesh.sidecar().adminPort}/metrics`).then((response) => response.text()),
      fetch(`${mesh.envoy.adminUrl}/stats/prometheus`).then((response) => response.text()),
    ]);
    return sidecar + envoy;
  };

  test('before there is a key a pseudonym is a mask, and is counted', async () => {
    expect(await sentAs('ann')).toBe('[EMAIL]');
    await settles(async () => /writ_pseudonyms_masked_total(?:\{[^}]*\})? 1\b/.test(await metrics()));
  });

  test('with it, it is the same for a caller, in prompts and streams, and another for another', async () => {
    await mesh.stopSidecar();
    await mesh.restartSidecar({ policyKey: KEY });
    await settles(async () => (await ask('ann', 'hello')).includes('chat.completion'));
    // The filter inside Envoy asks once a second.
    await settles(async () => (await sentAs('ann')) !== '[EMAIL]');
    const ann = await sentAs('ann');
    expect(await sentAs('ann')).toBe(ann);
    const bob = await sentAs('bob');
    expect(bob).toMatch(/^\[EMAIL:/);
    expect(bob).not.toBe(ann);
    const said = await ask('ann', 'hello', true);
    expect([...said.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join('')).toBe(`to ${ann}!`);
  });

  test('the key is in no configuration, metric, log or bundle', async () => {
    const log = join(mesh.stateFolder, 'decisions.log');
    const logged = (): string => (existsSync(log) ? readFileSync(log, 'latin1') : '');
    await settles(() => logged().includes('"pseudonym for each caller.id"'));
    const bytes = Buffer.from(KEY.reveal());
    const dump = await (await fetch(`${mesh.envoy.adminUrl}/config_dump?include_eds`)).text();
    const read = [dump, await metrics(), logged(), readFileSync(join(mesh.stateFolder, 'release.bin'), 'latin1')];
    for (const text of read)
      for (const form of ['hex', 'base64', 'base64url', 'latin1'] as const)
        expect(text.includes(bytes.toString(form))).toBe(false);
    expect(logged()).not.toMatch(/EMAIL:[a-z]{19}/);
  });
});
