// Writes into a store through a session: each document is decided by itself, tagged, and refused with all the others.
import { beforeAll, describe, expect, test } from 'vitest';
import { DOCUMENTS_MAX } from '../../filters/kernel/retrieval/limits.ts';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, planOf, run, type Exchange, type Seen } from '../kernel/test-filter.ts';
import { decide } from '../../compiler/interpret/decide.ts';
import { cuts, random } from './chunking.ts';

const POLICY = `policy stores {
  owner "o@x.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: allow
  on failure: allow
}
caller { id : text from claim "sub"  groups : set of text from claim "groups" else {} }
store files chroma "files" {
  source : text from metadata "source"
  pages : optional int from metadata "pages"
}
detector employee_id matches \`EMP-[0-9]{6}\`
rule stamped on ingest into files tag reviewed = true tag origin = "écrit \\"ici\\"" where caller.groups contains "editors"
rule long on ingest into files where chunk.pages is known and chunk.pages is above 100 tag size = 2.50
rule short on ingest into files where chunk.pages is known and chunk.pages is at most 100 tag size = 1
rule odd on ingest into files where chunk.source is "odd" tag size = 1
rule masked on ingest into files redact employee_id as mask
rule no_iban on ingest into files where text contains iban deny "no IBAN is stored"
`;
const ID = '0a0b0c0d-0000-4000-8000-000000000001';
const base = '/api/v2/tenants/default_tenant/databases/default_database/collections';
const ORIGIN = 'écrit "ici"';

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY, [
    { key: 'editor', claims: { sub: 'u1', groups: ['editors'] } },
    { key: 'writer', claims: { sub: 'u2' } },
  ]);
});

const call = (path: string): { status: number; body: string } =>
  path === `${base}/files`
    ? { status: 200, body: `{"id":"${ID}","name":"files","metadata":null}` }
    : { status: 404, body: '{}' };

const write = (key: string, op: string, body: string | object, more: Partial<Exchange> = {}): Seen => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return run(filter, {
    path: `${base}/${ID}/${op}`,
    headers: [
      ['authorization', `Bearer ${key}`],
      ['content-type', 'application/json'],
      ['content-length', String(Buffer.byteLength(text))],
    ],
    body: text,
    call,
    ...more,
  });
};
interface Sent {
  readonly documents: readonly string[];
  readonly metadatas: readonly (Readonly<Record<string, unknown>> | null)[];
}
const sent = (seen: Seen): Sent => {
  expect(seen.got).toBe('');
  return JSON.parse(seen.sent ?? 'null') as Sent;
};
const documents = (metadatas: unknown, texts = ['one', 'two']): object => ({
  ids: texts.map((_, at) => `d${at}`),
  documents: texts,
  embeddings: texts.map(() => [0.5, 1]),
  ...(metadatas === undefined ? {} : { metadatas }),
});
const source = { source: 's' };

describe('a tag', () => {
  test('is written into the metadata of each document, as a value of its type', () => {
    const tags = { reviewed: true, origin: ORIGIN };
    expect(
      sent(
        write(
          'editor',
          'add',
          documents([
            { ...source, pages: 101 },
            { source: 't', pages: 3 },
          ]),
        ),
      ).metadatas,
    ).toEqual([
      { ...tags, size: 2.5, source: 's', pages: 101 },
      { ...tags, size: 1, source: 't', pages: 3 },
    ]);
  });

  test('stands in the decision, too', () => {
    expect(write('editor', 'add', documents([source], ['one'])).records.map(({ tags }) => tags)).toEqual([
      [
        { name: 'origin', value: ORIGIN },
        { name: 'reviewed', value: 'true' },
      ],
    ]);
  });

  test('takes the place of what the caller wrote, however it is written and wherever it stands', () => {
    for (const metadata of [
      '{"reviewed":false,"source":"s"}',
      '{"source":"s","reviewed":false}',
      '{ "origin" : {"a":["reviewed"]} , "source" : "s" , "reviewed":"EMP-123456" }',
      '{"r\\u0065viewed":null,"source":"s","origin":[1]}',
    ]) {
      const body = `{"ids":["a"],"documents":["x"],"metadatas":[${metadata}]}`;
      expect(sent(write('editor', 'add', body)).metadatas, metadata).toEqual([
        { reviewed: true, origin: ORIGIN, source: 's' },
      ]);
    }
    expect(
      sent(write('editor', 'add', '{"ids":["a"],"metadatas":[{"nested":{"reviewed":1},"source":"s"}]}')).metadatas,
    ).toEqual([{ reviewed: true, origin: ORIGIN, nested: { reviewed: 1 }, source: 's' }]);
  });

  test('cannot be given by a caller for whom no rule gives it', () => {
    const forged = [
      { reviewed: true, ...source },
      { ...source, origin: 'mine' },
    ];
    expect(sent(write('writer', 'add', documents(forged))).metadatas).toEqual([source, source]);
    expect(
      sent(write('writer', 'add', '{"ids":["a"],"metadatas":[{"source":"s", "reviewed":true }]}')).metadatas,
    ).toEqual([source]);
    // What a document was given before does not stay with another text.
    const nothing = { reviewed: null, origin: null, size: null };
    expect(sent(write('writer', 'upsert', documents(forged))).metadatas).toEqual([
      { ...nothing, ...source },
      { ...nothing, ...source },
    ]);
  });

  test('is written where the write has no metadata', async () => {
    const open = await filterOf(POLICY.replaceAll(/rule (long|short|odd) .*\n/g, ''), [
      { key: 'editor', claims: { sub: 'u1', groups: ['editors'] } },
    ]);
    const all = { reviewed: true, origin: ORIGIN };
    for (const metadatas of [undefined, null, [null, null]]) {
      const body = JSON.stringify(documents(metadatas));
      const seen = run(open, {
        path: `${base}/${ID}/add`,
        headers: [
          ['authorization', 'Bearer editor'],
          ['content-type', 'application/json'],
        ],
        body,
        call,
      });
      expect(sent(seen).metadatas, body).toEqual([all, all]);
    }
  });

  test('that rules would give two values refuses the document', () => {
    const seen = write('editor', 'add', documents([source, { source: 'odd', pages: 200 }]));
    expect([seen.status, seen.sent]).toEqual([403, null]);
    expect(seen.got).toContain('of these 2 documents may not be stored: number 2; rules give the tag `size` different');
    // One value twice is no conflict.
    expect(sent(write('editor', 'add', documents([{ source: 'odd', pages: 5 }], ['x']))).metadatas[0]).toMatchObject({
      size: 1,
    });
    const plan = planOf(POLICY);
    const input = { event: 'ingest', store: 'files', caller: { id: 'u' }, text: { found: [], found_restored: [] } };
    expect(decide(plan, { ...input, chunk: { files: { source: 'odd', pages: 200 } } }).reasons).toEqual([
      { kind: 'rule', rule: 'tag size', message: 'rules give the tag `size` different values' },
    ]);
  });

  test('in any chunking, beside a redaction', () => {
    const body = JSON.stringify({
      ids: ['a', 'b'],
      documents: ['EMP-123456 joined', 'é'],
      metadatas: [{ reviewed: 'EMP-123456', source: 'EMP-654321' }, source],
    });
    const exchange = (cut?: Exchange['cut']): Seen => write('editor', 'add', body, cut ? { cut } : {});
    const expected = exchange();
    expect(sent(expected)).toMatchObject({
      documents: ['[EMPLOYEE_ID] joined', 'é'],
      metadatas: [{ reviewed: true, source: '[EMPLOYEE_ID]' }, { reviewed: true }],
    });
    for (const [how, cut] of cuts(Buffer.byteLength(body), 20)) expect([how, exchange(cut)]).toEqual([how, expected]);
  });
});

describe('`require`', () => {
  const REQUIRING = `${POLICY.split('store files')[0]!}
store files chroma "files" {
  source : optional text from metadata "source"
  pages : int from metadata "pages"
}
rule sourced "Say where it is from" on ingest into files
  require chunk.source is known and not (chunk.source is "rumour")
  waivable by "dpo"
rule short on ingest into files
  require chunk.pages is at most 10
  require not (text contains iban)
  tag kept = true
  unless caller.groups contains "editors"
waiver press "The press office" of sourced where caller.groups contains "press" until 2030-01-01 owner "dpo"
`;
  let requiring: Filter;
  beforeAll(async () => {
    requiring = await filterOf(
      REQUIRING,
      Object.entries({ editor: ['editors'], press: ['press'], writer: [] }).map(([key, groups]) => ({
        key,
        claims: { sub: key, groups },
      })),
    );
  });
  const put = (key: string, ...metadatas: readonly object[]): Seen => {
    const body = JSON.stringify({ ids: metadatas.map((_, at) => `d${at}`), metadatas });
    return run(requiring, { path: `${base}/${ID}/add`, headers: [['authorization', `Bearer ${key}`]], body, call });
  };

  test('lets a document be stored that meets it', () => {
    expect(sent(put('writer', { source: 's', pages: 10 })).metadatas).toEqual([{ kept: true, source: 's', pages: 10 }]);
  });

  test('refuses one that does not, and names the rule', () => {
    expect(put('writer', { source: 's', pages: 11 })).toMatchObject({ sent: null, status: 403 });
    expect(put('writer', { source: 's', pages: 11 }).got).toContain(
      'the document does not meet what `short` requires (rule require short)',
    );
    expect(put('writer', { pages: 1 }).got).toContain('Say where it is from (rule sourced)');
    expect(put('writer', { source: 'DE89 3704 0044 0532 0130 00', pages: 1 }).got).toContain('(rule require short)');
    expect(put('writer', { pages: 1, source: 's' }, { source: 'rumour', pages: 1 }).got).toContain(
      'of these 2 documents may not be stored: number 2; Say where it is from (rule sourced)',
    );
  });

  test('refuses one of which it cannot be told, also where failure allows', () => {
    for (const metadata of [{ source: 's' }, { source: 's', pages: '1' }, { source: 7, pages: 1 }]) {
      const seen = put('writer', metadata);
      expect([seen.sent, seen.status]).toEqual([null, 403]);
      expect(seen.records[0]?.['failed']).toEqual([
        typeof metadata.source === 'number' ? 'chunk.files.source' : 'chunk.files.pages',
      ]);
    }
  });

  test('holds where the rule does, and not for whom a waiver covers', () => {
    expect(put('editor', { source: 's', pages: 11 }).sent).not.toBeNull();
    expect(put('editor', { source: 'rumour', pages: 1 }).sent).toBeNull();
    const waived = put('press', { source: 'rumour', pages: 1 });
    expect(waived.sent).not.toBeNull();
    expect(waived.records[0]).toMatchObject({ outcome: 'allow', fired: ['short', 'waiver press'] });
    expect(put('press', { source: 'rumour', pages: 11 }).got).toContain('(rule require short)');
  });
});

describe('each document is decided by itself', () => {
  test('by its own text and metadata, and one that may not be stored refuses all', () => {
    const iban = 'DE89 3704 0044 0532 0130 00';
    const seen = write('writer', 'add', documents([source, source, source], ['a', iban, iban]));
    expect([seen.status, seen.sent]).toEqual([403, null]);
    expect(seen.got).toContain(
      'of these 3 documents may not be stored: number 2, 3; the first of them: no IBAN is stored',
    );
    expect(seen.got).not.toContain('DE89');
    expect(seen.records.map(({ event, outcome }) => [event, outcome])).toEqual([
      ['ingest', 'allow'],
      ['ingest', 'deny'],
      ['ingest', 'deny'],
    ]);
    expect(write('writer', 'add', documents([source], [iban])).got).toContain('"no IBAN is stored (rule no_iban)"');
  });

  test('a document whose facts fail is refused, also where failure allows', () => {
    for (const metadatas of [undefined, null, [source, null], [source, { source: 3 }], [source, {}]]) {
      const seen = write('writer', 'add', documents(metadatas));
      expect([seen.status, seen.sent], JSON.stringify(metadatas)).toEqual([403, null]);
    }
  });

  test('a write whose columns are not of one length, or that names no document, is refused', () => {
    for (const body of [
      '{"ids":["a","b"],"documents":["x"]}',
      '{"ids":["a"],"documents":["x","y"],"metadatas":[{"source":"s"}]}',
      '{"ids":["a"],"metadatas":[{"source":"s"},{"source":"s"}]}',
      '{"ids":[]}',
      '{"documents":["x"]}',
      '{}',
    ])
      expect([body, write('editor', 'add', body).status, write('editor', 'add', body).sent]).toEqual([body, 400, null]);
  });

  test('8,192 documents are read, a write with more is refused', () => {
    const many = (n: number): string =>
      JSON.stringify({ ids: Array.from({ length: n }, (_, i) => `d${i}`), metadatas: Array(n).fill(source) });
    expect(sent(write('editor', 'add', many(DOCUMENTS_MAX))).metadatas).toHaveLength(DOCUMENTS_MAX);
    expect(write('editor', 'add', many(DOCUMENTS_MAX + 1))).toMatchObject({ sent: null, status: 413 });
  });

  test('of many that are refused sixteen are named, and the log has the first however many were allowed', () => {
    const n = 3_000;
    const texts = Array.from({ length: n }, (_, i) => (i < 2_980 ? 'x' : 'DE89370400440532013000'));
    const seen = write('writer', 'add', documents(Array(n).fill(source), texts));
    expect(seen.got).toContain('number 2981, 2982,');
    expect(seen.got).toContain(', 2996 and 4 more;');
    expect(seen.records.at(-1)).toMatchObject({ outcome: 'deny', fired: ['masked', 'no_iban'] });
  });
});

test('no mutated write traps the kernel, and no forged tag gets through', { timeout: 60_000 }, () => {
  const PIECES = ['"', '[', ']', '{', '}', ',', 'null', ':', '"reviewed":1,', '\\', '"ids":', 'EMP-123456'];
  const body = JSON.stringify(
    documents([
      { reviewed: 'forged', ...source },
      { ...source, origin: 'forged' },
    ]),
  );
  for (let seed = 1; seed <= 2_000; seed += 1) {
    const next = random(seed);
    let text = body;
    for (let i = 1 + Math.floor(next() * 2); i > 0; i -= 1) {
      const at = Math.floor(next() * text.length);
      text =
        text.slice(0, at) +
        (next() < 0.6 ? (PIECES[Math.floor(next() * PIECES.length)] ?? '') : '') +
        text.slice(at + Math.floor(next() * 8));
    }
    const seen = write('writer', seed % 2 === 0 ? 'add' : 'upsert', text);
    if (seen.sent === null) continue;
    for (const metadata of (JSON.parse(seen.sent) as Sent).metadatas ?? [])
      expect(`seed ${seed}: ${String(metadata?.['reviewed'] ?? metadata?.['origin'] ?? 'none')}`).toBe(
        `seed ${seed}: none`,
      );
  }
});

test('what the store says of a write comes back as it is: it is no completion', () => {
  for (const status of [201, 400]) {
    const seen = write('editor', 'add', documents([source], ['x']), {
      upstream: { status, body: '{"a":"EMP-123456"}' },
    });
    expect([seen.status, seen.got]).toEqual([status, '{"a":"EMP-123456"}']);
    expect(seen.records.map(({ event }) => event)).toEqual(['ingest']);
  }
});
