// Conditions over all chunks, through a session of Chroma's: what one chunk says of the others.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, run, type Seen } from '../kernel/test-filter.ts';

const POLICY = `policy stores {
  owner "o@x.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: allow
  default ingest: allow
  on failure: allow
}
level = low < high
caller { id : text from claim "sub"  groups : set of text from claim "groups" else {} }
store files chroma "files" {
  level : level from metadata "level" else low
  matter : optional text from metadata "matter"
  year : int from metadata "year"
}
store plain chroma "plain" { level : level from metadata "level" }
rule no_secrets on retrieval from files
  where some c in retrieval.chunks has (c.level is high)
  deny
rule marked on retrieval from files
  where some c in retrieval.chunks has (c.matter is known and c.matter is "A")
  withhold chunk unless chunk.matter is known and chunk.matter is "A" else say "Only one matter at a time"
rule low_only on retrieval from plain withhold chunk unless chunk.level is low
`;
const IDS = { files: '0a0b0c0d-0000-4000-8000-000000000001', plain: '0a0b0c0d-0000-4000-8000-000000000002' };
const base = '/api/v2/tenants/default_tenant/databases/default_database/collections';

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY, [{ key: 'k', claims: { sub: 'u1' } }]);
});

type Metadata = Readonly<Record<string, unknown>> | null;
type Store = keyof typeof IDS;
const ask = (store: Store, how: 'get' | 'query', body: object, reply: object): Seen =>
  run(filter, {
    path: `${base}/${IDS[store]}/${how}`,
    headers: [
      ['authorization', 'Bearer k'],
      ['content-type', 'application/json'],
    ],
    body: JSON.stringify(body),
    call: (path) => {
      const name = (Object.keys(IDS) as Store[]).find((each) => path === `${base}/${each}`);
      return name === undefined
        ? { status: 404, body: '{}' }
        : { status: 200, body: JSON.stringify({ id: IDS[name], name }) };
    },
    upstream: { body: JSON.stringify(reply) },
  });
const get = (metadatas: readonly Metadata[], body: object = {}, store: Store = 'files'): Seen =>
  ask(store, 'get', body, {
    ids: metadatas.map((_, at) => `c${at}`),
    documents: null,
    metadatas,
    include: ['metadatas'],
  });
const query = (rows: readonly (readonly Metadata[])[], body: object = {}, store: Store = 'files'): Seen =>
  ask(
    store,
    'query',
    { query_embeddings: rows.map(() => [1, 0]), ...body },
    {
      ids: rows.map((row, r) => row.map((_, at) => `c${r}${at}`)),
      documents: null,
      metadatas: rows,
      distances: null,
      include: ['metadatas'],
    },
  );
const ids = (seen: Seen): unknown => (JSON.parse(seen.got) as { ids: unknown }).ids;
const LOW = { year: 2020 };
const HIGH = { year: 2020, level: 'high' };
const OF_A = { year: 2020, matter: 'A' };
const OF_B = { year: 2020, matter: 'B' };

describe('one chunk decides for all', () => {
  test('in a read by id', () => {
    expect(ids(get([LOW, LOW]))).toEqual(['c0', 'c1']);
    expect(ids(get([LOW, HIGH, LOW]))).toEqual([]);
    expect(ids(get([]))).toEqual([]);
  });

  test('in a search, over all of its queries', () => {
    expect(ids(query([[LOW, LOW], [LOW]]))).toEqual([['c00', 'c01'], ['c10']]);
    expect(ids(query([[LOW, LOW], [HIGH]]))).toEqual([[], []]);
  });

  test('and what an optional attribute says of none is said of none', () => {
    expect(ids(get([LOW, OF_B]))).toEqual(['c0', 'c1']);
    const seen = get([LOW, OF_A, OF_B, OF_A]);
    expect(ids(seen)).toEqual(['c1', 'c3']);
    expect(seen.got).toContain('Only one matter at a time');
  });
});

describe('what cannot be known of one chunk', () => {
  test('is known of none: nothing passes, whatever the policy says of failures', () => {
    expect(ids(get([LOW, { year: 2020, level: 'odd' }]))).toEqual([]);
    expect(ids(get([LOW, { year: 2020, matter: 7 }]))).toEqual([]);
  });

  test('fails nothing where no condition over all chunks reads it', () => {
    expect(ids(get([LOW, { year: 'odd' }, {}, null]))).toEqual(['c0', 'c1', 'c2', 'c3']);
  });
});

describe('what the store is asked', () => {
  test('is what the client asks: no filter, and no more results', () => {
    expect(JSON.parse(query([[LOW]], { n_results: 3 }).sent ?? '')).toEqual({
      query_embeddings: [[1, 0]],
      n_results: 3,
    });
    expect(JSON.parse(query([[{ level: 'low' }]], { n_results: 3 }, 'plain').sent ?? '')).toMatchObject({
      where: { level: { $in: ['low'] } },
    });
  });

  test('and metadata that the client does not want', () => {
    const seen = query([[LOW, HIGH]], { include: ['distances'] });
    expect(JSON.parse(seen.sent ?? '')).toMatchObject({ include: ['metadatas', 'distances'] });
    expect(ids(seen)).toEqual([[]]);
  });

  test('a filter of the client would tell what it finds', () => {
    const seen = query([[LOW]], { where: { matter: 'A' } });
    expect(seen.status).toBe(403);
    expect(seen.got).toContain('a search of this store cannot filter');
    expect(get([LOW], { where_document: { $contains: 'x' } }).status).toBe(403);
    expect(query([[{ level: 'low' }]], { where: { level: 'low' } }, 'plain').status).toBe(200);
  });
});

test('as many chunks as an answer may have, and one more', () => {
  const most = Array.from({ length: 4_096 }, () => LOW);
  expect((ids(get(most)) as unknown[]).length).toBe(4_096);
  expect(ids(get([...most.slice(1), HIGH]))).toEqual([]);
  expect(get([...most, LOW]).status).toBe(502);
});
