// Requests that a rule holds, through the whole path: Envoy, kernel, sidecar, control plane, and reviewers with their
// certificates at the command line. What a ticket is worth, and to whom.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openAdminAt } from '../../cli/connection.ts';
import { readRole } from '../../control-plane/keys/key-folder.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import { DOORS } from '../../proto/door.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { writ } from '../cli/run-writ.ts';
import { bundleKey, startTestControlPlane } from '../control-plane/fixtures.ts';
import type { TestControlPlane } from '../control-plane/fixtures.ts';
import type { Mesh } from './mesh.ts';
import { startMesh } from './mesh.ts';
import { policyWasm } from './policy-wasm.ts';
import { settles } from './settles.ts';
import { startUpstream, type Upstream } from './upstream.ts';

const CARD = '4111 1111 1111 1111';
const IBAN = 'DE89 3704 0044 0532 0130 00';
const TEXT = `Please sign the contract, ${IBAN}, paid with ${CARD}`;
const KEYS = Object.fromEntries(['jo', 'lea'].map((who) => [who, `sk-${randomBytes(16).toString('hex')}`]));

const policy = (owner: string): string => `policy acme {
  owner "${owner}@acme.example"
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
reviewers legal from group "legal-review"
rule contracts on prompt where text contains any of ("contract") hold for review by 2 of legal up to 4 hours else deny
rule cards on prompt redact payment_card as placeholder
rule ibans on completion redact iban as mask
`;

let plane: TestControlPlane;
let upstream: Upstream;
let mesh: Mesh;
let sequence = 0;
let port: number;
let keys: string;
/** Hours that the control plane's clock is ahead. */
let ahead = 0;
let isPlaneGone = false;

describe.each(DOORS)('through the door %s', (door) => {
  const deployment = (): object => ({
    models: { m: { url: `http://127.0.0.1:${upstream.port}/m` } },
    identity: {
      apiKeys: Object.entries(KEYS).map(([who, key]) => ({
        sha256: createHash('sha256').update(key).digest('hex'),
        claims: { sub: who },
      })),
    },
  });

  beforeAll(async () => {
    ahead = 0;
    sequence = 0;
    isPlaneGone = false;
    keys = mkdtempSync(join(tmpdir(), 'writ-review-keys-'));
    await run(['keys', 'init', keys, '--node', 'node-1']);
    for (const name of ['lea', 'max', 'eva'])
      await run(['keys', 'reviewer', name, '--group', 'legal-review', '--keys', keys]);
    await run(['keys', 'reviewer', 'sam', '--group', 'sec', '--keys', keys]);
    upstream = await startUpstream(() => ({ body: [JSON.stringify({ object: 'chat.completion', choices: [] })] }));
    port = await freePort();
    plane = await startTestControlPlane({
      port,
      credential: readRole(keys, { kind: 'control-plane' }),
      now: () => Date.now() + ahead * 3_600_000,
    });
    const { authorityPem, certificatePem, privateKeyPem } = readRole(keys, { kind: 'node', name: 'node-1' });
    const { plan, wasm } = await policyWasm(policy('first'), deployment());
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
    await govern('first');
  });

  afterAll(async () => {
    await mesh?.stop();
    if (!isPlaneGone) await plane?.stop();
    await upstream?.stop();
    rmSync(keys, { recursive: true, force: true });
  });

  beforeEach(() => {
    upstream.received.length = 0;
  });

  async function govern(owner: string): Promise<void> {
    const { plan, wasm } = await policyWasm(policy(owner), deployment());
    const client = openAdminAt(`127.0.0.1:${port}`, keys, { kind: 'admin', name: 'admin' });
    await client.call(Admin.method.push, mesh.release(++sequence, { plan, wasm, door }));
    client.close();
    await mesh.enforced(sequence);
  }

  interface Said {
    readonly status: number;
    readonly ticket: string | null;
    readonly retryAfter: string | null;
    readonly text: string;
  }

  async function ask(content: string, ticket?: string | null, who = 'jo'): Promise<Said> {
    const response = await fetch(`${mesh.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm-1', messages: [{ role: 'user', content }] }),
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${KEYS[who]}`,
        ...(ticket ? { 'x-writ-ticket': ticket } : {}),
      },
    });
    return {
      status: response.status,
      ticket: response.headers.get('x-writ-ticket'),
      retryAfter: response.headers.get('retry-after'),
      text: await response.text(),
    };
  }

  async function run(args: readonly string[]): Promise<string> {
    const { code, out, err } = await writ(args);
    if (code !== 0) throw new Error(err);
    return out;
  }

  const review = (who: string, ...args: readonly string[]): Promise<string> =>
    run(['review', ...args, '--reviewer', who, '--keys', keys, '--control-plane', `127.0.0.1:${port}`]);

  /** Enters the queue with a text of its own; its ticket, and its number for reviewers. */
  async function enter(content: string, who = 'jo'): Promise<{ readonly ticket: string; readonly id: string }> {
    const { status, ticket } = await ask(content, null, who);
    expect(status).toBe(202);
    const { reviews } = JSON.parse(await review('lea', 'list', '--json')) as { reviews: { id: number }[] };
    return { ticket: ticket ?? '', id: String(reviews.at(-1)?.id) };
  }

  async function approve(id: string): Promise<void> {
    await review('max', 'approve', id);
    await review('eva', 'approve', id, '--reason', 'known');
  }

  test('it waits, is approved by two, and passes once, redacted and without its ticket', async () => {
    const first = await ask(TEXT);
    expect(first).toMatchObject({ status: 202, ticket: expect.stringMatching(/^[0-9a-f]{32}$/), retryAfter: '10' });
    expect(JSON.parse(first.text)).toMatchObject({ error: { type: 'held_for_review', code: 'writ_held' } });
    expect((await ask(TEXT)).ticket).toBe(first.ticket);

    const listed = await review('lea', 'list');
    expect(listed).toContain('contracts');
    const id = /^(\d+) /m.exec(listed)?.[1] ?? '';
    const shown = await review('lea', 'show', id);
    expect(shown).toContain('Please sign the contract, [IBAN], paid with [PAYMENT_CARD]');
    expect(shown).toContain('asked by jo');

    await review('max', 'approve', id, '--reason', 'known customer');
    expect((await ask(TEXT, first.ticket)).status).toBe(202);
    await review('eva', 'approve', id);
    expect(upstream.received).toHaveLength(0);

    expect((await ask(TEXT, first.ticket)).status).toBe(200);
    expect(upstream.received).toHaveLength(1);
    expect(upstream.received[0]!.body.toString()).toContain(IBAN);
    expect(upstream.received[0]!.body.toString()).toContain('[PAYMENT_CARD_1_');
    expect(JSON.stringify(upstream.received[0]!.headers)).not.toContain(first.ticket);

    const second = await ask(TEXT, first.ticket);
    expect(second).toMatchObject({ status: 403, text: expect.stringContaining('used already') });
    expect(upstream.received).toHaveLength(1);
    expect(await review('lea', 'show', id)).toMatch(/passed at .*max: approve, because: known customer/s);
  });

  test('a ticket is worth nothing to another caller, for another body, or under another policy', async () => {
    const { ticket, id } = await enter('contract one');
    await approve(id);
    for (const [content, who] of [
      ['contract one', 'lea'],
      ['contract one ', 'jo'],
    ] as const)
      expect(await ask(content, ticket, who)).toMatchObject({
        status: 403,
        text: expect.stringContaining('not for this'),
      });
    await govern('second');
    expect(await ask('contract one', ticket)).toMatchObject({
      status: 403,
      text: expect.stringContaining('not for this'),
    });
    expect(upstream.received).toHaveLength(0);
  });

  test('nobody answers their own request, and nobody of another group sees it', async () => {
    const { id } = await enter('contract of lea', 'lea');
    await expect(review('lea', 'approve', id)).rejects.toThrow('own request');
    await expect(review('sam', 'approve', id)).rejects.toThrow('no review');
    expect(await review('sam', 'list')).toBe('nothing waits for you\n');
    await expect(review('max', 'reject', id)).rejects.toThrow('says why');
  });

  test('one rejection denies', async () => {
    const { ticket, id } = await enter('contract two');
    await review('lea', 'reject', id, '--reason', 'no such deal');
    expect(await ask('contract two', ticket)).toMatchObject({ status: 403, text: expect.stringContaining('rejected') });
    expect(upstream.received).toHaveLength(0);
  });

  test('after its time an approved ticket is worth nothing', async () => {
    const { ticket, id } = await enter('contract three');
    await approve(id);
    ahead += 4;
    expect(await ask('contract three', ticket)).toMatchObject({ status: 403, text: expect.stringContaining('over') });
    expect((await ask('contract three')).status).toBe(202);
  });

  test('nothing of it stands in the logs', async () => {
    const path = join(mesh.stateFolder, 'decisions.log');
    const log = (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
    await settles(() => log().includes('"outcome":"hold"'));
    for (const said of [log(), plane.logged.join('\n'), mesh.alarms.join('\n')]) {
      expect(said).not.toContain('4111');
      expect(said).not.toContain('Please sign');
    }
  });

  test('without the control plane what is held is refused, approved or not, and all else goes on', async () => {
    const { ticket, id } = await enter('contract four');
    await approve(id);
    await plane.stop();
    isPlaneGone = true;
    for (const each of [ticket, null])
      expect(await ask('contract four', each)).toMatchObject({
        status: 503,
        text: expect.stringContaining('cannot be reached'),
      });
    expect((await ask('hello')).status).toBe(200);
    expect(upstream.received).toHaveLength(1);
  });
});
