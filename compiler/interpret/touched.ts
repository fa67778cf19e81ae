/**
 * Failure is not a value: who reads a failed fact is touched, does nothing, and joins the outcome with the policy's `on
 * failure`.
 */
import type { FactId, Plan } from '../plan/plan.ts';
import type { Reason } from '../plan/decision.ts';
import { sortedSet } from '../plan/order.ts';
import type { FactState } from './read-facts.ts';

/** Something of an event that reads facts, under the name that reasons give it. */
export interface Reader {
  readonly name: string;
  readonly reads: readonly FactId[];
  /** It denies when it is touched, whatever the policy says of failures. */
  readonly failsClosed: boolean;
}

export function isTouched(reads: readonly FactId[], facts: readonly FactState[]): boolean {
  return reads.some((fact) => facts[fact]?.state === 'failed');
}

/** One reason for each name, with the failed facts of all its readers that deny; sorted by name. */
export function failedReasons(plan: Plan, readers: readonly Reader[], facts: readonly FactState[]): readonly Reason[] {
  const denying = readers.filter((reader) => isTouched(reader.reads, facts) && denies(plan, reader, facts));
  return sortedSet(denying.map((reader) => reader.name)).map((name) => ({
    kind: 'failed',
    rule: name,
    facts: failedPaths(
      plan,
      denying.filter((reader) => reader.name === name),
      facts,
    ),
  }));
}

function denies(plan: Plan, reader: Reader, facts: readonly FactState[]): boolean {
  return (
    plan.onFailure === 'deny' ||
    reader.failsClosed ||
    reader.reads.some((fact) => facts[fact]?.state === 'failed' && plan.facts[fact]?.failsClosed)
  );
}

/** The failed facts that any of the readers reads, by path, sorted. */
export function failedPaths(plan: Plan, readers: readonly Reader[], facts: readonly FactState[]): readonly string[] {
  const failed = readers.flatMap((reader) => reader.reads.filter((fact) => facts[fact]?.state === 'failed'));
  return sortedSet(failed.map((fact) => pathOf(plan, fact)));
}

function pathOf(plan: Plan, fact: FactId): string {
  return plan.facts[fact]?.path.join('.') ?? '';
}
