/** Declarations that nothing refers to. */
import { diagnostic, help } from '../diagnostic.ts';
import { type Context, isImported, type NamedKind, report } from './context.ts';
import { unusedConversions } from './conversions.ts';

const KINDS = [
  'enum',
  'list',
  'recipient',
  'reviewers',
  'hours',
  'detector',
  'detectors',
  'term',
  'tool',
  'switch',
] as const satisfies readonly NamedKind[];

export function checkUnused(context: Context): void {
  // What could not be read may have used anything.
  if (context.brokenKinds.size > 0) return;
  for (const kind of KINDS) {
    for (const declaration of context.named[kind].values()) {
      const { text, span } = declaration.name;
      if (context.used.has(`${kind} ${text}`) || isImported(context, span.file)) continue;
      report(
        context,
        diagnostic(
          'W0210',
          span,
          `nothing refers to the ${kind === 'detectors' ? 'detector group' : kind} \`${text}\``,
          {
            help: [help('use it, or take it out')],
          },
        ),
      );
    }
  }
  for (const { from, to, span } of unusedConversions(context)) {
    report(
      context,
      diagnostic('W0210', span, `no amount is converted from \`${from}\` to \`${to}\``, {
        help: [help('take it out, until an amount is written in it')],
      }),
    );
  }
}
