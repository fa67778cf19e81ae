/** Written values against the type that is needed: units, exactness, ranges, members. */
import { type Diagnostic, diagnostic, didYouMeanHelp, help, type Label, label, replaceWith } from '../diagnostic.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { MemberValue, ScalarType, ScalarValue, SetValue, Type, Value } from '../program.ts';
import type { Span } from '../source.ts';
import type { Literal, Name, NumberNode, Operand, Quantity } from '../syntax-tree.ts';
import {
  atScale,
  convertMicros,
  exactNumber,
  INTEGER_MAX,
  isCurrency,
  isDate,
  minuteOfDay,
  MONEY_SCALE,
  UNITS,
} from '../units.ts';
import { type Context, listNames, report } from './context.ts';
import { typeWording } from './types.ts';

export type WrittenValue = Literal | Operand;
export const SET_ELEMENTS_MAX = 256;

/** `why` is where the type comes from. Null, and reported, if the value does not fit. */
export function checkValue(context: Context, node: WrittenValue, type: Type, why: Label | null): Value | null {
  if (type.kind === 'set') return checkSet(context, node, type.element, why);
  if (type.kind === 'content' || type.kind === 'collection') return mismatch(context, node, type, why);
  return checkScalar(context, node, type, why);
}

export function checkScalar(
  context: Context,
  node: WrittenValue,
  type: ScalarType,
  why: Label | null,
): ScalarValue | null {
  switch (type.kind) {
    case 'bool':
      return node.kind === 'boolean' ? { kind: 'bool', value: node.value } : mismatch(context, node, type, why);
    case 'text':
      return node.kind === 'text' ? { kind: 'text', value: node.value } : mismatch(context, node, type, why);
    case 'enum': {
      const name = bareName(node);
      return name === null ? mismatch(context, node, type, why) : checkMember(context, name, type.name, why);
    }
    case 'int': {
      if (node.kind !== 'number') return mismatch(context, node, type, why);
      const value = integer(context, node, node.span, 0, 1n);
      return value === null ? null : { kind: 'int', value };
    }
    case 'decimal': {
      if (node.kind !== 'number') return mismatch(context, node, type, why);
      const digits = integer(context, node, node.span, type.scale, 1n);
      return digits === null ? null : { kind: 'decimal', digits, scale: type.scale };
    }
    case 'money':
      return checkMoney(context, node, why);
    case 'tokens':
    case 'bytes': {
      const value = measured(context, node, type.kind, why);
      return value === null ? null : { kind: type.kind, value };
    }
    case 'duration': {
      const milliseconds = measured(context, node, 'duration', why);
      return milliseconds === null ? null : { kind: 'duration', milliseconds };
    }
    case 'time':
    case 'date': {
      if (node.kind !== 'date' || (type.kind === 'date' && node.text.includes(' ')))
        return mismatch(context, node, type, why);
      const iso = checkDate(context, node.text, node.span);
      return iso === null ? null : { kind: type.kind, iso };
    }
  }
}

/** `2026-12-31 09:00` → `2026-12-31T09:00`. */
export function checkDate(context: Context, text: string, span: Span): string | null {
  const [day = '', time] = text.split(' ');
  if (isDate(day) && (time === undefined || (minuteOfDay(time) ?? 1440) < 1440))
    return time === undefined ? day : `${day}T${time}`;
  report(context, diagnostic('E0312', span, `\`${text}\` is not in the calendar`));
  return null;
}

export function checkMember(context: Context, name: Name, enumName: string, why: Label | null): MemberValue | null {
  const type = context.typed.enums.get(enumName);
  if (type === undefined) return null;
  context.used.add(`enum ${enumName}`);
  const ordinal = type.members.indexOf(name.text);
  if (ordinal >= 0) return { kind: 'member', enum: enumName, name: name.text, ordinal };
  const others = [...context.typed.enums.values()].filter((other) => other.members.includes(name.text));
  const meant = didYouMean(name.text, type.members);
  const other = others[0];
  report(
    context,
    diagnostic(
      'E0209',
      name.span,
      other === undefined
        ? `\`${enumName}\` has no member \`${name.text}\``
        : `\`${name.text}\` is a \`${other.name}\`, and a \`${enumName}\` is needed`,
      {
        labels: [why, type.span.file === '' ? null : label(type.span, `\`${enumName}\` is declared here`)],
        help: [
          meant === null ? help(`a \`${enumName}\` is ${listNames(type.members)}`) : didYouMeanHelp(name.span, meant),
        ],
      },
    ),
  );
  return null;
}

/** A count without a unit, within bounds. */
export function checkCount(context: Context, node: NumberNode, min: number, max: number, what: string): number | null {
  const value = integer(context, node, node.span, 0, 1n);
  if (value === null) return null;
  if (value >= min && value <= max) return value;
  report(context, diagnostic('E0304', node.span, `${what} is between ${min} and ${max}, not ${node.text}`));
  return null;
}

/** Percent as millionths. */
export function checkShare(context: Context, node: NumberNode): number | null {
  const value = integer(context, node, node.span, 4, 1n);
  if (value === null) return null;
  if (value > 0 && value <= 1_000_000) return value;
  report(context, diagnostic('E0304', node.span, `a share is above 0 and at most 100 percent, not ${node.text}`));
  return null;
}

/** A whole positive number of base units; durations in milliseconds. */
export function checkPositive(
  context: Context,
  node: Quantity,
  dimension: 'tokens' | 'bytes' | 'duration',
  why: Label | null,
): number | null {
  const value = measured(context, node, dimension, why);
  if (value === null || value > 0) return value;
  report(context, diagnostic('E0304', node.span, 'this must be above zero'));
  return null;
}

/** The integer that a number is at a scale; null, and reported, if it is none. */
export function integer(context: Context, node: NumberNode, span: Span, scale: number, factor: bigint): number | null {
  const exact = exactNumber(node.text);
  if (exact === null) {
    report(
      context,
      diagnostic('E0311', node.span, `\`${node.text}\` is not a number: \`_\` stands between digits only`, {
        help: [replaceWith(node.span, withSeparators(node.text.replace(/_+/g, '')))],
      }),
    );
    return null;
  }
  const scaled = atScale(exact, scale, factor);
  if (scaled.kind === 'integer') return scaled.value;
  if (scaled.kind === 'tooLarge') {
    report(
      context,
      diagnostic('E0304', span, `\`${node.text}\` is too large here: the most is ${INTEGER_MAX} of the smallest unit`),
    );
  } else {
    report(
      context,
      diagnostic(
        'E0303',
        span,
        scale === 0 && factor === 1n
          ? `\`${node.text}\` must be a whole number`
          : `\`${node.text}\` has more decimals than fit here`,
        {
          help: [help(scale > 0 ? `at most ${scale} digits after the point` : 'write a whole number')],
        },
      ),
    );
  }
  return null;
}

/** The unit of the number, if it is of the dimension. */
function measured(
  context: Context,
  node: WrittenValue,
  dimension: 'tokens' | 'bytes' | 'duration',
  why: Label | null,
): number | null {
  const type: Type = { kind: dimension };
  if (node.kind !== 'quantity') {
    mismatch(context, node, type, why);
    return null;
  }
  const unit = UNITS.get(node.unit.text);
  if (unit === undefined || unit.dimension !== dimension) {
    report(context, wrongUnit(node, type, EXAMPLE_UNIT[dimension], why));
    return null;
  }
  return integer(context, node.number, node.span, 0, unit.factor);
}

const EXAMPLE_UNIT = { tokens: 'tokens', bytes: 'bytes', duration: 'minutes' } as const;

function checkMoney(context: Context, node: WrittenValue, why: Label | null): ScalarValue | null {
  const amount = checkAmount(context, node, why);
  if (amount === null) return null;
  const { micros, rateMillionths, currency } = amount;
  if (rateMillionths === null) return { kind: 'money', micros, currency };
  const converted = convertMicros(micros, rateMillionths);
  if (converted === null) report(context, diagnostic('E0304', node.span, 'this amount is too large once converted'));
  return converted === null ? null : { kind: 'money', micros: converted, currency };
}

/** An amount as it is written; `currency` is the policy's, which the rate leads to. */
export interface WrittenAmount {
  readonly micros: number;
  /** Null where the amount is in the policy's currency. */
  readonly rateMillionths: number | null;
  readonly currency: string;
}

export function checkAmount(context: Context, node: WrittenValue, why: Label | null): WrittenAmount | null {
  const currency = context.typed.policy?.currency ?? 'usd';
  if (node.kind !== 'quantity') {
    mismatch(context, node, { kind: 'money' }, why);
    return null;
  }
  if (!isCurrency(node.unit.text)) {
    report(context, wrongUnit(node, { kind: 'money' }, currency, why));
    return null;
  }
  const micros = integer(context, node.number, node.span, MONEY_SCALE, 1n);
  if (micros === null) return null;
  const unit = node.unit.text;
  if (unit === currency || context.typed.policy === null) return { micros, rateMillionths: null, currency };
  const conversion = context.typed.conversions.get(`${unit} ${currency}`);
  if (conversion === undefined) {
    report(
      context,
      diagnostic(
        'E0302',
        node.unit.span,
        `this policy counts in \`${currency}\`, and no rate for \`${unit}\` is declared`,
        {
          labels: [label(context.typed.policy.span, `the currency is \`${currency}\``)],
          help: [
            replaceWith(node.unit.span, currency),
            help(`or declare a dated rate: \`convert ${unit} at 1.08 ${currency} on 2026-01-02\``),
          ],
        },
      ),
    );
    return null;
  }
  context.used.add(`convert ${unit} ${currency}`);
  return { micros, rateMillionths: conversion.rateMillionths, currency };
}

function wrongUnit(node: Quantity, needed: Type, example: string, why: Label | null): Diagnostic {
  const unit = node.unit.text;
  const meant = UNITS.has(unit) || isCurrency(unit) ? null : didYouMean(unit, UNITS.keys());
  if (!UNITS.has(unit) && !isCurrency(unit)) {
    return diagnostic('E0208', node.unit.span, `\`${unit}\` is not a unit`, {
      labels: [why],
      help: [
        meant === null
          ? replaceWith(
              node.unit.span,
              example,
              `${typeWording(needed)} is needed, such as \`${node.number.text} ${example}\``,
            )
          : didYouMeanHelp(node.unit.span, meant),
      ],
    });
  }
  return diagnostic(
    'E0302',
    node.span,
    `${typeWording(needed)} is needed here, and \`${node.number.text} ${unit}\` is ${unitWording(unit)}`,
    {
      labels: [why],
      help: [
        replaceWith(
          node.unit.span,
          example,
          `write the unit that is needed, such as \`${node.number.text} ${example}\``,
        ),
      ],
    },
  );
}

export function unitWording(unit: string): string {
  const dimension = UNITS.get(unit)?.dimension;
  if (dimension === undefined) return typeWording({ kind: 'money' });
  if (dimension === 'percent') return 'a percentage';
  return dimension === 'requests' || dimension === 'turns'
    ? `a number of ${dimension}`
    : typeWording({ kind: dimension });
}

function checkSet(context: Context, node: WrittenValue, element: ScalarType, why: Label | null): SetValue | null {
  if (node.kind !== 'set') return mismatch(context, node, { kind: 'set', element }, why);
  if (node.elements.length > SET_ELEMENTS_MAX) {
    report(context, diagnostic('E0304', node.span, `a set has at most ${SET_ELEMENTS_MAX} elements here`));
    return null;
  }
  const elements = node.elements.map((each) => checkScalar(context, each, element, why));
  const whole = elements.filter((each) => each !== null);
  return whole.length === elements.length ? { kind: 'set', elements: whole } : null;
}

/** The name, where a value or a path of one part is a name. */
export function bareName(node: WrittenValue): Name | null {
  if (node.kind === 'name') return node;
  return node.kind === 'path' && node.parts.length === 1 ? (node.parts[0] ?? null) : null;
}

function mismatch(context: Context, node: WrittenValue, type: Type, why: Label | null): null {
  const name = bareName(node);
  if (node.kind === 'path' && name === null) {
    report(
      context,
      diagnostic('E0317', node.span, `${typeWording(type)} is needed here, written out`, { labels: [why] }),
    );
    return null;
  }
  if (
    node.kind === 'number' &&
    (type.kind === 'money' || type.kind === 'tokens' || type.kind === 'bytes' || type.kind === 'duration')
  ) {
    const unit = type.kind === 'money' ? (context.typed.policy?.currency ?? 'usd') : EXAMPLE_UNIT[type.kind];
    report(
      context,
      diagnostic('E0302', node.span, `${typeWording(type)} is needed here, and \`${node.text}\` has no unit`, {
        labels: [why],
        help: [replaceWith(node.span, `${node.text} ${unit}`)],
      }),
    );
    return null;
  }
  if (node.kind === 'quantity' && (type.kind === 'int' || type.kind === 'decimal')) {
    report(
      context,
      diagnostic('E0302', node.span, `${typeWording(type)} without a unit is needed here`, {
        labels: [why],
        help: [replaceWith(node.span, node.number.text)],
      }),
    );
    return null;
  }
  const quoted =
    node.kind === 'text' && type.kind === 'enum' && /^[A-Za-z_]\w*$/.test(node.value)
      ? replaceWith(node.span, node.value, `members of an enum are written without quotes: \`${node.value}\``)
      : null;
  const unquoted =
    name !== null && type.kind === 'text'
      ? replaceWith(node.span, `"${name.text}"`, `texts are written in quotes: \`"${name.text}"\``)
      : null;
  report(
    context,
    diagnostic('E0301', node.span, `${typeWording(type)} is needed here, and this is ${writtenWording(node)}`, {
      labels: [why],
      help: [quoted, unquoted],
    }),
  );
  return null;
}

export function writtenWording(node: WrittenValue): string {
  switch (node.kind) {
    case 'name':
    case 'path':
      return 'a name';
    case 'text':
      return 'a text';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'date':
      return node.text.includes(' ') ? 'a time' : 'a date';
    case 'quantity':
      return unitWording(node.unit.text);
    case 'price':
      return 'a price';
    case 'set':
      return 'a set';
  }
}

/** Digits as the printer of a diagnostic suggests them: `1_200`. */
export function withSeparators(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, '_');
}
