/** The planted faults, by kind of node. */
import { isList, type Json, type Mutation } from './mutants.ts';

type Node = { readonly [key: string]: Json };

export const MUTATIONS: readonly Mutation[] = [
  // Conditions.
  ofKind('const', 'flipped', (node) => [{ ...node, value: node['value'] !== true }]),
  ofKind('not', 'dropped', (node) => [node['of']!]),
  ofKind('and', 'read as or', (node) => [{ ...node, kind: 'or' }]),
  ofKind('and', 'a part dropped', (node) => withoutEach(node, 'of')),
  ofKind('or', 'read as and', (node) => [{ ...node, kind: 'and' }]),
  ofKind('or', 'a part dropped', (node) => withoutEach(node, 'of')),
  ofKind('known', 'always', () => [{ kind: 'const', value: true }]),
  ofKind('is_true', 'negated', (node) => [{ kind: 'not', of: node }]),
  operator('le', 'lt'),
  operator('lt', 'le'),
  operator('ge', 'gt'),
  operator('gt', 'ge'),
  operator('eq', 'ge'),
  ofKind('compare', 'sides swapped', (node) => [{ ...node, left: node['right']!, right: node['left']! }]),
  ofKind('number', 'off by one', (node) =>
    typeof node['value'] === 'number' ? [{ ...node, value: node['value'] + 1 }] : [],
  ),
  ofKind('rank', 'another member', (node, plan) =>
    members(plan, node['enum'])
      .filter((member) => member !== node['member'])
      .map((member) => ({ ...node, member })),
  ),
  ofKind('classification', 'the base instead', (_, plan) =>
    plan.classification === undefined
      ? []
      : [{ kind: 'rank', enum: plan.classification.enum, member: plan.classification.base }],
  ),
  ofKind('text_equals', 'read as contains', (node) =>
    kindOf(node['right']) === 'text' && kindOf(node['left']) !== 'text'
      ? [{ kind: 'text_contains', text: node['left']!, part: (node['right'] as Node)['value']! }]
      : [],
  ),
  ofKind('text_contains', 'read as equals', (node) => [
    { kind: 'text_equals', left: node['text']!, right: { kind: 'text', value: node['part']! } },
  ]),
  ofKind('contains', 'negated', (node) => [{ kind: 'not', of: node }]),
  ofKind('overlaps', 'read as subset', (node) => [{ ...node, kind: 'subset' }]),
  ofKind('subset', 'read as overlaps', (node) => [{ ...node, kind: 'overlaps' }]),
  ofKind('members', 'one dropped', (node) => withoutEach(node, 'values')),
  ofKind('some', 'read as every', (node) => [{ ...node, kind: 'every' }]),
  ofKind('every', 'read as some', (node) => [{ ...node, kind: 'some' }]),
  ofKind('each', 'exprs rotated', (node) =>
    isList(node['exprs']) ? [{ ...node, exprs: [...node['exprs'].slice(1), ...node['exprs'].slice(0, 1)] }] : [],
  ),

  // Effects.
  ofKind('allow', 'dropped', () => [{ kind: 'buffer' }], 'effects'),
  ofKind('deny', 'dropped', () => [{ kind: 'buffer' }], 'effects'),
  ofKind('deny', 'another message', (node) => [{ ...node, message: 'Other' }], 'effects'),
  ofKind('redact', 'weakest mode', (node) => (node['as'] === 0 ? [] : [{ ...node, as: 0 }])),
  ofKind('redact', 'including restored flipped', (node) => [
    { ...node, includingRestored: node['includingRestored'] !== true },
  ]),
  ofKind('redact', 'a detector dropped', (node) => withoutEach(node, 'detectors')),
  ofKind('hold', 'dropped', () => [{ kind: 'buffer' }], 'effects'),
  ofKind('hold', 'one approval more', (node) => [{ ...node, approvals: Number(node['approvals']) + 1 }]),
  ofKind('hold', 'another time', (node) => [{ ...node, milliseconds: Number(node['milliseconds']) + 1 }]),
  ofKind('hold', 'other reviewers', (node) => [{ ...node, reviewers: 'other' }]),
  ofKind('keep', 'dropped', () => [{ kind: 'buffer' }], 'effects'),
  ofKind('keep', 'other reviewers', (node) => [{ ...node, reviewers: 'other' }]),
  ofKind('keep', 'another time', (node) => [{ ...node, milliseconds: Number(node['milliseconds']) + 1 }]),
  ofKind('tag', 'another value', (node) => [{ ...node, value: 'other' }]),
  ofKind('set', 'another value', (node) => [{ ...node, value: 'other' }]),
  ofKind('set', 'another field', (node) => [{ ...node, field: 'other' }]),
  ofKind('allow_chunk', 'read as allow', () => [{ kind: 'allow' }]),
  ofKind('withhold_chunk', 'negated', (node) => [{ ...node, unless: { kind: 'not', of: node['unless']! } }]),
  ofKind('withhold_chunk', 'dropped', () => [{ kind: 'buffer' }]),
  ofKind('keep_newest', 'facts not read', () => [{ kind: 'buffer' }]),

  // Whoever is told: it counts where no model is left.
  inList('rules', 'tells nobody', ({ notify, ...node }) => (notify === undefined ? [] : [node])),

  // Failure.
  ...['rules', 'classify', 'limits', 'requirements', 'budgets', 'thresholds', 'preferences', 'effects'].map((list) =>
    inList(list, 'a read dropped', (node) => withoutEach(node, 'reads')),
  ),
  at(
    (path) => path[0] === 'facts' && path.length === 2,
    'fact: fails closed flipped',
    (node) => [{ ...node, failsClosed: node['failsClosed'] !== true }],
  ),
  at(
    (path) => path[0] === 'facts' && path.length === 2,
    'fact: absent fails',
    (node) => (kindOf(node['absent']) === 'fails' ? [] : [{ ...node, absent: { kind: 'fails' } }]),
  ),
  at(
    (path) => path[0] === 'facts' && path.length === 2,
    'fact: absent is unknown',
    (node) => (kindOf(node['absent']) === 'unknown' ? [] : [{ ...node, absent: { kind: 'unknown' } }]),
  ),
  at(
    (path) => path.length === 0,
    'on failure flipped',
    (node) => [{ ...node, onFailure: node['onFailure'] === 'deny' ? 'allow' : 'deny' }],
  ),

  // Reading of facts.
  at(
    (path) => path.at(-1) === 'type' && path.length === 3,
    'number: another scale',
    (node) => (typeof node['scale'] === 'number' ? [{ ...node, scale: node['scale'] + 1 }] : []),
  ),
  at(
    (path) => path.at(-1) === 'type' && path.length === 3,
    'collection: one more',
    (node) => (typeof node['most'] === 'number' ? [{ ...node, most: node['most'] + 1 }] : []),
  ),
  at(
    (path) => path[0] === 'enums' && path.length === 2,
    'enum: ranks reversed',
    (node) =>
      node['ordered'] === true && isList(node['members']) ? [{ ...node, members: node['members'].toReversed() }] : [],
  ),
  at(
    (path) => path[0] === 'enums' && path.length === 2,
    'enum: a member more',
    (node) => (isList(node['members']) ? [{ ...node, members: [...node['members'], 'other'] }] : []),
  ),

  // Strata of the prompt.
  at(
    (path) => path.length === 0,
    'classification: another base',
    (node, plan) =>
      members(plan, 'classification')
        .map((base) => ({ ...node, classification: { enum: 'classification', base } }))
        .filter(() => plan.classification !== undefined),
  ),
  inList('classify', 'another member', (node, plan) =>
    members(plan, 'classification').map((member) => ({ ...node, member })),
  ),
  inList('limits', 'off by one', (node) =>
    typeof node['tokens'] === 'number' ? [{ ...node, tokens: node['tokens'] + 1 }] : [],
  ),
  inList('budgets', 'levels swapped', (node) => [{ ...node, headroom: node['spent']!, spent: node['headroom']! }]),
  inList('budgets', 'counts something else', ({ counts, ...node }) =>
    ['requests', 'tokens'].filter((other) => other !== counts).map((other) => ({ ...node, counts: other })),
  ),
  inList('thresholds', 'later', (node) =>
    typeof node['percent'] === 'number' ? [{ ...node, percent: node['percent'] + 5 }] : [],
  ),
  inList('budgets', 'levels looked at before the condition', (node) => readingMore(node, [node['headroom']!])),
  inList('budgets', 'thresholds looked at before the condition', (node) =>
    isList(node['thresholds']) && node['thresholds'].length > 0 ? readingMore(node, [node['spent']!]) : [],
  ),
  inList('budgets', "the prompt's counts looked at before the condition", (node, plan) =>
    readingMore(
      node,
      plan.facts
        .filter(({ path }) => ['prompt.input_tokens_bound', 'prompt.choices'].includes(path.join('.')))
        .map(({ id }) => id),
    ),
  ),
  inList('budgets', 'always applies', (node) => [{ ...node, applies: { kind: 'const', value: true } }]),
  inList('budgets', 'never applies', (node) => [{ ...node, applies: { kind: 'const', value: false } }]),
  dropFrom('classify'),
  dropFrom('limits'),
  dropFrom('requirements'),
  dropFrom('budgets'),
  dropFrom('thresholds'),
  dropFrom('routes'),
  dropFrom('preferences'),
  dropFrom('rules'),
  dropFrom('requestRules'),
  inList('routes', 'preferences swapped', (node) =>
    isList(node['preferences']) ? [{ ...node, preferences: node['preferences'].toReversed() }] : [],
  ),
  // A second one for any name would be no plan: OPA refuses it, and every other mutant with it.
  inList('routes', 'any name', (node, plan) =>
    kindOf(node['requested']) === 'name' && !servesAnyName(plan) ? [{ ...node, requested: { kind: 'any' } }] : [],
  ),
  inList('preferences', 'requested instead', (node) => [{ ...node, target: { kind: 'requested' } }]),
  inList('preferences', 'cheapest instead', (node) => [{ ...node, target: { kind: 'cheapest' } }]),
  at(
    (path) => path.length === 0,
    'models by price reversed',
    (node) => (isList(node['byPrice']) ? [{ ...node, byPrice: node['byPrice'].toReversed() }] : []),
  ),
  ...['inputPrice', 'outputPrice'].map((price) =>
    at(
      (path) => path[0] === 'models' && path.length === 2,
      `model: ${price} off by one`,
      (node) => (typeof node[price] === 'number' ? [{ ...node, [price]: node[price] + 1 }] : []),
    ),
  ),
  ...['context', 'maxOutput'].map((field) =>
    at(
      (path) => path[0] === 'models' && path.length === 2,
      `model: another ${field}`,
      (node) => (typeof node[field] === 'number' ? [{ ...node, [field]: Math.floor(node[field] / 2) }] : []),
    ),
  ),
  at(
    (path) => path[0] === 'models' && path.length === 2,
    'model: another wire name',
    (node) => [{ ...node, wireName: 'auto' }],
  ),
  at(
    (path) => path[0] === 'events' && path.length === 2,
    'event: default flipped',
    (node) => [{ ...node, default: node['default'] === 'deny' ? 'allow' : 'deny' }],
  ),
  at(
    (path) => path.length === 0,
    'an event dropped',
    (node) => withoutEach(node, 'events'),
  ),
];

/**
 * Nodes of one kind. Facts' `absent` and `source` have kinds of the same names and are left alone; `list` asks for
 * members of that list.
 */
function ofKind(
  kind: string,
  how: string,
  edit: (node: Node, plan: Parameters<Mutation['edit']>[2]) => readonly Json[],
  list?: string,
): Mutation {
  return {
    name: `${kind}: ${how}`,
    edit: (node, path, plan) =>
      node['kind'] === kind && path[0] === 'events' && path.length > 2 && (list === undefined || path.at(-2) === list)
        ? edit(node, plan)
        : [],
  };
}

function operator(from: string, to: string): Mutation {
  return {
    name: `compare: ${from} read as ${to}`,
    edit: (node) => (node['kind'] === 'compare' && node['op'] === from ? [{ ...node, op: to }] : []),
  };
}

function servesAnyName({ events }: Parameters<Mutation['edit']>[2]): boolean {
  return events.some(
    (event) => event.kind === 'prompt' && event.routes.some(({ requested }) => requested.kind === 'any'),
  );
}

function inList(
  list: string,
  how: string,
  edit: (node: Node, plan: Parameters<Mutation['edit']>[2]) => readonly Json[],
): Mutation {
  return { name: `${list}: ${how}`, edit: (node, path, plan) => (path.at(-2) === list ? edit(node, plan) : []) };
}

function at(
  is: (path: readonly (string | number)[]) => boolean,
  name: string,
  edit: (node: Node, plan: Parameters<Mutation['edit']>[2]) => readonly Json[],
): Mutation {
  return { name, edit: (node, path, plan) => (is(path) ? edit(node, plan) : []) };
}

function dropFrom(list: string): Mutation {
  return { name: `${list}: one dropped`, edit: (node) => (isList(node[list]) ? withoutEach(node, list) : []) };
}

function readingMore(node: Node, facts: readonly Json[]): readonly Json[] {
  return isList(node['reads']) ? [{ ...node, reads: [...new Set([...node['reads'], ...facts])] }] : [];
}

function withoutEach(node: Node, key: string): readonly Json[] {
  const list = node[key];
  return isList(list) ? list.map((_, place) => ({ ...node, [key]: list.filter((__, other) => other !== place) })) : [];
}

function kindOf(json: Json | undefined): Json | undefined {
  return typeof json === 'object' && json !== null && !isList(json) ? json['kind'] : undefined;
}

function members(plan: Parameters<Mutation['edit']>[2], name: Json | undefined): readonly string[] {
  return plan.enums.find((each) => each.name === name)?.members ?? [];
}
