// The control plane as one process: opens its store, serves ADS, leases, reports and admins over mTLS, and metrics on
// loopback. A boundary file: it touches clock, network and disk; it reads no environment and no key files, which are
// the caller's.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { VerificationKey } from '../compiler/bundle/jws.ts';
import { budgetOf } from '../proto/account-name.ts';
import { unitOf } from './budgets/budget-terms.ts';
import { Admin } from '../proto/gen/writ/v1/admin_pb.ts';
import { Leases } from '../proto/gen/writ/v1/leases_pb.ts';
import { Nodes } from '../proto/gen/writ/v1/nodes_pb.ts';
import { Firings, NoticeDesk } from '../proto/gen/writ/v1/notices_pb.ts';
import { RecordDesk, Records } from '../proto/gen/writ/v1/records_pb.ts';
import { ReviewDesk, Reviews } from '../proto/gen/writ/v1/reviews_pb.ts';
import type { DeploymentKey } from '../proto/deployment-key.ts';
import { grpcService } from '../proto/grpc-call.ts';
import { expireLeases } from './budgets/lease-calls.ts';
import type { LeaseCallContext } from './budgets/lease-calls.ts';
import { feedResource } from '../compiler/bundle/feed.ts';
import { feedInForce, loadFeedsInForce } from './feeds/feeds-in-force.ts';
import { adsDefinition, adsService } from './grpc/ads-service.ts';
import { adminService, budgetInfos, leasesService, nodeCounts, nodesService } from './grpc/services.ts';
import type { ServicesContext } from './grpc/services.ts';
import { firingsService, noticeDeskService } from './grpc/notice-services.ts';
import { recordDeskService, recordsService } from './grpc/record-services.ts';
import { reviewDeskService, reviewsService } from './grpc/review-services.ts';
import { forgetOldRecords } from './records/records.ts';
import { forgetOldReviews } from './reviews/review-desk.ts';
import { listenHttp } from './http-listener.ts';
import type { Credential } from './keys/certificate.ts';
import { createMetrics } from './metrics.ts';
import type { ControlPlaneMetrics } from './metrics.ts';
import { NoticeDelivery } from './notices/delivery.ts';
import { postWebhook } from './notices/post-webhook.ts';
import type { Webhook, Webhooks } from './notices/webhook.ts';
import { loadReleasesInForce, putInForce, snapshotOf } from './releases/releases-in-force.ts';
import type { Database } from './store/database.ts';
import { keepKeyMark, usedKeyMark } from './store/deployment-key-mark.ts';
import { addQuarantine, listQuarantine } from './store/node-store.ts';
import { dueNotices, forgetNotices, newNoticeId, noticeCounts, settleNotice } from './store/notice-store.ts';
import { openPglite } from './store/open-pglite.ts';
import { openReviews } from './store/review-store.ts';
import { activeLeases, dueWindows, forgetRates, sqlLedger } from './store/sql-ledger.ts';
import { AdsHub } from './xds/ads-hub.ts';
import type { Snapshot } from './xds/snapshot.ts';

export interface ControlPlaneOptions {
  /** The folder of the database; made if it is not there. */
  readonly stateFolder: string;
  /** The control plane's certificate and key, and the authority's certificate: `readRole` in keys/key-folder.ts. */
  readonly credential: Credential & { readonly authorityPem: string };
  /** Public keys of bundles, read for each push. */
  readonly trustedKeys: () => readonly VerificationKey[];
  /**
   * Of what pseudonyms and receipts are made, by the mark of the one that was used last: `deploymentKeyIn` in
   * keys/key-folder.ts, which throws where it is another. Without it pseudonyms are masks, and there are no receipts.
   */
  readonly deploymentKey?: (usedMark: string | undefined) => DeploymentKey;
  /** Interface and port of the gRPC server; port 0 takes a free one. */
  readonly host: string;
  readonly port: number;
  /** Port of `/metrics` and `/healthz` on 127.0.0.1; 0 takes a free one. */
  readonly httpPort: number;
  /** Where recipients of policies are told: by the names that policies give their webhooks. None where absent. */
  readonly webhooks?: Webhooks;
  /** One line for an operator. */
  readonly log: (message: string) => void;
  /** Milliseconds since 1970 UTC; the machine's clock unless a test gives another. */
  readonly now?: () => number;
}

export interface ControlPlane {
  readonly ports: { readonly grpc: number; readonly http: number };
  /** Ends streams, finishes calls, closes the database. */
  stop(): Promise<void>;
}

/** A bundle of 64 MiB with what stands around it. */
const MESSAGE_BYTES_MAX = 72 * 1024 * 1024;
const SWEEP_MS = 5_000;
/** How often accounts of rates that are over are deleted. */
const FORGET_RATES_MS = 600_000;
/** Windows that one sweep charges. */
const SWEEP_WINDOWS_MAX = 1_000;
const STOP_MS_MAX = 2_000;

/** Starts a control plane. Rejects with DatabaseError, or when a port is taken. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { log, now = Date.now } = options;
  const database = await openPglite(options.stateFolder);
  try {
    const deploymentKey = options.deploymentKey?.(await usedKeyMark(database));
    if (deploymentKey !== undefined) await keepKeyMark(database, deploymentKey.mark());
    const metrics = createMetrics();
    const inForce = await loadReleasesInForce(database);
    const feeds = await loadFeedsInForce(database);
    const hub = openHub(snapshotOf(inForce, feeds), database, metrics, now, log);
    for (const row of await listQuarantine(database)) hub.quarantine(row.node, row.typeUrl, row.resource, row.version);

    const leases: LeaseCallContext = {
      store: sqlLedger(database),
      termsOf: (policy) => inForce.get(policy)?.budgets,
      now,
      // An account is named by its budget alone: no hash of a caller in a label or a line.
      onOverrun: ({ policy, budget: account }, amount) => {
        const budget = budgetOf(account);
        const unit = unitOf(inForce.get(policy)?.budgets, budget);
        metrics.leaseOverrun.inc({ policy, budget, unit }, amount);
        log(
          `a sidecar spent ${amount} ${unit === 'micros' ? 'micro-units' : unit} of budget \`${budget}\` beyond its lease`,
        );
      },
      onExpired: ({ policy, budget: account }, amount) => {
        const budget = budgetOf(account);
        metrics.leaseExpired.inc({ policy, budget, unit: unitOf(inForce.get(policy)?.budgets, budget) }, amount);
      },
    };
    const context: ServicesContext = {
      database,
      leases,
      inForce: () => inForce,
      trustedKeys: options.trustedKeys,
      deploymentKey,
      isConnected: (node) => hub.isConnected(node),
      onRelease: ({ row, bundle }) => {
        inForce.set(row.name, putInForce(row, bundle));
        hub.publish(snapshotOf(inForce, feeds));
        log(`release ${row.sequence} of \`${row.name}\` is revision ${row.revision.slice(0, 12)}, by ${row.pushedBy}`);
      },
      feeds: () => feeds,
      onFeed: (row) => {
        feeds.set(feedResource(row), feedInForce(row));
        hub.publish(snapshotOf(inForce, feeds));
        log(`number ${row.sequence} of ${row.kind} \`${row.name}\` of \`${row.policy}\`, by ${row.publishedBy}`);
      },
      onPush: (result) => metrics.pushes.inc({ result }),
      onLeaseCall: (method) => metrics.leaseCalls.inc({ method }),
      now,
      log,
    };
    const { server, port } = await listenGrpc(options, hub, context, metrics);
    const http = await listenHttp({
      port: options.httpPort,
      metrics: () => renderMetrics(metrics, hub, context),
      isHealthy: () => answers(database),
    });
    const stopSweep = sweep(database, leases, log);
    const delivery = startDelivery(options, database, metrics, now);
    return {
      ports: { grpc: port, http: http.port },
      stop: async () => {
        stopSweep();
        hub.close();
        await delivery.stop();
        await shutDown(server);
        await http.stop();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

function openHub(
  snapshot: Snapshot,
  database: Database,
  metrics: ControlPlaneMetrics,
  now: () => number,
  log: (message: string) => void,
): AdsHub {
  return new AdsHub({
    snapshot,
    later: (action, ms) => {
      const timer = setTimeout(action, ms);
      return () => clearTimeout(timer);
    },
    onAck: () => metrics.acks.inc(),
    onNack: (node, nack) => {
      metrics.nacks.inc();
      log(`node \`${node}\` refused ${nack.typeUrl}: ${nack.message}`);
      if (nack.refused === undefined) return;
      const row = {
        node,
        typeUrl: nack.typeUrl,
        resource: nack.refused.name,
        version: nack.refused.version,
        message: nack.message,
        at: now(),
      };
      // In memory it holds already; unwritten, it holds until the next start.
      addQuarantine(database, row).catch(() => log(`the refusal of node \`${node}\` could not be stored`));
    },
  });
}

async function listenGrpc(
  options: ControlPlaneOptions,
  hub: AdsHub,
  context: ServicesContext,
  metrics: ControlPlaneMetrics,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = new Server({
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
    // A node whose machine is gone says nothing: ask it.
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  server.addService(adsDefinition, adsService(hub));
  server.addService(grpcService(Leases), leasesService(context));
  server.addService(grpcService(Nodes), nodesService(context));
  server.addService(grpcService(Admin), adminService(context));
  const reviews = {
    ...context,
    isInForce: (policy: string) => context.inForce().has(policy),
    onFull: (policy: string) => metrics.samplesDropped.inc({ policy }),
  };
  server.addService(grpcService(Reviews), reviewsService(reviews));
  server.addService(grpcService(ReviewDesk), reviewDeskService(reviews));
  server.addService(grpcService(Records), recordsService(reviews));
  server.addService(grpcService(RecordDesk), recordDeskService(reviews));
  const notices = {
    ...context,
    ruleNotices: (policy: string) => context.inForce().get(policy)?.notices,
    webhooks: options.webhooks ?? new Map<string, Webhook>(),
    newId: newNoticeId,
    onFull: (policy: string) => metrics.noticesDropped.inc({ policy }),
  };
  server.addService(grpcService(Firings), firingsService(notices));
  server.addService(grpcService(NoticeDesk), noticeDeskService(notices));
  const { authorityPem, certificatePem, privateKeyPem } = options.credential;
  const credentials = ServerCredentials.createSsl(
    Buffer.from(authorityPem),
    [{ cert_chain: Buffer.from(certificatePem), private_key: Buffer.from(privateKeyPem) }],
    true,
  );
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${options.port}`, credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { server, port };
}

/** Begins to tell what waits in the outbox. */
function startDelivery(
  { webhooks = new Map(), log }: ControlPlaneOptions,
  database: Database,
  metrics: ControlPlaneMetrics,
  now: () => number,
): NoticeDelivery {
  const delivery = new NoticeDelivery({
    webhooks,
    store: {
      due: (at) => dueNotices(database, at),
      settle: (id, change) => settleNotice(database, id, change),
    },
    post: postWebhook,
    now,
    later: (action, ms) => {
      const timer = setTimeout(action, ms);
      return () => clearTimeout(timer);
    },
    onAttempt: (result) => metrics.noticeAttempts.inc({ result }),
    log,
  });
  delivery.start();
  return delivery;
}

/** Charges leases whose time is over, also where nobody asks any more; and forgets reviews, and rates that are over. */
function sweep(database: Database, leases: LeaseCallContext, log: (message: string) => void): () => void {
  let isSweeping = false;
  let ratesForgottenAt = Number.NEGATIVE_INFINITY;
  const forgetsRates = async (now: number): Promise<void> => {
    if (now - ratesForgottenAt < FORGET_RATES_MS) return;
    ratesForgottenAt = now;
    await forgetRates(database, now);
  };
  const timer = setInterval(() => {
    if (isSweeping) return;
    isSweeping = true;
    dueWindows(database, leases.now(), SWEEP_WINDOWS_MAX)
      .then((windows) => expireLeases(leases, windows))
      .catch(() => log('leases that have ended could not be charged; the next call of their budget does it'))
      .then(() => forgetsRates(leases.now()))
      .catch(() => log('rates whose time is over could not be deleted; the next try is soon'))
      .then(() => forgetOldReviews({ database, now: leases.now }))
      .catch(() => log('reviews that have been kept for long enough could not be deleted; the next try is soon'))
      .then(() => forgetOldRecords({ database, now: leases.now }))
      .catch(() => log('records whose time is over could not be deleted; the next try is soon'))
      .then(() => forgetNotices(database, leases.now()))
      .catch(() => log('notices that are over could not be deleted; the next try is soon'))
      .finally(() => {
        isSweeping = false;
      });
  }, SWEEP_MS);
  return () => clearInterval(timer);
}

async function renderMetrics(
  metrics: ControlPlaneMetrics,
  hub: AdsHub,
  context: ServicesContext,
): Promise<{ readonly contentType: string; readonly body: string }> {
  metrics.streams.set(hub.streams);
  for (const [state, count] of Object.entries(await nodeCounts(context))) metrics.nodes.set({ state }, count);
  metrics.leases.reset();
  for (const { policy, budget, count } of await activeLeases(context.database))
    metrics.leases.set({ policy, budget }, count);
  metrics.reviews.reset();
  for (const { policy, kind, count } of await openReviews(context.database, context.now()))
    metrics.reviews.set({ policy, kind }, count);
  metrics.notices.reset();
  for (const { policy, state, count } of await noticeCounts(context.database))
    metrics.notices.set({ policy, state }, count);
  for (const [policy, release] of context.inForce()) metrics.sequence.set({ policy }, release.row.sequence);
  for (const { policy, budget, counts, limitMicros, chargedMicros, outstandingMicros } of await budgetInfos(
    context,
    '',
  )) {
    const labels = { policy, budget, unit: counts === '' ? 'micros' : counts };
    metrics.budgetLimit.set(labels, Number(limitMicros));
    metrics.budgetCharged.set(labels, Number(chargedMicros));
    metrics.budgetOutstanding.set(labels, Number(outstandingMicros));
  }
  return { contentType: metrics.registry.contentType, body: await metrics.registry.metrics() };
}

async function answers(database: Database): Promise<boolean> {
  try {
    await database.query('select 1 as one');
    return true;
  } catch {
    // Healthy means that it answers; why it does not is in the log of whoever needed it.
    return false;
  }
}

/** Calls under way may finish; what is still open after two seconds is cut. */
async function shutDown(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, STOP_MS_MAX);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
