/**
 * The key of this policy's pseudonyms: told by the control plane (or read from a file at the start), kept on disk so that
 * a sidecar that starts without the control plane makes the same pseudonyms, and given to whatever filter runs.
 */
import type { DeploymentKey } from '../../proto/deployment-key.ts';
import type { FilterPort } from '../door/session-port.ts';
import type { StateFolder } from './state-folder.ts';

export class PolicyKey {
  readonly #state: Pick<StateFolder, 'keepPolicyKey'>;
  readonly #isFixed: boolean;
  #current: DeploymentKey | undefined;
  #filter: FilterPort | undefined;

  /** `fixed` is an operator's own, which no control plane replaces. */
  constructor(state: Pick<StateFolder, 'keepPolicyKey' | 'readPolicyKey'>, fixed: DeploymentKey | undefined) {
    this.#state = state;
    this.#isFixed = fixed !== undefined;
    this.#current = fixed ?? state.readPolicyKey();
  }

  get current(): DeploymentKey | undefined {
    return this.#current;
  }

  /** What the control plane says: undefined where it has none, and then the one of before goes on. */
  take(key: DeploymentKey | undefined): void {
    if (key === undefined || this.#isFixed || key.equals(this.#current)) return;
    this.#current = key;
    this.#state.keepPolicyKey(key);
    this.#filter?.keyed?.takeKey(key);
  }

  /** Before the filter's first exchange. */
  giveTo(filter: FilterPort): void {
    this.#filter = filter;
    if (this.#current !== undefined) filter.keyed?.takeKey(this.#current);
  }
}
