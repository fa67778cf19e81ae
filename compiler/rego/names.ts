/**
 * What the emitted rules and data are called. One value a plan; names are given in the order they are asked for, so
 * equal plans have equal names.
 */
import type { FactId, ModelId, Plan, Span } from '../plan/plan.ts';
import { redactionName } from '../plan/redaction.ts';
import { identifier, isPlain, quoted } from './text.ts';

export type PlaceOf = (span: Span) => string;

export interface Names {
  readonly plan: Plan;
  /** Where something stands in the source, for people. */
  readonly place: PlaceOf;
  /** The rule of a fact: `fact_caller_region`. */
  fact(id: FactId): string;
  /** The path of a fact joined by dots, as decisions write it. */
  path(id: FactId): string;
  model(id: ModelId): string;
  /** A mode of redaction, as decisions write it: a literal. */
  redaction(at: number): string;
  /** A text literal: written out where it is printable ASCII, else a reference into the data. */
  text(value: string): string;
  /** A name for a helper rule that no other rule has. */
  helper(owner: string, what: string): string;
  /** The texts that `text` moved to the data. */
  readonly movedTexts: readonly string[];
}

export function namesOf(plan: Plan, place: PlaceOf): Names {
  const taken = new Set<string>();
  const fresh = (wanted: string): string => {
    let name = wanted;
    for (let count = 2; taken.has(name); count++) name = `${wanted}_${count}`;
    taken.add(name);
    return name;
  };
  const factNames = plan.facts.map((fact) => fresh(identifier('fact', ...fact.path)));
  const movedTexts: string[] = [];
  return {
    plan,
    place,
    fact: (id) => factNames[id]!,
    path: (id) => plan.facts[id]!.path.join('.'),
    model: (id) => plan.models[id]!.name,
    redaction: (at) => quoted(redactionName(plan.redactions[at]!, plan.facts)),
    text(value) {
      if (isPlain(value)) return quoted(value);
      if (!movedTexts.includes(value)) movedTexts.push(value);
      return `data.writ.texts[${movedTexts.indexOf(value)}]`;
    },
    helper: (owner, what) => fresh(identifier('if', owner, what)),
    movedTexts,
  };
}
