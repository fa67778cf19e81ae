/** What is well formed and will surprise: warnings over the typed rules. */
import { diagnostic, help, label } from '../diagnostic.ts';
import type { Effect, Rule } from '../program.ts';
import { type Context, report } from './context.ts';

export function checkSurprises(context: Context, rules: readonly Rule[]): void {
  for (const rule of rules) twoModes(context, rule);
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
