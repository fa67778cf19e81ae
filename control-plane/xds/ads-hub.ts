// All open ADS streams: a new snapshot reaches each of them soon, and what a node refused is remembered for it. It
// knows streams only as something that takes responses.
import type { DeltaRequest, DeltaResponse, Nack } from './delta-session.ts';
import { DeltaSession } from './delta-session.ts';
import type { Snapshot } from './snapshot.ts';

export interface AdsHubOptions {
  /** In force from the start: a client that comes back must not be told that everything is gone. */
  readonly snapshot: Snapshot;
  readonly onNack: (node: string, nack: Nack) => void;
  readonly onAck: (node: string, typeUrl: string) => void;
  readonly later: (action: () => void, ms: number) => () => void;
}

/** The other end of a stream. */
export interface AdsPeer {
  readonly node: string;
  send(response: DeltaResponse): void;
  /** Ends the stream: the client comes back with what it has. */
  close(reason: string): void;
}

export interface AdsStream {
  /** Throws XdsError. */
  receive(request: DeltaRequest): void;
  end(): void;
}

/** A change waits this long for further ones, and at most so long in all. */
export const DEBOUNCE_MS = 20;
export const DEBOUNCE_MS_MAX = 200;
/** A response must be acknowledged or refused within this time. */
export const ACK_MS_MAX = 30_000;
/** Refusals that are kept of one node; the oldest are forgotten. */
export const QUARANTINE_MAX = 1_000;
/** Streams that a new snapshot is written to in one turn. */
export const SERVED_AT_ONCE = 64;
/** Streams at once. */
export const STREAMS_MAX = 10_000;

interface OpenStream {
  readonly peer: AdsPeer;
  readonly session: DeltaSession;
  cancelDeadline: (() => void) | undefined;
}

export class AdsHub {
  readonly #options: AdsHubOptions;
  readonly #streams = new Set<OpenStream>();
  /** Streams of each node: of a node that comes back, the old one may still be there. */
  readonly #connected = new Map<string, number>();
  /** By node: what it refused, oldest first. */
  readonly #quarantine = new Map<string, Set<string>>();
  #snapshot: Snapshot;
  #next: Snapshot;
  #cancelFlush: (() => void) | undefined;
  /** Streams that have not been told of the snapshot in force. */
  #behind: OpenStream[] = [];
  #cancelServe: (() => void) | undefined;
  #delayed = 0;

  constructor(options: AdsHubOptions) {
    this.#options = options;
    this.#snapshot = options.snapshot;
    this.#next = options.snapshot;
  }

  get streams(): number {
    return this.#streams.size;
  }

  isConnected(node: string): boolean {
    return (this.#connected.get(node) ?? 0) > 0;
  }

  /** Remembers a refusal; those of earlier runs are read from the store. */
  quarantine(node: string, typeUrl: string, resource: string, version: string): void {
    const refused = this.#quarantine.get(node) ?? new Set<string>();
    this.#quarantine.set(node, refused.add(key(typeUrl, resource, version)));
    const [oldest] = refused;
    if (refused.size > QUARANTINE_MAX && oldest !== undefined) refused.delete(oldest);
  }

  /** Puts a snapshot in force: streams get it after a short wait for further changes. */
  publish(snapshot: Snapshot): void {
    this.#next = snapshot;
    const wait = Math.min(DEBOUNCE_MS, DEBOUNCE_MS_MAX - this.#delayed);
    this.#cancelFlush?.();
    this.#delayed += wait;
    this.#cancelFlush = this.#options.later(() => this.#flush(), wait);
  }

  /** Undefined: there are too many streams. */
  open(peer: AdsPeer): AdsStream | undefined {
    if (this.#streams.size >= STREAMS_MAX) return undefined;
    const session = new DeltaSession(this.#snapshot, {
      isQuarantined: (typeUrl, name, version) =>
        this.#quarantine.get(peer.node)?.has(key(typeUrl, name, version)) ?? false,
      onNack: (nack) => {
        if (nack.refused !== undefined)
          this.quarantine(peer.node, nack.typeUrl, nack.refused.name, nack.refused.version);
        this.#options.onNack(peer.node, nack);
      },
      onAck: (typeUrl) => this.#options.onAck(peer.node, typeUrl),
    });
    const stream: OpenStream = { peer, session, cancelDeadline: undefined };
    this.#streams.add(stream);
    this.#connected.set(peer.node, (this.#connected.get(peer.node) ?? 0) + 1);
    return {
      receive: (request) => this.#send(stream, session.request(request)),
      end: () => {
        stream.cancelDeadline?.();
        if (this.#streams.delete(stream)) this.#disconnected(peer.node);
      },
    };
  }

  close(): void {
    this.#cancelFlush?.();
    this.#cancelServe?.();
    for (const stream of [...this.#streams]) {
      stream.cancelDeadline?.();
      stream.peer.close('the control plane stops');
    }
    this.#streams.clear();
    this.#connected.clear();
  }

  #disconnected(node: string): void {
    const left = (this.#connected.get(node) ?? 1) - 1;
    if (left === 0) this.#connected.delete(node);
    else this.#connected.set(node, left);
  }

  #flush(): void {
    this.#cancelFlush = undefined;
    this.#delayed = 0;
    this.#snapshot = this.#next;
    // Those that were still to be served get the newer snapshot at once.
    this.#behind = [...this.#streams];
    this.#serveBehind();
  }

  /** A part at a time: what is written leaves the process in between, and other calls are answered. */
  #serveBehind(): void {
    this.#cancelServe?.();
    this.#cancelServe = undefined;
    for (const stream of this.#behind.splice(0, SERVED_AT_ONCE)) {
      if (this.#streams.has(stream)) this.#send(stream, stream.session.update(this.#snapshot));
    }
    if (this.#behind.length > 0) this.#cancelServe = this.#options.later(() => this.#serveBehind(), 0);
  }

  #send(stream: OpenStream, responses: readonly DeltaResponse[]): void {
    for (const response of responses) stream.peer.send(response);
    if (!stream.session.isWaiting) {
      stream.cancelDeadline?.();
      stream.cancelDeadline = undefined;
    } else if (stream.cancelDeadline === undefined) {
      stream.cancelDeadline = this.#options.later(
        () => stream.peer.close('a response was not acknowledged in time'),
        ACK_MS_MAX,
      );
    }
  }
}

function key(typeUrl: string, resource: string, version: string): string {
  return JSON.stringify([typeUrl, resource, version]);
}
