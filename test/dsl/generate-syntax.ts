/**
 * Random syntax trees over every kind of node, from a seed. They are well formed, not well typed: for the printer and
 * the parser.
 */
import { CLAUSES_OF, type ClauseHolder, type ClauseKind } from '../../dsl/grammar/clauses-of.ts';
import type { Span } from '../../dsl/source.ts';
import type * as Tree from '../../dsl/syntax-tree.ts';

const DEPTH_MAX = 4;
const span: Span = { file: 'generated.writ', start: 0, end: 0 };

export function generateSyntax(seed: number, declarations: number): Tree.SyntaxFile {
  const make = new Generator(seed);
  return {
    path: 'generated.writ',
    declarations: Array.from({ length: declarations }, () => make.declaration()),
    broken: [],
    comments: [],
  };
}

class Generator {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** mulberry32, in [0, 1). */
  private random(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  private pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.random() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  private one<T>(makers: readonly (() => T)[]): T {
    return this.pick(makers)();
  }

  private some<T>(min: number, max: number, make: () => T): T[] {
    return Array.from({ length: min + Math.floor(this.random() * (max - min + 1)) }, make);
  }

  private maybe<T>(make: () => T): T | null {
    return this.random() < 0.5 ? make() : null;
  }

  private flag(): boolean {
    return this.random() < 0.5;
  }

  /** Soft words among them. */
  private name(): Tree.Name {
    return {
      kind: 'name',
      text: this.pick([
        'a',
        'b1',
        'long_name',
        'text',
        'prompt',
        'model',
        'from',
        'by',
        'time',
        'zone',
        'chunk',
        'email',
        'rule',
        'test',
        'sent',
        'X',
      ]),
      span,
    };
  }

  private anyName(): Tree.Name {
    return this.flag()
      ? this.name()
      : { kind: 'name', text: this.pick(['limit', 'where', 'owner', 'is', 'known', 'tag']), span };
  }

  private text(): Tree.Text {
    return {
      kind: 'text',
      value: this.pick([
        '',
        'plain',
        'with "quotes"',
        'back\\slash',
        'line\nbreak\ttab',
        'Ümlaut – ‘quote’ 😀',
        '// no comment',
        '\u0001',
      ]),
      span,
    };
  }

  private number(): Tree.NumberNode {
    return { kind: 'number', text: this.pick(['0', '7', '4_000', '2.50', '1M', '32k', '-3', '0.000_1']), span };
  }

  private quantity(): Tree.Quantity {
    return {
      kind: 'quantity',
      number: this.number(),
      unit: { kind: 'name', text: this.pick(['usd', 'tokens', 'hours', 'percent', 'years', 'bytes']), span },
      span,
    };
  }

  private day(): Tree.DateNode {
    return { kind: 'date', text: this.pick(['2026-01-01', '2030-12-31']), span };
  }

  private date(): Tree.DateNode {
    return this.flag() ? this.day() : { kind: 'date', text: '2026-02-03 09:30', span };
  }

  private setNode(depth = 0): Tree.SetNode {
    return { kind: 'set', elements: depth > 1 ? [] : this.some(0, 3, () => this.literal(depth + 1)), span };
  }

  private literal(depth = 0): Tree.Literal {
    return this.one<Tree.Literal>([
      () => this.name(),
      () => this.text(),
      () => this.number(),
      () => ({ kind: 'boolean', value: this.flag(), span }),
      () => this.date(),
      () => this.quantity(),
      () => ({ kind: 'price', amount: this.quantity(), per: this.quantity(), span }),
      () => this.setNode(depth),
    ]);
  }

  private path(): Tree.Path {
    return { kind: 'path', parts: [this.name(), ...this.some(0, 2, () => this.anyName())], span };
  }

  private operand(): Tree.Operand {
    return this.one<Tree.Operand>([
      () => this.path(),
      () => this.text(),
      () => this.number(),
      () => ({ kind: 'boolean', value: this.flag(), span }),
      () => this.date(),
      () => this.quantity(),
      () => this.setNode(),
    ]);
  }

  private type(): Tree.TypeNode {
    return this.one<Tree.TypeNode>([
      () => ({ kind: 'namedType', name: this.name(), digits: this.maybe(() => this.number()), span }),
      () => ({ kind: 'setType', element: this.type(), span }),
    ]);
  }

  private condition(depth = 0): Tree.ConditionNode {
    if (depth >= DEPTH_MAX || this.random() < 0.5) return this.unary(depth);
    return { kind: this.flag() ? 'and' : 'or', operands: this.some(2, 4, () => this.unary(depth + 1)), span };
  }

  private unary(depth: number): Tree.ConditionNode {
    if (depth >= DEPTH_MAX) return this.relation();
    return this.one<Tree.ConditionNode>([
      () => ({ kind: 'not', operand: this.condition(depth + 1), span }),
      () => ({ kind: 'group', inner: this.condition(depth + 1), span }),
      () => ({
        kind: 'quantified',
        quantifier: this.flag() ? 'some' : 'every',
        variable: this.name(),
        collection: this.path(),
        body: this.condition(depth + 1),
        span,
      }),
      () => ({ kind: 'switchOn', name: this.name(), span }),
      () => this.relation(),
      () => this.relation(),
      () => this.relation(),
    ]);
  }

  private relation(): Tree.ConditionNode {
    const relation = this.one<Tree.Relation>([
      () => ({ kind: 'holds', span }),
      () => ({ kind: 'known', span }),
      () => ({ kind: 'unredacted', span }),
      () => ({ kind: 'oneOf', values: this.some(1, 3, () => this.operand()), span }),
      () => ({ kind: 'inList', list: this.name(), span }),
      () => ({ kind: 'inHours', hours: this.name(), span }),
      () => ({ kind: 'approvedBy', reviewers: this.name(), span }),
      () => ({
        kind: 'compare',
        operator: this.pick(['is', 'atLeast', 'atMost', 'above', 'below'] as const),
        right: this.operand(),
        span,
      }),
      () => ({ kind: 'subsetOf', right: this.operand(), span }),
      () => {
        const any = this.flag();
        return {
          kind: 'contains',
          any,
          values: any ? this.some(1, 3, () => this.operand()) : [this.operand()],
          includingRestored: this.flag(),
          span,
        };
      },
      () => ({ kind: 'overlaps', right: this.operand(), span }),
    ]);
    const negatable = relation.kind !== 'holds' && relation.kind !== 'contains' && relation.kind !== 'overlaps';
    return { kind: 'relation', left: this.path(), negated: negatable && this.flag(), relation, span };
  }

  private clauses(holder: ClauseHolder): Tree.Clause[] {
    return this.some(0, 5, () => this.clause(this.pick([...CLAUSES_OF[holder]])));
  }

  private clause(kind: ClauseKind): Tree.Clause {
    return CLAUSES[kind](this);
  }

  // The table below reaches these.
  readonly make = {
    name: () => this.name(),
    text: () => this.text(),
    number: () => this.number(),
    quantity: () => this.quantity(),
    day: () => this.day(),
    path: () => this.path(),
    literal: () => this.literal(),
    condition: () => this.condition(),
    flag: () => this.flag(),
    maybe: <T>(make: () => T) => this.maybe(make),
    some: <T>(min: number, max: number, make: () => T) => this.some(min, max, make),
    one: <T>(makers: readonly (() => T)[]) => this.one(makers),
  };

  private event(withPlace: boolean): Tree.EventNode {
    return {
      kind: 'event',
      event: this.pick(['prompt', 'completion', 'toolCall', 'retrieval', 'ingest', 'exchange', 'egress'] as const),
      of: withPlace ? this.maybe(() => this.name()) : null,
      span,
    };
  }

  private policyEntry(): Tree.PolicyEntry {
    const decision = this.flag() ? ('allow' as const) : ('deny' as const);
    return this.one<Tree.PolicyEntry>([
      () => ({ kind: 'policyOwner', text: this.text(), span }),
      () => ({ kind: 'currency', name: this.name(), span }),
      () => ({ kind: 'timeZone', text: this.text(), span }),
      () => ({ kind: 'default', event: this.event(false), decision, span }),
      () => ({ kind: 'onFailure', decision, span }),
      () => ({ kind: 'baseClassification', name: this.name(), span }),
    ]);
  }

  private attribute(): Tree.AttributeNode {
    const source = (): Tree.AttributeSourceNode => ({
      kind: 'source',
      from: this.pick(['claim', 'metadata', 'argument'] as const),
      name: this.text(),
      splitBy: this.maybe(() => this.text()),
      span,
    });
    return {
      kind: 'attribute',
      name: this.anyName(),
      optional: this.flag(),
      type: this.type(),
      source: this.maybe(source),
      otherwise: this.maybe(() => this.literal()),
      span,
    };
  }

  private attributes(): Tree.AttributeNode[] {
    return this.some(0, 4, () => this.attribute());
  }

  private settings(min = 0): Tree.Setting[] {
    return this.some(min, 4, () => ({ kind: 'setting', name: this.anyName(), value: this.literal(), span }));
  }

  private detectorMatch(): Tree.DetectorMatch {
    return this.one<Tree.DetectorMatch>([
      () => ({
        kind: 'matchesPattern',
        pattern: { kind: 'pattern', source: this.pick(['a{2}', '[0-9]{4}-\\d', '']), span },
        ignoringCase: this.flag(),
        span,
      }),
      () => ({ kind: 'matchesList', list: this.name(), span }),
    ]);
  }

  private hoursRange(): Tree.HoursRange {
    const time = (): Tree.TimeOfDay => ({ kind: 'timeOfDay', text: this.pick(['08:00', '24:00']), span });
    const weekday = (): Tree.Name => ({ kind: 'name', text: this.pick(['monday', 'friday']), span });
    return { kind: 'hoursRange', from: weekday(), to: this.maybe(weekday), start: time(), end: time(), span };
  }

  private testStep(): Tree.TestStepNode {
    return this.one<Tree.TestStepNode>([
      () => ({ kind: 'givenCaller', settings: this.settings(), span }),
      () => ({ kind: 'givenNow', date: this.date(), span }),
      () => ({ kind: 'givenSwitch', name: this.name(), on: this.flag(), span }),
      () => ({ kind: 'givenList', name: this.name(), entries: this.setNode(), span }),
      () => ({ kind: 'givenSpent', amount: this.quantity(), budget: this.maybe(() => this.name()), span }),
      () => ({
        kind: 'givenPrompt',
        to: this.flag() ? this.name() : this.text(),
        text: this.text(),
        settings: this.flag() ? [] : this.settings(1),
        span,
      }),
      () => ({ kind: 'givenCompletion', text: this.text(), span }),
      () => ({ kind: 'givenEgress', host: this.text(), span }),
      () => ({ kind: 'givenEnd', span }),
      () => ({ kind: 'givenChunk', store: this.maybe(() => this.name()), settings: this.settings(), span }),
      () => ({ kind: 'givenDocument', store: this.maybe(() => this.name()), settings: this.settings(), span }),
      () => ({ kind: 'givenToolCall', tool: this.name(), settings: this.settings(), span }),
      () => ({ kind: 'expect', expectation: this.expectation(), span }),
      () => ({ kind: 'expect', expectation: this.expectation(), span }),
    ]);
  }

  private expectation(): Tree.ExpectationNode {
    const by = this.maybe(() => this.name());
    return this.one<Tree.ExpectationNode>([
      () => ({ kind: 'expectAllow', span }),
      () => ({ kind: 'expectDeny', by, span }),
      () => ({ kind: 'expectRedact', detector: this.name(), by, span }),
      () => ({ kind: 'expectSent', text: this.text(), span }),
      () => ({ kind: 'expectModel', model: this.name(), span }),
      () => ({ kind: 'expectWithheld', by, span }),
      () => ({ kind: 'expectClassification', level: this.name(), span }),
      () => ({ kind: 'expectHold', by, span }),
      () => ({ kind: 'expectRecord', by, span }),
      () => ({ kind: 'expectSample', by, span }),
      () => ({ kind: 'expectTag', name: this.name(), value: this.literal(), span }),
    ]);
  }

  declaration(): Tree.Declaration {
    const { name, text } = this.make;
    const title = this.maybe(text);
    return this.one<Tree.Declaration>([
      () => ({ kind: 'policy', name: name(), entries: this.some(0, 6, () => this.policyEntry()), span }),
      () => ({ kind: 'import', path: text(), hash: text(), span }),
      () => {
        const members = this.some(1, 4, name);
        return { kind: 'enum', name: name(), ordered: members.length > 1 && this.flag(), members, span };
      },
      () => ({ kind: 'caller', attributes: this.attributes(), span }),
      () => ({ kind: 'callerFrom', path: text(), span }),
      () => ({ kind: 'models', attributes: this.attributes(), span }),
      () => ({ kind: 'model', name: name(), wireName: text(), settings: this.settings(), span }),
      () => ({ kind: 'store', name: name(), store: name(), collection: text(), attributes: this.attributes(), span }),
      () => ({ kind: 'tool', name: name(), wirePattern: text(), attributes: this.attributes(), span }),
      () => ({
        kind: 'list',
        name: name(),
        element: this.type(),
        feed: text(),
        maxAge: this.quantity(),
        maxEntries: this.maybe(() => this.number()),
        span,
      }),
      () => ({ kind: 'recipient', name: name(), channel: name(), address: text(), span }),
      () => ({ kind: 'reviewers', name: name(), group: text(), span }),
      () => ({
        kind: 'hours',
        name: name(),
        ranges: this.some(1, 3, () => this.hoursRange()),
        except: this.maybe(name),
        zone: this.maybe(text),
        span,
      }),
      () => ({ kind: 'convert', from: name(), rate: this.number(), to: name(), date: this.day(), span }),
      () => {
        const near = this.maybe((): Tree.NearNode => ({
          kind: 'near',
          words: this.some(1, 3, text),
          characters: this.number(),
          side: this.pick(['before', 'after', 'either'] as const),
          span,
        }));
        return {
          kind: 'detector',
          name: name(),
          title,
          match: this.detectorMatch(),
          near,
          examples: this.some(0, 2, text),
          span,
        };
      },
      () => ({ kind: 'detectors', name: name(), members: this.some(1, 4, name), span }),
      () => ({ kind: 'term', name: name(), condition: this.condition(), span }),
      () => ({ kind: 'rule', name: name(), title, event: this.event(true), clauses: this.clauses('rule'), span }),
      () => ({ kind: 'rule', name: name(), title, event: this.event(true), clauses: this.clauses('rule'), span }),
      () => ({
        kind: 'classify',
        event: this.event(false),
        level: this.maybe(name),
        clauses: this.clauses('classify'),
        span,
      }),
      () => ({ kind: 'route', name: name(), title, clauses: this.clauses('route'), span }),
      () => ({ kind: 'budget', name: name(), title, clauses: this.clauses('budget'), span }),
      () => ({ kind: 'rate', name: name(), title, clauses: this.clauses('rate'), span }),
      () => ({
        kind: 'waiver',
        name: name(),
        title: text(),
        of: this.some(1, 2, name),
        clauses: this.clauses('waiver'),
        span,
      }),
      () => ({ kind: 'switch', name: name(), title: text(), by: text(), max: this.maybe(() => this.quantity()), span }),
      () => ({
        kind: 'delegate',
        to: name(),
        condition: this.condition(),
        may: this.some(1, 3, () => this.anyName()),
        span,
      }),
      () => ({ kind: 'assume', name: name(), condition: this.condition(), span }),
      () => ({
        kind: 'guarantee',
        name: name(),
        title,
        subject: this.pick(['prompt', 'completion', 'chunk'] as const),
        clauses: this.clauses('guarantee'),
        span,
      }),
      () => ({ kind: 'test', title: text(), steps: this.some(0, 8, () => this.testStep()), span }),
    ]);
  }
}

const CLAUSES: { readonly [K in ClauseKind]: (generator: Generator) => Extract<Tree.Clause, { readonly kind: K }> } = {
  where: ({ make }) => ({ kind: 'where', condition: make.condition(), span }),
  unless: ({ make }) => ({ kind: 'unless', condition: make.condition(), span }),
  allow: () => ({ kind: 'allow', span }),
  deny: ({ make }) => ({ kind: 'deny', reason: make.maybe(make.text), span }),
  useOnly: ({ make }) => ({ kind: 'useOnly', condition: make.condition(), span }),
  require: ({ make }) => ({ kind: 'require', condition: make.condition(), span }),
  buffer: () => ({ kind: 'buffer', span }),
  allowChunk: ({ make }) => ({ kind: 'allowChunk', condition: make.condition(), span }),
  withholdChunk: ({ make }) => ({
    kind: 'withholdChunk',
    condition: make.condition(),
    say: make.maybe(make.text),
    span,
  }),
  keepNewest: ({ make }) => ({ kind: 'keepNewest', newest: make.path(), forEach: make.path(), span }),
  redact: ({ make }) => {
    const any = make.flag();
    const mode = make.one<Tree.RedactModeNode>([
      () => ({ kind: 'placeholder', span }),
      () => ({ kind: 'mask', keepLast: make.maybe(make.number), span }),
      () => ({ kind: 'remove', span }),
      () => ({ kind: 'year', span }),
      () => ({ kind: 'pseudonym', forEach: make.path(), span }),
    ]);
    return {
      kind: 'redact',
      any,
      detectors: any ? make.some(1, 3, make.name) : [make.name()],
      includingRestored: make.flag(),
      mode,
      span,
    };
  },
  dropCall: () => ({ kind: 'dropCall', span }),
  setField: ({ make }) => ({ kind: 'setField', path: make.path(), value: make.literal(), span }),
  record: ({ make }) => ({ kind: 'record', duration: make.quantity(), span }),
  hold: ({ make }) => ({ kind: 'hold', count: make.number(), reviewers: make.name(), duration: make.quantity(), span }),
  limitTo: ({ make }) => ({ kind: 'limitTo', path: make.path(), to: make.quantity(), span }),
  tag: ({ make }) => ({ kind: 'tag', name: make.name(), value: make.literal(), span }),
  notify: ({ make }) => ({ kind: 'notify', recipient: make.name(), span }),
  sample: ({ make }) => ({ kind: 'sample', share: make.number(), reviewers: make.name(), span }),
  cites: ({ make }) => ({ kind: 'cites', text: make.text(), span }),
  owner: ({ make }) => ({ kind: 'owner', text: make.text(), span }),
  effective: ({ make }) => ({ kind: 'effective', from: make.day(), until: make.maybe(make.day), span }),
  until: ({ make }) => ({ kind: 'until', date: make.day(), span }),
  waivableBy: ({ make }) => ({ kind: 'waivableBy', text: make.text(), span }),
  forRequested: ({ make }) => ({ kind: 'forRequested', requested: make.maybe(make.text), span }),
  prefer: ({ make }) => {
    const choice = make.one<Tree.PreferChoice>([
      () => ({ kind: 'preferModel', name: make.name(), span }),
      () => ({ kind: 'preferRequested', span }),
      () => ({ kind: 'preferCheapest', span }),
    ]);
    return { kind: 'prefer', choice, condition: make.maybe(make.condition), span };
  },
  for: ({ make }) => ({ kind: 'for', condition: make.condition(), span }),
  forEach: ({ make }) => ({ kind: 'forEach', path: make.path(), span }),
  limitPer: ({ make }) => ({
    kind: 'limitPer',
    quantity: make.quantity(),
    per: make.name(),
    zone: make.maybe(make.text),
    span,
  }),
  at: ({ make }) => ({
    kind: 'at',
    percent: make.number(),
    effect: make.flag()
      ? { kind: 'notify', recipient: make.name(), span }
      : { kind: 'useOnly', condition: make.condition(), span },
    span,
  }),
  elseDeny: ({ make }) => ({ kind: 'elseDeny', reason: make.maybe(make.text), span }),
};
