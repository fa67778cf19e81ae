/**
 * Dated rates between currencies. A policy's meaning does not change with a clock: of several rates for one pair the one
 * of the latest day counts, for every amount, from the revision on that declares it. The earlier ones stay in the file as
 * its history.
 */
import { diagnostic, help, label } from '../diagnostic.ts';
import type { Conversion } from '../program.ts';
import type { Name } from '../syntax-tree.ts';
import { isCurrency, MONEY_SCALE } from '../units.ts';
import { type Context, type DeclarationOf, report } from './context.ts';
import { checkDate, integer } from './values.ts';

/** By pair, then by day. */
export function checkConversions(context: Context): Conversion[] {
  const found = context.declarations
    .filter((each) => each.kind === 'convert')
    .flatMap((node) => checkConversion(context, node) ?? []);
  const sorted = found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  sorted.forEach((each, index) => {
    const before = sorted[index - 1];
    if (before === undefined || keyOf(before) !== keyOf(each)) return;
    const [first, second] = before.span.start < each.span.start ? [before, each] : [each, before];
    report(
      context,
      diagnostic('E0519', second.span, `two rates lead from \`${each.from}\` to \`${each.to}\` on ${each.date}`, {
        labels: [label(first.span, 'the other one is here')],
        help: [help('write each with its own day: the latest counts')],
      }),
    );
  });
  // The last of a pair is of its latest day.
  for (const each of sorted) context.typed.conversions.set(`${each.from} ${each.to}`, each);
  return sorted;
}

/** For a rate that nothing is converted at; those of earlier days are history, and are not asked after. */
export function unusedConversions(context: Context): Conversion[] {
  return [...context.typed.conversions.values()].filter(({ from, to }) => !context.used.has(`convert ${from} ${to}`));
}

function keyOf({ from, to, date }: Conversion): string {
  return `${from} ${to} ${date}`;
}

function checkConversion(context: Context, node: DeclarationOf<'convert'>): Conversion | null {
  const { from, to } = node;
  const known = [from, to].filter((name) => checkCurrency(context, name));
  const rateMillionths = integer(context, node.rate, node.rate.span, MONEY_SCALE, 1n);
  const date = checkDate(context, node.date.text, node.date.span);
  if (rateMillionths !== null && rateMillionths <= 0)
    report(context, diagnostic('E0304', node.rate.span, 'a rate is above zero'));
  const currency = context.typed.policy?.currency;
  if (known.length === 2 && currency !== undefined && (to.text !== currency || from.text === currency)) {
    report(
      context,
      diagnostic(
        'E0523',
        node.span,
        `a rate leads from another currency to \`${currency}\`, which this policy counts in`,
        {
          labels: [label(context.typed.policy!.span, `the currency is \`${currency}\``)],
          help: [help(`write what one unit of the other currency is in \`${currency}\``)],
        },
      ),
    );
  }
  if (rateMillionths === null || date === null) return null;
  return { from: from.text, to: to.text, rateMillionths, date, span: node.span };
}

function checkCurrency(context: Context, name: Name): boolean {
  if (isCurrency(name.text)) return true;
  report(
    context,
    diagnostic('E0523', name.span, `\`${name.text}\` is not a currency`, {
      help: [help('write three lower-case letters, such as `usd`')],
    }),
  );
  return false;
}
