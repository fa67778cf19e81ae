/**
 * The report that goes with every bundle: what the policy does, event by event, in words; what is scanned at each
 * endpoint; what happens on failure; the worst case of every event. `reportOf` is the data, `report-text.ts` prints it.
 */
import { describeFeeds } from './describe-feeds.ts';
import type { Protocol } from '../../filters/protocols/protocol.ts';
import type { Identity } from '../deployment/deployment.ts';
import { type Door, DOORS } from '../../proto/door.ts';
import { type DoorReport, doorReport } from '../plan/doors.ts';
import { capName } from '../plan/budget.ts';
import { isWaiver } from '../plan/waiver.ts';
import type { Budget, EventPlan, Expr, Model, ModelExpr, Plan, Rule } from '../plan/plan.ts';
import { type CallerReport, callerReport } from './callers.ts';
import {
  casesOf,
  describeDroppedCall,
  describeEffect,
  describeHours,
  describeExpr,
  describeNotified,
  grouped,
  list,
  money,
} from './describe.ts';
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
    readonly prices: string;
    /** Tokens. */
    readonly context: number;
    readonly maxOutput: number;
    /** What a request that fills the context window costs at most. */
    readonly worstCase: string;
    /** What each answer after the first adds to it. */
    readonly worstCaseMore: string;
  }[];
  readonly callers: CallerReport;
  readonly stores: readonly { readonly name: string; readonly kind: string; readonly collection: string }[];
  /** What one unit of another currency counts as. */
  readonly rates: readonly string[];
  readonly hours: readonly { readonly name: string; readonly when: string }[];
  /** What comes beside the bundle: lists, then switches. */
  readonly feeds: readonly { readonly name: string; readonly what: string }[];
  /** What must never be sent, and what sees to it. */
  readonly guarantees: readonly GuaranteeReport[];
  /** What the policy may only narrow. */
  readonly imports: readonly { readonly path: string; readonly sha256: string }[];
  readonly detectors: readonly DetectorReport[];
  readonly events: readonly EventReport[];
  readonly endpoints: readonly EndpointReport[];
  readonly failure: readonly string[];
  /** How Envoy can ask the policy, and what stands against a way. */
  readonly doors: readonly DoorReport[];
  /** The one that this bundle is built for; null where it governs no traffic. */
  readonly door: Door | null;
  /** Rules that deny because their form is not enforced yet. */
  readonly unenforced: readonly { readonly rule: string; readonly form: string }[];
}

export interface DetectorReport {
  readonly name: string;
  readonly source: 'built in' | 'this policy';
  /** The longest text that a stream may hold back for it, in bytes; null where its engine does not say. */
  readonly holdMost: number | null;
}

export interface GuaranteeReport {
  readonly name: string;
  readonly title: string | null;
  readonly cites: readonly string[];
  readonly kept: string;
}

export interface EventReport {
  readonly event: string;
  readonly store: string | null;
  /** Tool call: of which tool; null for calls of none, and for other events. */
  readonly tool: string | null;
  /** Null: nothing denies it any more. */
  readonly default: 'allow' | 'deny' | null;
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
  readonly cases: readonly {
    /** Null: whichever model it is. */
    readonly models: readonly string[] | null;
    /** `always`, or the condition in words. */
    readonly when: string;
    readonly does: readonly string[];
  }[];
}

/** `holdMost`: the text engine's own bound for each detector by name. */
export function reportOf(
  plan: Plan,
  protocols: readonly Protocol[],
  holdMost: ReadonlyMap<string, number>,
  identity: Identity | null,
  door: Door | null,
): Report {
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
      prices: `${money(model.inputPrice, plan.currency)} per 1M input tokens, ${money(model.outputPrice, plan.currency)} per 1M output tokens`,
      context: model.context,
      maxOutput: model.maxOutput,
      worstCase: money(worstCaseOf(model), plan.currency),
      worstCaseMore: money(ceilMillionth(BigInt(model.maxOutput) * BigInt(model.outputPrice)), plan.currency),
    })),
    callers: callerReport(plan, identity),
    stores: plan.stores.map(({ name, kind, collection }) => ({ name, kind, collection })),
    detectors: plan.detectors.map(({ name, source }) => ({
      name,
      source: source.kind === 'builtin' ? 'built in' : 'this policy',
      holdMost: holdMost.get(name) ?? null,
    })),
    rates: plan.conversions.map(
      ({ from, rateMillionths, date }) =>
        `${money(1_000_000, from)} counts as ${money(rateMillionths, plan.currency)}, by the rate of ${date}`,
    ),
    hours: plan.hours.map((hours) => ({ name: hours.name, when: describeHours(hours, plan) })),
    feeds: describeFeeds(plan),
    guarantees: plan.guarantees.map(({ name, title, cites, kept }) => ({
      name,
      title: title ?? null,
      cites,
      kept:
        kept === 'by_its_rules'
          ? 'no request can break it: the rules of the policy see to it'
          : `what would break it is denied, by \`guarantee ${name}\``,
    })),
    imports: plan.imports.map(({ path, sha256 }) => ({ path, sha256 })),
    events: plan.events.map((event) => eventReport(event, plan)),
    endpoints: endpointReports(protocols),
    failure: failureModes(plan),
    doors: DOORS.map((each) => doorReport(plan, each)),
    door,
    unenforced: plan.events
      .flatMap((event) => event.rules)
      .flatMap((rule) => (rule.unenforced === undefined ? [] : [{ rule: rule.name, form: rule.unenforced }])),
  };
}

/** Micro-units that a request for one answer can cost at most, the context window full. */
function worstCaseOf(model: Pick<Model, 'inputPrice' | 'outputPrice' | 'context' | 'maxOutput'>): number {
  return ceilMillionth(
    BigInt(model.context) * BigInt(model.inputPrice) + BigInt(model.maxOutput) * BigInt(model.outputPrice),
  );
}

function ceilMillionth(product: bigint): number {
  return Number((product + 999_999n) / 1_000_000n);
}

function eventReport(event: EventPlan, plan: Plan): EventReport {
  const statements = [
    ...(event.kind === 'prompt' || event.kind === 'completion' ? classifyStatements(event, plan) : []),
    ...(event.kind === 'prompt' ? promptStatements(event, plan) : []),
    ...event.rules.map((rule) => ruleStatement(rule, event.kind, plan)),
  ];
  return {
    event: event.kind,
    store: event.kind === 'retrieval' || event.kind === 'ingest' ? event.store : null,
    tool: event.kind === 'tool_call' ? event.tool : null,
    default: event.kind === 'exchange' ? null : event.default,
    statements,
    stream: event.kind === 'completion' ? event.stream : null,
    decisionSteps: stepsOf(event),
  };
}

function ruleStatement(rule: Rule, event: EventPlan['kind'], plan: Plan): Statement {
  // Of a waiver the plan holds only when it is used: what it lifts stands in the conditions of its rules.
  const told = (rule.notify ?? []).map(describeNotified);
  const does =
    rule.effects.length === 0 && isWaiver(rule)
      ? ["lift what its rules would do, and say so in the decision's record"]
      : rule.effects.map((effect) => {
          const said = describeEffect(effect, plan);
          if (effect.kind === 'withhold_chunk' && event === 'tool_call') return describeDroppedCall(effect, plan);
          return effect.kind === 'tag' && event === 'ingest'
            ? `${said}, and into the document's metadata in the place of what the caller wrote there`
            : said;
        });
  return {
    name: rule.name,
    title: rule.title ?? null,
    cites: rule.cites,
    cases: casesOf(rule.when, plan).map((each) => ({ ...each, does: [...does, ...told] })),
  };
}

function classifyStatements(
  { kind, classify }: EventPlan & { readonly kind: 'prompt' | 'completion' },
  plan: Plan,
): Statement[] {
  const what = kind === 'prompt' ? 'prompt' : 'answer';
  return classify.map(({ name, member, when }) => ({
    name,
    title: null,
    cites: [],
    cases: [{ models: null, when: describeExpr(when, plan), does: [`the ${what} is at least ${member}`] }],
  }));
}

function promptStatements(event: EventPlan & { readonly kind: 'prompt' }, plan: Plan): Statement[] {
  const removed = (removes: ModelExpr, from = ''): Statement['cases'] =>
    casesOf(removes, plan).map(({ models, when }) => ({
      models: null,
      when: [from, when].filter((part) => part !== '' && part !== 'always').join(', where ') || 'always',
      does: [`${models === null ? 'no model' : list(models, 'and')} may ${models === null ? '' : 'not '}be used`],
    }));
  const titled = ({ title, cites }: { readonly title?: string; readonly cites?: readonly string[] }) => ({
    title: title ?? null,
    cites: cites ?? [],
  });
  return [
    ...event.limits.map((limit) => ({
      ...titled(limit),
      name: limit.rule,
      cases: casesOf(limit.when, plan).map((each) => ({
        ...each,
        does: [
          `an answer has at most ${grouped(String(limit.tokens))} tokens: the request is changed to ask for no more`,
        ],
      })),
    })),
    ...event.requirements.map((each) => ({ ...titled(each), name: each.rule, cases: removed(each.removes) })),
    ...event.budgets.map((budget) => ({
      ...titled(budget),
      name: capName(budget),
      cases: [
        {
          models: null,
          when: describeExpr(budget.applies, plan),
          does: [...capInWords(budget, plan)],
        },
        ...budget.thresholds.flatMap(({ percent, removes }) => removed(removes, `${percent}% of it is spent`)),
        ...(budget.notify ?? []).map(({ percent, ...notified }) => ({
          models: null,
          when: `${percent}% of it is spent`,
          does: [describeNotified(notified)],
        })),
      ],
    })),
    ...event.routes.map((route) => ({
      ...titled(route),
      name: `route ${route.name}`,
      cases: [
        {
          models: null,
          when:
            route.requested.kind === 'any'
              ? 'a model is asked for that has no route of its own'
              : `the model ${JSON.stringify(route.requested.name)} is asked for`,
          does: route.preferences.map(({ target, when }, at) => {
            const what =
              target.kind === 'model'
                ? plan.models[target.model]!.name
                : target.kind === 'requested'
                  ? 'the model that was asked for'
                  : 'the cheapest model that may be used';
            const cases = casesOf(when, plan).map(whenOf);
            const condition = cases.length === 0 ? 'never' : cases.join('; or ');
            return `${at === 0 ? 'take' : 'else'} ${what}${condition === '' ? '' : `, ${condition}`}`;
          }),
        },
      ],
    })),
  ];
}

/** `for frontier, where …`; empty for what holds always. */
export function whenOf({ models, when }: { readonly models: readonly string[] | null; readonly when: string }): string {
  return [
    ...(models === null ? [] : [`for ${list(models, 'and')}`]),
    ...(when === 'always' ? [] : [`where ${when}`]),
  ].join(', ');
}

/** How many of the dearest requests a limit amounts to: what an officer can hold it against. */
function requestsWithin(limit: number, plan: Plan): string[] {
  const counts = plan.models.flatMap((model) => {
    const most = worstCaseOf(model);
    return most === 0 ? [] : [`${grouped(String(Math.floor(limit / most)))} on ${model.name}`];
  });
  return counts.length === 0
    ? ['no model has a price, so nothing is ever spent of it']
    : [
        `that is what so many requests cost, each with a full context and one answer as long as may be: ${list(counts, 'or')}`,
        'before a request is sent each byte of it counts as a token: near the limit one may be denied that would have cost less',
      ];
}

function failureModes(plan: Plan): string[] {
  const otherwise =
    plan.onFailure === 'deny'
      ? 'the event is denied'
      : 'the rule is passed over, unless what failed is of the caller, of a chunk, or of a limit or budget: then the event is denied';
  return [
    `a rule that reads a fact which could not be had: ${otherwise}`,
    'the gateway itself fails: the request is answered with an error and nothing is forwarded',
    'a body that cannot be read whole, or holds what no protocol knows: the request is denied; an answer of that kind does not reach the caller',
    'what is left of a budget cannot be read: requests under it are denied',
    'the control plane is away: the last verified policy stays in force; a budget lasts as far as the gateway has leased of it, then requests under it are denied',
  ];
}

function stepsOf(event: EventPlan): number {
  const all: Expr[] = event.rules.flatMap((rule) => [
    ...exprs(rule.when),
    ...rule.effects.flatMap((effect) =>
      effect.kind === 'allow_chunk' ? [effect.where] : effect.kind === 'withhold_chunk' ? [effect.unless] : [],
    ),
  ]);
  if (event.kind === 'prompt' || event.kind === 'completion') all.push(...event.classify.map((each) => each.when));
  if (event.kind === 'prompt') {
    all.push(
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

/** How much, of whom and in what time, and what becomes of a request above it. */
function capInWords({ counts, each, limit, period, timeZone, message }: Budget, plan: Plan): readonly string[] {
  const who = each === undefined ? 'all of them together' : `each value of ${plan.facts[each]!.path.join('.')}`;
  if (counts === undefined)
    return [
      `${who} ${each === undefined ? 'spend' : 'spends'} at most ${money(limit, plan.currency)} a ${period} (${timeZone})`,
      ...requestsWithin(limit, plan),
      `a request that may cost more than is left is denied: ${JSON.stringify(message)}`,
    ];
  return [
    `${who} ${each === undefined ? 'have' : 'has'} at most ${grouped(String(limit))} ${counts} a ${period} of the clock (UTC)`,
    counts === 'tokens'
      ? `a request whose tokens and those of its reply may be more than are left is denied until the next ${period}: ${JSON.stringify(message)}`
      : `one more is denied until the next ${period}: ${JSON.stringify(message)}`,
  ];
}
