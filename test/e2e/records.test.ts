// Exchanges that must be recorded, through the whole path: Envoy, kernel, sidecar and its disk, control plane, and an admin
// at the command line. What cannot be recorded does not go on.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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
const KEY = `sk-${randomBytes(16).toString('hex')}`;
const POLICY = `policy acme {
  owner "records@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: allow
}
caller { id : text from claim "sub" }
model m "m-1" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
rule contracts on prompt where text contains any of ("contract") record exchange for 90 days
rule cards on prompt redact payment_card as placeholder
rule long on exchange where completion.tokens is above 1_000 tokens record exchange for 7 days tag long = true
`;

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
    keys = mkdtempSync(join(tmpdir(), 'writ-record-keys-'));
    await run(['keys', 'init', keys, '--node', 'node-1', '--admin', 'ada', '--admin', 'admin']);
    upstream = await startUpstream(({ body }) => ({
      headers: { 'content-type': 'application/json' },
      body: [
        JSON.stringify({
          object: 'chat.completion',
          choices: [{ index: 0, message: { role: 'assistant', content: 'signed' }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 1, completion_tokens: body.includes('epic') ? 1_001 : 1_000 },
        }),
      ],
    }));
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

  async function ask(content: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${mesh.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm-1', messages: [{ role: 'user', content }] }),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    });
    return { status: response.status, text: await response.text() };
  }

  async function run(args: readonly string[]): Promise<string> {
    const { code, out, err } = await writ(args);
    if (code !== 0) throw new Error(err);
    return out;
  }

  const record = (...args: readonly string[]): Promise<string> =>
    run(['record', ...args, '--admin', 'ada', '--keys', keys, '--control-plane', `127.0.0.1:${port}`]);
  const spool = (): string => join(mesh.stateFolder, 'records');

  test('what must be recorded is, masked, with its reply; who read it is kept', async () => {
    expect((await ask('hello')).status).toBe(200);
    expect((await ask(`a contract, paid with ${CARD}`)).status).toBe(200);
    await settles(() => readdirSync(spool()).length === 0, 20_000);
    const exported = (await record('export')).trimEnd().split('\n');
    expect(exported).toHaveLength(1);
    expect(JSON.parse(exported[0]!)).toMatchObject({
      caller: 'jo',
      model: 'm',
      rules: ['contracts'],
      ended: true,
      messages: [
        { role: 'user', content: 'a contract, paid with [PAYMENT_CARD]' },
        { role: 'assistant', content: 'signed' },
      ],
    });
    expect(await record('list')).toContain('contracts');
    expect(await record('reads')).toMatch(/ada +list[^]*ada +export/);
  });

  test('what its reply cost decides an exchange that is over: it is recorded, and tagged in the log', async () => {
    expect((await ask(`an epic, paid with ${CARD}`)).status).toBe(200);
    const path = join(mesh.stateFolder, 'decisions.log');
    const log = (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
    await settles(() => log().includes('"name":"long"'), 20_000);
    await settles(() => readdirSync(spool()).length === 0, 20_000);
    const exported = (await record('export'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(exported).toHaveLength(2);
    expect(exported).toContainEqual(
      expect.objectContaining({
        rules: ['long'],
        ended: true,
        messages: [
          { role: 'user', content: 'an epic, paid with [PAYMENT_CARD]' },
          { role: 'assistant', content: 'signed' },
        ],
      }),
    );
  });

  test('without the control plane records wait on the disk, and where that takes none nothing goes on', async () => {
    await plane.stop();
    isPlaneGone = true;
    upstream.received.length = 0;
    expect((await ask('contract two')).status).toBe(200);
    await settles(() => readdirSync(spool()).length === 2);
    rmSync(spool(), { recursive: true });
    expect(await ask('contract three')).toMatchObject({
      status: 503,
      text: expect.stringContaining('none can be kept'),
    });
    expect((await ask('hello')).status).toBe(200);
    expect(upstream.received).toHaveLength(2);
  });
});
