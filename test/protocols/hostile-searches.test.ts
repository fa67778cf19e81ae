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
const search = (what: 'get' | 'query', request: object): Seen =>
  run(filter, {
    path: `/api/v2/tenants/t/databases/d/collections/${ID}/${what}`,
    body: JSON.stringify(request),
    call: () => ({ status: 200, body: `{"id":"${ID}","name":"handbook"}` }),
    upstream: (sent) => {
      const { include = ['documents', 'metadatas'] } = JSON.parse(sent) as { include?: string[] };
      const column = (name: string, values: readonly unknown[]): unknown =>
        include.includes(name) ? (what === 'query' ? [values] : values) : null;
      const ids = ['card', 'iban', 'plain'];
      const metadata = { allowed_groups: ['a'] };
      return {
        body: JSON.stringify({
          ids: what === 'query' ? [ids] : ids,
          embeddings: column('embeddings', [
            [0.1, 1],
            [0.2, 2],
            [0.3, 3],
          ]),
          documents: column('documents', [CARD, IBAN, PLAIN]),
          metadatas: column('metadatas', [metadata, metadata, metadata]),
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

  test('for vectors does not get those of a text that is redacted', () => {
    expect(ask({ include: ['embeddings'] })).toMatchObject({
      ids: wrap(['card', 'plain']),
      embeddings: wrap([null, [0.3, 3]]),
      documents: null,
    });
  });
});
