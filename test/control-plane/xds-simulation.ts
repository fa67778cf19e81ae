// Many clients on delta xDS streams that break, with acknowledgements that are late, repeated and refusing, while the
// snapshot changes. In the end every client must have what it wants and can take, and on the way nothing that the
// protocol forbids may happen. The session is an argument, so that a test can put a broken one in.
import type { DeltaRequest, DeltaResponse, DeltaSession } from '../../control-plane/xds/delta-session.ts';
import type { Snapshot, XdsResource } from '../../control-plane/xds/snapshot.ts';
import { random } from '../leases/random.ts';
import type { Random } from '../leases/random.ts';

const TYPES = ['t1', 'type.googleapis.com/envoy.config.cluster.v3.Cluster', 't2'];
const NAMES = ['a', 'b', 'c', 'd', 'e'];
const STEPS = 300;
const CLIENTS = 4;
/** A drained system is quiet after fewer exchanges than this, or it is in a loop. */
const DRAIN_MAX = 2_000;

/** What broke, first; empty when all held. */
export function simulateXds(Session: typeof DeltaSession, seed: number): string {
  const dice = random(seed);
  const world: World = {
    dice,
    snapshot: new Map(TYPES.map((type) => [type, new Map<string, XdsResource>()])),
    versions: 0,
    broken: '',
  };
  const clients = Array.from({ length: CLIENTS }, (_, index) => new Client(Session, world, `node-${index}`));
  for (let step = 0; step < STEPS && world.broken === ''; step++) {
    if (dice.chance(0.2)) {
      world.snapshot = changed(world);
      for (const client of clients) client.update();
    } else dice.pick(clients).act();
  }
  for (const client of clients) client.drain();
  for (const client of clients) client.check();
  return world.broken === '' ? '' : `seed ${seed}: ${world.broken}`;
}

interface World {
  readonly dice: Random;
  snapshot: Snapshot;
  versions: number;
  broken: string;
}

function changed(world: World): Snapshot {
  const { dice } = world;
  const type = dice.pick(TYPES);
  const resources = new Map(world.snapshot.get(type));
  for (let change = 0; change <= dice.below(3); change++) {
    const name = dice.pick(NAMES);
    if (dice.chance(0.3)) resources.delete(name);
    else resources.set(name, { name, version: `v${world.versions++}`, encoded: new Uint8Array() });
  }
  return new Map(world.snapshot).set(type, resources);
}

interface Subscription {
  isAll: boolean;
  readonly names: Set<string>;
  /** Asked for again since it was last sent. */
  readonly asked: Set<string>;
  readonly has: Map<string, string>;
  started: boolean;
}

class Client {
  readonly #Session: typeof DeltaSession;
  readonly #world: World;
  readonly #node: string;
  #session: DeltaSession;
  readonly #types = new Map<string, Subscription>();
  /** Responses on their way to us, each with what in it was asked for. */
  #incoming: { readonly response: DeltaResponse; readonly asked: ReadonlySet<string> }[] = [];
  readonly #quarantine = new Set<string>();
  readonly #refusedAlone = new Set<string>();
  readonly #nonces = new Set<string>();
  #lastNonce = '';

  constructor(Session: typeof DeltaSession, world: World, node: string) {
    this.#Session = Session;
    this.#world = world;
    this.#node = node;
    this.#session = this.#open();
    for (const type of TYPES)
      this.#types.set(type, { isAll: false, names: new Set(), asked: new Set(), has: new Map(), started: false });
  }

  act(): void {
    const { dice } = this.#world;
    const type = dice.pick(TYPES);
    const subscription = this.#of(type);
    if (dice.chance(0.04)) return this.#reconnect();
    if (!subscription.started) return this.#start(type, subscription);
    if (dice.chance(0.6)) return this.#receive();
    // A repeated or made-up acknowledgement says nothing, with or without an error.
    if (dice.chance(0.3))
      return this.#send({
        typeUrl: type,
        nonce: dice.pick(['', '0', `${this.#lastNonce}9`]),
        ...(dice.chance(0.5) ? { error: 'old' } : {}),
      });
    const name = dice.chance(0.3) ? '*' : dice.pick(NAMES);
    if (dice.chance(0.6)) this.#subscribe(type, subscription, name);
    else this.#unsubscribe(type, subscription, name);
  }

  update(): void {
    this.#enqueue(this.#session.update(this.#world.snapshot));
  }

  drain(): void {
    let turns = 0;
    while (this.#incoming.length > 0 && turns++ < DRAIN_MAX) this.#receive();
    if (turns >= DRAIN_MAX) this.#fail('the exchange does not end');
  }

  /** Everything that we want, and can take, is here; nothing is here that is gone. */
  check(): void {
    for (const [type, subscription] of this.#types) {
      if (!subscription.started) continue;
      const resources = this.#world.snapshot.get(type) ?? new Map<string, XdsResource>();
      for (const name of NAMES) {
        if (!subscription.isAll && !subscription.names.has(name)) continue;
        const version = resources.get(name)?.version;
        const has = subscription.has.get(name);
        if (version === undefined && has !== undefined) this.#fail(`${type} ${name} is gone and ${has} is still there`);
        if (version !== undefined && this.#canTake(version) && subscription.asked.has(name))
          this.#fail(`${type} ${name} was asked for again and not sent`);
        if (version !== undefined && this.#canTake(version) && has !== version)
          this.#fail(`${type} ${name} is ${has}, not ${version}`);
      }
    }
  }

  #canTake(version: string): boolean {
    return (Number(version.slice(1)) + this.#node.length + Number(this.#node.slice(5))) % 5 !== 0;
  }

  #start(type: string, subscription: Subscription): void {
    const { dice } = this.#world;
    subscription.started = true;
    const names = dice.chance(0.5) ? [] : NAMES.filter(() => dice.chance(0.5));
    subscription.isAll = names.length === 0;
    for (const name of names) subscription.names.add(name);
    this.#send({ typeUrl: type, subscribe: names });
  }

  #subscribe(type: string, subscription: Subscription, name: string): void {
    if (name === '*') subscription.isAll = true;
    else {
      subscription.names.add(name);
      subscription.asked.add(name);
    }
    this.#send({ typeUrl: type, subscribe: [name] });
  }

  #unsubscribe(type: string, subscription: Subscription, name: string): void {
    if (name === '*') {
      subscription.isAll = false;
      for (const had of [...subscription.has.keys()]) if (!subscription.names.has(had)) subscription.has.delete(had);
    } else {
      subscription.names.delete(name);
      subscription.has.delete(name);
      subscription.asked.add(name);
    }
    this.#send({ typeUrl: type, unsubscribe: [name] });
  }

  #receive(): void {
    const arrived = this.#incoming.shift();
    if (arrived === undefined) return;
    const { response, asked } = arrived;
    const { dice } = this.#world;
    const subscription = this.#of(response.typeUrl);
    this.#lastNonce = response.nonce;
    const isRefused = response.resources.some(({ version }) => !this.#canTake(version));
    for (const { name, version } of response.resources) {
      const id = `${response.typeUrl} ${name} ${version}`;
      if (this.#refusedAlone.has(id)) this.#fail(`${id} is sent again after it was refused`);
      if (isRefused && response.resources.length === 1) this.#refusedAlone.add(id);
      if (isRefused) continue;
      if (subscription.has.get(name) === version && !asked.has(name)) this.#fail(`${id} is sent again for no reason`);
      if (subscription.isAll || subscription.names.has(name)) subscription.has.set(name, version);
    }
    for (const name of response.removed) subscription.has.delete(name);
    // Sometimes the answer to an earlier response comes first.
    if (dice.chance(0.1)) this.#send({ typeUrl: response.typeUrl, nonce: '0' });
    this.#send({ typeUrl: response.typeUrl, nonce: response.nonce, ...(isRefused ? { error: 'cannot take it' } : {}) });
  }

  #reconnect(): void {
    this.#incoming = [];
    this.#nonces.clear();
    this.#session = this.#open();
    for (const [typeUrl, { started, isAll, names, asked, has }] of this.#types) {
      if (!started) continue;
      asked.clear();
      const wanted = new Map([...has].filter(([name]) => isAll || names.has(name)));
      // A client that wants nothing any more says so by naming something and dropping it.
      const subscribe = isAll ? ['*', ...names] : names.size > 0 ? [...names] : ['a'];
      this.#send({ typeUrl, subscribe, initialVersions: wanted });
      if (!isAll && names.size === 0) this.#send({ typeUrl, unsubscribe: ['a'] });
    }
  }

  #open(): DeltaSession {
    return new this.#Session(this.#world.snapshot, {
      isQuarantined: (type, name, version) => this.#quarantine.has(`${type} ${name} ${version}`),
      onNack: ({ typeUrl, refused }) => {
        if (refused !== undefined) this.#quarantine.add(`${typeUrl} ${refused.name} ${refused.version}`);
      },
      onAck: () => undefined,
    });
  }

  #send(request: Partial<DeltaRequest> & { readonly typeUrl: string }): void {
    this.#enqueue(
      this.#session.request({ subscribe: [], unsubscribe: [], initialVersions: new Map(), nonce: '', ...request }),
    );
  }

  #enqueue(responses: readonly DeltaResponse[]): void {
    for (const response of responses) {
      if (this.#nonces.has(response.nonce)) this.#fail(`nonce ${response.nonce} comes twice`);
      this.#nonces.add(response.nonce);
      if (this.#incoming.some((other) => other.response.typeUrl === response.typeUrl))
        this.#fail(`${response.typeUrl} has two responses in flight`);
      const subscription = this.#of(response.typeUrl);
      const asked = new Set(
        response.resources.map(({ name }) => name).filter((name) => subscription.asked.delete(name)),
      );
      this.#incoming.push({ response, asked });
    }
  }

  #of(type: string): Subscription {
    const subscription = this.#types.get(type);
    if (subscription === undefined) throw new Error(`no type ${type}`);
    return subscription;
  }

  #fail(message: string): void {
    if (this.#world.broken === '') this.#world.broken = `${this.#node}: ${message}`;
  }
}
