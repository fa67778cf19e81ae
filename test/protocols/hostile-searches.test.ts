// Searches that ask a store for what its chunks may not say: by words of their text, by their vectors, or without the
// text that a rule must read.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, run, type Seen } from '../kernel/test-filter.ts';
import { POLICY } from './policy.ts';

const STORE = `
store handbook chroma "handbook" {
  groups : set of text from metadata "allowed_groups"
}
rule need_to_know on retrieval from handbook
  allow chunk where chunk.groups overlaps caller.groups
rule cards on retrieval from handbook
  redact payment_card as mask
rule ibans_not_found on retrieval from handbook
  where text contains iban
  deny "chunks with an IBAN are not found"
`;
const ID = '0a0b0c0d-0000-4000-8000-000000000001';
const CARD = 'the card is 4111 1111 1111 1111';
const IBAN = 'DE89 3704 0044 0532 0130 00';
const PLAIN = 'the plain one';

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY + STORE, [
    { key: 'key-1', claims: { sub: 'u1', dept: 'support', region: 'us', groups: ['a'] } },
  ]);
});

/** A store that holds all three, and gives what it is asked to include. */
const search = (what: 'get' | 'query', request: object | string, metadata: readonly object[] = []): Seen =>
  run(filter, {
    path: `/api/v2/tenants/t/databases/d/collections/${ID}/${what}`,
    body: typeof request === 'string' ? request : JSON.stringify(request),
    call: () => ({ status: 200, body: `{"id":"${ID}","name":"handbook"}` }),
    upstream: (sent) => {
      const { include = ['documents', 'metadatas'] } = JSON.parse(sent) as { include?: string[] };
      const column = (name: string, values: readonly unknown[]): unknown =>
        include.includes(name) ? (what === 'query' ? [values] : values) : null;
      const ids = ['card', 'iban', 'plain'];
      return {
        body: JSON.stringify({
          ids: what === 'query' ? [ids] : ids,
          embeddings: column('embeddings', [
            [0.1, 1],
            [0.2, 2],
            [0.3, 3],
          ]),
          documents: column('documents', [CARD, IBAN, PLAIN]),
          metadatas: column(
            'metadatas',
            ids.map((_, i) => ({ allowed_groups: ['a'], ...metadata[i] })),
          ),
          include,
        }),
      };
    },
  });

describe.each(['get', 'query'] as const)('%s', (what) => {
  const wrap = (values: readonly unknown[]): unknown => (what === 'query' ? [values] : values);
  const base = what === 'query' ? { query_embeddings: [[1, 2]] } : {};
  const ask = (request: object): unknown => JSON.parse(search(what, { ...base, ...request }).got);

  test('without the text still reads it', () => {
    expect(ask({ include: ['metadatas'] })).toMatchObject({ ids: wrap(['card', 'plain']), documents: null });
    expect(ask({ include: [] })).toMatchObject({ ids: wrap(['card', 'plain']), documents: null, metadatas: null });
    expect(ask({ include: ['documents'] })).toMatchObject({
      documents: wrap(['the card is [PAYMENT_CARD]', PLAIN]),
      metadatas: null,
    });
  });

  test('for words of the text does not find what is redacted', () => {
    for (const include of [['documents'], []]) {
      expect(ask({ where_document: { $contains: '4111 1' }, include })).toMatchObject({ ids: wrap(['plain']) });
    }
  });

  test('for metadata does not find what is redacted in it', () => {
    const where = { groups: { $contains: 'a' }, note: { $gte: '4111' } };
    for (const include of [['documents'], [], ['metadatas']])
      expect(
        JSON.parse(
          search(what, { ...base, where: { allowed_groups: { $contains: 'a' } }, include }, [{}, {}, { note: CARD }])
            .got,
        ),
      ).toMatchObject({ ids: wrap(['card']) });
    expect(search(what, { ...base, where })).toMatchObject({ sent: null, status: 403 });
    expect(search(what, { ...base, where }).got).toContain('only metadata that the policy declares');
  });

  test('names declared metadata only, however it is nested or written', () => {
    for (const where of [
      '{"note":"x"}',
      '{"$and":[{"allowed_groups":{"$contains":"a"}},{"$or":[{"note":{"$gt":"4"}},{"allowed_groups":"a"}]}]}',
      '{"\\u0061llowed_groups":"a"}',
      '{"allowed_groups":{"note":1}}',
      '{"Allowed_groups":"a"}',
      '{"":"a"}',
      '{"#document":{"$contains":"4111"}}',
    ]) {
      const body = JSON.stringify({ ...base, where: '@' }).replace('"@"', where);
      expect(search(what, body), where).toMatchObject({ sent: null, status: 403 });
    }
    for (const where of ['{}', 'null', '{"$or":[{"allowed_groups":"a"},{"allowed_groups":{"$in":["b"]}}]}'])
      expect(search(what, JSON.stringify({ ...base, where: '@' }).replace('"@"', where)).status, where).toBe(200);
  });

  test('cannot count what was left out', () => {
    const filters = [{ where: { allowed_groups: 'a' } }, { where_document: { $contains: '4111' } }];
    const counts = what === 'get' ? [{ limit: 1 }, { offset: 1 }, { limit: 100, offset: 0 }] : [{ n_results: 51 }];
    for (const filter of filters)
      for (const count of counts) expect(search(what, { ...base, ...filter, ...count })).toMatchObject({ status: 403 });
    for (const filter of filters)
      expect(search(what, { ...base, ...filter, ...(what === 'get' ? { offset: 0 } : { n_results: 50 }) }).status).toBe(
        200,
      );
    for (const count of counts) expect(search(what, { ...base, ...count }).status).toBe(200);
  });

  test('for vectors does not get those of a text that is redacted', () => {
    expect(ask({ include: ['embeddings'] })).toMatchObject({
      ids: wrap(['card', 'plain']),
      embeddings: wrap([null, [0.3, 3]]),
      documents: null,
    });
  });
});
