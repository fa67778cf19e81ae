// The metrics of both processes: each is in the README's table, with its kind and its labels, and no label can hold
// whose request it was.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createMetrics as controlPlaneMetrics } from '../../control-plane/metrics.ts';
import { createMetrics as sidecarMetrics } from '../../filters/sidecar/metrics.ts';

const LABELS = [
  'budget',
  'code',
  'detector',
  'end',
  'event',
  'kind',
  'method',
  'move',
  'outcome',
  'policy',
  'result',
  'rule',
  'unit',
  'state',
];
const README = readFileSync(new URL('../../control-plane/README.md', import.meta.url), 'utf8');

const counters = {
  reservations: 7,
  short: 6,
  overruns: 5,
  crowded: 0,
  expired: 4,
  forfeits: 3,
  failedCalls: 2,
  journalErrors: 1,
};
const level = { failed: false, headroom: 12, spent: 8, windowLeftMs: 1, isPart: false } as const;
const sidecar = sidecarMetrics({
  exchanges: () => 0,
  pseudonyms: () => ({ hasKey: false, masked: 0 }),
  filterBytes: () => 0,
  sequence: () => ({ verified: 2, enforcing: 1 }),
  logDropped: () => 9,
  samples: { waiting: 3, sent: 2, dropped: 1 },
  records: { waiting: 3, waitingBytes: 4, sent: 2, failed: 1 },
  alarms: () => 8,
  grants: () => new Map(),
  budgets: { counters, open: 11, crowd: 10, tracked: ['day', 'gone'], levels: () => [level, { failed: true }] },
  connected: () => ({ envoy: 1, controlPlane: 1 }),
});
const ours = async () =>
  [...(await controlPlaneMetrics().registry.getMetricsAsJSON()), ...(await sidecar.registry.getMetricsAsJSON())].filter(
    ({ name }) => name.startsWith('writ_'),
  );

describe('every metric', () => {
  const rows = [...README.matchAll(/^\| `(writ_\w+)` \| (\w+) \|([^|]*)\|/gm)].map(([, name, kind, labels = '']) => ({
    name,
    kind,
    labels: [...labels.matchAll(/\w+/g)].map(String),
  }));

  test('is in the table, and nothing else is', async () => {
    const names = (await ours()).map(({ name, type }) => `${String(type)} ${name}`);
    expect(names.length).toBeGreaterThan(30);
    expect(rows.map(({ name, kind }) => `${kind} ${name}`).sort()).toEqual(names.sort());
  });

  test('has labels of the policy and fixed words only', () => {
    for (const { labels } of rows) for (const label of labels) expect(LABELS).toContain(label);
  });

  test('is named as Prometheus names: counters end in `_total`, gauges do not', () => {
    for (const { name, kind } of rows) expect(name?.endsWith('_total')).toBe(kind === 'counter');
  });
});

describe("a sidecar's text", () => {
  test("has the accounts' counters, and the same when it is read again", async () => {
    for (let read = 0; read < 2; read++) {
      const text = await sidecar.registry.metrics();
      for (const line of [
        'writ_budget_reservations_total 7',
        'writ_budget_refusals_total 6',
        'writ_budget_overruns_total 5',
        'writ_budget_leases_expired_total 4',
        'writ_budget_forfeits_total 3',
        'writ_budget_lease_call_failures_total 2',
        'writ_budget_journal_errors_total 1',
        'writ_budget_exchanges_open 11',
        'writ_decision_log_dropped_total 9',
        'writ_alarms_total 8',
        'writ_budget_headroom{budget="day"} 12',
      ])
        expect(text.split('\n')).toContain(line);
      // What cannot be read is no 0.
      expect(text).not.toContain('budget="gone"');
    }
  });
});
