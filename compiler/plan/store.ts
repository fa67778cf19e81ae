/** A vector store of the plan, and what its chunks say of themselves. */
import type { Span } from './span.ts';

export interface Store {
  readonly name: string;
  readonly kind: string;
  /** The collection's name in the store. */
  readonly collection: string;
  /** Facts of a chunk, in declared order: positions in `Plan.facts`. */
  readonly facts: readonly number[];
  readonly span: Span;
}
