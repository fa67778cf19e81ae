/**
 * Plans small enough to read in a test: a catalog of two models, one store, a handful of facts, and what the test adds.
 */
import {
  type Budget,
  type Effect,
  type EventPlan,
  type Expr,
  type Fact,
  type FactId,
  MODEL_ENUM,
  type Plan,
  type PromptEvent,
  type Route,
  type Rule,
} from '../../compiler/plan/plan.ts';
import { type RedactionMode, redactionName } from '../../compiler/plan/redaction.ts';
import { readsOf } from '../../compiler/plan/reads.ts';

const SPAN = { file: 'test.writ', start: 0, end: 1 };

const FACTS: readonly Omit<Fact, 'id'>[] = [
  claim('clearance', { type: { kind: 'enum', enum: 'classification' }, absent: { kind: 'else', value: 'public' } }),
  claim('grade', { type: { kind: 'number', scale: 2, unit: '' }, absent: { kind: 'unknown' } }),
  claim('groups', { type: { kind: 'text_set' }, absent: { kind: 'else', value: [] } }),
  claim('id', { type: { kind: 'text' } }),
  claim('region', { type: { kind: 'enum', enum: 'region' }, absent: { kind: 'unknown' } }),
  claim('verified', { type: { kind: 'bool' }, absent: { kind: 'unknown' } }),
  fact('text.found', { type: { kind: 'enum_set', enum: 'detector' } }),
  fact('prompt.requested_model', { type: { kind: 'text' }, failsClosed: true }),
  fact('prompt.input_tokens_bound', { failsClosed: true }),
  fact('prompt.tokens_estimate', { failsClosed: true }),
  fact('prompt.output_tokens', { absent: { kind: 'unknown' }, failsClosed: true }),
  fact('prompt.choices', { absent: { kind: 'else', value: 1 }, failsClosed: true }),
  fact('prompt.complexity', {}),
  fact('prompt.messages', {
    type: {
      kind: 'collection',
      most: 3,
      fields: [
        { name: 'tokens', type: { kind: 'number', scale: 0, unit: 'tokens' } },
        { name: 'labels', type: { kind: 'text_set' } },
      ],
    },
    absent: { kind: 'unknown' },
  }),
  fact('model.chosen', { type: { kind: 'enum', enum: MODEL_ENUM } }),
  fact('budget.team.headroom', { failsClosed: true, source: { kind: 'budget', budget: 'team' } }),
  fact('budget.team.spent', { failsClosed: true, source: { kind: 'budget', budget: 'team' } }),
  fact('chunk.docs.secret', {
    type: { kind: 'bool' },
    failsClosed: true,
    source: { kind: 'metadata', store: 'docs', key: 'secret' },
  }),
  fact('chunk.docs.version', { failsClosed: true, source: { kind: 'metadata', store: 'docs', key: 'version' } }),
];

function fact(path: string, more: Partial<Fact>): Omit<Fact, 'id'> {
  return {
    path: path.split('.'),
    type: { kind: 'number', scale: 0, unit: '' },
    absent: { kind: 'fails' },
    failsClosed: false,
    source: { kind: 'builtin' },
    ...more,
  };
}

function claim(name: string, more: Partial<Fact>): Omit<Fact, 'id'> {
  return fact(`caller.${name}`, { failsClosed: true, source: { kind: 'claim', claim: name }, ...more });
}

export function at(path: string): FactId {
  return FACTS.findIndex((each) => each.path.join('.') === path);
}

export function ref(path: string): { readonly kind: 'fact'; readonly fact: FactId } {
  return { kind: 'fact', fact: at(path) };
}

export const TRUE: Expr = { kind: 'const', value: true };
export const FALSE: Expr = { kind: 'const', value: false };
export const VERIFIED: Expr = { kind: 'is_true', fact: ref('caller.verified') };
/** Reads a fact whose failure the policy decides on. */
export const COMPLEX: Expr = {
  kind: 'compare',
  op: 'ge',
  left: ref('prompt.complexity'),
  right: { kind: 'number', value: 500 },
};

export function rule(name: string, when: Expr, ...effects: readonly Effect[]): Rule {
  return {
    name,
    cites: [],
    reads: readsOf(when, { classification: [] }),
    when: { kind: 'all', expr: when },
    effects,
    span: SPAN,
  };
}

export function requirement(name: string, ...removes: readonly Expr[]): PromptEvent['requirements'][number] {
  return {
    rule: name,
    reads: [...new Set(removes.flatMap((each) => readsOf(each, { classification: [] })))],
    removes: { kind: 'each', exprs: removes },
    span: SPAN,
  };
}

export function limit(name: string, when: Expr, tokens: number): PromptEvent['limits'][number] {
  return {
    rule: name,
    reads: readsOf(when, { classification: [] }),
    when: { kind: 'all', expr: when },
    tokens,
    span: SPAN,
  };
}

export function classify(name: string, when: Expr, member: string): PromptEvent['classify'][number] {
  return { name, member, reads: readsOf(when, { classification: [] }), when, span: SPAN };
}

export function route(
  name: string,
  requested: Route['requested'],
  ...preferences: readonly (readonly [Route['preferences'][number]['target'], Expr])[]
): Route {
  return {
    name,
    requested,
    preferences: preferences.map(([target, when]) => ({
      target,
      reads: readsOf(when, { classification: [] }),
      when: { kind: 'all', expr: when },
    })),
    span: SPAN,
  };
}

export function budget(applies: Expr, thresholds: Budget['thresholds'] = []): Budget {
  return {
    name: 'team',
    reads: readsOf(applies, { classification: [] }),
    applies,
    limit: 1_000,
    period: 'day',
    timeZone: 'UTC',
    headroom: at('budget.team.headroom'),
    spent: at('budget.team.spent'),
    thresholds,
    message: 'used up',
    span: SPAN,
  };
}

export const deny = (message = 'no'): Effect => ({ kind: 'deny', message });
export const ALLOW: Effect = { kind: 'allow' };
/** The modes of every small plan, weakest first. */
const REDACTIONS: readonly RedactionMode[] = [
  { kind: 'placeholder' },
  { kind: 'year' },
  { kind: 'mask', keepLast: 4 },
  { kind: 'mask', keepLast: 2 },
  { kind: 'mask', keepLast: 0 },
  { kind: 'remove' },
];
/** `as` is the mode as a decision shows it. */
export const redact = (as: string, ...detectors: readonly string[]): Effect => ({
  kind: 'redact',
  detectors,
  includingRestored: false,
  as: REDACTIONS.findIndex((mode) => redactionName(mode, []) === as),
});

export function prompt(parts: Partial<PromptEvent>): PromptEvent {
  return {
    kind: 'prompt',
    default: 'allow',
    classify: [],
    limits: [],
    requirements: [],
    budgets: [],
    routes: [],
    rules: [],
    ...parts,
  };
}

/** Models: `cheap` (id 0; context 100 tokens) and `dear` (id 1; context 10,000). */
export function plan(events: readonly EventPlan[], more: Partial<Plan> = {}): Plan {
  const model = { provider: 'openai', attributes: {}, maxOutput: 50, templateOverhead: 0, span: SPAN };
  return {
    version: 1,
    policy: 'test',
    owner: 'owner@example.org',
    currency: 'usd',
    timeZone: 'UTC',
    sourceHash: '0'.repeat(64),
    compilerVersion: '0',
    onFailure: 'deny',
    classification: { enum: 'classification', base: 'internal' },
    enums: [
      { name: 'classification', ordered: true, members: ['public', 'internal', 'restricted'] },
      { name: 'region', ordered: false, members: ['eu', 'us'] },
      { name: 'detector', ordered: false, members: ['email', 'iban'] },
      { name: MODEL_ENUM, ordered: false, members: ['cheap', 'dear'] },
    ],
    facts: FACTS.map((each, id) => ({ id, ...each })),
    models: [
      { ...model, id: 0, name: 'cheap', wireName: 'cheap-1', inputPrice: 20_000, outputPrice: 20_000, context: 100 },
      {
        ...model,
        id: 1,
        name: 'dear',
        wireName: 'dear-1',
        inputPrice: 2_500_000,
        outputPrice: 10_000_000,
        context: 10_000,
      },
    ],
    byPrice: [0, 1],
    stores: [
      {
        name: 'docs',
        kind: 'chroma',
        collection: 'docs',
        facts: [at('chunk.docs.secret'), at('chunk.docs.version')],
        span: SPAN,
      },
    ],
    detectors: [
      { name: 'email', source: { kind: 'builtin' } },
      { name: 'iban', source: { kind: 'builtin' } },
    ],
    conversions: [],
    redactions: REDACTIONS,
    zones: [],
    lists: [],
    switches: [],
    hours: [],
    guarantees: [],
    imports: [],
    tools: [],
    events,
    ...more,
  };
}

/** A prompt's input in which nothing has failed; `parts` replace whole groups' keys. */
export function promptInput(parts: { readonly [group: string]: { readonly [key: string]: unknown } } = {}): unknown {
  return {
    event: 'prompt',
    caller: { id: 'u1', region: 'eu', ...parts['caller'] },
    prompt: {
      requested_model: 'dear-1',
      input_tokens_bound: 40,
      tokens_estimate: 30,
      complexity: 100,
      ...parts['prompt'],
    },
    text: { found: [], ...parts['text'] },
    budget: { team: { headroom: 1_000_000, spent: 0, ...parts['team'] } },
  };
}
