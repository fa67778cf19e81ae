/** The `policy` block: everything in it is written, nothing has a silent default. */
import { diagnostic, help, label, replaceWith } from '../diagnostic.ts';
import { didYouMean } from '../did-you-mean.ts';
import { EVENT_KINDS, EVENT_WORDING } from '../events.ts';
import type { Decision, EventKind, Policy } from '../program.ts';
import type { Span } from '../source.ts';
import type { PolicyEntry } from '../syntax-tree.ts';
import { isCurrency } from '../units.ts';
import { all, type Context, type DeclarationOf, isImported, report } from './context.ts';
import { checkPolicyWithin } from './imports.ts';
import { checkMember } from './values.ts';

/** These must be written; the others may. */
const REQUIRED_DEFAULTS: readonly EventKind[] = ['prompt', 'completion', 'retrieval', 'ingest'];

export function checkPolicy(context: Context): void {
  const { own = [], imported = [] } = Object.groupBy(all(context, 'policy'), ({ span }) =>
    isImported(context, span.file) ? 'imported' : 'own',
  );
  const [node, second] = own;
  if (node === undefined) {
    const first = context.declarations.find(({ span }) => !isImported(context, span.file));
    if (!context.brokenKinds.has('policy')) {
      const span =
        first === undefined
          ? { file: context.paths[0] ?? '', start: 0, end: 0 }
          : { ...first.span, end: first.span.start + 1 };
      report(
        context,
        diagnostic('E0501', span, 'there is no `policy` here', {
          help: [help('a folder has one `policy NAME { … }` with currency, time zone, defaults and `on failure`')],
        }),
      );
    }
    return;
  }
  if (second !== undefined) {
    report(
      context,
      diagnostic('E0502', second.name.span, 'there is a second `policy`', {
        labels: [label(node.name.span, 'the first is here')],
      }),
    );
  }
  const policy = policyOf(context, node);
  for (const each of imported) checkPolicyWithin(context, policy, policyOf(context, each));
  context.typed.policy = policy;
}

function policyOf(context: Context, node: DeclarationOf<'policy'>): Policy {
  const entries = uniqueEntries(context, node);
  const currency = entries.get('currency');
  const timeZone = entries.get('timeZone');
  const onFailure = entries.get('onFailure');
  const base = entries.get('baseClassification');
  const owner = entries.get('policyOwner');
  const missing: Missing[] = [];
  if (currency === undefined) missing.push({ words: 'currency', example: 'currency usd' });
  if (timeZone === undefined) missing.push({ words: 'time zone', example: 'time zone "Europe/Berlin"' });
  for (const event of REQUIRED_DEFAULTS) {
    const words = `default ${EVENT_WORDING[event]}`;
    if (!entries.has(`default ${event}`)) missing.push({ words, example: `${words}: deny` });
  }
  if (onFailure === undefined) missing.push({ words: 'on failure', example: 'on failure: deny' });
  // Whoever imports may be the first to have classes.
  if (base === undefined && context.typed.enums.has('classification') && !isImported(context, node.span.file))
    missing.push({ words: 'base classification', example: 'base classification: …' });
  if (missing.length > 0) report(context, missingEntries(node, missing));
  const currencyName = currency?.kind === 'currency' ? currency.name : null;
  if (currencyName !== null && !isCurrency(currencyName.text)) {
    report(
      context,
      diagnostic('E0523', currencyName.span, `\`${currencyName.text}\` is not a currency`, {
        help: [
          isCurrency(currencyName.text.toLowerCase())
            ? replaceWith(currencyName.span, currencyName.text.toLowerCase())
            : help('write three lower-case letters, such as `usd`'),
        ],
      }),
    );
  }
  const zone = timeZone?.kind === 'timeZone' ? timeZone.text : null;
  if (zone !== null) checkTimeZone(context, zone.value, zone.span);
  return {
    name: node.name.text,
    owner: owner?.kind === 'policyOwner' ? owner.text.value : null,
    currency: currencyName?.text ?? 'usd',
    timeZone: zone?.value ?? 'UTC',
    defaults: defaultsOf(entries),
    onFailure: onFailure?.kind === 'onFailure' ? onFailure.decision : 'deny',
    baseClassification: base?.kind === 'baseClassification' ? baseOf(context, base) : null,
    classificationEnum: context.typed.enums.has('classification') ? 'classification' : null,
    span: node.span,
  };
}

/** What is missing: its words, and how it may be written. */
type Missing = { readonly words: string; readonly example: string };

function missingEntries(node: DeclarationOf<'policy'>, missing: readonly Missing[]): ReturnType<typeof diagnostic> {
  const at = { ...node.span, start: node.span.end - 1, end: node.span.end - 1 };
  const applicable = missing.every(({ example }) => !example.includes('…'));
  const words = missing.map((each) => `\`${each.words}\``).join(', ');
  const examples = missing.map((each) => `\`${each.example}\``).join(', ');
  const edits = applicable ? [{ span: at, text: missing.map(({ example }) => `  ${example}\n`).join('') }] : [];
  return diagnostic('E0503', node.name.span, `the policy does not say ${words}`, {
    help: [{ message: `nothing here has a silent default; write ${examples}`, edits }],
  });
}

function uniqueEntries(context: Context, node: DeclarationOf<'policy'>): Map<string, PolicyEntry> {
  const entries = new Map<string, PolicyEntry>();
  for (const entry of node.entries) {
    const key = entry.kind === 'default' ? `default ${entry.event.event}` : entry.kind;
    const earlier = entries.get(key);
    if (earlier === undefined) entries.set(key, entry);
    else {
      report(
        context,
        diagnostic('E0406', entry.span, 'this entry is written twice', {
          labels: [label(earlier.span, 'first written here')],
        }),
      );
    }
  }
  return entries;
}

function defaultsOf(entries: ReadonlyMap<string, PolicyEntry>): Policy['defaults'] {
  const written = (event: EventKind): Decision | null => {
    const entry = entries.get(`default ${event}`);
    return entry?.kind === 'default' ? entry.decision : null;
  };
  const completion = written('completion') ?? 'deny';
  const fallback = (event: EventKind): Decision =>
    event === 'toolCall' ? completion : event === 'exchange' ? 'allow' : 'deny';
  return Object.fromEntries(EVENT_KINDS.map((event) => [event, written(event) ?? fallback(event)])) as {
    [K in EventKind]: Decision;
  };
}

function baseOf(
  context: Context,
  entry: Extract<PolicyEntry, { kind: 'baseClassification' }>,
): Policy['baseClassification'] {
  const declared = context.typed.enums.get('classification');
  if (declared === undefined) {
    if (!context.brokenNames.has('enum classification')) {
      report(
        context,
        diagnostic('E0506', entry.span, 'no enum `classification` is declared', {
          help: [help('declare the classes in order, such as `classification = public < internal < confidential`')],
        }),
      );
    }
    return null;
  }
  if (!declared.ordered) {
    report(
      context,
      diagnostic('E0506', declared.span, '`classification` must be ordered', {
        help: [replaceWith(declared.span, `classification = ${declared.members.join(' < ')}`)],
      }),
    );
  }
  return checkMember(context, entry.name, 'classification', null);
}

/** Only the form of the name and what the runtime knows of it; which offsets it has is the control plane's matter. */
export function checkTimeZone(context: Context, name: string, span: Span): void {
  if (isTimeZone(name)) return;
  const meant = nearestTimeZone(name);
  report(
    context,
    diagnostic('E0522', span, `"${name}" is not a time zone`, {
      help: [
        meant === null
          ? help('write an IANA name such as "Europe/Berlin" or "UTC"')
          : replaceWith(span, `"${meant}"`, `did you mean "${meant}"?`),
      ],
    }),
  );
}

/** By its city, or by a slip of the hand. */
function nearestTimeZone(name: string): string | null {
  const zones = [...Intl.supportedValuesOf('timeZone'), 'UTC'];
  const city = name.trim().replace(/ /g, '_').toLowerCase();
  const ofCity = zones.filter((zone) => zone.toLowerCase() === city || zone.toLowerCase().endsWith(`/${city}`));
  return ofCity[0] ?? didYouMean(name, zones);
}

function isTimeZone(name: string): boolean {
  if (!/^(?:UTC|[A-Z][A-Za-z_]+(?:\/[A-Za-z0-9_+-]+){1,2})$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    // The runtime throws a RangeError for a name that it does not know.
    return false;
  }
}
