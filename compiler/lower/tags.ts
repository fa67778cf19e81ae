/**
 * Tags. What a rule gives stands in the decision as text; in a document's metadata it is a value of its own type. A
 * document has one value a key: where rules give two, a rule `tag NAME` of the plan denies.
 */
import type { Effect as SourceEffect, ScalarValue } from '../../dsl/program.ts';
import type { Effect, Expr, Rule } from '../plan/plan.ts';
import { and, or } from './simplify.ts';
import { Unlowerable } from './unlowerable.ts';

export type Tag = Extract<Effect, { kind: 'tag' }>;

export function lowerTag({ name, value }: Extract<SourceEffect, { kind: 'tag' }>): Tag {
  const type = typeOf(value);
  return { kind: 'tag', name, value: tagText(value), ...(type === null ? {} : { type }) };
}

/** The value as decisions write it. */
export function tagText(value: ScalarValue): string {
  switch (value.kind) {
    case 'text':
    case 'bool':
    case 'int':
    case 'tokens':
    case 'bytes':
      return String(value.value);
    case 'decimal':
      return (value.digits / 10 ** value.scale).toFixed(value.scale);
    case 'member':
      return value.name;
    case 'money':
    case 'duration':
    case 'time':
    case 'date':
      throw new Unlowerable(`tag with a ${value.kind}`);
  }
}

function typeOf({ kind }: ScalarValue): 'number' | 'bool' | null {
  if (kind === 'bool') return 'bool';
  return kind === 'int' || kind === 'decimal' || kind === 'tokens' || kind === 'bytes' ? 'number' : null;
}

/** For each tag that rules give different values: a rule that denies where two of the values are given. */
export function tagConflicts(rules: readonly Rule[]): Rule[] {
  const given = rules.flatMap((rule) =>
    rule.effects.flatMap((effect) => (effect.kind === 'tag' ? [{ rule, tag: effect }] : [])),
  );
  const names = [...new Set(given.map(({ tag }) => tag.name))].sort();
  return names.flatMap((name): Rule[] => {
    const ofName = given.filter(({ tag }) => tag.name === name);
    const values = [...new Set(ofName.map(({ tag }) => literalOf(tag)))].sort();
    if (values.length < 2) return [];
    const conditions = values.map((value) =>
      or(ofName.flatMap(({ rule, tag }) => (literalOf(tag) === value ? [conditionOf(rule)] : []))),
    );
    const pairs = conditions.flatMap((one, at) => conditions.slice(at + 1).map((other) => and([one, other])));
    return [
      {
        name: `tag ${name}`,
        cites: [],
        reads: [...new Set(ofName.flatMap(({ rule }) => rule.reads))].sort((a, b) => a - b),
        when: { kind: 'all', expr: or(pairs) },
        effects: [{ kind: 'deny', message: `rules give the tag \`${name}\` different values` }],
        span: ofName[0]!.rule.span,
      },
    ];
  });
}

function literalOf({ value, type }: Tag): string {
  return `${type ?? 'text'} ${value}`;
}

/** Documents are written without a model. */
function conditionOf({ when }: Rule): Expr {
  if (when.kind === 'each') throw new Unlowerable('a condition on the model here');
  return when.expr;
}
