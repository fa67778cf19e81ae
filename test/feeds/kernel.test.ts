// Lists and switches in the compiled filter: what a feed says is a fact of the decision, and what it does not say has
// failed. Ages run on the clock that the test sets.
import { beforeEach, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { brokenImage, neverSwitched } from '../../filters/host/feed-image.ts';
import { filterOf, KEYS, planOf, run } from '../kernel/test-filter.ts';
import { planFaults } from '../../compiler/plan/plan-faults.ts';
import { POLICY } from '../protocols/policy.ts';
import { listImage, switchImage } from './build-feed.ts';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-12-01T09:00:00Z');
const SOURCE = `${POLICY.replace(
  'region : region from claim "region"',
  'region : region from claim "region" started : optional date from claim "started" grade : decimal with 2 digits from claim "grade" else 0.00',
)
  .replace('models { zone: zone }', 'models { zone: zone vendor: text }')
  .replace('provider: openai', 'provider: openai vendor: "openai"')
  .replace('provider: llama_cpp', 'provider: llama_cpp vendor: "google"')}
list banned of text from "banned-callers" max age 1 hour max entries 4
list vendors of text from "approved-vendors" max age 1 day
list regions of region from "regions" max age 1 day
list days of date from "days" max age 1 day
list grades of decimal with 2 digits from "grades" max age 1 day
list levels of classification from "levels" max age 1 day
hours office = monday to friday 09:00 to 18:00 except days in "Europe/Berlin"
switch stop "Stop all models" by "oncall" max 4 hours
`;

interface Asked {
  readonly now?: number;
  readonly claims?: { readonly [claim: string]: string | number };
}

let filter: Filter;
const ask = ({ now = NOW, claims = {} }: Asked = {}) => {
  const seen = run(filter, {
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] }),
    jwt: { ...(KEYS[0]!.claims as { sub: string; dept: string; region: string }), ...claims },
    nowMs: now,
  });
  const [record] = seen.records;
  return { outcome: record?.outcome, failed: record?.['failed'] };
};
const allowed = { outcome: 'allow', failed: [] };
const denied = { outcome: 'deny', failed: [] };

describe('a list of texts', () => {
  beforeEach(async () => {
    filter = await filterOf(`${SOURCE}rule r on prompt where caller.id is in banned deny "No"`);
  });
  const banned = (values: readonly string[], parts: { sequence?: number; issuedAt?: number; element?: string } = {}) =>
    filter.takeFeed(listImage({ name: 'banned-callers', values, issuedAt: NOW, ...parts }));
  const failed = { outcome: 'deny', failed: ['list.banned.caller.id'] };

  test('holds the values that it was signed with, and no others', () => {
    expect(banned(['u2', 'u1', 'ü3'])).toBe(true);
    expect([
      ask(),
      ask({ claims: { sub: 'ü3' } }),
      ask({ claims: { sub: 'u' } }),
      ask({ claims: { sub: '' } }),
    ]).toEqual([denied, denied, allowed, allowed]);
  });

  test('of nobody holds nobody', () => {
    banned([]);
    expect(ask()).toEqual(allowed);
  });

  test('has failed where it was never heard of', () => expect(ask()).toEqual(failed));

  test('has failed once it is older than the policy lets it be, to the millisecond', () => {
    banned(['u2']);
    expect([ask({ now: NOW + HOUR }), ask({ now: NOW + HOUR + 1 })]).toEqual([allowed, failed]);
  });

  test('has failed where what came cannot be trusted', () => {
    banned(['u2']);
    filter.takeFeed(brokenImage('list', 'banned-callers'));
    expect(ask()).toEqual(failed);
    banned(['u2']);
    expect(ask()).toEqual(allowed);
  });

  test('does not go back', () => {
    banned(['u1'], { sequence: 2 });
    expect(banned([], { sequence: 1, issuedAt: NOW + 1 })).toBe(false);
    expect(ask()).toEqual(denied);
  });

  test('takes no more entries than the policy says, and none of another type', () => {
    banned(['u1']);
    expect(banned(['a', 'b', 'c', 'd', 'e'], { sequence: 2 })).toBe(false);
    expect(banned(['2026-12-01'], { sequence: 2, element: 'date' })).toBe(false);
    expect(banned(['a', 'b', 'c', 'd'], { sequence: 2 })).toBe(true);
    expect(ask()).toEqual(allowed);
  });

  test('is none of a policy that does not read it', () => {
    expect(filter.takeFeed(listImage({ name: 'days', values: [], element: 'date', issuedAt: NOW }))).toBe(false);
    expect(filter.takeFeed(new Uint8Array(63))).toBe(false);
  });

  test('keeps nothing of the state before', () => {
    banned(['u1', 'u2']);
    const before = filter.bytesInUse();
    for (let sequence = 2; sequence < 50; sequence++) banned(['u1', 'u2'], { sequence });
    expect(filter.bytesInUse()).toBe(before);
  });
});

test('every value of a list is found, and no other, whatever its length', async () => {
  filter = await filterOf(
    `${SOURCE.replace('max entries 4', 'max entries 2_000')}rule r on prompt where caller.id is in banned deny "No"`,
  );
  let sequence = 1;
  for (const count of [1, 2, 3, 17, 1_024, 1_999]) {
    const values = Array.from({ length: count }, (_, at) => `person ${at}`);
    filter.takeFeed(listImage({ name: 'banned-callers', values, issuedAt: NOW, sequence: sequence++ }));
    const asked = count > 100 ? [0, 1, 500, count - 2, count - 1] : values.map((_, at) => at);
    for (const at of asked) expect(ask({ claims: { sub: `person ${at}` } }), `${at} of ${count}`).toEqual(denied);
    for (const at of [count, count + 1, -1]) expect(ask({ claims: { sub: `person ${at}` } })).toEqual(allowed);
  }
});

test.each([
  [
    'a value of the model',
    'use only models where model.vendor is in vendors',
    'approved-vendors',
    'text',
    'openai',
    'acme',
  ],
  ['a member of an enum', 'where caller.region is not in regions\n  deny "No"', 'regions', 'enum region', 'us', 'eu'],
  ['a number at its scale', 'where caller.grade is not in grades\n  deny "No"', 'grades', 'number 2', '12.5', '125'],
  [
    'a date',
    'where caller.started is known and caller.started is not in days\n  deny "No"',
    'days',
    'date',
    '2026-12-25',
    '2026-12-26',
  ],
  [
    'the classification',
    'where prompt.classification is not in levels\n  deny "No"',
    'levels',
    'enum classification',
    'public',
    'internal',
  ],
])('%s can be in a list', async (_, body, name, element, present, other) => {
  filter = await filterOf(`${SOURCE}rule r\n  on prompt\n  ${body}`);
  const claims = { region: 'us', grade: 12.5, started: '2026-12-25' };
  filter.takeFeed(listImage({ name, element, values: [present], issuedAt: NOW }));
  expect(ask({ claims })).toEqual(allowed);
  filter.takeFeed(listImage({ name, element, values: [other], issuedAt: NOW, sequence: 2 }));
  expect(ask({ claims })).toEqual(denied);
});

test('what is not known is in no list, and a list that has failed is not asked', async () => {
  filter = await filterOf(
    `${SOURCE}rule r on prompt where caller.started is known and caller.started is in days deny "No"`,
  );
  expect(ask()).toEqual(allowed);
  expect(ask({ claims: { started: '2026-12-25' } })).toEqual({ outcome: 'deny', failed: ['list.days.caller.started'] });
});

describe('hours with days off', () => {
  beforeEach(async () => {
    filter = await filterOf(`${SOURCE}rule r on prompt where now is not in hours office deny "Closed"`);
    // Midnight in Berlin is 23:00 UTC of the day before.
    filter.takeFeed(
      listImage({ name: 'days', element: 'date', values: ['2026-12-25', '2026-12-01'], issuedAt: NOW - 12 * HOUR }),
    );
  });

  test.each([
    ['a day off', '2026-12-01T10:00:00+01:00', 'deny'],
    ['the last minute before a day off', '2026-11-30T17:59:00+01:00', 'allow'],
    ['the day after', '2026-12-02T09:00:00+01:00', 'deny-stale'],
  ])('%s', (_, instant, outcome) => {
    const now = Date.parse(instant);
    const isStale = outcome === 'deny-stale';
    expect(ask({ now })).toEqual({
      outcome: isStale ? 'deny' : outcome,
      failed: isStale ? ['list.days.day_in.Europe/Berlin.now'] : [],
    });
  });
});

describe('a switch', () => {
  beforeEach(async () => {
    filter = await filterOf(`${SOURCE}rule r on prompt where switch stop deny "Stopped"`);
  });
  const failed = { outcome: 'deny', failed: ['switch.stop'] };

  test('is what was signed last, and off when its time is over', () => {
    filter.takeFeed(neverSwitched('stop'));
    expect(ask()).toEqual(allowed);
    filter.takeFeed(switchImage('stop', { issuedAt: NOW, until: NOW + HOUR }));
    expect([ask(), ask({ now: NOW + HOUR - 1 }), ask({ now: NOW + HOUR })]).toEqual([denied, denied, allowed]);
    filter.takeFeed(switchImage('stop', { issuedAt: NOW, sequence: 2, until: null }));
    expect(ask({ now: NOW + 1_000 * HOUR })).toEqual(denied);
    filter.takeFeed(switchImage('stop', { issuedAt: NOW, sequence: 3, on: false }));
    expect(ask()).toEqual(allowed);
  });

  test('has failed where nobody has been heard, and where what came cannot be trusted', () => {
    expect(ask()).toEqual(failed);
    filter.takeFeed(switchImage('stop', { issuedAt: NOW }));
    filter.takeFeed(brokenImage('switch', 'stop'));
    expect(ask()).toEqual(failed);
  });
});

test('a list asked for each role, and its failure with on failure: allow', async () => {
  const source = `${SOURCE.replace('on failure: deny', 'on failure: allow')}
list roles of message_role from "roles" max age 1 hour
rule r on prompt where some m in prompt.messages has (m.role is in roles and m.text contains email) deny "No"
rule s on prompt use only models where model.vendor is in vendors`;
  expect(planFaults(planOf(source))).toEqual([]);
  filter = await filterOf(source);
  const mail = () =>
    run(filter, {
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'to a@b.example' }] }),
      nowMs: NOW,
    }).records[0]!.outcome;
  expect(mail()).toBe('allow');
  filter.takeFeed(listImage({ name: 'approved-vendors', values: ['openai'], issuedAt: NOW }));
  filter.takeFeed(listImage({ name: 'roles', element: 'enum message_role', values: ['system'], issuedAt: NOW }));
  expect(mail()).toBe('allow');
  filter.takeFeed(
    listImage({ name: 'roles', element: 'enum message_role', values: ['user'], issuedAt: NOW, sequence: 2 }),
  );
  expect(mail()).toBe('deny');
});
