/** Paths → attributes: which fact of which root, and whether this event has it. */
import { diagnostic, didYouMeanHelp, help, label } from '../diagnostic.ts';
import { didYouMean } from '../did-you-mean.ts';
import {
  BUILT_IN_ATTRIBUTES,
  type BuiltInAttribute,
  type BuiltInType,
  DECLARED_ROOTS,
  EVENT_WORDING,
} from '../events.ts';
import type { Attribute, AttributeRef, CollectionKind, EventKind, Root, Type } from '../program.ts';
import type { Span } from '../source.ts';
import type { Name, Path } from '../syntax-tree.ts';
import type { ConditionScope } from './condition-scope.ts';
import { declaredHere, listNames, report, unknownName } from './context.ts';
import { sameType } from './types.ts';

const ROOTS = [
  'caller',
  'model',
  'prompt',
  'completion',
  'chunk',
  'retrieval',
  'tool',
  'text',
  'now',
  'egress',
] as const satisfies readonly Root[];
const builtIn = new Map(BUILT_IN_ATTRIBUTES.map((each) => [`${each.root}.${each.name}`, each]));

/**
 * What people look for and no door can know: a client says what its conversation was, and begins another where it likes.
 */
const UNKNOWABLE: ReadonlyMap<string, string> = new Map([
  [
    'conversation',
    'a client says itself what its conversation was: limit callers by `rate` or a `budget` `for each caller.id`, and what a model reads by `prompt.tokens_estimate`',
  ],
]);

export function isRoot(name: string): name is (typeof ROOTS)[number] {
  return ROOTS.some((root) => root === name);
}

/** Null, and reported, if there is no such attribute here. */
export function attributeOf(scope: ConditionScope, path: Path): AttributeRef | null {
  const [first, second, ...more] = path.parts;
  if (first === undefined) return null;
  const collection = scope.variables.get(first.text);
  if (second === undefined) return wholeRoot(scope, first);
  if (more.length > 0) {
    report(
      scope.context,
      diagnostic(
        'E0202',
        scope.usedAt ?? path.span,
        `\`${path.parts.map((part) => part.text).join('.')}\` has too many parts`,
        {
          help: [help('an attribute is one name after the dot, such as `caller.region`')],
        },
      ),
    );
    return null;
  }
  if (collection !== undefined) return ofVariable(scope, path, first, second, collection);
  if (!isRoot(first.text)) {
    const name = { ...first, span: scope.usedAt ?? first.span };
    const why = UNKNOWABLE.get(first.text);
    const unknown = unknownName('fact', name, [...ROOTS, ...scope.variables.keys()]);
    report(scope.context, why === undefined ? unknown : { ...unknown, help: [help(why)] });
    return null;
  }
  return ofRoot(scope, path, first.text, second);
}

/** `text` and `now`, which are attributes by themselves. */
function wholeRoot(scope: ConditionScope, first: Name): AttributeRef | null {
  const span = scope.usedAt ?? first.span;
  const entry = builtIn.get(`${first.text}.`);
  if (entry !== undefined) return fromTable(scope, entry, first.span, null);
  if (scope.variables.has(first.text) || isRoot(first.text)) {
    report(
      scope.context,
      diagnostic(
        'E0202',
        span,
        `\`${first.text}\` needs an attribute, such as \`${first.text}.${[...namesOf(scope, first.text)][0] ?? 'name'}\``,
      ),
    );
    return null;
  }
  reportUnknownFact(scope, first.text, span);
  return null;
}

/** A name alone that means nothing: perhaps a term, a root or an attribute of the caller was meant. */
export function reportUnknownFact(scope: ConditionScope, name: string, span: Span): void {
  const { context } = scope;
  if (context.brokenNames.has(`term ${name}`)) return;
  const meant = didYouMean(name, [...ROOTS, ...scope.variables.keys(), ...context.named.term.keys()]);
  const attribute = context.typed.caller.has(name) ? name : didYouMean(name, context.typed.caller.keys());
  report(
    context,
    diagnostic('E0201', span, `there is no fact or term named \`${name}\``, {
      help: [
        meant !== null
          ? didYouMeanHelp(span, meant)
          : attribute !== null
            ? didYouMeanHelp(span, `caller.${attribute}`)
            : help('a fact is written with its owner, such as `caller.region`; a `term` is declared'),
      ],
    }),
  );
}

function ofRoot(scope: ConditionScope, path: Path, root: (typeof ROOTS)[number], name: Name): AttributeRef | null {
  const { context } = scope;
  const span = scope.usedAt ?? path.span;
  const entry = builtIn.get(`${root}.${name.text}`);
  if (entry !== undefined) return fromTable(scope, entry, path.span, null);
  if (root !== 'caller' && root !== 'model' && root !== 'chunk' && root !== 'tool')
    return unknownAttribute(scope, path, root, name);
  const { events, declaredBy } = DECLARED_ROOTS[root];
  if (!hasEvent(scope, root, events)) return notHere(scope, span, root, events);
  // An unknown store or tool is reported where it is named.
  if (root === 'chunk' && scope.store !== null && !context.typed.stores.has(scope.store)) return null;
  if (root === 'tool' && scope.tool !== null && !context.typed.tools.has(scope.tool)) return null;
  const found = declaredAttribute(scope, root, name.text);
  if (found === undefined) {
    // What could not be read is reported where it stands.
    return context.brokenKinds.has(declaredBy) ? null : unknownAttribute(scope, path, root, name);
  }
  return {
    kind: 'attribute',
    root,
    name: name.text,
    type: found.type,
    optional: found.absence.kind === 'optional',
    variable: null,
    span,
    declared: found.span,
  };
}

function declaredAttribute(
  scope: ConditionScope,
  root: 'caller' | 'model' | 'chunk' | 'tool',
  name: string,
): Attribute | undefined {
  const { typed } = scope.context;
  if (root === 'caller') return typed.caller.get(name);
  if (root === 'model') return typed.models.get(name);
  if (root === 'tool')
    return scope.tool === null ? undefined : typed.tools.get(scope.tool)?.attributes.find((each) => each.name === name);
  if (scope.store !== null) return typed.stores.get(scope.store)?.attributes.find((each) => each.name === name);
  // Without a store the rule is for all of them: each must have it, with one type.
  const found = [...typed.stores.values()].map((store) => store.attributes.find((each) => each.name === name));
  const [first] = found;
  if (first === undefined || found.some((each) => each === undefined || !sameType(each.type, first.type)))
    return undefined;
  return found.find((each) => each?.absence.kind === 'optional') ?? first;
}

function ofVariable(
  scope: ConditionScope,
  path: Path,
  variable: Name,
  name: Name,
  collection: CollectionKind,
): AttributeRef | null {
  if (collection === 'chunk') {
    const found = declaredAttribute(scope, 'chunk', name.text);
    if (found === undefined) return unknownAttribute(scope, path, 'chunk', name);
    return {
      kind: 'attribute',
      root: 'variable',
      name: name.text,
      type: found.type,
      optional: found.absence.kind === 'optional',
      variable: variable.text,
      span: scope.usedAt ?? path.span,
      declared: found.span,
    };
  }
  const entry = builtIn.get(`${collection === 'message' ? 'message' : 'toolCallItem'}.${name.text}`);
  return entry === undefined
    ? unknownAttribute(scope, path, variable.text, name)
    : fromTable(scope, entry, path.span, variable.text);
}

function fromTable(
  scope: ConditionScope,
  entry: BuiltInAttribute,
  written: Span,
  variable: string | null,
): AttributeRef | null {
  const span = scope.usedAt ?? written;
  const root: Root = entry.root === 'message' || entry.root === 'toolCallItem' ? 'variable' : entry.root;
  if (root !== 'now' && !hasEvent(scope, root, entry.events)) {
    return notHere(scope, span, entry.name === '' ? root : `${root}.${entry.name}`, entry.events);
  }
  const type = builtInType(scope, entry.type, span);
  if (type === null) return null;
  return { kind: 'attribute', root, name: entry.name, type, optional: entry.optional, variable, span, declared: null };
}

function builtInType(scope: ConditionScope, type: BuiltInType, span: Span): Type | null {
  switch (type) {
    case 'message_role':
    case 'finish_reason':
      return { kind: 'enum', name: type, ordered: false };
    case 'messages':
      return { kind: 'collection', of: 'message' };
    case 'toolCalls':
      return { kind: 'collection', of: 'toolCall' };
    case 'chunks':
      return { kind: 'collection', of: 'chunk' };
    case 'classification': {
      const declared = scope.context.typed.enums.get('classification');
      scope.context.used.add('enum classification');
      if (declared !== undefined) return { kind: 'enum', name: 'classification', ordered: declared.ordered };
      if (!scope.context.brokenNames.has('enum classification')) {
        report(
          scope.context,
          diagnostic('E0506', span, 'no enum `classification` is declared', {
            help: [help('declare the classes in order, such as `classification = public < internal < confidential`')],
          }),
        );
      }
      return null;
    }
    default:
      return { kind: type };
  }
}

function hasEvent(scope: ConditionScope, root: Root, events: readonly EventKind[]): boolean {
  if (root === 'variable') return true;
  return scope.event === null ? root === 'caller' : events.includes(scope.event);
}

function notHere(scope: ConditionScope, span: Span, what: string, events: readonly EventKind[]): null {
  const where = scope.event === null ? 'here' : `on ${EVENT_WORDING[scope.event]}`;
  report(
    scope.context,
    diagnostic('E0207', span, `\`${what}\` is not known ${where}`, {
      help: [
        help(
          scope.event === null
            ? 'no request is looked at here: only `caller` and `now` are known'
            : `it is known on ${events.map((event) => EVENT_WORDING[event]).join(', ')}`,
        ),
      ],
    }),
  );
  return null;
}

function unknownAttribute(scope: ConditionScope, path: Path, root: string, name: Name): null {
  const span = scope.usedAt ?? name.span;
  const names = [...namesOf(scope, root)];
  const meant = didYouMean(name.text, names);
  const { context } = scope;
  const keyword = keywordOf(scope, root);
  const anyStore =
    root === 'chunk' && scope.store === null
      ? help('without `from STORE` a rule sees only the attributes that all stores have with one type')
      : null;
  report(
    context,
    diagnostic('E0202', span, `\`${root}\` has no attribute \`${name.text}\``, {
      labels: [keyword === null ? null : declaredHere(keyword, `the attributes of \`${root}\` are declared here`)],
      help: [
        meant === null
          ? help(
              names.length === 0
                ? `\`${path.parts[0]?.text ?? root}\` has no attributes here`
                : `there is ${listNames(names)}`,
            )
          : didYouMeanHelp(span, scope.usedAt === null ? meant : null),
        anyStore,
      ],
    }),
  );
  return null;
}

/** The keyword of the declaration that gives a root its attributes. */
function keywordOf(scope: ConditionScope, root: string): Span | null {
  const { declarations, named } = scope.context;
  const kind = root === 'model' ? 'models' : root;
  const store = root === 'chunk' && scope.store !== null ? named.store.get(scope.store) : undefined;
  const declaration =
    store ?? (kind === 'caller' || kind === 'models' ? declarations.find((each) => each.kind === kind) : undefined);
  return declaration === undefined
    ? null
    : { ...declaration.span, end: declaration.span.start + declaration.kind.length };
}

/** The attributes that a root has here. */
export function namesOf(scope: ConditionScope, root: string): Set<string> {
  const { typed } = scope.context;
  const names = new Set<string>();
  const collection = scope.variables.get(root);
  const table = collection === 'message' ? 'message' : collection === 'toolCall' ? 'toolCallItem' : root;
  if (root === 'caller') for (const name of typed.caller.keys()) names.add(name);
  if (root === 'model') for (const name of typed.models.keys()) names.add(name);
  if (root === 'chunk' || collection === 'chunk') {
    for (const store of scope.store === null ? typed.stores.values() : [typed.stores.get(scope.store)]) {
      for (const each of store?.attributes ?? []) names.add(each.name);
    }
  }
  if (root === 'tool' && scope.tool !== null)
    for (const each of typed.tools.get(scope.tool)?.attributes ?? []) names.add(each.name);
  for (const each of BUILT_IN_ATTRIBUTES) if (each.root === table && each.name !== '') names.add(each.name);
  return names;
}

/** The label that leads to where an attribute got its type. */
export function declaredLabel(attribute: AttributeRef, wording: string): ReturnType<typeof label> {
  return label(
    attribute.declared,
    `\`${attribute.root === 'variable' ? (attribute.variable ?? '') : attribute.root}.${attribute.name}\` is ${wording}`,
  );
}
