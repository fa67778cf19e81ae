/** Where a condition stands: on which event, of which store or tool, and what is known there. */
import type { CollectionKind, EventKind } from '../program.ts';
import type { Span } from '../source.ts';
import type { Context } from './context.ts';

export type ConditionScope = {
  readonly context: Context;
  /** For the list of unenforced uses. */
  readonly declaration: string;
  /** Null: no event, so only the caller and the time are known. */
  readonly event: EventKind | null;
  readonly store: string | null;
  readonly tool: string | null;
  readonly inGuarantee: boolean;
  readonly variables: ReadonlyMap<string, CollectionKind>;
  /** Paths of optional attributes that have a value wherever this condition matters. */
  readonly known: ReadonlySet<string>;
  /** The span of the term's use, while a term is substituted. */
  readonly usedAt: Span | null;
  /** Names of the terms that are being substituted. */
  readonly terms: readonly string[];
  /** Counts the parts of one condition, terms substituted. */
  readonly size: { parts: number };
};

export function conditionScope(
  context: Context,
  declaration: string,
  event: EventKind | null,
  of: { readonly store?: string | null; readonly tool?: string | null } = {},
): ConditionScope {
  return {
    context,
    declaration,
    event,
    store: of.store ?? null,
    tool: of.tool ?? null,
    inGuarantee: false,
    variables: new Map(),
    known: new Set(),
    usedAt: null,
    terms: [],
    size: { parts: 0 },
  };
}
