/**
 * Puts a verified release in force without failing a request: the new filter is loaded and tried, clusters and routes
 * are added and acknowledged, the door takes the new filter for new exchanges, and what only the old policy needed goes
 * when its last exchange has ended. Where a step fails, Envoy gets back what it had, and the old policy stays.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { RouteConfigurationSchema } from '../../proto/gen/envoy/config/route/v3/route_pb.ts';
import type { RouteConfiguration } from '../../proto/gen/envoy/config/route/v3/route_pb.ts';
import type { Release } from '../../compiler/bundle/release.ts';
import type { VerifiedBundle } from '../../compiler/bundle/verify-bundle.ts';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { type RuleNotices, ruleNoticesOf } from '../../compiler/bundle/notice-terms.ts';
import type { FilterPort } from '../door/session-port.ts';
import { feedTermsOf } from '../../compiler/bundle/feed-terms.ts';
import { readDeploymentSettings } from './deployment-settings.ts';
import type { EnvoyDocument } from './envoy-document.ts';
import { readEnvoyDocument, versioned } from './envoy-document.ts';
import type { Feeds } from './feeds.ts';
import type { Governor, SidecarDoor } from './sidecar-door.ts';
import { SidecarError } from './sidecar-error.ts';
import type { LocalAds, Resources } from './xds/local-ads.ts';
import { EnvoyLate, EnvoyRefusal } from './xds/local-ads.ts';

export interface EnforcerOptions {
  readonly ads: LocalAds;
  readonly door: SidecarDoor;
  /** Compiles a filter. Throws when it cannot be used. */
  readonly loadFilter: (wasm: Uint8Array) => FilterPort | Promise<FilterPort>;
  /** Milliseconds that Envoy has to acknowledge each step. */
  readonly settleMs: number;
  readonly feeds: Pick<Feeds, 'adopt' | 'images' | 'terms'>;
  /** Told of each filter that was loaded. */
  readonly onFilter: (filter: FilterPort) => void;
  /** Told before the first exchange of a policy. */
  readonly onGovernor: (governor: Governor) => void;
  /** The same: whose rules tell somebody. */
  readonly onNotices: (notices: RuleNotices) => void;
}

/** How often it is looked whether the old policy's exchanges have ended. */
const DRAIN_POLL_MS = 250;
/** No exchange outlives its policy by more. */
const DRAIN_MS_MAX = 15 * 60 * 1000;

export class Enforcer {
  readonly #options: EnforcerOptions;
  #inForce: EnvoyDocument | undefined;
  #drain: NodeJS.Timeout | undefined;
  /** Until then it is not known that nothing needs what an older policy needed. */
  #keepUntil = Number.NEGATIVE_INFINITY;

  constructor(options: EnforcerOptions) {
    this.#options = options;
  }

  /** One call at a time. Throws SidecarError; the policy that was in force then still is. */
  async apply({ release, bundle }: { readonly release: Release; readonly bundle: VerifiedBundle }): Promise<void> {
    const settings = readDeploymentSettings(textOf(bundle, BUNDLE_PATHS.deployment));
    const wasm = fileOf(bundle, BUNDLE_PATHS.filterWasm);
    const { name, revision } = release;
    const document = readEnvoyDocument(textOf(bundle, BUNDLE_PATHS.envoy), { wasm, name, revision });
    const terms = feedTermsOf(bundle.files);
    const notices = ruleNoticesOf(bundle.files);
    const images = this.#options.feeds.images(terms);
    const governor: Governor = {
      revision: release.revision,
      sequence: release.sequence,
      door: document.door,
      filter: await this.#load(wasm, images),
      renew: () => this.#load(wasm, this.#options.feeds.images(terms)),
      settings,
    };
    clearInterval(this.#drain);
    await this.#introduce({ ...document, extension: document.extensionWith(images) });
    this.#options.feeds.adopt(terms);
    this.#options.onGovernor(governor);
    this.#options.onNotices(notices);
    this.#options.door.govern(governor);
    // What runs in Envoy is not counted here, and a connection that was open before a change of door keeps its filters.
    const before = this.#inForce;
    if (before !== undefined && (before.door === 'in_envoy' || before.door !== document.door))
      this.#keepUntil = performance.now() + DRAIN_MS_MAX;
    this.#inForce = document;
    this.#removeStale(document);
    // What was refused before may be good under this policy.
    this.tellFeeds();
  }

  /** Gives the policy in force what is known of its lists and switches now. Not while a release is applied. */
  tellFeeds(): void {
    const { ads, door, feeds } = this.#options;
    const images = feeds.images(feeds.terms);
    for (const image of images) door.governor?.filter.takeFeed(image);
    if (this.#inForce?.runsFilter !== true || images.length === 0) return;
    ads.set('extension', new Map([...ads.resources('extension'), ...this.#inForce.extensionWith(images)]));
  }

  stop(): void {
    clearInterval(this.#drain);
  }

  async #load(wasm: Uint8Array, feeds: readonly Uint8Array[]): Promise<FilterPort> {
    try {
      const filter = await this.#options.loadFilter(wasm);
      // A filter that cannot open one session would fail every request.
      filter.newSession({ evidence: { jwt: undefined, san: undefined }, nowMs: 0, nonce: 0n }).free();
      for (const image of feeds) filter.takeFeed(image);
      this.#options.onFilter(filter);
      return filter;
    } catch (cause) {
      throw new SidecarError('bad_filter', "the bundle's filter cannot be used", { cause });
    }
  }

  /** Adds what the new policy needs to what the old one has. Routes come after their clusters. */
  async #introduce(document: EnvoyDocument): Promise<void> {
    const { ads, settleMs } = this.#options;
    const before = {
      cluster: ads.resources('cluster'),
      listener: ads.resources('listener'),
      route: ads.resources('route'),
      extension: ads.resources('extension'),
    };
    try {
      ads.set('cluster', new Map([...before.cluster, ...document.cluster]));
      await ads.settled(settleMs);
      ads.set('route', joinRoutes(before.route, document.route));
      ads.set('listener', document.listener);
      // A connection that was open before may still have the other door's filters.
      ads.set('extension', new Map([...before.extension, ...document.extension]));
      await ads.settled(settleMs);
    } catch (cause) {
      ads.set('extension', before.extension);
      ads.set('listener', before.listener);
      ads.set('route', before.route);
      ads.set('cluster', before.cluster);
      if (cause instanceof EnvoyRefusal)
        throw new SidecarError('envoy_refused', `envoy refused the policy's resources: ${cause.message}`, { cause });
      if (cause instanceof EnvoyLate) throw new SidecarError('envoy_late', cause.message, { cause });
      throw cause;
    }
  }

  #removeStale(document: EnvoyDocument): void {
    const began = performance.now();
    this.#drain = setInterval(() => {
      if (this.#inForce !== document) return;
      const now = performance.now();
      const hasDrained = now >= this.#keepUntil && this.#options.door.hasDrained();
      if (!hasDrained && now - began < DRAIN_MS_MAX) return;
      clearInterval(this.#drain);
      const { ads, feeds } = this.#options;
      ads.set('extension', document.extensionWith(feeds.images(feeds.terms)));
      this.#options.ads.set('route', document.route);
      this.#options.ads.set('cluster', document.cluster);
    }, DRAIN_POLL_MS);
    this.#drain.unref();
  }
}

/**
 * The new routes, then those of the old ones whose names are not among them: exchanges of the old policy still find
 * theirs.
 */
function joinRoutes(before: Resources, after: Resources): Resources {
  return new Map(
    [...after].map(([name, resource]) => {
      const old = before.get(name);
      if (old === undefined) return [name, resource];
      const joined = fromBinary(RouteConfigurationSchema, resource.resource.value);
      addRoutes(joined, fromBinary(RouteConfigurationSchema, old.resource.value));
      return [name, versioned(RouteConfigurationSchema, joined)];
    }),
  );
}

function addRoutes(into: RouteConfiguration, from: RouteConfiguration): void {
  for (const host of into.virtualHosts) {
    const others = from.virtualHosts.find(({ name }) => name === host.name)?.routes ?? [];
    const missing = others.filter((route) => !host.routes.some(({ name }) => name === route.name));
    // The last route takes everything: it stays the last.
    host.routes.splice(host.routes.length - 1, 0, ...missing);
  }
}

function textOf(bundle: VerifiedBundle, path: string): string {
  return Buffer.from(fileOf(bundle, path)).toString('utf8');
}

function fileOf(bundle: VerifiedBundle, path: string): Uint8Array {
  const file = bundle.files.get(path);
  if (file === undefined)
    throw new SidecarError('bad_filter', `the bundle has no \`${path}\`: it was not built for a sidecar`);
  return file;
}
