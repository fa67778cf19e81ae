// Chunks of steps that follow one another are one answer of their store, for conditions over all chunks.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writ } from './run-writ.ts';

const folder = mkdtempSync(join(tmpdir(), 'writ-found-together-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const POLICY = `policy p {
  owner "a@acme.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: allow
  default ingest: deny
  on failure: deny
}
level = low < high
store files chroma "files" {
  level : level from metadata "level" else low
  matter : optional text from metadata "matter"
}
store notes chroma "notes" { level : level from metadata "level" }
rule apart on retrieval from files
  where some c in retrieval.chunks has (c.level is high and c.matter is not known)
  withhold chunk unless chunk.level is high
`;
const together = (expected: string): string => `
test "what is high keeps the rest away" {
  chunk from files { level: high }
  chunk from files { matter: "a" }
  expect ${expected}
  chunk from files { matter: "a" }
  expect allow
  chunk from notes { level: high }
  chunk from files { level: high  matter: "a" }
  chunk from files { matter: "a" }
  expect allow
}
`;

test('each is decided with all of them, and what comes between parts them', async () => {
  writeFileSync(join(folder, 'p.writ'), POLICY + together('withheld by apart'));
  expect(await writ(['test', folder])).toMatchObject({ code: 0, err: '' });
  writeFileSync(join(folder, 'p.writ'), POLICY + together('allow'));
  const { code, out } = await writ(['test', folder]);
  expect([code, out.includes('FAIL what is high keeps the rest away')]).toEqual([1, true]);
});
