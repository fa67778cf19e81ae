// The real Chroma installs, stores and finds by given embeddings and metadata, keeps its data, and stops.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import * as chroma from '../../examples/parts/chroma.ts';
import { isGone } from './is-gone.ts';

beforeAll(chroma.install);

test('answers, finds what was added, keeps it across a restart, and leaves no process', async () => {
  const path = mkdtempSync(join(tmpdir(), 'writ-chroma-test-'));
  const first = await chroma.start({ path });
  let collection: string;
  try {
    const created = await call<{ id: string }>(first, '', { name: 'handbook' });
    collection = created.id;
    await call(first, `/${collection}/add`, {
      ids: ['near', 'secret', 'far'],
      embeddings: [
        [1, 0],
        [1, 0.1],
        [0, 1],
      ],
      documents: ['Leave is 25 days.', 'Salaries', 'Fire exits'],
      metadatas: [{ group: 'all' }, { group: 'hr' }, { group: 'all' }],
    });
    const found = await call<{ ids: string[][] }>(first, `/${collection}/query`, {
      query_embeddings: [[1, 0]],
      n_results: 2,
    });
    expect(found.ids).toEqual([['near', 'secret']]);
  } finally {
    await first.stop();
  }
  expect(isGone(first.pid)).toBe(true);

  const second = await chroma.start({ path });
  try {
    const body = { query_embeddings: [[1, 0]], n_results: 2, where: { group: 'all' } };
    const found = await call<{ ids: string[][] }>(second, `/${collection}/query`, body);
    expect(found.ids).toEqual([['near', 'far']]);
  } finally {
    await second.stop();
  }
  expect(isGone(second.pid)).toBe(true);
});

async function call<Reply>({ url }: chroma.RunningChroma, path: string, body: object): Promise<Reply> {
  const response = await fetch(`${url}/api/v2/tenants/default_tenant/databases/default_database/collections${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return JSON.parse(text) as Reply;
}
