/**
 * Imports: files of somebody else, pinned by hash, that are a ceiling. Whoever imports may add what narrows; what
 * widens needs a `delegate` in a file that is imported, and holds within its condition.
 */
import { diagnostic, help, label, replaceWith } from '../diagnostic.ts';
import { EVENT_WORDING } from '../events.ts';
import { importedPath } from '../import-path.ts';
import type {
  Classification,
  Condition,
  Delegation,
  Effect,
  EffectWord,
  Import,
  Policy,
  Route,
  Rule,
  Store,
  Waiver,
} from '../program.ts';
import type { Span } from '../source.ts';
import type { Declaration, Text } from '../syntax-tree.ts';
import { all, type Context, isImported, listNames, report } from './context.ts';

/** What each effect is called by `delegate … may`. */
const WORD_OF: { readonly [K in Effect['kind']]: EffectWord } = {
  allow: 'allow',
  allowChunk: 'allow',
  deny: 'deny',
  useOnlyModels: 'use',
  require: 'require',
  buffer: 'buffer',
  withholdChunk: 'withhold',
  keepNewest: 'keep',
  redact: 'redact',
  dropCall: 'drop',
  set: 'set',
  record: 'record',
  hold: 'hold',
  limit: 'limit',
  tag: 'tag',
  notify: 'notify',
  sample: 'sample',
};

/** These only take away; anybody may add them. */
const NARROWING: ReadonlySet<EffectWord> = new Set([
  'deny',
  'use',
  'require',
  'buffer',
  'withhold',
  'keep',
  'redact',
  'drop',
  'hold',
  'limit',
]);

/** Declarations that all that is decided stands on: where an imported file makes them, no other does. */
const OF_THE_CEILING: { readonly [K in Declaration['kind']]?: string } = {
  caller: 'callers',
  callerFrom: 'callers',
  models: 'models',
  model: 'models',
  convert: 'rates of exchange',
};

export function checkImports(context: Context): Import[] {
  const found = all(context, 'import').flatMap((node) => {
    const sha256 = checkHash(context, node.hash);
    const path = importedPath(node.span.file, node.path.value);
    const wrong = (message: string, advice: string): void =>
      report(context, diagnostic('E0417', node.path.span, message, { help: [help(advice)] }));
    if (isImported(context, node.span.file)) wrong('an imported file imports nothing itself', 'import both files here');
    else if (path === null)
      wrong('this is no path of a `.writ` file', 'write it from this file on, such as "../company/company.writ"');
    else if (!context.imported.has(path))
      wrong(
        context.paths.includes(path)
          ? 'this file is a part of the policy already'
          : `there is no file \`${node.path.value}\` that can be read`,
        'what is imported lies outside of the folder of the policy; the path is written from this file on',
      );
    else if (sha256 !== null) checkPin(context, node.hash, sha256, context.imported.get(path)!, node.path.value);
    return sha256 === null || path === null ? [] : [{ path, sha256, span: node.span }];
  });
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function checkPin(context: Context, at: Text, pinned: string, actual: string, path: string): void {
  if (pinned === actual) return;
  report(
    context,
    diagnostic('E0416', at.span, `\`${path}\` is not the file that was pinned: it has changed since`, {
      help: [replaceWith(at.span, `"sha256:${actual}"`, 'read what has changed, then pin the file as it is now')],
    }),
  );
}

/** The 64 digits of `sha256:…`. */
function checkHash(context: Context, text: Text): string | null {
  const match = /^sha256:([0-9a-f]{64})$/.exec(text.value);
  if (match?.[1] !== undefined) return match[1];
  report(
    context,
    diagnostic('E0524', text.span, 'this is not a SHA-256 hash', {
      help: [help('write `"sha256:` and 64 digits of 0–9 and a–f')],
    }),
  );
  return null;
}

export type Narrowable = {
  readonly rules: readonly Rule[];
  readonly classifications: readonly Classification[];
  readonly routes: readonly Route[];
  readonly waivers: readonly Waiver[];
};

/** The same declarations, those of the importer held to what was delegated to it. */
export function withinCeiling<T extends Narrowable>(
  context: Context,
  parts: T & { readonly delegations: readonly Delegation[]; readonly stores: readonly Store[] },
): T {
  const { policy } = context.typed;
  if (context.imported.size === 0 || policy === null) return parts;
  checkDeclarations(context, policy);
  const ceiling = new Ceiling(context, policy.name, parts.delegations);
  const isOwn = ({ span }: { readonly span: Span }): boolean => !isImported(context, span.file);
  const own = new Set(parts.rules.filter(isOwn).map(({ name }) => name));
  return {
    ...parts,
    rules: parts.rules.map((rule) => (isOwn(rule) ? ceiling.rule(rule) : rule)),
    classifications: parts.classifications.map((each) => {
      if (!isOwn(each)) return each;
      return { ...each, where: ceiling.within('classify', each.span, each.where) };
    }),
    routes: parts.routes.map((route) => {
      if (!isOwn(route)) return route;
      const preferences = route.preferences.map((each) => ({
        ...each,
        where: ceiling.within('route', route.span, each.where),
      }));
      return { ...route, preferences };
    }),
    waivers: parts.waivers.map((waiver) => {
      if (!isOwn(waiver) || waiver.of.every((name) => own.has(name))) return waiver;
      return { ...waiver, where: ceiling.within('waive', waiver.span, waiver.where) };
    }),
  };
}

/** What was delegated to one policy. */
class Ceiling {
  readonly #context: Context;
  readonly #policy: string;
  readonly #delegations: readonly Delegation[];

  constructor(context: Context, policy: string, delegations: readonly Delegation[]) {
    this.#context = context;
    this.#policy = policy;
    this.#delegations = delegations.filter(({ to, span }) => to === policy && isImported(context, span.file));
  }

  rule(rule: Rule): Rule {
    const widening = rule.effects.find((effect) => !NARROWING.has(WORD_OF[effect.kind]));
    const narrowing = rule.effects.find((effect) => NARROWING.has(WORD_OF[effect.kind]));
    if (widening === undefined) return rule;
    if (narrowing !== undefined) {
      report(
        this.#context,
        diagnostic(
          'E0418',
          narrowing.span,
          'this narrows, and stands in a rule that holds only where it was delegated',
          {
            labels: [label(widening.span, 'this needs a `delegate`')],
            help: [help('write two rules: one for what narrows, and one for what was delegated')],
          },
        ),
      );
      return rule;
    }
    const words = new Set(rule.effects.map((effect) => WORD_OF[effect.kind]));
    return { ...rule, where: [...words].reduce((where, word) => this.within(word, rule.nameSpan, where), rule.where) };
  }

  /** The condition, and that of what was delegated. */
  within(word: EffectWord, span: Span, where: Condition | null): Condition | null {
    const granted = this.#delegations.filter(({ may }) => may.includes(word)).map((each) => each.where);
    if (granted.length === 0) {
      const others = [...new Set(this.#delegations.flatMap(({ may }) => may))].sort();
      report(
        this.#context,
        diagnostic('E0418', span, `\`${word}\` may widen what the imported files decide, and was not delegated`, {
          help: [
            help(
              others.length === 0
                ? `a file that is imported must say \`delegate to ${this.#policy} where … may ${word}\``
                : `delegated to \`${this.#policy}\` is ${listNames(others)}; ask the owner of what you import for more`,
            ),
          ],
        }),
      );
      return where;
    }
    const [first] = granted;
    const limit: Condition = granted.length === 1 ? first! : { kind: 'or', operands: granted, span };
    return where === null ? limit : { kind: 'and', operands: [where, limit], span: where.span };
  }
}

/** Declarations that are not the importer's to make. */
function checkDeclarations(context: Context, policy: Policy): void {
  const imported = context.declarations.filter(({ span }) => isImported(context, span.file));
  const taken = new Set(imported.flatMap(({ kind }) => OF_THE_CEILING[kind] ?? []));
  const isOpen = policy.defaults.retrieval === 'allow' || policy.defaults.ingest === 'allow';
  for (const declaration of context.declarations) {
    if (isImported(context, declaration.span.file)) continue;
    const what = OF_THE_CEILING[declaration.kind];
    if (what !== undefined && taken.has(what))
      report(
        context,
        diagnostic('E0418', headOf(declaration), `the ${what} are declared by what is imported`, {
          help: [help('it belongs into the file that is imported')],
        }),
      );
    if (declaration.kind === 'store' && isOpen)
      report(
        context,
        diagnostic('E0418', declaration.name.span, 'this store would be open to everybody', {
          labels: [label(policy.span, 'retrieval or ingest is allowed by default')],
          help: [help('write `default retrieval: deny` and `default ingest: deny`')],
        }),
      );
  }
}

function headOf(declaration: Declaration): Span {
  return 'name' in declaration ? declaration.name.span : { ...declaration.span, end: declaration.span.start + 1 };
}

/** The importer's `policy` is nowhere wider than that of a file that it imports. */
export function checkPolicyWithin(context: Context, own: Policy, imported: Policy): void {
  const wider = (message: string): void =>
    report(
      context,
      diagnostic('E0419', own.span, message, {
        labels: [label(imported.span, 'the imported policy is here')],
        help: [help('whoever imports may only narrow')],
      }),
    );
  if (own.currency !== imported.currency) wider(`the imported policy counts in \`${imported.currency}\``);
  if (own.timeZone !== imported.timeZone) wider(`the imported policy has the time zone "${imported.timeZone}"`);
  if (own.onFailure === 'allow' && imported.onFailure === 'deny') wider('the imported policy denies on failure');
  for (const [event, decision] of Object.entries(own.defaults) as [keyof Policy['defaults'], string][]) {
    if (decision === 'allow' && imported.defaults[event] === 'deny')
      wider(`the imported policy denies a ${EVENT_WORDING[event]} by default`);
  }
  const [base, least] = [own.baseClassification, imported.baseClassification];
  if (base !== null && least !== null && base.ordinal < least.ordinal)
    wider(`the imported policy takes every prompt for \`${least.name}\` at least`);
}
