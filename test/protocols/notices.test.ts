// `else say` through a session of Chroma's: what the client is told of chunks that are withheld from it, and what not.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, run, type Seen } from '../kernel/test-filter.ts';

const SECRET = 'Some results are "withheld": 100 % sécurité';
const OLD = 'Old results are withheld';
const POLICY = `policy stores {
  owner "o@x.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: allow
  default ingest: allow
  on failure: deny
}
level = low < high
caller { id : text from claim "sub"  clearance : level from claim "clearance" else low }
store files chroma "files" {
  level : level from metadata "level"
  year : int from metadata "year"
}
rule cleared on retrieval from files
  withhold chunk unless chunk.level is at most caller.clearance else say "${SECRET.replaceAll('"', '\\"')}"
rule old on retrieval from files withhold chunk unless chunk.year is at least 2000 else say "${OLD}"
rule older on retrieval from files withhold chunk unless chunk.year is at least 1900 else say "${OLD}"
rule future on retrieval from files withhold chunk unless chunk.year is at most 2100
`;
const ID = '0a0b0c0d-0000-4000-8000-000000000001';
const base = '/api/v2/tenants/default_tenant/databases/default_database/collections';

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY, [
    { key: 'low', claims: { sub: 'u1' } },
    { key: 'high', claims: { sub: 'u2', clearance: 'high' } },
  ]);
});

interface Metadata {
  readonly level?: string;
  readonly year?: number;
}
const answer = (metadatas: readonly Metadata[]): string =>
  JSON.stringify({ ids: metadatas.map((_, at) => `c${at}`), documents: null, metadatas, include: ['metadatas'] });
const get = (key: string, metadatas: readonly Metadata[], body: object = {}): Seen =>
  run(filter, {
    path: `${base}/${ID}/get`,
    headers: [
      ['authorization', `Bearer ${key}`],
      ['content-type', 'application/json'],
    ],
    body: JSON.stringify(body),
    call: (path) =>
      path === `${base}/files` ? { status: 200, body: `{"id":"${ID}","name":"files"}` } : { status: 404, body: '{}' },
    upstream: { body: answer(metadatas) },
  });
const said = (seen: Seen): { header: string | undefined; field: unknown; ids: unknown } => {
  const { ids, writ_notices } = JSON.parse(seen.got) as { ids: unknown; writ_notices: unknown };
  return { header: seen.gotHeaders.find(([name]) => name === 'x-writ-notice')?.[1], field: writ_notices, ids };
};
const low = { level: 'low', year: 2020 };
const high = { level: 'high', year: 2020 };

test('where a chunk is withheld, the client is told, in a header and in a field', () => {
  expect(said(get('low', [low, high]))).toEqual({
    header: 'Some results are "withheld": 100 %25 s%C3%A9curit%C3%A9',
    field: [SECRET],
    ids: ['c0'],
  });
  const seen = get('low', [high]);
  expect(said(seen).ids).toEqual([]);
  expect(seen.gotHeaders).toContainEqual(['content-length', String(Buffer.byteLength(seen.got))]);
});

test('so it is where one cannot be decided', () => {
  for (const metadata of [{ year: 2020 }, { level: 'none', year: 2020 }])
    expect(said(get('high', [metadata as Metadata]))).toMatchObject({ field: [SECRET], ids: [] });
});

test('nothing is said where nothing is withheld, or where a rule withholds that says nothing', () => {
  for (const seen of [
    get('low', [low]),
    get('high', [high]),
    get('high', []),
    get('low', [{ level: 'low', year: 2200 }]),
  ])
    expect([said(seen).header, said(seen).field]).toEqual([undefined, undefined]);
});

test('it does not tell how many are withheld, by how many rules, or in which order', () => {
  const old = { level: 'low', year: 1800 };
  expect(said(get('low', [old, old, high, high]))).toMatchObject({ field: [OLD, SECRET] });
  expect(said(get('low', [high, old]))).toMatchObject({
    field: [OLD, SECRET],
    header: `${OLD}; Some results are "withheld": 100 %25 s%C3%A9curit%C3%A9`,
  });
});

describe('a search that asks about chunks is not told', () => {
  test.each<[string, object]>([
    ['by a filter', { where: { year: 2020 } }],
    ['by words', { where_document: { $contains: 'x' } }],
    ['by ids', { ids: ['c0'] }],
    ['by no ids', { ids: [] }],
  ])('%s', (_, body) => {
    const told = said(get('low', [high], body));
    expect([told.header, told.field, told.ids]).toEqual([undefined, undefined, []]);
  });

  test('but one with an empty filter asks nothing', () => {
    expect(said(get('low', [high], { where: {}, ids: null }))).toMatchObject({ field: [SECRET] });
  });
});

test('the store is not asked to leave out what the client is told of, so that it can be told', () => {
  expect(JSON.parse(get('low', []).sent ?? '')).toMatchObject({ where: { year: { $lte: 2100 } } });
});
