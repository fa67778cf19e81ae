// What every part of the benchmark is given, and what it gives back.
import type { Cleanups } from './cleanups.ts';
import type { Missing, SectionName, Sections } from './results.ts';

export interface Run {
  /** For files of this run, removed at its end. */
  readonly folder: string;
  readonly rounds: number;
  /** Of one measurement in one round. */
  readonly seconds: number;
  readonly isQuick: boolean;
  readonly cleanups: Cleanups;
  readonly report: (line: string) => void;
}

export interface Measured<K extends SectionName> {
  readonly rows: NonNullable<Sections[K]>;
  readonly missing: readonly Missing[];
  readonly versions: { readonly [name: string]: string };
  /** Why the run is not good: each fails it. */
  readonly problems: readonly string[];
}
