/**
 * The report that goes with every bundle: what the policy does, event by event, in words; what is scanned at each
 * endpoint; what happens on failure; the worst case of every event. `reportOf` is the data, `report-text.ts` prints it.
 */
import type { Protocol } from '../../filters/protocols/protocol.ts';
import { DOORS } from '../../proto/door.ts';
import { type DoorReport, doorReport } from '../plan/doors.ts';
import type { EventPlan, Expr, Model, ModelExpr, Plan, Rule } from '../plan/plan.ts';
import { describeCondition, describeEffect, describeExpr, money } from './describe.ts';
import { type EndpointReport, endpointReports } from './endpoint-places.ts';

export interface Report {
  readonly policy: string;
  readonly owner: string;
  readonly sourceHash: string;
  readonly compilerVersion: string;
  readonly models: readonly {
    readonly name: string;
    readonly wireName: string;
    readonly provider: string;
    readonly attributes: Model['attributes'];
    readonly worstCase: string;
  }[];
  readonly stores: readonly { readonly name: string; readonly kind: string; readonly collection: string }[];
  readonly detectors: readonly DetectorReport[];
  readonly events: readonly EventReport[];
  readonly endpoints: readonly EndpointReport[];
  readonly failure: readonly string[];
  /** How Envoy can ask the policy, and what stands against a way. */
  readonly doors: readonly DoorReport[];
  /** Rules that deny because their form is not enforced yet. */
  readonly unenforced: readonly { readonly rule: string; readonly form: string }[];
}

export interface DetectorReport {
  readonly name: string;
  readonly source: 'built in' | 'this policy';
  /** The longest text that a stream may hold back for it, in bytes; null where its engine does not say. */
  readonly holdMost: number | null;
}

export interface EventReport {
  readonly event: string;
  readonly store: string | null;
  readonly default: 'allow' | 'deny';
  readonly statements: readonly Statement[];
  /** How streamed replies are governed, for completions. */
  readonly stream: string | null;
  /** The most steps that one decision can take: nodes of conditions, each read once. */
  readonly decisionSteps: number;
}

export interface Statement {
  readonly name: string;
  readonly title: string | null;
  readonly cites: readonly string[];
  readonly when: string;
  readonly does: readonly string[];
}

/** `holdMost`: the text engine's own bound for each detector by name. */
export function reportOf(plan: Plan, protocols: readonly Protocol[], holdMost: ReadonlyMap<string, number>): Report {
  return {
    policy: plan.policy,
    owner: plan.owner,
    sourceHash: plan.sourceHash,
    compilerVersion: plan.compilerVersion,
    models: plan.models.map(({ name, wireName, provider, attributes, ...model }) => ({
      name,
      wireName,
      provider,
      attributes,
      worstCase: worstCaseOf(model, plan.currency),
    })),
    stores: plan.stores.map(({ name, kind, collection }) => ({ name, kind, collection })),
    detectors: plan.detectors.map(({ name, source }) => ({
      name,
      source: source.kind === 'builtin' ? 'built in' : 'this policy',
      holdMost: holdMost.get(name) ?? null,
    })),
    events: plan.events.map((event) => eventReport(event, plan)),
    endpoints: endpointReports(protocols),
    failure: failureModes(plan),
    doors: DOORS.map((door) => doorReport(plan, door)),
    unenforced: plan.events
      .flatMap((event) => event.rules)
      .flatMap((rule) => (rule.unenforced === undefined ? [] : [{ rule: rule.name, form: rule.unenforced }])),
  };
}

/** What one answer can cost at most when the context window is full, as the budgets reserve it. */
function worstCaseOf(
  model: Pick<Model, 'inputPrice' | 'outputPrice' | 'context' | 'maxOutput'>,
  currency: string,
): string {
  const micros =
    (BigInt(model.context) * BigInt(model.inputPrice) +
      BigInt(model.maxOutput) * BigInt(model.outputPrice) +
      999_999n) /
    1_000_000n;
  return money(Number(micros), currency);
}

function eventReport(event: EventPlan, plan: Plan): EventReport {
  const statements = [
    ...(event.kind === 'prompt' ? promptStatements(event, plan) : []),
    ...event.rules.map((rule) => ruleStatement(rule, plan)),
  ];
  return {
    event: event.kind,
    store: event.kind === 'retrieval' || event.kind === 'ingest' ? event.store : null,
    default: event.default,
    statements,
    stream: event.kind === 'completion' ? event.stream : null,
    decisionSteps: stepsOf(event),
  };
}

function ruleStatement(rule: Rule, plan: Plan): Statement {
  return {
    name: rule.name,
    title: rule.title ?? null,
    cites: rule.cites,
    when: describeCondition(rule.when, plan),
    does: rule.effects.map((effect) => describeEffect(effect, plan)),
  };
}

function promptStatements(event: EventPlan & { readonly kind: 'prompt' }, plan: Plan): Statement[] {
  const plain = { cites: [], title: null };
  return [
    ...event.classify.map((each) => ({
      ...plain,
      name: each.name,
      when: describeExpr(each.when, plan),
      does: [`the prompt is at least ${each.member}`],
    })),
    ...event.limits.map((limit) => ({
      ...plain,
      name: limit.rule,
      when: describeCondition(limit.when, plan),
      does: [`the answer has at most ${limit.tokens} tokens`],
    })),
    ...event.requirements.map((each) => ({
      ...plain,
      title: each.title ?? null,
      name: each.rule,
      when: describeCondition(each.removes, plan),
      does: ['the model may not be used'],
    })),
    ...event.budgets.map((budget) => ({
      ...plain,
      title: budget.title ?? null,
      name: budget.name,
      when: describeExpr(budget.applies, plan),
      does: [
        `at most ${money(budget.limit, plan.currency)} a ${budget.period} in ${budget.timeZone}, else deny: ${budget.message}`,
        ...budget.thresholds.map(
          ({ percent, removes }) =>
            `from ${percent} percent on a model may not be used: ${describeCondition(removes, plan)}`,
        ),
      ],
    })),
    ...event.routes.map((route) => ({
      ...plain,
      title: route.title ?? null,
      name: route.name,
      when:
        route.requested.kind === 'any'
          ? 'a model without a route of its own is requested'
          : `${JSON.stringify(route.requested.name)} is requested`,
      does: route.preferences.map(({ target, when }) => {
        const what =
          target.kind === 'model'
            ? plan.models[target.model]!.name
            : target.kind === 'requested'
              ? 'the requested model'
              : 'the cheapest model';
        const condition = describeCondition(when, plan);
        return condition === 'always' ? `prefer ${what}` : `prefer ${what} where ${condition}`;
      }),
    })),
  ];
}

function failureModes(plan: Plan): string[] {
  const otherwise =
    plan.onFailure === 'deny'
      ? 'the event is denied'
      : 'the rule is passed over, unless what failed is of the caller, of a chunk, or of a limit or budget: then the event is denied';
  return [
    `a rule that reads a fact which could not be had: ${otherwise}`,
    'the sidecar does not answer: the request is answered with an error and nothing is forwarded',
    'a body that cannot be read whole, or holds what no protocol knows: denied',
    'the control plane is away: the last verified policy stays in force; budgets are served from leases until these are used up or expire, then denied',
  ];
}

function stepsOf(event: EventPlan): number {
  const all: Expr[] = event.rules.flatMap((rule) => [
    ...exprs(rule.when),
    ...rule.effects.flatMap((effect) =>
      effect.kind === 'allow_chunk' ? [effect.where] : effect.kind === 'withhold_chunk' ? [effect.unless] : [],
    ),
  ]);
  if (event.kind === 'prompt') {
    all.push(
      ...event.classify.map((each) => each.when),
      ...event.limits.flatMap((limit) => exprs(limit.when)),
      ...event.requirements.flatMap((each) => exprs(each.removes)),
      ...event.budgets.flatMap((budget) => [
        budget.applies,
        ...budget.thresholds.flatMap((each) => exprs(each.removes)),
      ]),
      ...event.routes.flatMap((route) => route.preferences.flatMap((each) => exprs(each.when))),
    );
  }
  return all.reduce((sum, expr) => sum + sizeOf(expr), 0);
}

function exprs(condition: ModelExpr): readonly Expr[] {
  return condition.kind === 'all' ? [condition.expr] : condition.exprs;
}

function sizeOf(expr: Expr): number {
  switch (expr.kind) {
    case 'not':
      return 1 + sizeOf(expr.of);
    case 'and':
    case 'or':
      return 1 + expr.of.reduce((sum, operand) => sum + sizeOf(operand), 0);
    case 'some':
    case 'every':
      return 1 + sizeOf(expr.body);
    default:
      return 1;
  }
}
