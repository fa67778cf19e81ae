/**
 * One type of resource on one delta xDS stream, as the server sees it: what the client wants, has, has refused, and
 * what it must be sent next. Pure: no stream, no clock. `local-ads.ts` drives one for each type of each Envoy.
 *
 * Invariants, after Envoy's "xDS REST and gRPC protocol": at most one response is in flight; a request is an ACK or a
 * NACK only if it carries that response's nonce, and a NACK only if it has an `error_detail`; subscriptions count even
 * when the nonce is stale; a version that this client has refused is not sent to it again; a name that is wanted and
 * does not exist is answered once, as removed.
 */

export interface VersionedResource {
  readonly name: string;
  /** A hash of the content, never a counter. */
  readonly version: string;
}

export interface DeltaRequest {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Of the first request of a stream: what the client still has from an earlier one. */
  readonly initialVersions: { readonly [name: string]: string };
  /** Empty when the request answers nothing. */
  readonly nonce: string;
  /** The message of `error_detail`, where there is one. */
  readonly error: string | undefined;
}

export type DeltaAnswer =
  | { readonly kind: 'none' }
  | { readonly kind: 'ack'; readonly nonce: string }
  | {
      readonly kind: 'nack';
      readonly nonce: string;
      readonly message: string;
      readonly refused: readonly VersionedResource[];
    };

export interface DeltaResponse<Resource extends VersionedResource> {
  readonly nonce: string;
  readonly resources: readonly Resource[];
  readonly removed: readonly string[];
}

/** Names that one client may subscribe to. */
export const NAMES_MAX = 10_000;

export class TooManyNames extends Error {}

export class DeltaSubscription<Resource extends VersionedResource> {
  /** Everything of the type, as long as the client has named nothing; afterwards only if it names `*`. */
  #everything = false;
  #hasNamed = false;
  #isFirst = true;
  readonly #names = new Set<string>();
  /** What the client has been sent and has not refused, `undefined` for "does not exist". */
  readonly #known = new Map<string, string | undefined>();
  readonly #refused = new Set<string>();
  #inFlight:
    | { nonce: string; sent: Map<string, { before: string | undefined; had: boolean; version: string | undefined }> }
    | undefined;
  #count = 0;
  /** A wildcard's first answer is sent even if it is empty: a client that starts waits for it. */
  #owesAnswer = false;

  /** Notes what the client says. Throws TooManyNames. */
  receive(request: DeltaRequest): DeltaAnswer {
    this.#subscribe(request);
    return this.#settle(request);
  }

  /** What is to be sent now; undefined when the client is up to date, wants nothing, or has not answered yet. */
  next(resources: ReadonlyMap<string, Resource>): DeltaResponse<Resource> | undefined {
    if (this.#inFlight !== undefined || this.#isFirst) return undefined;
    const changed: Resource[] = [];
    const removed: string[] = [];
    for (const name of this.#wanted(resources)) {
      const resource = resources.get(name);
      if (resource === undefined) {
        if (!this.#known.has(name) || this.#known.get(name) !== undefined) removed.push(name);
      } else if (this.#known.get(name) !== resource.version && !this.#refused.has(refusal(resource)))
        changed.push(resource);
    }
    if (changed.length === 0 && removed.length === 0 && !this.#owesAnswer) return undefined;
    this.#owesAnswer = false;
    const nonce = String(++this.#count);
    const sent = new Map<string, { before: string | undefined; had: boolean; version: string | undefined }>();
    const send = (name: string, version: string | undefined): void => {
      sent.set(name, { before: this.#known.get(name), had: this.#known.has(name), version });
      this.#known.set(name, version);
    };
    for (const resource of changed) send(resource.name, resource.version);
    for (const name of removed) send(name, undefined);
    this.#inFlight = { nonce, sent };
    return { nonce, resources: changed, removed };
  }

  /** The client wants nothing that it has not got or refused, and has answered. */
  isSettled(resources: ReadonlyMap<string, Resource>): boolean {
    if (this.#inFlight !== undefined) return false;
    if (this.#isFirst) return true;
    for (const name of this.#wanted(resources)) {
      const resource = resources.get(name);
      if (resource !== undefined && this.#known.get(name) !== resource.version && !this.#refused.has(refusal(resource)))
        return false;
    }
    return true;
  }

  #subscribe({ subscribe, unsubscribe, initialVersions }: DeltaRequest): void {
    if (this.#isFirst) {
      for (const [name, version] of Object.entries(initialVersions)) this.#known.set(name, version);
      // Nothing named at first means everything.
      this.#everything = subscribe.length === 0;
      this.#owesAnswer = this.#everything || subscribe.includes('*');
      this.#isFirst = false;
    }
    for (const name of subscribe) {
      if (name === '*') this.#everything = true;
      else {
        this.#names.add(name);
        // Asked for again: the client wants an answer even if nothing has changed.
        if (this.#hasNamed || !Object.hasOwn(initialVersions, name)) this.#known.delete(name);
      }
      this.#hasNamed = true;
    }
    for (const name of unsubscribe) {
      if (name === '*') this.#everything = false;
      this.#names.delete(name);
      this.#known.delete(name);
    }
    if (this.#names.size > NAMES_MAX) throw new TooManyNames(`a client subscribed to more than ${NAMES_MAX} resources`);
  }

  #settle({ nonce, error }: DeltaRequest): DeltaAnswer {
    const inFlight = this.#inFlight;
    if (inFlight === undefined || nonce !== inFlight.nonce) return { kind: 'none' };
    this.#inFlight = undefined;
    if (error === undefined) return { kind: 'ack', nonce };
    const refused: VersionedResource[] = [];
    for (const [name, { before, had, version }] of inFlight.sent) {
      if (had) this.#known.set(name, before);
      else this.#known.delete(name);
      if (version === undefined) continue;
      refused.push({ name, version });
      this.#refused.add(refusal({ name, version }));
    }
    return { kind: 'nack', nonce, message: error, refused };
  }

  #wanted(resources: ReadonlyMap<string, Resource>): Iterable<string> {
    if (!this.#everything) return this.#names;
    // What the client knows and is no more is wanted too: it must hear of the removal.
    return new Set([
      ...resources.keys(),
      ...this.#names,
      ...[...this.#known].filter(([, version]) => version !== undefined).map(([name]) => name),
    ]);
  }
}

function refusal({ name, version }: VersionedResource): string {
  return `${name}\0${version}`;
}
