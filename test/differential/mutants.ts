/**
 * Planted faults. Each mutation changes one node of one kind in a plan, as a backend that has that kind wrong would in
 * effect do; the backend under test is given the mutant and must be caught by the generated inputs. A mutation whose
 * mutants all mean what the original means says nothing, so only those count that the interpreter itself can tell
 * apart.
 */
import { isDeepStrictEqual } from 'node:util';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import type { Case } from './backend.ts';

/** A node of a plan seen as JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Node = { readonly [key: string]: Json };

export interface Mutation {
  /** The kind of node that is wrong, and how. */
  readonly name: string;
  /** What may stand in a node's place. `path` leads to it from the plan. */
  readonly edit: (node: Node, path: readonly (string | number)[], plan: Plan) => readonly Json[];
}

/** A mutant and the case that tells it from the original. */
export interface Mutant {
  readonly name: string;
  readonly original: Case;
  readonly plan: Plan;
}

/** Most mutants that are looked at for one mutation before it counts as not to be told apart. */
const TRIES_MAX = 4_000;

/** Up to `most` mutants of different policies, each with a decision that differs from the original's. */
export function mutantsOf(mutation: Mutation, cases: readonly Case[], most: number): readonly Mutant[] {
  const found: Mutant[] = [];
  let tries = 0;
  for (const original of cases) {
    const expected = original.inputs.map((input) => decide(original.plan, input));
    for (const plan of variants(original.plan, mutation)) {
      if (found.length >= most || ++tries > TRIES_MAX) return found;
      if (original.inputs.every((input, at) => isDeepStrictEqual(decide(plan, input), expected[at]))) continue;
      found.push({ name: mutation.name, original, plan });
      break;
    }
  }
  return found;
}

function* variants(plan: Plan, mutation: Mutation): Generator<Plan> {
  for (const changed of changedWithin(plan as unknown as Json, [], (node, path) => mutation.edit(node, path, plan)))
    yield changed as unknown as Plan;
}

function* changedWithin(
  json: Json,
  path: readonly (string | number)[],
  edit: (node: Node, path: readonly (string | number)[]) => readonly Json[],
): Generator<Json> {
  if (isList(json)) {
    for (const [at, item] of json.entries())
      for (const changed of changedWithin(item, [...path, at], edit)) yield json.with(at, changed);
    return;
  }
  if (typeof json !== 'object' || json === null) return;
  yield* edit(json, path);
  for (const [key, value] of Object.entries(json))
    for (const changed of changedWithin(value, [...path, key], edit)) yield { ...json, [key]: changed };
}

export function isList(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}
