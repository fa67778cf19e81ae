/** Metrics of lists and switches. Labels are names of the policy. */
import { Gauge, type Registry } from 'prom-client';
import type { FeedReport } from './feeds.ts';

/** States in which a decision can read the feed. */
const USABLE: ReadonlySet<FeedReport['state']> = new Set(['fresh', 'on', 'off']);

export function addFeedMetrics(registry: Registry, report: () => readonly FeedReport[], now: () => number): void {
  feedGauge(
    registry,
    'writ_feed_age_seconds',
    'Since the list or switch was signed; no value where nothing came',
    report,
    ({ issuedAt }) => (issuedAt === null ? undefined : Math.max(0, now() - issuedAt) / 1_000),
  );
  feedGauge(registry, 'writ_feed_max_age_seconds', 'How old the list may become', report, ({ maxAgeMs }) =>
    maxAgeMs === null ? undefined : maxAgeMs / 1_000,
  );
  feedGauge(
    registry,
    'writ_feed_usable',
    '1 where decisions can read it, 0 where what reads it fails',
    report,
    ({ state }) => (USABLE.has(state) ? 1 : 0),
  );
  feedGauge(registry, 'writ_feed_sequence', 'Number of the newest state', report, ({ sequence }) => sequence);
}

function feedGauge(
  registry: Registry,
  name: string,
  help: string,
  report: () => readonly FeedReport[],
  valueOf: (feed: FeedReport) => number | undefined,
): void {
  new Gauge({
    name,
    help,
    labelNames: ['kind', 'feed'],
    registers: [registry],
    collect() {
      this.reset();
      for (const feed of report()) {
        const value = valueOf(feed);
        if (value !== undefined) this.set({ kind: feed.kind, feed: feed.name }, value);
      }
    },
  });
}
