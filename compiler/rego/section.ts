/** A section of the Rego while it is written: one event's relations, readers and paragraphs. */
import type { FactId, Rule, Span } from '../plan/plan.ts';
import type { ConditionScope } from './condition.ts';
import type { Names } from './names.ts';
import { comment, identifier, quoted, rule, setOfTexts } from './text.ts';

/**
 * The relations of an event that its rules may add to. Rego has no empty relation: one that nothing adds to is written
 * as a literal.
 */
export type Relation =
  | 'fires'
  | 'denies'
  | 'allows'
  | 'redacts'
  | 'tags'
  | 'sets'
  | 'holds'
  | 'keeps'
  | 'withholds'
  | 'classifies'
  | 'limits'
  | 'removes'
  | 'applies'
  | 'budgets'
  | 'prefers';

export interface SectionInProgress {
  readonly prefix: string;
  readonly names: Names;
  readonly text: string[];
  readonly readers: string[];
  /** Notes that something reads facts; what reads none cannot be touched. */
  reads(name: string, facts: readonly FactId[], alwaysDenies?: 'always denies' | undefined): void;
  /** `PREFIX_RELATION contains ENTRY if { BODY }`. */
  adds(relation: Relation, entry: string, body: readonly string[]): string;
  has(relation: Relation): boolean;
  /** The relation, or the empty set where nothing adds to it. */
  set(relation: Relation): string;
  /** `[FUNCTION(relation)]`, or nothing where nothing adds to it. */
  listed(relation: Relation, call: string): readonly string[];
  scope(owner: string): ConditionScope;
  titled(what: Described, paragraphs: readonly string[]): void;
}

export interface Described {
  readonly name: string;
  readonly title?: string;
  readonly cites?: readonly string[];
  readonly unenforced?: string;
  readonly span: Span;
}

export function newSection(prefix: string, names: Names): SectionInProgress {
  const used = new Set<Relation>();
  const readers: string[] = [];
  const text: string[] = [];
  return {
    prefix,
    names,
    text,
    readers,
    reads(name, facts, alwaysDenies) {
      if (facts.length > 0) readers.push(`[${quoted(name)}, ${pathSet(names, facts)}, ${alwaysDenies !== undefined}]`);
    },
    adds(relation, entry, body) {
      used.add(relation);
      return rule(`${prefix}_${relation} contains ${entry}`, body);
    },
    has: (relation) => used.has(relation),
    set: (relation) => (used.has(relation) ? `${prefix}_${relation}` : 'set()'),
    listed: (relation, call) => (used.has(relation) ? [`${call}(${prefix}_${relation})`] : []),
    scope: (owner) => ({ names, owner: identifier(prefix, owner), classification: `${prefix}_rank`, helpers: [] }),
    titled(what, paragraphs) {
      const said = comment(
        what.title === undefined ? what.name : `${what.name}: ${what.title}`,
        ...(what.cites ?? []).map((cited) => `cites ${cited}`),
        ...(what.unenforced === undefined ? [] : [`denies: ${what.unenforced} is not enforced`]),
        names.place(what.span),
      );
      const [first = '', ...rest] = paragraphs;
      text.push(first === '' ? said : `${said}\n${first}`, ...rest);
    },
  };
}

export function pathSet(names: Names, facts: readonly FactId[]): string {
  return setOfTexts(facts.map((fact) => names.path(fact)));
}

export function alwaysDenies({ failsClosed }: Rule): 'always denies' | undefined {
  return failsClosed === true ? 'always denies' : undefined;
}

/** The statement that the facts read have not failed, or none. */
export function readable(names: Names, facts: readonly FactId[]): readonly string[] {
  return facts.length === 0 ? [] : [`not touched(${pathSet(names, facts)})`];
}
