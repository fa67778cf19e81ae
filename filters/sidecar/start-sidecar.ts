/**
 * The sidecar: beside one Envoy, it enforces one policy. It verifies releases, keeps the last good one, gives Envoy its
 * resources and decides Envoy's exchanges. It starts without the control plane and without a policy (then everything is
 * denied), and it never stops enforcing because someone cannot be reached.
 */
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import type grpc from '@grpc/grpc-js';
import type { VerificationKey } from '../../compiler/bundle/jws.ts';
import type { SignedBundle } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { NodeStatusSchema } from '../../proto/gen/writ/v1/nodes_pb.ts';
import { Firings as FiringsService } from '../../proto/gen/writ/v1/notices_pb.ts';
import { unaryCall } from '../../proto/grpc-call.ts';
import type { DeploymentKey } from '../../proto/deployment-key.ts';
import { createGrpcServer, listen } from '../door/grpc-server.ts';
import type { ProcessorServer } from '../door/processor-server.ts';
import { startProcessorServer } from '../door/processor-server.ts';
import type { FilterPort } from '../door/session-port.ts';
import { addAccessLogService } from './access-log-service.ts';
import { startAdminServer } from './admin-server.ts';
import type { BudgetAccounts } from './budgets/budget-accounts.ts';
import type { EnvoyGrants } from './budgets/envoy-grants.ts';
import { addFilterBudgetsService } from './budgets/filter-budgets-service.ts';
import { grpcLeaseCaller } from './budgets/grpc-lease-caller.ts';
import { openBudgetAccounts, openEnvoyGrants } from './budgets/open-budget-accounts.ts';
import { openChannel } from './control-plane-channel.ts';
import type { ControlPlaneAddress } from './control-plane-channel.ts';
import { ControlPlaneClient } from './control-plane-client.ts';
import { DecisionLog } from './decision-log.ts';
import { Enforcer } from './enforcer.ts';
import { addFilterKeysService } from './filter-keys-service.ts';
import { Firings } from './firings.ts';
import { envoyBootstrap } from './envoy-bootstrap.ts';
import type { EnvoyProcess } from './envoy-process.ts';
import { startEnvoyProcess } from './envoy-process.ts';
import { addFeedMetrics } from './feed-metrics.ts';
import { Feeds } from './feeds.ts';
import { createMetrics } from './metrics.ts';
import { PolicyKey } from './policy-key.ts';
import { Releases } from './releases.ts';
import { keepsOf } from './keeps/keeps.ts';
import { type RecordKeeper, recordKeeper } from './keeps/record-keeper.ts';
import { RecordSpool } from './keeps/record-spool.ts';
import { addFilterKeepsService } from './keeps/filter-keeps-service.ts';
import { type SampleSender, sampleSender } from './keeps/sample-sender.ts';
import { addFilterReviewsService } from './reviews/filter-reviews-service.ts';
import { reviewQueue } from './reviews/review-queue.ts';
import { SidecarDoor } from './sidecar-door.ts';
import { openStateFolder } from './state-folder.ts';
import type { StateFolder } from './state-folder.ts';
import { sidecarStatus } from './status.ts';
import type { SidecarStatus } from './status.ts';
import { LocalAds } from './xds/local-ads.ts';

export interface SidecarOptions {
  /**
   * Kept between starts; made, for this user alone, if it is not there. Its path must leave room for a socket's name:
   * at most about 90 characters.
   */
  readonly stateFolder: string;
  readonly node: string;
  /** The policy set. */
  readonly policy: string;
  /** All bundle keys that are trusted. */
  readonly keys: readonly VerificationKey[];
  readonly loadFilter: (wasm: Uint8Array) => FilterPort | Promise<FilterPort>;
  readonly controlPlane?: ControlPlaneAddress;
  /** Of what pseudonyms are made, in place of the control plane's. */
  readonly policyKey?: DeploymentKey;
  /** Loopback port of the admin pages; 0: one that the system chooses. */
  readonly adminPort: number;
  /** Envoy is started and kept running by the sidecar when given. */
  readonly envoy?: { readonly binary: string; readonly concurrency: number };
  readonly version: string;
  /** One line for an operator, without any traffic in it. */
  readonly alarm: (message: string) => void;
}

export interface Sidecar {
  readonly adminPort: number;
  /** What an Envoy that the sidecar does not start must be started with. */
  readonly bootstrap: object;
  /**
   * Verifies a release and puts it in force, as if the control plane had sent it. Throws BundleError and SidecarError.
   */
  offer(release: SignedBundle): Promise<void>;
  status(): SidecarStatus;
  /** Lets exchanges in flight end, returns leases, and stops. May be called again. */
  stop(): Promise<void>;
}

/** The largest request or reply that a deployment may allow (16 MiB), and what a message has beside it. */
const EXCHANGE_MESSAGE_BYTES_MAX = 17 * 1024 * 1024;
const SETTLE_MS = 15_000;
const DRAIN_MS_MAX = 10_000;
/** Envoy calls every two seconds, or sooner, and closes in the call after. */
const GRANTS_RETURN_MS_MAX = 4_000;
const LEASES_RETURN_MS = 2_000;
const SAMPLES_SEND_MS = 1_000;
const FIRINGS_CALL_MS = 2_000;
const DRAIN_POLL_MS = 50;
/** How often it is looked whether a list will soon be too old. */
const FEED_WARNINGS_MS = 5_000;

/**
 * Throws SidecarError, DoorError and JournalError where it cannot run at all. A release that cannot be used is not such
 * a case: see `status`.
 */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const state = openStateFolder(options.stateFolder);
  try {
    return await startIn(state, options);
  } catch (error) {
    state.close();
    throw error;
  }
}

async function startIn(state: StateFolder, options: SidecarOptions): Promise<Sidecar> {
  const { stateFolder, node, policy, envoy } = options;
  let alarms = 0;
  const alarm = (message: string): void => {
    alarms++;
    options.alarm(message);
  };
  const startedAtMs = Date.now();
  const channel = options.controlPlane === undefined ? undefined : openChannel(options.controlPlane);
  const budgets =
    channel === undefined
      ? undefined
      : openBudgetAccounts({
          folder: join(stateFolder, 'budgets'),
          policy,
          caller: grpcLeaseCaller(channel, policy),
          alarm,
        });
  const log = new DecisionLog({ path: join(stateFolder, 'decisions.log'), node, policy, now: () => new Date(), alarm });

  const samples = sampleSender(channel, policy);
  const records = recordKeeper(channel, policy, new RecordSpool({ folder: join(stateFolder, 'records') }), alarm);
  const keeps = keepsOf(samples, records);

  // Made first, filled by what comes after: the two know of each other only through these.
  const late: { releases?: Releases; client?: ControlPlaneClient } = {};
  const ads = new LocalAds(
    (message) => late.releases?.refusedByEnvoy(message),
    () => late.client?.report(),
  );
  const firings = new Firings({
    collect: () => metrics.collect(),
    tell: async ({ incarnation, firings: totals }) => {
      if (channel !== undefined)
        await unaryCall(
          channel,
          FiringsService.method.enter,
          { policy, incarnation, firings: [...totals] },
          { timeoutMs: FIRINGS_CALL_MS },
        );
    },
    later: (action, ms) => {
      const timer = setTimeout(action, ms);
      timer.unref();
      return () => clearTimeout(timer);
    },
  });
  const metrics = createMetrics(
    {
      exchanges: () => door.exchanges,
      filterBytes: () => door.governor?.filter.memoryBytes() ?? 0,
      pseudonyms: () => ({
        hasKey: policyKey.current !== undefined,
        masked: door.governor?.filter.keyed?.masked() ?? 0,
      }),
      sequence: () => ({ verified: releases.verified.sequence, enforcing: status().enforcing?.sequence ?? 0 }),
      logDropped: () => log.dropped,
      samples,
      records,
      grants: () => grants?.outstanding() ?? new Map(),
      alarms: () => alarms,
      budgets,
      connected: () => ({ envoy: ads.connected, controlPlane: late.client?.isConnected === true ? 1 : 0 }),
    },
    (summary, times) => firings.add(summary, times),
  );
  addFeedMetrics(metrics.registry, () => feeds.report(), Date.now);
  const grants =
    budgets === undefined
      ? undefined
      : openEnvoyGrants({ accounts: budgets, alarm, onMove: (...move) => metrics.grantMoved(...move) });
  const reviews = reviewQueue(channel, policy);
  const door: SidecarDoor = new SidecarDoor({ budgets, reviews, keeps, log, metrics, now: () => Date.now(), alarm });
  const feeds = new Feeds({ policy, state, now: () => Date.now(), alarm });
  const policyKey = new PolicyKey(state, options.policyKey);
  const enforcer = new Enforcer({
    ads,
    feeds,
    door,
    onFilter: (filter) => policyKey.giveTo(filter),
    loadFilter: options.loadFilter,
    settleMs: SETTLE_MS,
    onGovernor: (governor) => budgets?.track(governor.filter.budgets),
    onNotices: (notices) => firings.watch(notices.keys()),
  });
  const releases = new Releases({ policy, keys: options.keys, state, enforcer, onChange: () => late.client?.report() });
  late.releases = releases;
  const status = (): SidecarStatus =>
    sidecarStatus({
      options,
      releases,
      ads,
      startedAtMs,
      door: door.governor?.door ?? null,
      exchanges: door.exchanges,
      isConnected: late.client?.isConnected ?? false,
      logDropped: log.dropped,
      feeds: feeds.report(),
    });

  const warnings = setInterval(() => feeds.warn(), FEED_WARNINGS_MS);
  warnings.unref();
  await releases.resume();
  const server = createGrpcServer({ messageBytesMax: EXCHANGE_MESSAGE_BYTES_MAX });
  ads.addTo(server);
  addFilterBudgetsService(server, grants);
  addFilterReviewsService(server, reviews);
  addFilterKeysService(server, () => policyKey.current);
  addFilterKeepsService(server, keeps);
  addAccessLogService(server, { log, metrics });
  const socketPath = join(stateFolder, 'envoy', 'sidecar.sock');
  await listen(server, socketPath);
  const processorPath = join(stateFolder, 'envoy', 'processor.sock');
  const processor = await startProcessorServer(door, {
    socketPath: processorPath,
    messageBytesMax: EXCHANGE_MESSAGE_BYTES_MAX,
  });
  const admin = await startAdminServer(
    { metrics: () => metrics.registry.metrics(), isHealthy: () => door.governor !== undefined, status },
    { port: options.adminPort, socketPath: join(stateFolder, 'admin.sock') },
  );
  const adminSocket = join(stateFolder, 'envoy', 'admin.sock');
  const bootstrap = envoyBootstrap({
    socketPath,
    processorPath,
    nodeId: node,
    policy,
    admin: { kind: 'socket', path: adminSocket },
  });
  const envoyProcess =
    envoy === undefined
      ? undefined
      : startEnvoyProcess({
          ...envoy,
          bootstrap,
          adminSocket,
          folder: join(stateFolder, 'envoy'),
          onExit: (code) => alarm(`envoy ended (${code ?? 'by a signal'}) and is started again`),
        });
  if (channel !== undefined) {
    late.client = new ControlPlaneClient({
      client: channel,
      nodeId: node,
      policy,
      keptVersion: () => releases.version,
      onRelease: (release) => releases.offer(release),
      feeds,
      onFeeds: () => void releases.between(() => enforcer.tellFeeds()),
      status: () => create(NodeStatusSchema, nodeStatus(status())),
      onPolicyKey: (key) => policyKey.take(key),
      random: Math.random,
    });
    late.client.start();
  }
  let stopping: Promise<void> | undefined;
  return {
    adminPort: admin.port,
    bootstrap,
    offer: (release) => releases.offer(release),
    status,
    stop: () =>
      (stopping ??= stopAll({
        client: late.client,
        channel,
        ads,
        enforcer,
        envoyProcess,
        door,
        server,
        processor,
        admin,
        budgets,
        grants,
        samples,
        records,
        firings,
        log,
        state,
        warnings,
      })),
  };
}

function nodeStatus(status: SidecarStatus) {
  const revision = (at: SidecarStatus['verified']) =>
    at === null ? {} : { revision: at.revision, sequence: BigInt(at.sequence) };
  return {
    policy: status.policy,
    door: status.door ?? '',
    ...(status.verified === null ? {} : { verified: revision(status.verified) }),
    ...(status.enforcing === null ? {} : { enforcing: revision(status.enforcing) }),
    ...(status.refused === null ? {} : { refused: { ...status.refused, sequence: BigInt(status.refused.sequence) } }),
    startedAtMs: BigInt(status.startedAtMs),
    version: status.version,
    feeds: status.feeds.map(({ kind, name, sequence, issuedAt, state, refused, maxAgeMs }) => ({
      kind,
      name,
      sequence: BigInt(sequence),
      issuedAtMs: BigInt(issuedAt ?? 0),
      state,
      refused: refused ?? '',
      maxAgeMs: BigInt(maxAgeMs ?? 0),
    })),
  };
}

interface Running {
  readonly client: ControlPlaneClient | undefined;
  readonly channel: grpc.Client | undefined;
  readonly ads: LocalAds;
  readonly enforcer: Enforcer;
  readonly envoyProcess: EnvoyProcess | undefined;
  readonly door: SidecarDoor;
  readonly server: grpc.Server;
  readonly processor: ProcessorServer;
  readonly admin: { stop(): Promise<void> };
  readonly budgets: BudgetAccounts | undefined;
  readonly grants: EnvoyGrants | undefined;
  readonly samples: SampleSender;
  readonly records: RecordKeeper;
  readonly firings: Firings;
  readonly log: DecisionLog;
  readonly state: StateFolder;
  readonly warnings: NodeJS.Timeout;
}

/** From the outside in: no new release, no new exchange, then what is open ends, then the money is returned. */
async function stopAll({
  client,
  channel,
  ads,
  enforcer,
  envoyProcess,
  door,
  server,
  processor,
  admin,
  budgets,
  grants,
  samples,
  records,
  firings,
  log,
  state,
  warnings,
}: Running): Promise<void> {
  clearInterval(warnings);
  await client?.stop();
  enforcer.stop();
  await envoyProcess?.drain();
  const deadline = performance.now() + DRAIN_MS_MAX;
  // Twice without one: a request that Envoy has just accepted is not an exchange yet.
  for (let quiet = 0; quiet < 2 && performance.now() < deadline; quiet = door.exchanges > 0 ? 0 : quiet + 1)
    await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
  if (grants !== undefined) await takeBack(grants, ads);
  await envoyProcess?.stop(DRAIN_MS_MAX);
  await processor.stop();
  server.forceShutdown();
  grants?.stop();
  await budgets?.stop(LEASES_RETURN_MS);
  await Promise.all([samples.stop(SAMPLES_SEND_MS), records.stop(SAMPLES_SEND_MS), firings.stop()]);
  channel?.close();
  await log.close();
  await admin.stop();
  state.close();
}

/** An Envoy that is there closes its grants; what nobody closes is charged in full when the leases are returned. */
async function takeBack(grants: EnvoyGrants, ads: LocalAds): Promise<void> {
  grants.retire();
  const deadline = performance.now() + GRANTS_RETURN_MS_MAX;
  while (ads.connected > 0 && grants.outstanding().size > 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
}
