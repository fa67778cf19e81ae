/** Who may change what: waivers, switches, delegations, imports, assumptions and guarantees. */
import { diagnostic, help, label } from '../diagnostic.ts';
import type { Assumption, Delegation, EffectWord, EventKind, Guarantee, Switch, Waiver } from '../program.ts';
import type { Name } from '../syntax-tree.ts';
import { checkMeta, checkOnce, checkRequired, checkWhereUnless, clauseOf } from './clauses.ts';
import { conditionScope } from './condition-scope.ts';
import { checkCondition } from './conditions.ts';
import {
  all,
  byName,
  type Context,
  type DeclarationOf,
  noteUnenforced,
  report,
  resolve,
  unknownName,
} from './context.ts';
import { checkDate, checkPositive } from './values.ts';

const EFFECT_WORDS = [
  'allow',
  'deny',
  'use',
  'require',
  'buffer',
  'withhold',
  'keep',
  'redact',
  'drop',
  'set',
  'record',
  'hold',
  'limit',
  'tag',
  'notify',
  'sample',
  'classify',
  'route',
  'waive',
] as const satisfies readonly EffectWord[];

export function checkWaivers(context: Context): Waiver[] {
  return byName(
    [...context.named.waiver.values()].flatMap((node) => {
      checkOnce(context, node.clauses);
      checkRequired(context, node, node.clauses, [
        ['until', 'until 2026-12-31'],
        ['owner', 'owner "dpo@acme.example"'],
      ]);
      for (const name of node.of) {
        const rule = resolve(context, 'rule', name);
        if (rule === null) continue;
        checkLiftable(context, name, rule);
        if (clauseOf(rule.clauses, 'waivableBy') !== null) continue;
        report(
          context,
          diagnostic('E0412', name.span, `the rule \`${name.text}\` cannot be waived`, {
            labels: [label(rule.name.span, 'it does not say `waivable by`')],
            help: [help('its owner must write `waivable by "…"` in it')],
          }),
        );
      }
      const { where } = checkWhereUnless(conditionScope(context, node.name.text, null), node.clauses, 'where');
      const notify = clauseOf(node.clauses, 'notify');
      if (notify !== null) resolve(context, 'recipient', notify.recipient);
      const until = clauseOf(node.clauses, 'until');
      const date = until === null ? null : checkDate(context, until.date.text, until.date.span);
      const owner = clauseOf(node.clauses, 'owner');
      if (date === null || owner === null) return [];
      return [
        {
          name: node.name.text,
          title: node.title.value,
          of: node.of.map((name) => name.text).sort(),
          where,
          until: date,
          owner: owner.text.value,
          notify: notify?.recipient.text ?? null,
          span: node.span,
        },
      ];
    }),
  );
}

/** What allows stays when what narrows is lifted: where both have the rule's one condition, they are two rules. */
function checkLiftable(context: Context, name: Name, rule: DeclarationOf<'rule'>): void {
  const allows = rule.clauses.find(({ kind }) => kind === 'allow' || kind === 'allowChunk');
  const narrows = rule.clauses.find(({ kind }) => kind === 'deny' || kind === 'redact' || kind === 'keepNewest');
  if (allows === undefined || narrows === undefined) return;
  report(
    context,
    diagnostic('E0415', name.span, `\`${name.text}\` allows something, too, which a waiver must not lift`, {
      labels: [label(allows.span, 'this stays'), label(narrows.span, 'this would be lifted')],
      help: [help(`write two rules: one that allows, and one that narrows, and let the waiver be of that`)],
    }),
  );
}

export function checkSwitches(context: Context): Switch[] {
  return byName(
    [...context.named.switch.values()].flatMap((node) => {
      const maxMilliseconds = node.max === null ? null : checkPositive(context, node.max, 'duration', null);
      if (node.max !== null && maxMilliseconds === null) return [];
      return [{ name: node.name.text, title: node.title.value, by: node.by.value, maxMilliseconds, span: node.span }];
    }),
  );
}

export function checkDelegations(context: Context): Delegation[] {
  const found = all(context, 'delegate').flatMap((node) => {
    const where = checkCondition(conditionScope(context, node.to.text, null), node.condition);
    const may = node.may.flatMap((name) => {
      const word = EFFECT_WORDS.find((each) => each === name.text);
      if (word === undefined) report(context, unknownName('effect', name, EFFECT_WORDS));
      return word === undefined ? [] : [word];
    });
    return where === null ? [] : [{ to: node.to.text, where, may: [...new Set(may)].sort(), span: node.span }];
  });
  return found.sort((a, b) => (a.to < b.to ? -1 : a.to > b.to ? 1 : a.may.join() < b.may.join() ? -1 : 1));
}

export function checkAssumptions(context: Context): Assumption[] {
  return byName(
    [...context.named.assume.values()].flatMap((node) => {
      const condition = checkCondition(conditionScope(context, node.name.text, 'prompt'), node.condition);
      return condition === null ? [] : [{ name: node.name.text, condition, span: node.span }];
    }),
  );
}

const SUBJECT_EVENTS: { readonly [K in Guarantee['subject']]: EventKind } = {
  prompt: 'prompt',
  completion: 'completion',
  chunk: 'retrieval',
};

export function checkGuarantees(context: Context): Guarantee[] {
  return byName(
    [...context.named.guarantee.values()].flatMap((node) => {
      checkOnce(context, node.clauses);
      checkRequired(context, node, node.clauses, [['where', 'where model.zone is external']]);
      const scope = { ...conditionScope(context, node.name.text, SUBJECT_EVENTS[node.subject]), inGuarantee: true };
      const { where } = checkWhereUnless(scope, node.clauses, 'where');
      return where === null
        ? []
        : [
            {
              name: node.name.text,
              title: node.title?.value ?? null,
              subject: node.subject,
              condition: where,
              meta: checkMeta(context, node.clauses),
              span: node.span,
            },
          ];
    }),
  );
}
