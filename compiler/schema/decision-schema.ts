/** The decision's result as a JSON Schema, with the names that this policy can answer. */
import type { Reason } from '../plan/decision.ts';
import { decidedEvents } from '../plan/event-reads.ts';
import { HOLD_APPROVALS_MAX } from '../plan/hold.ts';
import { sortedSet } from '../plan/order.ts';
import type { Plan } from '../plan/plan.ts';
import { redactionNames } from '../plan/redaction.ts';
import { DIALECT, type JsonSchema } from './json-schema.ts';

export function decisionSchema(plan: Plan): JsonSchema {
  const models = plan.models.map((model) => model.name);
  const classifications = plan.enums.find((each) => each.name === plan.classification?.enum)?.members ?? [];
  const budgets = plan.events.flatMap((event) =>
    event.kind === 'prompt' ? event.budgets.map((budget) => budget.name) : [],
  );
  const properties = {
    event: {
      description: "What was decided; null where the input was none of this policy's.",
      enum: [...new Set(decidedEvents(plan).map((event) => event.event)), null],
    },
    outcome: {
      description: 'What is held happens once its reviewers have approved it.',
      enum: ['allow', 'hold', 'deny'],
    },
    model: { description: 'The model that a prompt goes to.', enum: [...models, null] },
    classification: { description: 'The classification of a prompt.', enum: [...classifications, null] },
    redact: listOf({
      detector: oneOf(plan.detectors.map((each) => each.name)),
      as: oneOf(redactionNames(plan)),
      includingRestored: { type: 'boolean' },
      rules: TEXTS,
    }),
    outputTokens: {
      description: 'Tokens that the reply to a prompt that is not denied may have.',
      type: ['integer', 'null'],
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
    },
    reserve: listOf({
      budget: oneOf(budgets),
      amount: {
        description: "Micro-units of the policy's currency.",
        type: 'integer',
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
      },
    }),
    tags: listOf({ name: TEXT, value: TEXT }),
    set: listOf({ field: TEXT, value: { type: ['boolean', 'number', 'string'] } }),
    holds: listOf({
      rule: TEXT,
      reviewers: oneOf(reviewersOf(plan, 'hold')),
      approvals: { type: 'integer', minimum: 1, maximum: HOLD_APPROVALS_MAX },
      milliseconds: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    }),
    keeps: listOf({
      rule: TEXT,
      reviewers: { enum: [...reviewersOf(plan, 'keep'), null] },
      milliseconds: { type: ['integer', 'null'], minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    }),
    reasons: {
      description: 'Why it was denied.',
      type: 'array',
      items: { anyOf: Object.values(reasonSchemas(models)) },
    },
    fired: { description: 'Rules whose condition held.', ...TEXTS },
    failed: { description: 'Facts that could not be read.', ...TEXTS },
  } satisfies { readonly [name: string]: JsonSchema };
  return { $schema: DIALECT, title: `Result of writ/decision for policy ${plan.policy}`, ...record(properties) };
}

function reviewersOf(plan: Plan, kind: 'hold' | 'keep'): readonly string[] {
  const effects = plan.events.flatMap((event) => event.rules.flatMap((rule) => rule.effects));
  return sortedSet(effects.flatMap((effect) => (effect.kind === kind ? (effect.reviewers ?? []) : [])));
}

function reasonSchemas(models: readonly string[]): { readonly [K in Reason['kind']]: JsonSchema } {
  const reason = (
    kind: string,
    description: string,
    properties: { readonly [name: string]: JsonSchema } = {},
  ): JsonSchema => ({ description, ...record({ kind: { const: kind }, ...properties }) });
  return {
    input: reason('input', 'The input itself cannot be decided.'),
    failed: reason('failed', 'Facts that it reads could not be read.', { rule: TEXT, facts: TEXTS }),
    unknown_model: reason('unknown_model', 'No model goes by the requested name.'),
    removed: reason('removed', 'No model is left: what removed this one.', { model: oneOf(models), by: TEXTS }),
    rule: reason('rule', 'A rule denied it.', { rule: TEXT, message: TEXT }),
    withheld: reason('withheld', 'A rule withheld the chunk.', { rule: TEXT }),
    default: reason('default', 'Nothing allowed it.'),
  };
}

const TEXT: JsonSchema = { type: 'string' };
const TEXTS: JsonSchema = { type: 'array', items: TEXT };

function oneOf(names: readonly string[]): JsonSchema {
  return { enum: names };
}

function listOf(properties: { readonly [name: string]: JsonSchema }): JsonSchema {
  return { type: 'array', items: record(properties) };
}

function record(properties: { readonly [name: string]: JsonSchema }): JsonSchema {
  return { type: 'object', required: Object.keys(properties), properties, additionalProperties: false };
}
