// The control plane's metrics. Labels hold names of policies, budgets and methods: never a caller, a text or a message.
import { Counter, Gauge, Registry } from 'prom-client';

export interface ControlPlaneMetrics {
  readonly registry: Registry;
  readonly streams: Gauge;
  readonly acks: Counter;
  readonly nacks: Counter;
  /** Pushes and rollbacks, by whether they were taken. */
  readonly pushes: Counter<'result'>;
  readonly nodes: Gauge<'state'>;
  readonly leases: Gauge<'policy' | 'budget'>;
  readonly leaseCalls: Counter<'method'>;
  readonly leaseExpired: Counter<'policy' | 'budget' | 'unit'>;
  readonly leaseOverrun: Counter<'policy' | 'budget' | 'unit'>;
  readonly sequence: Gauge<'policy'>;
  readonly reviews: Gauge<'policy' | 'kind'>;
  readonly samplesDropped: Counter<'policy'>;
  readonly notices: Gauge<'policy' | 'state'>;
  readonly noticeAttempts: Counter<'result'>;
  readonly noticesDropped: Counter<'policy'>;
  readonly budgetLimit: Gauge<'policy' | 'budget' | 'unit'>;
  readonly budgetCharged: Gauge<'policy' | 'budget' | 'unit'>;
  readonly budgetOutstanding: Gauge<'policy' | 'budget' | 'unit'>;
}

export function createMetrics(): ControlPlaneMetrics {
  const registers = [new Registry()];
  const [registry = new Registry()] = registers;
  const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[] = []): Gauge<T> =>
    new Gauge({ name: `writ_control_plane_${name}`, help, labelNames, registers });
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[] = []): Counter<T> =>
    new Counter({ name: `writ_control_plane_${name}`, help, labelNames, registers });
  return {
    registry,
    streams: gauge('ads_streams', 'Open ADS streams.'),
    acks: counter('ads_acks_total', 'Responses that nodes acknowledged.'),
    nacks: counter('ads_nacks_total', 'Responses that nodes refused.'),
    pushes: counter('pushes_total', 'Pushes and rollbacks, by whether they were accepted.', ['result']),
    nodes: gauge(
      'nodes',
      'Nodes that have reported: connected; behind (connected, and not enforcing the release in force); refusing it.',
      ['state'],
    ),
    leases: gauge('leases_active', 'Leases that nodes hold.', ['policy', 'budget']),
    leaseCalls: counter('lease_calls_total', 'Lease calls of nodes.', ['method']),
    leaseExpired: counter('lease_expired_total', 'Charged because a lease ended before it was accounted for.', [
      'policy',
      'budget',
      'unit',
    ]),
    leaseOverrun: counter('lease_overrun_total', 'Spent beyond a lease: a worst case was computed too low.', [
      'policy',
      'budget',
      'unit',
    ]),
    sequence: gauge('release_sequence', 'The release in force.', ['policy']),
    reviews: gauge('reviews_open', 'Held requests and samples that are neither used, nor rejected, nor over.', [
      'policy',
      'kind',
    ]),
    samplesDropped: counter('samples_dropped_total', 'Samples that were not kept, because as many wait as may.', [
      'policy',
    ]),
    notices: gauge('notices', 'Notices that wait to be told, or that were given up.', ['policy', 'state']),
    noticeAttempts: counter('notice_attempts_total', 'Calls of webhooks, by what they came to.', ['result']),
    noticesDropped: counter('notices_dropped_total', 'Firings told to nobody, because as many notices wait as may.', [
      'policy',
    ]),
    budgetLimit: gauge('budget_limit', "A budget's limit, of each of its accounts.", ['policy', 'budget', 'unit']),
    budgetCharged: gauge('budget_charged', 'Spent in the current window.', ['policy', 'budget', 'unit']),
    budgetOutstanding: gauge('budget_outstanding', 'Held by sidecars in the current window.', [
      'policy',
      'budget',
      'unit',
    ]),
  };
}
