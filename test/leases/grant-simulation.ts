// A fleet under one cap whose requests are governed inside Envoy: each sidecar of the simulated world serves an Envoy
// that is killed, stopped and continued, and whose calls are lost, repeated and late. After every step: what upstreams
// really charged is within the cap, and within the window in which it was spent.
import type { EnvoyGrants, GrantLine, GrantState } from '../../filters/sidecar/budgets/envoy-grants.ts';
import type { GrantName } from '../../filters/sidecar/budgets/grants.ts';
import { FilterModel } from './filter-model.ts';
import type { Spending } from './filter-model.ts';
import { budgetsOfRequest, Sidecar, World } from './simulation.ts';
import type { Parts, SimulationOptions, SimulationResult } from './simulation.ts';

export interface GrantParts extends Parts {
  readonly EnvoyGrants: typeof EnvoyGrants;
}

export interface EnvoyFaults {
  /** Probabilities for each request. */
  readonly killed: number;
  readonly frozen: number;
  /** Probabilities for each call of the filter. */
  readonly lostCall: number;
  readonly lostAnswer: number;
  readonly repeatedCall: number;
  readonly lateAnswer: number;
}

export interface GrantSimulationOptions extends SimulationOptions {
  /** A machine's restart ends its Envoy too; the sidecar's own does not. */
  readonly envoyFaults: EnvoyFaults;
}

export const noEnvoyFaults: EnvoyFaults = {
  killed: 0,
  frozen: 0,
  lostCall: 0,
  lostAnswer: 0,
  repeatedCall: 0,
  lateAnswer: 0,
};

export async function simulateGrants(parts: GrantParts, options: GrantSimulationOptions): Promise<SimulationResult> {
  const world = new World(parts, options);
  const hosts = Array.from({ length: options.sidecars }, (_, index) => new Host(parts, world, options, index));
  for (let at = 0; at < options.durationMs; at += 1 + world.random.below(2 * options.everyMs))
    world.time.later(() => world.random.pick(hosts).request(), at);
  await world.time.run(options.durationMs + 70_000);
  for (const host of hosts) host.envoy.closeAll();
  await world.time.run(options.durationMs + 75_000);
  for (const host of hosts) host.stop();
  await world.time.run(options.durationMs + 100_000);
  const accounts = [...world.ledger.accounts.values()];
  return {
    broken: world.broken,
    allowed: world.allowed,
    allowedAt: world.allowedAt,
    denied: world.denied,
    spentMost: Math.max(0, ...world.spent.values()),
    charged: accounts.reduce((sum, account) => sum + account.charged + account.outstanding, 0),
    spent: [...world.spent.values()].reduce((sum, micros) => sum + micros, 0),
  };
}

/** A sidecar and the Envoy beside it. */
class Host {
  readonly #world: World;
  readonly #options: GrantSimulationOptions;
  readonly #sidecar: Sidecar;
  readonly #index: number;
  #grants: EnvoyGrants | undefined;
  #envoys = 0;
  #boot = 0;
  /** From which lease each grant came, as the sidecar granted it. */
  readonly #leases = new Map<string, number>();
  envoy: FilterModel;

  constructor(parts: GrantParts, world: World, options: GrantSimulationOptions, index: number) {
    this.#world = world;
    this.#options = options;
    this.#index = index;
    this.#sidecar = new Sidecar(world, `node-${index}`, ({ accounts, now, later, isAlive }) => {
      const grants = new parts.EnvoyGrants({ accounts, now, later, alarm: () => undefined });
      const { book } = accounts.journaled;
      this.#grants = grants;
      this.#serve = async (envoy, lines) => {
        const states = await grants.sync(envoy, lines);
        if (!isAlive()) throw new Error('the sidecar was killed before it answered');
        for (const { budget, number } of lines) {
          const lease = book.grants.find({ envoy, budget, number })?.lease;
          if (lease !== undefined) this.#leases.set(keyOf({ envoy, budget, number }), lease);
        }
        return states;
      };
    });
    this.envoy = this.#startEnvoy();
  }

  #serve: (envoy: string, lines: readonly GrantLine[]) => Promise<readonly GrantState[]> = () => Promise.reject();

  request(): void {
    const { random: dice, time } = this.#world;
    const { killed, frozen } = this.#options.envoyFaults;
    this.#sidecar.disrupt();
    if (dice.chance(killed) || this.#sidecar.boot !== this.#boot) {
      this.envoy.isDead = true;
      this.#boot = this.#sidecar.boot;
      this.envoy = this.#startEnvoy();
    }
    if (dice.chance(frozen)) this.envoy.frozenUntil = time.now + dice.below(100_000);
    void this.#exchange();
  }

  stop(): void {
    this.#grants?.stop();
    this.#sidecar.stop();
  }

  async #exchange(): Promise<void> {
    const { random: dice, time } = this.#world;
    const { envoy } = this;
    const name = this.#envoyName();
    const amount = 1 + dice.below(this.#options.worstCase);
    const spendings = await envoy.reserve(budgetsOfRequest(dice, this.#options), amount);
    if (spendings === undefined) {
      this.#world.denied++;
      return;
    }
    this.#world.allowed++;
    const actual = dice.below(amount + 1);
    for (const spending of spendings) this.#charge(name, spending, actual);
    await time.sleep(dice.below(dice.chance(0.05) ? 60_000 : 3_000));
    if (envoy.isDead) return;
    const isUnknown = dice.chance(this.#options.forfeited);
    for (const spending of spendings) envoy.settle(spending, isUnknown ? amount : actual);
  }

  #charge(envoy: string, { budget, number }: Spending, actual: number): void {
    const lease = this.#leases.get(keyOf({ envoy, budget, number }));
    if (lease === undefined) return this.#world.fail('a grant that nobody made was spent from');
    const row = this.#world.ledger.leases.get(lease);
    if (row !== undefined && this.#world.wallTime() >= row.windowEnd)
      this.#world.fail(`grant ${number} of ${budget} was spent from after its window`);
    this.#world.upstreamCharges(lease, actual);
  }

  #envoyName(): string {
    return `${this.#index}e${this.#envoys}`;
  }

  #startEnvoy(): FilterModel {
    this.#envoys++;
    const name = this.#envoyName();
    return new FilterModel(this.#world.time, (lines) => this.#carry(name, lines));
  }

  /** The socket between the two, and what may happen on it. */
  async #carry(envoy: string, lines: readonly GrantLine[]): Promise<readonly GrantState[]> {
    const { random: dice, time } = this.#world;
    const { lostCall, lostAnswer, repeatedCall, lateAnswer } = this.#options.envoyFaults;
    if (dice.chance(repeatedCall))
      time.later(() => void this.#serve(envoy, lines).catch(() => undefined), dice.below(15_000));
    await time.sleep(dice.below(4));
    if (dice.chance(lostCall)) throw new Error('lost');
    const states = await this.#serve(envoy, lines);
    await time.sleep(dice.chance(lateAnswer) ? dice.below(90_000) : dice.below(4));
    if (dice.chance(lostAnswer)) throw new Error('lost');
    return states;
  }
}

function keyOf({ envoy, budget, number }: GrantName): string {
  return `${envoy}/${budget}/${number}`;
}
