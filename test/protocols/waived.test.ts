// A waiver of what a rule withholds: the store is asked for more for whom it covers, and for nobody else.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, run, type Seen } from '../kernel/test-filter.ts';

const POLICY = `policy stores {
  owner "o@x.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: allow
  on failure: deny
}
level = low < high
caller {
  id : text from claim "sub"
  groups : set of text from claim "groups" else {}
  clearance : level from claim "clearance" else low
}
store files chroma "files" {
  groups : set of text from metadata "groups"
  level : level from metadata "level"
}
rule readers on retrieval from files allow chunk where chunk.groups overlaps caller.groups
rule cleared on retrieval from files
  withhold chunk unless chunk.level is at most caller.clearance
  waivable by "dpo"
waiver audit "Auditors" of cleared where caller.groups contains "audit" until 2026-06-30 owner "dpo"
waiver press "The press office" of cleared where caller.groups contains "press" until 2026-12-31 owner "dpo"
`;
const ID = '0a0b0c0d-0000-4000-8000-000000000001';
const base = '/api/v2/tenants/default_tenant/databases/default_database/collections';
const IN_JUNE = Date.UTC(2026, 5, 30, 12);
const IN_JULY = Date.UTC(2026, 6, 1);

let filter: Filter;
beforeAll(async () => {
  const people = { staff: ['all'], audit: ['all', 'audit'], press: ['all', 'press'], both: ['all', 'audit', 'press'] };
  filter = await filterOf(POLICY, [
    ...Object.entries(people).map(([key, groups]) => ({ key, claims: { sub: key, groups } })),
    { key: 'broken', claims: { sub: 'x', groups: 7 } },
  ]);
});

const chunks = [
  { groups: ['all'], level: 'low' },
  { groups: ['all'], level: 'high' },
  { groups: ['other'], level: 'high' },
];
const ask = (key: string, nowMs: number, op = 'get', body: object = {}): Seen =>
  run(filter, {
    path: `${base}/${ID}/${op}`,
    headers: [
      ['authorization', `Bearer ${key}`],
      ['content-type', 'application/json'],
    ],
    body: JSON.stringify(body),
    nowMs,
    call: (path) =>
      path === `${base}/files` ? { status: 200, body: `{"id":"${ID}","name":"files"}` } : { status: 404, body: '{}' },
    upstream: {
      body: JSON.stringify({
        ids: ['low', 'high', 'other'],
        documents: null,
        metadatas: chunks,
        include: ['metadatas'],
      }),
    },
  });
const where = (seen: Seen): string => JSON.stringify((JSON.parse(seen.sent ?? '{}') as { where?: unknown }).where);
const found = (seen: Seen): readonly string[] => (JSON.parse(seen.got) as { ids: readonly string[] }).ids;

describe.each([
  ['staff', IN_JUNE, false],
  ['audit', IN_JUNE, true],
  ['audit', IN_JULY, false],
  ['press', IN_JULY, true],
  ['both', IN_JULY, true],
] as const)('%s at %d', (key, nowMs, covered) => {
  test(`the store is asked ${covered ? 'without' : 'with'} the rule's condition, and the rule ${covered ? 'is lifted' : 'holds'}`, () => {
    const seen = ask(key, nowMs);
    expect(where(seen).includes('"level":{"$in":["low"]}')).toBe(!covered);
    expect(where(seen)).toContain('"groups"');
    expect(found(seen)).toEqual(covered ? ['low', 'high'] : ['low']);
    const fired = seen.records.flatMap((record) => record['fired'] as readonly string[]);
    expect(fired.some((name) => name.startsWith('waiver '))).toBe(covered);
  });
});

test('nobody who cannot be told is covered', () => {
  const { status, sent, got } = ask('broken', IN_JUNE);
  expect([status, sent]).toEqual([403, null]);
  expect(got).toContain('waiver audit');
});

test('the store is asked for all that the policy says, so that a filter may be joined with a limit', () => {
  for (const key of ['staff', 'audit'])
    expect(ask(key, IN_JUNE, 'get', { limit: 1, where: { level: 'low' } }).sent).not.toBeNull();
});
