// Lists and switches from `writ list` and `writ switch` to what the real Envoy lets through and the real Chroma's results
// show: by two workers, with a control plane that goes away, and a sidecar that starts again.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { entriesOf, SALT } from '../feeds/build-feed.ts';
import { listState, signFeed } from '../../compiler/bundle/feed.ts';
import { readRole, readTrustedKeys } from '../../control-plane/keys/key-folder.ts';
import { createSignerKey, readSignerKey, signerKeyPath } from '../../control-plane/keys/signer-key.ts';
import { type ControlPlane, startControlPlane } from '../../control-plane/main.ts';
import { openAdminAt } from '../../cli/connection.ts';
import * as chroma from '../../examples/parts/chroma.ts';
import { type RunningEnvoy, start as startEnvoy } from '../../examples/parts/envoy.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { type Sidecar, startSidecar } from '../../filters/sidecar/start-sidecar.ts';
import { DOORS } from '../../proto/door.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import { writ } from '../cli/run-writ.ts';
import { settles } from './settles.ts';
import { startUpstream, type Upstream } from './upstream.ts';

const DAY = 86_400_000;
const KEY = `sk-${randomBytes(16).toString('hex')}`;
const COLLECTION = 'people';
const POLICY = `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: allow
  default ingest: deny
  on failure: deny
}
caller { id : text from claim "sub" }
model m "m-1" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
store people chroma "${COLLECTION}" { subject : optional text from metadata "subject_id" }
list erased of text from "erased-subjects" max age 1 day
list banned of text from "banned-callers" max age 1 day
switch stop "Stop the models" by "oncall" max 4 hours
rule forgotten "Erased people are not found" on retrieval from people
  withhold chunk unless (chunk.subject is not known or chunk.subject is not in erased)
rule alone on retrieval from people
  where every c in retrieval.chunks has (c.subject is known and c.subject is "ann")
  withhold chunk unless chunk.subject is not known
rule banned on prompt where caller.id is in banned deny "Banned"
rule stopped on prompt where switch stop deny "Stopped"
`;

describe.each(DOORS)('through the door %s', (door) => {
  let folder: string;
  let planePort: number;
  let plane: ControlPlane;
  let sidecar: Sidecar;
  let envoy: RunningEnvoy;
  let upstream: Upstream;
  let store: chroma.RunningChroma;
  let url: string;
  let collection: string;
  const alarms: string[] = [];

  const keys = (): string => join(folder, 'keys');
  const startPlane = async (): Promise<ControlPlane> =>
    startControlPlane({
      stateFolder: join(folder, 'plane'),
      credential: readRole(keys(), { kind: 'control-plane' }),
      trustedKeys: () => readTrustedKeys(keys()),
      host: '127.0.0.1',
      port: planePort,
      httpPort: 0,
      log: () => undefined,
    });
  const startBeside = async (): Promise<Sidecar> => {
    const { authorityPem, certificatePem, privateKeyPem } = readRole(keys(), { kind: 'node', name: 'sidecar' });
    return startSidecar({
      stateFolder: join(folder, 's'),
      node: 'sidecar',
      policy: 'acme',
      keys: readTrustedKeys(keys()),
      loadFilter,
      adminPort: 0,
      version: '0.1.0',
      alarm: (message) => alarms.push(message),
      controlPlane: {
        address: `localhost:${planePort}`,
        ca: Buffer.from(authorityPem),
        certificate: Buffer.from(certificatePem),
        key: Buffer.from(privateKeyPem),
      },
    });
  };
  const run = async (...args: string[]): Promise<string> => {
    const to = ['--keys', 'keys', '--control-plane', `localhost:${planePort}`];
    const { code, out, err } = await writ([...args, ...to], { cwd: folder });
    if (code !== 0) throw new Error(err);
    return out;
  };
  const as = (signer: string): string[] => ['--policy', 'acme', '--signer', signer];
  const ask = async (): Promise<string> => {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm-1', messages: [{ role: 'user', content: 'hello' }] }),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    });
    const said = await response.text();
    return response.status === 200 ? 'passed' : (/Banned|Stopped|cannot be decided|failed/.exec(said)?.[0] ?? said);
  };
  /** Asked often enough to meet every worker of Envoy. */
  const always = async (answer: string): Promise<boolean> => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask()));
    return answers.every((each) => each === answer);
  };
  const found = async (most = 10): Promise<readonly string[]> => {
    const response = await fetch(`${url}${collection}/query`, {
      method: 'POST',
      body: JSON.stringify({ query_embeddings: [[1, 0]], n_results: most, include: ['documents', 'metadatas'] }),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    });
    return [...(await response.text()).matchAll(/of (\w+)/g)].map(([, name]) => name!).sort();
  };
  const state = (name: string) => sidecar.status().feeds.find((each) => each.name === name);

  beforeAll(async () => {
    alarms.length = 0;
    folder = mkdtempSync(join(tmpdir(), 'writ-feeds-'));
    planePort = await freePort();
    await writ(['keys', 'init', 'keys'], { cwd: folder });
    for (const name of ['privacy', 'oncall', 'stranger']) createSignerKey(keys(), name);
    const pem = (name: string): string => readFileSync(join(keys(), 'signers', `${name}.pem`), 'utf8');
    [upstream, store] = await Promise.all([
      startUpstream(() => ({ body: [JSON.stringify({ object: 'chat.completion', choices: [] })] })),
      chroma.start(),
    ]);
    collection = await seedPeople(store.url);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    mkdirSync(join(folder, 'policy'));
    writeFileSync(join(folder, 'policy', 'acme.writ'), POLICY);
    writeFileSync(
      join(folder, 'policy', 'deployment.json'),
      JSON.stringify({
        listener: { port },
        models: { m: { url: `http://127.0.0.1:${upstream.port}` } },
        stores: { people: { url: store.url } },
        identity: { apiKeys: [{ sha256: createHash('sha256').update(KEY).digest('hex'), claims: { sub: 'u1' } }] },
        signers: {
          privacy: { keys: [pem('privacy')], lists: ['erased-subjects', 'banned-callers'] },
          oncall: { keys: [pem('oncall')] },
        },
      }),
    );
    plane = await startPlane();
    await run('push', 'policy', '--door', door);
    sidecar = await startBeside();
    envoy = await startEnvoy({ config: sidecar.bootstrap, concurrency: 2 });
    await settles(() => sidecar.status().enforcing?.sequence === 1, 20_000);
  });

  afterAll(async () => {
    await envoy?.stop();
    await sidecar?.stop();
    await plane?.stop();
    await upstream?.stop();
    await store?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a list of which nothing was ever published has failed, and a switch that nobody switched is off', async () => {
    await settles(() => state('stop')?.state === 'off');
    expect(state('banned-callers')).toMatchObject({ state: 'missing', sequence: 0 });
    expect(await ask()).not.toBe('passed');
    // Of what has no subject nothing is asked.
    expect(await found()).toEqual(['nobody']);
  });

  test('what is published decides within seconds, through every worker', async () => {
    expect(await run('list', 'import', 'banned-callers', '/dev/null', ...as('privacy'))).toContain('number 1');
    expect(await run('list', 'import', 'erased-subjects', '/dev/null', ...as('privacy'))).toContain('0 values');
    await settles(() => always('passed'));
    expect(await found()).toEqual(['ann', 'bob', 'nobody']);
    // A condition over all chunks is about those of this very search.
    expect(await found(2)).toEqual(['ann', 'bob']);
    expect(await found(1)).toEqual([]);
    const began = performance.now();
    await run('list', 'add', 'erased-subjects', 'bob', ...as('privacy'));
    await settles(async () => (await found()).join() === 'ann,nobody', 3_000);
    expect(performance.now() - began).toBeLessThan(3_000);
    await run('list', 'add', 'banned-callers', 'u1', 'u2', ...as('privacy'));
    await settles(() => always('Banned'));
    await run('list', 'remove', 'banned-callers', 'u1', ...as('privacy'));
    await settles(() => always('passed'));
    expect(
      JSON.parse(await run('list', 'show', 'banned-callers', 'u2', 'u1', '--policy', 'acme', '--json')),
    ).toMatchObject({ lists: [{ sequence: 3, count: 1, has: [{ isIn: true }, { isIn: false }] }] });
    expect(await run('list', 'remove', 'banned-callers', 'u1', ...as('privacy'))).toContain('as it was');
  });

  test('no value stands anywhere but at its signer: not on disk, and not in what Envoy is told', () => {
    const kept = readFileSync(join(folder, 's', 'feeds', feedFile('acme/list/erased-subjects')));
    expect(kept.includes('bob')).toBe(false);
    expect(alarms.join()).not.toContain('bob');
  });

  test('a switch is on until it is switched off, and longer than the policy says for nobody', async () => {
    await run('switch', 'on', 'stop', '--for', '1h', ...as('oncall'));
    await settles(() => always('Stopped'));
    expect(await run('switch', 'show', '--policy', 'acme')).toContain('on');
    expect(await run('switch', 'off', 'stop', ...as('oncall'))).toContain('off');
    await settles(() => always('passed'));
    await expect(run('switch', 'on', 'stop', '--for', '5h', ...as('oncall'))).rejects.toThrow('4 h at most');
  });

  test('a key that the bundle does not name signs nothing', async () => {
    await expect(run('switch', 'on', 'stop', ...as('stranger'))).rejects.toThrow('does not let the key');
    await expect(run('switch', 'on', 'stop', ...as('privacy'))).rejects.toThrow('does not let the key');
    await expect(publishBanned('stranger', ['u1'], { sequence: 4 })).rejects.toThrow('unknown_key');
    await expect(publishBanned('privacy', ['u1'], { sequence: 3 })).rejects.toThrow('not_next');
    expect(await always('passed')).toBe(true);
  });

  test('a list that was signed too long ago fails what reads it, until it is signed again', async () => {
    await publishBanned('privacy', [], { sequence: 4, issuedAt: Date.now() - DAY - 1_000 });
    await settles(async () => !(await always('passed')) && (await ask()) !== 'passed');
    await settles(() => state('banned-callers')?.state === 'stale');
    await settles(() => alarms.some((each) => /`banned-callers` is too old/.test(each)));
    expect(await run('status')).toMatch(/list banned-callers.*stale/);
    // The other list is as good as before.
    expect(await found()).toEqual(['ann', 'nobody']);
    await run('list', 'refresh', 'banned-callers', ...as('privacy'));
    await settles(() => always('passed'));
    expect(state('banned-callers')).toMatchObject({ state: 'fresh', sequence: 5 });
  });

  test('without a control plane the last state holds, through a start of the sidecar too', async () => {
    await plane.stop();
    await settles(() => sidecar.status().controlPlane === 'disconnected');
    expect(await found()).toEqual(['ann', 'nobody']);
    await sidecar.stop();
    sidecar = await startBeside();
    await settles(() => sidecar.status().enforcing?.sequence === 1, 20_000);
    await settles(() => always('passed'));
    expect(await found()).toEqual(['ann', 'nobody']);
    expect(state('erased-subjects')).toMatchObject({ state: 'fresh', sequence: 2 });
    plane = await startPlane();
    await settles(() => sidecar.status().controlPlane === 'connected', 20_000);
    await run('switch', 'on', 'stop', ...as('oncall'));
    await settles(() => always('Stopped'));
  });

  test('a list of ten thousand is in force in a second, from the command on', async () => {
    writeFileSync(join(folder, 'many'), Array.from({ length: 9_999 }, (_, at) => `person-${at}\n`).join(''));
    await run('list', 'import', 'erased-subjects', 'many', ...as('privacy'));
    await settles(async () => (await found()).includes('bob'));
    const began = performance.now();
    await run('list', 'add', 'erased-subjects', 'ann', ...as('privacy'));
    await settles(async () => !(await found()).includes('ann'), 3_000);
    const took = performance.now() - began;
    console.log(`add to a list of ten thousand, in force after ${Math.round(took)} ms (${door})`);
    expect(took).toBeLessThan(3_000);
    await expect(run('list', 'add', 'erased-subjects', 'bob', ...as('privacy'))).rejects.toThrow('takes 10000');
  });

  async function publishBanned(
    signer: string,
    values: readonly string[],
    { sequence, issuedAt = Date.now() }: { readonly sequence: number; readonly issuedAt?: number },
  ): Promise<void> {
    const entries = entriesOf(values);
    const list = { policy: 'acme', name: 'banned-callers', sequence, issuedAt, element: 'text', salt: SALT };
    const { signing } = readSignerKey(signerKeyPath(keys(), signer));
    const admin = openAdminAt(`localhost:${planePort}`, keys(), { kind: 'admin', name: 'admin' });
    try {
      await admin.call(Admin.method.publish, signFeed(listState(list, entries), entries, signing));
    } finally {
      admin.close();
    }
  }
});

function feedFile(resource: string): string {
  return `${createHash('sha256').update(resource).digest('hex').slice(0, 32)}.bin`;
}

/** Three documents: of Ann, of Bob, and of nobody. The collection's path. */
async function seedPeople(chromaUrl: string): Promise<string> {
  const path = '/api/v2/tenants/default_tenant/databases/default_database/collections';
  const post = async (at: string, body: object): Promise<{ readonly id?: string }> => {
    const response = await fetch(`${chromaUrl}${path}${at}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`chroma refused: ${response.status}`);
    return (await response.json()) as { readonly id?: string };
  };
  const { id } = await post('', { name: COLLECTION, get_or_create: true });
  await post(`/${id}/upsert`, {
    ids: ['1', '2', '3'],
    documents: ['file of ann', 'file of bob', 'file of nobody'],
    embeddings: [
      [1, 0],
      [0.9, 0.1],
      [0.8, 0.2],
    ],
    metadatas: [{ subject_id: 'ann' }, { subject_id: 'bob' }, { kind: 'general' }],
  });
  return `${path}/${id}`;
}
