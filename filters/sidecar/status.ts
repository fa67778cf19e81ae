/**
 * What a sidecar says of itself: to `writ status`, to its admin page and to the control plane. Names and numbers only.
 */
import type { Door } from '../../proto/door.ts';
import type { FeedReport } from './feeds.ts';
import type { Refusal, Releases } from './releases.ts';
import type { Newest } from './state-folder.ts';
import type { LocalAds } from './xds/local-ads.ts';

export interface SidecarStatus {
  readonly node: string;
  readonly policy: string;
  /** How the policy in force is asked; null while there is none. */
  readonly door: Door | null;
  readonly version: string;
  readonly startedAtMs: number;
  /** The newest release whose signatures held. */
  readonly verified: Newest | null;
  /**
   * The release that decides, and that every connected Envoy has acknowledged; null while there is none or no Envoy.
   */
  readonly enforcing: Newest | null;
  /** The last release refused since the start. */
  readonly refused: Refusal | null;
  readonly envoys: number;
  readonly controlPlane: 'none' | 'connected' | 'disconnected';
  readonly exchanges: number;
  readonly decisionsDropped: number;
  /** Lists and switches of the policy in force. */
  readonly feeds: readonly FeedReport[];
}

export interface StatusSources {
  readonly options: {
    readonly node: string;
    readonly policy: string;
    readonly version: string;
    readonly controlPlane?: object;
  };
  readonly releases: Pick<Releases, 'verified' | 'applied' | 'refused'>;
  readonly ads: Pick<LocalAds, 'connected' | 'isEnforced'>;
  readonly startedAtMs: number;
  readonly door: Door | null;
  readonly exchanges: number;
  readonly isConnected: boolean;
  readonly logDropped: number;
  readonly feeds: readonly FeedReport[];
}

export function sidecarStatus({
  options,
  releases,
  ads,
  startedAtMs,
  door,
  exchanges,
  isConnected,
  logDropped,
  feeds,
}: StatusSources): SidecarStatus {
  return {
    node: options.node,
    policy: options.policy,
    door,
    version: options.version,
    startedAtMs,
    verified: releases.verified.sequence === 0 ? null : releases.verified,
    enforcing: releases.applied !== undefined && ads.isEnforced ? releases.applied : null,
    refused: releases.refused ?? null,
    envoys: ads.connected,
    controlPlane: options.controlPlane === undefined ? 'none' : isConnected ? 'connected' : 'disconnected',
    exchanges,
    decisionsDropped: logDropped,
    feeds,
  };
}
