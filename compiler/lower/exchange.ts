/**
 * Rules on exchanges. What cannot be enforced of them denies, as everywhere; but an exchange that is over cannot be
 * denied, so such a rule denies the prompt.
 */
import type { Program, Rule as SourceRule } from '../../dsl/program.ts';
import type { EventContext, LoweredRule } from './event-context.ts';
import { lowerRule } from './rules.ts';

/** Whether some rule is about exchanges, and there is a model to have them with. */
export function governsExchanges({ models, rules }: Program): boolean {
  return models.length > 0 && rules.some(({ event }) => event === 'exchange');
}

/** Those that are enforced. The exchange computes no classification: those of its prompt and its completion are facts. */
export function lowerExchangeRules(context: EventContext): readonly LoweredRule[] {
  const { scope, program } = context;
  const ofExchange: EventContext = {
    ...context,
    scope: { ...scope, classification: null, sent: null, store: null, tool: null },
    classificationReads: [],
  };
  return program.rules
    .filter(({ event }) => event === 'exchange')
    .map((rule) => lowerRule(rule, ofExchange))
    .filter((lowered) => !denies(lowered));
}

/** Those that deny the prompt instead. */
export function refusedExchangeRules(context: EventContext): readonly SourceRule[] {
  const enforced = new Set(lowerExchangeRules(context).flatMap(({ rule, samples }) => [rule?.name, samples[0]?.name]));
  return context.program.rules.filter(({ event, name }) => event === 'exchange' && !enforced.has(name));
}

function denies({ rule }: LoweredRule): boolean {
  return rule?.unenforced !== undefined;
}
