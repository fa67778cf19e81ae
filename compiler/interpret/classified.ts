/** The stratum of the classification, of a prompt or of a completion. */
import type { Classify, Plan } from '../plan/plan.ts';
import { holds, rankOf } from './holds.ts';
import type { FactState } from './read-facts.ts';
import { isTouched, type Reader } from './touched.ts';

export interface Classified {
  /** Null where it has failed, or the policy has no classification. */
  readonly rank: number | null;
  readonly member: string | null;
  /** Names of those that fired, whether or not the classification has failed. */
  readonly fired: readonly string[];
}

/** The highest of the base and every classify that fires. Failed where one of them is touched. */
export function classified(plan: Plan, classify: readonly Classify[], facts: readonly FactState[]): Classified {
  const readable = classify.filter((each) => !isTouched(each.reads, facts));
  const firing = readable.filter((each) => holds(each.when, { plan, facts }));
  const fired = firing.map((each) => each.name);
  if (plan.classification === undefined || readable.length < classify.length)
    return { rank: null, member: null, fired };
  const { enum: name, base } = plan.classification;
  const rank = Math.max(
    ...[base, ...firing.map((each) => each.member)].map((member) => rankOf(plan, name, member) ?? 0),
  );
  return { rank, member: plan.enums.find((type) => type.name === name)?.members[rank] ?? null, fired };
}

export function readerOfClassify({ name, reads }: Classify): Reader {
  return { name, reads, failsClosed: false };
}
