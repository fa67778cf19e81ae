// One delta xDS stream as a state machine: requests and snapshots in, responses out. The rules are those of "xDS REST
// and gRPC protocol", incremental variant. It does no I/O and has no clock.
//
// A type has at most one response in flight: what changes meanwhile waits in the difference between the snapshot and
// what the client has, so no queue can grow. A client that never acknowledges gets nothing more; its stream is the
// caller's to close.
//
// A refused response of several resources does not say which of them was meant: each is sent once more, alone. What was
// refused alone is never sent to that node again.
import type { Snapshot, XdsResource } from './snapshot.ts';
import { typeOrder } from './snapshot.ts';

/** Of `DeltaDiscoveryRequest`, what the protocol needs. */
export interface DeltaRequest {
  readonly typeUrl: string;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Only the first request of a type on a stream has them. */
  readonly initialVersions: ReadonlyMap<string, string>;
  readonly nonce: string;
  /** Present, it is a NACK, whatever else the request says. */
  readonly error?: string;
}

export interface DeltaResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly resources: readonly XdsResource[];
  readonly removed: readonly string[];
}

export interface Nack {
  readonly typeUrl: string;
  readonly message: string;
  /** What was refused alone; absent when the response held several resources, or none. */
  readonly refused?: { readonly name: string; readonly version: string };
}

export interface DeltaSessionOptions {
  /** This node has refused that version before. */
  readonly isQuarantined: (typeUrl: string, name: string, version: string) => boolean;
  /** Called for each NACK, before the next responses are computed. */
  readonly onNack: (nack: Nack) => void;
  readonly onAck: (typeUrl: string, resources: readonly { readonly name: string; readonly version: string }[]) => void;
}

export class XdsError extends Error {
  /** `too_many_types`, `too_many_names`: the stream asks for more than it may. */
  readonly code: 'too_many_types' | 'too_many_names';

  constructor(code: 'too_many_types' | 'too_many_names', message: string) {
    super(message);
    this.name = 'XdsError';
    this.code = code;
  }
}

/** Of one stream. */
export const TYPES_MAX = 32;
export const NAMES_MAX = 4_096;
/** Characters of a NACK's message that are kept. */
export const NACK_MESSAGE_MAX = 1_000;

interface InFlight {
  readonly nonce: string;
  readonly sent: readonly { readonly name: string; readonly version: string }[];
  readonly removed: readonly string[];
}

interface TypeState {
  isWildcard: boolean;
  /** The client has named a resource (or `*`): from then on, naming nothing means nothing. */
  hasNamed: boolean;
  readonly names: Set<string>;
  /** What the client has: acknowledged, or said to have in its first request. */
  readonly has: Map<string, string>;
  /** Named anew and owed an answer, whatever the client has. */
  readonly owed: Set<string>;
  /** Told to be missing. */
  readonly toldMissing: Set<string>;
  /** Were in a refused response with others. */
  readonly suspects: Set<string>;
  inFlight: InFlight | undefined;
  owesAnswer: boolean;
}

export class DeltaSession {
  readonly #options: DeltaSessionOptions;
  readonly #types = new Map<string, TypeState>();
  #snapshot: Snapshot;
  #nonces = 0;

  constructor(snapshot: Snapshot, options: DeltaSessionOptions) {
    this.#snapshot = snapshot;
    this.#options = options;
  }

  /** Types that the client has asked for. */
  get typeUrls(): readonly string[] {
    return [...this.#types.keys()];
  }

  /** Some response is neither acknowledged nor refused. */
  get isWaiting(): boolean {
    return [...this.#types.values()].some((type) => type.inFlight !== undefined);
  }

  /** Throws XdsError. */
  request(request: DeltaRequest): DeltaResponse[] {
    const known = this.#types.get(request.typeUrl);
    const type = known ?? this.#firstRequest(request);
    if (known !== undefined) this.#acknowledge(request, type);
    // Subscriptions count on any request, also one with an old nonce: they describe the client, not a response.
    this.#subscribe(request, type, known === undefined);
    return this.#responses();
  }

  /** A new snapshot is in force. */
  update(snapshot: Snapshot): DeltaResponse[] {
    this.#snapshot = snapshot;
    return this.#responses();
  }

  #firstRequest(request: DeltaRequest): TypeState {
    if (this.#types.size === TYPES_MAX) throw new XdsError('too_many_types', `a stream has at most ${TYPES_MAX} types`);
    if (request.initialVersions.size > NAMES_MAX)
      throw new XdsError('too_many_names', `a stream has at most ${NAMES_MAX} names of a type`);
    const type: TypeState = {
      isWildcard: false,
      hasNamed: false,
      names: new Set(),
      has: new Map(request.initialVersions),
      owed: new Set(),
      toldMissing: new Set(),
      suspects: new Set(),
      inFlight: undefined,
      owesAnswer: false,
    };
    this.#types.set(request.typeUrl, type);
    return type;
  }

  #acknowledge(request: DeltaRequest, type: TypeState): void {
    const inFlight = type.inFlight;
    // A nonce of another response answers nothing; without one, the request only subscribes.
    if (inFlight === undefined || request.nonce !== inFlight.nonce) return;
    type.inFlight = undefined;
    // Refused or not, a removal is not said twice.
    for (const name of inFlight.removed) type.has.delete(name);
    if (request.error !== undefined) {
      const [alone, ...others] = inFlight.sent;
      const message = request.error.slice(0, NACK_MESSAGE_MAX);
      for (const { name } of inFlight.sent) type.suspects.add(name);
      if (alone !== undefined && others.length === 0) {
        type.suspects.delete(alone.name);
        this.#options.onNack({ typeUrl: request.typeUrl, message, refused: alone });
      } else this.#options.onNack({ typeUrl: request.typeUrl, message });
      return;
    }
    for (const { name } of inFlight.sent) type.suspects.delete(name);
    for (const { name, version } of inFlight.sent) if (isWanted(type, name)) type.has.set(name, version);
    this.#options.onAck(request.typeUrl, inFlight.sent);
  }

  #subscribe(request: DeltaRequest, type: TypeState, isFirst: boolean): void {
    for (const name of request.subscribe) {
      type.hasNamed = true;
      if (name === '*') {
        type.isWildcard = true;
        continue;
      }
      if (type.names.size === NAMES_MAX)
        throw new XdsError('too_many_names', `a stream has at most ${NAMES_MAX} names of a type`);
      type.names.add(name);
      type.toldMissing.delete(name);
      // Asking again means that the client wants it again. On the first request it may have said that it has it.
      if (!isFirst || !type.has.has(name)) type.owed.add(name);
    }
    // Older clients say "all" by naming nothing, until they first name something.
    if (isFirst && !type.hasNamed) type.isWildcard = true;
    // Whoever asks for all is answered even where there is nothing: clients hold their start until then.
    if (isFirst && type.isWildcard) type.owesAnswer = true;
    for (const name of request.unsubscribe) {
      if (name === '*') {
        type.isWildcard = false;
        for (const had of [...type.has.keys()]) if (!type.names.has(had)) type.has.delete(had);
        continue;
      }
      type.names.delete(name);
      type.toldMissing.delete(name);
      type.owed.delete(name);
      type.has.delete(name);
      // The client forgets it now; under "all" it still wants it.
      if (type.isWildcard) type.owed.add(name);
    }
  }

  #responses(): DeltaResponse[] {
    const responses: DeltaResponse[] = [];
    const urls = [...this.#types.keys()].sort((a, b) => rank(a) - rank(b));
    for (const typeUrl of urls) this.#respond(typeUrl, responses, 'additions');
    // Make before break: what others still point to goes when all of them have moved on.
    if (!this.isWaiting) for (const typeUrl of urls) this.#respond(typeUrl, responses, 'removals');
    return responses;
  }

  #respond(typeUrl: string, responses: DeltaResponse[], phase: 'additions' | 'removals'): void {
    const type = this.#types.get(typeUrl);
    if (type === undefined || type.inFlight !== undefined) return;
    const resources = phase === 'additions' ? this.#additions(typeUrl, type) : [];
    const removed = phase === 'additions' ? this.#missing(typeUrl, type) : this.#removals(typeUrl, type);
    if (resources.length === 0 && removed.length === 0 && !type.owesAnswer) return;
    type.owesAnswer = false;
    this.#nonces++;
    const response: DeltaResponse = { typeUrl, nonce: `${this.#nonces}`, resources, removed };
    type.inFlight = { nonce: response.nonce, sent: resources.map(({ name, version }) => ({ name, version })), removed };
    responses.push(response);
  }

  /** What is wanted and differs from what the client has, or is owed. Refused versions are not sent again. */
  #additions(typeUrl: string, type: TypeState): XdsResource[] {
    const due = [...this.#of(typeUrl).values()].filter(
      ({ name, version }) =>
        isWanted(type, name) &&
        (type.owed.has(name) || type.has.get(name) !== version) &&
        !this.#options.isQuarantined(typeUrl, name, version),
    );
    const suspect = due.find(({ name }) => type.suspects.has(name));
    const additions = suspect === undefined ? due : [suspect];
    for (const { name } of additions) {
      type.owed.delete(name);
      type.toldMissing.delete(name);
    }
    return additions;
  }

  /** Names that the client waits for and that do not exist: it is told at once, or its warming hangs. */
  #missing(typeUrl: string, type: TypeState): string[] {
    const resources = this.#of(typeUrl);
    const missing = [...type.names, ...type.owed].filter(
      (name) => !resources.has(name) && !type.has.has(name) && !type.toldMissing.has(name),
    );
    for (const name of missing) {
      type.toldMissing.add(name);
      type.owed.delete(name);
    }
    return [...new Set(missing)];
  }

  #removals(typeUrl: string, type: TypeState): string[] {
    const resources = this.#of(typeUrl);
    const removals = [...type.has.keys()].filter((name) => isWanted(type, name) && !resources.has(name));
    for (const name of removals) {
      type.owed.delete(name);
      if (type.names.has(name)) type.toldMissing.add(name);
    }
    return removals;
  }

  #of(typeUrl: string): ReadonlyMap<string, XdsResource> {
    return this.#snapshot.get(typeUrl) ?? new Map<string, XdsResource>();
  }
}

function isWanted(type: TypeState, name: string): boolean {
  return type.isWildcard || type.names.has(name);
}

function rank(typeUrl: string): number {
  const at = typeOrder.indexOf(typeUrl);
  return at < 0 ? typeOrder.length : at;
}
