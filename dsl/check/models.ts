/** The model catalog: finite, every model complete. */
import { diagnostic, didYouMeanHelp, help, label } from '../diagnostic.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { Model } from '../program.ts';
import type { Setting } from '../syntax-tree.ts';
import { byName, type Context, declaredHere, type DeclarationOf, listNames, report, unknownName } from './context.ts';
import { microsPerMillion, RATE_ONE } from '../units.ts';
import { checkAmount, checkPositive, checkValue, writtenWording } from './values.ts';

export const PROVIDERS = ['openai', 'anthropic', 'llama_cpp', 'vllm', 'ollama', 'openai_compatible'] as const;
export const MAX_OUTPUT_TOKENS = 1024;
export const TEMPLATE_OVERHEAD_TOKENS = 256;
const REQUIRED_SETTINGS = ['provider', 'input_price', 'output_price', 'context'] as const;
const OPTIONAL_SETTINGS = ['max_output', 'template_overhead'] as const;
export const BUILT_IN_SETTINGS: readonly string[] = [...REQUIRED_SETTINGS, ...OPTIONAL_SETTINGS];

export function checkModels(context: Context): Model[] {
  return byName([...context.named.model.values()].flatMap((node) => checkModel(context, node) ?? []));
}

function checkModel(context: Context, node: DeclarationOf<'model'>): Model | null {
  const settings = new Map<string, Setting>();
  for (const setting of node.settings) {
    const earlier = settings.get(setting.name.text);
    if (earlier === undefined) settings.set(setting.name.text, setting);
    else {
      report(
        context,
        diagnostic('E0406', setting.name.span, `\`${setting.name.text}\` is written twice`, {
          labels: [label(earlier.name.span, 'first written here')],
        }),
      );
    }
  }
  checkSettingNames(context, node, settings);
  const provider = settings.get('provider');
  const providerName = provider?.value.kind === 'name' ? provider.value : null;
  if (provider !== undefined && providerName === null) {
    report(
      context,
      diagnostic('E0509', provider.value.span, 'a provider is a name', {
        help: [help(`there is ${listNames(PROVIDERS)}`)],
      }),
    );
  }
  if (providerName !== null && !PROVIDERS.some((each) => each === providerName.text)) {
    report(context, { ...unknownName('provider', providerName, PROVIDERS), code: 'E0509' });
  }
  const inputPrice = checkPrice(context, settings.get('input_price'));
  const outputPrice = checkPrice(context, settings.get('output_price'));
  const contextTokens = checkTokens(context, settings.get('context'));
  const maxOutput = settings.get('max_output');
  const maxOutputTokens = checkTokens(context, maxOutput);
  if (
    maxOutput !== undefined &&
    maxOutputTokens !== null &&
    contextTokens !== null &&
    maxOutputTokens > contextTokens
  ) {
    report(
      context,
      diagnostic('E0304', maxOutput.value.span, 'more output than the context holds', {
        labels: [label(settings.get('context')?.value.span ?? null, 'the context is declared here')],
      }),
    );
  }
  const attributes = [...context.typed.models.values()].map((attribute) => {
    const setting = settings.get(attribute.name);
    const value =
      setting === undefined
        ? null
        : checkValue(
            context,
            setting.value,
            attribute.type,
            declaredHere(attribute.span, `\`${attribute.name}\` is declared here`),
          );
    return value === null ? null : { name: attribute.name, value };
  });
  const whole = attributes.filter((each) => each !== null);
  if (
    providerName === null ||
    inputPrice === null ||
    outputPrice === null ||
    contextTokens === null ||
    whole.length < attributes.length
  ) {
    return null;
  }
  return {
    name: node.name.text,
    wireName: node.wireName.value,
    provider: providerName.text,
    inputPrice,
    outputPrice,
    contextTokens,
    maxOutputTokens: maxOutputTokens ?? Math.min(MAX_OUTPUT_TOKENS, contextTokens),
    templateOverheadTokens: checkTokens(context, settings.get('template_overhead')) ?? TEMPLATE_OVERHEAD_TOKENS,
    attributes: whole,
    span: node.span,
  };
}

function checkSettingNames(
  context: Context,
  node: DeclarationOf<'model'>,
  settings: ReadonlyMap<string, Setting>,
): void {
  const declared = [...context.typed.models.keys()];
  const known = new Set<string>([...REQUIRED_SETTINGS, ...OPTIONAL_SETTINGS, ...declared]);
  for (const { name } of settings.values()) {
    if (known.has(name.text) || context.brokenKinds.has('models')) continue;
    const meant = didYouMean(name.text, known);
    report(
      context,
      diagnostic('E0508', name.span, `models have no setting \`${name.text}\``, {
        help: [meant === null ? help(`there is ${listNames([...known])}`) : didYouMeanHelp(name.span, meant)],
      }),
    );
  }
  const missing = [...REQUIRED_SETTINGS, ...declared].filter((name) => !settings.has(name));
  if (missing.length === 0) return;
  const models = context.declarations.find((each) => each.kind === 'models');
  report(
    context,
    diagnostic(
      'E0507',
      node.name.span,
      `the model \`${node.name.text}\` does not say its ${missing.map((name) => `\`${name}\``).join(', ')}`,
      {
        labels: [
          missing.some((name) => declared.includes(name)) && models !== undefined
            ? label({ ...models.span, end: models.span.start + 6 }, 'every model has these attributes')
            : null,
        ],
        help: [help(`write ${missing.map((name) => `\`${name}: ${EXAMPLES[name] ?? '…'}\``).join(', ')}`)],
      },
    ),
  );
}

const EXAMPLES: { readonly [name: string]: string } = {
  provider: 'openai',
  input_price: '2.50 usd per 1M tokens',
  output_price: '10 usd per 1M tokens',
  context: '128_000 tokens',
};

function checkPrice(context: Context, setting: Setting | undefined): number | null {
  if (setting === undefined) return null;
  const { value } = setting;
  if (value.kind !== 'price') {
    report(
      context,
      diagnostic('E0302', value.span, `a price is needed here, and this is ${writtenWording(value)}`, {
        help: [help(`such as \`${EXAMPLES['input_price'] ?? ''}\``)],
      }),
    );
    return null;
  }
  const amount = checkAmount(context, value.amount, null);
  const perTokens = checkPositive(context, value.per, 'tokens', null);
  if (amount === null || perTokens === null) return null;
  const { micros, rateMillionths } = amount;
  if (micros < 0) report(context, diagnostic('E0304', value.span, 'a price is not below zero'));
  const price = microsPerMillion(micros, perTokens, rateMillionths ?? RATE_ONE);
  if (price === null) report(context, diagnostic('E0304', value.span, 'this price is too large for a million tokens'));
  return price;
}

function checkTokens(context: Context, setting: Setting | undefined): number | null {
  if (setting === undefined) return null;
  const { value } = setting;
  const why = null;
  if (value.kind === 'quantity') return checkPositive(context, value, 'tokens', why);
  checkValue(context, value, { kind: 'tokens' }, why);
  return null;
}
