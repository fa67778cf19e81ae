/** Rules: event, place, conditions, effects, and what they may not read. */
import { attributesOf, readsModel } from '../condition-facts.ts';
import { type Diagnostic, diagnostic, type Help, help, label } from '../diagnostic.ts';
import { EVENT_WORDING } from '../events.ts';
import { EFFECT_KINDS } from '../grammar/clauses-of.ts';
import { printCondition } from '../print/print-condition.ts';
import type { Condition, Effect, Rule } from '../program.ts';
import type { Clause, ConditionNode, EffectClause, EventNode } from '../syntax-tree.ts';
import { checkMeta, checkOnce, checkWhereUnless, clauseOf } from './clauses.ts';
import { conditionScope } from './condition-scope.ts';
import { byName, type Context, type DeclarationOf, report, resolve } from './context.ts';
import { checkEffect } from './effects.ts';

const effectKinds: ReadonlySet<string> = new Set(EFFECT_KINDS);

export function checkRules(context: Context): Rule[] {
  return byName([...context.named.rule.values()].map((node) => checkRule(context, node)));
}

/** A rule with errors is given back as far as it goes: the program is dropped then. */
function checkRule(context: Context, node: DeclarationOf<'rule'>): Rule {
  const { event } = node.event;
  const place = checkPlace(context, node.event);
  checkOnce(context, node.clauses);
  const scope = conditionScope(context, node.name.text, event, place);
  const { where, unless, inner } = checkWhereUnless(scope, node.clauses, 'where');
  const effects = node.clauses.filter(isEffect);
  if (effects.length === 0) {
    report(
      context,
      diagnostic('E0405', node.name.span, `the rule \`${node.name.text}\` does nothing`, {
        help: [help('write what it does, such as `deny "…"`')],
      }),
    );
  }
  const checked = effects.map((effect) => checkEffect(inner, effect)).filter((effect) => effect !== null);
  checkModelDeny(context, node, checked, [where, unless]);
  checkSentClassification(context, node, [where, unless]);
  return {
    name: node.name.text,
    title: node.title?.value ?? null,
    event,
    store: place.store,
    tool: place.tool,
    where,
    unless,
    effects: checked,
    meta: checkMeta(context, node.clauses),
    span: node.span,
    nameSpan: node.name.span,
  };
}

function isEffect(clause: Clause): clause is EffectClause {
  return effectKinds.has(clause.kind);
}

function checkPlace(
  context: Context,
  node: EventNode,
): { readonly store: string | null; readonly tool: string | null } {
  if (node.of === null) return { store: null, tool: null };
  if (node.event === 'retrieval' || node.event === 'ingest') {
    resolve(context, 'store', node.of);
    return { store: node.of.text, tool: null };
  }
  if (node.event === 'toolCall') {
    resolve(context, 'tool', node.of);
    return { store: null, tool: node.of.text };
  }
  report(
    context,
    diagnostic('E0408', node.of.span, `${EVENT_WORDING[node.event]} has no place of its own`, {
      help: [help('leave the name out, and say what you mean with `where`')],
    }),
  );
  return { store: null, tool: null };
}

/** The model is chosen among those that are left, so a denial cannot depend on it. */
function checkModelDeny(
  context: Context,
  node: DeclarationOf<'rule'>,
  effects: readonly Effect[],
  conditions: readonly (Condition | null)[],
): void {
  const deny = effects.find((effect) => effect.kind === 'deny');
  if (node.event.event !== 'prompt' || deny === undefined) return;
  const read = conditions
    .map((condition) => (condition === null ? null : readsModel(condition)))
    .find((each) => each !== null);
  if (read === undefined || read === null) return;
  report(
    context,
    diagnostic('E0403', deny.span, 'this `deny` depends on the model, which is chosen only after', {
      labels: [label(read.span, 'the model is read here')],
      help: [useOnlyFix(node, deny.span)],
    }),
  );
}

function useOnlyFix(node: DeclarationOf<'rule'>, denySpan: Diagnostic['span']): Help {
  const advice = 'say which models may be used: `use only models where …`';
  const where = clauseOf(node.clauses, 'where');
  if (where === null || clauseOf(node.clauses, 'unless') !== null) return help(advice);
  const operands = where.condition.kind === 'and' ? where.condition.operands : [where.condition];
  const ofModel = operands.filter(mentionsModel);
  const others = operands.filter((operand) => !mentionsModel(operand));
  const [first, ...more] = ofModel;
  if (first === undefined) return help(advice);
  const negated =
    more.length === 0 ? negate(first) : `not (${ofModel.map((operand) => printCondition(operand, 0)).join(' and ')})`;
  const fix = `use only models where ${negated}`;
  const kept = others.map((operand) => printCondition(operand, 0)).join(' and ');
  const edits =
    others.length === 0
      ? [
          {
            span: { ...where.span, end: denySpan.end },
            text: fix,
          },
        ]
      : [
          { span: where.span, text: `where ${kept}` },
          { span: denySpan, text: fix },
        ];
  const between = node.clauses.filter(
    (clause) => clause.span.start > where.span.end && clause.span.end < denySpan.start,
  );
  return {
    message: `say which models may be used: \`${fix}\``,
    edits: others.length === 0 && (between.length > 0 || denySpan.start < where.span.end) ? [] : edits,
  };
}

function mentionsModel(node: ConditionNode): boolean {
  switch (node.kind) {
    case 'and':
    case 'or':
      return node.operands.some(mentionsModel);
    case 'not':
      return mentionsModel(node.operand);
    case 'group':
      return mentionsModel(node.inner);
    case 'quantified':
      return mentionsModel(node.body);
    case 'switchOn':
      return false;
    case 'relation':
      return (
        node.left.parts[0]?.text === 'model' ||
        ('right' in node.relation &&
          node.relation.right.kind === 'path' &&
          node.relation.right.parts[0]?.text === 'model')
      );
  }
}

function negate(node: ConditionNode): string {
  if (
    node.kind !== 'relation' ||
    node.relation.kind === 'contains' ||
    node.relation.kind === 'overlaps' ||
    node.relation.kind === 'holds'
  ) {
    return `not (${printCondition(node, 0)})`;
  }
  return printCondition({ ...node, negated: !node.negated }, 0);
}

/** It is what is left after redaction, so no redaction may read it. */
function checkSentClassification(
  context: Context,
  node: DeclarationOf<'rule'>,
  conditions: readonly (Condition | null)[],
): void {
  const redact = node.clauses.find((clause) => clause.kind === 'redact');
  if (redact === undefined) return;
  const read = conditions
    .flatMap((condition) => (condition === null ? [] : attributesOf(condition)))
    .find((each) => each.root === 'prompt' && each.name === 'sent_classification');
  if (read === undefined) return;
  report(
    context,
    diagnostic('E0404', read.span, '`prompt.sent_classification` is known only after redaction', {
      labels: [label(redact.span, 'this redaction would depend on itself')],
      help: [
        {
          message: 'read `prompt.classification`, the class of what came',
          edits: [{ span: read.span, text: 'prompt.classification' }],
        },
      ],
    }),
  );
}
