/**
 * A site: one decision that a plan makes (an event, of one store where it has one), with everything that is known of it
 * before any request: what it reads, what can fire, and in which order names are printed. The code that decides and the
 * tables that render count their bits by these lists.
 */
import {
  EVENT_CHUNK,
  EVENT_COMPLETION,
  EVENT_EGRESS,
  EVENT_EXCHANGE,
  EVENT_INGEST,
  EVENT_PROMPT,
  EVENT_RETRIEVAL,
  EVENT_TOOL_CALL,
} from '../../filters/kernel/abi.ts';
import { compareHolds, type Hold } from '../plan/hold.ts';
import { compareKeeps, type Keep } from '../plan/keep.ts';
import { compareText } from '../plan/order.ts';
import { capName } from '../plan/budget.ts';
import type { Budget, Classify, Effect, Expr, FactId, Plan, PromptEvent, Rule } from '../plan/plan.ts';
import { compareWireValues, type WireValue } from '../plan/wire-value.ts';
import { layOut, type ResultLayout } from './result-layout.ts';

export interface Site {
  readonly event: number;
  /**
   * Position of the store, 0 for events without one. Of a tool call the position of the tool, for one of none the number
   * of tools.
   */
  readonly store: number;
  readonly default: 'allow' | 'deny';
  readonly prompt?: PromptEvent;
  readonly rules: readonly SiteRule[];
  readonly classify: readonly Classify[];
  /** Retrieval: whatever the request rules say, a chunk may pass. */
  readonly passesUndecided: boolean;
  readonly chunkEffects: readonly ChunkEffect[];
  /** Facts that are read, by path. */
  readonly failed: readonly FactId[];
  /** What can fire, by name: rules, classify, limits, requirements. */
  readonly nodes: readonly string[];
  readonly classifyNodes: readonly number[];
  readonly limitNodes: readonly number[];
  readonly requirementNodes: readonly number[];
  /** What reads facts, by name. */
  readonly touches: readonly Touch[];
  readonly denials: readonly { readonly node: number; readonly rule: string; readonly message: string }[];
  readonly redactions: readonly {
    readonly node: number;
    readonly rule: string;
    readonly detector: string;
    readonly effect: Extract<Effect, { kind: 'redact' }>;
  }[];
  readonly tags: readonly {
    readonly node: number;
    readonly name: string;
    readonly value: string;
    readonly type: 'text' | 'number' | 'bool';
  }[];
  readonly sets: readonly { readonly node: number; readonly field: string; readonly value: WireValue }[];
  readonly holds: readonly { readonly node: number; readonly rule: string; readonly effect: Hold }[];
  readonly keeps: readonly { readonly node: number; readonly rule: string; readonly effect: Keep }[];
  /** Names of the rules whose chunk effects withhold, sorted; a bit for each effect. */
  readonly withheld: readonly string[];
  /** What the client is told where the effect withholds a chunk; `withheld` is the effect's bit. */
  readonly says: readonly { readonly withheld: number; readonly rule: string; readonly sentence: string }[];
  /** In the order in which reasons name them. */
  readonly removers: readonly string[];
  readonly requirementRemovers: readonly number[];
  readonly budgetRemovers: readonly number[];
  /** Budgets by name. */
  readonly reserves: readonly Budget[];
  readonly layout: ResultLayout;
}

export interface SiteRule {
  readonly rule: Rule;
  readonly node: number;
}

/**
 * A condition on a chunk that counts when its rule fires. `withheld` is its bit among those that withhold; absent for
 * what allows.
 */
export interface ChunkEffect {
  readonly node: number;
  readonly reads: readonly FactId[];
  readonly holds: Expr;
  readonly withheld?: number;
}

export interface Touch {
  readonly name: string;
  readonly reads: readonly FactId[];
  readonly failsClosed: boolean;
  /** Only counts when this route (its position) serves the request. */
  readonly route?: number;
  /** Only counts where this budget (its position) applies. */
  readonly budget?: number;
}

/** The prompt's own reads, without which nothing can be chosen. */
export const CHOICE_PATHS = ['prompt.requested_model', 'prompt.output_tokens', 'prompt.tokens_estimate'] as const;

/** The sites of a plan: in the order of its events, a retrieval's request before its chunk. */
export function sitesOf(plan: Plan): readonly Site[] {
  return plan.events.flatMap((event): Site[] => {
    switch (event.kind) {
      case 'prompt':
        return [
          site(plan, {
            event: EVENT_PROMPT,
            store: 0,
            default: event.default,
            rules: event.rules,
            classify: event.classify,
            prompt: event,
          }),
        ];
      case 'completion':
        return [
          site(plan, {
            event: EVENT_COMPLETION,
            store: 0,
            default: event.default,
            rules: event.rules,
            classify: event.classify,
          }),
        ];
      case 'tool_call': {
        const tool = plan.tools.findIndex(({ name }) => name === event.tool);
        return [
          site(plan, {
            event: EVENT_TOOL_CALL,
            store: event.tool === null ? plan.tools.length : tool,
            default: event.default,
            rules: event.rules,
          }),
        ];
      }
      case 'ingest':
        return [
          site(plan, {
            event: EVENT_INGEST,
            store: storeAt(plan, event.store),
            default: event.default,
            rules: event.rules,
          }),
        ];
      case 'egress':
        return [site(plan, { event: EVENT_EGRESS, store: 0, default: event.default, rules: event.rules })];
      case 'exchange':
        return [site(plan, { event: EVENT_EXCHANGE, store: 0, default: 'allow', rules: event.rules })];
      case 'retrieval': {
        const store = storeAt(plan, event.store);
        const isRequestRule = (rule: Rule) => event.requestRules.some((each) => each.name === rule.name);
        const passesUndecided = event.rules.some((rule) =>
          rule.effects.some(
            (effect) => effect.kind === 'allow_chunk' || (effect.kind === 'allow' && !isRequestRule(rule)),
          ),
        );
        return [
          site(plan, {
            event: EVENT_RETRIEVAL,
            store,
            default: event.default,
            rules: event.requestRules,
            passesUndecided,
          }),
          site(plan, { event: EVENT_CHUNK, store, default: event.default, rules: event.rules }),
        ];
      }
    }
  });
}

/** What a budget that applies reads to compare the worst case with what is left. */
export function costReads(plan: Plan, budget: Budget): readonly FactId[] {
  if (budget.counts === 'requests') return [budget.headroom];
  return [...new Set([budget.headroom, ...factsAt(plan, ['prompt.input_tokens_bound', 'prompt.choices'])])];
}

/** Ids of the facts at dotted paths, where the plan has them. */
export function factsAt(plan: Plan, paths: readonly string[]): readonly FactId[] {
  return plan.facts.filter((fact) => paths.includes(fact.path.join('.'))).map((fact) => fact.id);
}

interface Draft {
  readonly event: number;
  readonly store: number;
  readonly default: 'allow' | 'deny';
  readonly rules: readonly Rule[];
  readonly classify?: readonly Classify[];
  readonly prompt?: PromptEvent;
  readonly passesUndecided?: boolean;
}

function site(plan: Plan, draft: Draft): Site {
  const { event, rules, prompt, classify = [] } = draft;
  const readers = touchesOf(plan, draft);
  // Nothing denies an exchange that is over.
  const touches = event === EVENT_EXCHANGE ? [] : readers;
  const pathOf = (fact: FactId) => plan.facts[fact]!.path.join('.');
  const failed = [...new Set(readers.flatMap((reader) => reader.reads))].sort((a, b) =>
    compareText(pathOf(a), pathOf(b)),
  );

  const named = [
    ...rules.map((rule) => rule.name),
    ...classify.map((each) => each.name),
    ...(prompt?.limits ?? []).map((each) => each.rule),
    ...(prompt?.requirements ?? []).map((each) => each.rule),
  ].map((name, index) => ({ name, index }));
  const byName = named.toSorted((a, b) => compareText(a.name, b.name) || a.index - b.index);
  const nodeOf: number[] = [];
  byName.forEach(({ index }, node) => (nodeOf[index] = node));
  let taken = 0;
  const take = (count: number) => nodeOf.slice(taken, (taken += count));
  const ruleNodes = take(rules.length);
  const classifyNodes = take(classify.length);
  const limitNodes = take(prompt?.limits.length ?? 0);
  const requirementNodes = take(prompt?.requirements.length ?? 0);
  const siteRules = rules.map((rule, at) => ({ rule, node: ruleNodes[at]! }));

  const effects = siteRules.flatMap(({ rule, node }) =>
    rule.effects.map((effect) => ({ rule: rule.name, node, effect })),
  );
  const withholding = effects
    .filter(({ effect }) => effect.kind === 'withhold_chunk')
    .map(({ rule, effect }) => ({ rule, effect }))
    .sort((a, b) => compareText(a.rule, b.rule));
  const removers = removersOf(prompt);
  const withheld = isOneOfSeveral(event) ? withholding.map(({ rule }) => rule) : [];
  const nodes = byName.map(({ name }) => name);
  const preferences = Math.max(1, ...(prompt?.routes ?? []).map((route) => route.preferences.length));
  const reserves = [...(prompt?.budgets ?? [])].sort((a, b) => compareText(a.name, b.name));
  return {
    event,
    store: draft.store,
    default: draft.default,
    ...(prompt === undefined ? {} : { prompt }),
    rules: siteRules,
    classify,
    passesUndecided: draft.passesUndecided ?? false,
    chunkEffects: isOneOfSeveral(event)
      ? effects.flatMap(({ node, effect }): ChunkEffect[] => {
          if (effect.kind === 'allow_chunk') return [{ node, reads: effect.reads, holds: effect.where }];
          if (effect.kind !== 'withhold_chunk') return [];
          return [
            {
              node,
              reads: effect.reads,
              holds: effect.unless,
              withheld: withholding.findIndex((each) => each.effect === effect),
            },
          ];
        })
      : [],
    failed,
    nodes,
    classifyNodes,
    limitNodes,
    requirementNodes,
    touches,
    denials: effects
      .flatMap(({ rule, node, effect }) => (effect.kind === 'deny' ? [{ node, rule, message: effect.message }] : []))
      .sort((a, b) => compareText(a.rule, b.rule) || compareText(a.message, b.message)),
    redactions: effects
      .flatMap(({ rule, node, effect }) =>
        effect.kind === 'redact' ? effect.detectors.map((detector) => ({ node, rule, detector, effect })) : [],
      )
      .sort((a, b) => compareText(a.detector, b.detector) || compareText(a.rule, b.rule)),
    tags: effects
      .flatMap(({ node, effect }) =>
        effect.kind === 'tag'
          ? [{ node, name: effect.name, value: effect.value, type: effect.type ?? ('text' as const) }]
          : [],
      )
      .sort((a, b) => compareText(a.name, b.name) || compareText(a.value, b.value)),
    sets: effects
      .flatMap(({ node, effect }) =>
        effect.kind === 'set' ? [{ node, field: effect.field, value: effect.value }] : [],
      )
      .sort((a, b) => compareText(a.field, b.field) || compareWireValues(a.value, b.value)),
    holds: effects
      .flatMap(({ rule, node, effect }) => (effect.kind === 'hold' ? [{ node, rule, effect }] : []))
      .sort((a, b) => compareHolds({ rule: a.rule, ...a.effect }, { rule: b.rule, ...b.effect })),
    keeps: effects
      .flatMap(({ rule, node, effect }) => (effect.kind === 'keep' ? [{ node, rule, effect }] : []))
      .sort((a, b) => compareKeeps({ rule: a.rule, ...a.effect }, { rule: b.rule, ...b.effect })),
    withheld,
    says: event === EVENT_CHUNK ? saysOf(withholding) : [],
    ...removers,
    reserves,
    layout: layOut({
      failed: failed.length,
      nodes: nodes.length,
      touches: touches.length,
      withheld: withheld.length,
      removers: removers.removers.length,
      preferences: prompt === undefined ? 0 : preferences,
      reserves: reserves.length,
      detectors: plan.detectors.length,
      models: prompt === undefined ? 0 : plan.models.length,
    }),
  };
}

/** By sentence, so that the order in which they are said tells nothing of what was withheld. */
function saysOf(withholding: readonly { readonly rule: string; readonly effect: Effect }[]): Site['says'] {
  return withholding
    .flatMap(({ rule, effect }, withheld) =>
      effect.kind === 'withhold_chunk' && effect.say !== undefined ? [{ withheld, rule, sentence: effect.say }] : [],
    )
    .sort((a, b) => compareText(a.sentence, b.sentence) || a.withheld - b.withheld);
}

function touchesOf(plan: Plan, { event, rules, prompt, classify = [] }: Draft): readonly Touch[] {
  const touches: Touch[] = [
    ...rules.map(({ name, reads, failsClosed = false }) => ({ name, reads, failsClosed })),
    ...classify.map(({ name, reads }) => ({ name, reads, failsClosed: false })),
  ];
  if (isOneOfSeveral(event)) {
    for (const rule of rules) {
      for (const effect of rule.effects) {
        if (effect.kind === 'allow_chunk' || effect.kind === 'withhold_chunk')
          touches.push({ name: rule.name, reads: effect.reads, failsClosed: rule.failsClosed ?? false });
        if (effect.kind === 'keep_newest')
          touches.push({ name: rule.name, reads: [effect.version, effect.key], failsClosed: false });
      }
    }
  }
  if (prompt !== undefined) {
    touches.push({ name: 'choice of model', reads: factsAt(plan, CHOICE_PATHS), failsClosed: true });
    for (const each of prompt.limits) touches.push({ name: each.rule, reads: each.reads, failsClosed: true });
    for (const each of prompt.requirements) touches.push({ name: each.rule, reads: each.reads, failsClosed: false });
    prompt.budgets.forEach((budget, at) => {
      const name = capName(budget);
      touches.push(
        { name, reads: budget.reads, failsClosed: true },
        { name, reads: costReads(plan, budget), failsClosed: true, budget: at },
      );
      for (const threshold of budget.thresholds)
        touches.push({ name, reads: [...new Set([...threshold.reads, budget.spent])], failsClosed: true, budget: at });
    });
    prompt.routes.forEach((route, at) => {
      for (const preference of route.preferences)
        touches.push({ name: `route ${route.name}`, reads: preference.reads, failsClosed: false, route: at });
    });
  }
  return touches.filter((touch) => touch.reads.length > 0).sort((a, b) => compareText(a.name, b.name));
}

function removersOf(
  prompt: PromptEvent | undefined,
): Pick<Site, 'removers' | 'requirementRemovers' | 'budgetRemovers'> {
  if (prompt === undefined) return { removers: [], requirementRemovers: [], budgetRemovers: [] };
  const requirements = prompt.requirements
    .map((each, index) => ({ name: each.rule, index }))
    .sort((a, b) => compareText(a.name, b.name));
  const budgets = prompt.budgets
    .map((each, index) => ({ name: capName(each), index }))
    .sort((a, b) => compareText(a.name, b.name));
  const requirementRemovers: number[] = [];
  const budgetRemovers: number[] = [];
  requirements.forEach(({ index }, at) => (requirementRemovers[index] = at));
  budgets.forEach(({ index }, at) => (budgetRemovers[index] = requirements.length + at));
  return {
    removers: [...requirements, ...budgets].map(({ name }) => name).concat('context window'),
    requirementRemovers,
    budgetRemovers,
  };
}

/** It may be withheld while the others pass. */
function isOneOfSeveral(event: number): boolean {
  return event === EVENT_CHUNK || event === EVENT_TOOL_CALL;
}

function storeAt(plan: Plan, name: string): number {
  return plan.stores.findIndex((store) => store.name === name);
}
