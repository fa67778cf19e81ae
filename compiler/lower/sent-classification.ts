/**
 * `prompt.sent_classification`: the class that the prompt has as it would leave for a candidate model. Nothing computes
 * it when a request arrives. Which rules redact what at which model is known here, so a comparison with it becomes one
 * over the facts that there are: what a detector found counts where no redaction of that detector fires.
 *
 * The value of a detector that overlaps a redacted one, and what words find in it, still counts: the class is never
 * lower than what leaves, but for a match that taking a value out (`remove`) joins anew.
 */
import type { Classify, Expr, Fact, FactRef } from '../plan/plan.ts';
import { and, constant, not, or, TRUE } from './simplify.ts';

/** What the class is made of. Settled before any condition that reads it. */
export interface SentClass {
  readonly classify: readonly Classify[];
  /** When a redaction of a detector fires, for each model. */
  redacts(detector: string, model: number): Expr;
}

/** A comparison of a class with something else: given the rank of one class, whether the comparison holds for it. */
export interface ClassComparison {
  /** The rank of the base, and of what each `classify` raises to. */
  readonly base: number;
  rankOf(member: string): number;
  readonly operator: 'is' | 'atLeast' | 'atMost' | 'above' | 'below';
  /** A rank compared with the other side. */
  holds(operator: 'atLeast' | 'atMost' | 'above' | 'below', rank: number): Expr;
}

/**
 * The comparison at one model. The class is the highest of several, so it is at least (above) something where one of
 * them is, and at most (below) it where all are that count.
 */
export function compareSent(sent: SentClass, model: number, facts: readonly Fact[], comparison: ClassComparison): Expr {
  const { base, operator, holds } = comparison;
  const raising = sent.classify
    .map(({ member, when }) => ({ rank: comparison.rankOf(member), when }))
    .filter(({ rank }) => rank > base)
    .map(({ rank, when }) => ({ rank, fires: asSent(when, sent, model, facts) }));
  const some = (each: 'atLeast' | 'above'): Expr =>
    or([holds(each, base), ...raising.map(({ rank, fires }) => and([fires, holds(each, rank)]))]);
  const every = (each: 'atMost' | 'below'): Expr =>
    and([holds(each, base), ...raising.map(({ rank, fires }) => or([not(fires), holds(each, rank)]))]);
  switch (operator) {
    case 'atLeast':
    case 'above':
      return some(operator);
    case 'atMost':
    case 'below':
      return every(operator);
    case 'is':
      return and([some('atLeast'), every('atMost')]);
  }
}

/** The condition, of the text as it is once it is redacted for the model. */
function asSent(expr: Expr, sent: SentClass, model: number, facts: readonly Fact[]): Expr {
  const within = (of: Expr): Expr => asSent(of, sent, model, facts);
  switch (expr.kind) {
    case 'and':
      return and(expr.of.map(within));
    case 'or':
      return or(expr.of.map(within));
    case 'not':
      return not(within(expr.of));
    case 'some':
    case 'every':
      return { ...expr, body: within(expr.body) };
    case 'contains':
      return isFound(expr.set, facts) && expr.member.kind === 'text'
        ? and([expr, not(sent.redacts(expr.member.value, model))])
        : expr;
    case 'overlaps':
      return isFound(expr.left, facts) && expr.right.kind === 'members'
        ? or(
            byRedaction(expr.right.values, sent, model).map(({ detectors, redacted }) =>
              and([remain(expr, detectors), not(redacted)]),
            ),
          )
        : expr;
    default:
      return expr;
  }
}

/** Detectors that the same condition redacts, together. */
function byRedaction(
  detectors: readonly string[],
  sent: SentClass,
  model: number,
): readonly { readonly detectors: readonly string[]; readonly redacted: Expr }[] {
  const groups = new Map<string, { readonly detectors: string[]; readonly redacted: Expr }>();
  for (const detector of detectors) {
    const redacted = sent.redacts(detector, model);
    const key = JSON.stringify(redacted);
    const group = groups.get(key) ?? { detectors: [], redacted };
    group.detectors.push(detector);
    groups.set(key, group);
  }
  return [...groups.values()].filter(({ redacted }) => redacted !== TRUE);
}

function remain({ left }: Expr & { kind: 'overlaps' }, [first, ...more]: readonly string[]): Expr {
  if (first === undefined) return constant(false);
  return more.length === 0
    ? { kind: 'contains', set: left, member: { kind: 'text', value: first } }
    : { kind: 'overlaps', left, right: { kind: 'members', values: [first, ...more] } };
}

/** Whether it is what detectors found: in all of the text, or in one message. */
function isFound(ref: FactRef, facts: readonly Fact[]): boolean {
  if (ref.kind === 'fact') return facts[ref.fact]!.path[0] === 'text';
  const { type } = facts[ref.collection]!;
  return type.kind === 'collection' && type.fields[ref.field]!.name === 'found';
}
