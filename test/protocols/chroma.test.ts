// Chroma through a session: what is asked of the store, which chunks come back, what is written, in every chunking.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, run, type Exchange, type Seen } from '../kernel/test-filter.ts';
import { cuts, random } from './chunking.ts';

const POLICY = `policy stores {
  owner "o@x.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: allow
  on failure: deny
  base classification: public
}
department = support | hr
classification = public < internal < confidential < restricted
caller {
  id : text from claim "sub"
  department : department from claim "dept"
  groups : set of text from claim "groups" else {}
  clearance : classification from claim "clearance" else public
}
store hr_docs chroma "hr_docs" {
  source : text from metadata "source"
  version : int from metadata "version"
  groups : set of text from metadata "allowed_groups"
  classification : classification from metadata "classification" else restricted
}
store other chroma "other" {
  source : text from metadata "source"
}
detector employee_id matches \`EMP-[0-9]{6}\`
rule need_to_know
  on retrieval from hr_docs
  allow chunk where chunk.groups overlaps caller.groups
  withhold chunk unless chunk.classification is at most caller.clearance
rule current
  on retrieval from hr_docs
  keep newest chunk.version for each chunk.source
rule seen
  on retrieval from hr_docs
  redact employee_id as mask
rule stored
  on ingest from hr_docs
  redact employee_id as mask
rule no_iban
  on ingest from hr_docs
  where text contains iban
  deny "no IBAN is stored"
`;

const HR = '0a0b0c0d-0000-4000-8000-000000000001';
const STRANGE = '0a0b0c0d-0000-4000-8000-000000000099';
const base = '/api/v2/tenants/default_tenant/databases/default_database/collections';

interface Chunk {
  readonly id: string;
  readonly document: string;
  readonly metadata: Readonly<Record<string, unknown>> | null;
}
const chunk = (
  id: string,
  source: string,
  version: number,
  groups: readonly string[],
  classification: string | undefined,
  document = `text of ${id}`,
): Chunk => ({
  id,
  document,
  metadata: { source, version, allowed_groups: groups, ...(classification === undefined ? {} : { classification }) },
});
const CHUNKS: readonly Chunk[] = [
  chunk('salary', 'Salary_2025.pdf', 1, ['hr'], 'restricted', 'EMP-123456 earns much'),
  chunk('faq', 'faq.md', 2, ['hr', 'support'], 'public', 'ask EMP-222222'),
  chunk('old', 'handbook.md', 1, ['support'], 'public'),
  chunk('secret', 'plan.md', 1, ['support'], 'confidential'),
  chunk('unlabelled', 'x.md', 1, ['support'], undefined),
  { id: 'bare', document: 'bare', metadata: null },
];
/** The newest handbook is one that support may not see. */
const VERSIONS = [
  { source: 'handbook.md', version: 2, allowed_groups: ['hr'], classification: 'public' },
  ...CHUNKS.flatMap(({ metadata }) => (metadata ? [metadata] : [])),
];

const queryReply = (chunks: readonly Chunk[], spaces = ''): string =>
  `{"ids":[[${chunks.map(({ id }) => JSON.stringify(id)).join(`,${spaces}`)}]],"embeddings":null,"documents":[[${chunks.map(({ document }) => JSON.stringify(document)).join(`,${spaces}`)}]],"uris":null,"metadatas":[[${chunks.map(({ metadata }) => JSON.stringify(metadata)).join(`,${spaces}`)}]],"distances":[[${chunks.map((_, i) => `0.${i}12345678901234`).join(`,${spaces}`)}]],"include":["documents","metadatas","distances"]}`;
const getReply = (chunks: readonly Chunk[]): string =>
  JSON.stringify({
    ids: chunks.map(({ id }) => id),
    embeddings: null,
    documents: chunks.map(({ document }) => document),
    uris: null,
    metadatas: chunks.map(({ metadata }) => metadata),
    include: ['documents', 'metadatas'],
  });

const call = (path: string): { status: number; body: string } => {
  if (path === `${base}/hr_docs`)
    return {
      status: 200,
      body: `{"id":"${HR}","name":"hr_docs","metadata":null,"dimension":3,"tenant":"default_tenant"}`,
    };
  if (path === `${base}/${HR}/get`)
    return {
      status: 200,
      body: JSON.stringify({
        ids: VERSIONS.map((_, i) => `v${i}`),
        metadatas: VERSIONS,
        documents: null,
        embeddings: null,
        uris: null,
        include: ['metadatas'],
      }),
    };
  return { status: 404, body: '{"error":"NotFoundError","message":"no"}' };
};

const SUPPORT = { sub: 'u1', dept: 'support', clearance: 'internal' };
let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY, [
    { key: 'support', claims: { ...SUPPORT, groups: ['support'] } },
    { key: 'hr', claims: { sub: 'u2', dept: 'hr', groups: ['hr'], clearance: 'restricted' } },
    { key: 'nobody', claims: { sub: 'u3', dept: 'support' } },
  ]);
});

const ask = (key: string, op: string, body: string, more: Partial<Exchange> = {}): Seen =>
  run(filter, {
    path: `${base}/${HR}/${op}`,
    headers: [
      ['authorization', `Bearer ${key}`],
      ['content-type', 'application/json'],
      ['content-length', String(body.length)],
    ],
    body,
    call,
    ...more,
  });
const QUERY = '{"query_embeddings":[[0.1,0.2,0.30000000000000004]],"n_results":3}';

describe('a search', () => {
  test("goes to the store with the policy's filter, and asks for more than it will give", () => {
    const seen = ask('support', 'query', QUERY);
    expect(seen.route).toBe('store/hr_docs');
    expect(JSON.parse(seen.sent ?? '')).toEqual({
      where: {
        $and: [{ classification: { $in: ['public', 'internal'] } }, { allowed_groups: { $contains: 'support' } }],
      },
      query_embeddings: [[0.1, 0.2, 0.30000000000000004]],
      n_results: 12,
    });
  });

  test('that says nothing gets both the filter and the limit', () => {
    for (const body of ['{}', '{\n\r\n}', ' { } ']) {
      expect(JSON.parse(ask('support', 'query', body).sent ?? ''), JSON.stringify(body)).toMatchObject({
        where: { $and: [{}, {}] },
        n_results: 40,
      });
    }
  });

  test("is joined with the caller's own filter", () => {
    const where = '{"$or":[{"source":"a"},{"version":{"$gt":3}}]}';
    const sent = ask('hr', 'query', QUERY.replace('{', `{"where":${where},"include":["documents"],`)).sent ?? '';
    expect(sent).toContain(`"where":{"$and":[${where},{"allowed_groups":{"$contains":"hr"}}]}`);
    expect(sent).toContain('"include":["metadatas","documents"]');
    expect(JSON.parse(ask('hr', 'query', QUERY.replace('{', '{"where":{},')).sent ?? '')).toMatchObject({
      where: { allowed_groups: { $contains: 'hr' } },
    });
    expect(
      JSON.parse(ask('hr', 'query', QUERY.replace('{', '{"where":null,"include":null,')).sent ?? ''),
    ).toMatchObject({ where: { allowed_groups: { $contains: 'hr' } } });
    expect(JSON.parse(ask('nobody', 'query', QUERY).sent ?? '')).toMatchObject({ where: { writ: { $eq: 'none' } } });
  });

  test('answers only chunks that pass, whatever the store returns', () => {
    const seen = ask('support', 'query', QUERY, { upstream: { body: queryReply(CHUNKS) } });
    // The handbook's newest version is not this one, plan.md is above the clearance, x.md is restricted by default, and
    // a chunk without metadata has failed.
    const faq = { ...CHUNKS[1], document: 'ask [EMPLOYEE_ID]' } as Chunk;
    expect(seen.got).toBe(queryReply([faq]).replace('0.012345678901234', '0.112345678901234'));
    const hr = ask('hr', 'query', QUERY, { upstream: { body: queryReply(CHUNKS) } });
    expect(JSON.parse(hr.got)).toMatchObject({
      ids: [['salary', 'faq']],
      documents: [['[EMPLOYEE_ID] earns much', 'ask [EMPLOYEE_ID]']],
    });
    expect(hr.gotHeaders).toContainEqual(['content-length', String(Buffer.byteLength(hr.got))]);
  });

  test('whatever stands between the cells, the answer is JSON', () => {
    for (const kept of [[], [0], [1], [0, 1, 2], [3, 4, 5], [0, 2, 4], [1, 3, 5], [5], [0, 5], [0, 1, 2, 3, 4, 5]]) {
      const chunks = Array.from({ length: 6 }, (_, i) =>
        chunk(`c${i}`, `s${i}`, 1, kept.includes(i) ? ['hr'] : ['x'], 'public'),
      );
      const got = JSON.parse(
        ask('hr', 'query', QUERY.replace('3}', '100}'), {
          upstream: { body: queryReply(chunks, ' ') },
          call: (path) => (path.endsWith('/get') ? { status: 200, body: '{"ids":[],"metadatas":[]}' } : call(path)),
        }).got,
      ) as { ids: string[][]; distances: number[][] };
      expect(got.ids).toEqual([kept.map((i) => `c${i}`)]);
      expect(got.distances[0]).toHaveLength(kept.length);
    }
  });

  test('gives no more than was asked for', () => {
    const chunks = Array.from({ length: 9 }, (_, i) => chunk(`c${i}`, `s${i}`, 1, ['hr'], 'public'));
    expect(JSON.parse(ask('hr', 'query', QUERY, { upstream: { body: queryReply(chunks) } }).got)).toMatchObject({
      ids: [['c0', 'c1', 'c2']],
    });
  });

  test('is refused where it names a column that no store has: the name would be read by nobody', () => {
    const body = queryReply(CHUNKS).replace('"distances"]', '"EMP-123456"]');
    const { status, got } = ask('hr', 'query', QUERY, { upstream: { body } });
    expect(status).toBe(502);
    expect(got).not.toContain('EMP-123456');
  });

  test('drops the metadata that only we asked for', () => {
    const got = JSON.parse(
      ask('hr', 'query', QUERY.replace('{', '{"include":["documents"],'), { upstream: { body: queryReply(CHUNKS) } })
        .got,
    ) as object;
    expect(got).toMatchObject({ ids: [['salary', 'faq']], metadatas: null });
  });

  test('is refused when columns are not parallel, when the store cannot be asked, or the collection is unknown', () => {
    expect(
      ask('hr', 'query', QUERY, { upstream: { body: queryReply(CHUNKS).replace('"text of old",', '') } }).status,
    ).toBe(502);
    const failed = ask('hr', 'query', QUERY, {
      upstream: { body: queryReply(CHUNKS) },
      call: (path) => (path.endsWith('/get') ? undefined : call(path)),
    });
    expect(JSON.parse(failed.got)).toMatchObject({ ids: [[]] });
    const unknown = run(filter, {
      path: `${base}/${STRANGE}/query`,
      headers: [['authorization', 'Bearer hr']],
      body: QUERY,
      call,
    });
    expect(unknown).toMatchObject({ sent: null, status: 403 });
  });

  test('text of the query stays as it is; unknown fields are refused', () => {
    expect(ask('hr', 'query', '{"query_texts":["EMP-123456"]}').sent).toContain('EMP-123456');
    expect(ask('hr', 'query', '{"query_embeddings":[[1]],"read_level":"x"}')).toMatchObject({
      sent: null,
      status: 400,
    });
    expect(JSON.parse(ask('hr', 'query', '{"query_embeddings":[[1]],"read_level":"x"}').got)).toMatchObject({
      error: 'InvalidArgumentError',
    });
  });
});

describe('a read by id', () => {
  test('withholds what the caller may not see', () => {
    const seen = ask('support', 'get', '{"ids":["salary","faq"]}', {
      upstream: { body: getReply(CHUNKS.slice(0, 2)) },
    });
    expect(JSON.parse(seen.got)).toMatchObject({ ids: ['faq'], documents: ['ask [EMPLOYEE_ID]'] });
    expect(seen.got).not.toContain('salary');
    expect(seen.got).not.toContain('Salary_2025');
  });

  test('in any chunking', () => {
    const exchange = (cut?: Exchange['cut']): Seen =>
      ask('support', 'get', '{"ids":["salary","faq"]}', {
        upstream: { body: getReply(CHUNKS.slice(0, 3)) },
        ...(cut ? { cut } : {}),
      });
    const expected = exchange();
    for (const [how, cut] of cuts(Buffer.byteLength(getReply(CHUNKS.slice(0, 3))), 20))
      expect([how, exchange(cut)]).toEqual([how, expected]);
  });
});

describe('a write', () => {
  const add = (document: string, more = ''): string =>
    `{"ids":["a"],"documents":[${JSON.stringify(document)}],"metadatas":[{"k":"v"}]${more}}`;
  test('is redacted before it is stored', () => {
    expect(ask('hr', 'add', add('EMP-123456 joined')).sent).toBe(add('[EMPLOYEE_ID] joined'));
    expect(ask('hr', 'upsert', add('nothing', ',"embeddings":[[0.1]]')).sent).toBe(
      add('nothing', ',"embeddings":[[0.1]]'),
    );
  });

  test('is refused by a rule, and where its embeddings were made of what is redacted', () => {
    expect(ask('hr', 'add', add('DE89 3704 0044 0532 0130 00'))).toMatchObject({ sent: null, status: 403 });
    expect(ask('hr', 'add', add('EMP-123456', ',"embeddings":[[0.1]]'))).toMatchObject({ sent: null, status: 403 });
  });
});

test('look-ups pass for declared collections; all else is an unknown endpoint', () => {
  const get = (path: string, method = 'GET', body = ''): Seen =>
    run(filter, {
      method,
      path,
      headers: [['authorization', 'Bearer hr']],
      body,
      upstream: { body: '{"id":"x","anything":"EMP-123456"}' },
    });
  expect(get(`${base}/hr_docs`)).toMatchObject({
    route: 'store/hr_docs',
    status: 200,
    got: '{"id":"x","anything":"EMP-123456"}',
  });
  expect(get('/api/v2/heartbeat')).toMatchObject({ route: 'store/hr_docs', status: 200 });
  for (const path of [
    `${base}/secret_docs`,
    base,
    `${base}/${HR}/count`,
    `${base}/hr_docs?x=1`,
    `${base}/../x`,
    '/api/v1/heartbeat',
    '/',
  ])
    expect([path, get(path).status]).toEqual([path, 404]);
  expect(get(`${base}/${HR}/fork`, 'POST', '{}').status).toBe(404);
  expect(get(`${base}/${HR}/delete`, 'POST', '{}').status).toBe(404);
});

describe('limits', () => {
  const many = (n: number): string =>
    getReply(Array.from({ length: n }, (_, i) => chunk(`c${i}`, 's', 1, ['hr'], 'public')));
  const get = (body: string, answer = '{"ids":[],"metadatas":[]}'): Seen =>
    ask('hr', 'get', '{}', {
      upstream: { body },
      call: (path) => (path.endsWith('/get') ? { status: 200, body: answer } : call(path)),
    });

  test('4,096 chunks are verified, an answer with more is refused', () => {
    expect((JSON.parse(get(many(4_096)).got) as { ids: string[] }).ids).toHaveLength(4_096);
    expect(get(many(4_097)).status).toBe(502);
  });

  test('versions of 256 sources are compared, an answer with more is refused', () => {
    const sources = (n: number): string =>
      getReply(Array.from({ length: n }, (_, i) => chunk(`c${i}`, `s${i}`, 1, ['hr'], 'public')));
    expect((JSON.parse(get(sources(256)).got) as { ids: string[] }).ids).toHaveLength(256);
    expect(get(sources(257)).status).toBe(502);
  });

  test('1,000 results may be asked for, no more', () => {
    expect(JSON.parse(ask('hr', 'query', QUERY.replace('3}', '1000}')).sent ?? '')).toMatchObject({ n_results: 1_000 });
    expect(ask('hr', 'query', QUERY.replace('3}', '1001}'))).toMatchObject({ sent: null, status: 400 });
    expect(JSON.parse(ask('hr', 'query', QUERY.replace('3}', '60}')).sent ?? '')).toMatchObject({ n_results: 200 });
  });
});

test(
  'no mutated search or answer traps the kernel, and no chunk that may not be seen gets through',
  { timeout: 120_000 },
  () => {
    const PIECES = ['"', '[', ']', '{', '}', ',', 'null', '[]', ':', '"ids":', '\\', 'EMP-123456'];
    const mutate = (text: string, next: () => number): string => {
      let out = text;
      for (let i = 1 + Math.floor(next() * 3); i > 0; i -= 1) {
        const at = Math.floor(next() * out.length);
        out =
          out.slice(0, at) +
          (next() < 0.5 ? (PIECES[Math.floor(next() * PIECES.length)] ?? '') : '') +
          out.slice(at + Math.floor(next() * 12));
      }
      return out;
    };
    const request = QUERY.replace('{', '{"where":{"a":{"$in":["x"]}},"include":["documents"],');
    for (let seed = 1; seed <= 10_000; seed += 1) {
      const next = random(seed);
      try {
        const seen =
          seed % 3 === 0
            ? ask('support', 'query', mutate(request, next))
            : seed % 3 === 1
              ? ask('support', 'query', QUERY, { upstream: { body: mutate(queryReply(CHUNKS), next) } })
              : ask('support', 'get', '{}', { upstream: { body: mutate(getReply(CHUNKS), next) } });
        if (seen.status === 200 && seen.got !== '') JSON.parse(seen.got);
        if (seen.sent !== null) JSON.parse(seen.sent);
        expect(seen.got).not.toContain('earns much');
      } catch (error) {
        throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
      }
    }
  },
);
