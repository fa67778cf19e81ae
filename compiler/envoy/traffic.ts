/** What of an exchange a policy can touch: the least that Envoy has to send to the sidecar. */
import type { Plan } from '../plan/plan.ts';

export interface Traffic {
  /** Replies are read too, not only requests. */
  readonly replies: boolean;
}

/**
 * Replies are read where a rule judges them, where chunks are filtered, where a budget is settled by the usage in the
 * reply, and where a placeholder is to be restored. A policy with none of these decides on requests alone, and its
 * replies go straight through.
 */
export function trafficOf(plan: Pick<Plan, 'events' | 'redactions'>): Traffic {
  return {
    replies: plan.events.some((event) => {
      switch (event.kind) {
        case 'exchange':
          return event.rules.length > 0;
        case 'completion':
          return event.default === 'deny' || event.rules.length > 0;
        case 'tool_call':
        case 'retrieval':
          return true;
        case 'prompt':
          return (
            event.budgets.length > 0 ||
            event.rules.some((rule) =>
              rule.effects.some(
                (effect) => effect.kind === 'redact' && plan.redactions[effect.as]!.kind === 'placeholder',
              ),
            )
          );
        case 'ingest':
        case 'egress':
          return false;
      }
    }),
  };
}
