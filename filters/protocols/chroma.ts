/**
 * Chroma v2. Searches, reads by id or filter, and writes; a client may also look its collection up by name.
 * Everything else (fork, count, delete, update, listing, creating, search plans) is an unknown endpoint, and so
 * refused.
 */
import { anyLocal, refused, type Endpoint, type Place, type Protocol } from './protocol.ts';

const collection = '/api/v2/tenants/{tenant}/databases/{database}/collections/{collection}';

/** A filter: any JSON, whose strings are text of the caller. It is joined with the policy's own. */
const where: Place = { object: { as: 'where', others: { any: 'text' } }, null: 'empty' };

const columns = ['documents', 'embeddings', 'metadatas', 'distances', 'uris'];
const include: Place = { array: { as: 'include_list', of: { string: 'include', values: columns } }, null: 'empty' };

/** The ids of what is read. */
const asked: Place = { array: { as: 'column', of: { string: 'text' } }, null: 'plain', column: 'ids' };

const vectors: Place = { array: { of: { array: { of: { number: 'vector' } } } } };

const document: Place = { string: 'chunk_text', null: 'cell', column: 'documents' };
const metadata: Place = { object: { as: 'metadata', others: { any: 'local' } }, null: 'cell', column: 'metadatas' };
const uri: Place = { string: 'local', null: 'cell', column: 'uris' };
const id: Place = { string: 'chunk_id', column: 'ids' };
const embedding: Place = { array: { as: 'vector_cell', of: { number: 'vector' } }, null: 'cell', column: 'embeddings' };
const distance: Place = { number: 'cell', null: 'cell', column: 'distances' };

const column = (of: Place): Place => ({ array: { as: 'column', of }, null: 'plain', column: of.column ?? 'ids' });
const rows = (of: Place): Place => ({
  array: { as: 'column', of: { array: { as: 'row', of } } },
  null: 'plain',
  column: of.column ?? 'ids',
});

const chunks = (shape: (of: Place) => Place, more: { readonly [name: string]: Place }): Place => ({
  object: {
    fields: {
      ids: shape(id),
      documents: shape(document),
      metadatas: shape(metadata),
      embeddings: shape(embedding),
      uris: shape(uri),
      ...more,
      include: { array: { of: { string: 'enum', values: columns } } },
    },
  },
});

/** A column of a write: the n-th value is of the n-th document. */
const writtenColumn = (of: Place): Place => ({
  array: { as: 'column', of },
  null: 'empty',
  column: of.column ?? 'ids',
});

const written: Place = {
  object: {
    fields: {
      ids: { array: { as: 'column', of: { string: 'text' } }, column: 'ids' },
      documents: writtenColumn({ string: 'text', null: 'cell', column: 'documents' }),
      metadatas: writtenColumn({
        object: { as: 'metadata', others: { any: 'text' } },
        null: 'cell',
        column: 'metadatas',
      }),
      // Vectors, as numbers or (as Chroma's own clients send them) as base64 of floats.
      embeddings: {
        array: { as: 'column', of: { array: { of: { number: 'vector' } }, string: 'plain', null: 'plain' } },
        null: 'plain',
        column: 'embeddings',
      },
      uris: writtenColumn({ string: 'text', null: 'cell', column: 'uris' }),
    },
  },
};

const write = (name: string, keeps: boolean): Endpoint => ({
  name: `chroma_${name}`,
  method: 'POST',
  path: `${collection}/${name}`,
  event: 'ingest',
  request: written,
  reply: anyLocal,
  keeps,
});

const pass = (name: string, path: string): Endpoint => ({ name: `chroma_${name}`, method: 'GET', path, event: 'pass' });

export const chroma: Protocol = {
  name: 'chroma_v2',
  title: 'Chroma v2',
  form: 'chroma',
  endpoints: [
    {
      name: 'chroma_query',
      method: 'POST',
      path: `${collection}/query`,
      event: 'retrieval',
      request: {
        object: {
          fields: {
            query_embeddings: vectors,
            query_texts: { array: { of: { string: 'text' } }, null: 'plain' },
            n_results: { number: 'limit', null: 'empty' },
            where,
            where_document: { object: { as: 'where_text', others: { any: 'text' } }, null: 'plain' },
            ids: asked,
            include,
            query_images: refused,
            query_uris: refused,
          },
        },
      },
      reply: chunks(rows, { distances: rows(distance) }),
      rows: true,
    },
    {
      name: 'chroma_get',
      method: 'POST',
      path: `${collection}/get`,
      event: 'retrieval',
      request: {
        object: {
          fields: {
            ids: asked,
            where,
            where_document: { object: { as: 'where_text', others: { any: 'text' } }, null: 'plain' },
            limit: { number: 'limit', null: 'empty' },
            offset: { number: 'offset', null: 'plain' },
            include,
          },
        },
      },
      reply: chunks(column, {}),
    },
    write('add', false),
    write('upsert', true),
    {
      ...pass('collection', collection),
      byName: true,
      // Passed on as it is; the session reads it when it asks by itself which collection an id is.
      reply: {
        object: { fields: { id: { string: 'collection_id' }, name: { string: 'collection_name' } }, others: anyLocal },
      },
    },
    pass('heartbeat', '/api/v2/heartbeat'),
    pass('version', '/api/v2/version'),
    pass('identity', '/api/v2/auth/identity'),
    pass('pre_flight', '/api/v2/pre-flight-checks'),
    pass('tenant', '/api/v2/tenants/{tenant}'),
    pass('database', '/api/v2/tenants/{tenant}/databases/{database}'),
  ],
};
