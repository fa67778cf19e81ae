/** The sidecar's Prometheus metrics. Labels are names of the policy and fixed words: nothing that a request says. */
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { SessionOutcome } from '../door/session-port.ts';
import type { GrantMove } from './budgets/envoy-grants.ts';
import type { BudgetAccounts, BudgetCounters } from './budgets/budget-accounts.ts';
import type { RecordKeeper } from './keeps/record-keeper.ts';
import type { SampleSender } from './keeps/sample-sender.ts';
import type { DecisionSummary } from './decision-record.ts';
import { DecisionTally } from './decision-tally.ts';

export interface SidecarMetrics {
  readonly registry: Registry;
  exchangeEnded(
    how: 'complete' | 'aborted' | 'failed',
    outcome: Pick<SessionOutcome, 'records' | 'spentMicros'> | undefined,
  ): void;
  error(code: string): void;
  /** Micro-units, or what a rate counts, of a grant to the filter inside Envoy. `budget` is a name of the policy. */
  grantMoved(budget: string, move: GrantMove, micros: number): void;
  accessLogEntry(result: AccessLogResult): void;
  /** Counts what was decided until now. */
  collect(): void;
}

/** What became of an entry of Envoy's access log. What the decision log itself loses is counted there. */
export type AccessLogResult = 'taken' | 'no_decision' | 'malformed';
/** Of `BudgetAccounts`, what is shown. */
export type BudgetFigures = Pick<BudgetAccounts, 'counters' | 'open' | 'crowd' | 'tracked' | 'levels'>;

export interface Gauges {
  readonly exchanges: () => number;
  readonly filterBytes: () => number;
  readonly pseudonyms: () => { readonly hasKey: boolean; readonly masked: number };
  readonly sequence: () => { readonly verified: number; readonly enforcing: number };
  readonly logDropped: () => number;
  /** By budget: grants to the filter inside Envoy that are open, and what they hold. */
  readonly grants: () => ReadonlyMap<string, { readonly grants: number; readonly micros: number }>;
  readonly samples: Pick<SampleSender, 'waiting' | 'sent' | 'dropped'>;
  readonly records: Pick<RecordKeeper, 'waiting' | 'waitingBytes' | 'sent' | 'failed'>;
  readonly alarms: () => number;
  /** Undefined: this sidecar has no control plane, and so no budgets. */
  readonly budgets: BudgetFigures | undefined;
  readonly connected: () => { readonly envoy: number; readonly controlPlane: number };
}

/** `onDecisions` is told of each kind of decision that was counted, and how often. */
export function createMetrics(
  gauges: Gauges,
  onDecisions: (summary: DecisionSummary, times: number) => void = () => undefined,
): SidecarMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  // What is counted at every exchange is told to the counters when somebody reads them.
  const tally = new DecisionTally((summary, times) => {
    const { event, outcome, rules: fired, detectors } = summary;
    onDecisions(summary, times);
    decisions.inc({ event, outcome }, times);
    for (const rule of fired) rules.inc({ rule, outcome }, times);
    for (const detector of detectors) redactions.inc({ detector }, times);
  });
  const collect = (): void => tally.flush();
  const exchanges = new Counter({
    name: 'writ_exchanges_total',
    help: 'HTTP exchanges by how they ended',
    labelNames: ['end'],
    registers,
  });
  const decisions = new Counter({
    name: 'writ_decisions_total',
    help: 'Decisions by event and outcome',
    labelNames: ['event', 'outcome'],
    registers,
    collect,
  });
  const rules = new Counter({
    name: 'writ_rules_fired_total',
    help: 'Rules that took part in a decision',
    labelNames: ['rule', 'outcome'],
    registers,
    collect,
  });
  const redactions = new Counter({
    name: 'writ_redactions_total',
    help: 'Decisions that redacted, by detector',
    labelNames: ['detector'],
    registers,
    collect,
  });
  const spent = new Counter({
    name: 'writ_spent_micros_total',
    help: "Spend settled, in micro-units of the policy's currency",
    registers,
  });
  const errors = new Counter({
    name: 'writ_errors_total',
    help: 'Failures of the sidecar, by code',
    labelNames: ['code'],
    registers,
  });
  const grantMoves = new Counter({
    name: 'writ_budget_granted_total',
    help: 'Granted to the filter inside Envoy and what became of it: micro-units, or what a rate counts',
    labelNames: ['budget', 'move'],
    registers,
  });
  const accessLogEntries = new Counter({
    name: 'writ_access_log_entries_total',
    help: "Entries of Envoy's access log by what became of them",
    labelNames: ['result'],
    registers,
  });
  budgetGauge(registry, 'writ_budget_grants_open', 'Grants to the filter inside Envoy that are open', () =>
    [...gauges.grants()].map(([budget, { grants }]) => [budget, grants]),
  );
  budgetGauge(registry, 'writ_budget_grants_held', 'What open grants hold and have not settled', () =>
    [...gauges.grants()].map(([budget, { micros }]) => [budget, micros]),
  );
  gauge(registry, 'writ_exchanges_open', 'Exchanges open now', gauges.exchanges);
  gauge(registry, 'writ_filter_memory_bytes', 'Memory of the filter in force', gauges.filterBytes);
  gauge(registry, 'writ_policy_key', 'Whether there is a key to make pseudonyms of', () =>
    gauges.pseudonyms().hasKey ? 1 : 0,
  );
  total(
    registry,
    'writ_pseudonyms_masked_total',
    'Pseudonyms that were masks for want of the key',
    () => gauges.pseudonyms().masked,
  );
  gauge(registry, 'writ_release_verified', 'Sequence of the newest verified release', () => gauges.sequence().verified);
  gauge(registry, 'writ_release_enforcing', 'Sequence of the release in force', () => gauges.sequence().enforcing);
  total(registry, 'writ_decision_log_dropped_total', 'Decisions that the log has lost', gauges.logDropped);
  gauge(
    registry,
    'writ_samples_waiting',
    'Samples that the control plane does not have yet',
    () => gauges.samples.waiting,
  );
  gauge(
    registry,
    'writ_records_waiting',
    'Records on disk that the control plane does not have yet',
    () => gauges.records.waiting,
  );
  gauge(registry, 'writ_records_waiting_bytes', 'Bytes of these', () => gauges.records.waitingBytes);
  total(registry, 'writ_records_sent_total', 'Records that the control plane has taken', () => gauges.records.sent);
  total(registry, 'writ_records_failed_total', 'Records that could not be kept', () => gauges.records.failed);
  total(registry, 'writ_samples_sent_total', 'Samples that the control plane has taken', () => gauges.samples.sent);
  total(registry, 'writ_samples_dropped_total', 'Samples that were lost on their way', () => gauges.samples.dropped);
  total(registry, 'writ_alarms_total', 'Lines that the sidecar wrote for an operator', gauges.alarms);
  if (gauges.budgets !== undefined) budgetMetrics(registry, gauges.budgets);
  gauge(registry, 'writ_envoy_connected', 'Envoys connected', () => gauges.connected().envoy);
  gauge(
    registry,
    'writ_control_plane_connected',
    'Whether the control plane is connected',
    () => gauges.connected().controlPlane,
  );
  return {
    registry,
    exchangeEnded: (how, outcome) => {
      exchanges.inc({ end: how });
      if (outcome === undefined) return;
      for (const record of outcome.records) tally.add(record);
      if (outcome.spentMicros !== undefined) spent.inc(outcome.spentMicros);
    },
    error: (code) => errors.inc({ code }),
    collect,
    grantMoved: (budget, move, micros) => grantMoves.inc({ budget, move }, micros),
    accessLogEntry: (result) => accessLogEntries.inc({ result }),
  };
}

function gauge(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(value());
    },
  });
}

function budgetGauge(
  registry: Registry,
  name: string,
  help: string,
  values: () => readonly (readonly [budget: string, value: number])[],
): void {
  new Gauge({
    name,
    help,
    labelNames: ['budget'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [budget, value] of values()) this.set({ budget }, value);
    },
  });
}

/** A counter that is kept elsewhere. */
function total(registry: Registry, name: string, help: string, value: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(value());
    },
  });
}

const BUDGET_TOTALS: {
  readonly [Name in keyof BudgetCounters]: { readonly name: string; readonly help: string };
} = {
  reservations: { name: 'reservations', help: 'Requests that money was set aside for' },
  short: { name: 'refusals', help: 'Requests refused for want of money, after the decision had allowed them' },
  overruns: { name: 'overruns', help: 'Requests that cost more than their worst case' },
  crowded: { name: 'crowded', help: 'Times that a caller’s account was wanted and there was no room for it' },
  expired: { name: 'leases_expired', help: 'Leases that ended before they were accounted for' },
  forfeits: { name: 'forfeits', help: 'Times that all leases were given up' },
  failedCalls: { name: 'lease_call_failures', help: 'Lease calls without an answer' },
  journalErrors: { name: 'journal_errors', help: 'Times that the journal could not be written' },
};

function budgetMetrics(registry: Registry, budgets: BudgetFigures): void {
  for (const key of Object.keys(BUDGET_TOTALS) as (keyof BudgetCounters)[]) {
    const { name, help } = BUDGET_TOTALS[key];
    total(registry, `writ_budget_${name}_total`, help, () => budgets.counters[key]);
  }
  gauge(registry, 'writ_budget_accounts', 'Accounts of single callers that this sidecar knows', () => budgets.crowd);
  gauge(registry, 'writ_budget_exchanges_open', 'Exchanges that hold money now', () => budgets.open);
  new Gauge({
    name: 'writ_budget_headroom',
    help: 'Left in a budget as this sidecar sees it; no value where it cannot see',
    labelNames: ['budget'],
    registers: [registry],
    collect() {
      this.reset();
      const names = budgets.tracked;
      budgets.levels(names).forEach((level, at) => {
        if (!level.failed) this.set({ budget: names[at] ?? '' }, level.headroom);
      });
    },
  });
}
