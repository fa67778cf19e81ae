/**
 * Where a policy runs: addresses of models and stores, who vouches for callers, and limits. It is the part of a build
 * that differs between environments and says nothing about what is allowed. It holds no secret: a credential for an
 * upstream is named by the environment variable of Envoy's process that has it, an API key is known by its SHA-256
 * alone.
 */

import type { Plan } from '../plan/plan.ts';

/** What a deployment is checked against: the policy's models and stores, by name. Every plan is one. */
export interface Places {
  readonly models: readonly { readonly name: string }[];
  readonly stores: readonly { readonly name: string }[];
  /** Only whether something goes out is asked. */
  readonly events?: Plan['events'];
  /** With `switches`: what comes by feeds; absent where nothing does. */
  readonly lists?: readonly { readonly name: string; readonly feed: string }[];
  readonly switches?: readonly { readonly name: string; readonly by: string }[];
}

export interface Deployment {
  readonly listener: ListenerAddress;
  /** Where services open their connections to the outside; the policy then has rules on egress. */
  readonly egress?: OutboundListener;
  /** By the model's name in the policy; every model of the plan is there. */
  readonly models: { readonly [name: string]: Upstream };
  /** By the store's name in the policy; every store of the plan is there. */
  readonly stores: { readonly [name: string]: Upstream };
  readonly identity: Identity;
  /** Who may sign what comes beside the bundle, by name; `switch … by` names one. */
  readonly signers: { readonly [name: string]: Signer };
  readonly limits: Limits;
}

export interface Signer {
  /** More than one while a key is replaced. */
  readonly keys: readonly { readonly kid: string; readonly publicKeyPem: string }[];
  /** Feeds of lists that it may sign. */
  readonly lists: readonly string[];
}

export interface ListenerAddress {
  readonly address: string;
  readonly port: number;
  /**
   * Paths on the machine that runs Envoy. With `clientCa`, a client that shows a certificate must show one of that
   * authority; `identity.sans` says whom it names.
   */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientCa?: string };
}

export interface OutboundListener {
  readonly address: string;
  readonly port: number;
  /** The port that is connected to, at whichever host. */
  readonly upstreamPort: number;
}

export interface Upstream {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** Put before every request's path; no slash at its end, empty for none. */
  readonly pathPrefix: string;
  readonly http: 'http1' | 'http2';
  readonly credential: Credential;
  /** A file of PEM certificates on the machine that runs Envoy, for https. */
  readonly ca: string;
}

/** What the upstream is sent in place of the caller's own credentials. */
export type Credential =
  | { readonly kind: 'none' }
  /** The caller's own headers go on: for an upstream that is to judge them itself. */
  | { readonly kind: 'forward' }
  | { readonly kind: 'environment'; readonly variable: string; readonly header: string; readonly prefix: string };

export interface Identity {
  readonly jwt: readonly JwtIssuer[];
  readonly apiKeys: readonly { readonly sha256: string; readonly claims: Claims }[];
  readonly sans: readonly { readonly san: string; readonly claims: Claims }[];
}

export interface JwtIssuer {
  readonly issuer: string;
  /** Empty: any audience. */
  readonly audiences: readonly string[];
  readonly jwks: { readonly kind: 'inline'; readonly text: string } | { readonly kind: 'file'; readonly path: string };
}

export type Claims = { readonly [claim: string]: ClaimValue };
export type ClaimValue = string | number | boolean | readonly string[];

export interface Limits {
  /** A request's body above it is answered with 413. */
  readonly requestBytes: number;
  /** A reply that must be held whole is refused above it. */
  readonly replyBytes: number;
  /** All of a request's headers together. */
  readonly headerKibibytes: number;
  /** Exchanges that the sidecar governs at one time; more are answered with 503. */
  readonly exchanges: number;
  /** How long a stream may stand still. */
  readonly idleSeconds: number;
  /** How long an upstream may take to accept a connection. */
  readonly connectSeconds: number;
}

/** A limit's default, its least and its most. */
export const LIMIT_RANGES: {
  readonly [K in keyof Limits]: { readonly usual: number; readonly least: number; readonly most: number };
} = {
  // The kernel itself reads no larger body (`BODY_BYTES_MAX` in filters/kernel/session/request-phase.ts).
  requestBytes: { usual: 16 * 1024 * 1024, least: 1024, most: 16 * 1024 * 1024 },
  replyBytes: { usual: 16 * 1024 * 1024, least: 1024, most: 16 * 1024 * 1024 },
  headerKibibytes: { usual: 60, least: 8, most: 512 },
  exchanges: { usual: 1024, least: 1, most: 16_384 },
  idleSeconds: { usual: 300, least: 1, most: 3600 },
  connectSeconds: { usual: 5, least: 1, most: 60 },
};

export const DEPLOYMENT_BYTES_MAX = 4 * 1024 * 1024;
export const IDENTITIES_MAX = 10_000;
export const ISSUERS_MAX = 16;
export const SIGNER_KEYS_MAX = 8;
/** Where Debian, Ubuntu, Alpine and their container images keep the public authorities. */
export const SYSTEM_CA = '/etc/ssl/certs/ca-certificates.crt';
