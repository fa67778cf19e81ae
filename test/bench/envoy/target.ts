// What load is put on: something that listens, with the same upstream behind it as all the others.
import type { Cleanups } from '../cleanups.ts';
import type { LoadCase } from './load-case.ts';

/** Where a target is started. */
export interface Place {
  /** Of this target alone, and empty. */
  readonly folder: string;
  readonly upstreamPort: number;
  readonly cleanups: Cleanups;
}

export interface Target {
  /** Where it is not quite what its kind is called. */
  readonly name?: string;
  readonly port: number;
  readonly headers: { readonly [name: string]: string };
  /** The processes that hold the exchanges' memory, by their name. */
  readonly processes: { readonly [name: string]: number };
}

export interface TargetKind {
  /** Stands in the results. */
  readonly id: string;
  /** Stands in the tables. */
  readonly name: string;
  /** One that is not ours, and that some machines cannot have: it is then named in the results with the reason. */
  readonly isPeer: boolean;
  /** Loads under which it is measured; all when not given. */
  readonly takes?: (load: LoadCase) => boolean;
  start(place: Place): Promise<Target>;
}
