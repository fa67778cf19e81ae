/** `classify`: only raises, and only to a class. */
import { diagnostic, help } from '../diagnostic.ts';
import { attributesOf, readsModel } from '../condition-facts.ts';
import { printClause } from '../print/print-clause.ts';
import type { Classification, Condition, Span } from '../program.ts';
import { checkOnce, checkWhereUnless } from './clauses.ts';
import { conditionScope } from './condition-scope.ts';
import { all, type Context, report } from './context.ts';
import { checkMember } from './values.ts';

export function checkClassifications(context: Context): Classification[] {
  const found = all(context, 'classify').flatMap((node) => {
    const { event } = node.event;
    if (event !== 'prompt' && event !== 'completion') {
      report(
        context,
        diagnostic('E0207', node.event.span, 'only prompts and completions are classified', {
          help: [help('chunks have their class from the store')],
        }),
      );
      return [];
    }
    const name = `classify ${event}`;
    if (node.level === null) warnOfReceipts(context, node.span);
    checkOnce(context, node.clauses);
    const { where, unless } = checkWhereUnless(conditionScope(context, name, event), node.clauses, 'where');
    for (const condition of [where, unless]) if (condition !== null) checkEarlier(context, condition, event);
    if (!context.typed.enums.has('classification') && !context.brokenNames.has('enum classification')) {
      report(
        context,
        diagnostic('E0506', node.level?.span ?? node.span, 'no enum `classification` is declared', {
          help: [help('declare the classes in order, such as `classification = public < internal < confidential`')],
        }),
      );
      return [];
    }
    const level =
      node.level === null ? ('receipts' as const) : checkMember(context, node.level, 'classification', null);
    if (level === null) return [];
    const order = `${event} ${level === 'receipts' ? '' : String(level.ordinal).padStart(2, '0')} ${node.clauses.map(printClause).join(' ')}`;
    return [{ order, value: { event, level, where, unless, span: node.span } }];
  });
  return found.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0)).map((each) => each.value);
}

/** Nobody can make a client carry what it was given. */
function warnOfReceipts(context: Context, span: Span): void {
  report(
    context,
    diagnostic('W0408', span, 'a prompt without receipts has the base class, whatever was pasted into it', {
      help: [
        help(
          'applications send the header `x-writ-receipt` of each search along; add `classify` by what text contains',
        ),
      ],
    }),
  );
}

/** Classes are decided before the model is chosen and before anything is redacted, and not from themselves. */
function checkEarlier(context: Context, condition: Condition, event: 'prompt' | 'completion'): void {
  const attribute = attributesOf(condition).find(
    (each) => each.root === event && (each.name === 'classification' || each.name === 'sent_classification'),
  );
  const later = attribute ?? (event === 'prompt' ? readsModel(condition) : null);
  if (later === null) return;
  report(
    context,
    diagnostic(
      'E0414',
      later.span,
      attribute === undefined
        ? 'a prompt is classified before its model is chosen'
        : `the class of a ${event} cannot depend on itself`,
      {
        help: [help('the highest class of every `classify` that fires is taken, so each can stand alone')],
      },
    ),
  );
}
