/**
 * Which facts the decision on an event may read: with all of these supplied, none has failed. What a budget reads where
 * it applies is among them, although without it those pass to whom the budget does not apply.
 */
import type { DecisionEvent } from './decision.ts';
import type { EventPlan, FactId, Plan, Rule } from './plan.ts';

export interface DecidedEvent {
  readonly event: DecisionEvent;
  readonly store?: string;
  /** Tool call: of which tool, null for one of none. */
  readonly tool?: string | null;
  /** Sorted, without doubles. */
  readonly reads: readonly FactId[];
}

/** Every event that the plan decides: a retrieval is two, the request and the chunk. In the plan's order. */
export function decidedEvents(plan: Plan): readonly DecidedEvent[] {
  return plan.events.flatMap((event) => eventsOf(plan, event));
}

function eventsOf(plan: Plan, event: EventPlan): readonly DecidedEvent[] {
  switch (event.kind) {
    case 'prompt': {
      const strata = factsAt(plan, ['prompt.requested_model', 'prompt.output_tokens', 'prompt.tokens_estimate']);
      const cost = event.budgets.length === 0 ? [] : factsAt(plan, ['prompt.input_tokens_bound', 'prompt.choices']);
      const budgets = event.budgets.flatMap((budget) => [
        ...budget.reads,
        budget.headroom,
        ...budget.thresholds.flatMap((threshold) => [...threshold.reads, budget.spent]),
      ]);
      const others = [
        ...event.classify,
        ...event.limits,
        ...event.requirements,
        ...event.routes.flatMap((route) => route.preferences),
        ...event.rules,
      ].flatMap((each) => each.reads);
      return [{ event: 'prompt', reads: sorted([...strata, ...cost, ...budgets, ...others]) }];
    }
    case 'completion':
      return [
        {
          event: 'completion',
          reads: sorted([...event.classify.flatMap((each) => each.reads), ...readsOfRules(event.rules)]),
        },
      ];
    case 'tool_call':
      return [
        {
          event: 'tool_call',
          tool: event.tool,
          reads: sorted([...readsOfRules(event.rules), ...event.rules.flatMap(readsOfChunkEffects)]),
        },
      ];
    case 'retrieval':
      return [
        { event: 'retrieval', store: event.store, reads: readsOfRules(event.requestRules) },
        {
          event: 'chunk',
          store: event.store,
          reads: sorted([...readsOfRules(event.rules), ...event.rules.flatMap(readsOfChunkEffects)]),
        },
      ];
    case 'ingest':
      return [{ event: 'ingest', store: event.store, reads: readsOfRules(event.rules) }];
    case 'egress':
    case 'exchange':
      return [{ event: event.kind, reads: readsOfRules(event.rules) }];
  }
}

function readsOfRules(rules: readonly Rule[]): readonly FactId[] {
  return sorted(rules.flatMap((rule) => rule.reads));
}

function readsOfChunkEffects(rule: Rule): readonly FactId[] {
  return rule.effects.flatMap((effect) =>
    effect.kind === 'allow_chunk' || effect.kind === 'withhold_chunk'
      ? effect.reads
      : effect.kind === 'keep_newest'
        ? [effect.version, effect.key]
        : [],
  );
}

function factsAt(plan: Plan, paths: readonly string[]): readonly FactId[] {
  return plan.facts.filter((fact) => paths.includes(fact.path.join('.'))).map((fact) => fact.id);
}

function sorted(facts: readonly FactId[]): readonly FactId[] {
  return [...new Set(facts)].sort((a, b) => a - b);
}
