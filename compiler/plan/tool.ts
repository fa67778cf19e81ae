/** The tools that a policy knows, by their names on the wire. */
import type { Span } from './span.ts';

export interface Tool {
  /** Name in the policy. */
  readonly name: string;
  /** Name on the wire; with a `*` at its end, how the name begins. A call may be of several tools. */
  readonly pattern: string;
  /** Facts of its arguments, in declared order: positions in `Plan.facts`. */
  readonly facts: readonly number[];
  readonly span: Span;
}
