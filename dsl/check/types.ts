/** Types: from their syntax, in words, and compared. */
import { diagnostic, didYouMeanHelp } from '../diagnostic.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { ScalarType, Type } from '../program.ts';
import type { TypeNode } from '../syntax-tree.ts';
import { type Context, isBroken, report } from './context.ts';

const SIMPLE = ['bool', 'int', 'text', 'money', 'tokens', 'bytes', 'duration', 'time', 'date'] as const;
export const DECIMAL_DIGITS_MAX = 12;

/** Null, and reported, if it is no type. */
export function checkType(context: Context, node: TypeNode): Type | null {
  if (node.kind === 'setType') {
    const element = checkType(context, node.element);
    if (element === null) return null;
    if (element.kind !== 'text' && element.kind !== 'enum') {
      report(
        context,
        diagnostic('E0318', node.element.span, `a set cannot hold ${typeWording(element)}`, {
          help: [{ message: 'sets hold texts or members of an enum', edits: [] }],
        }),
      );
      return null;
    }
    return { kind: 'set', element };
  }
  const name = node.name.text;
  if (name === 'decimal') {
    const digits = node.digits === null ? 2 : Number(node.digits.text);
    if (node.digits !== null && (!Number.isInteger(digits) || digits < 1 || digits > DECIMAL_DIGITS_MAX)) {
      report(context, diagnostic('E0304', node.digits.span, `a decimal has 1 to ${DECIMAL_DIGITS_MAX} digits`));
      return null;
    }
    return { kind: 'decimal', scale: digits };
  }
  if (node.digits !== null)
    report(context, diagnostic('E0318', node.span, `only a \`decimal\` has digits, not \`${name}\``));
  const simple = SIMPLE.find((each) => each === name);
  if (simple !== undefined) return { kind: simple };
  const declared = context.typed.enums.get(name);
  context.used.add(`enum ${name}`);
  if (declared !== undefined) return { kind: 'enum', name, ordered: declared.ordered };
  if (isBroken(context, 'enum', name) || context.named.enum.has(name)) return null;
  const meant = didYouMean(name, [...SIMPLE, 'decimal', ...context.typed.enums.keys()]);
  report(
    context,
    diagnostic('E0318', node.name.span, `\`${name}\` is not a type`, {
      help: [
        meant === null
          ? {
              message: `declare it as an enum, such as \`${name} = a | b\``,
              edits: [],
            }
          : didYouMeanHelp(node.name.span, meant),
      ],
    }),
  );
  return null;
}

const WORDING: { readonly [K in Type['kind']]: string } = {
  bool: 'true or false',
  int: 'a whole number',
  decimal: 'a decimal number',
  text: 'a text',
  money: 'an amount of money',
  tokens: 'a number of tokens',
  bytes: 'a number of bytes',
  duration: 'a duration',
  time: 'a time',
  date: 'a date',
  enum: 'an enum',
  set: 'a set',
  content: 'scanned text',
  collection: 'a collection',
};

/** With its article: "an amount of money", "a `region`". */
export function typeWording(type: Type): string {
  if (type.kind === 'enum') return `a \`${type.name}\``;
  if (type.kind === 'set')
    return `a set of ${type.element.kind === 'enum' ? `\`${type.element.name}\`` : type.element.kind}`;
  return WORDING[type.kind];
}

export function sameType(a: Type, b: Type): boolean {
  if (a.kind === 'enum' && b.kind === 'enum') return a.name === b.name;
  if (a.kind === 'set' && b.kind === 'set') return sameType(a.element, b.element);
  if (a.kind === 'decimal' && b.kind === 'decimal') return a.scale === b.scale;
  return a.kind === b.kind;
}

export function isOrdered(type: Type): boolean {
  switch (type.kind) {
    case 'int':
    case 'decimal':
    case 'money':
    case 'tokens':
    case 'bytes':
    case 'duration':
    case 'time':
    case 'date':
      return true;
    case 'enum':
      return type.ordered;
    case 'bool':
    case 'text':
    case 'set':
    case 'content':
    case 'collection':
      return false;
  }
}

export function isScalar(type: Type): type is ScalarType {
  return type.kind !== 'set' && type.kind !== 'content' && type.kind !== 'collection';
}
