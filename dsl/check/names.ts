/** Names as such: declared once, not built in, terms without circles, not too many. */
import { diagnostic, help } from '../diagnostic.ts';
import type { Span } from '../source.ts';
import type { ConditionNode, Declaration } from '../syntax-tree.ts';
import { isRoot } from './attributes.ts';
import { BUILT_IN_ENUMS } from '../events.ts';
import { all, type Context, type DeclarationOf, type Named, type NamedKind, report } from './context.ts';

export const MODELS_MAX = 64;
export const RULES_MAX = 4096;
export const DECLARATIONS_MAX = 256;

/** Kinds that share one list of names. */
const FAMILY: { readonly [K in NamedKind]: string } = {
  policy: 'policy',
  enum: 'enum',
  model: 'model',
  store: 'store',
  tool: 'tool',
  list: 'list',
  recipient: 'recipient',
  reviewers: 'reviewers',
  hours: 'hours',
  detector: 'detector',
  detectors: 'detector',
  term: 'term',
  rule: 'decision',
  route: 'decision',
  budget: 'decision',
  rate: 'decision',
  waiver: 'waiver',
  switch: 'switch',
  assume: 'assume',
  guarantee: 'guarantee',
};
const TYPE_WORDS = new Set([
  'bool',
  'int',
  'decimal',
  'text',
  'money',
  'tokens',
  'bytes',
  'duration',
  'time',
  'date',
  'set',
]);

export function checkNames(context: Context): void {
  const seen = new Map<string, Named>();
  const counts = new Map<Declaration['kind'], number>();
  for (const declaration of context.declarations) {
    count(context, declaration, counts);
    if (!('name' in declaration) || declaration.kind === 'policy') continue;
    const key = `${FAMILY[declaration.kind]} ${declaration.name.text}`;
    const earlier = seen.get(key);
    if (earlier !== undefined)
      report(context, duplicate(`\`${declaration.name.text}\``, declaration.name.span, earlier.name.span));
    else seen.set(key, declaration);
    checkBuiltIn(context, declaration);
  }
  duplicateTexts(
    context,
    all(context, 'model').map((each) => each.wireName),
    'the model name',
  );
  duplicateTexts(
    context,
    all(context, 'test').map((each) => each.title),
    'the test',
  );
  duplicateTexts(
    context,
    all(context, 'tool').map((each) => each.wirePattern),
    'the tool',
  );
  duplicateCollections(context);
  for (const kind of ['caller', 'callerFrom', 'models'] as const) onlyOne(context, kind);
  checkTermCircles(context);
}

function count(context: Context, declaration: Declaration, counts: Map<Declaration['kind'], number>): void {
  const { kind } = declaration;
  const value = (counts.get(kind) ?? 0) + 1;
  counts.set(kind, value);
  const max = kind === 'model' ? MODELS_MAX : kind === 'rule' || kind === 'test' ? RULES_MAX : DECLARATIONS_MAX;
  if (value === max + 1)
    report(context, diagnostic('E0525', declaration.span, `more than ${max} declarations of this kind`));
}

function duplicate(what: string, span: Span, earlier: Span): ReturnType<typeof diagnostic> {
  return diagnostic('E0203', span, `${what} is declared twice`, {
    labels: [{ span: earlier, message: 'first declared here' }],
    help: [help('give one of them another name')],
  });
}

function duplicateTexts(
  context: Context,
  texts: readonly { readonly value: string; readonly span: Span }[],
  what: string,
): void {
  const seen = new Map<string, Span>();
  for (const text of texts) {
    const earlier = seen.get(text.value);
    if (earlier === undefined) seen.set(text.value, text.span);
    else report(context, duplicate(`${what} "${text.value}"`, text.span, earlier));
  }
}

/** Two stores over one collection would be two opinions of the same chunk. */
function duplicateCollections(context: Context): void {
  const seen = new Map<string, DeclarationOf<'store'>>();
  for (const node of all(context, 'store')) {
    const key = `${node.store.text} ${node.collection.value}`;
    const earlier = seen.get(key);
    if (earlier === undefined) {
      seen.set(key, node);
      continue;
    }
    report(
      context,
      diagnostic('E0519', node.collection.span, `two stores stand for the collection "${node.collection.value}"`, {
        labels: [{ span: earlier.collection.span, message: `\`${earlier.name.text}\` stands for it already` }],
      }),
    );
  }
}

function onlyOne(context: Context, kind: 'caller' | 'callerFrom' | 'models'): void {
  const [first, second] = all(context, kind);
  if (first !== undefined && second !== undefined) {
    const block = kind === 'models' ? 'models' : 'caller';
    report(
      context,
      diagnostic('E0203', { ...second.span, end: second.span.start + block.length }, `\`${block}\` is declared twice`, {
        labels: [{ span: { ...first.span, end: first.span.start + block.length }, message: 'first declared here' }],
        help: [
          help(
            kind === 'callerFrom'
              ? 'the caller is read from one file'
              : `there is one \`${block}\` block in a policy: write all its attributes in it`,
          ),
        ],
      }),
    );
  }
}

function checkBuiltIn(context: Context, declaration: Named): void {
  const { text, span } = declaration.name;
  const taken =
    ((declaration.kind === 'detector' || declaration.kind === 'detectors') &&
      context.builtInDetectors.has(text) &&
      'a built-in detector') ||
    (declaration.kind === 'enum' && (TYPE_WORDS.has(text) || text in BUILT_IN_ENUMS) && 'a built-in type') ||
    (declaration.kind === 'term' && isRoot(text) && 'a fact');
  if (taken !== false)
    report(context, diagnostic('E0204', span, `\`${text}\` is ${taken}`, { help: [help('choose another name')] }));
}

function checkTermCircles(context: Context): void {
  const state = new Map<string, 'open' | 'done'>();
  const visit = (name: string, path: readonly string[]): void => {
    const term = context.named.term.get(name);
    if (term === undefined || state.get(name) === 'done') return;
    if (state.get(name) === 'open') {
      const circle = [...path.slice(path.indexOf(name)), name];
      report(
        context,
        diagnostic(
          'E0205',
          term.name.span,
          circle.length === 2
            ? `the term \`${name}\` contains itself`
            : `the terms ${circle.map((each) => `\`${each}\``).join(' → ')} go in a circle`,
        ),
      );
      return;
    }
    state.set(name, 'open');
    for (const used of termsIn(term.condition)) visit(used, [...path, name]);
    state.set(name, 'done');
  };
  for (const name of context.named.term.keys()) visit(name, []);
}

function termsIn(node: ConditionNode): string[] {
  switch (node.kind) {
    case 'and':
    case 'or':
      return node.operands.flatMap(termsIn);
    case 'not':
      return termsIn(node.operand);
    case 'group':
      return termsIn(node.inner);
    case 'quantified':
      return termsIn(node.body);
    case 'switchOn':
      return [];
    case 'relation':
      return node.relation.kind === 'holds' && node.left.parts.length === 1
        ? node.left.parts.map((part) => part.text)
        : [];
  }
}
