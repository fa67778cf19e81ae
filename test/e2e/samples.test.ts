// Exchanges that a rule samples, through the whole path: Envoy, kernel, sidecar, control plane, and reviewers at the
// command line. What waits for nobody is lost for nobody.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAdminAt } from '../../cli/connection.ts';
import { readRole } from '../../control-plane/keys/key-folder.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { DOORS } from '../../proto/door.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import { writ } from '../cli/run-writ.ts';
import { bundleKey, startTestControlPlane } from '../control-plane/fixtures.ts';
import type { TestControlPlane } from '../control-plane/fixtures.ts';
import { startMesh } from './mesh.ts';
import type { Mesh } from './mesh.ts';
import { policyWasm } from './policy-wasm.ts';
import { settles } from './settles.ts';
import { startUpstream, type Upstream } from './upstream.ts';

const CARD = '4111 1111 1111 1111';
const IBAN = 'DE89 3704 0044 0532 0130 00';
const KEY = `sk-${randomBytes(16).toString('hex')}`;

const POLICY = `policy acme {
  owner "quality@acme.example"
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
reviewers quality from group "quality-review"
rule spot_check on prompt where text contains any of ("please") sample 100 percent for review by quality
rule secret on prompt where text contains any of ("secret") deny "No secrets"
rule cards on prompt redact payment_card as placeholder
rule accounts on prompt where text contains iban tag seen = "iban"
`;

const chunk = (content: string, end = false): string =>
  `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content }, finish_reason: end ? 'stop' : null }] })}\n\n`;

let plane: TestControlPlane;
let upstream: Upstream;
let mesh: Mesh;
let keys: string;
let port: number;
let isPlaneGone = false;

describe.each(DOORS)('through the door %s', (door) => {
  const deployment = (): object => ({
    models: { m: { url: `http://127.0.0.1:${upstream.port}/m` } },
    identity: { apiKeys: [{ sha256: createHash('sha256').update(KEY).digest('hex'), claims: { sub: 'jo' } }] },
  });

  beforeAll(async () => {
    isPlaneGone = false;
    keys = mkdtempSync(join(tmpdir(), 'writ-sample-keys-'));
    await run(['keys', 'init', keys, '--node', 'node-1']);
    await run(['keys', 'reviewer', 'lea', '--group', 'quality-review', '--keys', keys]);
    await run(['keys', 'reviewer', 'sam', '--group', 'sec', '--keys', keys]);
    upstream = await startUpstream(({ body }) => {
      const card = /\[PAYMENT_CARD_1_\w+\]/.exec(body.toString())?.[0] ?? 'no card';
      if (body.includes('"stream":true'))
        return {
          headers: { 'content-type': 'text/event-stream' },
          body: [
            chunk(`Paid from ${IBAN.slice(0, 9)}`),
            chunk(`${IBAN.slice(9)} with ${card}`),
            chunk('', true),
            'data: [DONE]\n\n',
          ],
        };
      return {
        headers: { 'content-type': 'application/json' },
        body: [
          JSON.stringify({
            object: 'chat.completion',
            choices: [
              { index: 0, message: { role: 'assistant', content: `Paid with ${card}` }, finish_reason: 'stop' },
            ],
          }),
        ],
      };
    });
    port = await freePort();
    plane = await startTestControlPlane({ port, credential: readRole(keys, { kind: 'control-plane' }) });
    const { authorityPem, certificatePem, privateKeyPem } = readRole(keys, { kind: 'node', name: 'node-1' });
    const { plan, wasm } = await policyWasm(POLICY, deployment());
    mesh = await startMesh({
      plan,
      wasm,
      deployment: deployment(),
      door,
      loadFilter,
      key: bundleKey,
      controlPlane: {
        address: `127.0.0.1:${port}`,
        ca: Buffer.from(authorityPem),
        certificate: Buffer.from(certificatePem),
        key: Buffer.from(privateKeyPem),
      },
      offers: false,
    });
    const client = openAdminAt(`127.0.0.1:${port}`, keys, { kind: 'admin', name: 'admin' });
    await client.call(Admin.method.push, mesh.release(1, { plan, wasm, door }));
    client.close();
    await mesh.enforced(1);
  });

  afterAll(async () => {
    await mesh?.stop();
    if (!isPlaneGone) await plane?.stop();
    await upstream?.stop();
    rmSync(keys, { recursive: true, force: true });
  });

  async function ask(content: string, stream = false): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${mesh.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm-1', messages: [{ role: 'user', content }], ...(stream ? { stream } : {}) }),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}`, 'x-request-id': 'chosen' },
    });
    return { status: response.status, text: await response.text() };
  }

  async function run(args: readonly string[]): Promise<string> {
    const { code, out, err } = await writ(args);
    if (code !== 0) throw new Error(err);
    return out;
  }

  const review = (who: string, ...args: readonly string[]): Promise<string> =>
    run(['review', ...args, '--reviewer', who, '--keys', keys, '--control-plane', `127.0.0.1:${port}`]);

  interface Listed {
    readonly id: number;
    readonly kind: string;
    readonly denied: boolean;
    readonly state: string;
  }

  /** Once so many are there. */
  async function samples(count: number): Promise<readonly Listed[]> {
    let found: readonly Listed[] = [];
    await settles(
      async () => {
        found = (JSON.parse(await review('lea', 'list', '--all', '--json')) as { reviews: Listed[] }).reviews;
        return found.length >= count;
      },
      20_000,
      () => JSON.stringify(found),
    );
    expect(found).toHaveLength(count);
    return found;
  }

  test('what was said is judged, corrected and exported; what was not asked for is not there', async () => {
    expect(await ask('hello')).toMatchObject({ status: 200 });
    const passed = await ask(`please pay ${IBAN} with ${CARD}`);
    expect(passed.text).toContain(CARD);
    expect((await ask(`please pay with ${CARD}`, true)).text).toContain(CARD.slice(0, 4));
    expect(await ask('please, a secret')).toMatchObject({ status: 403 });

    const found = await samples(3);
    expect(found.map(({ kind, denied, state }) => [kind, denied, state])).toEqual([
      ['sample', false, 'pending'],
      ['sample', false, 'pending'],
      ['sample', true, 'pending'],
    ]);
    expect(await review('sam', 'list', '--all')).toBe('nothing waits for you\n');
    const [first, second, third] = found.map(({ id }) => String(id));
    const shown = await review('lea', 'show', first!);
    expect(shown).toContain('please pay [IBAN] with [PAYMENT_CARD]');
    expect(shown).toMatch(/Paid with \[PAYMENT_CARD_1_\w+\]/);
    const streamed = await review('lea', 'show', second!);
    expect(streamed).toMatch(/Paid from \[IBAN\] with \[PAYMENT_CARD_1_\w+\]/);

    const better = join(keys, 'better.txt');
    writeFileSync(better, 'It is due in May.');
    await review('lea', 'approve', first!);
    await review('lea', 'reject', second!, '--reason', 'not asked for', '--correction', better);
    await review('lea', 'reject', third!, '--reason', 'rightly denied');
    const lines = (await review('lea', 'export'))
      .trimEnd()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as { messages: { role: string; content: string; weight?: number }[]; review: object },
      );
    expect(lines.map(({ messages }) => messages.map(({ role }) => role))).toEqual([
      ['user', 'assistant'],
      ['user', 'assistant'],
      ['user'],
    ]);
    expect(lines[1]).toMatchObject({
      messages: [{}, { content: 'It is due in May.' }],
      review: { verdicts: [{ verdict: 'reject', reason: 'not asked for', reviewer: 'lea' }], denied: false },
    });
    expect(JSON.stringify(lines)).not.toMatch(/4111|DE89/);
    const logged = [plane.logged.join('\n'), mesh.alarms.join('\n')].join('\n');
    expect(logged).not.toMatch(/please|4111/);
  });

  test('without the control plane every request goes on, and what is sampled waits', async () => {
    await plane.stop();
    isPlaneGone = true;
    for (let i = 0; i < 3; i++) expect(await ask(`please ${i}`)).toMatchObject({ status: 200 });
    await settles(async () => (await metric('writ_samples_waiting')) === 3, 10_000);
    expect(await metric('writ_samples_dropped_total')).toBe(0);
  });

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${mesh.sidecar().adminPort}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  }
});
