/**
 * The syntax tree: what was written, before anything is known of it. Numbers, texts and names stay as written, so that
 * printing gives the same tree again. Comments are kept in the file by position. Every node has its span; no node
 * points at another but its children.
 */
import type { Span } from './source.ts';

export type SyntaxFile = {
  readonly path: string;
  readonly declarations: readonly Declaration[];
  /** Declarations that could not be read: enough is kept that uses of their name are not reported too. */
  readonly broken: readonly BrokenDeclaration[];
  readonly comments: readonly Comment[];
  /** As `SourceFile` has it. */
  readonly importedAs?: string;
};
/** `text` begins with `//`. */
export type Comment = { readonly text: string; readonly span: Span };
export type BrokenDeclaration = { readonly keyword: string; readonly name: string | null; readonly span: Span };

type Node<K extends string, T = object> = { readonly kind: K; readonly span: Span } & Readonly<T>;

// ----------------------------------------------------------------------------------------------------------------
// leaves

export type Name = Node<'name', { text: string }>;
/** `value` has its escapes resolved. */
export type Text = Node<'text', { value: string }>;
/** `text` as written: `4_000`, `2.50`, `1M`. */
export type NumberNode = Node<'number', { text: string }>;
export type BooleanNode = Node<'boolean', { value: boolean }>;
/** `2026-12-31`, or `2026-12-31 09:00`. */
export type DateNode = Node<'date', { text: string }>;
export type TimeOfDay = Node<'timeOfDay', { text: string }>;
/** The characters between the backticks. */
export type Pattern = Node<'pattern', { source: string }>;
/** `4_000 usd`, `80 percent`, `5 minutes`. */
export type Quantity = Node<'quantity', { number: NumberNode; unit: Name }>;
/** `2.50 usd per 1M tokens`. */
export type PriceNode = Node<'price', { amount: Quantity; per: Quantity }>;
export type SetNode = Node<'set', { elements: readonly Literal[] }>;
export type Literal = Name | Text | NumberNode | BooleanNode | DateNode | Quantity | PriceNode | SetNode;
export type Path = Node<'path', { parts: readonly Name[] }>;
export type Operand = Path | Exclude<Literal, Name | PriceNode>;

export type TypeNode =
  Node<'namedType', { name: Name; digits: NumberNode | null }> | Node<'setType', { element: TypeNode }>;

// ----------------------------------------------------------------------------------------------------------------
// conditions

export type ConditionNode =
  | Node<'and', { operands: readonly ConditionNode[] }>
  | Node<'or', { operands: readonly ConditionNode[] }>
  | Node<'not', { operand: ConditionNode }>
  | Node<'group', { inner: ConditionNode }>
  | Node<'quantified', { quantifier: 'some' | 'every'; variable: Name; collection: Path; body: ConditionNode }>
  | Node<'switchOn', { name: Name }>
  | Node<'relation', { left: Path; negated: boolean; relation: Relation }>;

export type Relation =
  /** The path alone: it is true. */
  | Node<'holds'>
  | Node<'known'>
  | Node<'unredacted'>
  | Node<'oneOf', { values: readonly Operand[] }>
  | Node<'inList', { list: Name }>
  | Node<'inHours', { hours: Name }>
  | Node<'approvedBy', { reviewers: Name }>
  | Node<'compare', { operator: 'is' | 'atLeast' | 'atMost' | 'above' | 'below'; right: Operand }>
  | Node<'subsetOf', { right: Operand }>
  | Node<'contains', { any: boolean; values: readonly Operand[]; includingRestored: boolean }>
  | Node<'overlaps', { right: Operand }>;

// ----------------------------------------------------------------------------------------------------------------
// clauses

export type EventNode = Node<
  'event',
  { event: 'prompt' | 'completion' | 'toolCall' | 'retrieval' | 'ingest' | 'exchange' | 'egress'; of: Name | null }
>;

export type RedactModeNode =
  | Node<'placeholder'>
  | Node<'mask', { keepLast: NumberNode | null }>
  | Node<'remove'>
  | Node<'year'>
  | Node<'pseudonym', { forEach: Path }>;

export type EffectClause =
  | Node<'allow'>
  | Node<'deny', { reason: Text | null }>
  | Node<'useOnly', { condition: ConditionNode }>
  | Node<'require', { condition: ConditionNode }>
  | Node<'buffer'>
  | Node<'allowChunk', { condition: ConditionNode }>
  | Node<'withholdChunk', { condition: ConditionNode; say: Text | null }>
  | Node<'keepNewest', { newest: Path; forEach: Path }>
  | Node<'redact', { any: boolean; detectors: readonly Name[]; includingRestored: boolean; mode: RedactModeNode }>
  | Node<'dropCall'>
  | Node<'setField', { path: Path; value: Literal }>
  | Node<'record', { duration: Quantity }>
  | Node<'hold', { count: NumberNode; reviewers: Name; duration: Quantity }>
  | Node<'limitTo', { path: Path; to: Quantity }>
  | Node<'tag', { name: Name; value: Literal }>
  | Node<'notify', { recipient: Name }>
  | Node<'sample', { share: NumberNode; reviewers: Name }>;

export type Clause =
  | EffectClause
  | Node<'where', { condition: ConditionNode }>
  | Node<'unless', { condition: ConditionNode }>
  | Node<'cites', { text: Text }>
  | Node<'owner', { text: Text }>
  | Node<'effective', { from: DateNode; until: DateNode | null }>
  | Node<'until', { date: DateNode }>
  | Node<'waivableBy', { text: Text }>
  | Node<'forRequested', { requested: Text | null }>
  | Node<'prefer', { choice: PreferChoice; condition: ConditionNode | null }>
  | Node<'for', { condition: ConditionNode }>
  | Node<'forEach', { path: Path }>
  | Node<'limitPer', { quantity: Quantity; per: Name; zone: Text | null }>
  | Node<'at', { percent: NumberNode; effect: Extract<EffectClause, { kind: 'notify' | 'useOnly' }> }>
  | Node<'elseDeny', { reason: Text | null }>;
export type PreferChoice = Node<'preferModel', { name: Name }> | Node<'preferRequested'> | Node<'preferCheapest'>;

// ----------------------------------------------------------------------------------------------------------------
// declarations

export type PolicyEntry =
  | Node<'policyOwner', { text: Text }>
  | Node<'currency', { name: Name }>
  | Node<'timeZone', { text: Text }>
  | Node<'default', { event: EventNode; decision: 'allow' | 'deny' }>
  | Node<'onFailure', { decision: 'allow' | 'deny' }>
  | Node<'baseClassification', { name: Name }>;

export type AttributeNode = Node<
  'attribute',
  { name: Name; optional: boolean; type: TypeNode; source: AttributeSourceNode | null; otherwise: Literal | null }
>;
export type AttributeSourceNode = Node<
  'source',
  { from: 'claim' | 'metadata' | 'argument'; name: Text; splitBy: Text | null }
>;
export type Setting = Node<'setting', { name: Name; value: Literal }>;
export type NearNode = Node<
  'near',
  { words: readonly Text[]; characters: NumberNode; side: 'before' | 'after' | 'either' }
>;
export type DetectorMatch =
  Node<'matchesPattern', { pattern: Pattern; ignoringCase: boolean }> | Node<'matchesList', { list: Name }>;
export type HoursRange = Node<'hoursRange', { from: Name; to: Name | null; start: TimeOfDay; end: TimeOfDay }>;

export type Declaration =
  | Node<'policy', { name: Name; entries: readonly PolicyEntry[] }>
  | Node<'import', { path: Text; hash: Text }>
  | Node<'enum', { name: Name; ordered: boolean; members: readonly Name[] }>
  | Node<'caller', { attributes: readonly AttributeNode[] }>
  | Node<'callerFrom', { path: Text }>
  | Node<'models', { attributes: readonly AttributeNode[] }>
  | Node<'model', { name: Name; wireName: Text; settings: readonly Setting[] }>
  | Node<'store', { name: Name; store: Name; collection: Text; attributes: readonly AttributeNode[] }>
  | Node<'tool', { name: Name; wirePattern: Text; attributes: readonly AttributeNode[] }>
  | Node<'list', { name: Name; element: TypeNode; feed: Text; maxAge: Quantity; maxEntries: NumberNode | null }>
  | Node<'recipient', { name: Name; channel: Name; address: Text }>
  | Node<'reviewers', { name: Name; group: Text }>
  | Node<'hours', { name: Name; ranges: readonly HoursRange[]; except: Name | null; zone: Text | null }>
  | Node<'convert', { from: Name; rate: NumberNode; to: Name; date: DateNode }>
  | Node<
      'detector',
      { name: Name; title: Text | null; match: DetectorMatch; near: NearNode | null; examples: readonly Text[] }
    >
  | Node<'detectors', { name: Name; members: readonly Name[] }>
  | Node<'term', { name: Name; condition: ConditionNode }>
  | Node<'rule', { name: Name; title: Text | null; event: EventNode; clauses: readonly Clause[] }>
  | Node<'classify', { event: EventNode; level: Name | null; clauses: readonly Clause[] }>
  | Node<'route', { name: Name; title: Text | null; clauses: readonly Clause[] }>
  | Node<'budget', { name: Name; title: Text | null; clauses: readonly Clause[] }>
  | Node<'rate', { name: Name; title: Text | null; clauses: readonly Clause[] }>
  | Node<'waiver', { name: Name; title: Text; of: readonly Name[]; clauses: readonly Clause[] }>
  | Node<'switch', { name: Name; title: Text; by: Text; max: Quantity | null }>
  | Node<'delegate', { to: Name; condition: ConditionNode; may: readonly Name[] }>
  | Node<'assume', { name: Name; condition: ConditionNode }>
  | Node<
      'guarantee',
      { name: Name; title: Text | null; subject: 'prompt' | 'completion' | 'chunk'; clauses: readonly Clause[] }
    >
  | Node<'test', { title: Text; steps: readonly TestStepNode[] }>;

export type TestStepNode =
  | Node<'givenCaller', { settings: readonly Setting[] }>
  | Node<'givenNow', { date: DateNode }>
  | Node<'givenSwitch', { name: Name; on: boolean }>
  | Node<'givenList', { name: Name; entries: SetNode }>
  | Node<'givenSpent', { amount: Quantity; budget: Name | null }>
  | Node<'givenPrompt', { to: Name | Text; text: Text; settings: readonly Setting[] }>
  | Node<'givenCompletion', { text: Text }>
  | Node<'givenChunk', { store: Name | null; settings: readonly Setting[] }>
  | Node<'givenDocument', { store: Name | null; settings: readonly Setting[] }>
  | Node<'givenToolCall', { tool: Name; settings: readonly Setting[] }>
  | Node<'givenEgress', { host: Text }>
  | Node<'givenEnd'>
  | Node<'expect', { expectation: ExpectationNode }>;
export type ExpectationNode =
  | Node<'expectAllow'>
  | Node<'expectDeny', { by: Name | null }>
  | Node<'expectRedact', { detector: Name; by: Name | null }>
  | Node<'expectSent', { text: Text }>
  | Node<'expectModel', { model: Name }>
  | Node<'expectWithheld', { by: Name | null }>
  | Node<'expectClassification', { level: Name }>
  | Node<'expectHold', { by: Name | null }>
  | Node<'expectRecord', { by: Name | null }>
  | Node<'expectSample', { by: Name | null }>
  | Node<'expectTag', { name: Name; value: Literal }>;

/** Every kind of node, for tables that must be complete. */
export type SyntaxNode =
  | Literal
  | TimeOfDay
  | Pattern
  | Path
  | TypeNode
  | ConditionNode
  | Relation
  | EventNode
  | RedactModeNode
  | Clause
  | PreferChoice
  | PolicyEntry
  | AttributeNode
  | AttributeSourceNode
  | Setting
  | NearNode
  | DetectorMatch
  | HoursRange
  | Declaration
  | TestStepNode
  | ExpectationNode;
export type SyntaxKind = SyntaxNode['kind'];
