// The embedded database as the stores need it: what is written comes back as it was.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytes, type Database } from '../../control-plane/store/database.ts';
import { openPglite } from '../../control-plane/store/open-pglite.ts';

let database: Database;

beforeAll(async () => {
  database = await openPglite(mkdtempSync(join(tmpdir(), 'writ-database-')));
  await database.query('create table kept (id int primary key, content bytea not null)');
});

afterAll(() => database.close());

test.each([
  ['none', new Uint8Array()],
  ['one', Uint8Array.of(0)],
  ['every value', Uint8Array.from({ length: 256 }, (_, at) => at)],
  ['a part of a larger block', Uint8Array.from({ length: 10_000 }, (_, at) => at % 251).subarray(77, 9_000)],
  ["those of Node's pool", Buffer.from('pooled \\x5c')],
])('bytes come back: %s', async (_, content) => {
  await database.query('delete from kept');
  await database.query('insert into kept values (1, $1)', [content]);
  const [row] = await database.query('select content from kept');
  expect(bytes(row ?? {}, 'content')).toEqual(new Uint8Array(content));
});

test('a column of bytes takes nothing else', async () => {
  await expect(database.query('insert into kept values (2, $1)', ['\\x00'])).rejects.toThrow('takes only bytes');
});
