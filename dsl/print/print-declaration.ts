/** A declaration as lines, each with the place in the source where it begins. */
import { quote } from '../lexer.ts';
import type { Span } from '../source.ts';
import type * as Tree from '../syntax-tree.ts';
import { printClause, printEvent } from './print-clause.ts';
import { LINE_WIDTH, literal, path, printCondition } from './print-condition.ts';

export type PrintedLine = {
  readonly indent: number;
  readonly text: string;
  readonly start: number;
  /** It ends in `{`. */
  readonly opens: boolean;
  /** It is `}`. */
  readonly closes: boolean;
};

export function printDeclaration(node: Tree.Declaration): PrintedLine[] {
  const print: (node: never) => PrintedLine[] = DECLARATIONS[node.kind];
  return print(node as never);
}

type Printers = {
  readonly [K in Tree.Declaration['kind']]: (node: Extract<Tree.Declaration, { readonly kind: K }>) => PrintedLine[];
};

const DECLARATIONS: Printers = {
  policy: (node) => block(`policy ${node.name.text}`, node.span, node.entries, policyEntry),
  import: (node) => one(`import ${quote(node.path.value)} at ${quote(node.hash.value)}`, node.span),
  enum: (node) =>
    one(`${node.name.text} = ${node.members.map((name) => name.text).join(node.ordered ? ' < ' : ' | ')}`, node.span),
  caller: (node) => block('caller', node.span, node.attributes, attribute),
  callerFrom: (node) => one(`caller from ${quote(node.path.value)}`, node.span),
  models: (node) => block('models', node.span, node.attributes, attribute),
  model: (node) => block(`model ${node.name.text} ${quote(node.wireName.value)}`, node.span, node.settings, setting),
  store: (node) =>
    block(
      `store ${node.name.text} ${node.store.text} ${quote(node.collection.value)}`,
      node.span,
      node.attributes,
      attribute,
    ),
  tool: (node) =>
    block(`tool ${node.name.text} ${quote(node.wirePattern.value)}`, node.span, node.attributes, attribute),
  list: (node) =>
    one(
      `list ${node.name.text} of ${type(node.element)} from ${quote(node.feed.value)} max age ${literal(node.maxAge)}${node.maxEntries === null ? '' : ` max entries ${node.maxEntries.text}`}`,
      node.span,
    ),
  recipient: (node) =>
    one(`recipient ${node.name.text} by ${node.channel.text} ${quote(node.address.value)}`, node.span),
  reviewers: (node) => one(`reviewers ${node.name.text} from group ${quote(node.group.value)}`, node.span),
  hours: (node) => {
    const ranges = node.ranges.map(
      (range) =>
        `${range.from.text}${range.to === null ? '' : ` to ${range.to.text}`} ${range.start.text} to ${range.end.text}`,
    );
    return one(
      `hours ${node.name.text} = ${ranges.join(', ')}${node.except === null ? '' : ` except ${node.except.text}`}${node.zone === null ? '' : ` in ${quote(node.zone.value)}`}`,
      node.span,
    );
  },
  convert: (node) =>
    one(`convert ${node.from.text} at ${node.rate.text} ${node.to.text} on ${node.date.text}`, node.span),
  detector: (node) => {
    const near =
      node.near === null
        ? ''
        : ` near ${texts(node.near.words)} within ${node.near.characters.text} characters${node.near.side === 'either' ? '' : ` ${node.near.side}`}`;
    const title = node.title === null ? '' : ` ${quote(node.title.value)}`;
    return one(
      `detector ${node.name.text}${title} matches ${detectorMatch(node.match)}${near}${node.examples.length === 0 ? '' : ` examples ${texts(node.examples)}`}`,
      node.span,
    );
  },
  detectors: (node) =>
    one(`detectors ${node.name.text} = ${node.members.map((name) => name.text).join(', ')}`, node.span),
  term: (node) =>
    one(`term ${node.name.text} = ${printCondition(node.condition, node.name.text.length + 8)}`, node.span),
  rule: (node) => [
    ...one(titled('rule', node.name, node.title), node.span),
    line(1, `on ${printEvent(node.event)}`, node.event.span),
    ...clauses(node.clauses),
  ],
  classify: (node) =>
    headed(
      `classify ${printEvent(node.event)} as ${node.level === null ? 'highest of receipts' : node.level.text}`,
      0,
      node.span,
      node.clauses,
    ),
  route: (node) => [...one(titled('route', node.name, node.title), node.span), ...clauses(node.clauses)],
  budget: (node) => [...one(titled('budget', node.name, node.title), node.span), ...clauses(node.clauses)],
  rate: (node) => [...one(titled('rate', node.name, node.title), node.span), ...clauses(node.clauses)],
  waiver: (node) => [
    ...one(
      `waiver ${node.name.text} ${quote(node.title.value)} of ${node.of.map((name) => name.text).join(', ')}`,
      node.span,
    ),
    ...clauses(node.clauses),
  ],
  switch: (node) =>
    one(
      `switch ${node.name.text} ${quote(node.title.value)} by ${quote(node.by.value)}${node.max === null ? '' : ` max ${literal(node.max)}`}`,
      node.span,
    ),
  delegate: (node) =>
    one(
      `delegate to ${node.to.text} where ${printCondition(node.condition, node.to.text.length + 19)} may ${node.may.map((name) => name.text).join(', ')}`,
      node.span,
    ),
  assume: (node) =>
    one(`assume ${node.name.text} ${printCondition(node.condition, node.name.text.length + 8)}`, node.span),
  guarantee: (node) => {
    const header = titled('guarantee', node.name, node.title);
    return [
      ...one(header, node.span),
      ...headed(`never ${node.subject} sent`, 1, { ...node.span, start: node.span.start + 1 }, node.clauses),
    ];
  },
  test: (node) => block(`test ${quote(node.title.value)}`, node.span, node.steps, testStep),
};

function line(indent: number, text: string, span: Span): PrintedLine {
  return { indent, text, start: span.start, opens: false, closes: false };
}

function one(text: string, span: Span): PrintedLine[] {
  return [line(0, text, span)];
}

function clauses(nodes: readonly Tree.Clause[]): PrintedLine[] {
  return nodes.map((clause) => line(1, printClause(clause), clause.span));
}

/** The first `where` stands on the header's line if it fits. */
function headed(header: string, indent: number, span: Span, nodes: readonly Tree.Clause[]): PrintedLine[] {
  const [first, ...rest] = nodes;
  const text = first === undefined || first.kind !== 'where' ? null : printClause(first);
  if (text === null || text.includes('\n') || header.length + text.length + 1 + indent * 2 > LINE_WIDTH) {
    return [line(indent, header, span), ...clauses(nodes)];
  }
  return [line(indent, `${header} ${text}`, span), ...clauses(rest)];
}

function block<N extends { readonly span: Span }>(
  header: string,
  span: Span,
  nodes: readonly N[],
  printNode: (node: N) => string,
): PrintedLine[] {
  if (nodes.length === 0) return [line(0, `${header} {}`, span)];
  return [
    { indent: 0, text: `${header} {`, start: span.start, opens: true, closes: false },
    ...nodes.map((node) => line(1, printNode(node), node.span)),
    { indent: 0, text: '}', start: span.end - 1, opens: false, closes: true },
  ];
}

function titled(word: string, name: Tree.Name, title: Tree.Text | null): string {
  return `${word} ${name.text}${title === null ? '' : ` ${quote(title.value)}`}`;
}

function policyEntry(node: Tree.PolicyEntry): string {
  switch (node.kind) {
    case 'policyOwner':
      return `owner ${quote(node.text.value)}`;
    case 'currency':
      return `currency ${node.name.text}`;
    case 'timeZone':
      return `time zone ${quote(node.text.value)}`;
    case 'default':
      return `default ${printEvent(node.event)}: ${node.decision}`;
    case 'onFailure':
      return `on failure: ${node.decision}`;
    case 'baseClassification':
      return `base classification: ${node.name.text}`;
  }
}

function attribute(node: Tree.AttributeNode): string {
  const source =
    node.source === null
      ? ''
      : ` from ${node.source.from} ${quote(node.source.name.value)}${node.source.splitBy === null ? '' : ` split by ${quote(node.source.splitBy.value)}`}`;
  return `${node.name.text}: ${node.optional ? 'optional ' : ''}${type(node.type)}${source}${node.otherwise === null ? '' : ` else ${literal(node.otherwise)}`}`;
}

export function type(node: Tree.TypeNode): string {
  if (node.kind === 'setType') return `set of ${type(node.element)}`;
  return node.digits === null ? node.name.text : `${node.name.text} with ${node.digits.text} digits`;
}

function setting(node: Tree.Setting): string {
  return `${node.name.text}: ${literal(node.value)}`;
}

function record(settings: readonly Tree.Setting[]): string {
  return settings.length === 0 ? '{}' : `{ ${settings.map(setting).join('  ')} }`;
}

function texts(nodes: readonly Tree.Text[]): string {
  return `(${nodes.map((node) => quote(node.value)).join(', ')})`;
}

function detectorMatch(node: Tree.DetectorMatch): string {
  switch (node.kind) {
    case 'matchesPattern':
      return `\`${node.pattern.source}\`${node.ignoringCase ? ' ignoring case' : ''}`;
    case 'matchesList':
      return `list ${node.list.text}`;
  }
}

function testStep(node: Tree.TestStepNode): string {
  switch (node.kind) {
    case 'givenCaller':
      return `caller ${record(node.settings)}`;
    case 'givenNow':
      return `now ${node.date.text}`;
    case 'givenSwitch':
      return `switch ${node.name.text} ${node.on ? 'on' : 'off'}`;
    case 'givenList':
      return `list ${node.name.text} ${literal(node.entries)}`;
    case 'givenSpent':
      return `spent ${literal(node.amount)}${node.budget === null ? '' : ` of ${node.budget.text}`}`;
    case 'givenPrompt':
      return `prompt to ${literal(node.to)} ${quote(node.text.value)}${node.settings.length === 0 ? '' : ` ${record(node.settings)}`}`;
    case 'givenCompletion':
      return `completion ${quote(node.text.value)}`;
    case 'givenEgress':
      return `egress to ${quote(node.host.value)}`;
    case 'givenEnd':
      return 'exchange ends';
    case 'givenChunk':
      return `chunk ${node.store === null ? '' : `from ${node.store.text} `}${record(node.settings)}`;
    case 'givenDocument':
      return `document ${node.store === null ? '' : `into ${node.store.text} `}${record(node.settings)}`;
    case 'givenToolCall':
      return `tool call to ${node.tool.text} ${record(node.settings)}`;
    case 'expect':
      return `expect ${expectation(node.expectation)}`;
  }
}

function expectation(node: Tree.ExpectationNode): string {
  switch (node.kind) {
    case 'expectAllow':
      return 'allow';
    case 'expectDeny':
      return `deny${by(node.by)}`;
    case 'expectRedact':
      return `redact ${node.detector.text}${by(node.by)}`;
    case 'expectSent':
      return `sent ${quote(node.text.value)}`;
    case 'expectModel':
      return `model ${node.model.text}`;
    case 'expectWithheld':
      return `withheld${by(node.by)}`;
    case 'expectClassification':
      return `classification ${node.level.text}`;
    case 'expectHold':
      return `hold${by(node.by)}`;
    case 'expectRecord':
      return `record${by(node.by)}`;
    case 'expectSample':
      return `sample${by(node.by)}`;
    case 'expectTag':
      return `tag ${node.name.text} = ${literal(node.value)}`;
  }
}

function by(name: Tree.Name | null): string {
  return name === null ? '' : ` by ${name.text}`;
}
