// Receipts: what a retrieval signs, held against HMAC-SHA256 as Node has it, and what a prompt that carries one is.
import { createHash, createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Header } from '../../filters/door/session-port.ts';
import { type Filter, loadFilter } from '../../filters/host/load-filter.ts';
import { DeploymentKey } from '../../proto/deployment-key.ts';
import { filterWasmOf, run, type Seen } from './test-filter.ts';

const POLICY = `policy acme {
  owner "o@x.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: allow
  base classification: internal
}
classification = open < internal < secret
caller { id : text from claim "sub" }
model m "m-1" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
store files chroma "files" {
  level : classification from metadata "level" else open
  old_level : optional classification from metadata "old"
  kind : text from metadata "kind" else "any"
}
store plain chroma "plain" { kind : text from metadata "kind" else "any" }
rule everything on retrieval from files allow chunk where chunk.kind is one of ("any", "draft")
rule no_drafts on retrieval from files withhold chunk unless not (chunk.kind is "draft")
rule all_plain on retrieval from plain allow chunk where chunk.kind is one of ("any", "draft")
rule secrets on prompt where prompt.classification is secret deny "secret"
classify prompt as highest of receipts
`;
const KEY = DeploymentKey.of(Buffer.alloc(32, 7))!;
const CALLERS = [
  { key: 'ann', claims: { sub: 'ann' } },
  { key: 'bob', claims: { sub: 'bob' } },
];
const NOW = 1_760_000_000_000;
const DAY = 86_400_000;

let wasm: Uint8Array;
let filter: Filter;
beforeAll(async () => {
  wasm = await filterWasmOf(POLICY, CALLERS);
  filter = loadFilter(wasm);
  filter.keyed!.takeKey(KEY);
});

const as = (caller: string, ...more: readonly Header[]): readonly Header[] => [
  ['authorization', `Bearer ${caller}`],
  ['content-type', 'application/json'],
  ...more,
];
const IDS: { readonly [store: string]: string } = {
  files: '0a0b0c0d-0000-4000-8000-000000000001',
  plain: '0a0b0c0d-0000-4000-8000-000000000002',
};

interface Chunks {
  readonly metadatas: readonly (object | null)[];
  readonly include?: readonly string[];
  readonly store?: string;
  readonly by?: Filter;
}
function find(caller: string, { metadatas, include, store = 'files', by = filter }: Chunks): Seen {
  return run(by, {
    path: `/api/v2/tenants/t/databases/d/collections/${IDS[store]}/get`,
    ...(caller === 'nobody' ? { headers: [['content-type', 'application/json']], jwt: {} } : { headers: as(caller) }),
    nowMs: NOW,
    body: JSON.stringify({ limit: 10, ...(include && { include }) }),
    call: () => ({ status: 200, body: JSON.stringify({ id: IDS[store], name: store, tenant: 't', database: 'd' }) }),
    upstream: {
      body: JSON.stringify({
        ids: metadatas.map((_, i) => String(i)),
        embeddings: null,
        documents: metadatas.map((_, i) => `text ${i}`),
        uris: null,
        metadatas,
        include: ['documents', 'metadatas'],
      }),
    },
  });
}
const receiptOf = (seen: Seen): string | undefined => seen.gotHeaders.find(([name]) => name === 'x-writ-receipt')?.[1];
const given = (caller: string, ...metadatas: readonly (object | null)[]): string => {
  const receipt = receiptOf(find(caller, { metadatas }));
  if (receipt === undefined) throw new Error('no receipt');
  return receipt;
};
const ask = (caller: string, receipts: readonly string[], nowMs = NOW, by = filter): Seen['records'][number] =>
  run(by, {
    headers: as(caller, ...receipts.map((receipt): Header => ['x-writ-receipt', receipt])),
    body: '{"model":"m-1","messages":[{"role":"user","content":"hi"}]}',
    nowMs,
  }).records[0]!;
const FAILED = {
  outcome: 'deny',
  reasons: ['classify 1', 'secrets'].map((rule) => ({ kind: 'failed', rule, facts: ['prompt.receipts'] })),
};

/** As documented: this use, the policy and the caller, each behind its length; when; the class. */
function sign(caller: string, className: string, seconds = NOW / 1_000, key = KEY): string {
  const part = (content: string | Uint8Array): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(Buffer.from(content).length);
    return Buffer.concat([length, Buffer.from(content)]);
  };
  const when = Buffer.alloc(8);
  when.writeBigInt64LE(BigInt(seconds));
  const mac = createHmac('sha256', key.reveal())
    .update(part('writ receipt 1'))
    .update(part('acme'))
    .update(part(Buffer.concat([Buffer.from([3]), createHash('sha256').update(caller).digest()])))
    .update(when)
    .update(className)
    .digest('hex');
  return `writ1.${seconds.toString(16).padStart(10, '0')}.${className}.${mac.slice(0, 32)}`;
}

describe('a retrieval', () => {
  test('answers with the highest class that it hands out, in a header and in the metadata of each chunk', () => {
    const seen = find('ann', { metadatas: [{ level: 'open', a: 1 }, { level: 'secret' }, {}, null] });
    const receipt = sign('ann', 'secret');
    expect(receiptOf(seen)).toBe(receipt);
    expect((JSON.parse(seen.got) as { metadatas: unknown }).metadatas).toEqual([
      { level: 'open', a: 1, writ_receipt: receipt },
      { level: 'secret', writ_receipt: receipt },
      { writ_receipt: receipt },
      null,
    ]);
  });

  test('counts no chunk that it withholds, and gives none for nothing', () => {
    expect(given('ann', { level: 'open', old: 'open' }, { level: 'secret', kind: 'draft' })).toBe(
      sign('ann', 'internal'),
    );
    expect(receiptOf(find('ann', { metadatas: [{ level: 'secret', kind: 'draft' }] }))).toBeUndefined();
    expect(receiptOf(find('ann', { metadatas: [] }))).toBeUndefined();
  });

  test('takes the highest of several classes of a chunk, and the highest there is where one cannot be read', () => {
    expect(given('ann', { level: 'open', old: 'internal' })).toBe(sign('ann', 'internal'));
    expect(given('ann', { level: 'open', old: 'secret' })).toBe(sign('ann', 'secret'));
    // `old` is not there: nobody knows what it was.
    expect(given('ann', { level: 'open' })).toBe(sign('ann', 'secret'));
    expect(given('ann', { level: 'nonsense', old: 'open' })).toBe(sign('ann', 'secret'));
  });

  test('from a store without classes hands out the base class', () => {
    expect(receiptOf(find('ann', { metadatas: [{}], store: 'plain' }))).toBe(sign('ann', 'internal'));
  });

  test('asks the store for the class, and hands out no metadata that was not asked for', () => {
    const seen = find('ann', { metadatas: [{ level: 'secret', old: 'open' }], include: ['documents'] });
    expect(JSON.parse(seen.sent!)).toMatchObject({ include: expect.arrayContaining(['metadatas']) as unknown });
    expect(receiptOf(seen)).toBe(sign('ann', 'secret'));
    expect((JSON.parse(seen.got) as { metadatas: unknown }).metadatas).toBeNull();
  });

  test('a key of that name in the store stands before ours, so that clients read ours', () => {
    const seen = find('ann', { metadatas: [{ level: 'secret', writ_receipt: 'planted' }] });
    expect((JSON.parse(seen.got) as { metadatas: { writ_receipt: string }[] }).metadatas[0]!.writ_receipt).toBe(
      sign('ann', 'secret'),
    );
  });

  test('is refused where nobody could sign, or the receipt could be bound to nobody', () => {
    const bare = find('ann', { metadatas: [{ level: 'open' }], by: loadFilter(wasm) });
    expect([bare.status, bare.sent]).toEqual([503, null]);
    const nobody = find('nobody', { metadatas: [{ level: 'open' }] });
    expect([nobody.status, nobody.sent]).toEqual([403, null]);
  });
});

describe('a prompt', () => {
  test('inherits the highest class of the receipts that it carries', () => {
    expect(ask('ann', [])).toMatchObject({ outcome: 'allow', classification: 'internal' });
    expect(ask('ann', [sign('ann', 'open')])).toMatchObject({ outcome: 'allow', classification: 'internal' });
    expect(ask('ann', [given('ann', { level: 'secret' })])).toMatchObject({
      outcome: 'deny',
      classification: 'secret',
      fired: ['classify 1', 'secrets'],
    });
    const both = `${sign('ann', 'secret')} ,, ${sign('ann', 'open')}`;
    expect(ask('ann', [both])).toMatchObject({ classification: 'secret' });
    expect(ask('ann', [sign('ann', 'open'), sign('ann', 'secret')])).toMatchObject({ classification: 'secret' });
  });

  test('with one that is forged, changed, of another key, or of a class that is none has failed, and is denied', () => {
    const good = sign('ann', 'secret');
    const forged = [
      good.replace('secret', 'open'),
      `${good.slice(0, -1)}${good.endsWith('0') ? '1' : '0'}`,
      good.toUpperCase(),
      good.slice(0, -1),
      `${good}0`,
      `x${good.slice(1)}`,
      sign('ann', 'open', NOW / 1_000, DeploymentKey.of(Buffer.alloc(32, 8))!),
      sign('ann', 'public'),
      sign('ann', 'x'.repeat(200)),
      'writ1.',
      'x',
      ...Array.from({ length: good.length }, (_, i) => good.slice(0, i)).filter((cut) => cut !== ''),
    ];
    for (const receipt of forged) expect([receipt, ask('ann', [receipt])]).toMatchObject([receipt, FAILED]);
    expect(ask('ann', [sign('ann', 'open'), good.replace('secret', 'open')])).toMatchObject(FAILED);
  });

  test('of another caller has failed', () => {
    expect(ask('bob', [given('ann', { level: 'open', old: 'open' })])).toMatchObject(FAILED);
  });

  test('has failed a day later, and where it is of the future', () => {
    const receipt = given('ann', { level: 'open', old: 'open' });
    expect(ask('ann', [receipt], NOW + DAY)).toMatchObject({ outcome: 'allow' });
    expect(ask('ann', [receipt], NOW + DAY + 1_000)).toMatchObject(FAILED);
    expect(ask('ann', [receipt], NOW - 300_000)).toMatchObject({ outcome: 'allow' });
    expect(ask('ann', [receipt], NOW - 301_000)).toMatchObject(FAILED);
  });

  test('with more than 64 has failed', () => {
    const open = sign('ann', 'open');
    expect(
      ask(
        'ann',
        Array.from({ length: 64 }, () => open),
      ),
    ).toMatchObject({ outcome: 'allow' });
    expect(ask('ann', [Array.from({ length: 65 }, () => open).join()])).toMatchObject(FAILED);
  });

  test('with one while there is no key has failed; without one nothing has', () => {
    const bare = loadFilter(wasm);
    expect(ask('ann', [sign('ann', 'open')], NOW, bare)).toMatchObject(FAILED);
    expect(ask('ann', [], NOW, bare)).toMatchObject({ outcome: 'allow', classification: 'internal' });
  });

  test('does not hand its receipts on', () => {
    const seen = run(filter, {
      headers: as('ann', ['x-writ-receipt', sign('ann', 'open')]),
      body: '{"model":"m-1","messages":[{"role":"user","content":"hi"}]}',
      nowMs: NOW,
    });
    expect(seen.removed).toContain('x-writ-receipt');
    expect(JSON.stringify(seen.records)).not.toContain('writ1.');
  });
});

test('a policy without receipts reads none, gives none, and wants no key', async () => {
  const without = loadFilter(
    await filterWasmOf(POLICY.replace('classify prompt as highest of receipts\n', ''), CALLERS),
  );
  expect(without.keyed).toBeUndefined();
  expect(receiptOf(find('nobody', { metadatas: [{ level: 'secret' }], by: without }))).toBeUndefined();
  expect(ask('ann', ['x'], NOW, without)).toMatchObject({ outcome: 'allow' });
});
