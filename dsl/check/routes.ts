/** Routes: what is requested, and what is preferred in which order. */
import { diagnostic, label } from '../diagnostic.ts';
import type { Preference, Route } from '../program.ts';
import type { Clause } from '../syntax-tree.ts';
import { checkOnce, checkRequired, clauseOf, clausesOf } from './clauses.ts';
import { conditionScope } from './condition-scope.ts';
import { checkCondition } from './conditions.ts';
import { byName, type Context, report, resolve } from './context.ts';

export function checkRoutes(context: Context): Route[] {
  const served = new Map<string, { name: string; span: Route['span'] }>();
  return byName(
    [...context.named.route.values()].map((node) => {
      checkOnce(context, node.clauses);
      checkRequired(context, node, node.clauses, [
        ['forRequested', 'for requested any'],
        ['prefer', 'prefer any by price'],
      ]);
      const requested = clauseOf(node.clauses, 'forRequested');
      if (requested !== null) {
        const key = requested.requested === null ? 'any' : `"${requested.requested.value}"`;
        const earlier = served.get(key);
        if (earlier === undefined) served.set(key, { name: node.name.text, span: requested.span });
        else {
          report(
            context,
            diagnostic('E0519', requested.span, `two routes serve ${key === 'any' ? 'any request' : key}`, {
              labels: [label(earlier.span, `\`${earlier.name}\` serves it already`)],
            }),
          );
        }
      }
      const preferences = clausesOf(node.clauses, 'prefer').flatMap(
        (clause) => checkPreference(context, node.name.text, clause) ?? [],
      );
      return {
        name: node.name.text,
        title: node.title?.value ?? null,
        requested: requested?.requested?.value ?? null,
        preferences,
        span: node.span,
      };
    }),
  );
}

function checkPreference(
  context: Context,
  route: string,
  clause: Extract<Clause, { kind: 'prefer' }>,
): Preference | null {
  const scope = conditionScope(context, route, 'prompt');
  const where = clause.condition === null ? null : checkCondition(scope, clause.condition);
  const { choice } = clause;
  if (clause.condition !== null && where === null) return null;
  if (choice.kind === 'preferRequested') return { choice: { kind: 'requested' }, where, span: clause.span };
  if (choice.kind === 'preferCheapest') return { choice: { kind: 'cheapest' }, where, span: clause.span };
  return resolve(context, 'model', choice.name) === null
    ? null
    : {
        choice: { kind: 'model', model: choice.name.text },
        where,
        span: clause.span,
      };
}
