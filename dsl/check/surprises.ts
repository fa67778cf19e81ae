/** What is well formed and will surprise: warnings over the typed rules. */
import { diagnostic, help, label } from '../diagnostic.ts';
import type { Budget, Effect, Model, Rule, Store } from '../program.ts';
import { type Context, report } from './context.ts';

export interface Declared {
  readonly rules: readonly Rule[];
  readonly models: readonly Model[];
  readonly stores: readonly Store[];
  readonly budgets: readonly Budget[];
}

export function checkSurprises(context: Context, declared: Declared): void {
  for (const rule of declared.rules) {
    twoModes(context, rule);
    placeholderThatStays(context, rule);
  }
  // What could not be read may have been the very thing that is missed.
  if (context.brokenKinds.size > 0) return;
  for (const rule of declared.rules) eventThatNeverHappens(context, rule, declared);
  for (const store of declared.stores) nothingFound(context, store, declared);
  for (const budget of declared.budgets) budgetWithoutPrices(context, budget, declared);
  if (context.usedDetectors.size === 0) for (const rule of declared.rules) nothingHidden(context, rule);
}

/** People read, and disks keep, what a policy's own detectors leave of a text. */
function nothingHidden(context: Context, { effects }: Rule): void {
  for (const effect of effects) {
    if (effect.kind !== 'hold' && effect.kind !== 'sample' && effect.kind !== 'record') continue;
    report(
      context,
      diagnostic('W0409', effect.span, `${SHOWN[effect.kind]} as it is: no detector is named in the policy`, {
        help: [help('name in some rule what nobody shall read, such as `redact any of (iban, email) as mask`')],
      }),
    );
  }
}

const SHOWN = {
  hold: 'reviewers read the text',
  sample: 'reviewers read the text',
  record: 'the text is kept',
} as const;

/** Nobody turns a placeholder in an answer back: only what the request itself sent is restored. */
function placeholderThatStays(context: Context, rule: Rule): void {
  if (rule.event !== 'completion' && rule.event !== 'toolCall') return;
  for (const effect of rule.effects) {
    if (effect.kind !== 'redact' || effect.mode.kind !== 'placeholder') continue;
    report(
      context,
      diagnostic('W0402', effect.span, 'nobody turns a placeholder in an answer back', {
        help: [
          help(
            'write `as mask`, which says what it is; a placeholder is for prompts, whose answer brings the value back',
          ),
        ],
      }),
    );
  }
}

function eventThatNeverHappens(context: Context, rule: Rule, { models, stores }: Declared): void {
  const needs = NEEDS[rule.event];
  if (needs === undefined || (needs === 'model' ? models : stores).length > 0) return;
  report(
    context,
    diagnostic('W0403', rule.nameSpan, `\`${rule.name}\` never fires: the policy declares no ${needs}`, {
      help: [help(`declare a \`${needs}\`, or take the rule out`)],
    }),
  );
}

const NEEDS: { readonly [event in Rule['event']]?: 'model' | 'store' } = {
  prompt: 'model',
  completion: 'model',
  exchange: 'model',
  retrieval: 'store',
  ingest: 'store',
};

/** With `default retrieval: deny`, rules that only take away leave nothing. */
function nothingFound(context: Context, store: Store, { rules }: Declared): void {
  if (context.typed.policy?.defaults.retrieval !== 'deny') return;
  const effects = rules
    .filter((rule) => rule.event === 'retrieval' && (rule.store === null || rule.store === store.name))
    .flatMap((rule) => rule.effects);
  const [first] = effects;
  if (first === undefined || effects.some(({ kind }) => kind === 'allow' || kind === 'allowChunk')) return;
  report(
    context,
    diagnostic('W0404', first.span, `nothing is ever found in \`${store.name}\`: no rule allows a chunk of it`, {
      labels: [label(store.span, 'this store')],
      help: [help('add a rule with `allow chunk where …`, or write `default retrieval: allow` in `policy`')],
    }),
  );
}

function budgetWithoutPrices(context: Context, budget: Budget, { models }: Declared): void {
  if (models.some(({ inputPrice, outputPrice }) => inputPrice > 0 || outputPrice > 0)) return;
  report(
    context,
    diagnostic('W0501', budget.nameSpan, `nothing is ever spent of \`${budget.name}\`: no model has a price`, {
      help: [help('give the models an `input_price` and an `output_price` above zero')],
    }),
  );
}

/** The stronger mode wins, so that the weaker one is never seen. */
function twoModes(context: Context, rule: Rule): void {
  const seen = new Map<string, Extract<Effect, { readonly kind: 'redact' }>>();
  for (const effect of rule.effects) {
    if (effect.kind !== 'redact') continue;
    const twice = effect.detectors.find((name) => {
      const earlier = seen.get(name);
      return earlier !== undefined && earlier.mode.kind !== effect.mode.kind;
    });
    const earlier = twice === undefined ? undefined : seen.get(twice);
    if (twice !== undefined && earlier !== undefined) {
      report(
        context,
        diagnostic(
          'W0401',
          effect.span,
          `\`${twice}\` is redacted as \`${effect.mode.kind}\` and as \`${earlier.mode.kind}\` in one rule`,
          {
            labels: [label(earlier.span, 'redacted here already')],
            help: [help('of the two, what hides more is done; leave one of them out')],
          },
        ),
      );
    }
    for (const name of effect.detectors) if (!seen.has(name)) seen.set(name, effect);
  }
}
