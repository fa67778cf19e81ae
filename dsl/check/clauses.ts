/** The clauses of one declaration: once where once, present where needed; and what all share. */
import { diagnostic, help, label } from '../diagnostic.ts';
import { CLAUSE_WORDING, type ClauseKind, REPEATABLE_CLAUSES } from '../grammar/clauses-of.ts';
import type { AttributeRef, Condition, Meta } from '../program.ts';
import type { Clause, Path } from '../syntax-tree.ts';
import { attributeOf } from './attributes.ts';
import type { ConditionScope } from './condition-scope.ts';
import { checkCondition } from './conditions.ts';
import { type Context, type Named, report } from './context.ts';
import { knownWhen } from './known.ts';
import { isScalar, typeWording } from './types.ts';
import { checkDate } from './values.ts';

type ClauseOf<K extends ClauseKind> = Extract<Clause, { readonly kind: K }>;

/** The first clause of the kind, or null. */
export function clauseOf<K extends ClauseKind>(clauses: readonly Clause[], kind: K): ClauseOf<K> | null {
  return clauses.find((clause): clause is ClauseOf<K> => clause.kind === kind) ?? null;
}

export function clausesOf<K extends ClauseKind>(clauses: readonly Clause[], kind: K): ClauseOf<K>[] {
  return clauses.filter((clause): clause is ClauseOf<K> => clause.kind === kind);
}

export function checkOnce(context: Context, clauses: readonly Clause[]): void {
  const seen = new Map<ClauseKind, Clause>();
  for (const clause of clauses) {
    const earlier = seen.get(clause.kind);
    if (earlier === undefined || REPEATABLE_CLAUSES.has(clause.kind)) seen.set(clause.kind, clause);
    else {
      report(
        context,
        diagnostic('E0406', clause.span, `\`${CLAUSE_WORDING[clause.kind]}\` is written twice`, {
          labels: [label(earlier.span, 'first written here')],
          help: [isCondition(clause) ? help('join the two with `and`') : null],
        }),
      );
    }
  }
}

function isCondition(clause: Clause): boolean {
  return clause.kind === 'where' || clause.kind === 'unless' || clause.kind === 'for';
}

export function checkRequired(
  context: Context,
  node: Named,
  clauses: readonly Clause[],
  required: readonly (readonly [ClauseKind, string])[],
): void {
  for (const [kind, example] of required) {
    if (clauseOf(clauses, kind) !== null) continue;
    report(
      context,
      diagnostic('E0407', node.name.span, `\`${node.name.text}\` has no \`${CLAUSE_WORDING[kind]}\``, {
        help: [help(`write \`${example}\``)],
      }),
    );
  }
}

/** Null conditions are either not written or reported. */
export function checkWhereUnless(
  scope: ConditionScope,
  clauses: readonly Clause[],
  kind: 'where' | 'for',
): { readonly where: Condition | null; readonly unless: Condition | null; readonly inner: ConditionScope } {
  const where = clauseOf(clauses, kind);
  const unless = clauseOf(clauses, 'unless');
  const known = new Set(scope.known);
  if (where !== null) knownWhen(scope.context, where.condition, true, known);
  if (unless !== null) knownWhen(scope.context, unless.condition, false, known);
  return {
    where: where === null ? null : checkCondition({ ...scope, size: { parts: 0 } }, where.condition),
    unless: unless === null ? null : checkCondition({ ...scope, known, size: { parts: 0 } }, unless.condition),
    inner: { ...scope, known },
  };
}

export function checkMeta(context: Context, clauses: readonly Clause[]): Meta {
  const effective = clauseOf(clauses, 'effective');
  const from = effective === null ? null : checkDate(context, effective.from.text, effective.from.span);
  const until =
    effective?.until === undefined || effective.until === null
      ? null
      : checkDate(context, effective.until.text, effective.until.span);
  if (effective?.until !== undefined && effective.until !== null && from !== null && until !== null && until < from) {
    report(
      context,
      diagnostic('E0411', effective.until.span, `${until} is before ${from}`, {
        labels: [label(effective.from.span, 'it begins here')],
      }),
    );
  }
  return {
    cites: clausesOf(clauses, 'cites').map((clause) => clause.text.value),
    owner: clauseOf(clauses, 'owner')?.text.value ?? null,
    effective: from,
    until,
    waivableBy: clauseOf(clauses, 'waivableBy')?.text.value ?? null,
  };
}

/** What is counted or kept apart: one value of one attribute. */
export function checkForEach(scope: ConditionScope, path: Path): AttributeRef | null {
  const attribute = attributeOf(scope, path);
  if (attribute === null) return null;
  const text = path.parts.map((part) => part.text).join('.');
  if (!isScalar(attribute.type)) {
    report(
      scope.context,
      diagnostic('E0301', path.span, `\`${text}\` is ${typeWording(attribute.type)}, and one value is needed`),
    );
    return null;
  }
  if (attribute.optional && !scope.known.has(text)) {
    report(
      scope.context,
      diagnostic('E0306', path.span, `\`${text}\` may have no value here`, {
        labels: [label(attribute.declared, 'declared `optional`')],
        help: [help(`say before that \`${text} is known\``)],
      }),
    );
    return null;
  }
  return attribute;
}

/**
 * For whom money or requests are counted apart: what Envoy has verified of the caller. Of anything that a request says
 * itself a client would make as many accounts as it likes.
 */
export function checkForEachCaller(scope: ConditionScope, path: Path): AttributeRef | null {
  const attribute = checkForEach(scope, path);
  if (attribute === null) return null;
  const text = path.parts.map((part) => part.text).join('.');
  const isCounted = attribute.type.kind === 'text' || attribute.type.kind === 'enum';
  if (attribute.root === 'caller' && isCounted) return attribute;
  report(
    scope.context,
    diagnostic('E0530', path.span, `\`${text}\` cannot have accounts of its own`, {
      labels: [label(attribute.declared, 'declared here')],
      help: [help('name an attribute of the caller that is a text or an enum, such as `caller.id`')],
    }),
  );
  return null;
}
