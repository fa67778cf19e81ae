/**
 * What generated plans contain, by kind of node. The tables are typed over the plan's own unions, so a new kind does
 * not compile until it is listed, and then fails the test until it is generated.
 */
import type {
  Effect,
  EventPlan,
  Expr,
  Fact,
  FactRef,
  FactType,
  ModelExpr,
  Operand,
  Plan,
  Preference,
  Route,
  Rule,
  SetOperand,
  TextOperand,
  WhenAbsent,
} from '../../compiler/plan/plan.ts';
import type { RedactionMode } from '../../compiler/plan/redaction.ts';

type Table<K extends string> = { readonly [key in K]: true };

const EXPRS: Table<Expr['kind']> = {
  const: true,
  not: true,
  and: true,
  or: true,
  known: true,
  is_true: true,
  compare: true,
  text_equals: true,
  text_contains: true,
  contains: true,
  overlaps: true,
  subset: true,
  in_hours: true,
  some: true,
  every: true,
};
const COMPARE_OPS: Table<Extract<Expr, { kind: 'compare' }>['op']> = {
  eq: true,
  lt: true,
  le: true,
  gt: true,
  ge: true,
};
const OPERANDS: Table<Operand['kind']> = { number: true, rank: true, fact: true, field: true, classification: true };
const TEXT_OPERANDS: Table<TextOperand['kind']> = { text: true, fact: true, field: true };
const SET_OPERANDS: Table<SetOperand['kind']> = { members: true, fact: true, field: true };
const FACT_REFS: Table<FactRef['kind']> = { fact: true, field: true };
const MODEL_EXPRS: Table<ModelExpr['kind']> = { all: true, each: true };
const EFFECTS: Table<Effect['kind']> = {
  allow: true,
  deny: true,
  redact: true,
  tag: true,
  buffer: true,
  set: true,
  hold: true,
  keep: true,
  allow_chunk: true,
  withhold_chunk: true,
  keep_newest: true,
};
const MODES: Table<RedactionMode['kind']> = {
  placeholder: true,
  pseudonym: true,
  year: true,
  mask: true,
  remove: true,
};
const FACT_TYPES: Table<FactType['kind']> = {
  bool: true,
  number: true,
  text: true,
  date: true,
  enum: true,
  text_set: true,
  enum_set: true,
  collection: true,
};
const ABSENTS: Table<WhenAbsent['kind']> = { fails: true, unknown: true, else: true };
const SOURCES: Table<Fact['source']['kind']> = {
  builtin: true,
  claim: true,
  metadata: true,
  chunks: true,
  argument: true,
  budget: true,
  list: true,
  switch: true,
};
const EVENTS: Table<EventPlan['kind']> = {
  prompt: true,
  completion: true,
  tool_call: true,
  retrieval: true,
  ingest: true,
  egress: true,
  exchange: true,
};
const DEFAULTS: Table<Plan['onFailure']> = { allow: true, deny: true };
const TARGETS: Table<Preference['target']['kind']> = { model: true, requested: true, cheapest: true };
const REQUESTED: Table<Route['requested']['kind']> = { name: true, any: true };
const PARTS: Table<
  | 'classify'
  | 'classify completion'
  | 'limit'
  | 'requirement'
  | 'budget'
  | 'budget for each'
  | 'rate of requests'
  | 'rate of tokens'
  | 'threshold'
  | 'preference'
  | 'request rule'
  | 'rule that tells'
  | 'unenforced'
  | 'closed rule'
> = {
  classify: true,
  'classify completion': true,
  limit: true,
  requirement: true,
  budget: true,
  'budget for each': true,
  'rate of requests': true,
  'rate of tokens': true,
  threshold: true,
  preference: true,
  'request rule': true,
  'rule that tells': true,
  unenforced: true,
  'closed rule': true,
};

const TABLES = {
  expr: EXPRS,
  op: COMPARE_OPS,
  operand: OPERANDS,
  'text operand': TEXT_OPERANDS,
  'set operand': SET_OPERANDS,
  ref: FACT_REFS,
  when: MODEL_EXPRS,
  effect: EFFECTS,
  mode: MODES,
  type: FACT_TYPES,
  'field type': {
    bool: true,
    number: true,
    text: true,
    date: true,
    enum: true,
    text_set: true,
    enum_set: true,
  } satisfies Table<Exclude<FactType['kind'], 'collection'>>,
  absent: ABSENTS,
  source: SOURCES,
  event: EVENTS,
  default: DEFAULTS,
  target: TARGETS,
  requested: REQUESTED,
  part: PARTS,
  'on failure': DEFAULTS,
  'fails closed': { true: true, false: true },
  'including restored': { true: true, false: true },
} as const;

/** Every kind that the generators must reach, as `category: kind`. */
export const KINDS_EXPECTED: readonly string[] = Object.entries(TABLES).flatMap(([category, table]) =>
  Object.keys(table).map((kind) => `${category}: ${kind}`),
);

/** How many nodes of each kind stand in a plan, added to `counts`. */
export function countKinds(plan: Plan, counts: Map<string, number>): void {
  const count = (category: keyof typeof TABLES, kind: string | boolean): void => {
    const key = `${category}: ${kind}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  count('on failure', plan.onFailure);
  for (const fact of plan.facts) {
    count('type', fact.type.kind);
    count('absent', fact.absent.kind);
    count('source', fact.source.kind);
    count('fails closed', fact.failsClosed);
    if (fact.type.kind === 'collection') for (const field of fact.type.fields) count('field type', field.type.kind);
  }
  for (const event of plan.events) {
    count('event', event.kind);
    if (event.kind !== 'exchange') count('default', event.default);
    for (const rule of event.rules) countRule(rule);
    if (event.kind === 'retrieval') for (const _ of event.requestRules) count('part', 'request rule');
    if (event.kind === 'prompt' || event.kind === 'completion')
      for (const each of event.classify) {
        count('part', event.kind === 'prompt' ? 'classify' : 'classify completion');
        countExpr(each.when);
      }
    if (event.kind === 'prompt') countPrompt(event);
  }

  function countPrompt(event: Extract<EventPlan, { kind: 'prompt' }>): void {
    for (const each of event.limits) {
      count('part', 'limit');
      countModelExpr(each.when);
    }
    for (const each of event.requirements) {
      count('part', 'requirement');
      countModelExpr(each.removes);
    }
    for (const each of event.budgets) {
      count('part', each.each === undefined ? 'budget' : 'budget for each');
      if (each.counts !== undefined) count('part', `rate of ${each.counts}`);
      countExpr(each.applies);
      for (const threshold of each.thresholds) {
        count('part', 'threshold');
        countModelExpr(threshold.removes);
      }
    }
    for (const route of event.routes) {
      count('requested', route.requested.kind);
      for (const preference of route.preferences) {
        count('part', 'preference');
        count('target', preference.target.kind);
        countModelExpr(preference.when);
      }
    }
  }

  function countRule(rule: Rule): void {
    countModelExpr(rule.when);
    if (rule.unenforced !== undefined) count('part', 'unenforced');
    if (rule.notify !== undefined) count('part', 'rule that tells');
    if (rule.failsClosed === true) count('part', 'closed rule');
    for (const effect of rule.effects) {
      count('effect', effect.kind);
      if (effect.kind === 'redact') {
        count('mode', plan.redactions[effect.as]!.kind);
        count('including restored', effect.includingRestored);
      }
      if (effect.kind === 'allow_chunk') countExpr(effect.where);
      if (effect.kind === 'withhold_chunk') countExpr(effect.unless);
    }
  }

  function countModelExpr(when: ModelExpr): void {
    count('when', when.kind);
    for (const expr of when.kind === 'all' ? [when.expr] : when.exprs) countExpr(expr);
  }

  function countExpr(expr: Expr): void {
    count('expr', expr.kind);
    switch (expr.kind) {
      case 'const':
        return;
      case 'not':
        return countExpr(expr.of);
      case 'and':
      case 'or':
        return expr.of.forEach(countExpr);
      case 'known':
      case 'is_true':
        return count('ref', expr.fact.kind);
      case 'compare':
        count('op', expr.op);
        count('operand', expr.left.kind);
        return count('operand', expr.right.kind);
      case 'text_equals':
        count('text operand', expr.left.kind);
        return count('text operand', expr.right.kind);
      case 'text_contains':
        return count('ref', expr.text.kind);
      case 'in_hours':
        return count('ref', expr.time.kind);
      case 'contains':
        count('ref', expr.set.kind);
        return count('text operand', expr.member.kind);
      case 'overlaps':
      case 'subset':
        count('ref', expr.left.kind);
        return count('set operand', expr.right.kind);
      case 'some':
      case 'every':
        return countExpr(expr.body);
    }
  }
}
