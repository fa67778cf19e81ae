// The example policy in front of a real Chroma: who finds what, however they ask. The bundle is built as `writ build`
// builds it.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleOf, compile } from '../../cli/compile.ts';
import { DOORS } from '../../proto/door.ts';
import { HANDBOOK_FILE, SALARY_FILE, seed, topics } from '../../examples/demo/documents.ts';
import * as chroma from '../../examples/parts/chroma.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import { start as startEnvoy } from '../../examples/parts/envoy.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import type { Sidecar } from '../../filters/sidecar/start-sidecar.ts';
import { startSidecar } from '../../filters/sidecar/start-sidecar.ts';
import { settles } from './settles.ts';
import { makeKeyPair, releaseOf } from './signed-release.ts';

const ACME = fileURLToPath(new URL('../../examples/acme', import.meta.url));
const POLICY = 'acme';
const keys = {
  hr: `sk-${randomBytes(16).toString('hex')}`,
  support: `sk-${randomBytes(16).toString('hex')}`,
  editor: `sk-${randomBytes(16).toString('hex')}`,
};
type Person = keyof typeof keys;
const claims = {
  hr: { sub: 'h', dept: 'hr', region: 'eu', groups: ['hr', 'everybody'], clearance: 'restricted' },
  support: { sub: 's', dept: 'support', region: 'eu', groups: ['everybody'], clearance: 'internal' },
  editor: { sub: 'e', dept: 'hr', region: 'eu', groups: ['editors', 'everybody'], clearance: 'internal' },
};

describe.each(DOORS)('through the door %s', (door) => {
  let cleanups: (() => Promise<void>)[] = [];
  let base: string;
  let direct: string;
  let sidecar: Sidecar;

  beforeAll(async () => {
    const store = await chroma.start();
    cleanups.push(() => store.stop());
    const id = await seed(store.url);
    const folder = mkdtempSync(join(tmpdir(), 'writ-retrieval-'));
    cleanups.push(async () => rmSync(folder, { recursive: true, force: true }));
    const port = await freePort();
    const deployment = join(folder, 'deployment.json');
    writeFileSync(
      deployment,
      JSON.stringify({
        listener: { port },
        models: { gemma: { url: 'http://127.0.0.1:9' }, frontier: { url: 'http://127.0.0.1:9' } },
        stores: { handbook: { url: store.url } },
        identity: {
          apiKeys: Object.entries(keys).map(([person, key]) => ({
            sha256: createHash('sha256').update(key).digest('hex'),
            claims: claims[person as Person],
          })),
        },
      }),
    );
    const { compiled, diagnostics } = await compile({ path: ACME, cwd: '/', allowUnenforced: false, deployment, door });
    if (compiled === null) throw new Error(JSON.stringify(diagnostics));
    const key = makeKeyPair();
    sidecar = await startSidecar({
      stateFolder: join(folder, 's'),
      node: 'n',
      policy: POLICY,
      keys: [key.verification],
      loadFilter,
      adminPort: 0,
      version: '0.1.0',
      alarm: () => undefined,
    });
    cleanups.push(() => sidecar.stop());
    await sidecar.offer(
      releaseOf(bundleOf(compiled, key.signing), { policy: POLICY, sequence: 1, rollback: false, key }),
    );
    const envoy = await startEnvoy({ config: sidecar.bootstrap, concurrency: 1 });
    cleanups.push(() => envoy.stop());
    await settles(() => sidecar.status().enforcing?.sequence === 1);
    const path = `/api/v2/tenants/default_tenant/databases/default_database/collections/${id}`;
    base = `http://127.0.0.1:${port}${path}`;
    direct = `${store.url}${path}`;
  });

  afterAll(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
    cleanups = [];
  });

  interface Found {
    readonly status: number;
    readonly text: string;
    readonly sources: readonly string[];
  }

  async function ask(person: Person | undefined, what: string, body: object, at = base): Promise<Found> {
    const headers = {
      'content-type': 'application/json',
      ...(person === undefined ? {} : { authorization: `Bearer ${keys[person]}` }),
    };
    const response = await fetch(`${at}/${what}`, { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await response.text();
    return {
      status: response.status,
      text,
      sources: [...text.matchAll(/"source":\s*"([^"]+)"/g)].map((match) => match[1] ?? ''),
    };
  }

  const everything = { include: ['documents', 'metadatas', 'distances'] };
  const query = (topic: readonly number[], more: object = {}): object => ({
    query_embeddings: [topic],
    n_results: 10,
    ...everything,
    ...more,
  });

  test('the store itself knows the file and both versions', async () => {
    const { sources } = await ask(undefined, 'query', query(topics.pay), direct);
    expect(sources).toContain(SALARY_FILE);
    expect(sources.filter((source) => source === HANDBOOK_FILE)).toHaveLength(2);
  });

  describe('a file that one may not read', () => {
    test('is found by those who may', async () => {
      const found = await ask('hr', 'query', query(topics.pay));
      expect(found.status).toBe(200);
      expect(found.sources.filter((source) => source === SALARY_FILE)).toHaveLength(2);
    });

    test.each<[string, string, object]>([
      ['searched for', 'query', query(topics.pay)],
      ['searched for by its name', 'query', query(topics.pay, { where: { source: SALARY_FILE } })],
      [
        'searched for past the filter',
        'query',
        query(topics.pay, { where: { $or: [{ source: SALARY_FILE }, { version: { $gte: 0 } }] } }),
      ],
      ['searched for by its words', 'query', query(topics.pay, { where_document: { $contains: 'Salaries' } })],
      [
        'searched for without its metadata',
        'query',
        { query_embeddings: [topics.pay], n_results: 10, include: ['documents'] },
      ],
      ['read by its id', 'get', { ids: ['salary-2025-1'], include: ['documents', 'metadatas'] }],
      ['read by a filter', 'get', { where: { source: SALARY_FILE }, include: ['documents', 'metadatas'] }],
      ['read with everything', 'get', { include: ['documents', 'metadatas'] }],
    ])('is not found when it is %s', async (_, what, body) => {
      const found = await ask('support', what, body);
      expect(found.text).not.toMatch(/Salar|91,000|48,500|salary-2025/);
    });

    test('is not found by nobody', async () => {
      const found = await ask(undefined, 'query', query(topics.pay));
      expect(found.status).toBeGreaterThanOrEqual(401);
      expect(found.text).not.toContain('Salar');
    });
  });

  describe('an outdated version', () => {
    test('is not found beside the new one', async () => {
      const found = await ask('support', 'query', query(topics.travel));
      expect(found.text).toContain('book in the portal');
      expect(found.text).not.toContain('fax');
    });

    test('is not found where only it matches', async () => {
      for (const [what, body] of [
        ['query', query(topics.travel, { where: { version: 1 } })],
        ['query', query(topics.travel, { where_document: { $contains: 'fax' } })],
        ['get', { ids: ['travel-v1'], include: ['documents'] }],
      ] as const) {
        expect((await ask('support', what, body)).text).not.toContain('fax');
      }
    });
  });

  describe('a document', () => {
    const upsert = (text: string): object => ({
      ids: ['new-1'],
      documents: [text],
      embeddings: [[0, 0, 0.5, 0.5]],
      metadatas: [{ source: 'New.pdf', version: 1, allowed_groups: ['everybody'], classification: 'public' }],
    });

    test('is put there by editors alone, and not with a card number', async () => {
      expect((await ask('support', 'upsert', upsert('Hello'))).status).toBe(403);
      expect((await ask('editor', 'upsert', upsert('Card 4111 1111 1111 1111'))).status).toBe(403);
      expect((await ask(undefined, 'get', { ids: ['new-1'] }, direct)).text).not.toContain('new-1');
      const accepted = await ask('editor', 'upsert', upsert('Hello everybody'));
      expect([accepted.status, accepted.text.includes('error')]).toEqual([200, false]);
      expect((await ask('support', 'get', { ids: ['new-1'], include: ['documents', 'metadatas'] })).text).toContain(
        'Hello everybody',
      );
    });

    test('is not deleted, counted or copied past the policy', async () => {
      for (const what of ['delete', 'count', 'fork', 'update', 'search']) {
        const { status } = await ask('hr', what, {});
        expect([403, 404]).toContain(status);
      }
    });
  });
});
