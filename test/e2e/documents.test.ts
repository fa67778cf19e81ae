// Documents that are stored and found, in front of a real Chroma: what the policy does to them, read past the gateway.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DOORS } from '../../proto/door.ts';
import * as chroma from '../../examples/parts/chroma.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { type Mesh, startMesh } from './mesh.ts';
import { policyWasm } from './policy-wasm.ts';
import { settles } from './settles.ts';

const PEOPLE = { editor: ['editors'], writer: [], auditor: ['audit'] };
type Person = keyof typeof PEOPLE;
const KEYS = Object.fromEntries(
  Object.keys(PEOPLE).map((person) => [person, `sk-${randomBytes(16).toString('hex')}`]),
) as Record<Person, string>;

const POLICY = `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: allow
  on failure: allow
}
level = low < high
caller { id : text from claim "sub"  groups : set of text from claim "groups" else {} }
store files chroma "files" {
  source : text from metadata "source"
  reviewed : optional bool from metadata "reviewed"
}
rule reviewed on ingest into files tag reviewed = true where caller.groups contains "editors"
rule sourced "Say where it is from" on ingest into files require not (chunk.source is "rumour")
rule no_iban on ingest into files require not (text contains iban)
detector employee_id matches \`EMP-[0-9]{6}\`
rule masked on ingest into files redact employee_id as mask
rule all on retrieval from files allow chunk where chunk.source is "s" tag found = true
store notes chroma "notes" {
  kind : text from metadata "kind"
  level : level from metadata "level"
}
rule open on retrieval from notes withhold chunk unless chunk.kind is "open" waivable by "dpo"
waiver audit "Auditors" of open where caller.groups contains "audit" until ${new Date(Date.now() + 864e5).toISOString().slice(0, 10)} owner "dpo"
rule notes on retrieval from notes
  allow chunk where chunk.level is at most high
  withhold chunk unless chunk.level is low else say "Some results are withheld"
`;

interface Answer {
  readonly status: number;
  readonly notice: string | null;
  readonly text: string;
}

describe.each(DOORS)('through the door %s', (door) => {
  let store: chroma.RunningChroma;
  let mesh: Mesh;
  let path: string;
  let notes: string;

  beforeAll(async () => {
    store = await chroma.start();
    const collections = '/api/v2/tenants/default_tenant/databases/default_database/collections';
    const { text } = await post(`${store.url}${collections}`, { name: 'files' });
    path = `${collections}/${(JSON.parse(text) as { id: string }).id}`;
    const second = await post(`${store.url}${collections}`, { name: 'notes' });
    notes = `${collections}/${(JSON.parse(second.text) as { id: string }).id}`;
    const deployment = {
      stores: { files: { url: store.url }, notes: { url: store.url } },
      identity: {
        apiKeys: Object.entries(PEOPLE).map(([person, groups]) => ({
          sha256: createHash('sha256')
            .update(KEYS[person as Person])
            .digest('hex'),
          claims: { sub: person, groups },
        })),
      },
    };
    const { plan, wasm } = await policyWasm(POLICY, deployment);
    mesh = await startMesh({ plan, deployment, wasm, door, loadFilter });
  });

  afterAll(async () => {
    await mesh?.stop();
    await store?.stop();
  });

  async function post(url: string, body: object, key?: string): Promise<Answer> {
    const authorization: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorization },
      body: JSON.stringify(body),
    });
    return { status: response.status, notice: response.headers.get('x-writ-notice'), text: await response.text() };
  }

  const ask = (person: Person, what: string, body: object): Promise<Answer> =>
    post(`${mesh.url}${path}/${what}`, body, KEYS[person]);
  /** What the store holds, past the gateway. */
  const stored = async (...ids: readonly string[]): Promise<readonly unknown[]> => {
    const { text } = await post(`${store.url}${path}/get`, { ids, include: ['metadatas', 'documents'] });
    return (JSON.parse(text) as { metadatas: readonly unknown[] }).metadatas;
  };
  const write = (ids: readonly string[], metadatas: unknown, documents = ids.map((id) => `text of ${id}`)): object => ({
    ids,
    documents,
    embeddings: ids.map((_, at) => [1, at]),
    metadatas,
  });
  const log = (): string => {
    const file = join(mesh.stateFolder, 'decisions.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };

  describe('a tag', () => {
    test('stands in the metadata of what is stored, and nobody else can write it', async () => {
      expect(await ask('editor', 'add', write(['t1'], [{ source: 's', reviewed: false }]))).toMatchObject({
        status: 201,
      });
      expect(await ask('writer', 'add', write(['t2'], [{ source: 's', reviewed: true }]))).toMatchObject({
        status: 201,
      });
      expect(await stored('t1', 't2')).toEqual([{ source: 's', reviewed: true }, { source: 's' }]);
    });

    test('goes from a document of which another writes a new text', async () => {
      expect(await ask('writer', 'upsert', write(['t1'], [{ source: 's' }]))).toMatchObject({ status: 200 });
      expect(await stored('t1')).toEqual([{ source: 's' }]);
    });

    test('stands in the log', async () => {
      expect(await ask('writer', 'get', { ids: ['t2'] })).toMatchObject({ status: 200 });
      await settles(() => log().includes('"tags":[{"name":"reviewed","value":"true"}]'));
      await settles(() => log().includes('"tags":[{"name":"found","value":"true"}]'));
    });
  });

  describe('what is required', () => {
    test('refuses the whole write for one document, which is named by its place', async () => {
      const { status, text } = await ask('writer', 'add', write(['r1', 'r2'], [{ source: 's' }, { source: 'rumour' }]));
      expect(status).toBe(403);
      expect(text).toContain('of these 2 documents may not be stored: number 2; Say where it is from (rule sourced)');
      expect(text).not.toContain('rumour');
      const iban = write(['r1'], [{ source: 's' }], ['DE89 3704 0044 0532 0130 00']);
      expect(await ask('writer', 'upsert', iban)).toMatchObject({ status: 403 });
      expect(await ask('writer', 'upsert', write(['r1'], null))).toMatchObject({ status: 403 });
      expect(await stored('r1', 'r2')).toEqual([]);
    });
  });

  describe('a document that is to be redacted', () => {
    test('is refused with an embedding, which was made of what it says, and nothing of it is stored', async () => {
      const { status, text } = await ask('writer', 'add', write(['e1'], [{ source: 's' }], ['EMP-123456 joined']));
      expect(status).toBe(403);
      expect(text).toContain('embeddings');
      expect(text).not.toContain('EMP-123456');
      expect(await stored('e1')).toEqual([]);
    });

    test('goes to the store redacted without one: this store then says itself that it wants one', async () => {
      const body = { ids: ['e2'], documents: ['EMP-123456 joined'], metadatas: [{ source: 's' }] };
      const { status, text } = await ask('writer', 'add', body);
      expect([status, text]).toEqual([422, expect.stringContaining('missing field `embeddings`')]);
      expect(await stored('e2')).toEqual([]);
    });
  });

  describe('what is withheld', () => {
    const search = async (
      person: Person,
      at: readonly number[],
      more: object = {},
    ): Promise<Answer & { ids: unknown }> => {
      const body = { query_embeddings: [at], n_results: 1, ...more };
      const answer = await post(`${mesh.url}${notes}/query`, body, KEYS[person]);
      return { ...answer, ids: (JSON.parse(answer.text) as { ids: unknown }).ids };
    };

    beforeAll(async () => {
      // Twenty closed notes stand nearer than the open one: more than are fetched for one result.
      const closed = Array.from({ length: 20 }, (_, at) => ({
        id: `closed${at}`,
        at: [1, at / 1_000],
        kind: 'closed',
        level: 'low',
      }));
      const all = [
        ...closed,
        { id: 'open', at: [1, 1], kind: 'open', level: 'low' },
        { id: 'secret', at: [-1, 0], kind: 'open', level: 'high' },
      ];
      const body = {
        ids: all.map(({ id }) => id),
        documents: all.map(({ id }) => id),
        embeddings: all.map(({ at }) => at),
        metadatas: all.map(({ kind, level }) => ({ kind, level })),
      };
      expect(await post(`${store.url}${notes}/add`, body)).toMatchObject({ status: 201 });
    });

    test('by a rule that some are waived of is still left out by the store for all others', async () => {
      expect(await search('writer', [1, 0])).toMatchObject({ status: 200, ids: [['open']] });
      expect(await search('auditor', [1, 0])).toMatchObject({ status: 200, ids: [['closed0']] });
    });

    test('is told of where its rule says so, and not where a filter asks about it', async () => {
      const told = await search('writer', [-1, 0]);
      expect(told).toMatchObject({ status: 200, notice: 'Some results are withheld' });
      expect(JSON.parse(told.text)).toMatchObject({ writ_notices: ['Some results are withheld'] });
      expect(told.text).not.toContain('secret');
      expect(await search('writer', [1, 1], { n_results: 1 })).toMatchObject({
        status: 200,
        notice: expect.anything(),
      });
      for (const more of [{ where: { level: 'high' } }, { ids: ['secret'] }])
        expect(await search('writer', [-1, 0], more)).toMatchObject({ status: 200, notice: null, ids: [[]] });
    });
  });
});
