/** Clauses, one line each. */
import { quote } from '../lexer.ts';
import type * as Tree from '../syntax-tree.ts';
import { literal, path, printCondition, printWith } from './print-condition.ts';

export function printClause(clause: Tree.Clause): string {
  return printWith<Tree.Clause>(CLAUSES, clause);
}

const EVENTS: { readonly [K in Tree.EventNode['event']]: readonly [name: string, of: string] } = {
  prompt: ['prompt', 'to'],
  completion: ['completion', 'from'],
  toolCall: ['tool call', 'to'],
  retrieval: ['retrieval', 'from'],
  ingest: ['ingest', 'into'],
  exchange: ['exchange', 'from'],
  egress: ['egress', 'to'],
};

export function printEvent(node: Tree.EventNode): string {
  const [name, of] = EVENTS[node.event];
  return node.of === null ? name : `${name} ${of} ${node.of.text}`;
}

const CLAUSES: { readonly [K in Tree.Clause['kind']]: (node: Extract<Tree.Clause, { readonly kind: K }>) => string } = {
  where: (node) => conditional('where', node.condition),
  unless: (node) => conditional('unless', node.condition),
  allow: () => 'allow',
  deny: (node) => reasoned('deny', node.reason),
  useOnly: (node) => conditional('use only models where', node.condition),
  require: (node) => conditional('require', node.condition),
  buffer: () => 'buffer',
  allowChunk: (node) => conditional('allow chunk where', node.condition),
  withholdChunk: (node) =>
    conditional('withhold chunk unless', node.condition) +
    (node.say === null ? '' : ` else say ${quote(node.say.value)}`),
  keepNewest: (node) => `keep newest ${path(node.newest)} for each ${path(node.forEach)}`,
  redact: (node) => {
    const names = node.detectors.map((name) => name.text).join(', ');
    return `redact ${node.any ? `any of (${names})` : names}${node.includingRestored ? ' including restored' : ''} as ${printWith<Tree.RedactModeNode>(MODES, node.mode)}`;
  },
  dropCall: () => 'drop call',
  setField: (node) => `set ${path(node.path)} to ${literal(node.value)}`,
  record: (node) => `record exchange for ${literal(node.duration)}`,
  hold: (node) =>
    `hold for review by ${node.count.text} of ${node.reviewers.text} up to ${literal(node.duration)} else deny`,
  limitTo: (node) => `limit ${path(node.path)} to ${literal(node.to)}`,
  tag: (node) => `tag ${node.name.text} = ${literal(node.value)}`,
  notify: (node) => `notify ${node.recipient.text}`,
  sample: (node) => `sample ${node.share.text} percent for review by ${node.reviewers.text}`,
  cites: (node) => `cites ${quote(node.text.value)}`,
  owner: (node) => `owner ${quote(node.text.value)}`,
  effective: (node) => `effective ${node.from.text}${node.until === null ? '' : ` until ${node.until.text}`}`,
  until: (node) => `until ${node.date.text}`,
  waivableBy: (node) => `waivable by ${quote(node.text.value)}`,
  forRequested: (node) => `for requested ${node.requested === null ? 'any' : quote(node.requested.value)}`,
  prefer: (node) => {
    const choice = `prefer ${printWith<Tree.PreferChoice>(CHOICES, node.choice)}`;
    return node.condition === null ? choice : conditional(`${choice} where`, node.condition);
  },
  for: (node) => conditional('for', node.condition),
  forEach: (node) => `for each ${path(node.path)}`,
  limitPer: (node) =>
    `limit ${literal(node.quantity)} per ${node.per.text}${node.zone === null ? '' : ` in ${quote(node.zone.value)}`}`,
  at: (node) => `at ${node.percent.text} percent ${printClause(node.effect)}`,
  elseDeny: (node) => reasoned('else deny', node.reason),
};

const MODES: {
  readonly [K in Tree.RedactModeNode['kind']]: (node: Extract<Tree.RedactModeNode, { readonly kind: K }>) => string;
} = {
  placeholder: () => 'placeholder',
  mask: (node) => (node.keepLast === null ? 'mask' : `mask keeping last ${node.keepLast.text}`),
  remove: () => 'remove',
  year: () => 'year',
  pseudonym: (node) => `pseudonym for each ${path(node.forEach)}`,
};

const CHOICES: {
  readonly [K in Tree.PreferChoice['kind']]: (node: Extract<Tree.PreferChoice, { readonly kind: K }>) => string;
} = {
  preferModel: (node) => node.name.text,
  preferRequested: () => 'requested',
  preferCheapest: () => 'any by price',
};

function conditional(words: string, condition: Tree.ConditionNode): string {
  return `${words} ${printCondition(condition, words.length + 3)}`;
}

function reasoned(words: string, reason: Tree.Text | null): string {
  return reason === null ? words : `${words} ${quote(reason.value)}`;
}
