/**
 * The sidecar's end of the control plane's delta ADS: subscribes to its policy's `writ.v1.SignedBundle`, hands each
 * release to be verified and enforced, and answers with an ACK or, with the reason, a NACK. It comes back by itself,
 * later each time, never in step with the other sidecars. Also reports what this node runs. A boundary file: it touches
 * the network, through the channel it is given.
 */
import { create } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import type grpc from '@grpc/grpc-js';
import { AggregatedDiscoveryService } from '../../proto/gen/envoy/service/discovery/v3/ads_pb.ts';
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '../../proto/gen/envoy/service/discovery/v3/discovery_pb.ts';
import { DeltaDiscoveryRequestSchema } from '../../proto/gen/envoy/service/discovery/v3/discovery_pb.ts';
import type { SignedBundle } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { SignedBundleSchema } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { DataFeedSchema } from '../../proto/gen/writ/v1/feeds_pb.ts';
import type { NodeStatus } from '../../proto/gen/writ/v1/nodes_pb.ts';
import { Nodes } from '../../proto/gen/writ/v1/nodes_pb.ts';
import { DeploymentKey } from '../../proto/deployment-key.ts';
import { grpcMethod, unaryCall } from '../../proto/grpc-call.ts';
import { feedResource } from '../../compiler/bundle/feed.ts';
import type { Feeds } from './feeds.ts';
import { PASSING_CODES, SidecarError } from './sidecar-error.ts';

export interface ControlPlaneClientOptions {
  readonly client: grpc.Client;
  readonly nodeId: string;
  readonly policy: string;
  /** The version of the release that is kept, so that it is not sent again; undefined for none. */
  readonly keptVersion: () => string | undefined;
  /** Verifies and enforces. What it throws is the NACK's reason: its message must hold no content. */
  readonly onRelease: (release: SignedBundle) => Promise<void>;
  /** Lists and switches: what the policy in force reads, and what is made of what comes. */
  readonly feeds: Pick<Feeds, 'resources' | 'versions' | 'offer' | 'missing'>;
  /** Some of them changed. */
  readonly onFeeds: () => void;
  readonly status: () => NodeStatus;
  /** The key of the policy's pseudonyms, with each answer to a report; undefined where there is none. */
  readonly onPolicyKey: (key: DeploymentKey | undefined) => void;
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
}

const TYPE_URL = 'type.googleapis.com/writ.v1.SignedBundle';
const FEED_TYPE_URL = 'type.googleapis.com/writ.v1.DataFeed';
const RETRY_MS_FIRST = 250;
const RETRY_MS_MAX = 15_000;
/** How long a channel is waited for before the stream itself fails. */
const READY_MS_MAX = 20_000;
const REPORT_MS = 20_000;
const REPORT_TIMEOUT_MS = 5_000;
/** gRPC's INVALID_ARGUMENT: what a NACK says. */
const INVALID_ARGUMENT = 3;
const MESSAGE_CHARACTERS_MAX = 500;

type Stream = grpc.ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;

export class ControlPlaneClient {
  readonly #options: ControlPlaneClientOptions;
  #stream: Stream | undefined;
  #isConnected = false;
  #isStopped = false;
  #retryMs = RETRY_MS_FIRST;
  /** Feeds that this stream has asked for; undefined: none yet. */
  #feedsAsked: readonly string[] | undefined;
  #retry: NodeJS.Timeout | undefined;
  #reports: NodeJS.Timeout | undefined;
  /** Releases are handled one after another. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: ControlPlaneClientOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  start(): void {
    this.#connect();
    this.#reports = setInterval(() => this.report(), REPORT_MS);
    this.#reports.unref();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    clearInterval(this.#reports);
    this.#stream?.cancel();
    await this.#work;
  }

  /** Asks for the lists and switches of the policy in force, and no longer for others. */
  subscribeFeeds(): void {
    const { feeds } = this.#options;
    const wanted = feeds.resources;
    const asked = this.#feedsAsked;
    // A first request that names nothing would ask for everything.
    if (this.#stream === undefined || (asked === undefined && wanted.length === 0)) return;
    const subscribe = wanted.filter((name) => asked?.includes(name) !== true);
    const unsubscribe = asked?.filter((name) => !wanted.includes(name)) ?? [];
    if (subscribe.length === 0 && unsubscribe.length === 0) return;
    this.#feedsAsked = wanted;
    this.#stream.write(
      create(DeltaDiscoveryRequestSchema, {
        typeUrl: FEED_TYPE_URL,
        resourceNamesSubscribe: subscribe,
        resourceNamesUnsubscribe: unsubscribe,
        initialResourceVersions: asked === undefined ? feeds.versions : {},
      }),
    );
  }

  /** Tells what this node runs. The next report repeats what one that is lost said. */
  report(): void {
    if (this.#isStopped) return;
    unaryCall(this.#options.client, Nodes.method.report, this.#options.status(), {
      timeoutMs: REPORT_TIMEOUT_MS,
    }).then(
      ({ policyKey }) => this.#options.onPolicyKey(DeploymentKey.of(policyKey)),
      () => undefined,
    );
  }

  #connect(): void {
    const { path, requestSerialize, responseDeserialize } = grpcMethod(
      AggregatedDiscoveryService.method.deltaAggregatedResources,
    );
    const stream: Stream = this.#options.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#stream = stream;
    const began = performance.now();
    // A server that has nothing new says nothing: that the channel stands is all there is to see.
    this.#options.client.waitForReady(Date.now() + READY_MS_MAX, (error) => {
      if (error === undefined && this.#stream === stream) this.#connected();
    });
    stream.on('data', (response: DeltaDiscoveryResponse) => {
      this.#retryMs = RETRY_MS_FIRST;
      this.#work = this.#work.then(() => this.#receive(stream, response));
    });
    // `error` comes with every end that is not OK; `end` alone with an OK one.
    stream.on('error', () => this.#lost(stream, began));
    stream.on('end', () => this.#lost(stream, began));
    const { nodeId, policy, keptVersion } = this.#options;
    const version = keptVersion();
    stream.write(
      create(DeltaDiscoveryRequestSchema, {
        node: { id: nodeId, cluster: policy },
        typeUrl: TYPE_URL,
        resourceNamesSubscribe: [policy],
        initialResourceVersions: version === undefined ? {} : { [policy]: version },
      }),
    );
    this.#feedsAsked = undefined;
    this.subscribeFeeds();
  }

  #connected(): void {
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.report();
  }

  #lost(stream: Stream, began: number): void {
    if (this.#stream !== stream) return;
    if (performance.now() - began > RETRY_MS_MAX) this.#retryMs = RETRY_MS_FIRST;
    this.#stream = undefined;
    this.#isConnected = false;
    if (this.#isStopped) return;
    // Half of it by chance: a fleet that lost one control plane does not come back as one.
    const ms = this.#retryMs * (0.5 + this.#options.random() / 2);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
    this.#retry = setTimeout(() => this.#connect(), ms);
  }

  async #receive(stream: Stream, response: DeltaDiscoveryResponse): Promise<void> {
    const reason = await this.#handle(response);
    if (reason === 'again') {
      // No fault of the release: a NACK would keep it from this node for good. A new stream asks for it again.
      stream.cancel();
    } else if (this.#stream === stream) {
      const answer = { typeUrl: response.typeUrl, responseNonce: response.nonce };
      stream.write(
        create(
          DeltaDiscoveryRequestSchema,
          reason === undefined
            ? answer
            : { ...answer, errorDetail: { code: INVALID_ARGUMENT, message: reason.slice(0, MESSAGE_CHARACTERS_MAX) } },
        ),
      );
    }
    this.report();
  }

  /**
   * Why the response is refused; `again` when it may do later; undefined when all of it is in force. A removal is no
   * reason to stop enforcing: what is in force stays.
   */
  async #handle(response: DeltaDiscoveryResponse): Promise<string | undefined> {
    if (response.typeUrl === FEED_TYPE_URL) return this.#takeFeeds(response);
    if (response.typeUrl !== TYPE_URL) return `\`${TYPE_URL}\` is all that was asked for`;
    for (const { resource, name } of response.resources) {
      const release = unpacked(resource, SignedBundleSchema);
      if (release === undefined || name !== this.#options.policy)
        return 'this is not a release of the policy that was asked for';
      try {
        await this.#options.onRelease(release);
      } catch (error) {
        if (error instanceof SidecarError && PASSING_CODES.includes(error.code)) return 'again';
        return error instanceof Error
          ? `${'code' in error ? `${String(error.code)}: ` : ''}${error.message}`
          : 'the release cannot be used';
      }
    }
    this.subscribeFeeds();
    return undefined;
  }

  /**
   * What cannot be used is no NACK: the control plane would never send it again, and the next bundle may name its
   * signer. The status says what was refused, and why.
   */
  #takeFeeds({ resources, removedResources }: DeltaDiscoveryResponse): string | undefined {
    const { feeds, onFeeds } = this.#options;
    for (const { resource, name } of resources) {
      const feed = unpacked(resource, DataFeedSchema);
      if (feed === undefined || name !== feedResource(feed)) return 'this is not the list or switch that was asked for';
      feeds.offer(feed);
    }
    for (const name of removedResources) feeds.missing(name);
    onFeeds();
    return undefined;
  }
}

/** Undefined where it is no such message. */
function unpacked<T extends DescMessage>(resource: Any | undefined, schema: T): MessageShape<T> | undefined {
  if (resource === undefined) return undefined;
  try {
    return anyUnpack(resource, schema);
  } catch {
    // Bytes that are no message, from whoever sent them: refused like any other, with no word of what they hold.
    return undefined;
  }
}
