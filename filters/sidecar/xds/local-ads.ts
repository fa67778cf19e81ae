/**
 * The delta ADS that the sidecar serves to its Envoy: one policy's resources, and when they have arrived. It serves
 * whatever it is given: only `enforcer.ts` gives it anything, and only from a verified bundle.
 */
import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import grpc from '@grpc/grpc-js';
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '../../../proto/gen/envoy/service/discovery/v3/discovery_pb.ts';
import { DeltaDiscoveryResponseSchema } from '../../../proto/gen/envoy/service/discovery/v3/discovery_pb.ts';
import { AggregatedDiscoveryService } from '../../../proto/gen/envoy/service/discovery/v3/ads_pb.ts';
import { grpcService } from '../../../proto/grpc-call.ts';
import type { VersionedResource } from './delta-subscription.ts';
import { DeltaSubscription } from './delta-subscription.ts';

export interface LocalResource extends VersionedResource {
  readonly resource: Any;
}

export type ResourceKind = 'cluster' | 'listener' | 'route' | 'extension';
export type Resources = ReadonlyMap<string, LocalResource>;

export const TYPE_URLS: { readonly [K in ResourceKind]: string } = {
  cluster: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  listener: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  route: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  extension: 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig',
};
/** The order of xDS: what is referred to comes before what refers. */
const ORDER: readonly ResourceKind[] = ['cluster', 'listener', 'route', 'extension'];
/** Envoys of one sidecar, those that are going included. */
const STREAMS_MAX = 64;

type Call = grpc.ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;

interface Stream {
  readonly call: Call;
  readonly subscriptions: Map<ResourceKind, DeltaSubscription<LocalResource>>;
}

export class EnvoyRefusal extends Error {}
/** Envoy is there and has not answered: it may yet. */
export class EnvoyLate extends Error {}

export class LocalAds {
  readonly #streams = new Set<Stream>();
  readonly #resources = new Map<ResourceKind, Resources>(ORDER.map((kind) => [kind, new Map()]));
  readonly #waiters = new Set<{ check(): boolean; refuse(error: EnvoyRefusal | EnvoyLate): void }>();

  /** Told of every refusal, awaited or not. */
  readonly #onRefusal: (message: string) => void;
  /** Told when `isEnforced` becomes another. */
  readonly #onEnforced: () => void;
  #wasEnforced = false;

  constructor(onRefusal: (message: string) => void, onEnforced: () => void = () => undefined) {
    this.#onRefusal = onRefusal;
    this.#onEnforced = onEnforced;
  }

  addTo(server: grpc.Server): void {
    server.addService(grpcService(AggregatedDiscoveryService), {
      deltaAggregatedResources: (call: Call) => this.#serve(call),
    });
  }

  get connected(): number {
    return this.#streams.size;
  }

  /** Some Envoy is there, and all have acknowledged what is served now. */
  get isEnforced(): boolean {
    return this.#streams.size > 0 && [...this.#streams].every((stream) => this.#isSettled(stream));
  }

  resources(kind: ResourceKind): Resources {
    return this.#resources.get(kind) ?? new Map();
  }

  /** Serves these from now on, to every Envoy that is there or comes. */
  set(kind: ResourceKind, resources: Resources): void {
    this.#resources.set(kind, resources);
    for (const stream of this.#streams) this.#push(stream);
  }

  /**
   * Resolves when every connected Envoy has acknowledged what is served now; at once when none is there. Rejects with
   * EnvoyRefusal when one refuses, with EnvoyLate after `ms`.
   */
  settled(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = {
        check: () => {
          if (![...this.#streams].every((stream) => this.#isSettled(stream))) return false;
          over();
          resolve();
          return true;
        },
        refuse: (error: EnvoyRefusal | EnvoyLate) => {
          over();
          reject(error);
        },
      };
      const timer = setTimeout(() => waiter.refuse(new EnvoyLate(`envoy did not answer within ${ms} ms`)), ms);
      const over = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      this.#waiters.add(waiter);
      waiter.check();
    });
  }

  #isSettled({ subscriptions }: Stream): boolean {
    return [...subscriptions].every(([kind, subscription]) => subscription.isSettled(this.resources(kind)));
  }

  #serve(call: Call): void {
    if (this.#streams.size === STREAMS_MAX) {
      call.emit('error', { code: grpc.status.RESOURCE_EXHAUSTED, details: 'too many streams' });
      return;
    }
    const stream: Stream = { call, subscriptions: new Map() };
    this.#streams.add(stream);
    const over = (): void => {
      if (!this.#streams.delete(stream)) return;
      this.#changed();
    };
    call.on('data', (request: DeltaDiscoveryRequest) => this.#receive(stream, request));
    call.on('end', () => {
      over();
      call.end();
    });
    call.on('cancelled', over);
    call.on('error', over);
    call.on('close', over);
  }

  #receive(stream: Stream, request: DeltaDiscoveryRequest): void {
    const kind = ORDER.find((candidate) => TYPE_URLS[candidate] === request.typeUrl);
    // A type that we do not serve is never answered: Envoy asks for it only if a resource of ours told it to.
    if (kind === undefined) return;
    const subscription = stream.subscriptions.get(kind) ?? new DeltaSubscription<LocalResource>();
    stream.subscriptions.set(kind, subscription);
    const answer = subscription.receive({
      subscribe: request.resourceNamesSubscribe,
      unsubscribe: request.resourceNamesUnsubscribe,
      initialVersions: request.initialResourceVersions,
      nonce: request.responseNonce,
      error: request.errorDetail?.message,
    });
    if (answer.kind === 'nack') {
      this.#onRefusal(answer.message);
      for (const waiter of [...this.#waiters]) waiter.refuse(new EnvoyRefusal(answer.message));
    }
    this.#push(stream);
    this.#changed();
  }

  #changed(): void {
    for (const waiter of [...this.#waiters]) waiter.check();
    if (this.isEnforced === this.#wasEnforced) return;
    this.#wasEnforced = this.isEnforced;
    this.#onEnforced();
  }

  #push({ call, subscriptions }: Stream): void {
    for (const kind of ORDER) {
      const response = subscriptions.get(kind)?.next(this.resources(kind));
      if (response === undefined) continue;
      call.write(
        create(DeltaDiscoveryResponseSchema, {
          typeUrl: TYPE_URLS[kind],
          nonce: response.nonce,
          resources: response.resources.map(({ name, version, resource }) => ({ name, version, resource })),
          removedResources: [...response.removed],
        }),
      );
    }
  }
}
