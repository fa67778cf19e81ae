/**
 * What every check is given: the declarations by kind and name, what is typed so far, and where to report. One context
 * a run; checks append to it.
 */
import type { Diagnostic } from '../diagnostic.ts';
import { didYouMeanHelp, diagnostic, help, label } from '../diagnostic.ts';
import { didYouMean } from '../did-you-mean.ts';
import type {
  Attribute,
  Conversion,
  EnumType,
  EventKind,
  Policy,
  Store,
  Tool,
  Type,
  UnenforcedForm,
  UnenforcedUse,
} from '../program.ts';
import type { Span } from '../source.ts';
import type { Declaration, Name, SyntaxFile } from '../syntax-tree.ts';

/** Built-in detectors come from their owner, as data. */
export type DetectorCatalog = readonly {
  readonly name: string;
  readonly title: string;
  readonly examples: readonly string[];
}[];

export type Named = Extract<Declaration, { readonly name: Name }>;
export type NamedKind = Named['kind'];
export type DeclarationOf<K extends Declaration['kind']> = Extract<Declaration, { readonly kind: K }>;

export type Context = {
  /** Of all files, also of those without a declaration. */
  readonly paths: readonly string[];
  /** The files that others import, with the SHA-256 (hex) of each. */
  readonly imported: ReadonlyMap<string, string>;
  readonly declarations: readonly Declaration[];
  /** The same by kind: checks of each rule ask for the few stores among a thousand rules. */
  readonly byKind: ReadonlyMap<Declaration['kind'], readonly Declaration[]>;
  readonly named: { readonly [K in NamedKind]: ReadonlyMap<string, DeclarationOf<K>> };
  /**
   * Declarations that could not be read: their kinds, and `kind name` of those with a name. Nothing is said of what
   * refers to them.
   */
  readonly brokenKinds: ReadonlySet<string>;
  readonly brokenNames: ReadonlySet<string>;
  readonly builtInDetectors: ReadonlyMap<string, DetectorCatalog[number]>;
  readonly diagnostics: Diagnostic[];
  readonly unenforced: UnenforcedUse[];
  /** `kind name` of every declaration that something refers to. */
  readonly used: Set<string>;
  readonly usedDetectors: Set<string>;
  /** Filled by the checks in their order; later ones read it. */
  readonly typed: {
    policy: Policy | null;
    readonly enums: Map<string, EnumType>;
    readonly caller: Map<string, Attribute>;
    readonly models: Map<string, Attribute>;
    readonly stores: Map<string, Store>;
    readonly tools: Map<string, Tool>;
    readonly lists: Map<string, Type>;
    /** Groups and own detectors → the detectors they stand for. */
    readonly detectors: Map<string, readonly string[]>;
    /** `from to` → the rate of the latest day. */
    readonly conversions: Map<string, Conversion>;
  };
};

export function createContext(files: readonly SyntaxFile[], catalog: DetectorCatalog): Context {
  const declarations = files.flatMap((file) => file.declarations);
  const broken = files.flatMap((file) => file.broken);
  return {
    paths: files.map((file) => file.path),
    imported: new Map(
      files.flatMap(({ path, importedAs }) => (importedAs === undefined ? [] : [[path, importedAs] as const])),
    ),
    declarations,
    byKind: Map.groupBy(declarations, ({ kind }) => kind),
    named: index(declarations),
    brokenKinds: new Set(broken.map((each) => each.keyword)),
    brokenNames: new Set(broken.map((each) => `${each.keyword} ${each.name ?? ''}`)),
    builtInDetectors: new Map(catalog.map((each) => [each.name, each])),
    diagnostics: [],
    unenforced: [],
    used: new Set(),
    usedDetectors: new Set(),
    typed: {
      policy: null,
      enums: new Map(),
      caller: new Map(),
      models: new Map(),
      stores: new Map(),
      tools: new Map(),
      lists: new Map(),
      detectors: new Map(),
      conversions: new Map(),
    },
  };
}

type Index = { readonly [K in NamedKind]: Map<string, DeclarationOf<K>> };

/** The first of each name; `names.ts` reports the others. */
function index(declarations: readonly Declaration[]): Index {
  const result: Index = {
    policy: new Map(),
    enum: new Map(),
    model: new Map(),
    store: new Map(),
    tool: new Map(),
    list: new Map(),
    recipient: new Map(),
    reviewers: new Map(),
    hours: new Map(),
    detector: new Map(),
    detectors: new Map(),
    term: new Map(),
    rule: new Map(),
    route: new Map(),
    budget: new Map(),
    rate: new Map(),
    waiver: new Map(),
    switch: new Map(),
    assume: new Map(),
    guarantee: new Map(),
  };
  for (const declaration of declarations) {
    if (!('name' in declaration)) continue;
    const map: Map<string, Declaration> = result[declaration.kind];
    if (!map.has(declaration.name.text)) map.set(declaration.name.text, declaration);
  }
  return result;
}

export function all<K extends Declaration['kind']>(context: Context, kind: K): DeclarationOf<K>[] {
  return (context.byKind.get(kind) ?? []).filter((each): each is DeclarationOf<K> => each.kind === kind);
}

export function isImported(context: Context, file: string): boolean {
  return context.imported.has(file);
}

export function report(context: Context, ...found: readonly Diagnostic[]): void {
  context.diagnostics.push(...found);
}

export function noteUnenforced(
  context: Context,
  form: UnenforcedForm,
  declaration: string,
  event: EventKind | null,
  span: Span,
): void {
  context.unenforced.push({ form, declaration, event, span });
}

/** The declaration of this kind and name, which counts as used; null, and reported, if there is none. */
export function resolve<K extends NamedKind>(context: Context, kind: K, name: Name): DeclarationOf<K> | null {
  context.used.add(`${kind} ${name.text}`);
  const found = context.named[kind].get(name.text);
  if (found !== undefined) return found as DeclarationOf<K>;
  if (!isBroken(context, kind, name.text))
    report(context, unknownName(KIND_WORDING[kind] ?? kind, name, context.named[kind].keys()));
  return null;
}

/** Where the keyword does not read well in a sentence. */
const KIND_WORDING: { readonly [K in NamedKind]?: string } = {
  reviewers: 'group of reviewers',
  detectors: 'group of detectors',
};

export function isBroken(context: Context, kind: string, name: string): boolean {
  return context.brokenNames.has(`${kind} ${name}`);
}

export function unknownName(wording: string, name: Name, candidates: Iterable<string>): Diagnostic {
  const known = [...candidates];
  const meant = didYouMean(name.text, known);
  return diagnostic('E0201', name.span, `there is no ${wording} named \`${name.text}\``, {
    help: [
      meant === null
        ? help(known.length === 0 ? `no ${wording} is declared here` : `there is ${listNames(known)}`)
        : didYouMeanHelp(name.span, meant),
    ],
  });
}

const NAMES_SHOWN_MAX = 16;

export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN_MAX).map((name) => `\`${name}\``);
  return shown.join(', ') + (names.length > NAMES_SHOWN_MAX ? ` and ${names.length - NAMES_SHOWN_MAX} more` : '');
}

export function declaredHere(span: Span | null, what = 'declared here'): ReturnType<typeof label> {
  return label(span, what);
}

/** By name, in code units: the same on every machine. */
export function byName<T extends { readonly name: string }>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
