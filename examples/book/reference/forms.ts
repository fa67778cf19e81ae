/**
 * How each form is written, from the grammar that the parser runs: its productions as text. Small words stand as they are
 * written; what is put in their place stands in capitals; `[ ]` may be left out, `( )…` may be repeated, `|` is a choice.
 */
import { Alternation, type IProduction, NonTerminal, Option, Repetition, Rule, Terminal } from 'chevrotain';
import {
  Alternative,
  RepetitionMandatory,
  RepetitionMandatoryWithSeparator,
  RepetitionWithSeparator,
} from 'chevrotain';
import { DeclarationGrammar } from '../../../dsl/grammar/declaration-grammar.ts';
import { CLAUSE_WORDING } from '../../../dsl/grammar/clauses-of.ts';
import type { EffectClause } from '../../../dsl/syntax-tree.ts';

class ReadableGrammar extends DeclarationGrammar {
  constructor() {
    super();
    this.performSelfAnalysis();
  }
}

const PRODUCTIONS = new ReadableGrammar().getGAstProductions();

/** Leaves that are shown by what they stand for, and not by their production. */
const LEAVES: { readonly [name: string]: string } = {
  name: 'NAME',
  anyName: 'NAME',
  text: '"TEXT"',
  number: 'NUMBER',
  quantity: 'NUMBER UNIT',
  date: 'DATE',
  day: 'DATE',
  timeOfDay: 'TIME',
  dottedPath: 'ATTRIBUTE',
  condition: 'CONDITION',
  literal: 'VALUE',
  operand: 'VALUE',
  type: 'TYPE',
  names: 'NAME, …',
  texts: '("TEXT", …)',
  title: '["TITLE"]',
  reason: '["TEXT"]',
  clauses: 'CLAUSE…',
  settings: '{ NAME: VALUE … }',
  attributes: '{ ATTRIBUTE… }',
  event: 'EVENT',
  eventOf: 'EVENT',
  plainAmount: 'NUMBER [UNIT]',
  amount: 'NUMBER [UNIT]',
};

/** Where a value of the language is written as it is. */
const TOKENS: { readonly [token: string]: string } = {
  Text: '"TEXT"',
  Pattern: '`PATTERN`',
  Date: 'DATE',
  TimeOfDay: 'TIME',
  Number: 'NUMBER',
  Name: 'NAME',
  AnyWord: 'NAME',
};

/** The production of a rule of the grammar, in one line. Null if there is no such rule. */
export function formOf(rule: string): string | null {
  const production = PRODUCTIONS[rule];
  return production === undefined ? null : written(production.definition);
}

/** Every rule of the grammar with its production, in the order in which the grammar has them. */
export function allForms(): readonly (readonly [name: string, form: string])[] {
  return Object.entries(PRODUCTIONS).map(([name, { definition }]) => [name, written(definition)] as const);
}

/** How a clause is written: that alternative of `clause` which begins with the clause's words. */
export function formOfEffect(kind: EffectClause['kind']): string {
  const words = CLAUSE_WORDING[kind].split(' … ');
  const found = alternatives(PRODUCTIONS['clause']!.definition)
    .map(written)
    .filter((form) => words.every((part, index) => (index === 0 ? form.startsWith(part) : form.includes(` ${part} `))))
    .sort((a, b) => a.length - b.length)[0];
  if (found === undefined) throw new Error(`no clause of the grammar begins with \`${words.join(' ')}\``);
  return found;
}

/** The choices of a production, those of the rules that it only passes on included. */
function alternatives(definition: readonly IProduction[]): readonly (readonly IProduction[])[] {
  const [only] = definition;
  if (only instanceof Alternation) return only.definition.flatMap((each) => alternatives(inside(each)));
  if (definition.length === 1 && only instanceof NonTerminal && LEAVES[only.nonTerminalName] === undefined)
    return alternatives(only.referencedRule.definition);
  // A choice at the end, after common words: `limit …`.
  const last = definition.at(-1);
  if (definition.length > 1 && last instanceof Alternation)
    return last.definition.map((each) => [...definition.slice(0, -1), ...inside(each)]);
  return [definition];
}

function written(definition: readonly IProduction[]): string {
  return definition
    .map(part)
    .join(' ')
    .replaceAll(/ ([,:).])/g, '$1')
    .replaceAll(/([(.]) /g, '$1');
}

function part(production: IProduction): string {
  if (production instanceof Terminal) {
    const { name, LABEL } = production.terminalType;
    return TOKENS[name] ?? LABEL?.replaceAll('`', '') ?? name;
  }
  if (production instanceof NonTerminal)
    return LEAVES[production.nonTerminalName] ?? written(production.referencedRule.definition);
  if (production instanceof Option) return `[${written(production.definition)}]`;
  if (production instanceof Alternation)
    return `(${production.definition.map((each) => written(inside(each))).join(' | ')})`;
  if (production instanceof RepetitionWithSeparator) return `[${written(production.definition)}, …]`;
  if (production instanceof RepetitionMandatoryWithSeparator) return `${written(production.definition)}, …`;
  if (production instanceof Repetition) return `[${written(production.definition)}…]`;
  if (production instanceof RepetitionMandatory) return `(${written(production.definition)})…`;
  if (production instanceof Alternative || production instanceof Rule) return written(production.definition);
  throw new Error('the grammar has a kind of production that is not written yet');
}

/** What one choice of several holds. */
function inside(choice: IProduction): readonly IProduction[] {
  return choice instanceof Alternative ? choice.definition : [choice];
}

/** A long form in lines: each choice of its outermost group has its own. */
export function inLines(form: string): string {
  if (form.length <= LINE_CHARACTERS_MAX) return form;
  const open = outermostChoice(form);
  if (open === null) return form;
  const { start, end, choices } = open;
  return `${form.slice(0, start)}\n    ${choices.join('\n  | ')}\n${form.slice(end)}`;
}

const LINE_CHARACTERS_MAX = 90;

/** The first group in parentheses that is a choice between more than two. */
function outermostChoice(form: string): { start: number; end: number; choices: string[] } | null {
  for (let start = form.indexOf('('); start !== -1; start = form.indexOf('(', start + 1)) {
    const choices: string[] = [];
    let depth = 0;
    let from = start + 1;
    for (let at = start; at < form.length; at++) {
      if ('([{'.includes(form[at]!)) depth++;
      if (')]}'.includes(form[at]!)) depth--;
      if (depth === 1 && form.startsWith(' | ', at)) {
        choices.push(form.slice(from, at));
        from = at + 3;
      }
      if (depth === 0) {
        choices.push(form.slice(from, at));
        if (choices.length > 2) return { start: start + 1, end: at, choices };
        break;
      }
    }
  }
  return null;
}
